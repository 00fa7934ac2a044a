/* SPDX-License-Identifier: MIT */
/* Functions for descriptors and mappings that several POSIX mechanisms share. */
#include "fd.h"

#include "fail.h"
#include "hash.h"
#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int quoit_os_fd_above_stdio(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    (void)close(fd);
    errno = error;
    return above;
}

int quoit_os_fd_temporary(char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    enum { LETTERS = sizeof letters - 1, COUNT = 6, TRIES = 100 };
    char *end = path + strlen(path) - COUNT;
    int fd = -1;
    for (int i = 0; i < TRIES && fd < 0 && (i == 0 || errno == EEXIST); i++) {
        uint64_t source = quoit_os_monotonic_ns() ^ (uintptr_t)&source;
        source ^= (uint64_t)quoit_os_process_id() << 32;
        uint64_t random = quoit_hash(QUOIT_HASH_START, &source, sizeof source);
        for (int k = 0; k < COUNT; k++, random /= LETTERS)
            end[k] = letters[random % LETTERS];
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    return fd;
}

const char *quoit_os_fd_limit_hint(int error)
{
    return error == EFBIG ? " (ulimit -f, RLIMIT_FSIZE, limits a process's files)" : "";
}

int quoit_os_fd_reserve(int fd, uint64_t size_bytes)
{
    if (size_bytes > LONG_MAX)
        return ENOSPC;
#ifdef QUOIT_HAS_POSIX_FALLOCATE
    int error;
    do
        error = posix_fallocate(fd, 0, (off_t)size_bytes);
    while (error == EINTR);
    return error == EINVAL || error == ENODEV || error == EOPNOTSUPP ? ENOTSUP : error;
#else
    (void)fd;
    return ENOTSUP;
#endif
}

/*
 * Checks two signs, since each alone can be wrong. A file system that packs data also has fewer
 * blocks than bytes. Reserved memory that was never written also shows as a hole. A file with both
 * signs lacks memory.
 */
bool quoit_os_fd_is_whole(int fd)
{
    enum { BLOCK_BYTES = 512 }; /* of st_blocks, whatever st_blksize is */
    struct stat file;
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        return true; /* other functions report these */
    bool lacks_blocks = file.st_size / BLOCK_BYTES > file.st_blocks;
#ifdef SEEK_HOLE
    if (lacks_blocks) {
        off_t hole = lseek(fd, 0, SEEK_HOLE);
        return hole < 0 || hole >= file.st_size;
    }
#endif
    return !lacks_blocks || file.st_blocks == 0;
}

quoit_status quoit_os_fd_peek(int fd, const char *what, void *bytes, uint64_t count)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return quoit_os_fail(errno, "read the attributes of", what);
    if (!S_ISREG(file.st_mode))
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "'%s': it is not an ordinary file; use another name", what);
    ssize_t got;
    do
        got = pread(fd, bytes, (size_t)count, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return quoit_os_fail(errno, "read", what);
    if ((uint64_t)got < count)
        return quoit_fail(
            QUOIT_ERROR_NOT_QUOIT,
            "'%s': it has only %lld bytes, so Quoit did not create it; use another name", what,
            (long long)got);
    return QUOIT_OK;
}

quoit_status quoit_os_fd_map(int fd, bool read_only, const char *what, struct quoit_os_shm *shm_out)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return quoit_os_fail(errno, "read the attributes of", what);
    if (file.st_size <= 0)
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "'%s': it is empty, so Quoit did not create it; use another name", what);
    uint64_t size_bytes = (uint64_t)file.st_size;
    if (size_bytes > SIZE_MAX)
        return quoit_fail(
            QUOIT_ERROR_NO_MEMORY,
            "'%s': it has %llu bytes, which is more than a process can map; use a 64-bit program",
            what, (unsigned long long)size_bytes);
    int protection = read_only ? PROT_READ : PROT_READ | PROT_WRITE;
    void *base = mmap(NULL, (size_t)size_bytes, protection, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return quoit_os_fail(errno, "map", what);
    *shm_out = (struct quoit_os_shm){
        .base = base,
        .size_bytes = size_bytes,
        .owner = file.st_uid,
        .lock = -1,
        .read_only = read_only,
    };
    return QUOIT_OK;
}

#if !defined(MAP_ANONYMOUS) && defined(MAP_ANON)
#define MAP_ANONYMOUS MAP_ANON
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

void quoit_os_map_zeros(struct quoit_os_shm *shm)
{
    int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, zeros = -1;
#ifdef MAP_ANONYMOUS
    flags |= MAP_ANONYMOUS;
#else
    zeros = open("/dev/zero", O_RDWR | O_CLOEXEC);
#endif
    if (mmap(shm->base, (size_t)shm->size_bytes, PROT_READ | PROT_WRITE, flags, zeros, 0) ==
        MAP_FAILED) /* no access, rather than to the parent's memory */
        (void)mprotect(shm->base, (size_t)shm->size_bytes, PROT_NONE);
    if (zeros >= 0)
        (void)close(zeros);
}

quoit_status quoit_os_check_memory(uint64_t size_bytes, const char *scheme, const char *text)
{
#ifdef _SC_PHYS_PAGES
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
#else
    uint64_t machine = (uint64_t)1 << 46; /* unknown: more than any machine has */
#endif
    if (size_bytes <= machine)
        return QUOIT_OK;
    return quoit_fail(
        QUOIT_ERROR_NO_SPACE,
        "cannot reserve %llu bytes for '%s:%s': the machine has %llu; use a smaller capacity",
        (unsigned long long)size_bytes, scheme, text, (unsigned long long)machine);
}

void quoit_os_touch_pages(const struct quoit_os_shm *shm)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    for (uint64_t offset = 0; offset < shm->size_bytes; offset += page)
        *(volatile uint8_t *)(shm->base + offset) = 0;
}

quoit_status quoit_os_populate(const struct quoit_os_shm *shm, const char *scheme, const char *text)
{
    quoit_status status = quoit_os_check_memory(shm->size_bytes, scheme, text);
    if (status != QUOIT_OK)
        return status;
#ifdef MADV_POPULATE_WRITE
    if (madvise(shm->base, (size_t)shm->size_bytes, MADV_POPULATE_WRITE) == 0)
        return QUOIT_OK;
    if (errno == ENOMEM || errno == EFAULT)
        return quoit_fail(QUOIT_ERROR_NO_SPACE,
                          "cannot reserve %llu bytes for '%s:%s': not enough memory is free; use a "
                          "smaller capacity",
                          (unsigned long long)shm->size_bytes, scheme, text);
#endif
    quoit_os_touch_pages(shm);
    return QUOIT_OK;
}
