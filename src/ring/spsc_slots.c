/* SPDX-License-Identifier: MIT */
/*
 * The slots layout of the SPSC ring, off the hot path: attaching after a crash, items that look
 * like no item, batches, peek and claim. Ordering labels: docs/ORDERING.md.
 *
 * An item whose first word is the queue's `empty` word cannot show itself in its slot. The producer
 * publishes a number instead, `committed_below`: all items below it are committed. Until the
 * consumer has reached it, an empty mark may be such a hidden item, so the producer checks the
 * counters too.
 */
#include "ring_ops.h"

static uint64_t mark_of(uint8_t *slot)
{
    /* SPSC-C1: if this returns a mark, the slot's bytes are visible. Pairs with SPSC-P2. */
    return atomic_load_explicit(quoit_spsc_word(slot), memory_order_acquire);
}

static bool is_filled(uint8_t *slot, uint64_t empty)
{
    return mark_of(slot) != empty;
}

static bool is_free(uint8_t *slot, uint64_t empty)
{
    /* SPSC-P1: if the mark is empty, the consumer has read the slot's bytes. Pairs with SPSC-C2. */
    return atomic_load_explicit(quoit_spsc_word(slot), memory_order_acquire) == empty;
}

static void store_empty(uint8_t *slot, uint64_t empty)
{
    /* SPSC-C2: the slot may be filled again. Pairs with SPSC-P1. */
    atomic_store_explicit(quoit_spsc_word(slot), empty, memory_order_release);
}

static uint64_t load_committed(struct quoit_ring_shm *shm)
{
    /* SPSC-C5: after this load the consumer may read slots below the number. Pairs with SPSC-P5. */
    return atomic_load_explicit(&shm->committed_below, memory_order_acquire);
}

static uint8_t *slot_at(const struct quoit_ring_view *view, uint64_t position)
{
    return view->slots + position % view->capacity * view->stride;
}

/* Is there a committed item at this position, unless it is popped already? */
static bool is_committed(const struct quoit_ring_view *view, uint8_t *slot, uint64_t position)
{
    return is_filled(slot, view->empty) ||
           quoit_ring_is_before(position, load_committed(view->shm));
}

static void init(const struct quoit_ring_view *view, uint64_t start)
{
    quoit_ring_init(view, start);
    for (uint64_t i = 0; i < view->capacity; i++)
        store_empty(view->slots + i * view->stride, view->empty);
}

/* ---- Attaching ------------------------------------------------------------------------------- */

/* A crashed producer may have counted one item more than it committed. */
static quoit_status attach_producer(struct quoit_ring_producer *producer,
                                    const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm);
    uint64_t tail = quoit_ring_tail(view->shm);
    if (tail - head > view->capacity)
        return quoit_ring_counters_apart(tail, head, view->capacity);
    if (tail != head && !is_committed(view, slot_at(view, tail - 1), tail - 1) &&
        quoit_ring_is_before(quoit_ring_head(view->shm), tail)) {
        tail--; /* nor popped: the head has not passed it */
        /* Relaxed: SPSC-P2 and SPSC-P5 order it before this side's first commit. */
        atomic_store_explicit(&view->shm->tail, tail, memory_order_relaxed);
    }
    quoit_ring_producer_begin(producer, view, tail);
    producer->state->claim.head = head;
    return QUOIT_OK;
}

/* Does the slot of a popped position still show that item? Not if the producer has filled the slot
   again since. */
static bool shows_popped(const struct quoit_ring_view *view, uint64_t position)
{
    return is_filled(slot_at(view, position), view->empty) &&
           quoit_ring_tail(view->shm) - position <= view->capacity;
}

/* A consumer that crashed in a run has counted items whose slots it did not free: the last ones.
   Frees them in order, so that after another crash it is the last ones again. */
static void free_popped(const struct quoit_ring_view *view, uint64_t head)
{
    uint64_t from = head;
    for (uint64_t i = 0; i < QUOIT_SPSC_RUN_MOST && i < view->capacity && from > 0; i++, from--)
        if (!shows_popped(view, from - 1))
            break;
    for (; from != head; from++)
        store_empty(slot_at(view, from), view->empty);
}

static quoit_status attach_consumer(struct quoit_ring_consumer *consumer,
                                    const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm);
    uint64_t tail = quoit_ring_tail(view->shm);
    if (tail - head > view->capacity)
        return quoit_ring_counters_apart(tail, head, view->capacity);
    free_popped(view, head);
    quoit_ring_consumer_begin(consumer, view, head);
    return QUOIT_OK;
}

/* ---- Pushing --------------------------------------------------------------------------------- */

/* Counts the free slots from `slot` on, at most count. The marks are not enough, since items may be
   hidden. The consumer's counter only grows, so one that was loaded earlier is enough if it leaves
   the room. */
static uint64_t count_free(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                           uint8_t *slot, uint64_t count)
{
    const uint64_t tail = quoit_ring_tail(view->shm);
    uint64_t *head = &producer->state->claim.head, free_slots = 0;
    if (count == 0 || !is_free(slot, view->empty))
        return 0; /* without reading the consumer's line: waits call this in a loop */
    if (tail - *head > view->capacity || view->capacity - (tail - *head) < count)
        *head = quoit_ring_head(view->shm);
    uint64_t room = view->capacity - (tail - *head);
    if (room > view->capacity)
        return 0;
    while (free_slots < count && free_slots < room && is_free(slot, view->empty)) {
        free_slots++;
        slot += view->stride;
        if (slot == producer->end)
            slot = producer->begin;
    }
    return free_slots;
}

static quoit_status poll_room(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view)
{
    if (quoit_spsc_is_finished(view))
        return QUOIT_FINISHED;
    return count_free(producer, view, quoit_ring_producer_slot(producer), 1) > 0 ? QUOIT_OK
                                                                                 : QUOIT_FULL;
}

/* Pushes an item whose first word is `empty`. */
static void put_hidden(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                       const void *item)
{
    uint8_t *slot = quoit_ring_producer_slot(producer);
    quoit_ring_before_fill();
    quoit_spsc_count_push(&view->shm->tail);
    quoit_ring_copy_in(slot, item, 8, view->item_bytes);
    slot += view->stride;
    producer->next = slot == producer->end ? producer->begin : slot;
    /* SPSC-P5: the commit, since the slot cannot show it. Pairs with SPSC-C5. */
    atomic_store_explicit(&view->shm->committed_below, quoit_ring_tail(view->shm),
                          memory_order_release);
}

static quoit_status push(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                         const void *item, uint64_t item_bytes)
{
    quoit_status status = poll_room(producer, view);
    if (status != QUOIT_OK)
        return status;
    producer->next = quoit_ring_producer_slot(producer);
    if (!quoit_spsc_put(producer, item, item_bytes))
        put_hidden(producer, view, item);
    /* While hidden items are queued, each push takes the slow path. */
    if (quoit_ring_is_before(quoit_ring_head(view->shm), load_committed(view->shm)))
        quoit_ring_producer_disable(producer);
    return QUOIT_OK;
}

static uint64_t push_many(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                          const void *items, uint64_t count)
{
    const uint8_t *item = items;
    uint64_t pushed = 0;
    while (pushed < count && (quoit_spsc_put(producer, item, view->item_bytes) ||
                              push(producer, view, item, view->item_bytes) == QUOIT_OK)) {
        pushed++;
        item += view->item_bytes;
    }
    return pushed;
}

static quoit_status claim(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                          uint64_t wanted, uint64_t item_bytes, void **items_out,
                          uint64_t *count_out)
{
    uint64_t most = QUOIT_RING_SCRATCH_BYTES / item_bytes;
    quoit_status status = poll_room(producer, view);
    if (status != QUOIT_OK)
        return status;
    producer->state->claim.count = count_free(producer, view, quoit_ring_producer_slot(producer),
                                              wanted < most ? wanted : most);
    *items_out = view->scratch;
    *count_out = producer->state->claim.count;
    return QUOIT_OK;
}

static bool commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                   uint64_t count, uint64_t item_bytes)
{
    (void)item_bytes;
    if (count > producer->state->claim.count)
        return false;
    producer->state->claim.count = 0;
    return push_many(producer, view, view->scratch, count) == count;
}

/* ---- Popping --------------------------------------------------------------------------------- */

static bool has_item(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view)
{
    uint8_t *slot = quoit_ring_consumer_slot(consumer);
    if (is_filled(slot, view->empty))
        return true; /* without reading any other line */
    return quoit_ring_is_before(quoit_ring_head(view->shm), load_committed(view->shm));
}

static quoit_status poll_items(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view)
{
    if (has_item(consumer, view))
        return QUOIT_OK;
    if (!quoit_spsc_is_finished(view))
        return QUOIT_EMPTY;
    return has_item(consumer, view) ? QUOIT_OK
                                    : QUOIT_FINISHED; /* the end may have come after it */
}

/* Frees the next slots: up to count that show their items, or one whose item is hidden. Of a hidden
   item the producer relies on the head, and the slot belongs to the producer once the head has
   moved. Returns how many. */
static uint64_t free_slots(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                           uint64_t count)
{
    uint8_t *slot = quoit_ring_consumer_slot(consumer);
    uint64_t shown = 0, before_end = (uint64_t)(consumer->end - slot) / view->stride;
    uint64_t most = before_end < QUOIT_SPSC_RUN_MOST ? before_end : QUOIT_SPSC_RUN_MOST;
    most = count < most ? count : most;
    while (shown < most && is_filled(slot + shown * view->stride, view->empty))
        shown++;
    uint64_t freed = shown > 0 ? shown : 1;
    quoit_spsc_count_pop(&view->shm->head, freed);
    for (uint64_t i = 0; i < shown; i++)
        store_empty(slot + i * view->stride, view->empty);
    slot += freed * view->stride;
    consumer->next = slot == consumer->end ? consumer->begin : slot;
    return freed;
}

static quoit_status pop(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                        void *item_out, uint64_t *bytes_inout)
{
    quoit_status status = poll_items(consumer, view);
    if (status != QUOIT_OK)
        return status;
    *bytes_inout = view->item_bytes;
    uint8_t *slot = quoit_ring_consumer_slot(consumer);
    consumer->next = slot;
    if (quoit_spsc_take(consumer, item_out, view->item_bytes))
        return QUOIT_OK;
    quoit_spsc_copy_out(item_out, view->empty, slot, view->item_bytes);
    (void)free_slots(consumer, view, 1);
    return QUOIT_OK;
}

static uint64_t pop_many(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                         void *items_out, uint64_t count)
{
    uint8_t *item = items_out;
    uint64_t popped = 0, bytes;
    while (popped < count) {
        uint8_t *next = item + popped * view->item_bytes;
        uint64_t run = quoit_spsc_take_run(consumer, next, count - popped, view->item_bytes);
        if (run == 0 && pop(consumer, view, next, &bytes) == QUOIT_OK)
            run = 1;
        if (run == 0)
            break;
        popped += run;
    }
    return popped;
}

/* Counts the committed items from the next one on, at most count, up to the ring's end. */
static uint64_t count_filled(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_view *view, uint64_t count)
{
    uint8_t *slot = quoit_ring_consumer_slot(consumer);
    uint64_t position = quoit_ring_head(view->shm);
    uint64_t filled = 0;
    while (filled < count && is_committed(view, slot, position + filled)) {
        filled++;
        slot += view->stride;
        if (slot == consumer->end)
            break;
    }
    return filled;
}

static quoit_status peek(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                         const void **items_out, uint64_t *count_inout, uint64_t *bytes_out)
{
    quoit_status status = poll_items(consumer, view);
    if (status != QUOIT_OK)
        return status;
    /* Items that do not fill their slots are not contiguous. */
    bool apart = view->stride != view->item_bytes;
    uint64_t most = apart ? 1 : QUOIT_RING_SCRATCH_BYTES / view->item_bytes;
    *items_out = quoit_ring_consumer_slot(consumer);
    *count_inout = count_filled(consumer, view, *count_inout < most ? *count_inout : most);
    *bytes_out = view->item_bytes;
    return QUOIT_OK;
}

static bool release(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                    uint64_t count)
{
    if (count_filled(consumer, view, count) != count)
        return false;
    consumer->next = quoit_ring_consumer_slot(consumer);
    while (count > 0)
        count -= free_slots(consumer, view, count);
    return true;
}

/* ---- By any process -------------------------------------------------------------------------- */

static uint64_t size(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm); /* before the tail: the size is not negative */
    uint64_t items = quoit_ring_tail(view->shm) - head;
    if (items > view->capacity)
        items = view->capacity;
    /* A counted item may not be committed yet, or never if its producer has crashed. */
    while (items > 0 && !is_committed(view, slot_at(view, head + items - 1), head + items - 1))
        items--;
    return items;
}

/* Reads the slot as a pop or a push does. The counters alone are not enough: each side writes its
   slot last, and a side that crashed before that has changed its counter already. */
static bool has_items(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm);
    return is_committed(view, slot_at(view, head), head);
}

static bool has_room(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_ring_head(view->shm); /* before the tail: they are not further apart */
    uint64_t tail = quoit_ring_tail(view->shm);
    return tail - head < view->capacity && is_free(slot_at(view, tail), view->empty);
}

/* All hidden items of 8 bytes are equal. */
static bool contains(const struct quoit_ring_view *view, uint64_t item)
{
    if (item == view->empty)
        return quoit_ring_is_before(quoit_ring_head(view->shm), load_committed(view->shm));
    for (uint64_t i = 0; i < view->capacity; i++)
        if (mark_of(view->slots + i * view->stride) == item)
            return true;
    return false;
}

static quoit_status browse(const struct quoit_ring_view *view, struct quoit_ring_browser *browser,
                           struct quoit_snapshot *snapshot)
{
    return quoit_browse_spsc(view, browser, snapshot, is_committed);
}

const struct quoit_ring_ops quoit_spsc_slots = {
    QUOIT_SPSC_OPS,
    .unit_bytes = 8,
    .shows_items = true,
    .copies_claims = true,
    .init = init,
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
    .has_items = has_items,
    .has_room = has_room,
    .browse = browse,
    .contains = contains,
    .check = quoit_spsc_check,
};
