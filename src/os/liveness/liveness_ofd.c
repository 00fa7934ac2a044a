/* SPDX-License-Identifier: MIT */
/*
 * Locks as open-file-description locks, one byte each. A lock belongs to the description, so to one
 * handle. The kernel drops it when the last descriptor of the description is closed, also after a
 * crash.
 */
#include "liveness.h"

#include "fd.h"
#include "lock_file.h"
#include "process_posix.h"
#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int quoit_os_fd_open(const char *path, int flags)
{
    return quoit_os_fd_above_stdio(open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600));
}

int quoit_os_fd_adopt(int fd, bool is_inherited)
{
    (void)is_inherited; /* quoit_os_fd_share opens a description for each handle */
    return fd;
}

/* Opens another description of the file, which has its own locks. A peer that passed the descriptor
   can hold a lease on the file. Without O_NONBLOCK, open would wait until the peer gives it back,
   45 seconds by default, and a fork of another thread would wait as well. */
int quoit_os_fd_share(int fd, bool read_only)
{
    char itself[64];
    int mode = read_only ? O_RDONLY : O_RDWR;
    (void)snprintf(itself, sizeof itself, "/proc/self/fd/%d", fd);
    return quoit_os_fd_above_stdio(open(itself, mode | O_CLOEXEC | O_NONBLOCK));
}

void quoit_os_fd_close(int fd, const struct quoit_os_shm *owner)
{
    (void)owner; /* the kernel drops its locks with the description */
    if (fd >= 0)
        (void)close(fd);
}

static struct flock byte_locks(uint32_t first, uint32_t count, short type)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)first, .l_len = (off_t)count};
}

quoit_status quoit_os_locks_try(const struct quoit_os_shm *shm, uint32_t first, uint32_t count)
{
    /* A process that may only read takes a read lock on the gate, and asks for no other lock. */
    struct flock lock = byte_locks(first, count, shm->read_only ? F_RDLCK : F_WRLCK);
    if (fcntl((int)shm->lock, F_OFD_SETLK, &lock) == 0)
        return QUOIT_OK;
    if (errno == EAGAIN || errno == EACCES)
        return QUOIT_ERROR_BUSY;
    return quoit_os_fail(errno, "lock a byte of", "a shared-memory object");
}

quoit_status quoit_os_lock_try(const struct quoit_os_shm *shm, uint32_t number)
{
    return quoit_os_locks_try(shm, number, 1);
}

void quoit_os_locks_release(const struct quoit_os_shm *shm, uint32_t first, uint32_t count)
{
    struct flock lock = byte_locks(first, count, F_UNLCK);
    (void)fcntl((int)shm->lock, F_OFD_SETLK, &lock);
}

void quoit_os_lock_release(const struct quoit_os_shm *shm, uint32_t number)
{
    quoit_os_locks_release(shm, number, 1);
}

/* Returns whether this line of /proc/locks is a write lock on one of these bytes of the inode. The
   kernel merges the locks of one owner on neighbouring bytes. The last byte of an endless lock is
   EOF. */
static bool says_held(const char *line, uint64_t wanted_inode, uint32_t first, uint32_t count)
{
    char type[16], end[24];
    unsigned long long inode, from, to = ULLONG_MAX;
    /* 1: OFDLCK ADVISORY  WRITE -1 00:1a:3006 18 19; lines of waiting processes have "->" in the
       second column. */
    if (sscanf(line, "%*s %*s %*s %15s %*s %*x:%*x:%llu %llu %23s", type, &inode, &from, end) !=
            4 ||
        strcmp(type, "WRITE") != 0 || inode != wanted_inode)
        return false;
    return (sscanf(end, "%llu", &to) == 1 || strcmp(end, "EOF") == 0) &&
           from < (unsigned long long)first + count && first <= to;
}

/*
 * For a lock file that this process may not open: the kernel lists all locks in /proc/locks. A file
 * with the same inode number in another file system counts as well, so a crashed member can seem
 * alive. Cancellation is disabled, because a cancelled thread would leave the list open.
 */
static bool are_listed(const struct quoit_os_shm *shm, uint32_t first, uint32_t count)
{
    char line[256];
    bool listed = false;
    int cancel_state = quoit_os_cancel_disable();
    FILE *file = fopen("/proc/locks", "re");
    while (file && !listed && fgets(line, sizeof line, file))
        listed = says_held(line, shm->lock_inode, first, count);
    bool was_read = file != NULL;
    if (file)
        (void)fclose(file);
    quoit_os_cancel_restore(cancel_state);
    return listed || !was_read; /* unknown counts as alive */
}

bool quoit_os_locks_are_held(const struct quoit_os_shm *shm, uint32_t first, uint32_t count)
{
    /* F_RDLCK conflicts with write locks only. Members hold write locks. */
    struct flock lock = byte_locks(first, count, F_RDLCK);
    if (shm->lock < 0) /* no lock file (locks_missing), or one that this process may not open */
        return shm->locks_hidden && are_listed(shm, first, count);
    /* If the call fails, the member counts as alive. */
    return fcntl((int)shm->lock, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool quoit_os_lock_is_held(const struct quoit_os_shm *shm, uint32_t number)
{
    return quoit_os_locks_are_held(shm, number, 1);
}

void quoit_os_shm_abandon(struct quoit_os_shm *shm)
{
    /* A mapping keeps its description open, so closing the descriptor is not enough. */
    quoit_os_map_zeros(shm);
    quoit_os_fd_drop(shm);
}

void quoit_os_fd_drop(struct quoit_os_shm *shm)
{
    quoit_os_fd_close((int)shm->lock, shm);
    shm->lock = -1;
    if (!shm->lock_path)
        return;
    quoit_os_fd_close((int)shm->id, shm);
    shm->id = -1;
}
