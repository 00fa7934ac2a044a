/* SPDX-License-Identifier: MIT */
/* Both broadcast rings: initialization, the calls for any process, and the lossless ring's table.
   How they work is in broadcast.h, ordering labels in docs/ORDERING.md. */
#include "broadcast.h"

#include "fail.h"

void quoit_broadcast_init(const struct quoit_ring_view *view, uint64_t start)
{
    quoit_ring_init(view, start);
    uint8_t *slot = quoit_broadcast_slot(view, start);
    uint64_t slots = quoit_broadcast_slots(view);
    for (uint64_t i = 0; i < slots; i++, slot = quoit_broadcast_next(view, slot))
        /* Torn: there is no item. Relaxed: no other process sees the ring yet; publishing the
           region orders these. */
        atomic_store_explicit(quoit_broadcast_sequence(slot),
                              quoit_broadcast_torn(start + i - slots), memory_order_relaxed);
    for (uint32_t i = 0; i < view->members.count; i++)
        quoit_broadcast_publish_position(&view->members.claim_records[i].subscriber, start, 0);
}

/* An uncommitted claim is dropped, and a peeked item stays. A subscriber gives its entry up. */
void quoit_broadcast_detach(struct quoit_ring_producer *producer,
                            struct quoit_ring_consumer *consumer,
                            const struct quoit_ring_view *view)
{
    const struct quoit_broadcast_consumer *side = &consumer->state->broadcast;
    (void)producer;
    (void)view;
    if (side->record)
        quoit_broadcast_publish_position(side->record, side->position,
                                         side->tag & ~QUOIT_BROADCAST_THERE);
}

/* ---- For any process ------------------------------------------------------------------------- */

/* The entry of this handle's subscriber; false: it has none. */
static bool find_own(const struct quoit_ring_view *view, uint64_t *record_out)
{
    if (view->members.own >= view->members.count)
        return false;
    *record_out = quoit_broadcast_load_record(view, view->members.own);
    return (*record_out & QUOIT_BROADCAST_THERE) != 0;
}

static uint64_t behind(const struct quoit_ring_view *view, uint64_t record, uint64_t tail)
{
    int64_t lag = quoit_broadcast_lag(record, tail);
    if (lag < 0) /* it has read an item that the tail does not count yet */
        return 0;
    return (uint64_t)lag < view->capacity ? (uint64_t)lag : view->capacity;
}

uint64_t quoit_broadcast_size(const struct quoit_ring_view *view)
{
    uint64_t record, most = 0;
    if (find_own(view, &record))
        return behind(view, record, quoit_broadcast_tail(view));
    uint64_t tail = quoit_broadcast_tail(view);
    uint32_t entries = quoit_broadcast_entries(view);
    for (uint32_t i = 0; i < entries; i++) {
        record = quoit_broadcast_load_record(view, i);
        if ((record & QUOIT_BROADCAST_THERE) != 0 && behind(view, record, tail) > most &&
            view->members.is_alive(view->members.context, i))
            most = behind(view, record, tail);
    }
    return most;
}

bool quoit_broadcast_has_items(const struct quoit_ring_view *view)
{
    uint64_t record;
    if (!find_own(view, &record))
        return false;
    uint64_t tail = quoit_broadcast_tail(view);
    uint64_t position = tail - (uint64_t)quoit_broadcast_lag(record, tail);
    uint64_t sequence = quoit_broadcast_load(quoit_broadcast_slot(view, position));
    uint64_t wanted = quoit_broadcast_whole(position);
    return sequence == wanted || quoit_broadcast_is_later(sequence, wanted);
}

/* Checks the slot of `position`, which is less than a lap after a tail that was read before. */
static quoit_status check_slot(const struct quoit_ring_view *view, uint64_t position)
{
    uint64_t sequence = quoit_broadcast_load(quoit_broadcast_slot(view, position));
    uint64_t tail = quoit_broadcast_tail(view); /* again: it may have moved on */
    uint64_t slots = quoit_broadcast_slots(view);
    uint64_t of = (sequence - 1) / 2; /* the sequence's position, without the highest bit */
    uint64_t laps = (of - position + slots) << 1 >> 1;
    bool torn = (sequence & 1) != 0;
    bool never = laps == 0 && quoit_ring_is_before(position - slots, quoit_broadcast_floor(view));
    uint64_t most = tail - position + 2 * slots; /* a batch is counted only at its end */
    if (laps % slots == 0 && laps <= most && (!torn || never || view->ops->drops_oldest))
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "broadcast ring: slot %llu holds the sequence 0x%016llx, which no process "
                      "writes there; the queue is damaged: remove it with 'quoit rm'",
                      (unsigned long long)(position % slots), (unsigned long long)sequence);
}

quoit_status quoit_broadcast_check(const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_broadcast_tail(view);
    /* CAST-S5: items below are not kept, as for a subscriber that joins. Pairs with CAST-P5. */
    uint64_t floor = atomic_load_explicit(&view->shm->retained_from, memory_order_acquire);
    uint64_t after = quoit_broadcast_tail(view);
    bool keeps = !view->ops->drops_oldest;
    if (after - tail > INT64_MAX || (keeps && (int64_t)(tail - floor) > (int64_t)view->capacity) ||
        (keeps && (int64_t)(floor - after) > (int64_t)view->capacity))
        return quoit_ring_counters_apart(tail, floor, view->capacity);
    quoit_status status = quoit_ring_check_finished(view);
    for (uint64_t i = 0; i < quoit_broadcast_slots(view) && status == QUOIT_OK; i++)
        status = check_slot(view, tail + i);
    return status;
}

uint64_t quoit_broadcast_pops(const struct quoit_ring_consumer *consumer,
                              const struct quoit_ring_view *view)
{
    (void)view;
    return consumer->state->broadcast.position;
}

struct quoit_ring_totals quoit_broadcast_totals(const struct quoit_ring_view *view, uint64_t size)
{
    uint64_t pushed = quoit_broadcast_tail(view);
    return (struct quoit_ring_totals){
        .pushed = pushed, .popped = pushed - size, .pushed_items = pushed};
}

/* clang-format off */
#define LOSSLESS                                       \
    QUOIT_BROADCAST_OPS,                               \
    .attach_producer = quoit_broadcast_attach_producer,\
    .poll_room = quoit_broadcast_poll_room,    \
    .poll_items = quoit_broadcast_poll_items,  \
    .release = quoit_broadcast_release,                \
    .made_room = quoit_broadcast_made_room,            \
    .has_room = quoit_broadcast_has_room
/* clang-format on */

const struct quoit_ring_ops quoit_broadcast_lossless = {
    LOSSLESS,
    .push = quoit_broadcast_push,
    .pop = quoit_broadcast_pop,
    .push_many = quoit_broadcast_push_many,
    .pop_many = quoit_broadcast_pop_many,
    .claim = quoit_broadcast_claim,
    .commit = quoit_broadcast_commit_claim,
    .peek = quoit_broadcast_peek,
};

const struct quoit_ring_ops quoit_broadcast_lossless_messages = {
    LOSSLESS,
    QUOIT_RECORDS_OF(quoit_broadcast_lossless),
};
