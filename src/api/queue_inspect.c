/* SPDX-License-Identifier: MIT */
/* What can be asked of a queue, by any role: snapshots, who is there, and the invariants. */
#include "queue_handle.h"

#include "fail.h"

static struct quoit_spsc_counts counts_of(const quoit_queue *queue)
{
    struct quoit_spsc_counts counts = {0};
    if (!queue->handle->forked)
        quoit_spsc_count(&queue->handle->place.ring, &counts);
    return counts;
}

uint64_t quoit_queue_size(const quoit_queue *queue)
{
    return counts_of(queue).size;
}

uint64_t quoit_queue_capacity(const quoit_queue *queue)
{
    return queue->handle->place.ring.capacity;
}

bool quoit_queue_is_empty(const quoit_queue *queue)
{
    return counts_of(queue).size == 0;
}

bool quoit_queue_is_full(const quoit_queue *queue)
{
    return counts_of(queue).size == quoit_queue_capacity(queue);
}

bool quoit_queue_is_finished(const quoit_queue *queue)
{
    return counts_of(queue).finished;
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
    struct quoit_spsc_counts counts = counts_of(queue);
    *info_out = (struct quoit_queue_info){
        .kind = handle->place.kind,
        .item_bytes = handle->place.item_bytes,
        .capacity = handle->place.ring.capacity,
        .user_bytes = handle->place.user_bytes,
        .pushed = counts.pushed,
        .popped = counts.popped,
        .size = counts.size,
        .finished = counts.finished,
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
    return status == QUOIT_OK ? quoit_spsc_check(&queue->handle->place.ring) : status;
}
