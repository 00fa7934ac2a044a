/* SPDX-License-Identifier: MIT */
/* The rare parts of push and pop: wrong calls, and waiting. They are in a file of their own, so
   that compilers do not inline them into the calls that copy one item. */
#include "queue_handle.h"

#include "fail.h"

/* ---- Checks ---------------------------------------------------------------------------------- */

quoit_status quoit_queue_check_role(const quoit_queue *queue, uint32_t role)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK && !(queue->handle->roles & role))
        return quoit_fail(
            QUOIT_ERROR_WRONG_ROLE,
            "queue '%s:%s': this handle was not opened with %s; open it with that flag",
            QUOIT_QUEUE_NAME(queue), role == QUOIT_PRODUCER ? "QUOIT_PRODUCER" : "QUOIT_CONSUMER");
    return status;
}

quoit_status quoit_queue_check_pusher(const quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    return status == QUOIT_OK && queue->handle->has_finished ? QUOIT_FINISHED : status;
}

quoit_status quoit_queue_check_bytes(const quoit_queue *queue, size_t bytes)
{
    const struct quoit_queue_view *view = &queue->handle->view;
    if (view->messages ? bytes <= view->item_bytes : bytes == view->item_bytes)
        return QUOIT_OK;
    if (view->messages)
        return quoit_fail(QUOIT_ERROR_TOO_BIG,
                          "queue '%s:%s': the message has %zu bytes, but the longest allowed has "
                          "%u; send less, or create the queue with larger item_bytes",
                          QUOIT_QUEUE_NAME(queue), bytes, (unsigned)view->item_bytes);
    return quoit_fail(
        QUOIT_ERROR_INVALID,
        "queue '%s:%s': its items have %u bytes, but %zu were passed; pass the queue's item_bytes",
        QUOIT_QUEUE_NAME(queue), (unsigned)view->item_bytes, bytes);
}

quoit_status quoit_queue_check_items(const quoit_queue *queue, uint32_t role, size_t item_bytes)
{
    quoit_status status = role == QUOIT_PRODUCER ? quoit_queue_check_pusher(queue)
                                                 : quoit_queue_check_role(queue, role);
    if (status == QUOIT_OK && queue->handle->view.messages)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue '%s:%s': it holds variable-size messages, which are passed one "
                          "per call; use quoit_queue_push, pop, claim or peek",
                          QUOIT_QUEUE_NAME(queue));
    return status == QUOIT_OK ? quoit_queue_check_bytes(queue, item_bytes) : status;
}

/* A buffer of 0 bytes may be NULL: a message can be empty. */
static quoit_status check_buffer(const void *buffer, size_t bytes)
{
    return buffer || bytes == 0
               ? QUOIT_OK
               : quoit_fail(
                     QUOIT_ERROR_INVALID,
                     "the buffer is NULL, but its size is %zu bytes; pass a buffer of that size",
                     bytes);
}

quoit_status quoit_queue_check_push(const quoit_queue *queue, const void *data, size_t bytes)
{
    quoit_status status = quoit_queue_check_pusher(queue);
    if (status == QUOIT_OK)
        status = quoit_queue_check_bytes(queue, bytes);
    return status == QUOIT_OK ? check_buffer(data, bytes) : status;
}

/* A message's size is known only when the message is there. */
quoit_status quoit_queue_check_pop(const quoit_queue *queue, const void *buffer, size_t room_bytes,
                                   uint64_t *bytes_out)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status == QUOIT_OK)
        status = check_buffer(buffer, room_bytes);
    if (status != QUOIT_OK || queue->handle->view.messages)
        return status;
    *bytes_out = queue->handle->view.item_bytes;
    return quoit_ring_check_room(*bytes_out, room_bytes);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void note_empty(quoit_queue *queue)
{
    quoit_queue_note_freed(queue);
    quoit_member_count(&quoit_queue_own_entry(queue)->empty);
    if (queue->handle->consumer_waiter.poller)
        quoit_poller_rearm(queue->handle->consumer_waiter.poller);
}

static void note_full(quoit_queue *queue)
{
    quoit_member_count(&quoit_queue_own_entry(queue)->full);
    quoit_member_note_high(quoit_queue_own_entry(queue), quoit_queue_ring(queue)->capacity);
    if (queue->handle->producer_waiter.poller)
        quoit_poller_rearm(queue->handle->producer_waiter.poller);
}

/* Checks for ABANDONED before it rearms, so that a reported end does not set the notifier again. */
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

quoit_status quoit_queue_try_again(quoit_queue *queue, uint32_t role, quoit_status status,
                                   quoit_try *try_once, void *context, int64_t timeout_ns)
{
    struct quoit_waiter *waiter = quoit_waiter_of(queue, role);
    quoit_status nothing = role == QUOIT_PRODUCER ? QUOIT_FULL : QUOIT_EMPTY;
    struct quoit_deadline deadline = {.timeout_ns = timeout_ns};
    if (status == nothing && quoit_queue_pause(queue, waiter, timeout_ns > 0))
        status = try_once(queue, context);
    if (status == nothing)
        status = quoit_queue_found_nothing(queue, role);
    while (status == nothing && quoit_wait_more(queue, waiter, &deadline, &status)) {
        status = try_once(queue, context);
        if (status == nothing)
            status = quoit_queue_found_nothing(queue, role);
    }
    return status;
}
