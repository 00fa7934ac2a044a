/* SPDX-License-Identifier: MIT */
/* What a push and a pop seldom come to: wrong calls, messages, and waiting. In a file of its own,
   so that compilers do not inline it into the calls that copy one item. */
#include "queue_handle.h"

#include "fail.h"

static const struct quoit_ring_place *ring_of(const quoit_queue *queue)
{
    return &queue->handle->place.ring;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

quoit_status quoit_queue_check_role(const quoit_queue *queue, uint32_t role)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK && !(queue->handle->roles & role))
        return quoit_fail(QUOIT_ERROR_WRONG_ROLE, "the queue was not opened with %s",
                          role == QUOIT_PRODUCER ? "QUOIT_PRODUCER" : "QUOIT_CONSUMER");
    return status;
}

quoit_status quoit_queue_check_pusher(const quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    return status == QUOIT_OK && queue->handle->has_finished ? QUOIT_FINISHED : status;
}

quoit_status quoit_queue_check_bytes(const quoit_queue *queue, size_t bytes)
{
    const struct quoit_queue_place *place = &queue->handle->place;
    if (place->messages ? bytes <= place->item_bytes : bytes == place->item_bytes)
        return QUOIT_OK;
    if (place->messages)
        return quoit_fail(QUOIT_ERROR_TOO_BIG, "a message of %zu bytes; the queue's longest has %u",
                          bytes, (unsigned)place->item_bytes);
    return quoit_fail(QUOIT_ERROR_INVALID, "an item of %zu bytes; the queue's have %u", bytes,
                      (unsigned)place->item_bytes);
}

quoit_status quoit_queue_check_items(const quoit_queue *queue, uint32_t role, size_t item_bytes)
{
    quoit_status status = role == QUOIT_PRODUCER ? quoit_queue_check_pusher(queue)
                                                 : quoit_queue_check_role(queue, role);
    if (status == QUOIT_OK && queue->handle->place.messages)
        return quoit_fail(QUOIT_ERROR_INVALID, "the queue has messages, which come one by one: use "
                                               "quoit_queue_push, pop, claim or peek");
    return status == QUOIT_OK ? quoit_queue_check_bytes(queue, item_bytes) : status;
}

/* A buffer of 0 bytes may be NULL: a message can be empty. */
static quoit_status check_buffer(const void *buffer, size_t bytes)
{
    return buffer || bytes == 0
               ? QUOIT_OK
               : quoit_fail(QUOIT_ERROR_INVALID, "the buffer is NULL, of %zu bytes", bytes);
}

static quoit_status check_push(const quoit_queue *queue, const void *data, size_t bytes)
{
    quoit_status status = quoit_queue_check_pusher(queue);
    if (status == QUOIT_OK)
        status = quoit_queue_check_bytes(queue, bytes);
    return status == QUOIT_OK ? check_buffer(data, bytes) : status;
}

static quoit_status check_room(size_t bytes, size_t room_bytes)
{
    if (bytes <= room_bytes)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_TOO_BIG, "%zu bytes are next, and there is room for %zu", bytes,
                      room_bytes);
}

static quoit_status check_pop(const quoit_queue *queue, const void *buffer, size_t room_bytes,
                              size_t *bytes_out)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status == QUOIT_OK)
        status = check_buffer(buffer, room_bytes);
    *bytes_out = status == QUOIT_OK ? queue->handle->place.item_bytes : 0;
    return status == QUOIT_OK && !queue->handle->place.messages ? check_room(*bytes_out, room_bytes)
                                                                : status;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void note_empty(quoit_queue *queue)
{
    quoit_queue_note_freed(queue);
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
quoit_status quoit_queue_found_nothing(quoit_queue *queue, uint32_t role)
{
    struct quoit_waiter *waiter = quoit_waiter_of(queue, role);
    quoit_queue_end_stream(queue);
    quoit_status status = quoit_peer_check(queue, waiter);
    if (waiter->role == QUOIT_PRODUCER)
        note_full(queue);
    else
        note_empty(queue);
    return status;
}

quoit_status quoit_queue_try_again(quoit_queue *queue, uint32_t role, quoit_try *try_once,
                                   void *context, int64_t timeout_ns)
{
    struct quoit_waiter *waiter = quoit_waiter_of(queue, role);
    quoit_status nothing = role == QUOIT_PRODUCER ? QUOIT_FULL : QUOIT_EMPTY;
    struct quoit_patience patience = {.timeout_ns = timeout_ns};
    quoit_status status = nothing;
    while (status == nothing && quoit_wait_more(queue, waiter, &patience, &status)) {
        status = try_once(queue, context);
        if (status == nothing)
            status = quoit_queue_found_nothing(queue, role);
    }
    return status;
}

/* ---- Messages -------------------------------------------------------------------------------- */

struct source {
    const void *data;
    size_t bytes;
};

static quoit_status push_message(quoit_queue *queue, const struct source *source)
{
    const struct quoit_ring_place *ring = ring_of(queue);
    void *room;
    quoit_status status = ring->ops->claim_message(&queue->producer, ring, source->bytes, &room);
    if (status != QUOIT_OK)
        return status;
    if (source->bytes > 0)
        memcpy(room, source->data, source->bytes);
    (void)ring->ops->commit_message(&queue->producer, ring, source->bytes);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

static quoit_status push_once(quoit_queue *queue, void *context)
{
    const struct source *source = context;
    return queue->handle->place.messages ? push_message(queue, source)
                                         : quoit_queue_push_item(queue, source->data);
}

struct target {
    void *data;
    size_t room, bytes; /* bytes: the size of what is next */
};

static quoit_status pop_message(quoit_queue *queue, struct target *target)
{
    const struct quoit_ring_place *ring = ring_of(queue);
    const void *message;
    uint64_t bytes;
    quoit_status status = ring->ops->peek_message(&queue->consumer, ring, &message, &bytes);
    if (status != QUOIT_OK)
        return status;
    target->bytes = (size_t)bytes;
    status = check_room(target->bytes, target->room);
    if (status != QUOIT_OK)
        return status;
    if (target->data) /* else room for 0 bytes, which is enough */
        memcpy(target->data, message, target->bytes);
    (void)ring->ops->release(&queue->consumer, ring, 1);
    quoit_queue_note_popped(queue, 1);
    return QUOIT_OK;
}

static quoit_status pop_once(quoit_queue *queue, void *context)
{
    struct target *target = context;
    return queue->handle->place.messages ? pop_message(queue, target)
                                         : quoit_queue_pop_item(queue, target->data);
}

/* ---- The rest of a call ---------------------------------------------------------------------- */

quoit_status quoit_queue_push_again(quoit_queue *queue, const void *data, size_t bytes,
                                    int64_t timeout_ns)
{
    struct source source = {data, bytes};
    quoit_status status = check_push(queue, data, bytes);
    return status == QUOIT_OK
               ? quoit_queue_try_again(queue, QUOIT_PRODUCER, push_once, &source, timeout_ns)
               : status;
}

quoit_status quoit_queue_push_rightly(quoit_queue *queue, const void *data, size_t bytes)
{
    struct source source = {data, bytes};
    quoit_status status = check_push(queue, data, bytes);
    if (status != QUOIT_OK)
        return status;
    status = push_once(queue, &source);
    return status == QUOIT_FULL ? quoit_queue_found_nothing(queue, QUOIT_PRODUCER) : status;
}

static quoit_status give_size(size_t *bytes_out, size_t bytes, quoit_status status)
{
    if (bytes_out)
        *bytes_out = status == QUOIT_OK || status == QUOIT_ERROR_TOO_BIG ? bytes : 0;
    return status;
}

quoit_status quoit_queue_pop_again(quoit_queue *queue, void *buffer, size_t room_bytes,
                                   size_t *bytes_out, int64_t timeout_ns)
{
    struct target target = {.data = buffer, .room = room_bytes};
    quoit_status status = check_pop(queue, buffer, room_bytes, &target.bytes);
    if (status == QUOIT_OK)
        status = quoit_queue_try_again(queue, QUOIT_CONSUMER, pop_once, &target, timeout_ns);
    return give_size(bytes_out, target.bytes, status);
}

quoit_status quoit_queue_pop_rightly(quoit_queue *queue, void *buffer, size_t room_bytes,
                                     size_t *bytes_out)
{
    struct target target = {.data = buffer, .room = room_bytes};
    quoit_status status = check_pop(queue, buffer, room_bytes, &target.bytes);
    if (status == QUOIT_OK)
        status = pop_once(queue, &target);
    if (status == QUOIT_EMPTY)
        status = quoit_queue_found_nothing(queue, QUOIT_CONSUMER);
    return give_size(bytes_out, target.bytes, status);
}

quoit_status quoit_queue_push_waiting(quoit_queue *queue, const void *data, size_t bytes,
                                      int64_t timeout_ns)
{
    quoit_status status = quoit_queue_push_slow(queue, data, bytes);
    return status == QUOIT_FULL ? quoit_queue_push_again(queue, data, bytes, timeout_ns) : status;
}

quoit_status quoit_queue_pop_waiting(quoit_queue *queue, void *buffer, size_t room_bytes,
                                     size_t *bytes_out, int64_t timeout_ns)
{
    quoit_status status = quoit_queue_pop_rightly(queue, buffer, room_bytes, bytes_out);
    return status == QUOIT_EMPTY
               ? quoit_queue_pop_again(queue, buffer, room_bytes, bytes_out, timeout_ns)
               : status;
}
