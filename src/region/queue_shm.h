/* SPDX-License-Identifier: MIT */
/* A queue inside a region: its header (FORMAT.md 3), its layout, and its validation. */
#ifndef QUOIT_REGION_QUEUE_SHM_H
#define QUOIT_REGION_QUEUE_SHM_H

#include <quoit.h>

#include "members.h"
#include "region_handle.h"
#include "ring_ops.h"

struct quoit_queue_shm {
    uint32_t kind;           /*   0  creator  QUOIT_SPSC or another kind              */
    uint32_t layout;         /*   4  creator  enum quoit_ring_layout                  */
    uint64_t capacity;       /*   8  creator                                          */
    uint64_t item_bytes;     /*  16  creator                                          */
    uint64_t user_bytes;     /*  24  creator                                          */
    uint64_t members_offset; /*  32  creator  all offsets are from the region's start */
    uint64_t ring_offset;    /*  40  creator                                          */
    uint64_t slots_offset;   /*  48  creator                                          */
    uint64_t user_offset;    /*  56  creator  0 if user_bytes is 0                    */
    uint64_t empty;          /*  64  creator  slots: the mark of a slot without item  */
    uint32_t messages;       /*  72  creator  1: every message has its own size       */
    uint32_t item_align;     /*  76  creator  a power of two                          */
    uint32_t member_entries; /*  80  creator                                          */
    uint32_t finishes;       /*  84  creator  how many finishes end the stream        */
    char type[32];           /*  88  creator  an item's type; "": not given           */
    uint64_t reserved[8];    /* 120  creator  0                                       */
    uint64_t checksum;       /* 184  creator  of bytes 0 to 183                       */
};
_Static_assert(offsetof(struct quoit_queue_shm, kind) == 0, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, layout) == 4, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, capacity) == 8, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, item_bytes) == 16, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, user_bytes) == 24, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, members_offset) == 32, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, ring_offset) == 40, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, slots_offset) == 48, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, user_offset) == 56, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, empty) == 64, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, messages) == 72, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, item_align) == 76, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, member_entries) == 80, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, finishes) == 84, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, type) == 88, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, reserved) == 120, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, checksum) == 184, "FORMAT.md 3");
_Static_assert(sizeof(struct quoit_queue_shm) == 192, "FORMAT.md 3");

/* Pointers and geometry of a mapped queue; copied and validated once. */
struct quoit_queue_view {
    uint32_t kind;
    enum quoit_ring_layout layout;
    uint32_t item_bytes;
    uint64_t user_bytes;
    uint32_t item_align;
    uint32_t finishes;     /* how many finishes end the stream */
    uint32_t most_members; /* of a broadcast without its producer */
    char type[32];
    bool messages; /* item_bytes is the longest message; ring.item_bytes has a header more */
    void *user;    /* NULL if user_bytes is 0 */
    struct quoit_ring_view ring;
    struct quoit_members members;
};

/* Larger items of an SPSC queue are kept as spans. A test sets a smaller value. */
extern uint64_t quoit_queue_largest_in_slots;

/* Can a queue be made with these options? */
quoit_status quoit_queue_check_options(const struct quoit_queue_options *options);

/* Makes a region with an empty queue in it, which is not published yet. flags: QUOIT_TRANSIENT, or
   others, which it ignores. */
quoit_status quoit_queue_make(const char *name, const struct quoit_queue_options *options,
                              uint32_t flags, quoit_region **region_out,
                              struct quoit_queue_view *view_out);

/* Finds the queue of an attached region. DIFFERENT: it has none. CORRUPT: it is damaged. */
quoit_status quoit_queue_find(quoit_region *region, struct quoit_queue_view *view_out);

/* For messages: "MPMC". The kind is a valid one. */
const char *quoit_queue_kind_name(uint32_t kind);

/* Returns DIFFERENT if both name the type of an item, and the types differ. */
quoit_status quoit_queue_compare_type(const quoit_region *region,
                                      const struct quoit_queue_view *view, const char *type);

/* Returns DIFFERENT, with both values in the message, if the queue is not as the options ask. */
quoit_status quoit_queue_compare(const quoit_region *region, const struct quoit_queue_view *view,
                                 const struct quoit_queue_options *options);

#endif
