/* SPDX-License-Identifier: MIT */
/* Messages with lengths of their own: pushing and popping them, in place, by copies, waiting. */
#include "queue_handle.h"

#include "fail.h"

static const struct quoit_ring_place *ring_of(const quoit_queue *queue)
{
    return &queue->handle->place.ring;
}

static quoit_status check_sized(const quoit_queue *queue, unsigned role)
{
    quoit_status status = quoit_queue_check_role(queue, role);
    if (status == QUOIT_OK && !queue->handle->place.sized)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "the queue's items are all of %u bytes; quoit_queue_push "
                          "and its kin would be right, or the option .sized",
                          (unsigned)queue->handle->place.item_bytes);
    return status;
}

static quoit_status check_length(const quoit_queue *queue, uint64_t bytes)
{
    quoit_status status = check_sized(queue, QUOIT_PRODUCER);
    if (status == QUOIT_OK && bytes > queue->handle->place.item_bytes)
        return quoit_fail(QUOIT_ERROR_TOO_BIG,
                          "a message of %llu bytes; the queue's longest has %u",
                          (unsigned long long)bytes, (unsigned)queue->handle->place.item_bytes);
    return status;
}

/* ---- In place -------------------------------------------------------------------------------- */

quoit_status quoit_queue_claim_sized(quoit_queue *queue, uint64_t bytes, void **message_out)
{
    *message_out = NULL;
    quoit_status status = check_length(queue, bytes);
    if (status != QUOIT_OK)
        return status;
    status = ring_of(queue)->ops->claim_message(&queue->producer, ring_of(queue), bytes,
                                                message_out);
    return status == QUOIT_FULL ? quoit_queue_found_full(queue) : status;
}

quoit_status quoit_queue_commit_sized(quoit_queue *queue, uint64_t bytes)
{
    quoit_status status = check_sized(queue, QUOIT_PRODUCER);
    if (status != QUOIT_OK)
        return status;
    if (!ring_of(queue)->ops->commit_message(&queue->producer, ring_of(queue), bytes))
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "a message of %llu bytes to commit, and less is claimed",
                          (unsigned long long)bytes);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

quoit_status quoit_queue_peek_sized(quoit_queue *queue, const void **message_out,
                                    uint64_t *bytes_out)
{
    *message_out = NULL;
    *bytes_out = 0;
    quoit_status status = check_sized(queue, QUOIT_CONSUMER);
    if (status != QUOIT_OK)
        return status;
    status = ring_of(queue)->ops->peek_message(&queue->consumer, ring_of(queue), message_out,
                                               bytes_out);
    return status == QUOIT_EMPTY ? quoit_queue_found_empty(queue) : status;
}

/* ---- By copies ------------------------------------------------------------------------------- */

quoit_status quoit_queue_push_sized(quoit_queue *queue, const void *message, uint64_t bytes)
{
    void *room;
    quoit_status status = quoit_queue_claim_sized(queue, bytes, &room);
    if (status != QUOIT_OK)
        return status;
    if (bytes > 0)
        memcpy(room, message, (size_t)bytes);
    return quoit_queue_commit_sized(queue, bytes);
}

quoit_status quoit_queue_pop_sized(quoit_queue *queue, void *buffer, uint64_t room_bytes,
                                   uint64_t *bytes_out)
{
    const void *message;
    quoit_status status = quoit_queue_peek_sized(queue, &message, bytes_out);
    if (status != QUOIT_OK)
        return status;
    if (*bytes_out > room_bytes)
        return quoit_fail(QUOIT_ERROR_TOO_BIG, "a message of %llu bytes, room for %llu",
                          (unsigned long long)*bytes_out, (unsigned long long)room_bytes);
    if (*bytes_out > 0)
        memcpy(buffer, message, (size_t)*bytes_out);
    return quoit_queue_release(queue, 1);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

quoit_status quoit_queue_push_sized_wait(quoit_queue *queue, const void *message, uint64_t bytes,
                                         int64_t timeout_ns)
{
    struct quoit_patience patience = {.timeout_ns = timeout_ns};
    quoit_status status;
    do
        status = quoit_queue_push_sized(queue, message, bytes);
    while (quoit_wait_more(queue, QUOIT_PRODUCER, &patience, &status));
    return status;
}

quoit_status quoit_queue_pop_sized_wait(quoit_queue *queue, void *buffer, uint64_t room_bytes,
                                        uint64_t *bytes_out, int64_t timeout_ns)
{
    struct quoit_patience patience = {.timeout_ns = timeout_ns};
    quoit_status status;
    do
        status = quoit_queue_pop_sized(queue, buffer, room_bytes, bytes_out);
    while (quoit_wait_more(queue, QUOIT_CONSUMER, &patience, &status));
    return status;
}
