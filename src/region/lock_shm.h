/* SPDX-License-Identifier: MIT */
/* A lock inside a region: its header (FORMAT.md 9), its layout, and its validation. */
#ifndef QUOIT_REGION_LOCK_SHM_H
#define QUOIT_REGION_LOCK_SHM_H

#include <quoit/lock.h>

#include "members.h"
#include "region_handle.h"

struct quoit_lock_shm {
    uint64_t members_offset; /*   0  creator  from the region's start                        */
    uint32_t member_entries; /*   8  creator                                                 */
    uint32_t reserved;       /*  12  0                                                       */
    uint64_t checksum;       /*  16  creator  of bytes 0 to 15                               */
    uint8_t pad1[104];
    _Atomic uint64_t state;    /* 128  members  which member has it, as described below         */
    _Atomic uint32_t sleepers; /* 136  members  odd: a process sleeps on this word             */
    uint32_t pad2;
};
_Static_assert(offsetof(struct quoit_lock_shm, members_offset) == 0, "FORMAT.md 9");
_Static_assert(offsetof(struct quoit_lock_shm, member_entries) == 8, "FORMAT.md 9");
_Static_assert(offsetof(struct quoit_lock_shm, reserved) == 12, "FORMAT.md 9");
_Static_assert(offsetof(struct quoit_lock_shm, checksum) == 16, "FORMAT.md 9");
_Static_assert(offsetof(struct quoit_lock_shm, state) == 128, "FORMAT.md 9");
_Static_assert(offsetof(struct quoit_lock_shm, sleepers) == 136, "FORMAT.md 9");
_Static_assert(sizeof(struct quoit_lock_shm) == 144, "FORMAT.md 9");

/* The state, from the lowest bit on: 16 bits of owner, which are its member entry plus 1, or 0 for
   none; 1 bit that is set, only without an owner, if the last owner crashed or closed with the
   lock; 47 bits that each new owner increments, so that no state occurs twice. */
#define QUOIT_LOCK_OWNER     UINT64_C(0xffff)
#define QUOIT_LOCK_ABANDONED UINT64_C(0x10000)
#define QUOIT_LOCK_TURN      UINT64_C(0x20000)

/* Pointers and geometry of a mapped lock; copied and validated once. */
struct quoit_lock_view {
    struct quoit_lock_shm *shm;
    struct quoit_members members;
};

quoit_status quoit_lock_check_options(const struct quoit_lock_options *options);

/* Makes a region with a free lock in it, which is not published yet. */
quoit_status quoit_lock_make(const char *name, const struct quoit_lock_options *options,
                             quoit_region **region_out, struct quoit_lock_view *view_out);

/* Finds the lock of an attached region. DIFFERENT: it has none. CORRUPT: it is damaged. */
quoit_status quoit_lock_find(quoit_region *region, struct quoit_lock_view *view_out);

#endif
