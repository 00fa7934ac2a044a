/* SPDX-License-Identifier: MIT */
/*
 * Locks as open-file-description locks, one byte each: they belong to the description, so to one
 * handle, and the kernel drops them when its last descriptor is closed, which no death can prevent.
 */
#include "os.h"

#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct flock byte_lock(uint32_t number, short type)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)number, .l_len = 1};
}

quoit_status quoit_os_lock_try(const struct quoit_os_shm *shm, uint32_t number)
{
    /* Whoever may only read passes the gate as a reader; no reader asks for another lock. */
    struct flock lock = byte_lock(number, shm->read_only ? F_RDLCK : F_WRLCK);
    if (fcntl((int)shm->lock, F_OFD_SETLK, &lock) == 0)
        return QUOIT_OK;
    if (errno == EAGAIN || errno == EACCES)
        return QUOIT_BUSY;
    return quoit_os_fail(errno, "lock a byte of", "a shared-memory object");
}

void quoit_os_lock_release(const struct quoit_os_shm *shm, uint32_t number)
{
    struct flock lock = byte_lock(number, F_UNLCK);
    (void)fcntl((int)shm->lock, F_OFD_SETLK, &lock);
}

bool quoit_os_lock_is_held(const struct quoit_os_shm *shm, uint32_t number)
{
    struct flock lock = byte_lock(number, F_WRLCK);
    return fcntl((int)shm->lock, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void quoit_os_shm_abandon(struct quoit_os_shm *shm)
{
    /* A mapping holds on to the description that it was made from, so closing is not enough. */
    (void)mmap(shm->base, (size_t)shm->size_bytes, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (shm->lock >= 0)
        (void)close((int)shm->lock);
    shm->lock = -1;
}
