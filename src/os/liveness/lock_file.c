/* SPDX-License-Identifier: MIT */
/* Lock files beside files. A lock file is made before its object gets its name, and removed after
   the object has lost it. */
#include "lock_file.h"

#include "fail.h"
#include "liveness.h"
#include "mapped_file.h"
#include "owner.h"
#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = ".quoit-locks.";

bool quoit_os_lock_record_read(int fd, struct quoit_os_lock_record *record_out)
{
    if (pread(fd, record_out, sizeof *record_out, 0) == (ssize_t)sizeof *record_out)
        return true;
    *record_out = (struct quoit_os_lock_record){.number = -1};
    return false;
}

quoit_status quoit_os_lock_record_write(int fd, uint64_t state, int64_t number, const char *path)
{
    const struct quoit_os_lock_record record = {
        .state = state, .number = number, .creator = quoit_os_process_id()};
    if (pwrite(fd, &record, sizeof record, 0) != (ssize_t)sizeof record)
        return quoit_os_fail(errno ? errno : ENOSPC, "write", path);
    return QUOIT_OK;
}

bool quoit_os_has_readers(uint32_t permissions)
{
    return ((permissions & 0044) >> 1 & ~permissions) != 0;
}

uint32_t quoit_os_lock_permissions(uint32_t permissions)
{
    uint32_t writing = permissions & 0222;
    return writing | writing << 1 | 0600;
}

/* "a/b" gives "a/.quoit-locks.b"; NULL: out of memory. */
static char *lock_path_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t directory = slash ? (size_t)(slash + 1 - path) : 0;
    size_t name = strlen(path + directory);
    char *made = malloc(directory + sizeof prefix + name);
    if (!made)
        return NULL;
    memcpy(made, path, directory);
    memcpy(made + directory, prefix, sizeof prefix - 1);
    memcpy(made + directory + sizeof prefix - 1, path + directory, name + 1);
    return made;
}

static quoit_status no_memory(const char *path)
{
    return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                      "out of memory: cannot allocate the lock file's path of '%s'", path);
}

static bool leads_to(const char *path, int fd)
{
    struct stat by_path, by_fd;
    return lstat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 && by_path.st_dev == by_fd.st_dev &&
           by_path.st_ino == by_fd.st_ino;
}

/* ---- Making ---------------------------------------------------------------------------------- */

/* Does not wait for another user's process. Returns NOT_FOUND if the file has lost its name. */
static quoit_status take_others_gate(struct quoit_os_shm *shm, const char *lock_path)
{
    quoit_status status = quoit_os_lock_try(shm, QUOIT_OS_LOCK_GATE);
    if (status == QUOIT_ERROR_BUSY)
        return quoit_fail(QUOIT_ERROR_OTHER_USER,
                          "lock file '%s': another user's process has it locked; try again later, "
                          "or use another name",
                          lock_path);
    if (status == QUOIT_OK && !leads_to(lock_path, (int)shm->lock))
        return QUOIT_ERROR_NOT_FOUND;
    return status;
}

/* Removes the lock file that is open as shm->lock, if no object has the path. Root may remove the
   lock files of all users. */
static quoit_status remove_stale_lock(struct quoit_os_shm *shm, const char *path,
                                      const char *lock_path)
{
    struct stat file;
    quoit_status status = QUOIT_OK;
    bool is_seen = fstat((int)shm->lock, &file) == 0;
    bool is_own = is_seen && quoit_os_owner_of(file.st_uid, (int)shm->lock) == quoit_os_user_id();
    if (!is_seen || (!is_own && quoit_os_user_id() != 0))
        return quoit_fail(QUOIT_ERROR_OTHER_USER,
                          "lock file '%s': it belongs to another user; use another name, or let "
                          "its owner remove it",
                          lock_path);
    status = is_own ? quoit_os_file_gate(shm, lock_path) : take_others_gate(shm, lock_path);
    if (status == QUOIT_OK && lstat(path, &file) == 0)
        status = quoit_fail(QUOIT_ERROR_EXISTS,
                            "'%s' exists already; open it or join it, or use another name", path);
    else if (status == QUOIT_OK && unlink(lock_path) != 0)
        status = quoit_os_fail(errno, "remove", lock_path);
    return status == QUOIT_ERROR_NOT_FOUND ? QUOIT_OK : status; /* removed during the wait */
}

/* A lock file exists: removes it if no object has the path. It is opened as shm->lock, so that a
   child forked during the wait closes it and the object's descriptor. */
static quoit_status clear_stale_lock(struct quoit_os_shm *shm, const char *path,
                                     const char *lock_path)
{
    shm->lock = quoit_os_fd_open(lock_path, O_RDWR | O_NONBLOCK | O_NOCTTY);
    if (shm->lock < 0)
        return errno == ENOENT ? QUOIT_OK : quoit_os_fail(errno, "open", lock_path);
    quoit_status status = remove_stale_lock(shm, path, lock_path);
    quoit_os_fd_close((int)shm->lock, shm);
    shm->lock = -1;
    return status;
}

/* Fills the new lock file, shm->lock. NOT_FOUND: another process removed it as stale. */
static quoit_status fill(struct quoit_os_shm *shm, const char *lock_path, uint32_t permissions)
{
    struct stat object;
    quoit_status status = quoit_os_file_gate(shm, lock_path);
    if (status != QUOIT_OK)
        return status;
    if (fchmod((int)shm->lock, (mode_t)quoit_os_lock_permissions(permissions)) != 0 ||
        fstat((int)shm->id, &object) != 0)
        return quoit_os_fail(errno, "set the permissions of", lock_path);
    /* The number is the object's inode. Such a file is linked when it is ready. */
    return quoit_os_lock_record_write((int)shm->lock, QUOIT_OS_RECORD_READY, (int64_t)object.st_ino,
                                      lock_path);
}

/* Makes the lock file. shm->id is the object's descriptor; shm->lock is -1. */
static quoit_status make(struct quoit_os_shm *shm, const char *path, uint32_t permissions)
{
    const char *lock_path = shm->lock_path;
    do {
        shm->lock = quoit_os_fd_open(lock_path, O_RDWR | O_CREAT | O_EXCL);
        if (shm->lock < 0 && errno == ENAMETOOLONG)
            return quoit_fail(QUOIT_ERROR_NAME,
                              "lock file '%s': its name is too long; use a shorter name, or "
                              "permissions that give no user read access only, such as 0600",
                              lock_path);
        if (shm->lock < 0 && errno != EEXIST)
            return quoit_os_fail(errno, "create", lock_path);
        quoit_status status = shm->lock < 0 ? clear_stale_lock(shm, path, lock_path)
                                            : fill(shm, lock_path, permissions);
        if (shm->lock >= 0 && status == QUOIT_OK)
            return QUOIT_OK;
        if (shm->lock >= 0 && status != QUOIT_ERROR_NOT_FOUND)
            (void)unlink(lock_path);
        quoit_os_fd_close((int)shm->lock, shm);
        shm->lock = -1;
        if (status != QUOIT_OK && status != QUOIT_ERROR_NOT_FOUND)
            return status;
    } while (quoit_os_hold_left_ns() > 0);
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "'%s': other processes keep creating and removing it; try again later",
                      lock_path);
}

quoit_status quoit_os_lock_file_make(struct quoit_os_shm *shm, const char *path,
                                     uint32_t permissions)
{
    char *lock_path = lock_path_of(path);
    if (!lock_path)
        return no_memory(path);
    shm->id = shm->lock;
    shm->lock = -1;
    shm->lock_path = lock_path; /* from here on a forked child closes both descriptors */
    quoit_status status = make(shm, path, permissions);
    if (status == QUOIT_OK) {
        shm->unpublished = true;
        return QUOIT_OK;
    }
    shm->lock = shm->id;
    shm->lock_path = NULL;
    free(lock_path);
    return status;
}

void quoit_os_lock_file_publish(struct quoit_os_shm *shm)
{
    shm->unpublished = false;
    quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* Is the file shm->lock the lock file of the object shm->id? */
static bool is_its(const struct quoit_os_shm *shm)
{
    struct stat file, object;
    struct quoit_os_lock_record record;
    return fstat((int)shm->lock, &file) == 0 && fstat((int)shm->id, &object) == 0 &&
           S_ISREG(file.st_mode) && file.st_uid == object.st_uid &&
           quoit_os_lock_record_read((int)shm->lock, &record) &&
           record.number == (int64_t)object.st_ino;
}

bool quoit_os_lock_hide(struct quoit_os_shm *shm, const char *lock_path, uint64_t owner)
{
    struct stat file;
    if (!shm->read_only || lstat(lock_path, &file) != 0 || file.st_uid != owner)
        return false;
    shm->lock_inode = file.st_ino;
    shm->locks_hidden = true;
    return true;
}

quoit_status quoit_os_lock_file_open(struct quoit_os_shm *shm, const char *path)
{
    struct stat object;
    char *lock_path = lock_path_of(path);
    if (!lock_path)
        return no_memory(path);
    shm->id = shm->lock;
    shm->lock_path = lock_path;
    shm->lock = quoit_os_fd_open(lock_path,
                                 (shm->read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_NOCTTY);
    int error = shm->lock < 0 ? errno : 0;
    if (error == 0 && is_its(shm))
        return QUOIT_OK;
    quoit_os_fd_close((int)shm->lock, shm);
    shm->lock = -1;
    if (error == EACCES && fstat((int)shm->id, &object) == 0 &&
        quoit_os_lock_hide(shm, lock_path, object.st_uid))
        return QUOIT_OK;
    if (error != 0 && error != ENOENT && !(error == EACCES && shm->read_only))
        return quoit_os_fail(error, "open", lock_path);
    /* The lock file is lost if the path still leads to the object: it is made before the object
       gets its name, and removed after the object has lost it. */
    if (!leads_to(path, (int)shm->id))
        return quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'%s': another process removed or replaced it during this call; open it again", path);
    shm->locks_missing = true;
    return QUOIT_OK;
}

/* ---- Removing -------------------------------------------------------------------------------- */

quoit_status quoit_os_lock_file_unlink(struct quoit_os_shm *shm, const char *path)
{
    quoit_status status = shm->locks_missing ? QUOIT_OK : quoit_os_file_gate(shm, shm->lock_path);
    if (status != QUOIT_OK)
        return status;
    if (!leads_to(path, (int)shm->id))
        status = quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'%s': another process removed or replaced it during this call; open it again", path);
    else if (unlink(path) != 0)
        status = quoit_os_fail(errno, "remove", path);
    else if (!shm->locks_missing)
        (void)unlink(shm->lock_path);
    if (!shm->locks_missing)
        quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return status;
}

void quoit_os_lock_file_close(struct quoit_os_shm *shm)
{
    if (!shm->lock_path)
        return;
    if (shm->unpublished) /* the gate is still held: no other process has it */
        (void)unlink(shm->lock_path);
    quoit_os_fd_close((int)shm->id, shm);
    free(shm->lock_path);
    shm->lock_path = NULL;
}
