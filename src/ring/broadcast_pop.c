/* SPDX-License-Identifier: MIT */
/* A subscriber of a broadcast ring: how it joins, and how a lossless one takes items. How the ring
   works is in broadcast.h, ordering labels in docs/ORDERING.md. */
#include "broadcast.h"

#include "fail.h"

/* ---- Joining --------------------------------------------------------------------------------- */

/* Makes the producer read this member's row when it looks for subscribers. */
static void count_row(const struct quoit_ring_place *place)
{
    uint32_t wanted = place->members.own + 1;
    /* Relaxed: the fence CAST-F1 orders it before settle loads the floor. */
    uint32_t rows = atomic_load_explicit(&place->shm->rows, memory_order_relaxed);
    /* Relaxed: the fence CAST-F1 orders it before settle loads the floor. */
    while (rows < wanted &&
           !atomic_compare_exchange_weak_explicit(&place->shm->rows, &rows, wanted,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

/* Publishes the position where it begins. Moves it on until the producer keeps its item. */
static bool settle(struct quoit_broadcast_consumer *side, const struct quoit_ring_place *place)
{
    for (int tries = 0; tries < QUOIT_BROADCAST_TRIES; tries++) {
        quoit_broadcast_say(side->row, side->position, side->tag);
        quoit_broadcast_full_barrier();
        uint64_t floor = quoit_broadcast_floor(place);
        if ((int64_t)(floor - side->position) <= 0)
            return true;
        side->position = floor;
    }
    return false;
}

quoit_status quoit_broadcast_attach_consumer(struct quoit_ring_consumer *consumer,
                                             const struct quoit_ring_place *place)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    uint64_t tail = quoit_broadcast_tail(place);
    uint64_t position = place->from_oldest ? quoit_broadcast_oldest(place, tail) : tail;
    quoit_ring_consumer_begin(consumer, place, position);
    side->position = position;
    side->row = &place->members.claims[place->members.own].subscriber;
    /* CAST-S4: the new tag differs from the last holder's, whose row the producer may be about to
       drop. Pairs with CAST-P4. */
    uint64_t before = atomic_load_explicit(side->row, memory_order_acquire);
    side->tag = ((before & ~QUOIT_BROADCAST_THERE) + 2) % (QUOIT_BROADCAST_TAG + 1) |
                QUOIT_BROADCAST_THERE;
    count_row(place);
    if (!settle(side, place)) {
        quoit_broadcast_say(side->row, side->position, side->tag & ~QUOIT_BROADCAST_THERE);
        return quoit_fail(QUOIT_ERROR_CORRUPT, "the ring's oldest item moves on without end");
    }
    side->slot = quoit_broadcast_slot(place, side->position);
    return QUOIT_OK;
}

/* ---- Lossless -------------------------------------------------------------------------------- */

static bool is_there(const struct quoit_broadcast_consumer *side)
{
    return quoit_broadcast_load(side->slot) == quoit_broadcast_whole(side->position);
}

quoit_status quoit_broadcast_look_for_items(struct quoit_ring_consumer *consumer,
                                            const struct quoit_ring_place *place)
{
    const struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (is_there(side))
        return QUOIT_OK;
    bool finished = quoit_spsc_is_finished(place);
    if (is_there(side)) /* it may have been committed before the end */
        return QUOIT_OK;
    if (quoit_broadcast_is_later(quoit_broadcast_load(side->slot),
                                 quoit_broadcast_whole(side->position)))
        return quoit_ring_counters_apart(quoit_broadcast_tail(place), side->position,
                                         place->capacity);
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

quoit_status quoit_broadcast_pop(struct quoit_ring_consumer *consumer,
                                 const struct quoit_ring_place *place, void *item_out,
                                 uint64_t *bytes_inout)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (!is_there(side)) {
        quoit_status status = quoit_broadcast_look_for_items(consumer, place);
        if (status != QUOIT_OK)
            return status;
    }
    *bytes_inout = place->item_bytes;
    quoit_ring_copy_out(item_out, side->slot + QUOIT_BROADCAST_WORD_BYTES, 0, place->item_bytes);
    quoit_broadcast_step(&side->position, &side->slot, place);
    quoit_broadcast_say(side->row, side->position, side->tag);
    return QUOIT_OK;
}

uint64_t quoit_broadcast_pop_many(struct quoit_ring_consumer *consumer,
                                  const struct quoit_ring_place *place, void *items_out,
                                  uint64_t count)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    uint8_t *item = items_out;
    uint64_t popped = 0;
    for (; popped < count && is_there(side); popped++) {
        quoit_ring_copy_out(item + popped * place->item_bytes,
                            side->slot + QUOIT_BROADCAST_WORD_BYTES, 0, place->item_bytes);
        quoit_broadcast_step(&side->position, &side->slot, place);
    }
    if (popped > 0)
        quoit_broadcast_say(side->row, side->position, side->tag);
    return popped;
}

quoit_status quoit_broadcast_peek(struct quoit_ring_consumer *consumer,
                                  const struct quoit_ring_place *place, const void **items_out,
                                  uint64_t *count_out, uint64_t *bytes_out)
{
    quoit_status status = quoit_broadcast_look_for_items(consumer, place);
    if (status != QUOIT_OK)
        return status;
    *items_out = consumer->state->broadcast.slot + QUOIT_BROADCAST_WORD_BYTES;
    *count_out = 1;
    *bytes_out = place->item_bytes;
    return QUOIT_OK;
}

bool quoit_broadcast_release(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_place *place, uint64_t count)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (count > 1 || (count == 1 && !is_there(side)))
        return false;
    if (count == 1) {
        quoit_broadcast_step(&side->position, &side->slot, place);
        quoit_broadcast_say(side->row, side->position, side->tag);
    }
    return true;
}

bool quoit_broadcast_made_room(const struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_place *place, uint64_t count)
{
    quoit_broadcast_full_barrier();
    uint64_t before = consumer->state->broadcast.position - count;
    return quoit_broadcast_tail(place) - before >= place->capacity;
}
