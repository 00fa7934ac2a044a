/* SPDX-License-Identifier: MIT */
/* The SPSC ring's slow half. Ordering labels: docs/ORDERING.md. */
#include "spsc_ring.h"

#include "arithmetic.h"
#include "fail.h"

bool quoit_spsc_slots(uint64_t capacity, uint64_t *slots_out)
{
    return quoit_round_to_power_of_two(capacity, slots_out);
}

void quoit_spsc_init(struct quoit_spsc_shm *shm, uint64_t start)
{
    /* Relaxed: nobody else sees the ring yet; publishing the region orders these. */
    atomic_store_explicit(&shm->tail, start, memory_order_relaxed);
    /* Relaxed: as above. */
    atomic_store_explicit(&shm->head, start, memory_order_relaxed);
    /* Relaxed: as above. */
    atomic_store_explicit(&shm->finished, 0, memory_order_relaxed);
}

static quoit_status counters_apart(uint64_t tail, uint64_t head, uint64_t capacity)
{
    return quoit_fail(
        QUOIT_CORRUPT, "the ring's counters cannot be right: tail %llu, head %llu, capacity %llu",
        (unsigned long long)tail, (unsigned long long)head, (unsigned long long)capacity);
}

static uint64_t load_head(struct quoit_spsc_shm *shm)
{
    /* SPSC-P2: having seen this head, slots below it are ours to fill. Pairs with SPSC-C2. */
    return atomic_load_explicit(&shm->head, memory_order_acquire);
}

static uint64_t load_tail(struct quoit_spsc_shm *shm)
{
    /* SPSC-C1: having seen this tail, slots below it are ours to read. Pairs with SPSC-P1. */
    return atomic_load_explicit(&shm->tail, memory_order_acquire);
}

static bool is_finished(struct quoit_spsc_shm *shm)
{
    /* SPSC-C3: having seen the end, a tail loaded after it is the last. Pairs with SPSC-P3. */
    return atomic_load_explicit(&shm->finished, memory_order_acquire) != 0;
}

quoit_status quoit_spsc_producer_attach(struct quoit_spsc_producer *producer,
                                        const struct quoit_spsc_place *place)
{
    uint64_t slots = 0;
    if (!quoit_spsc_slots(place->capacity, &slots))
        return quoit_fail(QUOIT_OVERFLOW, "capacity %llu is too large",
                          (unsigned long long)place->capacity);
    uint64_t head = load_head(place->shm);
    uint64_t tail = load_tail(place->shm); /* a dead producer's: ours from here */
    if (tail - head > place->capacity)
        return counters_apart(tail, head, place->capacity);

    *producer = (struct quoit_spsc_producer){
        .slots = place->slots,
        .mask = slots - 1,
        .tail = tail,
        .limit = tail,
        .shm = place->shm,
        .capacity = place->capacity,
    };
    return QUOIT_OK;
}

quoit_status quoit_spsc_consumer_attach(struct quoit_spsc_consumer *consumer,
                                        const struct quoit_spsc_place *place)
{
    uint64_t slots = 0;
    if (!quoit_spsc_slots(place->capacity, &slots))
        return quoit_fail(QUOIT_OVERFLOW, "capacity %llu is too large",
                          (unsigned long long)place->capacity);
    uint64_t head = load_head(place->shm); /* a dead consumer's: ours from here */
    uint64_t tail = load_tail(place->shm);
    if (tail - head > place->capacity)
        return counters_apart(tail, head, place->capacity);

    *consumer = (struct quoit_spsc_consumer){
        .slots = place->slots,
        .mask = slots - 1,
        .head = head,
        .limit = head,
        .shm = place->shm,
        .capacity = place->capacity,
    };
    return QUOIT_OK;
}

quoit_status quoit_spsc_producer_refill(struct quoit_spsc_producer *producer)
{
    if (is_finished(producer->shm))
        return QUOIT_CLOSED;
    uint64_t head = load_head(producer->shm);
    if (producer->tail - head > producer->capacity)
        return counters_apart(producer->tail, head, producer->capacity);
    producer->limit = head + producer->capacity;
    return producer->tail == producer->limit ? QUOIT_FULL : QUOIT_OK;
}

quoit_status quoit_spsc_consumer_refill(struct quoit_spsc_consumer *consumer)
{
    uint64_t tail = load_tail(consumer->shm);
    bool finished = false;
    if (tail == consumer->head) {
        finished = is_finished(consumer->shm);
        tail = load_tail(consumer->shm); /* the end may have come after more items */
    }
    if (tail - consumer->head > consumer->capacity)
        return counters_apart(tail, consumer->head, consumer->capacity);
    consumer->limit = tail;
    if (tail != consumer->head)
        return QUOIT_OK;
    return finished ? QUOIT_CLOSED : QUOIT_EMPTY;
}

void quoit_spsc_producer_shut(struct quoit_spsc_producer *producer)
{
    producer->limit = producer->tail;
}

void quoit_spsc_consumer_shut(struct quoit_spsc_consumer *consumer)
{
    consumer->limit = consumer->head;
}

void quoit_spsc_finish(struct quoit_spsc_shm *shm)
{
    /* SPSC-P3: every push came before. Pairs with SPSC-C3. */
    atomic_store_explicit(&shm->finished, 1, memory_order_release);
}

void quoit_spsc_count(const struct quoit_spsc_place *place, struct quoit_spsc_counts *counts_out)
{
    uint64_t head = load_head(place->shm); /* before the tail, so that the size is not negative */
    uint64_t tail = load_tail(place->shm);
    uint64_t size = tail - head;
    *counts_out = (struct quoit_spsc_counts){
        .pushed = tail,
        .popped = head,
        .size = size < place->capacity ? size : place->capacity,
        .finished = is_finished(place->shm),
    };
}

quoit_status quoit_spsc_check(const struct quoit_spsc_place *place)
{
    /* Both sides may run meanwhile: the head was somewhere between these two when the tail was
       read. */
    uint64_t head_before = load_head(place->shm);
    uint64_t tail = load_tail(place->shm);
    uint64_t head_after = load_head(place->shm);
    bool behind = tail - head_before > INT64_MAX;
    bool beyond = tail - head_after <= INT64_MAX && tail - head_after > place->capacity;
    if (behind || beyond)
        return counters_apart(tail, head_after, place->capacity);
    /* SPSC-C3: any value but 0 and 1 was never stored. Pairs with SPSC-P3. */
    uint64_t finished = atomic_load_explicit(&place->shm->finished, memory_order_acquire);
    if (finished > 1)
        return quoit_fail(QUOIT_CORRUPT, "the ring's end mark is %llu, neither 0 nor 1",
                          (unsigned long long)finished);
    return QUOIT_OK;
}
