/* SPDX-License-Identifier: MIT */
/* The MPMC ring as a whole: its first state, snapshots, its table. How it works is in mpmc.h,
   ordering labels in docs/ORDERING.md. */
#include "mpmc.h"

#include "fail.h"

static void init(const struct quoit_ring_place *place, uint64_t start)
{
    quoit_ring_init_counters(place->shm, start);
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, start);
    for (uint64_t i = 0; i < place->capacity; i++, quoit_mpmc_step(&geometry, &spot))
        /* Relaxed: no other process sees the ring yet; publishing the region orders it. */
        atomic_store_explicit(quoit_mpmc_word(spot.slot), spot.lap, memory_order_relaxed);
    for (uint32_t i = 0; i < place->members.count; i++) {
        quoit_mpmc_say(&place->members.claims[i].pushing, 0, 0, 0);
        quoit_mpmc_say(&place->members.claims[i].popping, 0, 0, 0);
    }
}

/* Leaves an item that is peeked at to the other consumers, as if this one had crashed. The same
   holds for an item of a pop that a signal handler left by longjmp. */
static void detach(struct quoit_ring_producer *producer, struct quoit_ring_consumer *consumer,
                   const struct quoit_ring_place *place)
{
    quoit_mpmc_give_up(&producer->state->mpmc);
    if (producer->state->mpmc.claim)
        quoit_mpmc_say(producer->state->mpmc.claim, 0, 0, 0);
    if (consumer->state->mpmc.claim)
        quoit_mpmc_say(consumer->state->mpmc.claim, 0, 0, 0);
    if (consumer->state->mpmc.claim)
        quoit_mpmc_tell_of_orphan(place);
}

static bool is_finished(const struct quoit_ring_place *place)
{
    return (quoit_mpmc_tail(place) & QUOIT_MPMC_FINISHED) != 0;
}

/* Finished, and no item is left, not even one that another consumer gets if its reader crashes. */
static bool is_over(const struct quoit_ring_place *place)
{
    uint64_t tail = quoit_mpmc_tail(place), head = quoit_mpmc_head(place);
    /* Relaxed: says where to begin to look, and is checked before. */
    uint64_t from = atomic_load_explicit(&place->shm->reclaimed_below, memory_order_relaxed);
    if (!(tail & QUOIT_MPMC_FINISHED) || quoit_mpmc_position(tail) != head)
        return false;
    struct quoit_mpmc_taken taken = quoit_mpmc_find_taken(place, &from, head);
    return !taken.orphan && taken.being_read == 0;
}

static uint64_t size(const struct quoit_ring_place *place)
{
    uint64_t head = quoit_mpmc_head(place); /* before the tail: the size is not negative */
    uint64_t items = quoit_mpmc_position(quoit_mpmc_tail(place)) - head;
    return items < place->capacity ? items : place->capacity;
}

static bool has_items(const struct quoit_ring_place *place)
{
    uint64_t head = quoit_mpmc_head(place);
    /* Relaxed: says where to begin to look, and is checked before. */
    uint64_t from = atomic_load_explicit(&place->shm->reclaimed_below, memory_order_relaxed);
    struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, head);
    uint64_t word = quoit_mpmc_load(spot.slot);
    if (word == (spot.lap | QUOIT_MPMC_FULL) || quoit_mpmc_is_later(word, spot.lap))
        return true;
    bool claimed = word == spot.lap && quoit_mpmc_position(quoit_mpmc_tail(place)) != head;
    if (claimed && !quoit_mpmc_is_owned(place, true, head, 0))
        return true; /* what a pop will find behind it */
    return quoit_mpmc_find_taken(place, &from, head).orphan;
}

static bool has_room(const struct quoit_ring_place *place)
{
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(place));
    struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, tail);
    uint64_t word = quoit_mpmc_load(spot.slot);
    if (word == spot.lap)
        return true;
    if (word != spot.lap - QUOIT_MPMC_LAP ||
        quoit_mpmc_is_owned(place, true, tail - place->capacity, 0))
        return false;
    uint64_t now = quoit_mpmc_load(spot.slot); /* its owner may have committed since */
    return now == word || now == spot.lap;
}

/* An item that is in the ring shows in its slot, whatever the counters are, also while a consumer
   reads it. */
static bool contains(const struct quoit_ring_place *place, uint64_t item)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, 0);
    for (uint64_t i = 0; i < place->capacity; i++, quoit_mpmc_step(&geometry, &spot))
        if (quoit_mpmc_load(spot.slot) & QUOIT_MPMC_FULL &&
            quoit_ring_item(spot.slot + QUOIT_MPMC_WORD_BYTES) == item)
            return true;
    return false;
}

/* Checks that the slot of a position is not ahead of the tail. A slot makes two steps for each
   position: to an item, and on to the next lap. */
static quoit_status check_slot(const struct quoit_ring_place *place, uint64_t position)
{
    struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, position);
    uint64_t word = quoit_mpmc_load(spot.slot);
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(place)); /* since then */
    int64_t laps = (int64_t)(quoit_mpmc_lap_of(word) - spot.lap) / (int64_t)QUOIT_MPMC_LAP;
    int64_t steps = laps * 2 + (int64_t)(word & QUOIT_MPMC_FULL);
    uint64_t most = tail - position - 1 > INT64_MAX
                        ? 0
                        : ((tail - position - 1) / place->capacity + 1) * 2;
    bool is_word = (word & 0xfe) == 0 &&
                   (word & QUOIT_MPMC_FULL || quoit_mpmc_generation(word) == 0);
    if (is_word && steps >= -2 && (steps <= 0 || (uint64_t)steps <= most))
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "slot %llu of the ring has a word that nobody wrote: 0x%016llx",
                      (unsigned long long)(position % place->capacity), (unsigned long long)word);
}

static quoit_status check(const struct quoit_ring_place *place)
{
    uint64_t head = quoit_mpmc_head(place);
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(place));
    if (tail - head > INT64_MAX)
        return quoit_ring_counters_apart(tail, head, place->capacity);
    quoit_status status = QUOIT_OK;
    for (uint64_t i = 0; i < place->capacity && status == QUOIT_OK; i++)
        status = check_slot(place, tail + i);
    return status;
}

static uint64_t pushes(const struct quoit_ring_producer *producer,
                       const struct quoit_ring_place *place)
{
    (void)place;
    return producer->state->mpmc.position;
}

static uint64_t pops(const struct quoit_ring_consumer *consumer,
                     const struct quoit_ring_place *place)
{
    (void)place;
    return consumer->state->mpmc.position;
}

static bool has_freed(struct quoit_ring_consumer *consumer)
{
    bool freed = consumer->state->mpmc.freed;
    consumer->state->mpmc.freed = false;
    return freed;
}

/* What items and messages share. */
/* clang-format off */
#define MPMC                                      \
    .header_bytes = QUOIT_MPMC_WORD_BYTES,        \
    .unit_bytes = 8,                              \
    .many_producers = true,                       \
    .many_consumers = true,                       \
    .init = init,                                 \
    .attach_producer = quoit_mpmc_attach_producer,\
    .attach_consumer = quoit_mpmc_attach_consumer,\
    .detach = detach,                             \
    .look_for_room = quoit_mpmc_look_for_room,    \
    .look_for_items = quoit_mpmc_look_for_items,  \
    .release = quoit_mpmc_release,                \
    .end = quoit_mpmc_end,                        \
    .pushes = pushes,                             \
    .pops = pops,                                 \
    .has_freed = has_freed,                       \
    .is_finished = is_finished,                   \
    .is_over = is_over,                           \
    .size = size,                                 \
    .totals = quoit_ring_totals,                  \
    .has_items = has_items,                       \
    .has_room = has_room,                         \
    .look = quoit_look_mpmc,                      \
    .holds_up = quoit_mpmc_holds_up,              \
    .repair = quoit_mpmc_repair,                  \
    .check = check
/* clang-format on */

const struct quoit_ring_ops quoit_mpmc = {
    MPMC,
    .push = quoit_mpmc_push,
    .pop = quoit_mpmc_pop,
    .push_many = quoit_mpmc_push_many,
    .pop_many = quoit_mpmc_pop_many,
    .claim = quoit_mpmc_claim,
    .commit = quoit_mpmc_commit,
    .peek = quoit_mpmc_peek,
    .contains = contains,
};

const struct quoit_ring_ops quoit_mpmc_messages = {
    MPMC,
    QUOIT_RECORDS_OF(quoit_mpmc),
};
