/* SPDX-License-Identifier: MIT */
/*
 * Files as shared memory. A file is made without a name, filled, and then linked to its path. The
 * link is atomic, so no process finds an incomplete file, and a crash leaves nothing behind. If the
 * file system has no nameless files, the file gets a temporary name. The next creator removes the
 * temporary files that crashed creators left.
 */
#include "mapped_file.h"

#include "fail.h"
#include "fd.h"
#include "liveness.h"
#include "lock_file.h"
#include "owner.h"
#include "system_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 + 64 };
static const char temporary_prefix[] = ".quoit-"; /* and six characters */

/* Copies the directory of path: "a/b" gives "a", "/b" gives "/", "b" gives ".". */
static void directory_of(const char *path, char directory[PATH_ROOM])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        (void)snprintf(directory, PATH_ROOM, ".");
    else if (slash == path)
        (void)snprintf(directory, PATH_ROOM, "/");
    else
        (void)snprintf(directory, PATH_ROOM, "%.*s", (int)(slash - path), path);
}

/* A missing directory is an error, unlike a missing file: no other process's change to the object
   can repair it, so a retry is of no use. */
static quoit_status fail_at(int error, const char *doing, const char *path)
{
    char directory[PATH_ROOM];
    struct stat file;
    directory_of(path, directory);
    if ((error == ENOENT || error == ENOTDIR) &&
        (stat(directory, &file) != 0 || !S_ISDIR(file.st_mode)))
        return quoit_fail(QUOIT_ERROR_SYSTEM,
                          "cannot %s '%.200s': the directory '%.200s' does not exist; create it, "
                          "or use another name",
                          doing, path, directory);
    return quoit_os_fail(error, doing, path);
}

/* Removes a temporary file if its gate is free: a live creator holds it until it publishes. */
static void sweep_one(const char *path)
{
    struct quoit_os_shm shm = {.lock = quoit_os_fd_open(path, O_RDWR | O_NONBLOCK | O_NOCTTY)};
    struct stat file;
    if (shm.lock < 0)
        return;
    if (fstat((int)shm.lock, &file) == 0 && S_ISREG(file.st_mode) &&
        file.st_uid == quoit_os_user_id() &&
        quoit_os_lock_try(&shm, QUOIT_OS_LOCK_GATE) == QUOIT_OK)
        (void)unlink(path);
    quoit_os_fd_close((int)shm.lock, &shm);
}

/* Removes the temporary files beside path that crashed creators left. */
static void sweep(const char *path)
{
    char directory[PATH_ROOM], found[PATH_ROOM + 300];
    directory_of(path, directory);
    DIR *listing = opendir(directory);
    if (!listing)
        return;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strncmp(entry->d_name, temporary_prefix, sizeof temporary_prefix - 1) != 0 ||
            strlen(entry->d_name) != sizeof temporary_prefix - 1 + 6)
            continue;
        (void)snprintf(found, sizeof found, "%s/%s", directory, entry->d_name);
        sweep_one(found);
    }
    (void)closedir(listing);
}

/* Opens a new file that is in no directory, or else has a temporary name, *temporary_out, which the
   caller frees. */
static int open_nameless(const char *path, char **temporary_out)
{
    char directory[PATH_ROOM];
    directory_of(path, directory);
    *temporary_out = NULL;
#ifdef O_TMPFILE
    if (access("/proc/self/fd", X_OK) == 0) { /* publish needs it */
        int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
            return quoit_os_fd_above_stdio(fd);
    }
#endif
    char temporary[PATH_ROOM + 64];
    sweep(path);
    (void)snprintf(temporary, sizeof temporary, "%s/%sXXXXXX", directory, temporary_prefix);
    int made = quoit_os_fd_temporary(temporary);
    if (made < 0)
        return -1;
    int named = quoit_os_fd_above_stdio(made);
    *temporary_out = named >= 0 ? strdup(temporary) : NULL;
    if (*temporary_out)
        return named;
    int error = named >= 0 ? ENOMEM : errno;
    (void)unlink(temporary);
    if (named >= 0)
        (void)close(named);
    errno = error;
    return -1;
}

static void forget_temporary(struct quoit_os_shm *shm)
{
    if (shm->temporary)
        (void)unlink(shm->temporary);
    free(shm->temporary);
    shm->temporary = NULL;
}

/* 0, or an error number. */
static int write_zeros(int fd, uint64_t size_bytes)
{
    static const uint8_t zeros[65536] = {0};
    for (uint64_t at = 0; at < size_bytes;) {
        uint64_t left = size_bytes - at;
        size_t part = left < sizeof zeros ? (size_t)left : sizeof zeros;
        ssize_t written = pwrite(fd, zeros, part, (off_t)at);
        if (written < 0 && errno != EINTR)
            return errno;
        at += written > 0 ? (uint64_t)written : 0;
    }
    return 0;
}

quoit_status quoit_os_file_reserve(int fd, uint64_t size_bytes, uint32_t permissions,
                                   const char *what)
{
    if (fchmod(fd, (mode_t)permissions) != 0)
        return quoit_os_fail(errno, "set the permissions of", what);
    int error = quoit_os_fd_reserve(fd, size_bytes);
    if (error == ENOTSUP)
        error = ftruncate(fd, (off_t)size_bytes) == 0 ? write_zeros(fd, size_bytes) : errno;
    if (error == ENOSPC || error == EFBIG || error == ENOMEM)
        return quoit_fail(
            QUOIT_ERROR_NO_SPACE,
            "cannot reserve %llu bytes for '%s': %s%s; use a smaller capacity, free some space, or "
            "enlarge the file system (/dev/shm of a container: --shm-size)",
            (unsigned long long)size_bytes, what, strerror(error), quoit_os_fd_limit_hint(error));
    return error == 0 ? QUOIT_OK : quoit_os_fail(error, "reserve memory for", what);
}

/* On success the descriptor belongs to shm_out. */
quoit_status quoit_os_file_map(int fd, bool read_only, const char *what,
                               struct quoit_os_shm *shm_out)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return quoit_os_fail(errno, "read the attributes of", what);
    if (!S_ISREG(file.st_mode))
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "'%s': it is not an ordinary file; use another name", what);
    quoit_status status = quoit_os_fd_map(fd, read_only, what, shm_out);
    if (status != QUOIT_OK)
        return status;
    shm_out->lock = fd;
    shm_out->owner = quoit_os_owner_of(shm_out->owner, fd);
    return QUOIT_OK;
}

/* *swept_out: the sweep of another process removed the temporary name before this process had the
   gate. */
static quoit_status create_once(const char *path, uint64_t size_bytes, uint32_t permissions,
                                struct quoit_os_shm *shm_out, bool *swept_out)
{
    *swept_out = false;
    char *temporary = NULL;
    quoit_status status = QUOIT_OK;
    int fd = quoit_os_fd_adopt(open_nameless(path, &temporary), false);
    bool has_readers = quoit_os_has_readers(permissions); /* none before it gets its name */
    if (fd < 0)
        status = fail_at(errno, "create", path);
    if (status == QUOIT_OK)
        status = quoit_os_file_reserve(fd, size_bytes, has_readers ? 0600 : permissions, path);
    if (status == QUOIT_OK && !quoit_os_fd_is_whole(fd))
        status = quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                            "'%s': its file system does not keep space reserved, so writing could "
                            "crash; use another directory",
                            path);
    if (status == QUOIT_OK)
        status = quoit_os_file_map(fd, false, path, shm_out);
    if (status != QUOIT_OK)
        goto discard;
    shm_out->permissions = permissions;
    shm_out->temporary = temporary;
    if (temporary)
        status = quoit_os_file_gate(shm_out, temporary);
    *swept_out = status == QUOIT_ERROR_NOT_FOUND;
    if (status == QUOIT_OK && has_readers)
        status = quoit_os_lock_file_make(shm_out, path, permissions);
    if (status != QUOIT_OK)
        quoit_os_file_close(shm_out);
    return status;

discard:
    if (temporary)
        (void)unlink(temporary);
    free(temporary);
    quoit_os_fd_close(fd, NULL);
    return status;
}

quoit_status quoit_os_file_create(const char *path, uint64_t size_bytes, uint32_t permissions,
                                  struct quoit_os_shm *shm_out)
{
    struct stat present;
    if (lstat(path, &present) == 0)
        return quoit_fail(QUOIT_ERROR_EXISTS,
                          "'%s' exists already; open it or join it, or use another name", path);
    bool swept;
    quoit_status status;
    do
        status = create_once(path, size_bytes, permissions, shm_out, &swept);
    while (swept && quoit_os_hold_left_ns() > 0);
    return status;
}

/* The object's own descriptor. */
static int object_fd(const struct quoit_os_shm *shm)
{
    return (int)(shm->lock_path ? shm->id : shm->lock);
}

/* Gives the file its name, whether it has none or a temporary one. */
static int link_file(const struct quoit_os_shm *shm, const char *path)
{
    if (shm->temporary)
        return link(shm->temporary, path);
    char itself[64]; /* see open_nameless */
    (void)snprintf(itself, sizeof itself, "/proc/self/fd/%d", object_fd(shm));
    return linkat(AT_FDCWD, itself, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/* The gate that protects a temporary name from sweeps is on the object itself. */
static void leave_temporary_gate(struct quoit_os_shm *shm)
{
    intptr_t lock = shm->lock;
    shm->lock = object_fd(shm);
    quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    shm->lock = lock;
}

quoit_status quoit_os_file_publish(struct quoit_os_shm *shm, const char *path)
{
    int error = 0;
    if (shm->lock_path && fchmod(object_fd(shm), (mode_t)shm->permissions) != 0)
        error = errno;
    if (error == 0 && link_file(shm, path) != 0)
        error = errno;
    if (shm->temporary)
        leave_temporary_gate(shm);
    forget_temporary(shm);
    if (error == EEXIST)
        return quoit_fail(QUOIT_ERROR_EXISTS,
                          "'%s' exists already; open it or join it, or use another name", path);
    if (error != 0)
        return quoit_os_fail(error, "create the name of", path);
    if (shm->lock_path)
        quoit_os_lock_file_publish(shm);
    return QUOIT_OK;
}

/* Opens the ordinary file at path; *fd_out is its descriptor. */
static quoit_status open_ordinary(const char *path, bool read_only, int *fd_out)
{
    struct stat file;
    *fd_out = -1;
    if (lstat(path, &file) != 0)
        return fail_at(errno, "open", path);
    if (!S_ISREG(file.st_mode)) /* opening a device or a FIFO can have effects: do not */
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "'%s': it is not an ordinary file; use another name", path);
    *fd_out = quoit_os_fd_open(path, (read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_NOCTTY);
    return *fd_out >= 0 ? QUOIT_OK : quoit_os_fail(errno, "open", path);
}

quoit_status quoit_os_file_open(const char *path, bool read_only, struct quoit_os_shm *shm_out)
{
    int fd;
    quoit_status status = open_ordinary(path, read_only, &fd);
    if (status != QUOIT_OK)
        return status;
    status = quoit_os_file_map(fd, read_only, path, shm_out);
    if (status == QUOIT_OK)
        shm_out->has_holes = !quoit_os_fd_is_whole(fd);
    else
        quoit_os_fd_close(fd, NULL);
    return status;
}

quoit_status quoit_os_file_peek(const char *path, void *bytes, uint64_t count)
{
    int fd;
    quoit_status status = open_ordinary(path, true, &fd);
    if (status != QUOIT_OK)
        return status;
    status = quoit_os_fd_peek(fd, path, bytes, count);
    quoit_os_fd_close(fd, NULL);
    return status;
}

/* Does path lead to the file of fd? NOT_FOUND: it does not. */
static quoit_status check_leads_to(const char *path, int fd)
{
    struct stat by_path, by_fd;
    bool is_there = stat(path, &by_path) == 0;
    if ((!is_there && errno != ENOENT) || fstat(fd, &by_fd) != 0)
        return quoit_os_fail(errno, "read the attributes of", path);
    if (is_there && by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino)
        return QUOIT_OK;
    return quoit_fail(
        QUOIT_ERROR_NOT_FOUND,
        "'%s': another process removed or replaced it during this call; open it again", path);
}

quoit_status quoit_os_file_gate(struct quoit_os_shm *shm, const char *path)
{
    quoit_os_fork_hold();
    quoit_status status = quoit_os_lock_try(shm, QUOIT_OS_LOCK_GATE);
    while (status == QUOIT_ERROR_BUSY) {
        status = quoit_os_pause(shm, path);
        if (status != QUOIT_OK)
            break;
        status = quoit_os_lock_try(shm, QUOIT_OS_LOCK_GATE);
    }
    if (status == QUOIT_OK) {
        status = check_leads_to(path, (int)shm->lock);
        if (status != QUOIT_OK)
            quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    }
    quoit_os_fork_release();
    return status;
}

bool quoit_os_file_is_named(const struct quoit_os_shm *shm, const char *path)
{
    return check_leads_to(path, object_fd(shm)) == QUOIT_OK;
}

quoit_status quoit_os_file_unlink(struct quoit_os_shm *shm, const char *path)
{
    if (shm->lock_path)
        return quoit_os_lock_file_unlink(shm, path);
    quoit_status status = quoit_os_file_gate(shm, path);
    if (status != QUOIT_OK)
        return status;
    if (unlink(path) != 0)
        status = quoit_os_fail(errno, "remove", path);
    quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return status;
}

void quoit_os_file_close(struct quoit_os_shm *shm)
{
    forget_temporary(shm);
    if (shm->base)
        (void)munmap(shm->base, (size_t)shm->size_bytes);
    quoit_os_lock_file_close(shm);
    quoit_os_fd_close((int)shm->lock, shm);
    *shm = (struct quoit_os_shm){.lock = -1};
}
