/* SPDX-License-Identifier: MIT */
/*
 * What a queue's ring has in shared memory beside its slots, and what a handle keeps of either
 * side, for every kind of queue. Not an API: include <quoit.h>.
 */
#ifndef QUOIT_RING_H
#define QUOIT_RING_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
/* Templates have no C linkage: a user may include this inside extern "C". */
extern "C++" {
#include <atomic>
}
typedef std::atomic<uint64_t> quoit_atomic_u64;
typedef std::atomic<uint32_t> quoit_atomic_u32;
typedef std::atomic<uint8_t> quoit_atomic_u8;
using std::atomic_load_explicit;
using std::atomic_store_explicit;
using std::atomic_thread_fence;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
#else
#include <stdatomic.h>
typedef _Atomic uint64_t quoit_atomic_u64;
typedef _Atomic uint32_t quoit_atomic_u32;
typedef _Atomic uint8_t quoit_atomic_u8;
#endif

/* Casts of the inlined functions: C++ programs may be compiled with -Wold-style-cast. */
#ifdef __cplusplus
#define QUOIT_CAST(type, value) (static_cast<type>(value))
#define QUOIT_ADDRESS(pointer)  (reinterpret_cast<uintptr_t>(pointer))
#else
#define QUOIT_CAST(type, value) ((type)(value))
#define QUOIT_ADDRESS(pointer)  ((uintptr_t)(pointer))
#endif

/* Shared (FORMAT.md 4). 128 bytes apart, since processors fetch lines in pairs. */
struct quoit_ring_shm {
    quoit_atomic_u64 tail;            /*   0  producer  items pushed, or being pushed        */
    quoit_atomic_u32 consumer_waits;  /*   8  both      1: after a push, look whether ...    */
    quoit_atomic_u32 consumer_asleep; /*  12  both      odd: a side is to be woken           */
    quoit_atomic_u64 pushed_messages; /* 16  producer  bytes: messages ever, for people          */
    uint8_t pad1[104];
    quoit_atomic_u64 head;            /* 128  consumer  items popped, or being given back    */
    quoit_atomic_u32 producer_waits;  /* 136  both      1: after a pop, look whether ...     */
    quoit_atomic_u32 producer_asleep; /* 140  both      odd: a side is to be woken           */
    quoit_atomic_u32 orphaned;        /* 144  both      mpmc: 1: look for a crashed one's item   */
    uint8_t pad2[4];
    quoit_atomic_u64 popped_messages; /* 152 consumer  bytes: messages ever, for people          */
    uint8_t pad3[96];
    quoit_atomic_u64 finished;         /* 256  producer  0, then 1: no push will follow       */
    quoit_atomic_u64 marked;           /* 264  producer  slots: all items below are committed;
                                       producer  broadcast: items below are not kept;
                                       consumer  mpmc: all items below are given back */
    quoit_atomic_u32 rows;             /* 272  consumer  broadcast: all subscribers' are below */
    quoit_atomic_u32 producers_joined; /* 276  producer  how many ever joined, tools aside */
    quoit_atomic_u32 consumers_joined; /* 280  consumer  likewise                          */
    quoit_atomic_u32 finishes;         /* 284  producer  how many have finished              */
    uint8_t pad4[96];
};

/* Shared, one for each member of an MPMC or a broadcast queue (FORMAT.md 4): what it is taking or
   has taken. */
struct quoit_claims_shm {
    quoit_atomic_u64 pushing; /*  0  member  mpmc: positions that it may have claimed      */
    uint8_t pad1[56];
    quoit_atomic_u64 popping; /* 64  member  mpmc: positions whose items it may be reading;
                                             broadcast: the next position that it reads */
    uint8_t pad2[56];
};

/* Where a position of an MPMC ring is, and what its slot's word says of the lap. */
struct quoit_mpmc_spot {
    uint8_t *slot;
    uint64_t lap;
};

/* Private to a side of an MPMC queue's handle. */
struct quoit_mpmc_side {
    uint64_t position;           /* at most the tail (producer), the head (consumer), ... */
    struct quoit_mpmc_spot next; /* and where that is */
    struct quoit_mpmc_spot held; /* claimed, or peeked at; NULL: nothing is */
    uint64_t marked;             /* consumer: items below this are given back */
    quoit_atomic_u64 *claim; /* where this member says what it takes; NULL: it is no such side */
    bool hurried;            /* it will look again at once: the dead can wait */
    bool freed;              /* a look for items has made room */
};

/* Private to a side of a broadcast queue's handle. */
struct quoit_broadcast_side {
    uint64_t position;       /* the next item's, ... */
    uint8_t *slot;           /* and where it lies, or will */
    uint64_t limit;          /* producer: positions below this may be filled */
    uint64_t floor;          /* producer: items below this are not kept, as it has said */
    quoit_atomic_u64 *row;   /* subscriber: where it says how far it is; NULL: it is none */
    uint64_t tag;            /* subscriber: its mark in the row */
    quoit_atomic_u64 missed; /* subscriber: items that were gone before it came to them */
    uint32_t slowest;        /* producer: whose row held it back last */
    bool held;               /* subscriber, lossy: the next item is in this handle already */
    bool hurried;            /* it will look again at once: the dead can wait */
};

/* Private to a side of the handle of a queue of messages. */
struct quoit_bytes_side {
    uint64_t position; /* SPSC: bytes that this side is through with */
    uint64_t limit;    /* SPSC: bytes below this are known to be free, or filled */
    uint64_t wanted;   /* SPSC, producer: what a look for room is for */
    uint8_t *slot; /* SPSC: where the next message lies, or will; else a record that is claimed */
    uint64_t at_hand; /* bytes that a commit or a release may be about; 0: none are */
    uint64_t claimed; /* producer: bytes that the message may have */
};

/* Private to the producer's handle. next leads to `shut`, which is never empty, while a push must
   take the slow path: a wrong role, a forked child, a finished queue, another layout. */
struct quoit_ring_producer {
    uint8_t *next; /* the slot to fill */
    uint8_t *begin;
    uint8_t *end;
    uint64_t empty;
    struct quoit_ring_shm *shm;
    const quoit_atomic_u32 *waits; /* not 0: the consumer may have to be woken */
    /* From here on the slow path's alone. */
    uint8_t *slot;       /* next, while that is shut */
    uint64_t position;   /* spans: the tail */
    uint64_t limit;      /* spans: slots below this are known to be free */
    uint64_t item_bytes; /* spans: of an item, which a caller's type may not have */
    uint64_t claimed;    /* items that a commit may have, ... */
    uint64_t claim_at;   /* spans: as long as this is the position */
    quoit_atomic_u64 shut;
    struct quoit_mpmc_side mpmc;
    struct quoit_broadcast_side broadcast;
    struct quoit_bytes_side bytes;
};

/* Private to the consumer's handle, likewise; its `shut` is always empty. */
struct quoit_ring_consumer {
    uint8_t *next; /* the slot to take from */
    uint8_t *begin;
    uint8_t *end;
    uint64_t empty;
    struct quoit_ring_shm *shm;
    const quoit_atomic_u32 *waits; /* not 0: the producer may have to be woken */
    uint8_t *slot;
    uint64_t position;   /* spans: the head */
    uint64_t limit;      /* spans: slots below this are known to be filled */
    uint64_t item_bytes; /* spans: of an item, which a caller's type may not have */
    quoit_atomic_u64 shut;
    struct quoit_mpmc_side mpmc;
    struct quoit_broadcast_side broadcast;
    struct quoit_bytes_side bytes;
};

#endif
