/* SPDX-License-Identifier: MIT */
/* Queries on a queue, by any role: snapshots, members, browsing, repair, and the invariants. */
#include "queue_handle.h"

#include "fail.h"

static bool is_closed(const quoit_queue *queue)
{
    return !queue || queue->handle->forked;
}

uint64_t quoit_queue_size(const quoit_queue *queue)
{
    if (is_closed(queue))
        return 0;
    return queue->handle->view.ring.ops->size(&queue->handle->view.ring);
}

uint64_t quoit_queue_capacity(const quoit_queue *queue)
{
    return queue ? queue->handle->view.ring.capacity : 0;
}

uint64_t quoit_queue_item_bytes(const quoit_queue *queue)
{
    return queue ? queue->handle->view.item_bytes : 0;
}

static bool is_full(const quoit_queue *queue)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    return !ring->ops->has_room(ring);
}

uint64_t quoit_queue_missed(const quoit_queue *queue)
{
    const struct quoit_ring_ops *ops = queue ? queue->handle->view.ring.ops : NULL;
    return ops && ops->missed ? ops->missed(&queue->consumer) : 0;
}

void *quoit_queue_user_area(const quoit_queue *queue)
{
    return is_closed(queue) ? NULL : queue->handle->view.user;
}

quoit_status quoit_queue_inspect(const quoit_queue *queue, struct quoit_queue_info *info_out)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK && !info_out)
        status = quoit_fail(QUOIT_ERROR_INVALID,
                            "info_out is NULL; pass the address of a variable");
    if (status != QUOIT_OK)
        return status;
    const struct quoit_queue_handle *handle = queue->handle;
    const struct quoit_members *members = &handle->view.members;
    uint64_t size = quoit_queue_size(queue);
    if (quoit_queue_is_member(queue))
        quoit_member_note_high(quoit_queue_own_entry(queue), size);
    struct quoit_member_counts counts = quoit_members_counts(members);
    const struct quoit_ring_view *ring = &handle->view.ring;
    struct quoit_ring_totals totals = ring->ops->totals(ring, size);
    *info_out = (struct quoit_queue_info){
        .kind = handle->view.kind,
        .item_bytes = handle->view.item_bytes,
        .capacity = handle->view.ring.capacity,
        .when_full = ring->ops->drops_oldest ? QUOIT_DROP_OLDEST : QUOIT_WAIT_FOR_SLOWEST,
        .messages = handle->view.messages,
        .item_align = handle->view.item_align,
        .finishes = handle->view.finishes,
        .members = handle->view.most_members,
        .transient = handle->region->transient,
        .memory = handle->region->memory,
        .user_bytes = handle->view.user_bytes,
        .pushed = totals.pushed,
        .popped = totals.popped,
        .pushed_messages = totals.pushed_items,
        .popped_messages = totals.pushed_items - size,
        .size = size,
        .finished = ring->ops->is_finished(ring),
        .producer_pid = quoit_members_holder(members, QUOIT_PRODUCER, handle->roles),
        .consumer_pid = quoit_members_holder(members, QUOIT_CONSUMER, handle->roles),
        .created_by = handle->region->created_by,
        .created_at_unix_ns = handle->region->created_at_unix_ns,
        .full = counts.full,
        .empty = counts.empty,
        .sleeps = counts.sleeps,
        .wakes = counts.wakes,
        .repairs = counts.repairs,
        .high_water = counts.high_water > size ? counts.high_water : size,
    };
    memcpy(info_out->type, handle->view.type, sizeof info_out->type);
    return quoit_region_check_locks(handle->region);
}

/* ---- Members --------------------------------------------------------------------------------- */

static bool holds_up(const quoit_queue *queue, const struct quoit_member_info *member,
                     uint32_t entry, uint64_t *lag_out)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    if (ring->ops->holds_up)
        return ring->ops->holds_up(ring, entry, lag_out);
    return (member->roles & QUOIT_CONSUMER) != 0 && is_full(queue);
}

quoit_status quoit_queue_members(const quoit_queue *queue, struct quoit_member_info *members_out,
                                 uint64_t room, uint64_t *count_out)
{
    uint32_t entries[QUOIT_MEMBERS_MAX];
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    status = quoit_members_list(&queue->handle->view.members, queue->handle->region, members_out,
                                entries, room, count_out);
    if (status == QUOIT_ERROR_INVALID)
        return status;
    for (uint64_t i = 0; i < *count_out && i < room && i < QUOIT_MEMBERS_MAX; i++)
        members_out[i].holds_up = holds_up(queue, &members_out[i], entries[i], &members_out[i].lag);
    return status;
}

/* ---- Browsing and repair --------------------------------------------------------------------- */

quoit_status quoit_queue_browse(const quoit_queue *queue, struct quoit_browser *browser,
                                void *buffer, uint64_t room_bytes, uint64_t *bytes_out)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK && (!browser || (!buffer && room_bytes > 0)))
        status = quoit_fail(QUOIT_ERROR_INVALID,
                            "browser or buffer is NULL; pass a zeroed browser and a buffer");
    if (status != QUOIT_OK)
        return status;
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    struct quoit_snapshot snapshot = {.buffer = buffer, .room_bytes = room_bytes};
    struct quoit_ring_browser at = {browser->next, browser->missed, browser->begun != 0};
    status = ring->ops->browse(ring, &at, &snapshot);
    browser->next = at.next;
    browser->missed = at.missed;
    browser->begun = at.begun;
    if (bytes_out)
        *bytes_out = status == QUOIT_OK || status == QUOIT_ERROR_TOO_BIG ? snapshot.bytes : 0;
    if (status == QUOIT_ERROR_TOO_BIG)
        return quoit_fail(
            QUOIT_ERROR_TOO_BIG,
            "queue '%s:%s': the item has %llu bytes, but the buffer has %llu; pass a larger buffer",
            QUOIT_QUEUE_NAME(queue), (unsigned long long)snapshot.bytes,
            (unsigned long long)room_bytes);
    return status;
}

quoit_status quoit_queue_repair(quoit_queue *queue, uint64_t *count_out)
{
    uint64_t repairs = 0;
    if (count_out)
        *count_out = 0;
    quoit_status status = quoit_queue_check(queue);
    if (status == QUOIT_OK)
        status = quoit_region_check_locks(queue->handle->region);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    const struct quoit_members *members = &queue->handle->view.members;
    bool count_only = !quoit_queue_is_member(queue);
    if (ring->ops->repair)
        repairs = ring->ops->repair(ring, count_only);
    repairs += count_only ? quoit_members_count_crashed(members)
                          : quoit_members_clear_crashed(members);
    if (!count_only) {
        quoit_queue_wake(queue, QUOIT_PRODUCER);
        quoit_queue_wake(queue, QUOIT_CONSUMER);
    }
    if (count_out)
        *count_out = repairs;
    return QUOIT_OK;
}

quoit_status quoit_queue_check(const quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_handle(queue);
    return status == QUOIT_OK ? queue->handle->view.ring.ops->check(&queue->handle->view.ring)
                              : status;
}
