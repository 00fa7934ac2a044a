/* SPDX-License-Identifier: MIT */
/*
 * The part of a handle that the inlined calls use, for either side of a ring. Not an API: include
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
using std::atomic_signal_fence;
using std::atomic_store_explicit;
using std::atomic_thread_fence;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;
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

/* The private state of a side, which inlined calls do not touch. */
struct quoit_ring_producer_state;
struct quoit_ring_consumer_state;

/* Private to the producer's handle: two cache lines, of which the inlined calls touch the first.
   `next` points to `disabled`, which is never empty, while a push must take the slow path: wrong
   role, forked child, finished queue, another layout. */
struct quoit_ring_producer {
    uint8_t *next; /* the slot to fill */
    uint8_t *begin;
    uint8_t *end;
    uint64_t empty;
    quoit_atomic_u64 *tail;              /* shared: items pushed, or being pushed */
    const quoit_atomic_u32 *wake_needed; /* not 0: the consumer may have to be woken */
    uint8_t *slot;                       /* the next slot while next points to disabled */
    uint64_t position;                   /* spans: the tail */
    uint64_t limit;                      /* spans: slots below this are known to be free */
    uint64_t item_bytes;                 /* of an item; 0: each call must be checked in full */
    quoit_atomic_u64 disabled;
    struct quoit_ring_producer_state *state;
};

/* The same for the consumer's handle; its `disabled` is always empty. */
struct quoit_ring_consumer {
    uint8_t *next; /* the slot to take from */
    uint8_t *begin;
    uint8_t *end;
    uint64_t empty;
    quoit_atomic_u64 *head;              /* shared: items popped, or being given back */
    const quoit_atomic_u32 *wake_needed; /* not 0: the producer may have to be woken */
    uint8_t *slot;
    uint64_t position;   /* spans: the head */
    uint64_t limit;      /* spans: slots below this are known to be filled */
    uint64_t item_bytes; /* of an item; 0: each call must be checked in full */
    quoit_atomic_u64 disabled;
    struct quoit_ring_consumer_state *state;
};

#endif
