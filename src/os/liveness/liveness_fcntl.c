/* SPDX-License-Identifier: MIT */
/*
 * Locks as plain POSIX record locks, for systems that have no better ones. The kernel drops them
 * when the process ends, and a forked child inherits none. But they belong to the process, not to a
 * handle, and closing *any* descriptor of the file drops them. So this file records which handle
 * holds which lock, and closes a file's descriptors only when no handle needs the file.
 *
 * With QUOIT_OFD_LOCKS the locks belong to the open file description, if the kernel has such locks.
 * Then a program may open and close the file as it likes. Memory without a name keeps the locks of
 * processes: no second description of it can be opened, and a child shares the one that there is.
 * Locks of both kinds exclude each other, so a process that has only one kind can share an object
 * with one that has both.
 */
#include "liveness.h"

#include "fail.h"
#include "fd.h"
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
    int fd; /* that the lock was taken with */
    uint32_t number;
};
struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    struct descriptor *descriptors;
    struct held *held;
    unsigned users;
    bool is_inherited; /* children of this process use the same open file description */
};
static struct file *files; /* and all that it leads to: under quoit_os_process_lock */

/* ---- Calls of the system --------------------------------------------------------------------- */

#ifdef QUOIT_OFD_LOCKS
static bool has_no_ofd_locks; /* an older kernel; under quoit_os_process_lock */

static int call(const struct file *file, int fd, bool sets, struct flock *lock)
{
    if (!file->is_inherited && !has_no_ofd_locks) {
        int result = fcntl(fd, sets ? F_OFD_SETLK : F_OFD_GETLK, lock);
        if (result == 0 || errno != EINVAL)
            return result;
        has_no_ofd_locks = true;
    }
    return fcntl(fd, sets ? F_SETLK : F_GETLK, lock);
}
#else
static int call(const struct file *file, int fd, bool sets, struct flock *lock)
{
    (void)file;
    return fcntl(fd, sets ? F_SETLK : F_GETLK, lock);
}
#endif

/* ---- Files, descriptors and locks of this process -------------------------------------------- */

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

int quoit_os_fd_adopt(int fd, bool is_inherited)
{
    struct descriptor *descriptor = fd >= 0 ? calloc(1, sizeof *descriptor) : NULL;
    if (fd < 0)
        return -1;
    bool entered = descriptor && quoit_os_process_lock() == QUOIT_OK;
    if (entered) {
        entered = enter(fd, true, descriptor);
        if (entered)
            (*find_fd(fd))->is_inherited = is_inherited;
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

static void unlock_byte(const struct file *file, int fd, uint32_t number)
{
    struct flock lock = {
        .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = (off_t)number, .l_len = 1};
    (void)call(file, fd, true, &lock);
}

static void drop_held(const struct file *file, struct held **at, bool unlock)
{
    struct held *held = *at;
    *at = held->next;
    if (unlock)
        unlock_byte(file, held->fd, held->number);
    free(held);
}

/* unlock: not in a forked child, which may share its parent's open file description. */
static void close_locked(int fd, const struct quoit_os_shm *owner, bool unlock)
{
    struct file **at = find_fd(fd), *file = *at;
    if (!file)
        return;
    for (struct held **held = &file->held; *held;)
        if ((*held)->owner == owner)
            drop_held(file, held, unlock);
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
    close_locked(fd, owner, true);
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
    int fd = lockable(file, (int)shm->lock);
    if (call(file, fd, true, &lock) != 0) {
        int error = errno;
        free(held);
        return error == EAGAIN || error == EACCES
                   ? QUOIT_ERROR_BUSY
                   : quoit_os_fail(error, "lock a byte of", "a shared-memory object");
    }
    *held = (struct held){.next = file->held, .owner = shm, .fd = fd, .number = number};
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
        drop_held(file, held, true);
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
    return call(file, (int)shm->lock, false, &lock) != 0 || lock.l_type != F_UNLCK;
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
    close_locked((int)shm->lock, shm, false);
    shm->lock = -1;
    if (!shm->lock_path)
        return;
    close_locked((int)shm->id, shm, false);
    shm->id = -1;
}
