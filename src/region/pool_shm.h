/* SPDX-License-Identifier: MIT */
/* A pool inside a region: its header (FORMAT.md 8), its layout, and its validation. */
#ifndef QUOIT_REGION_POOL_SHM_H
#define QUOIT_REGION_POOL_SHM_H

#include <quoit.h>

#include "blocks.h"
#include "members.h"
#include "region_handle.h"

struct quoit_pool_shm {
    uint64_t block_bytes;         /*  0  creator                                          */
    uint64_t blocks;              /*  8  creator                                          */
    uint64_t members_offset;      /* 16  creator  all offsets are from the region's start */
    uint64_t incarnations_offset; /* 24  creator  a u64 for each member entry               */
    uint64_t entries_offset;      /* 32  creator                                          */
    uint64_t hints_offset;        /* 40  creator                                          */
    uint64_t bytes_offset;        /* 48  creator  the blocks themselves                   */
    uint32_t member_entries;      /* 56  creator                                          */
    uint32_t reserved;            /* 60  0                                                */
    uint64_t checksum;            /* 64  creator  of bytes 0 to 63                        */
};
_Static_assert(offsetof(struct quoit_pool_shm, block_bytes) == 0, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, blocks) == 8, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, members_offset) == 16, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, incarnations_offset) == 24, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, entries_offset) == 32, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, hints_offset) == 40, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, bytes_offset) == 48, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, member_entries) == 56, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, reserved) == 60, "FORMAT.md 8");
_Static_assert(offsetof(struct quoit_pool_shm, checksum) == 64, "FORMAT.md 8");
_Static_assert(sizeof(struct quoit_pool_shm) == 72, "FORMAT.md 8");

/* Pointers and geometry of a mapped pool; copied and validated once. */
struct quoit_pool_view {
    uint64_t block_bytes;
    struct quoit_blocks blocks;
    struct quoit_members members;
};

/* Can a pool be made with these options? Returns OK, INVALID or UNSUPPORTED. */
quoit_status quoit_pool_check_options(const struct quoit_pool_options *options);

/* Makes a region with a pool of free blocks in it, which is not published yet. */
quoit_status quoit_pool_make(const char *name, const struct quoit_pool_options *options,
                             quoit_region **region_out, struct quoit_pool_view *view_out);

/* Finds the pool of an attached region. DIFFERENT: it has none. CORRUPT: it is damaged. */
quoit_status quoit_pool_find(quoit_region *region, struct quoit_pool_view *view_out);

/* Returns DIFFERENT, with both values in the message, if the pool is not as the options ask. */
quoit_status quoit_pool_compare(const quoit_region *region, const struct quoit_pool_view *view,
                                const struct quoit_pool_options *options);

#endif
