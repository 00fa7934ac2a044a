/* SPDX-License-Identifier: MIT */
/* A queue inside a region: its header (FORMAT.md 3), laying it out, and finding it again with
   nothing taken on trust. */
#ifndef QUOIT_REGION_QUEUE_SHM_H
#define QUOIT_REGION_QUEUE_SHM_H

#include <quoit.h>

#include "members.h"
#include "region.h"
#include "ring_ops.h"

struct quoit_queue_shm {
    uint32_t kind;           /*   0  creator  QUOIT_SPSC, ...                         */
    uint32_t layout;         /*   4  creator  enum quoit_ring_layout                  */
    uint64_t capacity;       /*   8  creator                                          */
    uint64_t item_bytes;     /*  16  creator                                          */
    uint64_t user_bytes;     /*  24  creator                                          */
    uint64_t members_offset; /*  32  creator  all offsets are from the region's start */
    uint64_t ring_offset;    /*  40  creator                                          */
    uint64_t slots_offset;   /*  48  creator                                          */
    uint64_t user_offset;    /*  56  creator  0 if user_bytes is                      */
    uint64_t empty;          /*  64  creator  slots: the mark of a slot without item  */
    uint32_t messages;       /*  72  creator  1: every message has its own size       */
    uint32_t item_align;     /*  76  creator  a power of two                          */
    uint32_t member_rows;    /*  80  creator                                          */
    uint32_t finishes;       /*  84  creator  so many producers end the stream        */
    char type[32];           /*  88  creator  what an item is; "": not told           */
    uint64_t reserved[8];    /* 120  creator  0                                       */
    uint64_t checksum;       /* 184  creator  of bytes 0 to 183                       */
};
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
_Static_assert(offsetof(struct quoit_queue_shm, member_rows) == 80, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, finishes) == 84, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, type) == 88, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, reserved) == 120, "FORMAT.md 3");
_Static_assert(offsetof(struct quoit_queue_shm, checksum) == 184, "FORMAT.md 3");
_Static_assert(sizeof(struct quoit_queue_shm) == 192, "FORMAT.md 3");

/* Where everything is in this process; copied and validated once. */
struct quoit_queue_place {
    uint32_t kind;
    enum quoit_ring_layout layout;
    uint32_t item_bytes;
    uint64_t user_bytes;
    uint32_t item_align;
    uint32_t finishes; /* how many make the end of the stream */
    char type[32];
    bool messages; /* item_bytes is the longest message; the ring's may be longer records */
    void *user;    /* NULL if user_bytes is 0 */
    struct quoit_ring_place ring;
    struct quoit_members members;
};

/* Larger items of an SPSC queue are kept as spans. A test makes it smaller. */
extern uint64_t quoit_queue_largest_in_slots;

/* Are these options ones that a queue can be made with? */
quoit_status quoit_queue_check_options(const struct quoit_queue_options *options);

/* A region with an empty queue in it, not yet published. */
quoit_status quoit_queue_make(const char *name, const struct quoit_queue_options *options,
                              quoit_region **region_out, struct quoit_queue_place *place_out);

/* The queue of a region that was attached. DIFFERENT: it has none. CORRUPT. */
quoit_status quoit_queue_find(quoit_region *region, struct quoit_queue_place *place_out);

/* DIFFERENT if both say what an item is, and say something else. */
quoit_status quoit_queue_compare_type(const struct quoit_queue_place *place, const char *type);

/* DIFFERENT, saying both values, where the queue is not what the options ask for. */
quoit_status quoit_queue_compare(const quoit_region *region, const struct quoit_queue_place *place,
                                 const struct quoit_queue_options *options);

#endif
