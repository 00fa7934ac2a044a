/* SPDX-License-Identifier: MIT */
/*
 * The bytes layout of the SPSC ring: variable-size messages up to a longest one, one behind the
 * other, each behind a header with its length and its number. The counters count bytes. A message
 * that begins before the ring's end is in one piece: there is room for a longest one behind the
 * end. The next message begins where it would if this one had wrapped around. So no byte is wasted
 * at the end, and each message can be made and read in place. Ordering as in spans,
 * docs/ORDERING.md.
 *
 * The ring is full at `capacity` messages, however short they are. The number of the message at the
 * head shows the producer how many there are. The producer has written that number itself, before
 * the tail, so it is right whenever the consumer crashes, and needs no counter of the consumer.
 * There is room for a longest message while there are fewer than `capacity`.
 *
 * Limits are bounded as in spans: the producer's is at most `capacity` messages ahead, the
 * consumer's at most the ring's bytes, and neither goes back.
 */
#include "ring_ops.h"

#include "fail.h"

enum { HEADER_BYTES = 8, LOOKS = 8 };

/* The bytes of a message of that length, with its header. Messages stay aligned: the first one is,
   and each record is a multiple of the alignment. */
static uint64_t record_bytes(const struct quoit_ring_place *place, uint64_t bytes)
{
    return quoit_ring_round_up(HEADER_BYTES + bytes, place->align);
}

/* The ring's size: `capacity` longest messages. */
static uint64_t ring_bytes(const struct quoit_ring_place *place)
{
    return place->capacity * place->stride;
}

static void init(const struct quoit_ring_place *place, uint64_t start)
{
    quoit_ring_init_counters(place->shm, start);
}

static uint8_t *slot_at(const struct quoit_ring_place *place, uint64_t position)
{
    return place->slots + position % ring_bytes(place);
}

/* Where the record behind this one, of so many bytes, begins. */
static uint8_t *slot_behind(const struct quoit_ring_place *place, const uint8_t *slot,
                            uint64_t bytes)
{
    uint64_t at = (uint64_t)(slot - place->slots) + bytes;
    return place->slots + (at < ring_bytes(place) ? at : at - ring_bytes(place));
}

/* ---- Headers: the lowest 32 bits are the length, the others the lowest of the number --------- */

static uint64_t header_of(uint64_t bytes, uint64_t number)
{
    return number << 32 | bytes;
}

static uint32_t number_at(const uint8_t *slot)
{
    return (uint32_t)(quoit_ring_load_once(slot) >> 32);
}

/* Reads the length of the message at `slot`, once. false: it is too long, so it cannot be right. */
static bool length_at(const struct quoit_ring_place *place, const uint8_t *slot, uint64_t room,
                      uint64_t *bytes_out)
{
    uint64_t bytes = quoit_ring_load_once(slot) & UINT32_MAX;
    *bytes_out = bytes;
    return bytes <= place->item_bytes && record_bytes(place, bytes) <= room;
}

static quoit_status bad_length(const struct quoit_ring_place *place, uint64_t bytes)
{
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "a message says that it has %llu bytes; the longest has %llu",
                      (unsigned long long)bytes, (unsigned long long)place->item_bytes);
}

/* Counts the messages from head to tail. false: the length length_out cannot be right; else it
   is 0. */
static bool walk(const struct quoit_ring_place *place, uint64_t head, uint64_t tail,
                 uint64_t *count_out, uint64_t *length_out)
{
    const uint8_t *slot = slot_at(place, head);
    *length_out = 0;
    for (*count_out = 0; head != tail; ++*count_out) {
        uint64_t bytes;
        if (!length_at(place, slot, tail - head, &bytes)) {
            *length_out = bytes;
            return false;
        }
        head += record_bytes(place, bytes);
        slot = slot_behind(place, slot, record_bytes(place, bytes));
    }
    return true;
}

static uint64_t load_pushed(const struct quoit_ring_place *place)
{
    /* Relaxed: a number for people, and a hint for a descriptor's thread, which has read the tail
       before. */
    return atomic_load_explicit(&place->shm->pushed_messages, memory_order_relaxed);
}

static void store_pushed(const struct quoit_ring_place *place, uint64_t count)
{
    /* Relaxed: SPAN-P1 orders it before the tail. */
    atomic_store_explicit(&place->shm->pushed_messages, count, memory_order_relaxed);
}

/* Are the counters further apart than the ring's size, or is one of them inside a record? */
static bool is_apart(const struct quoit_ring_place *place, uint64_t tail, uint64_t head)
{
    return tail - head > ring_bytes(place) || tail % place->align != 0 || head % place->align != 0;
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

/* Finds the number of the next message. A crashed producer may have counted one more than it
   pushed. Queued messages do not change meanwhile: only the producer overwrites them. */
static quoit_status find_number(const struct quoit_ring_place *place, uint64_t head, uint64_t tail,
                                uint64_t *number_out)
{
    uint64_t count, length;
    *number_out = load_pushed(place);
    if (!walk(place, head, tail, &count, &length))
        return bad_length(place, length);
    if (count > place->capacity)
        return quoit_ring_counters_apart(tail, head, place->capacity);
    if (count > 0)
        *number_out -= (uint32_t)((uint32_t)*number_out - number_at(slot_at(place, head)) -
                                  (uint32_t)count);
    store_pushed(place, *number_out);
    return QUOIT_OK;
}

static quoit_status attach_producer(struct quoit_ring_producer *producer,
                                    const struct quoit_ring_place *place)
{
    uint64_t tail, head, number;
    quoit_status status = attach(place, &tail, &head);
    if (status == QUOIT_OK)
        status = find_number(place, head, tail, &number);
    if (status != QUOIT_OK)
        return status;
    quoit_ring_producer_begin(producer, place, 0); /* its fast path stays disabled */
    producer->state->bytes = (struct quoit_bytes_producer){
        .position = tail, .number = number, .limit = number, .slot = slot_at(place, tail)};
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
    consumer->state->bytes = (struct quoit_bytes_consumer){
        .position = head, .limit = head, .slot = slot_at(place, head)};
    return QUOIT_OK;
}

/* ---- Pushing --------------------------------------------------------------------------------- */

/* Messages that may be pushed before the head must be read again. */
static uint64_t room_of(const struct quoit_bytes_producer *side,
                        const struct quoit_ring_place *place)
{
    return quoit_ring_span(side->limit, side->number, place->capacity);
}

/* Moves the limit to where the consumer is now. */
static quoit_status look_for_room(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_place *place)
{
    struct quoit_bytes_producer *side = &producer->state->bytes;
    if (quoit_spsc_is_finished(place))
        return QUOIT_FINISHED;
    uint64_t head = quoit_ring_head(place->shm), queued = 0;
    quoit_ring_before_fills();
    bool apart = is_apart(place, side->position, head);
    if (!apart && head != side->position) {
        queued = (uint32_t)((uint32_t)side->number - number_at(slot_at(place, head)));
        apart = queued == 0 || queued > place->capacity;
    }
    if (apart || place->capacity - queued < room_of(side, place))
        return quoit_ring_counters_apart(side->position, head, place->capacity);
    side->limit = side->number + (place->capacity - queued);
    return queued == place->capacity ? QUOIT_FULL : QUOIT_OK;
}

static quoit_status claim(struct quoit_ring_producer *producer,
                          const struct quoit_ring_place *place, uint64_t wanted, uint64_t bytes,
                          void **message_out, uint64_t *count_out)
{
    struct quoit_bytes_producer *side = &producer->state->bytes;
    (void)wanted; /* one message at a time */
    if (room_of(side, place) == 0 || quoit_spsc_is_finished(place)) {
        quoit_status status = look_for_room(producer, place);
        if (status != QUOIT_OK)
            return status;
    }
    side->is_claimed = true;
    side->claimed_bytes = bytes;
    *message_out = side->slot + HEADER_BYTES;
    *count_out = 1;
    return QUOIT_OK;
}

static bool commit(struct quoit_ring_producer *producer, const struct quoit_ring_place *place,
                   uint64_t count, uint64_t bytes)
{
    struct quoit_bytes_producer *side = &producer->state->bytes;
    if (count == 0) {
        side->is_claimed = false;
        return true;
    }
    if (count > 1 || !side->is_claimed || bytes > side->claimed_bytes || room_of(side, place) == 0)
        return false;
    quoit_ring_store_once(side->slot, header_of(bytes, side->number));
    side->is_claimed = false;
    side->slot = slot_behind(place, side->slot, record_bytes(place, bytes));
    side->position += record_bytes(place, bytes);
    side->number++;
    store_pushed(place, side->number);
    /* SPAN-P1: publishes the message and its header. Pairs with SPAN-C1 and RING-S1. */
    atomic_store_explicit(&place->shm->tail, side->position, memory_order_release);
    return true;
}

/* ---- Popping --------------------------------------------------------------------------------- */

/* Bytes that may be read before the tail must be read again. */
static uint64_t span_of(const struct quoit_bytes_consumer *side,
                        const struct quoit_ring_place *place)
{
    return quoit_ring_span(side->limit, side->position, ring_bytes(place));
}

static quoit_status look_for_items(struct quoit_ring_consumer *consumer,
                                   const struct quoit_ring_place *place)
{
    struct quoit_bytes_consumer *side = &consumer->state->bytes;
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

static quoit_status peek(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                         const void **message_out, uint64_t *count_out, uint64_t *bytes_out)
{
    struct quoit_bytes_consumer *side = &consumer->state->bytes;
    if (span_of(side, place) == 0) {
        quoit_status status = look_for_items(consumer, place);
        if (status != QUOIT_OK)
            return status;
    }
    uint64_t bytes;
    if (!length_at(place, side->slot, span_of(side, place), &bytes))
        return bad_length(place, bytes);
    side->peeked_bytes = record_bytes(place, bytes);
    *message_out = side->slot + HEADER_BYTES;
    *count_out = 1;
    *bytes_out = bytes;
    return QUOIT_OK;
}

static bool release(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                    uint64_t count)
{
    struct quoit_bytes_consumer *side = &consumer->state->bytes;
    uint64_t bytes = side->peeked_bytes;
    if (count > (bytes > 0 ? 1u : 0u) || bytes > span_of(side, place))
        return false;
    if (count == 0)
        return true;
    side->peeked_bytes = 0;
    side->slot = slot_behind(place, side->slot, bytes);
    side->position += bytes;
    /* SPAN-C2: the message is read, its room may be filled again. Pairs with SPSC-P3, BYTES-S1
       and LOOK-S1. */
    atomic_store_explicit(&place->shm->head, side->position, memory_order_release);
    return true;
}

/* ---- By any process -------------------------------------------------------------------------- */

static bool has_items(const struct quoit_ring_place *place)
{
    return quoit_ring_tail(place->shm) != quoit_ring_head(place->shm);
}

/* Counts the queued messages. Changed or false lengths cannot lead out of the ring, or into an
   endless loop. length_out: a length that cannot be right, else 0. false: the consumer has moved
   on, so the messages may have been overwritten meanwhile. */
static bool count_messages(const struct quoit_ring_place *place, uint64_t *count_out,
                           uint64_t *length_out)
{
    uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm);
    *count_out = 0;
    *length_out = 0;
    if (is_apart(place, tail, head))
        return quoit_ring_head(place->shm) == head;
    (void)walk(place, head, tail, count_out, length_out);
    /* BYTES-S1: the lengths were read before the next load of the head. Pairs with SPAN-C2 and
       LOOK-P1. */
    atomic_thread_fence(memory_order_acquire);
    return quoit_ring_head(place->shm) == head;
}

/* While the consumer keeps moving: the count of the last attempt. */
static uint64_t size(const struct quoit_ring_place *place)
{
    uint64_t count = 0, length;
    for (int looks = 0; looks < LOOKS && !count_messages(place, &count, &length); looks++)
        ;
    if (count == 0 && has_items(place))
        return 1;
    return count < place->capacity ? count : place->capacity;
}

static struct quoit_ring_totals totals(const struct quoit_ring_place *place, uint64_t size_now)
{
    (void)size_now; /* of messages */
    return (struct quoit_ring_totals){.pushed = quoit_ring_tail(place->shm),
                                      .popped = quoit_ring_head(place->shm),
                                      .pushed_items = load_pushed(place)};
}

/* Also true if the counters are impossible: the call then returns CORRUPT. The number of messages
   ever pushed is read after the tail, so it counts the message at the head. */
static bool has_room(const struct quoit_ring_place *place)
{
    for (int looks = 0; looks < LOOKS; looks++) {
        uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm);
        if (head == tail || is_apart(place, tail, head))
            return true;
        uint32_t number = number_at(slot_at(place, head));
        uint32_t queued = (uint32_t)load_pushed(place) - number;
        /* BYTES-S1: the number was read before the next load of the head. Pairs with SPAN-C2 and
           LOOK-P1. */
        atomic_thread_fence(memory_order_acquire);
        if (quoit_ring_head(place->shm) == head)
            return queued == 0 || queued != place->capacity;
    }
    return true;
}

/* Only a forged cursor has a position at which no message begins. */
static quoit_status look(const struct quoit_ring_place *place, struct quoit_ring_cursor *cursor,
                         struct quoit_glance *glance)
{
    for (int looks = 0; looks < LOOKS; looks++) {
        bool finished = quoit_spsc_is_finished(place);
        uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm), bytes;
        bool taken = cursor->begun && quoit_ring_is_before(cursor->next, head);
        if (!cursor->begun || taken)
            *cursor = (struct quoit_ring_cursor){
                .next = head, .missed = cursor->missed + taken, .begun = 1};
        if (cursor->next == tail || tail - cursor->next > ring_bytes(place))
            return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
        const uint8_t *slot = place->slots + cursor->next % ring_bytes(place);
        bool can_be = cursor->next % place->align == 0 &&
                      length_at(place, slot, tail - cursor->next, &bytes);
        if (can_be)
            quoit_glance_copy(glance, slot + HEADER_BYTES, bytes);
        quoit_glance_fence();
        if (quoit_ring_is_before(cursor->next, quoit_ring_head(place->shm)))
            continue; /* taken meanwhile */
        if (can_be)
            return quoit_glance_end(glance, cursor, record_bytes(place, bytes));
        return quoit_fail(QUOIT_ERROR_CORRUPT, "no message can begin at byte %llu of the ring",
                          (unsigned long long)(cursor->next % ring_bytes(place)));
    }
    return QUOIT_EMPTY;
}

/* Checks the counters, the length of each message between them, and that there are no more messages
   than the capacity. */
static quoit_status check(const struct quoit_ring_place *place)
{
    uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm), count, length;
    if (quoit_ring_head(place->shm) == head && is_apart(place, tail, head))
        return quoit_ring_counters_apart(tail, head, place->capacity);
    if (count_messages(place, &count, &length)) {
        if (length > 0)
            return bad_length(place, length);
        if (count > place->capacity)
            return quoit_ring_counters_apart(tail, head, place->capacity);
    }
    return quoit_ring_check_finished(place);
}

const struct quoit_ring_ops quoit_spsc_bytes = {
    .header_bytes = HEADER_BYTES,
    .unit_bytes = 8,
    .most_capacity = UINT32_MAX, /* numbers have 32 bits */
    .spare_slots = 1,            /* a longest message may begin just before the ring's end */
    .init = init,
    .attach_producer = attach_producer,
    .attach_consumer = attach_consumer,
    .detach = quoit_spsc_detach,
    .look_for_room = look_for_room,
    .look_for_items = look_for_items,
    .push = quoit_ring_push_message,
    .pop = quoit_ring_pop_message,
    .claim = claim,
    .commit = commit,
    .peek = peek,
    .release = release,
    .bytes_per_step = 64,
    .pushes = quoit_spsc_pushes,
    .pops = quoit_spsc_pops,
    .end = quoit_spsc_end,
    .is_finished = quoit_spsc_is_finished,
    .is_over = quoit_spsc_is_over,
    .size = size,
    .totals = totals,
    .has_items = has_items,
    .has_room = has_room,
    .look = look,
    .check = check,
};
