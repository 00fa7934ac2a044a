/* SPDX-License-Identifier: MIT */
/* Pushing and popping: the slow paths of the inlined forms, their out-of-line twins for items whose
   size is known at run time, and peek and release. */
#include "queue_handle.h"

#include "fail.h"

/* What the fast path never sees, since its limit stays where its counter is. */
static quoit_status check_side(const quoit_queue *queue, unsigned role, uint64_t item_bytes)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_queue_handle *handle = queue->handle;
    if (!(handle->roles & role))
        return quoit_fail(QUOIT_ROLE, "the queue was not opened with %s",
                          role == QUOIT_PRODUCER ? "QUOIT_PRODUCER" : "QUOIT_CONSUMER");
    if (item_bytes != handle->place.item_bytes)
        return quoit_fail(QUOIT_MISMATCH, "an item of %llu bytes, the queue's have %u",
                          (unsigned long long)item_bytes, (unsigned)handle->place.item_bytes);
    return QUOIT_OK;
}

quoit_status quoit_queue_find_room(quoit_queue *queue, uint64_t item_bytes)
{
    quoit_status status = check_side(queue, QUOIT_PRODUCER, item_bytes);
    return status == QUOIT_OK ? quoit_spsc_producer_refill(&queue->producer) : status;
}

quoit_status quoit_queue_find_items(quoit_queue *queue, uint64_t item_bytes)
{
    quoit_status status = check_side(queue, QUOIT_CONSUMER, item_bytes);
    return status == QUOIT_OK ? quoit_spsc_consumer_refill(&queue->consumer) : status;
}

quoit_status quoit_queue_push(quoit_queue *queue, const void *item)
{
    return quoit_queue_push_typed(queue, item, queue->handle->place.item_bytes);
}

quoit_status quoit_queue_pop(quoit_queue *queue, void *item_out)
{
    return quoit_queue_pop_typed(queue, item_out, queue->handle->place.item_bytes);
}

uint64_t quoit_queue_push_many(quoit_queue *queue, const void *items, uint64_t count)
{
    return quoit_queue_push_many_typed(queue, items, count, queue->handle->place.item_bytes);
}

uint64_t quoit_queue_pop_many(quoit_queue *queue, void *items_out, uint64_t count)
{
    return quoit_queue_pop_many_typed(queue, items_out, count, queue->handle->place.item_bytes);
}

quoit_status quoit_queue_peek(quoit_queue *queue, const void **items_out, uint64_t *count_out)
{
    const struct quoit_spsc_consumer *consumer = &queue->consumer;
    uint64_t item_bytes = queue->handle->place.item_bytes;
    *items_out = NULL;
    *count_out = 0;
    if (consumer->head == consumer->limit) {
        quoit_status status = quoit_queue_find_items(queue, item_bytes);
        if (status != QUOIT_OK)
            return status;
    }
    uint64_t index = consumer->head & consumer->mask;
    uint64_t to_end = consumer->mask + 1 - index;
    uint64_t there = consumer->limit - consumer->head;
    *items_out = consumer->slots + index * item_bytes;
    *count_out = there < to_end ? there : to_end;
    return QUOIT_OK;
}

quoit_status quoit_queue_release(quoit_queue *queue, uint64_t count)
{
    quoit_status status = check_side(queue, QUOIT_CONSUMER, queue->handle->place.item_bytes);
    if (status != QUOIT_OK)
        return status;
    if (count > queue->consumer.limit - queue->consumer.head)
        return quoit_fail(QUOIT_INVALID, "%llu items to release, and %llu were found",
                          (unsigned long long)count,
                          (unsigned long long)(queue->consumer.limit - queue->consumer.head));
    if (count > 0)
        quoit_spsc_release(&queue->consumer, count);
    return QUOIT_OK;
}
