/* SPDX-License-Identifier: MIT */
/*
 * The spans layout of the SPSC ring: slots hold only items, and the counters show which slots are
 * filled. In its handle each side keeps its own counter and its limit: how far it may go before it
 * must read the other side's counter. Batches that stay within both the limit and the ring's end
 * are inlined, <quoit/spsc.h>. Ordering labels: docs/ORDERING.md.
 *
 * An invariant keeps a hostile peer's counters inside the ring: a limit is at most the capacity
 * ahead of its position, and never goes back, since the other side's counter never does. If that
 * does not hold, the call returns CORRUPT and the limit stays. Each use of a limit bounds it by the
 * capacity once more.
 */
#include "ring_ops.h"

static quoit_status attach_producer(struct quoit_ring_producer *producer,
                                    const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm);
    uint64_t tail = quoit_ring_tail(view->shm);
    if (tail - head > view->capacity)
        return quoit_ring_counters_apart(tail, head, view->capacity);
    quoit_ring_producer_begin(producer, view, tail);
    return QUOIT_OK;
}

static quoit_status attach_consumer(struct quoit_ring_consumer *consumer,
                                    const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm);
    uint64_t tail = quoit_ring_tail(view->shm);
    if (tail - head > view->capacity)
        return quoit_ring_counters_apart(tail, head, view->capacity);
    quoit_ring_consumer_begin(consumer, view, head);
    return QUOIT_OK;
}

static uint64_t room_of(const struct quoit_ring_producer *producer,
                        const struct quoit_ring_view *view)
{
    return quoit_ring_span(producer->limit, producer->position, view->capacity);
}

static uint64_t items_of(const struct quoit_ring_consumer *consumer,
                         const struct quoit_ring_view *view)
{
    return quoit_ring_span(consumer->limit, consumer->position, view->capacity);
}

/* Moves the limit to where the consumer is now. */
static quoit_status poll_room(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view)
{
    if (quoit_spsc_is_finished(view))
        return QUOIT_FINISHED;
    uint64_t head = quoit_ring_head(view->shm), used = producer->position - head;
    quoit_ring_before_fills();
    if (used > view->capacity || view->capacity - used < room_of(producer, view))
        return quoit_ring_counters_apart(producer->position, head, view->capacity);
    producer->limit = head + view->capacity;
    return used == view->capacity ? QUOIT_FULL : QUOIT_OK;
}

/* Moves the limit to where the producer is now. */
static quoit_status poll_items(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_ring_tail(view->shm);
    bool finished = false;
    if (tail == consumer->position) {
        finished = quoit_spsc_is_finished(view);
        tail = quoit_ring_tail(view->shm); /* the end may have come after more items */
    }
    uint64_t items = tail - consumer->position;
    if (items > view->capacity || items < items_of(consumer, view))
        return quoit_ring_counters_apart(tail, consumer->position, view->capacity);
    consumer->limit = tail;
    if (items > 0)
        return QUOIT_OK;
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

static uint64_t push_many(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                          const void *items, uint64_t count)
{
    uint64_t room = room_of(producer, view);
    if (room < count) {
        if (poll_room(producer, view) != QUOIT_OK)
            return 0;
        room = room_of(producer, view);
        count = count < room ? count : room;
    }
    uint8_t *slot = producer->slot;
    uint64_t bytes = count * view->item_bytes;
    uint64_t before_end = quoit_spsc_to_end(slot, producer->end);
    if (bytes <= before_end) {
        memcpy(slot, items, (size_t)bytes);
    } else {
        memcpy(slot, items, (size_t)before_end);
        memcpy(producer->begin, (const uint8_t *)items + before_end, (size_t)(bytes - before_end));
    }
    quoit_spsc_publish(producer, count, bytes);
    return count;
}

static uint64_t pop_many(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                         void *items_out, uint64_t count)
{
    uint64_t there = items_of(consumer, view);
    if (there < count) {
        if (poll_items(consumer, view) != QUOIT_OK)
            return 0;
        there = items_of(consumer, view);
        count = count < there ? count : there;
    }
    const uint8_t *slot = consumer->slot;
    uint64_t bytes = count * view->item_bytes;
    uint64_t before_end = quoit_spsc_to_end(slot, consumer->end);
    if (bytes <= before_end) {
        memcpy(items_out, slot, (size_t)bytes);
    } else {
        memcpy(items_out, slot, (size_t)before_end);
        memcpy((uint8_t *)items_out + before_end, consumer->begin, (size_t)(bytes - before_end));
    }
    quoit_spsc_release(consumer, count, bytes);
    return count;
}

static quoit_status push(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                         const void *item, uint64_t item_bytes)
{
    (void)item_bytes;
    quoit_status status = room_of(producer, view) > 0 ? QUOIT_OK : poll_room(producer, view);
    if (status != QUOIT_OK)
        return status;
    return push_many(producer, view, item, 1) == 1 ? QUOIT_OK : QUOIT_FULL;
}

static quoit_status pop(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                        void *item_out, uint64_t *bytes_inout)
{
    *bytes_inout = view->item_bytes;
    quoit_status status = items_of(consumer, view) > 0 ? QUOIT_OK : poll_items(consumer, view);
    if (status != QUOIT_OK)
        return status;
    return pop_many(consumer, view, item_out, 1) == 1 ? QUOIT_OK : QUOIT_EMPTY;
}

static quoit_status claim(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                          uint64_t wanted, uint64_t item_bytes, void **items_out,
                          uint64_t *count_out)
{
    uint8_t *slot = producer->slot;
    uint64_t before_end = quoit_spsc_to_end(slot, producer->end) / item_bytes;
    wanted = wanted < before_end ? wanted : before_end;
    quoit_status status = room_of(producer, view) >= wanted ? QUOIT_OK : poll_room(producer, view);
    if (status != QUOIT_OK)
        return status;
    uint64_t room = room_of(producer, view);
    uint64_t claimed = room < wanted ? room : wanted;
    producer->state->claim.count = claimed;
    producer->state->claim.at = producer->position;
    *items_out = slot;
    *count_out = claimed;
    return QUOIT_OK;
}

static bool commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                   uint64_t count, uint64_t item_bytes)
{
    if (count > producer->state->claim.count || count > room_of(producer, view) ||
        (count > 0 && producer->state->claim.at != producer->position))
        return false;
    if (count > 0)
        quoit_spsc_publish(producer, count, count * item_bytes);
    producer->state->claim.count = 0;
    return true;
}

static quoit_status peek(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                         const void **items_out, uint64_t *count_out, uint64_t *bytes_out)
{
    const uint8_t *slot = consumer->slot;
    uint64_t before_end = quoit_spsc_to_end(slot, consumer->end) / view->item_bytes;
    quoit_status status = items_of(consumer, view) > 0 ? QUOIT_OK : poll_items(consumer, view);
    if (status != QUOIT_OK)
        return status;
    uint64_t there = items_of(consumer, view);
    *items_out = slot;
    *count_out = there < before_end ? there : before_end;
    *bytes_out = view->item_bytes;
    return QUOIT_OK;
}

static bool release(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                    uint64_t count)
{
    if (count > items_of(consumer, view))
        return false;
    if (count > 0)
        quoit_spsc_release(consumer, count, count * view->item_bytes);
    return true;
}

static uint64_t size(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm); /* before the tail: the size is not negative */
    uint64_t items = quoit_ring_tail(view->shm) - head;
    return items < view->capacity ? items : view->capacity;
}

static bool has_room(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm); /* before the tail: they are not further apart */
    return quoit_ring_tail(view->shm) - head != view->capacity;
}

/* Searches the last `capacity` positions at most, even if the counters are further apart. */
static bool contains(const struct quoit_ring_view *view, uint64_t item)
{
    uint64_t head = quoit_ring_head(
        view->shm); /* before the tail: queued items are between the two */
    uint64_t tail = quoit_ring_tail(view->shm);
    uint64_t position = tail - head < view->capacity ? head : tail - view->capacity;
    for (; position != tail; position++)
        if (quoit_ring_item(view->slots + position % view->capacity * view->item_bytes) == item)
            return true;
    return false;
}

static quoit_status browse(const struct quoit_ring_view *view, struct quoit_ring_browser *browser,
                           struct quoit_snapshot *snapshot)
{
    return quoit_browse_spsc(view, browser, snapshot, NULL);
}

const struct quoit_ring_ops quoit_spsc_spans = {
    QUOIT_SPSC_OPS,
    .unit_bytes = 1,
    .init = quoit_ring_init,
    .attach_producer = attach_producer,
    .attach_consumer = attach_consumer,
    .push = push,
    .pop = pop,
    .push_many = push_many,
    .pop_many = pop_many,
    .poll_room = poll_room,
    .poll_items = poll_items,
    .claim = claim,
    .commit = commit,
    .peek = peek,
    .release = release,
    .size = size,
    .totals = quoit_ring_totals,
    .has_items = quoit_spsc_shows_items,
    .has_room = has_room,
    .browse = browse,
    .contains = contains,
    .check = quoit_spsc_check,
};
