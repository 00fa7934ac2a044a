/* SPDX-License-Identifier: MIT */
/* A subscriber of a broadcast ring: how it joins, and how a lossless one takes items. How the ring
   works is in broadcast.h, ordering labels in docs/ORDERING.md. */
#include "broadcast.h"

#include "fail.h"

/* ---- Joining --------------------------------------------------------------------------------- */

/* Makes the producer read this member's record when it searches for subscribers: it reads the
   records below entries_used. */
static void announce_entry(const struct quoit_ring_view *view)
{
    uint32_t wanted = view->members.own + 1;
    /* Relaxed: the fence CAST-F1 orders it before settle loads the floor. */
    uint32_t entries = atomic_load_explicit(&view->shm->entries_used, memory_order_relaxed);
    /* Relaxed: the fence CAST-F1 orders it before settle loads the floor. */
    while (entries < wanted &&
           !atomic_compare_exchange_weak_explicit(&view->shm->entries_used, &entries, wanted,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

/*
 * Publishes the position where this subscriber begins, passes a full fence, and then loads the
 * floor: below it, the producer keeps no items. The producer stores the floor, passes a full fence,
 * and then loads all positions (raise_limit). So either the producer sees this position and keeps
 * the items from there on, or this call sees the new floor, moves on to it, and tries again.
 */
static bool settle(struct quoit_broadcast_consumer *side, const struct quoit_ring_view *view)
{
    for (int tries = 0; tries < QUOIT_BROADCAST_TRIES; tries++) {
        quoit_broadcast_publish_position(side->record, side->position, side->tag);
        quoit_broadcast_full_barrier();
        uint64_t floor = quoit_broadcast_floor(view);
        if ((int64_t)(floor - side->position) <= 0)
            return true;
        side->position = floor;
    }
    return false;
}

quoit_status quoit_broadcast_attach_consumer(struct quoit_ring_consumer *consumer,
                                             const struct quoit_ring_view *view)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    uint64_t tail = quoit_broadcast_tail(view);
    uint64_t position = view->from_oldest ? quoit_broadcast_oldest(view, tail) : tail;
    quoit_ring_consumer_begin(consumer, view, position);
    side->position = position;
    side->record = &view->members.claim_records[view->members.own].subscriber;
    /* CAST-S4: the new tag differs from that of the last holder of the entry. The producer may be
       about to drop that one as crashed; the exchange then fails. Pairs with CAST-P4. */
    uint64_t before = atomic_load_explicit(side->record, memory_order_acquire);
    side->tag = ((before & ~QUOIT_BROADCAST_THERE) + 2) % (QUOIT_BROADCAST_TAG + 1) |
                QUOIT_BROADCAST_THERE;
    announce_entry(view);
    if (!settle(side, view)) {
        quoit_broadcast_publish_position(side->record, side->position,
                                         side->tag & ~QUOIT_BROADCAST_THERE);
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "broadcast ring: its oldest position passed every position that this "
                          "consumer announced; the queue is damaged: remove it with 'quoit rm'");
    }
    side->slot = quoit_broadcast_slot(view, side->position);
    return QUOIT_OK;
}

/* ---- Lossless -------------------------------------------------------------------------------- */

static bool is_there(const struct quoit_broadcast_consumer *side)
{
    return quoit_broadcast_load(side->slot) == quoit_broadcast_whole(side->position);
}

quoit_status quoit_broadcast_poll_items(struct quoit_ring_consumer *consumer,
                                        const struct quoit_ring_view *view)
{
    const struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (is_there(side))
        return QUOIT_OK;
    bool finished = quoit_spsc_is_finished(view);
    if (is_there(side)) /* it may have been committed before the end */
        return QUOIT_OK;
    if (quoit_broadcast_is_later(quoit_broadcast_load(side->slot),
                                 quoit_broadcast_whole(side->position)))
        return quoit_ring_counters_apart(quoit_broadcast_tail(view), side->position,
                                         view->capacity);
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

quoit_status quoit_broadcast_pop(struct quoit_ring_consumer *consumer,
                                 const struct quoit_ring_view *view, void *item_out,
                                 uint64_t *bytes_inout)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    quoit_status status = is_there(side) ? QUOIT_OK : quoit_broadcast_poll_items(consumer, view);
    if (status != QUOIT_OK)
        return status;
    *bytes_inout = view->item_bytes;
    quoit_ring_copy_out(item_out, side->slot + QUOIT_BROADCAST_SEQUENCE_BYTES, 0, view->item_bytes);
    quoit_broadcast_step(&side->position, &side->slot, view);
    quoit_broadcast_publish_position(side->record, side->position, side->tag);
    return QUOIT_OK;
}

uint64_t quoit_broadcast_pop_many(struct quoit_ring_consumer *consumer,
                                  const struct quoit_ring_view *view, void *items_out,
                                  uint64_t count)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    uint8_t *item = items_out;
    uint64_t popped = 0;
    for (; popped < count && is_there(side); popped++) {
        quoit_ring_copy_out(item + popped * view->item_bytes,
                            side->slot + QUOIT_BROADCAST_SEQUENCE_BYTES, 0, view->item_bytes);
        quoit_broadcast_step(&side->position, &side->slot, view);
    }
    if (popped > 0)
        quoit_broadcast_publish_position(side->record, side->position, side->tag);
    return popped;
}

quoit_status quoit_broadcast_peek(struct quoit_ring_consumer *consumer,
                                  const struct quoit_ring_view *view, const void **items_out,
                                  uint64_t *count_out, uint64_t *bytes_out)
{
    quoit_status status = quoit_broadcast_poll_items(consumer, view);
    if (status != QUOIT_OK)
        return status;
    *items_out = consumer->state->broadcast.slot + QUOIT_BROADCAST_SEQUENCE_BYTES;
    *count_out = 1;
    *bytes_out = view->item_bytes;
    return QUOIT_OK;
}

bool quoit_broadcast_release(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_view *view, uint64_t count)
{
    struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    if (count > 1 || (count == 1 && !is_there(side)))
        return false;
    if (count == 1) {
        quoit_broadcast_step(&side->position, &side->slot, view);
        quoit_broadcast_publish_position(side->record, side->position, side->tag);
    }
    return true;
}

/* Could the producer be blocked by the items that were just taken? Only if the ring was full for
   this subscriber, and then it has to be woken. The fence (CAST-F1): either this call sees the tail
   of the producer's last push, or the producer sees the new position before it blocks. */
bool quoit_broadcast_made_room(const struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view, uint64_t count)
{
    quoit_broadcast_full_barrier();
    uint64_t before = consumer->state->broadcast.position - count;
    return quoit_broadcast_tail(view) - before >= view->capacity;
}
