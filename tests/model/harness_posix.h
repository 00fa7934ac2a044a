/* SPDX-License-Identifier: MIT */
/*
 * Compiles src/ring unchanged into a small program of two or three threads. It uses plain C11,
 * POSIX threads and assertions, and makes no system call in the code under test. A checker for C11
 * runs the round in main through all interleavings; started directly, the program runs
 * harness_rounds() of them.
 *
 * Threads are members. One may be a victim: once another thread has set its `killed`, it ends
 * before its next store or exchange, and everything that it holds stays as it is.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <assert.h>
#include <pthread.h>
#include <quoit/ring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef ROUNDS
#define ROUNDS 1
#endif

enum { MEMBERS = 4, CAPACITY = 2, ITEMS = 8 };

/* The number of rounds: a quarter of ROUNDS, unless QUOIT_TEST_EFFORT is full. */
static inline unsigned harness_rounds(void)
{
#if ROUNDS > 1
    const char *effort = getenv("QUOIT_TEST_EFFORT");
    return effort && strcmp(effort, "full") == 0 ? ROUNDS : ROUNDS / 4;
#else
    return 1;
#endif
}

static _Thread_local unsigned self;
static quoit_atomic_u32 killed[MEMBERS], has_crashed[MEMBERS];

/* If started directly: yields at random, so that threads meet at every step, although each of them
   is short. */
static inline void stagger(void)
{
#if ROUNDS > 1
    static quoit_atomic_u32 threads; /* a different sequence for each thread and each round */
    static _Thread_local unsigned random;
    if (random == 0)
        random = ++threads * 2654435761u;
    random = random * 1664525 + 1013904223 + (unsigned)(uintptr_t)&random;
    if ((random >> 16) % 3 == 0)
        (void)sched_yield();
#endif
}

/* Ends the thread if it was killed. Sets `dead` at once, as the kernel releases the locks of a
   killed process at its end. */
static inline void kill_point(void)
{
    stagger();
    if (killed[self]) {
        has_crashed[self] = 1;
        pthread_exit(NULL);
    }
}

/* Waits for a time that differs from round to round, so that the kill comes at any step. */
static inline void harness_tarry(unsigned round)
{
    for (volatile unsigned i = 0; i < round % 512; i++)
        ;
}

static bool is_alive(const void *context, uint32_t entry)
{
    (void)context;
    return !has_crashed[entry];
}

static inline void plain_store_64(quoit_atomic_u64 *at, uint64_t value, memory_order order)
{
    atomic_store_explicit(at, value, order);
}

static inline void plain_store_32(quoit_atomic_u32 *at, uint32_t value, memory_order order)
{
    atomic_store_explicit(at, value, order);
}

static inline void plain_store_8(quoit_atomic_u8 *at, uint8_t value, memory_order order)
{
    atomic_store_explicit(at, value, order);
}

static inline bool plain_exchange(quoit_atomic_u64 *at, uint64_t *expected, uint64_t desired,
                                  memory_order good, memory_order bad)
{
    return atomic_compare_exchange_strong_explicit(at, expected, desired, good, bad);
}

static inline uint64_t plain_or(quoit_atomic_u64 *at, uint64_t bits, memory_order order)
{
    return atomic_fetch_or_explicit(at, bits, order);
}

static inline uint64_t plain_and(quoit_atomic_u64 *at, uint64_t bits, memory_order order)
{
    return atomic_fetch_and_explicit(at, bits, order);
}

/* clang-format off */
#define plain_store(at)                     \
    _Generic((at),                          \
        quoit_atomic_u64 *: plain_store_64, \
        quoit_atomic_u32 *: plain_store_32, \
        quoit_atomic_u8 *: plain_store_8)
/* clang-format on */

/* src/ring changes shared memory only by these four. */
#undef atomic_store_explicit
#undef atomic_compare_exchange_strong_explicit
#define atomic_store_explicit(at, value, order) (kill_point(), plain_store(at)(at, value, order))
#define atomic_compare_exchange_strong_explicit(at, expected, desired, good, bad) \
    (kill_point(), plain_exchange(at, expected, desired, good, bad))
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#define atomic_fetch_or_explicit(at, bits, order)  (kill_point(), plain_or(at, bits, order))
#define atomic_fetch_and_explicit(at, bits, order) (kill_point(), plain_and(at, bits, order))

/* ---- The ring, in static memory -------------------------------------------------------------- */

#include "ring_ops.h"

static struct {
    struct quoit_ring_shm shm;
    struct quoit_claim_record_shm claim_records[MEMBERS];
    _Alignas(64) uint8_t slots[CAPACITY * 64];
    struct quoit_ring_view views[MEMBERS];
    struct quoit_ring_producer producers[MEMBERS];
    struct quoit_ring_consumer consumers[MEMBERS];
    struct quoit_ring_producer_state producer_states[MEMBERS];
    struct quoit_ring_consumer_state consumer_states[MEMBERS];
    /* The items that each member got; read when all threads have ended. */
    uint64_t got[MEMBERS][2 * ITEMS];
    unsigned got_count[MEMBERS];
    bool pushed[ITEMS + 1];
} ring;

static inline void harness_begin(const struct quoit_ring_ops *ops)
{
    memset(ring.got_count, 0, sizeof ring.got_count);
    memset(ring.pushed, 0, sizeof ring.pushed);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        killed[i] = 0;
        has_crashed[i] = 0;
        ring.producers[i].state = &ring.producer_states[i];
        ring.consumers[i].state = &ring.consumer_states[i];
        ring.views[i] = (struct quoit_ring_view){
            .ops = ops,
            .shm = &ring.shm,
            .slots = ring.slots,
            .capacity = CAPACITY,
            .item_bytes = 8,
            .stride = quoit_ring_stride(ops, 8, 8),
            .empty = 3, /* slots layout: an item of this value looks like an empty slot */
            .members = {.claim_records = ring.claim_records,
                        .count = MEMBERS,
                        .own = i,
                        .is_alive = is_alive}};
    }
    ops->init(&ring.views[0], 0);
}

static inline bool harness_push(unsigned member, uint64_t item)
{
    const struct quoit_ring_view *view = &ring.views[member];
    if (view->ops->push(&ring.producers[member], view, &item, view->item_bytes) != QUOIT_OK)
        return false;
    ring.pushed[item] = true;
    return true;
}

static inline bool harness_pop(unsigned member)
{
    const struct quoit_ring_view *view = &ring.views[member];
    uint64_t item = 0;
    if (view->ops->pop(&ring.consumers[member], view, &item, &(uint64_t){view->item_bytes}) !=
        QUOIT_OK)
        return false;
    assert(item >= 1 && item <= ITEMS);
    ring.got[member][ring.got_count[member]++] = item;
    return true;
}

static inline void harness_attach(unsigned member)
{
    const struct quoit_ring_view *view = &ring.views[member];
    self = member;
    quoit_status status = view->ops->attach_producer(&ring.producers[member], view);
    assert(status == QUOIT_OK);
    status = view->ops->attach_consumer(&ring.consumers[member], view);
    assert(status == QUOIT_OK);
    (void)status;
}

/* If started directly: threads begin at the same time, although starting a thread takes longer than
   its work. */
static quoit_atomic_u32 harness_missing;
static inline void harness_meet(void)
{
#if ROUNDS > 1
    harness_missing--;
    while (harness_missing > 0)
        (void)sched_yield();
#endif
}

/* Starts the threads, and waits for their end. */
static inline void harness_run(void *(*const *threads)(void *), unsigned count)
{
    pthread_t ids[MEMBERS];
    harness_missing = count;
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&ids[i], NULL, threads[i], NULL) != 0)
            abort();
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(ids[i], NULL);
}

/* Afterwards, by a member that joins now: pops the items that are left, and finds the whole
   capacity free. Each pushed item came once; at most may_lack of them may be missing, taken by
   killed members. */
static inline void harness_settle(unsigned member, unsigned may_lack)
{
    unsigned came[ITEMS + 1] = {0}, missing = 0;
    uint64_t room = 0, item = ITEMS;
    harness_attach(member);
    while (harness_pop(member))
        ;
    for (unsigned i = 0; i < MEMBERS; i++)
        for (unsigned j = 0; j < ring.got_count[i]; j++)
            came[ring.got[i][j]]++;
    for (unsigned i = 1; i <= ITEMS; i++) {
        assert(came[i] <= 1);
        missing += ring.pushed[i] && came[i] == 0;
    }
    assert(missing <= may_lack);
    while (ring.views[member].ops->push(&ring.producers[member], &ring.views[member], &item,
                                        ring.views[member].item_bytes) == QUOIT_OK)
        room++;
    assert(room == CAPACITY || ring.views[member].ops->is_finished(&ring.views[member]));
    assert(ring.views[member].ops->check(&ring.views[member]) == QUOIT_OK);
    (void)missing;
    (void)may_lack;
}

/* Checks that the items that one member got from one producer, which are numbered first to last,
   are in order. */
static inline void harness_in_order(unsigned member, uint64_t first, uint64_t last)
{
    uint64_t before = 0;
    for (unsigned i = 0; i < ring.got_count[member]; i++) {
        uint64_t item = ring.got[member][i];
        if (item < first || item > last)
            continue;
        assert(item > before);
        before = item;
    }
    (void)before;
}

#endif
