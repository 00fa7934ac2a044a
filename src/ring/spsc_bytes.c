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

enum { HEADER_BYTES = 8, TRIES = 8 };

/* The bytes of a message of that length, with its header. Messages stay aligned: the first one is,
   and each record is a multiple of the alignment. */
static uint64_t record_bytes(const struct quoit_ring_view *view, uint64_t bytes)
{
    return quoit_ring_round_up(HEADER_BYTES + bytes, view->align);
}

/* The ring's size: `capacity` longest messages. */
static uint64_t ring_bytes(const struct quoit_ring_view *view)
{
    return view->capacity * view->stride;
}

static uint8_t *slot_at(const struct quoit_ring_view *view, uint64_t position)
{
    return view->slots + position % ring_bytes(view);
}

/* Where the record behind this one, of so many bytes, begins. */
static uint8_t *slot_behind(const struct quoit_ring_view *view, const uint8_t *slot, uint64_t bytes)
{
    uint64_t at = (uint64_t)(slot - view->slots) + bytes;
    return view->slots + (at < ring_bytes(view) ? at : at - ring_bytes(view));
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
static bool length_at(const struct quoit_ring_view *view, const uint8_t *slot, uint64_t room,
                      uint64_t *bytes_out)
{
    uint64_t bytes = quoit_ring_load_once(slot) & UINT32_MAX;
    *bytes_out = bytes;
    return bytes <= view->item_bytes && record_bytes(view, bytes) <= room;
}

static quoit_status bad_length(const struct quoit_ring_view *view, uint64_t bytes)
{
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "ring: the length of a message is %llu bytes, but the longest allowed has "
                      "%llu; the queue is damaged: remove it with 'quoit rm'",
                      (unsigned long long)bytes, (unsigned long long)view->item_bytes);
}

/* Counts the messages from head to tail. false: the length length_out cannot be right; else it
   is 0. */
static bool walk(const struct quoit_ring_view *view, uint64_t head, uint64_t tail,
                 uint64_t *count_out, uint64_t *length_out)
{
    const uint8_t *slot = slot_at(view, head);
    *length_out = 0;
    for (*count_out = 0; head != tail; ++*count_out) {
        uint64_t bytes;
        if (!length_at(view, slot, tail - head, &bytes)) {
            *length_out = bytes;
            return false;
        }
        head += record_bytes(view, bytes);
        slot = slot_behind(view, slot, record_bytes(view, bytes));
    }
    return true;
}

static uint64_t load_pushed(const struct quoit_ring_view *view)
{
    /* Relaxed: SPAN-C1 came before it, where a descriptor's thread compares it with a message's
       number. Otherwise it is a number for people. */
    return atomic_load_explicit(&view->shm->pushed_messages, memory_order_relaxed);
}

static void store_pushed(const struct quoit_ring_view *view, uint64_t count)
{
    /* Relaxed: SPAN-P1 orders it before the tail. */
    atomic_store_explicit(&view->shm->pushed_messages, count, memory_order_relaxed);
}

/* Are the counters further apart than the ring's size, or is one of them inside a record? */
static bool is_apart(const struct quoit_ring_view *view, uint64_t tail, uint64_t head)
{
    return tail - head > ring_bytes(view) || tail % view->align != 0 || head % view->align != 0;
}

static quoit_status attach(const struct quoit_ring_view *view, uint64_t *tail_out,
                           uint64_t *head_out)
{
    *head_out = quoit_ring_head(view->shm);
    *tail_out = quoit_ring_tail(view->shm);
    if (is_apart(view, *tail_out, *head_out))
        return quoit_ring_counters_apart(*tail_out, *head_out, view->capacity);
    return QUOIT_OK;
}

/* Finds the number of the next message. A crashed producer may have counted one more than it
   pushed. Queued messages do not change meanwhile: only the producer overwrites them. */
static quoit_status find_number(const struct quoit_ring_view *view, uint64_t head, uint64_t tail,
                                uint64_t *number_out)
{
    uint64_t count, length;
    *number_out = load_pushed(view);
    if (!walk(view, head, tail, &count, &length))
        return bad_length(view, length);
    if (count > view->capacity)
        return quoit_ring_counters_apart(tail, head, view->capacity);
    if (count > 0)
        *number_out -= (uint32_t)((uint32_t)*number_out - number_at(slot_at(view, head)) -
                                  (uint32_t)count);
    store_pushed(view, *number_out);
    return QUOIT_OK;
}

static quoit_status attach_producer(struct quoit_ring_producer *producer,
                                    const struct quoit_ring_view *view)
{
    uint64_t tail, head, number;
    quoit_status status = attach(view, &tail, &head);
    if (status == QUOIT_OK)
        status = find_number(view, head, tail, &number);
    if (status != QUOIT_OK)
        return status;
    quoit_ring_producer_begin(producer, view, 0); /* its fast path stays disabled */
    producer->state->bytes = (struct quoit_bytes_producer){
        .position = tail, .number = number, .limit = number, .slot = slot_at(view, tail)};
    return QUOIT_OK;
}

static quoit_status attach_consumer(struct quoit_ring_consumer *consumer,
                                    const struct quoit_ring_view *view)
{
    uint64_t tail, head;
    quoit_status status = attach(view, &tail, &head);
    if (status != QUOIT_OK)
        return status;
    quoit_ring_consumer_begin(consumer, view, 0);
    consumer->state->bytes = (struct quoit_bytes_consumer){
        .position = head, .limit = head, .slot = slot_at(view, head)};
    return QUOIT_OK;
}

/* ---- Pushing --------------------------------------------------------------------------------- */

/* Messages that may be pushed before the head must be read again. */
static uint64_t room_of(const struct quoit_bytes_producer *side, const struct quoit_ring_view *view)
{
    return quoit_ring_span(side->limit, side->number, view->capacity);
}

/* Moves the limit to where the consumer is now. */
static quoit_status poll_room(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view)
{
    struct quoit_bytes_producer *side = &producer->state->bytes;
    if (quoit_spsc_is_finished(view))
        return QUOIT_FINISHED;
    uint64_t head = quoit_ring_head(view->shm), queued = 0;
    quoit_ring_before_fills();
    bool apart = is_apart(view, side->position, head);
    if (!apart && head != side->position) {
        queued = (uint32_t)((uint32_t)side->number - number_at(slot_at(view, head)));
        apart = queued == 0 || queued > view->capacity;
    }
    if (apart || view->capacity - queued < room_of(side, view))
        return quoit_ring_counters_apart(side->position, head, view->capacity);
    side->limit = side->number + (view->capacity - queued);
    return queued == view->capacity ? QUOIT_FULL : QUOIT_OK;
}

static quoit_status claim(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                          uint64_t wanted, uint64_t bytes, void **message_out, uint64_t *count_out)
{
    struct quoit_bytes_producer *side = &producer->state->bytes;
    (void)wanted; /* one message at a time */
    if (room_of(side, view) == 0 || quoit_spsc_is_finished(view)) {
        quoit_status status = poll_room(producer, view);
        if (status != QUOIT_OK)
            return status;
    }
    side->is_claimed = true;
    side->claimed_bytes = bytes;
    *message_out = side->slot + HEADER_BYTES;
    *count_out = 1;
    return QUOIT_OK;
}

static bool commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                   uint64_t count, uint64_t bytes)
{
    struct quoit_bytes_producer *side = &producer->state->bytes;
    if (count == 0) {
        side->is_claimed = false;
        return true;
    }
    if (count > 1 || !side->is_claimed || bytes > side->claimed_bytes || room_of(side, view) == 0)
        return false;
    quoit_ring_store_once(side->slot, header_of(bytes, side->number));
    side->is_claimed = false;
    side->slot = slot_behind(view, side->slot, record_bytes(view, bytes));
    side->position += record_bytes(view, bytes);
    side->number++;
    store_pushed(view, side->number);
    /* SPAN-P1: publishes the message and its header. Pairs with SPAN-C1 and RING-S1. */
    atomic_store_explicit(&view->shm->tail, side->position, memory_order_release);
    return true;
}

/* ---- Popping --------------------------------------------------------------------------------- */

/* Bytes that may be read before the tail must be read again. */
static uint64_t span_of(const struct quoit_bytes_consumer *side, const struct quoit_ring_view *view)
{
    return quoit_ring_span(side->limit, side->position, ring_bytes(view));
}

static quoit_status poll_items(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view)
{
    struct quoit_bytes_consumer *side = &consumer->state->bytes;
    uint64_t tail = quoit_ring_tail(view->shm);
    bool finished = false;
    if (tail == side->position) {
        finished = quoit_spsc_is_finished(view);
        tail = quoit_ring_tail(view->shm); /* the end may have come after more messages */
    }
    if (is_apart(view, tail, side->position) || tail - side->position < span_of(side, view))
        return quoit_ring_counters_apart(tail, side->position, view->capacity);
    side->limit = tail;
    if (tail != side->position)
        return QUOIT_OK;
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

static quoit_status peek(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                         const void **message_out, uint64_t *count_out, uint64_t *bytes_out)
{
    struct quoit_bytes_consumer *side = &consumer->state->bytes;
    quoit_status status = span_of(side, view) > 0 ? QUOIT_OK : poll_items(consumer, view);
    if (status != QUOIT_OK)
        return status;
    uint64_t bytes;
    if (!length_at(view, side->slot, span_of(side, view), &bytes))
        return bad_length(view, bytes);
    side->peeked_bytes = record_bytes(view, bytes);
    *message_out = side->slot + HEADER_BYTES;
    *count_out = 1;
    *bytes_out = bytes;
    return QUOIT_OK;
}

static bool release(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                    uint64_t count)
{
    struct quoit_bytes_consumer *side = &consumer->state->bytes;
    uint64_t bytes = side->peeked_bytes;
    if (count > (bytes > 0 ? 1u : 0u) || bytes > span_of(side, view))
        return false;
    if (count == 0)
        return true;
    side->peeked_bytes = 0;
    side->slot = slot_behind(view, side->slot, bytes);
    side->position += bytes;
    /* SPAN-C2: the message is read, its room may be filled again. Pairs with SPSC-P3, BYTES-S1
       and BROWSE-S1. */
    atomic_store_explicit(&view->shm->head, side->position, memory_order_release);
    return true;
}

/* ---- By any process -------------------------------------------------------------------------- */

/* Counts the queued messages. Changed or false lengths cannot lead out of the ring, or into an
   endless loop. length_out: a length that cannot be right, else 0. false: the consumer has moved
   on, so the messages may have been overwritten meanwhile. */
static bool count_messages(const struct quoit_ring_view *view, uint64_t *count_out,
                           uint64_t *length_out)
{
    uint64_t head = quoit_ring_head(view->shm), tail = quoit_ring_tail(view->shm);
    *count_out = 0;
    *length_out = 0;
    if (is_apart(view, tail, head))
        return quoit_ring_head(view->shm) == head;
    (void)walk(view, head, tail, count_out, length_out);
    /* BYTES-S1: the lengths were read before the next load of the head. Pairs with SPAN-C2 and
       BROWSE-P1. */
    atomic_thread_fence(memory_order_acquire);
    return quoit_ring_head(view->shm) == head;
}

/* While the consumer keeps moving: the count of the last attempt. */
static uint64_t size(const struct quoit_ring_view *view)
{
    uint64_t count = 0, length;
    for (int tries = 0; tries < TRIES && !count_messages(view, &count, &length); tries++)
        ;
    if (count == 0 && quoit_spsc_shows_items(view))
        return 1;
    return count < view->capacity ? count : view->capacity;
}

static struct quoit_ring_totals totals(const struct quoit_ring_view *view, uint64_t size_now)
{
    (void)size_now; /* of messages */
    return (struct quoit_ring_totals){.pushed = quoit_ring_tail(view->shm),
                                      .popped = quoit_ring_head(view->shm),
                                      .pushed_items = load_pushed(view)};
}

/* Also true if the counters are impossible: the call then returns CORRUPT. The number of messages
   ever pushed is read after the tail, so it counts the message at the head. */
static bool has_room(const struct quoit_ring_view *view)
{
    for (int tries = 0; tries < TRIES; tries++) {
        uint64_t head = quoit_ring_head(view->shm), tail = quoit_ring_tail(view->shm);
        if (head == tail || is_apart(view, tail, head))
            return true;
        uint32_t number = number_at(slot_at(view, head));
        uint32_t queued = (uint32_t)load_pushed(view) - number;
        /* BYTES-S1: the number was read before the next load of the head. Pairs with SPAN-C2 and
           BROWSE-P1. */
        atomic_thread_fence(memory_order_acquire);
        if (quoit_ring_head(view->shm) == head)
            return queued == 0 || queued != view->capacity;
    }
    return true;
}

/* Only a forged browser has a position at which no message begins. */
static quoit_status browse(const struct quoit_ring_view *view, struct quoit_ring_browser *browser,
                           struct quoit_snapshot *snapshot)
{
    for (int tries = 0; tries < TRIES; tries++) {
        bool finished = quoit_spsc_is_finished(view);
        uint64_t head = quoit_ring_head(view->shm), tail = quoit_ring_tail(view->shm), bytes;
        bool taken = browser->begun && quoit_ring_is_before(browser->next, head);
        if (!browser->begun || taken)
            *browser = (struct quoit_ring_browser){
                .next = head, .missed = browser->missed + taken, .begun = 1};
        if (browser->next == tail || tail - browser->next > ring_bytes(view))
            return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
        const uint8_t *slot = view->slots + browser->next % ring_bytes(view);
        bool can_be = browser->next % view->align == 0 &&
                      length_at(view, slot, tail - browser->next, &bytes);
        if (can_be)
            quoit_snapshot_copy(snapshot, slot + HEADER_BYTES, bytes);
        quoit_snapshot_fence();
        if (quoit_ring_is_before(browser->next, quoit_ring_head(view->shm)))
            continue; /* taken meanwhile */
        if (can_be)
            return quoit_snapshot_end(snapshot, browser, record_bytes(view, bytes));
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "browser: no message can begin at byte %llu of the ring; start again "
                          "with a zeroed browser",
                          (unsigned long long)(browser->next % ring_bytes(view)));
    }
    return QUOIT_EMPTY;
}

/* Checks the counters, the length of each message between them, and that there are no more messages
   than the capacity. */
static quoit_status check(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm), tail = quoit_ring_tail(view->shm), count, length;
    if (quoit_ring_head(view->shm) == head && is_apart(view, tail, head))
        return quoit_ring_counters_apart(tail, head, view->capacity);
    if (count_messages(view, &count, &length)) {
        if (length > 0)
            return bad_length(view, length);
        if (count > view->capacity)
            return quoit_ring_counters_apart(tail, head, view->capacity);
    }
    return quoit_ring_check_finished(view);
}

const struct quoit_ring_ops quoit_spsc_bytes = {
    QUOIT_SPSC_OPS,
    .header_bytes = HEADER_BYTES,
    .unit_bytes = 8,
    .most_capacity = UINT32_MAX, /* numbers have 32 bits */
    .spare_slots = 1,            /* a longest message may begin just before the ring's end */
    .init = quoit_ring_init,
    .attach_producer = attach_producer,
    .attach_consumer = attach_consumer,
    .poll_room = poll_room,
    .poll_items = poll_items,
    .push = quoit_ring_push_message,
    .pop = quoit_ring_pop_message,
    .claim = claim,
    .commit = commit,
    .peek = peek,
    .release = release,
    .bytes_per_step = 64,
    .size = size,
    .totals = totals,
    .has_items = quoit_spsc_shows_items,
    .has_room = has_room,
    .browse = browse,
    .check = check,
};
