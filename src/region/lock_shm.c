/* SPDX-License-Identifier: MIT */
/* Lays out a lock in a region, and validates an existing one. */
#include "lock_shm.h"

#include "fail.h"
#include "hash.h"
#include "once.h"
#include "permissions.h"
#include "reserved.h"

#include <string.h>

_Static_assert(sizeof(struct quoit_lock_options) == 64, "in every version");

enum { ENTRIES_BYTES = QUOIT_MEMBER_ENTRIES * sizeof(struct quoit_member_shm) };

static uint64_t checksum_of(const struct quoit_lock_shm *lock)
{
    return quoit_hash(QUOIT_HASH_START, lock, offsetof(struct quoit_lock_shm, checksum));
}

quoit_status quoit_lock_check_options(const struct quoit_lock_options *options)
{
    uint32_t permissions;
    if (options->memory != 0)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "options.memory is %u; this version accepts only 0",
                          (unsigned)options->memory);
    quoit_status status = QUOIT_CHECK_RESERVED(options, 0);
    return status == QUOIT_OK ? quoit_permissions(options->permissions, &permissions) : status;
}

static quoit_status allocate_pieces(quoit_region *region)
{
    struct quoit_lock_shm lock = {.member_entries = QUOIT_MEMBER_ENTRIES};
    uint64_t at;
    quoit_status status = quoit_region_alloc(region, sizeof lock, QUOIT_PIECE_ALIGN, &at);
    if (status == QUOIT_OK)
        status = quoit_region_alloc(region, ENTRIES_BYTES, QUOIT_PIECE_ALIGN, &lock.members_offset);
    if (status != QUOIT_OK)
        return status;
    lock.checksum = checksum_of(&lock);
    memcpy(region->shm.base + at, &lock, sizeof lock);
    return quoit_region_set_root(region, at);
}

quoit_status quoit_lock_make(const char *name, const struct quoit_lock_options *options,
                             quoit_region **region_out, struct quoit_lock_view *view_out)
{
    const struct quoit_region_plan plan = {.content = QUOIT_CONTENT_LOCK,
                                           .permissions = options->permissions,
                                           .piece_bytes = sizeof(struct quoit_lock_shm) +
                                                          ENTRIES_BYTES +
                                                          UINT64_C(2) * QUOIT_PIECE_ALIGN};
    quoit_region *region;
    quoit_status status = quoit_lock_check_options(options);
    if (status == QUOIT_OK)
        status = quoit_region_begin(name, &plan, &region);
    if (status != QUOIT_OK)
        return status;
    status = allocate_pieces(region);
    if (status == QUOIT_OK)
        status = quoit_lock_find(region, view_out);
    if (status != QUOIT_OK) {
        quoit_region_close(region);
        return status;
    }
    *region_out = region;
    return QUOIT_OK;
}

quoit_status quoit_lock_find(quoit_region *region, struct quoit_lock_view *view_out)
{
    struct quoit_lock_shm lock = {0};
    if (region->content != QUOIT_CONTENT_LOCK)
        return quoit_fail(QUOIT_ERROR_DIFFERENT,
                          "'%s:%s': it is %s, but a lock was requested; use another name, or "
                          "remove it with 'quoit rm'",
                          QUOIT_REGION_NAME(region), quoit_region_what(region->content));
    uint8_t *at = quoit_region_piece(region, quoit_region_root(region), sizeof lock);
    if (!at)
        return quoit_region_damaged(region, "lock", "its root is outside the region");
    quoit_copy_once(&lock, at, offsetof(struct quoit_lock_shm, state));
    if (lock.checksum != checksum_of(&lock))
        return quoit_region_damaged(region, "lock", "its checksum is wrong");
    if (lock.member_entries != QUOIT_MEMBER_ENTRIES)
        return quoit_region_damaged(region, "lock", "its number of member entries is out of range");
    uint8_t *entries = quoit_region_piece(region, lock.members_offset, ENTRIES_BYTES);
    if (!entries)
        return quoit_region_damaged(region, "lock", "a piece is outside the region");
    *view_out = (struct quoit_lock_view){
        .shm = (struct quoit_lock_shm *)(void *)at,
        .members = {.shm = &region->shm,
                    .entries = (struct quoit_member_shm *)(void *)entries,
                    .count = QUOIT_MEMBER_ENTRIES,
                    .own_entry = UINT32_MAX}};
    return QUOIT_OK;
}
