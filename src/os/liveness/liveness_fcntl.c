/* SPDX-License-Identifier: MIT */
/*
 * Locks as plain POSIX record locks, for systems that have no better ones. The kernel drops them
 * when the process ends, and a forked child inherits none. But they belong to the process, not to a
 * handle, and closing *any* descriptor of the file drops them. So this file records which handle
 * holds which lock, and closes a file's descriptors only when no handle needs the file.
 */
#include "liveness.h"

#include "fail.h"
#include "fd.h"
#include "process_posix.h"
#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct descriptor {
    struct descriptor *next;
    int fd;
    bool writable;
};
struct held {
    struct held *next;
    const struct quoit_os_shm *owner;
    uint32_t number;
};
struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    struct descriptor *descriptors;
    struct held *held;
    unsigned users;
};
static struct file *files; /* and all that it leads to: under quoit_os_process_lock */

static struct file **find_inode(const struct stat *status)
{
    struct file **at = &files;
    while (*at && ((*at)->device != status->st_dev || (*at)->inode != status->st_ino))
        at = &(*at)->next;
    return at;
}

static struct file **find_fd(int fd)
{
    struct file **at = &files;
    for (; *at; at = &(*at)->next)
        for (const struct descriptor *d = (*at)->descriptors; d; d = d->next)
            if (d->fd == fd)
                return at;
    return at;
}

static int use_descriptor(struct file *file, bool writable)
{
    for (const struct descriptor *d = file->descriptors; d; d = d->next)
        if (d->writable || !writable) {
            file->users++;
            return d->fd;
        }
    return -1;
}

/* Records fd under its file; descriptor becomes the list entry. */
static bool enter(int fd, bool writable, struct descriptor *descriptor)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return false;
    struct file *file = *find_inode(&status);
    if (!file) {
        file = calloc(1, sizeof *file);
        if (!file)
            return false;
        file->device = status.st_dev;
        file->inode = status.st_ino;
        file->next = files;
        files = file;
    }
    *descriptor = (struct descriptor){.next = file->descriptors, .fd = fd, .writable = writable};
    file->descriptors = descriptor;
    file->users++;
    return true;
}

static int open_locked(const char *path, int flags)
{
    const bool writable = (flags & O_ACCMODE) != O_RDONLY;
    struct stat status;
    if (!(flags & O_EXCL) && lstat(path, &status) == 0 && *find_inode(&status)) {
        int fd = use_descriptor(*find_inode(&status), writable);
        if (fd >= 0)
            return fd;
    }
    /* Before open: closing a descriptor on failure would drop this process's locks on the file. */
    struct descriptor *descriptor = calloc(1, sizeof *descriptor);
    if (!descriptor) {
        errno = ENOMEM;
        return -1;
    }
    int fd = quoit_os_fd_above_stdio(open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd >= 0 && enter(fd, writable, descriptor))
        return fd;
    int error = fd >= 0 ? ENOMEM : errno;
    if (fd >= 0)
        (void)close(fd);
    free(descriptor);
    errno = error;
    return -1;
}

int quoit_os_fd_open(const char *path, int flags)
{
    if (quoit_os_process_lock() != QUOIT_OK) {
        errno = ENOMEM;
        return -1;
    }
    int fd = open_locked(path, flags);
    int error = errno;
    quoit_os_process_unlock();
    errno = error;
    return fd;
}

int quoit_os_fd_adopt(int fd)
{
    struct descriptor *descriptor = fd >= 0 ? calloc(1, sizeof *descriptor) : NULL;
    if (fd < 0)
        return -1;
    bool entered = descriptor && quoit_os_process_lock() == QUOIT_OK;
    if (entered) {
        entered = enter(fd, true, descriptor);
        quoit_os_process_unlock();
    }
    if (entered)
        return fd;
    (void)close(fd);
    free(descriptor);
    errno = ENOMEM;
    return -1;
}

int quoit_os_fd_share(int fd, bool read_only)
{
    (void)read_only; /* the mapping is read-only, the descriptor is shared */
    (*find_fd(fd))->users++;
    return fd;
}

static void set_lock(int fd, uint32_t number, short type)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)number, .l_len = 1};
    (void)fcntl(fd, F_SETLK, &lock);
}

static void drop_held(struct held **at, int fd)
{
    struct held *held = *at;
    *at = held->next;
    set_lock(fd, held->number, F_UNLCK);
    free(held);
}

static void close_locked(int fd, const struct quoit_os_shm *owner)
{
    struct file **at = find_fd(fd), *file = *at;
    if (!file)
        return;
    for (struct held **held = &file->held; *held;)
        if ((*held)->owner == owner)
            drop_held(held, fd);
        else
            held = &(*held)->next;
    if (--file->users > 0)
        return;
    *at = file->next;
    while (file->descriptors) {
        struct descriptor *descriptor = file->descriptors;
        file->descriptors = descriptor->next;
        (void)close(descriptor->fd);
        free(descriptor);
    }
    free(file);
}

void quoit_os_fd_close(int fd, const struct quoit_os_shm *owner)
{
    if (fd < 0 || quoit_os_process_lock() != QUOIT_OK)
        return;
    close_locked(fd, owner);
    quoit_os_process_unlock();
}

static struct held **find_held(struct file *file, uint32_t number)
{
    struct held **at = &file->held;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

/* Returns a descriptor of the file that can be locked: a writable one if there is one, else fd. */
static int lockable(const struct file *file, int fd)
{
    for (const struct descriptor *d = file->descriptors; d; d = d->next)
        if (d->writable)
            return d->fd;
    return fd;
}

static quoit_status try_locked(const struct quoit_os_shm *shm, uint32_t number)
{
    struct file *file = *find_fd((int)shm->lock);
    if (!file)
        return quoit_fail(QUOIT_ERROR_INVALID, "this object has no lock file, so it cannot be "
                                               "locked; create it with a name that can have one");
    if (*find_held(file, number))
        return QUOIT_ERROR_BUSY;
    struct held *held = calloc(1, sizeof *held);
    if (!held)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a lock");
    /* A process that may only read takes a read lock on the gate, and asks for no other lock. */
    struct flock lock = {.l_type = shm->read_only ? F_RDLCK : F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = (off_t)number,
                         .l_len = 1};
    if (fcntl(lockable(file, (int)shm->lock), F_SETLK, &lock) != 0) {
        int error = errno;
        free(held);
        return error == EAGAIN || error == EACCES
                   ? QUOIT_ERROR_BUSY
                   : quoit_os_fail(error, "lock a byte of", "a shared-memory object");
    }
    *held = (struct held){.next = file->held, .owner = shm, .number = number};
    file->held = held;
    return QUOIT_OK;
}

quoit_status quoit_os_lock_try(const struct quoit_os_shm *shm, uint32_t number)
{
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        return status;
    status = try_locked(shm, number);
    quoit_os_process_unlock();
    return status;
}

void quoit_os_lock_release(const struct quoit_os_shm *shm, uint32_t number)
{
    if (quoit_os_process_lock() != QUOIT_OK)
        return;
    struct file *file = *find_fd((int)shm->lock);
    struct held **held = file ? find_held(file, number) : NULL;
    if (held && *held && (*held)->owner == shm)
        drop_held(held, (int)shm->lock);
    quoit_os_process_unlock();
}

static bool is_held_locked(const struct quoit_os_shm *shm, uint32_t number)
{
    struct file *file = *find_fd((int)shm->lock);
    if (!file) /* no lock file (locks_missing), or one that this process may not open */
        return shm->locks_hidden;
    const struct held *held = *find_held(file, number);
    if (held)
        return held->owner != shm;
    /* F_RDLCK conflicts with write locks only. Members hold write locks. */
    struct flock lock = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = (off_t)number, .l_len = 1};
    return fcntl((int)shm->lock, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool quoit_os_lock_is_held(const struct quoit_os_shm *shm, uint32_t number)
{
    if (quoit_os_process_lock() != QUOIT_OK)
        return true; /* unknown counts as alive */
    bool is_held = is_held_locked(shm, number);
    quoit_os_process_unlock();
    return is_held;
}

void quoit_os_shm_abandon(struct quoit_os_shm *shm)
{
    /* Called by a fork handler, which holds quoit_os_process_lock already. */
    quoit_os_map_zeros(shm);
    quoit_os_fd_drop(shm);
}

void quoit_os_fd_drop(struct quoit_os_shm *shm)
{
    close_locked((int)shm->lock, shm);
    shm->lock = -1;
    if (!shm->lock_path)
        return;
    close_locked((int)shm->id, shm);
    shm->id = -1;
}
