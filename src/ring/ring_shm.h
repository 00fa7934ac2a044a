/* SPDX-License-Identifier: MIT */
/* The shared memory of a ring, besides its slots (FORMAT.md 4). */
#ifndef QUOIT_RING_SHM_H
#define QUOIT_RING_SHM_H

#include <quoit/ring.h>

#include <stddef.h>

/* 128 bytes apart, since processors fetch lines in pairs. */
struct quoit_ring_shm {
    quoit_atomic_u64 tail;                 /*   0  producer  items pushed, or being pushed        */
    quoit_atomic_u32 consumer_wake_needed; /*   8  both      1: after a push, check the next word */
    quoit_atomic_u32 consumer_sleepers;    /*  12  both      odd: a consumer is to be woken       */
    quoit_atomic_u64 pushed_messages; /*  16  producer  bytes: messages pushed, or being pushed */
    uint8_t pad1[104];
    quoit_atomic_u64 head;                 /* 128  consumer  items popped, or being given back    */
    quoit_atomic_u32 producer_wake_needed; /* 136  both      1: after a pop, check the next word  */
    quoit_atomic_u32 producer_sleepers;    /* 140  both      odd: a producer is to be woken       */
    quoit_atomic_u32 abandoned;            /* 144  both      mpmc: 1: an item of a crashed member */
    uint8_t pad2[108];
    quoit_atomic_u64 finished;            /* 256  producer  0, then 1: no push will follow       */
    union {                               /* 264 */
        quoit_atomic_u64 committed_below; /* producer  slots: all items below are committed     */
        quoit_atomic_u64 reclaimed_below; /* consumer  mpmc: hint: all items below are released */
        quoit_atomic_u64 retained_from;   /* producer  broadcast: items below are not kept      */
    };
    quoit_atomic_u32 entries_used; /* 272  consumer  broadcast: subscribers' entries are below */
    quoit_atomic_u32 producers_joined; /* 276  producer  how many ever joined, tools aside */
    quoit_atomic_u32 consumers_joined; /* 280  consumer  likewise                          */
    quoit_atomic_u32 finishes;         /* 284  producer  how many have finished              */
    uint8_t pad3[96];
};
_Static_assert(offsetof(struct quoit_ring_shm, tail) == 0, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, consumer_wake_needed) == 8, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, consumer_sleepers) == 12, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, pushed_messages) == 16, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, head) == 128, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, producer_wake_needed) == 136, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, producer_sleepers) == 140, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, abandoned) == 144, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, finished) == 256, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, committed_below) == 264, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, reclaimed_below) == 264, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, retained_from) == 264, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, entries_used) == 272, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, producers_joined) == 276, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, consumers_joined) == 280, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_ring_shm, finishes) == 284, "FORMAT.md 4");
_Static_assert(sizeof(struct quoit_ring_shm) == 384, "FORMAT.md 4");
_Static_assert(sizeof(quoit_atomic_u64) == 8, "counters are shared by 32-bit and 64-bit processes");
_Static_assert(sizeof(quoit_atomic_u32) == 4, "likewise");

/* One for each member of an MPMC or a broadcast queue: the positions that it works on. */
struct quoit_claim_record_shm {
    quoit_atomic_u64 pushing; /*  0  member  mpmc: positions that it may have claimed */
    uint8_t pad1[56];
    union {                          /* 64 */
        quoit_atomic_u64 popping;    /* member  mpmc: positions whose items it may be reading */
        quoit_atomic_u64 subscriber; /* member  broadcast: the next position that it reads    */
    };
    uint8_t pad2[56];
};
_Static_assert(offsetof(struct quoit_claim_record_shm, pushing) == 0, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_claim_record_shm, popping) == 64, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_claim_record_shm, subscriber) == 64, "FORMAT.md 4");
_Static_assert(sizeof(struct quoit_claim_record_shm) == 128, "FORMAT.md 4");

#endif
