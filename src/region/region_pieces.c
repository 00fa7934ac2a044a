/* SPDX-License-Identifier: MIT */
/* Hands out aligned pieces of a region by offset. Trusts nothing in shared memory beyond the local
   size. */
#include "region_handle.h"

#include "arithmetic.h"
#include "fail.h"

enum { ALIGN_MAX = 4096 };

quoit_status quoit_region_alloc(quoit_region *region, uint64_t size_bytes, uint64_t align_bytes,
                                uint64_t *offset_out)
{
    if (!region || !offset_out || size_bytes == 0 || !quoit_is_power_of_two(align_bytes) ||
        align_bytes > ALIGN_MAX)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "size_bytes is %llu and align_bytes %llu; pass a region, a size above 0, "
                          "and a power of two up to 4096",
                          (unsigned long long)size_bytes, (unsigned long long)align_bytes);
    if (region->shm.read_only)
        return quoit_fail(QUOIT_ERROR_PERMISSION,
                          "'%s:%s': it was opened read-only; open it without QUOIT_OBSERVER",
                          QUOIT_REGION_NAME(region));

    uint64_t offset, end;
    /* Relaxed: the counter hands out numbers; it publishes no bytes. */
    uint64_t used = atomic_load_explicit(&region->header->used, memory_order_relaxed);
    do {
        if (used < sizeof *region->header || used > region->size_bytes)
            return quoit_fail(QUOIT_ERROR_CORRUPT,
                              "'%s:%s': its header states that %llu of its %llu bytes are in use, "
                              "which is impossible; remove it with 'quoit rm'",
                              QUOIT_REGION_NAME(region), (unsigned long long)used,
                              (unsigned long long)region->size_bytes);
        if (!quoit_align_up(used, align_bytes, &offset) || !quoit_add(offset, size_bytes, &end) ||
            end > region->size_bytes)
            return quoit_fail(QUOIT_ERROR_NO_SPACE,
                              "'%s:%s': it has %llu bytes left, but %llu were requested; create it "
                              "with larger size_bytes",
                              QUOIT_REGION_NAME(region),
                              (unsigned long long)(region->size_bytes - used),
                              (unsigned long long)size_bytes);
        /* Relaxed: the counter hands out numbers; it publishes no bytes. */
    } while (!atomic_compare_exchange_weak_explicit(&region->header->used, &used, end,
                                                    memory_order_relaxed, memory_order_relaxed));
    *offset_out = offset;
    return QUOIT_OK;
}

void *quoit_region_at(const quoit_region *region, uint64_t offset, uint64_t size_bytes)
{
    if (!region || !quoit_is_inside(offset, size_bytes, region->size_bytes))
        return NULL;
    return region->shm.base + offset;
}

void *quoit_region_data(const quoit_region *region)
{
    if (!region || region->data_bytes == 0)
        return NULL;
    return region->shm.base + sizeof *region->header;
}

uint64_t quoit_region_data_bytes(const quoit_region *region)
{
    return region ? region->data_bytes : 0;
}

uint8_t *quoit_region_piece(const quoit_region *region, uint64_t offset, uint64_t size_bytes)
{
    if (offset % QUOIT_PIECE_ALIGN != 0 || offset < sizeof(struct quoit_region_shm))
        return NULL;
    return quoit_region_at(region, offset, size_bytes);
}

quoit_status quoit_region_set_root(quoit_region *region, uint64_t offset)
{
    if (!region || offset >= region->size_bytes)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "offset is %llu, which is not inside the region; pass an offset from "
                          "quoit_region_alloc",
                          (unsigned long long)offset);
    if (region->shm.read_only)
        return quoit_fail(QUOIT_ERROR_PERMISSION,
                          "'%s:%s': it was opened read-only; open it without QUOIT_OBSERVER",
                          QUOIT_REGION_NAME(region));
    /* REGION-R1: publishes the piece that the root leads to. Pairs with REGION-R2. */
    atomic_store_explicit(&region->header->root, offset, memory_order_release);
    return QUOIT_OK;
}

uint64_t quoit_region_root(const quoit_region *region)
{
    /* REGION-R2: after this load, the piece that the root leads to is visible. Pairs with
       REGION-R1. */
    return region ? atomic_load_explicit(&region->header->root, memory_order_acquire) : 0;
}

uint64_t quoit_region_size(const quoit_region *region)
{
    return region ? region->size_bytes : 0;
}

uint64_t quoit_region_bytes_left(const quoit_region *region)
{
    if (!region)
        return 0;
    /* Relaxed: a snapshot of a number. */
    uint64_t used = atomic_load_explicit(&region->header->used, memory_order_relaxed);
    return used < region->size_bytes ? region->size_bytes - used : 0;
}
