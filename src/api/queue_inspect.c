/* SPDX-License-Identifier: MIT */
/* What can be asked of a queue, by any role: snapshots, who is there, and the invariants. */
#include "queue_handle.h"

#include "fail.h"

uint64_t quoit_queue_size(const quoit_queue *queue)
{
    const struct quoit_ring_place *ring = &queue->handle->place.ring;
    return queue->handle->forked ? 0 : ring->ops->size(ring);
}

uint64_t quoit_queue_capacity(const quoit_queue *queue)
{
    return queue->handle->place.ring.capacity;
}

bool quoit_queue_is_empty(const quoit_queue *queue)
{
    return quoit_queue_size(queue) == 0;
}

bool quoit_queue_is_full(const quoit_queue *queue)
{
    const struct quoit_ring_place *ring = &queue->handle->place.ring;
    if (queue->handle->place.layout == QUOIT_LAYOUT_BYTES)
        return !queue->handle->forked && !ring->ops->has_room(ring);
    return quoit_queue_size(queue) == quoit_queue_capacity(queue);
}

bool quoit_queue_is_finished(const quoit_queue *queue)
{
    return !queue->handle->forked &&
           queue->handle->place.ring.ops->is_finished(&queue->handle->place.ring);
}

uint64_t quoit_queue_missed(const quoit_queue *queue)
{
    /* Relaxed: a number for people. */
    return atomic_load_explicit(&queue->consumer.broadcast.missed, memory_order_relaxed);
}

void *quoit_queue_user_area(const quoit_queue *queue)
{
    return queue->handle->forked ? NULL : queue->handle->place.user;
}

quoit_status quoit_queue_inspect(const quoit_queue *queue, struct quoit_queue_info *info_out)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK && !info_out)
        status = quoit_fail(QUOIT_INVALID, "info_out is NULL");
    if (status != QUOIT_OK)
        return status;
    const struct quoit_queue_handle *handle = queue->handle;
    const struct quoit_members *members = &handle->place.members;
    uint64_t size = quoit_queue_size(queue);
    uint64_t popped = handle->place.kind == QUOIT_BROADCAST
                          ? quoit_ring_tail(handle->place.ring.shm) - size
                          : quoit_ring_head(handle->place.ring.shm);
    *info_out = (struct quoit_queue_info){
        .kind = handle->place.kind,
        .item_bytes = handle->place.item_bytes,
        .capacity = handle->place.ring.capacity,
        .broadcast = handle->place.layout == QUOIT_LAYOUT_LOSSY ? QUOIT_LOSSY : QUOIT_LOSSLESS,
        .tuning = handle->place.layout == QUOIT_LAYOUT_SPANS ? QUOIT_FOR_SPANS : QUOIT_FOR_ITEMS,
        .sized = handle->place.sized,
        .user_bytes = handle->place.user_bytes,
        .pushed = handle->place.layout == QUOIT_LAYOUT_BYTES
                      ? quoit_ring_tail(handle->place.ring.shm)
                      : popped + size,
        .popped = popped,
        .size = size,
        .finished = quoit_queue_is_finished(queue),
        .producer_pid = quoit_members_holder(members, QUOIT_PRODUCER, handle->roles),
        .consumer_pid = quoit_members_holder(members, QUOIT_CONSUMER, handle->roles),
        .created_by = handle->region->created_by,
        .created_at_unix_ns = handle->region->created_at_unix_ns,
    };
    if (handle->region->shm.locks_missing)
        return quoit_fail(QUOIT_CORRUPT,
                          "the lock file of '%s:%s' was removed: who is alive cannot be known",
                          quoit_region_scheme(handle->region), quoit_region_text(handle->region));
    return QUOIT_OK;
}

quoit_status quoit_queue_check(const quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_handle(queue);
    return status == QUOIT_OK ? queue->handle->place.ring.ops->check(&queue->handle->place.ring)
                              : status;
}
