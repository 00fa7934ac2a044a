/* SPDX-License-Identifier: MIT */
/* The producer of a lossless broadcast ring: how far it may go, and how it pushes. How the ring
   works is in broadcast.h, ordering labels in docs/ORDERING.md. */
#include "broadcast.h"

#include "relax.h"

/* ---- Taking over ----------------------------------------------------------------------------- */

/* Finds the tail. The last producer may have committed items and crashed before it counted them;
   their sequences show them. */
static uint64_t find_tail(const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_broadcast_tail(view);
    uint8_t *slot = quoit_broadcast_slot(view, tail);
    for (uint64_t i = 0; i < view->capacity; i++, tail++) {
        if (quoit_broadcast_load(slot) != quoit_broadcast_whole(tail))
            break;
        slot = quoit_broadcast_next(view, slot);
    }
    quoit_broadcast_set_tail(view->shm, tail);
    return tail;
}

quoit_status quoit_broadcast_attach_producer(struct quoit_ring_producer *producer,
                                             const struct quoit_ring_view *view)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    uint64_t tail = find_tail(view);
    /* Relaxed: only producers write it, and the kernel has reported that the last one left. */
    uint64_t floor = atomic_load_explicit(&view->shm->retained_from, memory_order_relaxed);
    if (!view->ops->drops_oldest && tail - floor > view->capacity)
        return quoit_ring_counters_apart(tail, floor, view->capacity);
    quoit_ring_producer_begin(producer, view, tail);
    side->position = tail;
    side->slot = quoit_broadcast_slot(view, tail);
    side->limit = tail;
    side->retained_from = floor;
    /* The entry may still name a crashed subscriber, which had it before. This producer may be
       no subscriber itself. */
    quoit_broadcast_publish_position(&view->members.claim_records[view->members.own].subscriber,
                                     tail,
                                     quoit_broadcast_load_record(view, view->members.own) &
                                         QUOIT_BROADCAST_TAG & ~QUOIT_BROADCAST_THERE);
    return QUOIT_OK;
}

/* How many positions may be filled before the subscribers' positions must be read again. */
static uint64_t room_of(const struct quoit_broadcast_producer *side,
                        const struct quoit_ring_view *view)
{
    return quoit_ring_span(side->limit, side->position, view->capacity);
}

/* ---- The limit ------------------------------------------------------------------------------- */

struct laggard {
    uint64_t lag; /* 0: no subscriber is behind */
    uint64_t record;
    uint32_t entry;
};

static struct laggard find_slowest(const struct quoit_ring_view *view, uint64_t position)
{
    struct laggard slowest = {.lag = 0};
    uint32_t entries = quoit_broadcast_entries(view);
    for (uint32_t entry = 0; entry < entries && slowest.lag < view->capacity; entry++) {
        uint64_t record = quoit_broadcast_load_record(view, entry);
        if (!quoit_broadcast_counts(view, record, position))
            continue;
        uint64_t lag = (uint64_t)quoit_broadcast_lag(record, position);
        if (lag > slowest.lag)
            slowest = (struct laggard){.lag = lag, .record = record, .entry = entry};
    }
    return slowest;
}

/* The subscriber that blocked the producer last usually still does. Then no other entry is read. */
static struct laggard find_blocker(struct quoit_broadcast_producer *side,
                                   const struct quoit_ring_view *view)
{
    uint64_t record = quoit_broadcast_load_record(view, side->slowest);
    if (quoit_broadcast_counts(view, record, side->position) &&
        (uint64_t)quoit_broadcast_lag(record, side->position) == view->capacity)
        return (struct laggard){.lag = view->capacity, .record = record, .entry = side->slowest};
    struct laggard slowest = find_slowest(view, side->position);
    side->slowest = slowest.entry;
    return slowest;
}

static bool is_live(const struct quoit_ring_view *view, uint32_t entry)
{
    return entry == view->members.own || view->members.is_alive(view->members.context, entry);
}

/* Does the entry stay as it is? Reads it a few times more: usually the subscriber is alive, and
   asking the kernel costs more. */
static bool stays(const struct quoit_ring_view *view, const struct laggard *laggard)
{
    for (int tries = 0; tries < 8; tries++) {
        quoit_relax();
        if (quoit_broadcast_load_record(view, laggard->entry) != laggard->record)
            return false;
    }
    return true;
}

/* Removes a crashed subscriber, so that no push waits for it again. If a new member has the entry
   by now, its tag differs, and the exchange fails. */
static void drop(const struct quoit_ring_view *view, const struct laggard *crashed)
{
    uint64_t record = crashed->record;
    /* CAST-P4: the entry has no subscriber; the kernel has reported that no process reads for it.
       Pairs with CAST-S4. */
    if (atomic_compare_exchange_strong_explicit(
            &view->members.claim_records[crashed->entry].subscriber, &record,
            record & ~QUOIT_BROADCAST_THERE, memory_order_acq_rel, memory_order_acquire))
        quoit_ring_count_repair(view);
}

/* Publishes that items below are not kept from now on. The floor never falls below
   side->retained_from: the floor that this producer found, or has since confirmed. */
static void set_floor(struct quoit_broadcast_producer *side, const struct quoit_ring_view *view,
                      uint64_t floor)
{
    if ((int64_t)(floor - side->retained_from) < 0)
        floor = side->retained_from;
    /* CAST-P5: where subscribers may begin. Pairs with CAST-S5 and BROWSE-S1. */
    atomic_store_explicit(&view->shm->retained_from, floor, memory_order_release);
}

/*
 * Moves the limit on by `room`, which the slowest subscriber leaves, but by at most a quarter of
 * the ring: a subscriber that joins and begins with the oldest item finds the other three quarters.
 * false: a subscriber has joined meanwhile that leaves no room.
 */
static bool raise_limit(struct quoit_broadcast_producer *side, const struct quoit_ring_view *view,
                        uint64_t room)
{
    uint64_t most = (view->capacity + 3) / 4, first = side->position - view->capacity;
    if (room > most)
        room = most;
    set_floor(side, view, first + room);
    quoit_broadcast_full_barrier();
    uint64_t left = view->capacity - find_slowest(view, side->position).lag;
    if (left < room) {
        room = left;
        set_floor(side, view, first + room);
    }
    if ((int64_t)(first + room - side->retained_from) > 0)
        side->retained_from = first + room;
    side->limit = side->position + room;
    return room > 0;
}

quoit_status quoit_broadcast_poll_room(struct quoit_ring_producer *producer,
                                       const struct quoit_ring_view *view)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    if (quoit_spsc_is_finished(view))
        return QUOIT_FINISHED;
    if (room_of(side, view) > 0)
        return QUOIT_OK;
    for (uint32_t tries = 2 * view->members.count; tries > 0; tries--) {
        struct laggard slowest = find_blocker(side, view);
        if (slowest.lag < view->capacity) {
            if (raise_limit(side, view, view->capacity - slowest.lag))
                return QUOIT_OK;
        } else if (producer->state->spinning) {
            return QUOIT_FULL;
        } else if (stays(view, &slowest)) {
            if (is_live(view, slowest.entry))
                return QUOIT_FULL;
            drop(view, &slowest);
        }
    }
    return QUOIT_FULL;
}

/* true: lossless, and this is the slowest subscriber. lag_out: how far it is behind, if lossy as
   well. */
bool quoit_broadcast_holds_up(const struct quoit_ring_view *view, uint32_t entry, uint64_t *lag_out)
{
    uint64_t tail = quoit_broadcast_tail(view), record = quoit_broadcast_load_record(view, entry);
    *lag_out = 0;
    if (!quoit_broadcast_counts(view, record, tail))
        return false;
    *lag_out = (uint64_t)quoit_broadcast_lag(record, tail);
    return !view->ops->drops_oldest && *lag_out > 0 && *lag_out >= find_slowest(view, tail).lag;
}

uint64_t quoit_broadcast_repair(const struct quoit_ring_view *view, bool count_only)
{
    uint64_t dropped = 0;
    uint32_t entries = quoit_broadcast_entries(view);
    for (uint32_t entry = 0; entry < entries; entry++) {
        struct laggard crashed = {.record = quoit_broadcast_load_record(view, entry),
                                  .entry = entry};
        if ((crashed.record & QUOIT_BROADCAST_THERE) == 0 || is_live(view, entry))
            continue;
        if (!count_only)
            drop(view, &crashed);
        dropped++;
    }
    return dropped;
}

bool quoit_broadcast_has_room(const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_broadcast_tail(view);
    uint32_t entries = quoit_broadcast_entries(view);
    for (uint32_t entry = 0; entry < entries; entry++) {
        uint64_t record = quoit_broadcast_load_record(view, entry);
        if (quoit_broadcast_counts(view, record, tail) &&
            (uint64_t)quoit_broadcast_lag(record, tail) == view->capacity && is_live(view, entry))
            return false;
    }
    return true;
}

/* ---- Pushing --------------------------------------------------------------------------------- */

/* The slots below the limit are free. */
static void put(struct quoit_broadcast_producer *side, const struct quoit_ring_view *view,
                const void *item, uint64_t item_bytes)
{
    quoit_ring_copy_in(side->slot + QUOIT_BROADCAST_SEQUENCE_BYTES, item, 0, item_bytes);
    quoit_broadcast_commit(side->slot, side->position);
    quoit_broadcast_step(&side->position, &side->slot, view);
}

quoit_status quoit_broadcast_push(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_view *view, const void *item,
                                  uint64_t item_bytes)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    quoit_status status = room_of(side, view) > 0 ? QUOIT_OK
                                                  : quoit_broadcast_poll_room(producer, view);
    if (status != QUOIT_OK)
        return status;
    put(side, view, item, item_bytes);
    quoit_broadcast_set_tail(view->shm, side->position);
    return QUOIT_OK;
}

uint64_t quoit_broadcast_push_many(struct quoit_ring_producer *producer,
                                   const struct quoit_ring_view *view, const void *items,
                                   uint64_t count)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    const uint8_t *item = items;
    uint64_t pushed = 0;
    while (pushed < count &&
           (room_of(side, view) > 0 || quoit_broadcast_poll_room(producer, view) == QUOIT_OK)) {
        for (uint64_t room = room_of(side, view); pushed < count && room > 0; pushed++, room--)
            put(side, view, item + pushed * view->item_bytes, view->item_bytes);
        quoit_broadcast_set_tail(view->shm, side->position);
    }
    return pushed;
}

/* Claims the next slot, in place: no subscriber reads its old item any more. */
quoit_status quoit_broadcast_claim(struct quoit_ring_producer *producer,
                                   const struct quoit_ring_view *view, uint64_t wanted,
                                   uint64_t item_bytes, void **items_out, uint64_t *count_out)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    (void)wanted; /* items do not lie one behind the other */
    (void)item_bytes;
    quoit_status status = quoit_broadcast_poll_room(producer, view);
    if (status != QUOIT_OK)
        return status;
    producer->state->broadcast.claimed = 1;
    producer->state->broadcast.claimed_at = side->position;
    *items_out = side->slot + QUOIT_BROADCAST_SEQUENCE_BYTES;
    *count_out = 1;
    return QUOIT_OK;
}

bool quoit_broadcast_commit_claim(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_view *view, uint64_t count,
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
        quoit_broadcast_step(&side->position, &side->slot, view);
        quoit_broadcast_set_tail(view->shm, side->position);
    } else {
        side->limit = side->position; /* the stream may have ended: the next push checks */
    }
    return true;
}
