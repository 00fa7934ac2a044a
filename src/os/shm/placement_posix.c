/* SPDX-License-Identifier: MIT */
/* Where the pages of a mapping are: touched beforehand, locked in memory, in huge pages. */
#include "fd.h"
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(MADV_HUGEPAGE) && !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25 /* Linux 6.1; of headers before that */
#endif

/* ---- Prefault -------------------------------------------------------------------------------- */

/* Others may use the memory meanwhile: an "or" of 0 writes to a page, and changes nothing. */
static void touch_pages(const struct quoit_os_shm *shm)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    for (uint64_t offset = 0; offset < shm->size_bytes; offset += page)
        /* Relaxed: it changes nothing. */
        (void)atomic_fetch_or_explicit((_Atomic uint32_t *)(void *)(shm->base + offset), 0,
                                       memory_order_relaxed);
}

static quoit_status prefault(const struct quoit_os_shm *shm, const char *scheme, const char *text)
{
#ifdef MADV_POPULATE_WRITE
    if (madvise(shm->base, (size_t)shm->size_bytes, MADV_POPULATE_WRITE) == 0)
        return QUOIT_OK;
    if (errno == ENOMEM || errno == EFAULT)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                          "'%s:%s': no memory to map its %" PRIu64 " bytes beforehand "
                          "(QUOIT_PREFAULT)",
                          scheme, text, shm->size_bytes);
#else
    (void)scheme;
    (void)text;
#endif
    touch_pages(shm);
    return QUOIT_OK;
}

/* ---- Lock ------------------------------------------------------------------------------------ */

static quoit_status lock_memory(const struct quoit_os_shm *shm, const char *scheme,
                                const char *text)
{
    char limit[80] = "";
    if (mlock(shm->base, (size_t)shm->size_bytes) == 0)
        return QUOIT_OK;
    int error = errno;
    if (error != ENOMEM && error != EPERM && error != EAGAIN)
        return quoit_os_fail(error, "lock in memory", text);
#ifdef RLIMIT_MEMLOCK
    struct rlimit now;
    if (getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_cur != RLIM_INFINITY)
        (void)snprintf(limit, sizeof limit, "; RLIMIT_MEMLOCK (ulimit -l) is %ju bytes",
                       (uintmax_t)now.rlim_cur);
#endif
    return quoit_fail(QUOIT_ERROR_LIMIT,
                      "'%s:%s': cannot lock its %" PRIu64 " bytes in memory "
                      "(QUOIT_LOCK_MEMORY): %s%s",
                      scheme, text, shm->size_bytes, strerror(error), limit);
}

/* ---- Huge pages ------------------------------------------------------------------------------ */

#ifdef MADV_COLLAPSE
uint64_t quoit_os_huge_page_bytes(void)
{
    unsigned long long bytes = 0;
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "re");
    if (file && fscanf(file, "%llu", &bytes) != 1)
        bytes = 0;
    if (file)
        (void)fclose(file);
    return bytes;
}

/* Moves the mapping to a multiple of a huge page's size: elsewhere the kernel maps a huge page as
   small ones. */
static quoit_status align_mapping(struct quoit_os_shm *shm, uint64_t huge, const char *text)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE); /* a peer may have changed a file's size */
    uint64_t size_bytes = (shm->size_bytes + page - 1) / page * page, room = size_bytes + huge;
    if ((uintptr_t)shm->base % huge == 0)
        return QUOIT_OK;
    if (room > SIZE_MAX)
        return quoit_os_fail(ENOMEM, "map", text);
    uint8_t *reserved = mmap(NULL, (size_t)room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if ((void *)reserved == MAP_FAILED)
        return quoit_os_fail(errno, "map", text);
    size_t before = (size_t)(huge - (uintptr_t)reserved % huge);
    uint8_t *base = reserved + before;
    void *moved = mremap(shm->base, (size_t)size_bytes, (size_t)size_bytes,
                         MREMAP_MAYMOVE | MREMAP_FIXED, base);
    int error = moved == MAP_FAILED ? errno : 0;
    if (error != 0) {
        (void)munmap(reserved, (size_t)room);
        return quoit_os_fail(error, "map", text);
    }
    (void)munmap(reserved, before);
    if (huge > before)
        (void)munmap(base + size_bytes, (size_t)(huge - before));
    shm->base = base;
    return QUOIT_OK;
}

static quoit_status no_huge_pages(const char *scheme, const char *text, int error)
{
    if (error == ENOMEM || error == EAGAIN || error == EBUSY)
        return quoit_fail(QUOIT_ERROR_NO_SPACE,
                          "'%s:%s': the system has no free huge pages now (QUOIT_HUGE_PAGES): %s",
                          scheme, text, strerror(error));
    return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                      "'%s:%s': no huge pages (QUOIT_HUGE_PAGES): %s; it takes Linux 6.1 with "
                      "transparent huge pages (/sys/kernel/mm/transparent_hugepage), and memory "
                      "that is no file on a disk",
                      scheme, text, strerror(error));
}

static quoit_status use_huge_pages(struct quoit_os_shm *shm, bool is_new, const char *scheme,
                                   const char *text)
{
    uint64_t huge = quoit_os_huge_page_bytes();
    if (huge == 0)
        return is_new ? no_huge_pages(scheme, text, EOPNOTSUPP) : QUOIT_OK;
    if (shm->size_bytes < huge)
        return QUOIT_OK;
    quoit_status status = align_mapping(shm, huge, text);
    if (status != QUOIT_OK)
        return status;
    (void)madvise(shm->base, (size_t)shm->size_bytes, MADV_HUGEPAGE); /* for pages to come */
    if (is_new && madvise(shm->base, (size_t)shm->size_bytes, MADV_COLLAPSE) != 0)
        return no_huge_pages(scheme, text, errno);
    return QUOIT_OK;
}
#else
uint64_t quoit_os_huge_page_bytes(void)
{
    return 0;
}

static quoit_status use_huge_pages(struct quoit_os_shm *shm, bool is_new, const char *scheme,
                                   const char *text)
{
    (void)shm;
    return is_new ? quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                               "'%s:%s': this system has no huge pages for objects "
                               "(QUOIT_HUGE_PAGES)",
                               scheme, text)
                  : QUOIT_OK;
}
#endif

quoit_status quoit_os_place(struct quoit_os_shm *shm, uint32_t memory, bool is_new,
                            const char *scheme, const char *text)
{
    quoit_status status = QUOIT_OK;
    if (memory & QUOIT_OS_HUGE_PAGES)
        status = use_huge_pages(shm, is_new, scheme, text);
    if (status == QUOIT_OK && memory & QUOIT_OS_LOCK_MEMORY)
        status = lock_memory(shm, scheme, text);
    if (status == QUOIT_OK && memory & QUOIT_OS_PREFAULT)
        status = prefault(shm, scheme, text);
    return status;
}
