/* SPDX-License-Identifier: MIT */
/* Pushing and popping: the slow path of the inlined forms, their out-of-line twins for items whose
   size is known at run time, batches, spans in place, and the waiting forms. */
#include "queue_handle.h"

#include "fail.h"

static const struct quoit_ring_place *ring_of(const quoit_queue *queue)
{
    return &queue->handle->place.ring;
}

static quoit_status wrong_side(const quoit_queue *queue, unsigned role, uint64_t item_bytes)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_queue_handle *handle = queue->handle;
    if (!(handle->roles & role))
        return quoit_fail(QUOIT_ERROR_WRONG_ROLE, "the queue was not opened with %s",
                          role == QUOIT_PRODUCER ? "QUOIT_PRODUCER" : "QUOIT_CONSUMER");
    return quoit_fail(QUOIT_ERROR_INVALID, "an item of %llu bytes, the queue's have %u",
                      (unsigned long long)item_bytes, (unsigned)handle->place.item_bytes);
}

static quoit_status is_sized(void)
{
    return quoit_fail(QUOIT_ERROR_INVALID, "the queue's messages have lengths of their own; "
                                           "quoit_queue_push_sized and its kin would be right");
}

/* What the fast path never sees, since it is shut until this has been well once. */
static quoit_status check_side(const quoit_queue *queue, unsigned role, uint64_t item_bytes)
{
    if (queue && !queue->handle->forked && queue->handle->roles & role &&
        queue->handle->place.item_bytes == item_bytes)
        return queue->handle->place.sized ? is_sized() : QUOIT_OK;
    return wrong_side(queue, role, item_bytes);
}

quoit_status quoit_queue_check_role(const quoit_queue *queue, unsigned role)
{
    if (queue && !queue->handle->forked && queue->handle->roles & role)
        return QUOIT_OK;
    return wrong_side(queue, role, 0);
}

static bool is_shared(const quoit_queue *queue)
{
    return queue->handle->place.kind == QUOIT_MPMC;
}

/* Does a pop of so many make room? Not who reads a broadcast ahead of others. */
static bool makes_room(const quoit_queue *queue, uint64_t count)
{
    /* Relaxed: WAIT-F1's barrier orders it after the pop. */
    return queue->handle->place.kind != QUOIT_BROADCAST ||
           (atomic_load_explicit(queue->consumer.waits, memory_order_relaxed) != 0 &&
            quoit_broadcast_made_room(&queue->consumer, ring_of(queue), count));
}

/* After a pop. Of many consumers, some may wait for the end, which is there when the last item is
   given back. */
void quoit_queue_note_popped(quoit_queue *queue, uint64_t count)
{
    if (makes_room(queue, count))
        quoit_queue_popped(queue);
    if (is_shared(queue) && quoit_ring_is_ending(ring_of(queue)))
        quoit_queue_wake(queue, QUOIT_CONSUMER);
}

/* A look for items, of an MPMC queue, may have made room. */
static void note_freed(quoit_queue *queue)
{
    if (!queue->consumer.mpmc.freed)
        return;
    queue->consumer.mpmc.freed = false;
    quoit_queue_popped(queue);
}

static void note_empty(quoit_queue *queue)
{
    note_freed(queue);
    quoit_member_count(&quoit_queue_own_row(queue)->empty);
    if (queue->handle->consumer_waiter.poller)
        quoit_poller_rearm(queue->handle->consumer_waiter.poller);
}

static void note_full(quoit_queue *queue)
{
    quoit_member_count(&quoit_queue_own_row(queue)->full);
    if (queue->handle->place.layout != QUOIT_LAYOUT_BYTES) /* which may be full of fewer */
        quoit_member_note_high(quoit_queue_own_row(queue), ring_of(queue)->capacity);
    if (queue->handle->producer_waiter.poller)
        quoit_poller_rearm(queue->handle->producer_waiter.poller);
}

/* Checks for ABANDONED before it rearms, so that a reported end does not ring the bell again. */
quoit_status quoit_queue_found_empty(quoit_queue *queue)
{
    quoit_status status = quoit_peer_check(queue, &queue->handle->consumer_waiter);
    note_empty(queue);
    return status;
}

quoit_status quoit_queue_found_full(quoit_queue *queue)
{
    quoit_status status = quoit_peer_check(queue, &queue->handle->producer_waiter);
    note_full(queue);
    return status;
}

/* ---- One item -------------------------------------------------------------------------------- */

quoit_status quoit_queue_push_slow(quoit_queue *queue, const void *item, uint64_t item_bytes)
{
    quoit_status status = check_side(queue, QUOIT_PRODUCER, item_bytes);
    if (status != QUOIT_OK)
        return status;
    status = ring_of(queue)->ops->push(&queue->producer, ring_of(queue), item);
    if (status == QUOIT_OK)
        quoit_queue_pushed(queue);
    else if (status == QUOIT_FULL)
        status = quoit_queue_found_full(queue);
    return status;
}

quoit_status quoit_queue_pop_slow(quoit_queue *queue, void *item_out, uint64_t item_bytes)
{
    quoit_status status = check_side(queue, QUOIT_CONSUMER, item_bytes);
    if (status != QUOIT_OK)
        return status;
    status = ring_of(queue)->ops->pop(&queue->consumer, ring_of(queue), item_out);
    if (status == QUOIT_OK)
        quoit_queue_note_popped(queue, 1);
    else if (status == QUOIT_EMPTY)
        status = quoit_queue_found_empty(queue);
    return status;
}

quoit_status quoit_queue_push(quoit_queue *queue, const void *item)
{
    uint64_t item_bytes = queue->handle->place.item_bytes;
    if (!quoit_spsc_put(&queue->producer, item, item_bytes))
        return quoit_queue_push_slow(queue, item, item_bytes);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

quoit_status quoit_queue_pop(quoit_queue *queue, void *item_out)
{
    uint64_t item_bytes = queue->handle->place.item_bytes;
    if (!quoit_spsc_take(&queue->consumer, item_out, item_bytes))
        return quoit_queue_pop_slow(queue, item_out, item_bytes);
    quoit_queue_popped(queue);
    return QUOIT_OK;
}

/* ---- Many ------------------------------------------------------------------------------------ */

uint64_t quoit_queue_push_rest(quoit_queue *queue, const void *items, uint64_t count,
                               uint64_t pushed, uint64_t item_bytes)
{
    if (pushed == count || check_side(queue, QUOIT_PRODUCER, item_bytes) != QUOIT_OK)
        return pushed;
    const uint8_t *rest = (const uint8_t *)items + pushed * item_bytes;
    pushed += ring_of(queue)->ops->push_many(&queue->producer, ring_of(queue), rest,
                                             count - pushed);
    if (pushed > 0) {
        quoit_queue_pushed(queue);
    } else {
        quoit_peer_note_idle(queue, &queue->handle->producer_waiter);
        note_full(queue);
    }
    return pushed;
}

uint64_t quoit_queue_pop_rest(quoit_queue *queue, void *items_out, uint64_t count, uint64_t popped,
                              uint64_t item_bytes)
{
    if (popped == count || check_side(queue, QUOIT_CONSUMER, item_bytes) != QUOIT_OK)
        return popped;
    uint8_t *rest = (uint8_t *)items_out + popped * item_bytes;
    popped += ring_of(queue)->ops->pop_many(&queue->consumer, ring_of(queue), rest, count - popped);
    quoit_member_note_high(quoit_queue_own_row(queue), popped);
    if (popped > 0) {
        quoit_queue_note_popped(queue, popped);
    } else {
        quoit_peer_note_idle(queue, &queue->handle->consumer_waiter);
        note_empty(queue);
    }
    return popped;
}

uint64_t quoit_queue_push_many(quoit_queue *queue, const void *items, uint64_t count)
{
    return quoit_queue_push_rest(queue, items, count, 0, queue->handle->place.item_bytes);
}

uint64_t quoit_queue_pop_many(quoit_queue *queue, void *items_out, uint64_t count)
{
    return quoit_queue_pop_rest(queue, items_out, count, 0, queue->handle->place.item_bytes);
}

/* ---- In place -------------------------------------------------------------------------------- */

quoit_status quoit_queue_claim(quoit_queue *queue, uint64_t wanted, void **items_out,
                               uint64_t *count_out)
{
    *items_out = NULL;
    *count_out = 0;
    quoit_status status = check_side(queue, QUOIT_PRODUCER, queue->handle->place.item_bytes);
    if (status == QUOIT_OK && wanted == 0)
        status = quoit_fail(QUOIT_ERROR_INVALID, "0 items to claim; at least 1 would be right");
    if (status != QUOIT_OK)
        return status;
    status = ring_of(queue)->ops->claim(&queue->producer, ring_of(queue), wanted, items_out,
                                        count_out);
    return status == QUOIT_FULL ? quoit_queue_found_full(queue) : status;
}

quoit_status quoit_queue_commit(quoit_queue *queue, uint64_t count)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    if (status == QUOIT_OK && queue->handle->place.sized && count > 0)
        status = is_sized();
    if (status != QUOIT_OK)
        return status;
    queue->producer.bytes.at_hand = 0;
    if (!ring_of(queue)->ops->commit(&queue->producer, ring_of(queue), count))
        return quoit_fail(QUOIT_ERROR_INVALID, "%llu items to commit, and fewer are claimed",
                          (unsigned long long)count);
    if (count > 0 || is_shared(queue)) /* a claim given up was in the way of those behind it */
        quoit_queue_pushed(queue);
    if (count == 0 && is_shared(queue))
        quoit_queue_wake(queue, QUOIT_PRODUCER);
    return QUOIT_OK;
}

quoit_status quoit_queue_peek(quoit_queue *queue, const void **items_out, uint64_t *count_out)
{
    *items_out = NULL;
    *count_out = 0;
    quoit_status status = check_side(queue, QUOIT_CONSUMER, queue->handle->place.item_bytes);
    if (status != QUOIT_OK)
        return status;
    status = ring_of(queue)->ops->peek(&queue->consumer, ring_of(queue), items_out, count_out);
    if (status == QUOIT_EMPTY)
        status = quoit_queue_found_empty(queue);
    quoit_member_note_high(quoit_queue_own_row(queue), *count_out);
    return status;
}

quoit_status quoit_queue_release(quoit_queue *queue, uint64_t count)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status != QUOIT_OK)
        return status;
    if (!ring_of(queue)->ops->release(&queue->consumer, ring_of(queue), count))
        return quoit_fail(QUOIT_ERROR_INVALID, "%llu items to release, and fewer are there",
                          (unsigned long long)count);
    if (count > 0)
        quoit_queue_note_popped(queue, count);
    return QUOIT_OK;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static quoit_status look_for_room(quoit_queue *queue)
{
    return ring_of(queue)->ops->look_for_room(&queue->producer, ring_of(queue));
}

static quoit_status look_for_items(quoit_queue *queue)
{
    return ring_of(queue)->ops->look_for_items(&queue->consumer, ring_of(queue));
}

quoit_status quoit_queue_wait_for_room(quoit_queue *queue, int64_t timeout_ns)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    if (status == QUOIT_OK)
        status = look_for_room(queue);
    if (status != QUOIT_FULL)
        return status;
    return quoit_wait(queue, &queue->handle->producer_waiter, look_for_room, QUOIT_FULL,
                      timeout_ns);
}

quoit_status quoit_queue_wait_for_items(quoit_queue *queue, int64_t timeout_ns)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status == QUOIT_OK)
        status = look_for_items(queue);
    if (status != QUOIT_EMPTY)
        return status;
    status = quoit_wait(queue, &queue->handle->consumer_waiter, look_for_items, QUOIT_EMPTY,
                        timeout_ns);
    note_freed(queue);
    return status;
}

/* All of it is left at the first wait. */
static bool has_time_left(struct quoit_patience *patience, int64_t *left_out)
{
    bool is_endless = patience->timeout_ns == QUOIT_FOREVER;
    bool has_end = patience->timeout_ns > 0 && !is_endless;
    uint64_t now = has_end ? quoit_os_monotonic_ns() : 0;
    *left_out = patience->timeout_ns;
    if (!patience->started) {
        *patience = (struct quoit_patience){patience->timeout_ns, now, true};
        return true;
    }
    if (has_end)
        *left_out -= (int64_t)(now - patience->start);
    return *left_out > 0;
}

bool quoit_wait_more(quoit_queue *queue, unsigned role, struct quoit_patience *patience,
                     quoit_status *status_inout)
{
    int64_t left;
    if (*status_inout != (role == QUOIT_PRODUCER ? QUOIT_FULL : QUOIT_EMPTY))
        return false;
    if (!has_time_left(patience, &left))
        *status_inout = QUOIT_TIMEOUT;
    else if (role == QUOIT_PRODUCER)
        *status_inout = quoit_queue_wait_for_room(queue, left);
    else
        *status_inout = quoit_queue_wait_for_items(queue, left);
    return *status_inout == QUOIT_OK;
}

/* The try before was the inlined one. */
quoit_status quoit_queue_push_wait_slow(quoit_queue *queue, const void *item, uint64_t item_bytes,
                                        int64_t timeout_ns)
{
    struct quoit_patience patience = {.timeout_ns = timeout_ns};
    quoit_status status = QUOIT_FULL;
    while (quoit_wait_more(queue, QUOIT_PRODUCER, &patience, &status))
        status = quoit_queue_push_slow(queue, item, item_bytes);
    return status;
}

quoit_status quoit_queue_pop_wait_slow(quoit_queue *queue, void *item_out, uint64_t item_bytes,
                                       int64_t timeout_ns)
{
    struct quoit_patience patience = {.timeout_ns = timeout_ns};
    quoit_status status = QUOIT_EMPTY;
    while (quoit_wait_more(queue, QUOIT_CONSUMER, &patience, &status))
        status = quoit_queue_pop_slow(queue, item_out, item_bytes);
    return status;
}

quoit_status quoit_queue_push_wait(quoit_queue *queue, const void *item, int64_t timeout_ns)
{
    quoit_status status = quoit_queue_push(queue, item);
    if (status != QUOIT_FULL)
        return status;
    return quoit_queue_push_wait_slow(queue, item, queue->handle->place.item_bytes, timeout_ns);
}

quoit_status quoit_queue_pop_wait(quoit_queue *queue, void *item_out, int64_t timeout_ns)
{
    quoit_status status = quoit_queue_pop(queue, item_out);
    if (status != QUOIT_EMPTY)
        return status;
    return quoit_queue_pop_wait_slow(queue, item_out, queue->handle->place.item_bytes, timeout_ns);
}
