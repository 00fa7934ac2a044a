/* SPDX-License-Identifier: MIT */
/*
 * The hot path of the single-producer single-consumer ring, inlined into callers. Not an API of its
 * own: include <quoit.h> and call quoit_queue_… . What is slow (attach, refill, check) lives in
 * src/ring/spsc.c; why each memory order is enough stands in docs/ORDERING.md.
 *
 * Counters run freely and never wrap in practice; tail - head is the number of items queued. Each
 * side keeps its own counter, and how far it may go before it must look at the other side's, in
 * private memory, so that a push or a pop touches one shared line beside the slot: the one that it
 * publishes in.
 */
#ifndef QUOIT_SPSC_H
#define QUOIT_SPSC_H

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#include <atomic>
typedef std::atomic<uint64_t> quoit_atomic_u64;
using std::atomic_store_explicit;
using std::memory_order_release;
#else
#include <stdatomic.h>
typedef _Atomic uint64_t quoit_atomic_u64;
#endif

/* Shared (FORMAT.md 4). 128 bytes apart, since processors fetch lines in pairs. */
struct quoit_spsc_shm {
    quoit_atomic_u64 tail;     /*   0  producer  items ever pushed                   */
    quoit_atomic_u64 finished; /*   8  producer  0, then 1: no push will follow      */
    uint8_t pad1[112];
    quoit_atomic_u64 head; /* 128  consumer  items ever popped                   */
    uint8_t pad2[120];
};

/* Private to the producer's handle. tail == limit means: take the slow path (full, or not known to
   have room; also closed, forked, or not a producer at all, which therefore cost the fast path
   nothing). */
struct quoit_spsc_producer {
    uint8_t *slots;
    uint64_t mask;  /* slots - 1, slots a power of two */
    uint64_t tail;  /* the next slot to fill */
    uint64_t limit; /* slots below this are known to be free */
    struct quoit_spsc_shm *shm;
    uint64_t capacity;
};

/* Private to the consumer's handle; head == limit likewise. */
struct quoit_spsc_consumer {
    const uint8_t *slots;
    uint64_t mask;
    uint64_t head;  /* the next slot to take */
    uint64_t limit; /* slots below this are known to be filled */
    struct quoit_spsc_shm *shm;
    uint64_t capacity;
};

/* Copies one item in and publishes it. Needs tail != limit. */
static inline void quoit_spsc_put(struct quoit_spsc_producer *producer, const void *item,
                                  uint64_t item_bytes)
{
    uint64_t tail = producer->tail;
    struct quoit_spsc_shm *shm = producer->shm;

    memcpy(producer->slots + (tail & producer->mask) * item_bytes, item, (size_t)item_bytes);
    producer->tail = tail + 1;
    /* SPSC-P1: publishes the slot's bytes. Pairs with SPSC-C1. */
    atomic_store_explicit(&shm->tail, tail + 1, memory_order_release);
}

/* Copies one item out and gives its slot back. Needs head != limit. */
static inline void quoit_spsc_take(struct quoit_spsc_consumer *consumer, void *item_out,
                                   uint64_t item_bytes)
{
    uint64_t head = consumer->head;
    struct quoit_spsc_shm *shm = consumer->shm;

    memcpy(item_out, consumer->slots + (head & consumer->mask) * item_bytes, (size_t)item_bytes);
    consumer->head = head + 1;
    /* SPSC-C2: the slot's bytes are read, it may be filled again. Pairs with SPSC-P2. */
    atomic_store_explicit(&shm->head, head + 1, memory_order_release);
}

/* Copies count items in, at most limit - tail, and publishes them at once. */
static inline void quoit_spsc_put_many(struct quoit_spsc_producer *producer, const void *items,
                                       uint64_t count, uint64_t item_bytes)
{
    uint64_t index = producer->tail & producer->mask;
    uint64_t to_end = producer->mask + 1 - index;
    uint64_t first = count < to_end ? count : to_end;
    const uint8_t *bytes = (const uint8_t *)items;

    memcpy(producer->slots + index * item_bytes, bytes, (size_t)(first * item_bytes));
    memcpy(producer->slots, bytes + first * item_bytes, (size_t)((count - first) * item_bytes));
    producer->tail += count;
    /* SPSC-P1: publishes all these slots' bytes. Pairs with SPSC-C1. */
    atomic_store_explicit(&producer->shm->tail, producer->tail, memory_order_release);
}

/* Gives count slots back, at most limit - head, after their bytes have been read. */
static inline void quoit_spsc_release(struct quoit_spsc_consumer *consumer, uint64_t count)
{
    consumer->head += count;
    /* SPSC-C2: the slots' bytes are read, they may be filled again. Pairs with SPSC-P2. */
    atomic_store_explicit(&consumer->shm->head, consumer->head, memory_order_release);
}

/* Copies count items out, at most limit - head, and gives their slots back at once. */
static inline void quoit_spsc_take_many(struct quoit_spsc_consumer *consumer, void *items_out,
                                        uint64_t count, uint64_t item_bytes)
{
    uint64_t index = consumer->head & consumer->mask;
    uint64_t to_end = consumer->mask + 1 - index;
    uint64_t first = count < to_end ? count : to_end;
    uint8_t *bytes = (uint8_t *)items_out;

    memcpy(bytes, consumer->slots + index * item_bytes, (size_t)(first * item_bytes));
    memcpy(bytes + first * item_bytes, consumer->slots, (size_t)((count - first) * item_bytes));
    quoit_spsc_release(consumer, count);
}

#endif
