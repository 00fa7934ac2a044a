/* SPDX-License-Identifier: MIT */
/* The lossy broadcast ring: a producer that never waits, subscribers that count missed items.
   How it works is in broadcast.h, ordering labels in docs/ORDERING.md. */
#include "broadcast.h"

/* ---- Items that may be written while they are read ------------------------------------------- */

static uint64_t bytes_at(uint64_t at, uint64_t item_bytes)
{
    return item_bytes - at < 8 ? item_bytes - at : 8;
}

static void store_item(uint8_t *slot, const uint8_t *item, uint64_t item_bytes)
{
    uint8_t *to = slot + QUOIT_BROADCAST_SEQUENCE_BYTES;
    for (uint64_t at = 0; at < item_bytes; at += 8) {
        uint64_t word = 0;
        /* Private: the caller's item. */
        memcpy(&word, item + at, (size_t)bytes_at(at, item_bytes));
        /* Relaxed: CAST-P6 orders it after the mark, CAST-P1 before the commit. */
        atomic_store_explicit(quoit_spsc_word(to + at), word, memory_order_relaxed);
    }
}

/* ---- The producer ---------------------------------------------------------------------------- */

static quoit_status poll_room(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view)
{
    (void)producer;
    return quoit_spsc_is_finished(view) ? QUOIT_FINISHED : QUOIT_OK;
}

static quoit_status push(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                         const void *item, uint64_t item_bytes)
{
    struct quoit_broadcast_producer *side = &producer->state->broadcast;
    if (quoit_spsc_is_finished(view))
        return QUOIT_FINISHED;
    /* Relaxed: CAST-P6 orders it before the stores of the new item. */
    atomic_store_explicit(quoit_broadcast_sequence(side->slot),
                          quoit_broadcast_torn(side->position), memory_order_relaxed);
    /* CAST-P6: a reader that copies any byte of the new item also sees that the sequence has
       changed. Pairs with CAST-S6 and BROWSE-S1. */
    atomic_thread_fence(memory_order_release);
    store_item(side->slot, item, item_bytes);
    quoit_broadcast_commit(side->slot, side->position);
    quoit_broadcast_step(&side->position, &side->slot, view);
    quoit_broadcast_set_tail(view->shm, side->position);
    return QUOIT_OK;
}

static uint64_t push_many(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                          const void *items, uint64_t count)
{
    const uint8_t *item = items;
    uint64_t pushed = 0;
    while (pushed < count &&
           push(producer, view, item + pushed * view->item_bytes, view->item_bytes) == QUOIT_OK)
        pushed++;
    return pushed;
}

/* Claims room in the handle: the slot still has an item that subscribers may be reading. */
static quoit_status claim(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                          uint64_t wanted, uint64_t item_bytes, void **items_out,
                          uint64_t *count_out)
{
    uint64_t most = QUOIT_RING_SCRATCH_BYTES / item_bytes;
    quoit_status status = poll_room(producer, view);
    if (status != QUOIT_OK)
        return status;
    if (most == 0)
        most = 1;
    producer->state->broadcast.claimed = wanted < most ? wanted : most;
    *items_out = view->scratch;
    *count_out = producer->state->broadcast.claimed;
    return QUOIT_OK;
}

static bool commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                   uint64_t count, uint64_t item_bytes)
{
    (void)item_bytes;
    if (count > producer->state->broadcast.claimed)
        return false;
    producer->state->broadcast.claimed = 0;
    return push_many(producer, view, view->scratch, count) == count;
}

static bool has_room(const struct quoit_ring_view *view)
{
    (void)view;
    return true;
}

/* ---- A subscriber ---------------------------------------------------------------------------- */

/* The next item was overwritten. Moves on to one that stays for a while, a quarter of the capacity
   after the oldest, and counts the items before it as missed. */
static void catch_up(struct quoit_broadcast_consumer *side, const struct quoit_ring_view *view)
{
    uint64_t to = quoit_broadcast_tail(view) - view->capacity + view->capacity / 4;
    if ((int64_t)(to - side->position) <= 0)
        to = side->position + 1;
    /* Relaxed: only this subscriber writes it. */
    uint64_t before = atomic_load_explicit(&side->missed, memory_order_relaxed);
    /* Relaxed: a number for people. */
    atomic_store_explicit(&side->missed, before + (to - side->position), memory_order_relaxed);
    side->position = to;
    side->slot = quoit_broadcast_slot(view, to);
    quoit_broadcast_publish_position(side->record, to, side->tag);
}

/* Is the slot's sequence, after the copy, still what it was before? */
static bool is_still(uint8_t *slot, uint64_t sequence)
{
    /* CAST-S6: if any byte of the copy is newer, the next load returns another sequence. Pairs with
       CAST-P6. */
    atomic_thread_fence(memory_order_acquire);
    /* Relaxed: the fence CAST-S6 orders it after the copy. */
    return atomic_load_explicit(quoit_broadcast_sequence(slot), memory_order_relaxed) == sequence;
}

/* The slot has an older item: EMPTY FINISHED. OK: the slot has changed meanwhile, so try again. */
static quoit_status nothing_there(const struct quoit_broadcast_consumer *side,
                                  const struct quoit_ring_view *view, uint64_t sequence)
{
    if (!quoit_spsc_is_finished(view))
        return QUOIT_EMPTY;
    return quoit_broadcast_load(side->slot) == sequence ? QUOIT_FINISHED : QUOIT_OK;
}

/* Are `capacity` newer items committed? Then this item counts as missed, though the spare slot may
   still keep it. The newest of them is in the slot before this one. */
static bool is_outdated(const struct quoit_broadcast_consumer *side,
                        const struct quoit_ring_view *view)
{
    uint64_t sequence = quoit_broadcast_load(quoit_broadcast_previous(view, side->slot));
    return !quoit_broadcast_is_later(quoit_broadcast_whole(side->position + view->capacity),
                                     sequence);
}

/* Copies the next item, or only looks for it if item_out is NULL: OK EMPTY FINISHED. Unless OK, the
   contents of item_out are unspecified. */
static quoit_status find_item(struct quoit_broadcast_consumer *side,
                              const struct quoit_ring_view *view, uint8_t *item_out)
{
    for (int tries = 0; tries < QUOIT_BROADCAST_TRIES; tries++) {
        uint64_t sequence = quoit_broadcast_load(side->slot);
        uint64_t wanted = quoit_broadcast_whole(side->position);
        if (sequence == wanted && !is_outdated(side, view)) {
            if (item_out)
                quoit_ring_load(item_out, side->slot + QUOIT_BROADCAST_SEQUENCE_BYTES,
                                view->item_bytes); /* after CAST-S1, before CAST-S6 */
            if (!item_out || is_still(side->slot, sequence))
                return QUOIT_OK;
        } else if (quoit_broadcast_is_later(wanted, sequence)) {
            quoit_status status = nothing_there(side, view, sequence);
            if (status != QUOIT_OK)
                return status;
            continue;
        }
        catch_up(side, view);
    }
    return QUOIT_EMPTY;
}

static quoit_status poll_items(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    return side->held ? QUOIT_OK : find_item(side, view, NULL);
}

static void leave_item(struct quoit_broadcast_consumer *side, const struct quoit_ring_view *view)
{
    side->held = false;
    quoit_broadcast_step(&side->position, &side->slot, view);
    quoit_broadcast_publish_position(side->record, side->position, side->tag);
}

static quoit_status pop(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                        void *item_out, uint64_t *bytes_inout)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (side->held) {
        memcpy(item_out, view->peeked, (size_t)view->item_bytes); /* this handle's own memory */
    } else {
        quoit_status status = find_item(side, view, item_out);
        if (status != QUOIT_OK)
            return status;
    }
    *bytes_inout = view->item_bytes;
    leave_item(side, view);
    return QUOIT_OK;
}

static uint64_t pop_many(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                         void *items_out, uint64_t count)
{
    uint8_t *item = items_out;
    uint64_t popped = 0, bytes;
    while (popped < count &&
           pop(consumer, view, item + popped * view->item_bytes, &bytes) == QUOIT_OK)
        popped++;
    return popped;
}

/* Peeks at a copy in the handle, which no producer overwrites. */
static quoit_status peek(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                         const void **items_out, uint64_t *count_out, uint64_t *bytes_out)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (!side->held) {
        quoit_status status = find_item(side, view, view->peeked);
        if (status != QUOIT_OK)
            return status;
        side->held = true;
    }
    *items_out = view->peeked;
    *count_out = 1;
    *bytes_out = view->item_bytes;
    return QUOIT_OK;
}

static bool release(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                    uint64_t count)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (count > (side->held ? 1u : 0u))
        return false;
    if (count == 1)
        leave_item(side, view);
    return true;
}

static uint64_t missed(const struct quoit_ring_consumer *consumer)
{
    /* Relaxed: a number for people. */
    return atomic_load_explicit(&consumer->state->broadcast.missed, memory_order_relaxed);
}

/* No process waits for room. */
static bool made_room(const struct quoit_ring_consumer *consumer,
                      const struct quoit_ring_view *view, uint64_t count)
{
    (void)consumer;
    (void)view;
    (void)count;
    return false;
}

/* clang-format off */
#define LOSSY                          \
    QUOIT_BROADCAST_OPS,               \
    .drops_oldest = true,              \
    .copies_claims = true,             \
    .copies_peeks = true,              \
    .attach_producer = quoit_broadcast_attach_producer,\
    .poll_room = poll_room,    \
    .poll_items = poll_items,  \
    .release = release,                \
    .made_room = made_room,            \
    .missed = missed,                  \
    .has_room = has_room
/* clang-format on */

const struct quoit_ring_ops quoit_broadcast_lossy = {
    LOSSY,          .push = push,     .pop = pop,   .push_many = push_many, .pop_many = pop_many,
    .claim = claim, .commit = commit, .peek = peek,
};

const struct quoit_ring_ops quoit_broadcast_lossy_messages = {
    LOSSY,
    QUOIT_RECORDS_OF(quoit_broadcast_lossy),
};
