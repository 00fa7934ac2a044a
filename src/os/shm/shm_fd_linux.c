/* SPDX-License-Identifier: MIT */
/*
 * Objects without a name: a memfd, which processes hand on as a descriptor. It is sealed, so that
 * no process can truncate it behind the mappings of others. A duplicated descriptor would share its
 * locks with the original. So each handle opens the memory anew, through /proc/self/fd.
 */
#include "fd.h"
#include "liveness.h"
#include "lock_file.h"
#include "mapped_file.h"
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The kernel's number: some C libraries have no header for it. */
static const unsigned long tmpfs_magic = 0x01021994;

/* Is it ordinary memory? A memfd of hugetlb pages can have the same seals, but a process that
   touches it gets SIGBUS if no such page is free then. */
static bool is_ordinary(int fd)
{
    struct statfs system;
    return fstatfs(fd, &system) == 0 && (unsigned long)system.f_type == tmpfs_magic;
}

/* Has the memory this size for ever? */
static bool is_sealed(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}

static quoit_status share(const struct quoit_os_shm *shm, const char *text, int *fd_out)
{
    *fd_out = quoit_os_fd_share((int)shm->lock, shm->read_only);
    if (*fd_out >= 0)
        return QUOIT_OK;
    if (errno == ENOENT)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "'fd:%s' needs /proc, which is not mounted here; mount it", text);
    if (errno == EWOULDBLOCK)
        return quoit_fail(QUOIT_ERROR_BUSY,
                          "'fd:%s': the process that passed it holds a lease on it (F_SETLEASE); "
                          "let that process give the lease back, and open it again",
                          text);
    return quoit_os_fail(errno, "open anew fd", text);
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    quoit_status status = quoit_os_check_memory(size_bytes, "fd", text);
    if (status == QUOIT_OK && quoit_os_has_readers(permissions))
        status = quoit_fail(QUOIT_ERROR_INVALID,
                            "permissions 0%o let some users read and not write, which needs a "
                            "name; 0600 or 0666 would be right without one",
                            (unsigned)permissions);
    if (status != QUOIT_OK)
        return status;
    int fd = quoit_os_fd_above_stdio(memfd_create("quoit", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd < 0)
        return quoit_os_fail(errno, "create a queue without a name as fd", text);
    status = quoit_os_file_reserve(fd, size_bytes, permissions, text);
    if (status == QUOIT_OK &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        status = quoit_os_fail(errno, "seal fd", text);
    if (status == QUOIT_OK)
        status = quoit_os_file_map(fd, false, text, shm_out);
    if (status != QUOIT_OK)
        quoit_os_fd_close(fd, NULL);
    return status;
}

static quoit_status publish(struct quoit_os_shm *shm, const char *text)
{
    (void)shm;
    (void)text;
    return QUOIT_OK; /* any process that gets the descriptor finds it whole */
}

/* text: the number of a descriptor. */
static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    struct quoit_os_shm given = {.lock = atoi(text), .read_only = read_only};
    int fd;
    if (!is_sealed((int)given.lock))
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "descriptor %s is not one of quoit_queue_fd: it could be truncated; "
                          "pass a descriptor that quoit_queue_fd has returned",
                          text);
    if (!is_ordinary((int)given.lock))
        return quoit_fail(
            QUOIT_ERROR_NOT_QUOIT,
            "descriptor %s is not one of quoit_queue_fd: its memory is not ordinary "
            "memory (huge pages, for example), and touching it could end this process; pass a "
            "descriptor that quoit_queue_fd has returned",
            text);
    quoit_status status = share(&given, text, &fd);
    if (status != QUOIT_OK)
        return status;
    status = quoit_os_file_map(fd, read_only, text, shm_out);
    if (status == QUOIT_OK)
        shm_out->has_holes = !quoit_os_fd_is_whole(fd);
    else
        quoit_os_fd_close(fd, NULL);
    return status;
}

static bool is_named(const struct quoit_os_shm *shm, const char *text)
{
    (void)shm;
    (void)text;
    return true; /* it can be found as long as it exists */
}

static quoit_status peek(const char *text, void *bytes, uint64_t count)
{
    return quoit_os_fd_peek(atoi(text), text, bytes, count);
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *text)
{
    (void)shm;
    return quoit_fail(QUOIT_ERROR_NOT_FOUND, "'fd:%s' has no name", text);
}

const struct quoit_os_shm_ops quoit_os_shm_nameless = {
    .scheme = {.name = "fd", .text_max = 16},
    .create = create,
    .publish = publish,
    .open = open_existing,
    .is_named = is_named,
    .peek = peek,
    .unlink = unlink_name,
    .share = share,
    .close = quoit_os_file_close,
};

void quoit_os_fd_end_share(int fd)
{
    quoit_os_fd_close(fd, NULL);
}

quoit_status quoit_os_fd_find_path(int fd, char *path, uint64_t room)
{
    struct stat file;
    char itself[64];
    if (fstat(fd, &file) != 0)
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "descriptor %d is not open: %s; pass a descriptor that quoit_queue_fd has "
            "returned, before it is closed",
            fd, strerror(errno));
    path[0] = 0;
    if (!S_ISREG(file.st_mode))
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "descriptor %d is no memory and no file; pass a descriptor that "
                          "quoit_queue_fd has returned, or that of a queue's file",
                          fd);
    if (file.st_nlink == 0)
        return QUOIT_OK;
    (void)snprintf(itself, sizeof itself, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(itself, path, (size_t)room - 1);
    if (length < 0 && errno == ENOENT)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "descriptor %d cannot be opened: /proc is not mounted; mount it", fd);
    path[length < 0 ? 0 : length] = 0;
    return length < 0 ? quoit_os_fail(errno, "follow", itself) : QUOIT_OK;
}

bool quoit_os_fd_is_at(int fd, const char *path)
{
    struct stat by_path, by_fd;
    return stat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 && by_path.st_dev == by_fd.st_dev &&
           by_path.st_ino == by_fd.st_ino;
}
