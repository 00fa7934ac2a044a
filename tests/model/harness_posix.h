/* SPDX-License-Identifier: MIT */
/*
 * src/ring as it is, compiled into a small program of two or three threads: plain C11, POSIX
 * threads and assertions, no system call in what is tried. A checker for C11 runs the round in main
 * through all interleavings; by itself it runs harness_rounds() of them.
 *
 * Threads are members. One may be a victim: from the moment when another thread says so it ends
 * before its next store or exchange, and what it holds stays as it is.
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

/* A quarter of the rounds, unless QUOIT_TEST_EFFORT is full. */
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
static quoit_atomic_u32 killed[MEMBERS], dead[MEMBERS];

/* By itself: threads meet at every step, though each is over soon. */
static inline void stagger(void)
{
#if ROUNDS > 1
    static quoit_atomic_u32 threads; /* each goes its own way, in each round another */
    static _Thread_local unsigned random;
    if (random == 0)
        random = ++threads * 2654435761u;
    random = random * 1664525 + 1013904223 + (unsigned)(uintptr_t)&random;
    if ((random >> 16) % 3 == 0)
        (void)sched_yield();
#endif
}

/* The kernel lets go of what the dead held in the moment of death. */
static inline void kill_point(void)
{
    stagger();
    if (killed[self]) {
        dead[self] = 1;
        pthread_exit(NULL);
    }
}

/* By itself, a while that differs from round to round: the killer comes at every time. */
static inline void harness_tarry(unsigned round)
{
    for (volatile unsigned i = 0; i < round % 512; i++)
        ;
}

static bool is_alive(const void *context, uint32_t row)
{
    (void)context;
    return !dead[row];
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

/* In src/ring only these four change what is shared. */
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
    struct quoit_claims_shm claims[MEMBERS];
    _Alignas(64) uint8_t slots[CAPACITY * 64];
    struct quoit_ring_place places[MEMBERS];
    struct quoit_ring_producer producers[MEMBERS];
    struct quoit_ring_consumer consumers[MEMBERS];
    struct quoit_ring_producer_state producer_states[MEMBERS];
    struct quoit_ring_consumer_state consumer_states[MEMBERS];
    /* Filled by whoever gets an item; read when all threads have ended. */
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
        dead[i] = 0;
        ring.producers[i].state = &ring.producer_states[i];
        ring.consumers[i].state = &ring.consumer_states[i];
        ring.places[i] = (struct quoit_ring_place){
            .ops = ops,
            .shm = &ring.shm,
            .slots = ring.slots,
            .capacity = CAPACITY,
            .item_bytes = 8,
            .stride = quoit_ring_stride(ops, 8, 8),
            .empty = 3, /* slots: that item looks like none */
            .members = {.claims = ring.claims, .count = MEMBERS, .own = i, .is_alive = is_alive}};
    }
    ops->init(&ring.places[0], 0);
}

static inline bool harness_push(unsigned member, uint64_t item)
{
    const struct quoit_ring_place *place = &ring.places[member];
    if (place->ops->push(&ring.producers[member], place, &item, place->item_bytes) != QUOIT_OK)
        return false;
    ring.pushed[item] = true;
    return true;
}

static inline bool harness_pop(unsigned member)
{
    const struct quoit_ring_place *place = &ring.places[member];
    uint64_t item = 0;
    if (place->ops->pop(&ring.consumers[member], place, &item, &(uint64_t){place->item_bytes}) !=
        QUOIT_OK)
        return false;
    assert(item >= 1 && item <= ITEMS);
    ring.got[member][ring.got_count[member]++] = item;
    return true;
}

static inline void harness_attach(unsigned member)
{
    const struct quoit_ring_place *place = &ring.places[member];
    self = member;
    quoit_status status = place->ops->attach_producer(&ring.producers[member], place);
    assert(status == QUOIT_OK);
    status = place->ops->attach_consumer(&ring.consumers[member], place);
    assert(status == QUOIT_OK);
    (void)status;
}

/* By itself: threads begin at once, though starting one takes longer than what it does. */
static quoit_atomic_u32 harness_missing;
static inline void harness_meet(void)
{
#if ROUNDS > 1
    harness_missing--;
    while (harness_missing > 0)
        (void)sched_yield();
#endif
}

/* Starts them, waits for their end. */
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

/* Afterwards, by a member that comes now: takes what is there, and finds all of the capacity. Each
   item that was pushed came once; may_lack of them may have gone with the dead. */
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
    while (ring.places[member].ops->push(&ring.producers[member], &ring.places[member], &item,
                                         ring.places[member].item_bytes) == QUOIT_OK)
        room++;
    assert(room == CAPACITY || ring.places[member].ops->is_finished(&ring.places[member]));
    assert(ring.places[member].ops->check(&ring.places[member]) == QUOIT_OK);
    (void)missing;
    (void)may_lack;
}

/* What one member got of one producer's items, which are numbered first to last, is in order. */
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
