/* SPDX-License-Identifier: MIT */
/* The producer of a lossless broadcast ring: how far it may go, and how it pushes. How the ring
   works is in broadcast.h, ordering labels in docs/ORDERING.md. */
#include "broadcast.h"

#include "relax.h"

/* ---- Taking over ----------------------------------------------------------------------------- */

/* Finds the tail. The last producer may have committed items and crashed before it counted them;
   their words show them. */
static uint64_t find_tail(const struct quoit_ring_place *place)
{
    uint64_t tail = quoit_broadcast_tail(place);
    uint8_t *slot = quoit_broadcast_slot(place, tail);
    for (uint64_t i = 0; i < place->capacity; i++, tail++) {
        if (quoit_broadcast_load(slot) != quoit_broadcast_whole(tail))
            break;
        slot = quoit_broadcast_next(place, slot);
    }
    quoit_broadcast_set_tail(place->shm, tail);
    return tail;
}

quoit_status quoit_broadcast_attach_producer(struct quoit_ring_producer *producer,
                                             const struct quoit_ring_place *place)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    uint64_t tail = find_tail(place);
    /* Relaxed: only producers write it, and the kernel has reported that the last one left. */
    uint64_t floor = atomic_load_explicit(&place->shm->retained_from, memory_order_relaxed);
    if (!place->ops->drops_oldest && tail - floor > place->capacity)
        return quoit_ring_counters_apart(tail, floor, place->capacity);
    quoit_ring_producer_begin(producer, place, tail);
    side->position = tail;
    side->slot = quoit_broadcast_slot(place, tail);
    side->limit = tail;
    side->retained_from = floor;
    /* The row may still name a crashed subscriber, which had it before. This member may be none. */
    quoit_broadcast_say(&place->members.claims[place->members.own].subscriber, tail,
                        quoit_broadcast_load_row(place, place->members.own) & QUOIT_BROADCAST_TAG &
                            ~QUOIT_BROADCAST_THERE);
    return QUOIT_OK;
}

/* How many positions may be filled before the subscribers' positions must be read again. */
static uint64_t room_of(const struct quoit_broadcast_producer *side,
                        const struct quoit_ring_place *place)
{
    return quoit_ring_span(side->limit, side->position, place->capacity);
}

/* ---- The limit ------------------------------------------------------------------------------- */

struct laggard {
    uint64_t lag; /* 0: no subscriber is behind */
    uint64_t word;
    uint32_t row;
};

static struct laggard find_slowest(const struct quoit_ring_place *place, uint64_t position)
{
    struct laggard slowest = {.lag = 0};
    uint32_t rows = quoit_broadcast_rows(place);
    for (uint32_t row = 0; row < rows && slowest.lag < place->capacity; row++) {
        uint64_t word = quoit_broadcast_load_row(place, row);
        if (!quoit_broadcast_counts(place, word, position))
            continue;
        uint64_t lag = (uint64_t)quoit_broadcast_lag(word, position);
        if (lag > slowest.lag)
            slowest = (struct laggard){.lag = lag, .word = word, .row = row};
    }
    return slowest;
}

/* The subscriber that blocked the producer last usually still does. Then no other row is read. */
static struct laggard find_blocker(struct quoit_broadcast_producer *side,
                                   const struct quoit_ring_place *place)
{
    uint64_t word = quoit_broadcast_load_row(place, side->slowest);
    if (quoit_broadcast_counts(place, word, side->position) &&
        (uint64_t)quoit_broadcast_lag(word, side->position) == place->capacity)
        return (struct laggard){.lag = place->capacity, .word = word, .row = side->slowest};
    struct laggard slowest = find_slowest(place, side->position);
    side->slowest = slowest.row;
    return slowest;
}

static bool lives(const struct quoit_ring_place *place, uint32_t row)
{
    return row == place->members.own || place->members.is_alive(place->members.context, row);
}

/* Does the row stay as it is? Reads it a few times more: usually the subscriber is alive, and
   asking the kernel costs more. */
static bool stays(const struct quoit_ring_place *place, const struct laggard *laggard)
{
    for (int looks = 0; looks < 8; looks++) {
        quoit_relax();
        if (quoit_broadcast_load_row(place, laggard->row) != laggard->word)
            return false;
    }
    return true;
}

/* Removes a crashed subscriber, so that no push waits for it again. If a new member has the row by
   now, its tag differs, and the exchange fails. */
static void drop(const struct quoit_ring_place *place, const struct laggard *gone)
{
    uint64_t word = gone->word;
    /* CAST-P4: the row has no subscriber; the kernel has reported that no process reads for it.
       Pairs with CAST-S4. */
    if (atomic_compare_exchange_strong_explicit(&place->members.claims[gone->row].subscriber, &word,
                                                word & ~QUOIT_BROADCAST_THERE, memory_order_acq_rel,
                                                memory_order_acquire))
        quoit_ring_count_repair(place);
}

/* Publishes that items below are not kept from now on. Never below side->retained_from, which is
   the last producer's floor, or a later one. */
static void set_floor(struct quoit_broadcast_producer *side, const struct quoit_ring_place *place,
                      uint64_t floor)
{
    if ((int64_t)(floor - side->retained_from) < 0)
        floor = side->retained_from;
    /* CAST-P5: where subscribers may begin. Pairs with CAST-S5 and LOOK-S1. */
    atomic_store_explicit(&place->shm->retained_from, floor, memory_order_release);
}

/*
 * Moves the limit on by `room`, which the slowest subscriber leaves, but by at most a quarter of
 * the ring: a subscriber that joins and begins with the oldest item finds the other three quarters.
 * false: a subscriber has joined meanwhile that leaves no room.
 */
static bool raise_limit(struct quoit_broadcast_producer *side, const struct quoit_ring_place *place,
                        uint64_t room)
{
    uint64_t most = (place->capacity + 3) / 4, first = side->position - place->capacity;
    if (room > most)
        room = most;
    set_floor(side, place, first + room);
    quoit_broadcast_full_barrier();
    uint64_t left = place->capacity - find_slowest(place, side->position).lag;
    if (left < room) {
        room = left;
        set_floor(side, place, first + room);
    }
    if ((int64_t)(first + room - side->retained_from) > 0)
        side->retained_from = first + room;
    side->limit = side->position + room;
    return room > 0;
}

quoit_status quoit_broadcast_look_for_room(struct quoit_ring_producer *producer,
                                           const struct quoit_ring_place *place)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    if (quoit_spsc_is_finished(place))
        return QUOIT_FINISHED;
    if (room_of(side, place) > 0)
        return QUOIT_OK;
    for (uint32_t tries = 2 * place->members.count; tries > 0; tries--) {
        struct laggard slowest = find_blocker(side, place);
        if (slowest.lag < place->capacity) {
            if (raise_limit(side, place, place->capacity - slowest.lag))
                return QUOIT_OK;
        } else if (producer->state->spinning) {
            return QUOIT_FULL;
        } else if (stays(place, &slowest)) {
            if (lives(place, slowest.row))
                return QUOIT_FULL;
            drop(place, &slowest);
        }
    }
    return QUOIT_FULL;
}

/* true: lossless, and this is the slowest subscriber. lag_out: how far it is behind, if lossy as
   well. */
bool quoit_broadcast_holds_up(const struct quoit_ring_place *place, uint32_t row, uint64_t *lag_out)
{
    uint64_t tail = quoit_broadcast_tail(place), word = quoit_broadcast_load_row(place, row);
    *lag_out = 0;
    if (!quoit_broadcast_counts(place, word, tail))
        return false;
    *lag_out = (uint64_t)quoit_broadcast_lag(word, tail);
    return !place->ops->drops_oldest && *lag_out > 0 && *lag_out >= find_slowest(place, tail).lag;
}

uint64_t quoit_broadcast_repair(const struct quoit_ring_place *place, bool only_look)
{
    uint64_t dropped = 0;
    uint32_t rows = quoit_broadcast_rows(place);
    for (uint32_t row = 0; row < rows; row++) {
        struct laggard gone = {.word = quoit_broadcast_load_row(place, row), .row = row};
        if ((gone.word & QUOIT_BROADCAST_THERE) == 0 || lives(place, row))
            continue;
        if (!only_look)
            drop(place, &gone);
        dropped++;
    }
    return dropped;
}

bool quoit_broadcast_has_room(const struct quoit_ring_place *place)
{
    uint64_t tail = quoit_broadcast_tail(place);
    uint32_t rows = quoit_broadcast_rows(place);
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t word = quoit_broadcast_load_row(place, row);
        if (quoit_broadcast_counts(place, word, tail) &&
            (uint64_t)quoit_broadcast_lag(word, tail) == place->capacity && lives(place, row))
            return false;
    }
    return true;
}

/* ---- Pushing --------------------------------------------------------------------------------- */

/* The slots below the limit are free. */
static void put(struct quoit_broadcast_producer *side, const struct quoit_ring_place *place,
                const void *item, uint64_t item_bytes)
{
    quoit_ring_copy_in(side->slot + QUOIT_BROADCAST_WORD_BYTES, item, 0, item_bytes);
    quoit_broadcast_commit(side->slot, side->position);
    quoit_broadcast_step(&side->position, &side->slot, place);
}

quoit_status quoit_broadcast_push(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_place *place, const void *item,
                                  uint64_t item_bytes)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    if (room_of(side, place) == 0) {
        quoit_status status = quoit_broadcast_look_for_room(producer, place);
        if (status != QUOIT_OK)
            return status;
    }
    put(side, place, item, item_bytes);
    quoit_broadcast_set_tail(place->shm, side->position);
    return QUOIT_OK;
}

uint64_t quoit_broadcast_push_many(struct quoit_ring_producer *producer,
                                   const struct quoit_ring_place *place, const void *items,
                                   uint64_t count)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    const uint8_t *item = items;
    uint64_t pushed = 0;
    while (pushed < count && (room_of(side, place) > 0 ||
                              quoit_broadcast_look_for_room(producer, place) == QUOIT_OK)) {
        for (uint64_t room = room_of(side, place); pushed < count && room > 0; pushed++, room--)
            put(side, place, item + pushed * place->item_bytes, place->item_bytes);
        quoit_broadcast_set_tail(place->shm, side->position);
    }
    return pushed;
}

/* Claims the next slot, in place: no subscriber reads its old item any more. */
quoit_status quoit_broadcast_claim(struct quoit_ring_producer *producer,
                                   const struct quoit_ring_place *place, uint64_t wanted,
                                   uint64_t item_bytes, void **items_out, uint64_t *count_out)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    (void)wanted; /* items do not lie one behind the other */
    (void)item_bytes;
    quoit_status status = quoit_broadcast_look_for_room(producer, place);
    if (status != QUOIT_OK)
        return status;
    producer->state->broadcast.claimed = 1;
    producer->state->broadcast.claimed_at = side->position;
    *items_out = side->slot + QUOIT_BROADCAST_WORD_BYTES;
    *count_out = 1;
    return QUOIT_OK;
}

bool quoit_broadcast_commit_claim(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_place *place, uint64_t count,
                                  uint64_t item_bytes)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    (void)item_bytes;
    if (count > producer->state->broadcast.claimed ||
        (count > 0 && producer->state->broadcast.claimed_at != side->position))
        return false;
    producer->state->broadcast.claimed = 0;
    if (count == 1) {
        quoit_broadcast_commit(side->slot, side->position);
        quoit_broadcast_step(&side->position, &side->slot, place);
        quoit_broadcast_set_tail(place->shm, side->position);
    } else {
        side->limit = side->position; /* the stream may have ended: the next push checks */
    }
    return true;
}
