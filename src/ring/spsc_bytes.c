/* SPDX-License-Identifier: MIT */
/*
 * The bytes layout of the SPSC ring: messages of any length up to one, each behind a word that says
 * how long it is, one behind the other. The counters count bytes. A message that begins before the
 * ring's end lies in one piece: there is room for a longest one behind the end, and where the next
 * one begins, in the ring, is what it would be if it had gone round. So no byte is wasted at the
 * end, and each message can be made and read in place. Ordering as in spans, docs/ORDERING.md.
 * Limits are bounded as in spans: at most the ring's bytes ahead, and never going back.
 */
#include "ring_ops.h"

#include "fail.h"

enum { HEADER_BYTES = 8, LOOKS = 8 };

/* Of a message of that length, with its header. */
static uint64_t record_bytes(uint64_t bytes)
{
    return HEADER_BYTES + ((bytes + 7) & ~(uint64_t)7);
}

/* What all the longest messages that the ring is to hold take. */
static uint64_t ring_bytes(const struct quoit_ring_place *place)
{
    return place->capacity * record_bytes(place->item_bytes);
}

static void init(const struct quoit_ring_place *place, uint64_t start)
{
    quoit_ring_init_counters(place->shm, start);
}

static struct quoit_bytes_side side_at(const struct quoit_ring_place *place, uint64_t position)
{
    return (struct quoit_bytes_side){.position = position,
                                     .limit = position,
                                     .slot = place->slots + position % ring_bytes(place)};
}

static void advance(struct quoit_bytes_side *side, const struct quoit_ring_place *place,
                    uint64_t bytes)
{
    uint64_t at = (uint64_t)(side->slot - place->slots) + bytes;
    side->slot = place->slots + (at < ring_bytes(place) ? at : at - ring_bytes(place));
    side->position += bytes;
    side->at_hand = 0;
}

/* As many bytes lie between the counters as can, and whole words. */
static bool is_apart(const struct quoit_ring_place *place, uint64_t tail, uint64_t head)
{
    return tail - head > ring_bytes(place) || tail % 8 != 0 || head % 8 != 0;
}

static quoit_status attach(const struct quoit_ring_place *place, uint64_t *tail_out,
                           uint64_t *head_out)
{
    *head_out = quoit_ring_head(place->shm);
    *tail_out = quoit_ring_tail(place->shm);
    if (is_apart(place, *tail_out, *head_out))
        return quoit_ring_counters_apart(*tail_out, *head_out, place->capacity);
    return QUOIT_OK;
}

static quoit_status attach_producer(struct quoit_ring_producer *producer,
                                    const struct quoit_ring_place *place)
{
    uint64_t tail, head;
    quoit_status status = attach(place, &tail, &head);
    if (status != QUOIT_OK)
        return status;
    quoit_ring_producer_begin(producer, place, 0); /* its inlined paths stay shut */
    producer->bytes = side_at(place, tail);
    producer->bytes.wanted = record_bytes(place->item_bytes);
    return QUOIT_OK;
}

static quoit_status attach_consumer(struct quoit_ring_consumer *consumer,
                                    const struct quoit_ring_place *place)
{
    uint64_t tail, head;
    quoit_status status = attach(place, &tail, &head);
    if (status != QUOIT_OK)
        return status;
    quoit_ring_consumer_begin(consumer, place, 0);
    consumer->bytes = side_at(place, head);
    return QUOIT_OK;
}

/* Bytes that a side may fill, or read. */
static uint64_t span_of(const struct quoit_bytes_side *side, const struct quoit_ring_place *place)
{
    return quoit_ring_span(side->limit, side->position, ring_bytes(place));
}

/* Counts one more message that this side has moved, for people. A crash between this and the side's
   own counter can leave the number one short. */
static void count_message(quoit_atomic_u64 *messages)
{
    /* Relaxed: only this side writes it. */
    uint64_t count = atomic_load_explicit(messages, memory_order_relaxed);
    /* Relaxed: no other memory depends on it. */
    atomic_store_explicit(messages, count + 1, memory_order_relaxed);
}

/* ---- Pushing --------------------------------------------------------------------------------- */

/* For what the latest claim wanted, else for a longest one. */
static quoit_status look_for_room(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_place *place)
{
    struct quoit_bytes_side *side = &producer->bytes;
    if (quoit_spsc_is_finished(place))
        return QUOIT_FINISHED;
    uint64_t head = quoit_ring_head(place->shm);
    quoit_ring_before_fills();
    uint64_t room = ring_bytes(place) - (side->position - head);
    if (is_apart(place, side->position, head) || room < span_of(side, place))
        return quoit_ring_counters_apart(side->position, head, place->capacity);
    side->limit = head + ring_bytes(place);
    return room < side->wanted ? QUOIT_FULL : QUOIT_OK;
}

static quoit_status claim_message(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_place *place, uint64_t bytes,
                                  void **message_out)
{
    struct quoit_bytes_side *side = &producer->bytes;
    side->wanted = record_bytes(bytes);
    if (span_of(side, place) < side->wanted || quoit_spsc_is_finished(place)) {
        quoit_status status = look_for_room(producer, place);
        if (status != QUOIT_OK)
            return status;
    }
    side->at_hand = side->wanted;
    side->claimed = bytes;
    side->wanted = record_bytes(place->item_bytes);
    *message_out = side->slot + HEADER_BYTES;
    return QUOIT_OK;
}

static bool commit_message(struct quoit_ring_producer *producer,
                           const struct quoit_ring_place *place, uint64_t bytes)
{
    struct quoit_bytes_side *side = &producer->bytes;
    if (side->at_hand == 0 || bytes > side->claimed || record_bytes(bytes) > span_of(side, place))
        return false;
    quoit_ring_store_once(side->slot, bytes);
    advance(side, place, record_bytes(bytes));
    /* SPAN-P1: publishes the message and its length. Pairs with SPAN-C1 and RING-S1. */
    atomic_store_explicit(&place->shm->tail, side->position, memory_order_release);
    count_message(&place->shm->pushed_messages);
    return true;
}

static bool give_up(struct quoit_ring_producer *producer, const struct quoit_ring_place *place,
                    uint64_t count)
{
    (void)place;
    producer->bytes.at_hand = 0;
    return count == 0;
}

/* ---- Popping --------------------------------------------------------------------------------- */

static quoit_status look_for_items(struct quoit_ring_consumer *consumer,
                                   const struct quoit_ring_place *place)
{
    struct quoit_bytes_side *side = &consumer->bytes;
    uint64_t tail = quoit_ring_tail(place->shm);
    bool finished = false;
    if (tail == side->position) {
        finished = quoit_spsc_is_finished(place);
        tail = quoit_ring_tail(place->shm); /* the end may have come after more messages */
    }
    if (is_apart(place, tail, side->position) || tail - side->position < span_of(side, place))
        return quoit_ring_counters_apart(tail, side->position, place->capacity);
    side->limit = tail;
    if (tail != side->position)
        return QUOIT_OK;
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

/* How long the message there is, if that can be: it is read once, and believed no further. */
static bool length_at(const struct quoit_ring_place *place, const uint8_t *slot, uint64_t room,
                      uint64_t *bytes_out)
{
    uint64_t bytes = quoit_ring_load_once(slot);
    *bytes_out = bytes;
    return bytes <= place->item_bytes && record_bytes(bytes) <= room;
}

static quoit_status peek_message(struct quoit_ring_consumer *consumer,
                                 const struct quoit_ring_place *place, const void **message_out,
                                 uint64_t *bytes_out)
{
    struct quoit_bytes_side *side = &consumer->bytes;
    if (span_of(side, place) == 0) {
        quoit_status status = look_for_items(consumer, place);
        if (status != QUOIT_OK)
            return status;
    }
    uint64_t bytes;
    if (!length_at(place, side->slot, span_of(side, place), &bytes))
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "a message says that it has %llu bytes; the longest has %llu",
                          (unsigned long long)bytes, (unsigned long long)place->item_bytes);
    side->at_hand = record_bytes(bytes);
    *message_out = side->slot + HEADER_BYTES;
    *bytes_out = bytes;
    return QUOIT_OK;
}

static bool release(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                    uint64_t count)
{
    struct quoit_bytes_side *side = &consumer->bytes;
    uint64_t bytes = side->at_hand;
    if (count > (bytes > 0 ? 1u : 0u) || bytes > span_of(side, place))
        return false;
    if (count == 0)
        return true;
    advance(side, place, bytes);
    /* SPAN-C2: the message is read, its room may be filled again. Pairs with SPSC-P3, BYTES-S1
       and LOOK-S1. */
    atomic_store_explicit(&place->shm->head, side->position, memory_order_release);
    count_message(&place->shm->popped_messages);
    return true;
}

/* ---- By anyone ------------------------------------------------------------------------------- */

static bool has_items(const struct quoit_ring_place *place)
{
    return quoit_ring_tail(place->shm) != quoit_ring_head(place->shm);
}

/* From message to message; what moves or lies meanwhile cannot lead outside, nor for long.
   length_out: of one that cannot be, else 0. false: the consumer moved on, and what was walked over
   may have been overwritten. */
static bool count_messages(const struct quoit_ring_place *place, uint64_t *count_out,
                           uint64_t *length_out)
{
    uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm);
    *count_out = 0;
    *length_out = 0;
    if (is_apart(place, tail, head))
        return quoit_ring_head(place->shm) == head;
    struct quoit_bytes_side at = side_at(place, head);
    for (uint64_t bytes; at.position != tail && *length_out == 0; ++*count_out) {
        if (length_at(place, at.slot, tail - at.position, &bytes))
            advance(&at, place, record_bytes(bytes));
        else
            *length_out = bytes;
    }
    /* BYTES-S1: the lengths were read before the next look at the head. Pairs with SPAN-C2 and
       LOOK-P1. */
    atomic_thread_fence(memory_order_acquire);
    return quoit_ring_head(place->shm) == head;
}

/* While a consumer does not stand still: as many as there were at the last look. */
static uint64_t size(const struct quoit_ring_place *place)
{
    uint64_t count = 0, length;
    for (int looks = 0; looks < LOOKS; looks++)
        if (count_messages(place, &count, &length))
            return count;
    return count > 0 || !has_items(place) ? count : 1;
}

/* Also true if the counters are impossible: the call then returns CORRUPT. */
static bool has_room_for(const struct quoit_ring_place *place, uint64_t wanted)
{
    uint64_t head = quoit_ring_head(place->shm); /* before the tail: they are not further apart */
    uint64_t tail = quoit_ring_tail(place->shm);
    return is_apart(place, tail, head) || ring_bytes(place) - (tail - head) >= wanted;
}

static bool has_room(const struct quoit_ring_place *place)
{
    return has_room_for(place, record_bytes(place->item_bytes));
}

/* A position that is no message's beginning cannot come about but by a cursor made up. */
static quoit_status look(const struct quoit_ring_place *place, struct quoit_browser *cursor,
                         struct quoit_glance *glance)
{
    for (int looks = 0; looks < LOOKS; looks++) {
        bool finished = quoit_spsc_is_finished(place);
        uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm), bytes;
        bool taken = cursor->begun && quoit_ring_is_before(cursor->next, head);
        if (!cursor->begun || taken)
            *cursor = (struct quoit_browser){
                .next = head, .missed = cursor->missed + taken, .begun = 1};
        if (cursor->next == tail || tail - cursor->next > ring_bytes(place))
            return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
        const uint8_t *slot = place->slots + cursor->next % ring_bytes(place);
        bool can_be = cursor->next % 8 == 0 && length_at(place, slot, tail - cursor->next, &bytes);
        if (can_be)
            quoit_glance_copy(glance, slot + HEADER_BYTES, bytes);
        quoit_glance_fence();
        if (quoit_ring_is_before(cursor->next, quoit_ring_head(place->shm)))
            continue; /* taken meanwhile */
        if (can_be)
            return quoit_glance_end(glance, cursor, record_bytes(bytes));
        return quoit_fail(QUOIT_ERROR_CORRUPT, "no message can begin at byte %llu of the ring",
                          (unsigned long long)(cursor->next % ring_bytes(place)));
    }
    return QUOIT_EMPTY;
}

/* The counters, and the length of each message from the one to the other. */
static quoit_status check(const struct quoit_ring_place *place)
{
    uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm), count, length;
    if (quoit_ring_head(place->shm) == head && is_apart(place, tail, head))
        return quoit_ring_counters_apart(tail, head, place->capacity);
    if (count_messages(place, &count, &length) && length > 0)
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "a message says that it has %llu bytes; the longest has %llu",
                          (unsigned long long)length, (unsigned long long)place->item_bytes);
    return quoit_ring_check_finished(place);
}

const struct quoit_ring_ops quoit_spsc_bytes = {
    .stride = record_bytes,
    .init = init,
    .attach_producer = attach_producer,
    .attach_consumer = attach_consumer,
    .detach = quoit_spsc_detach,
    .look_for_room = look_for_room,
    .look_for_items = look_for_items,
    .commit = give_up,
    .release = release,
    .claim_message = claim_message,
    .commit_message = commit_message,
    .peek_message = peek_message,
    .finish = quoit_spsc_finish,
    .is_finished = quoit_spsc_is_finished,
    .is_over = quoit_spsc_is_over,
    .size = size,
    .has_items = has_items,
    .has_room = has_room,
    .has_room_for = has_room_for,
    .look = look,
    .check = check,
};
