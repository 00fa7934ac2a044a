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

static void init(const struct quoit_ring_place *place, uint64_t start)
{
    quoit_ring_init_counters(place->shm, start);
}

static quoit_status attach_producer(struct quoit_ring_producer *producer,
                                    const struct quoit_ring_place *place)
{
    uint64_t head = quoit_ring_head(place->shm);
    uint64_t tail = quoit_ring_tail(place->shm);
    if (tail - head > place->capacity)
        return quoit_ring_counters_apart(tail, head, place->capacity);
    quoit_ring_producer_begin(producer, place, tail);
    return QUOIT_OK;
}

static quoit_status attach_consumer(struct quoit_ring_consumer *consumer,
                                    const struct quoit_ring_place *place)
{
    uint64_t head = quoit_ring_head(place->shm);
    uint64_t tail = quoit_ring_tail(place->shm);
    if (tail - head > place->capacity)
        return quoit_ring_counters_apart(tail, head, place->capacity);
    quoit_ring_consumer_begin(consumer, place, head);
    return QUOIT_OK;
}

static uint64_t room_of(const struct quoit_ring_producer *producer,
                        const struct quoit_ring_place *place)
{
    return quoit_ring_span(producer->limit, producer->position, place->capacity);
}

static uint64_t items_of(const struct quoit_ring_consumer *consumer,
                         const struct quoit_ring_place *place)
{
    return quoit_ring_span(consumer->limit, consumer->position, place->capacity);
}

/* Moves the limit to where the consumer is now. */
static quoit_status look_for_room(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_place *place)
{
    if (quoit_spsc_is_finished(place))
        return QUOIT_FINISHED;
    uint64_t head = quoit_ring_head(place->shm), used = producer->position - head;
    quoit_ring_before_fills();
    if (used > place->capacity || place->capacity - used < room_of(producer, place))
        return quoit_ring_counters_apart(producer->position, head, place->capacity);
    producer->limit = head + place->capacity;
    return used == place->capacity ? QUOIT_FULL : QUOIT_OK;
}

/* Moves the limit to where the producer is now. */
static quoit_status look_for_items(struct quoit_ring_consumer *consumer,
                                   const struct quoit_ring_place *place)
{
    uint64_t tail = quoit_ring_tail(place->shm);
    bool finished = false;
    if (tail == consumer->position) {
        finished = quoit_spsc_is_finished(place);
        tail = quoit_ring_tail(place->shm); /* the end may have come after more items */
    }
    uint64_t items = tail - consumer->position;
    if (items > place->capacity || items < items_of(consumer, place))
        return quoit_ring_counters_apart(tail, consumer->position, place->capacity);
    consumer->limit = tail;
    if (items > 0)
        return QUOIT_OK;
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

static uint64_t push_many(struct quoit_ring_producer *producer,
                          const struct quoit_ring_place *place, const void *items, uint64_t count)
{
    uint64_t room = room_of(producer, place);
    if (room < count) {
        if (look_for_room(producer, place) != QUOIT_OK)
            return 0;
        room = room_of(producer, place);
        count = count < room ? count : room;
    }
    uint8_t *slot = producer->slot;
    uint64_t bytes = count * place->item_bytes;
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

static uint64_t pop_many(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                         void *items_out, uint64_t count)
{
    uint64_t there = items_of(consumer, place);
    if (there < count) {
        if (look_for_items(consumer, place) != QUOIT_OK)
            return 0;
        there = items_of(consumer, place);
        count = count < there ? count : there;
    }
    const uint8_t *slot = consumer->slot;
    uint64_t bytes = count * place->item_bytes;
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

static quoit_status push(struct quoit_ring_producer *producer, const struct quoit_ring_place *place,
                         const void *item, uint64_t item_bytes)
{
    (void)item_bytes;
    if (room_of(producer, place) == 0) {
        quoit_status status = look_for_room(producer, place);
        if (status != QUOIT_OK)
            return status;
    }
    return push_many(producer, place, item, 1) == 1 ? QUOIT_OK : QUOIT_FULL;
}

static quoit_status pop(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                        void *item_out, uint64_t *bytes_inout)
{
    *bytes_inout = place->item_bytes;
    if (items_of(consumer, place) == 0) {
        quoit_status status = look_for_items(consumer, place);
        if (status != QUOIT_OK)
            return status;
    }
    return pop_many(consumer, place, item_out, 1) == 1 ? QUOIT_OK : QUOIT_EMPTY;
}

static quoit_status claim(struct quoit_ring_producer *producer,
                          const struct quoit_ring_place *place, uint64_t wanted,
                          uint64_t item_bytes, void **items_out, uint64_t *count_out)
{
    uint8_t *slot = producer->slot;
    uint64_t before_end = quoit_spsc_to_end(slot, producer->end) / item_bytes;
    wanted = wanted < before_end ? wanted : before_end;
    if (room_of(producer, place) < wanted) {
        quoit_status status = look_for_room(producer, place);
        if (status != QUOIT_OK)
            return status;
    }
    uint64_t room = room_of(producer, place);
    uint64_t claimed = room < wanted ? room : wanted;
    producer->state->claim.count = claimed;
    producer->state->claim.at = producer->position;
    *items_out = slot;
    *count_out = claimed;
    return QUOIT_OK;
}

static bool commit(struct quoit_ring_producer *producer, const struct quoit_ring_place *place,
                   uint64_t count, uint64_t item_bytes)
{
    if (count > producer->state->claim.count || count > room_of(producer, place) ||
        (count > 0 && producer->state->claim.at != producer->position))
        return false;
    if (count > 0)
        quoit_spsc_publish(producer, count, count * item_bytes);
    producer->state->claim.count = 0;
    return true;
}

static quoit_status peek(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                         const void **items_out, uint64_t *count_out, uint64_t *bytes_out)
{
    const uint8_t *slot = consumer->slot;
    uint64_t before_end = quoit_spsc_to_end(slot, consumer->end) / place->item_bytes;
    if (items_of(consumer, place) == 0) {
        quoit_status status = look_for_items(consumer, place);
        if (status != QUOIT_OK)
            return status;
    }
    uint64_t there = items_of(consumer, place);
    *items_out = slot;
    *count_out = there < before_end ? there : before_end;
    *bytes_out = place->item_bytes;
    return QUOIT_OK;
}

static bool release(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                    uint64_t count)
{
    if (count > items_of(consumer, place))
        return false;
    if (count > 0)
        quoit_spsc_release(consumer, count, count * place->item_bytes);
    return true;
}

static uint64_t size(const struct quoit_ring_place *place)
{
    uint64_t head = quoit_ring_head(place->shm); /* before the tail: the size is not negative */
    uint64_t items = quoit_ring_tail(place->shm) - head;
    return items < place->capacity ? items : place->capacity;
}

/* Also true if the counters are impossible: the call then returns CORRUPT. */
static bool has_items(const struct quoit_ring_place *place)
{
    return quoit_ring_tail(place->shm) != quoit_ring_head(place->shm);
}

static bool has_room(const struct quoit_ring_place *place)
{
    uint64_t head = quoit_ring_head(place->shm); /* before the tail: they are not further apart */
    return quoit_ring_tail(place->shm) - head != place->capacity;
}

/* Searches the last `capacity` positions at most, even if the counters are further apart. */
static bool contains(const struct quoit_ring_place *place, uint64_t item)
{
    uint64_t head = quoit_ring_head(
        place->shm); /* before the tail: queued items are between the two */
    uint64_t tail = quoit_ring_tail(place->shm);
    uint64_t position = tail - head < place->capacity ? head : tail - place->capacity;
    for (; position != tail; position++)
        if (quoit_ring_item(place->slots + position % place->capacity * place->item_bytes) == item)
            return true;
    return false;
}

static quoit_status look(const struct quoit_ring_place *place, struct quoit_ring_cursor *cursor,
                         struct quoit_glance *glance)
{
    return quoit_look_spsc(place, cursor, glance, NULL);
}

const struct quoit_ring_ops quoit_spsc_spans = {
    .unit_bytes = 1,
    .init = init,
    .attach_producer = attach_producer,
    .attach_consumer = attach_consumer,
    .detach = quoit_spsc_detach,
    .push = push,
    .pop = pop,
    .push_many = push_many,
    .pop_many = pop_many,
    .look_for_room = look_for_room,
    .look_for_items = look_for_items,
    .claim = claim,
    .commit = commit,
    .peek = peek,
    .release = release,
    .end = quoit_spsc_end,
    .pushes = quoit_spsc_pushes,
    .pops = quoit_spsc_pops,
    .is_finished = quoit_spsc_is_finished,
    .is_over = quoit_spsc_is_over,
    .size = size,
    .totals = quoit_ring_totals,
    .has_items = has_items,
    .has_room = has_room,
    .look = look,
    .contains = contains,
    .check = quoit_spsc_check,
};
