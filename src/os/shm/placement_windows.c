/* SPDX-License-Identifier: MIT */
/* Where the pages of a mapping are: touched beforehand, or locked in memory. */
#include "win32.h"

#include "fail.h"

#include <stdatomic.h>

/* Others may use the memory meanwhile: an "or" of 0 writes to a page, and changes nothing. */
static void prefault(const struct quoit_os_shm *shm)
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    for (uint64_t offset = 0; offset < shm->size_bytes; offset += system.dwPageSize)
        /* Relaxed: it changes nothing. */
        (void)atomic_fetch_or_explicit((_Atomic uint32_t *)(void *)(shm->base + offset), 0,
                                       memory_order_relaxed);
}

uint64_t quoit_os_huge_page_bytes(void)
{
    return 0;
}

quoit_status quoit_os_place(struct quoit_os_shm *shm, uint32_t memory, bool is_new,
                            const char *scheme, const char *text)
{
    if (memory & QUOIT_OS_HUGE_PAGES && is_new)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "'%s:%s': this system has no huge pages for objects (QUOIT_HUGE_PAGES)",
                          scheme, text);
    if (memory & QUOIT_OS_LOCK_MEMORY && !VirtualLock(shm->base, (SIZE_T)shm->size_bytes))
        return quoit_fail(QUOIT_ERROR_LIMIT,
                          "'%s:%s': cannot lock its %llu bytes in memory (QUOIT_LOCK_MEMORY): "
                          "error %lu; SetProcessWorkingSetSize raises the limit",
                          scheme, text, (unsigned long long)shm->size_bytes, GetLastError());
    if (memory & QUOIT_OS_PREFAULT)
        prefault(shm);
    return QUOIT_OK;
}
