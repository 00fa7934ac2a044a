/* SPDX-License-Identifier: MIT */
/*
 * What a handle keeps of either side of a ring for the inlined calls. Not an API: include
 * <quoit/typed.h>.
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

/* What the library keeps of a side, and inlined calls do not touch. */
struct quoit_ring_producer_state;
struct quoit_ring_consumer_state;

/* Private to the producer's handle: two cache lines, of which the inlined calls touch the first.
   next leads to `shut`, which is never empty, while a push must take the slow path: a wrong role, a
   forked child, a finished queue, another layout. */
struct quoit_ring_producer {
    uint8_t *next; /* the slot to fill */
    uint8_t *begin;
    uint8_t *end;
    uint64_t empty;
    quoit_atomic_u64 *tail;        /* shared: items pushed, or being pushed */
    const quoit_atomic_u32 *waits; /* not 0: the consumer may have to be woken */
    uint8_t *slot;                 /* next, while that is shut */
    uint64_t position;             /* spans: the tail */
    uint64_t limit;                /* spans: slots below this are known to be free */
    uint64_t item_bytes;           /* of an item; 0 where each call has to be checked in full */
    quoit_atomic_u64 shut;
    struct quoit_ring_producer_state *state;
};

/* Private to the consumer's handle, likewise; its `shut` is always empty. */
struct quoit_ring_consumer {
    uint8_t *next; /* the slot to take from */
    uint8_t *begin;
    uint8_t *end;
    uint64_t empty;
    quoit_atomic_u64 *head;        /* shared: items popped, or being given back */
    const quoit_atomic_u32 *waits; /* not 0: the producer may have to be woken */
    uint8_t *slot;
    uint64_t position;   /* spans: the head */
    uint64_t limit;      /* spans: slots below this are known to be filled */
    uint64_t item_bytes; /* of an item; 0 where each call has to be checked in full */
    quoit_atomic_u64 shut;
    struct quoit_ring_consumer_state *state;
};

#endif
