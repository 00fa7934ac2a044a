/* SPDX-License-Identifier: MIT */
/* A copy of a broadcast's newest item, by any handle. */
#include "queue_handle.h"

#include "fail.h"

static quoit_status check_latest(const quoit_queue *queue, const void *buffer, size_t room_bytes)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    if (!queue->handle->view.ring.ops->latest)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "queue '%s:%s': its kind is %s, but quoit_queue_latest needs BROADCAST; "
                          "create the queue with QUOIT_BROADCAST",
                          QUOIT_QUEUE_NAME(queue), quoit_queue_kind_name(queue->handle->view.kind));
    if (!buffer && room_bytes > 0)
        return quoit_fail(QUOIT_ERROR_INVALID, "buffer is NULL; pass a buffer for the item");
    return QUOIT_OK;
}

quoit_status quoit_queue_latest(const quoit_queue *queue, void *buffer, size_t room_bytes,
                                size_t *bytes_out)
{
    struct quoit_snapshot snapshot = {.buffer = buffer, .room_bytes = room_bytes};
    quoit_status status = check_latest(queue, buffer, room_bytes);
    if (status == QUOIT_OK)
        status = queue->handle->view.ring.ops->latest(&queue->handle->view.ring, &snapshot);
    if (bytes_out)
        *bytes_out = status == QUOIT_OK || status == QUOIT_ERROR_TOO_BIG ? (size_t)snapshot.bytes
                                                                         : 0;
    if (status == QUOIT_ERROR_TOO_BIG)
        return quoit_fail(QUOIT_ERROR_TOO_BIG,
                          "queue '%s:%s': the newest item has %llu bytes, but the buffer has %zu; "
                          "pass a larger buffer",
                          QUOIT_QUEUE_NAME(queue), (unsigned long long)snapshot.bytes, room_bytes);
    if (status == QUOIT_ERROR_BUSY)
        return quoit_fail(QUOIT_ERROR_BUSY,
                          "queue '%s:%s': its producer has overwritten the newest item during each "
                          "copy of it; call again, or make the queue with a larger capacity",
                          QUOIT_QUEUE_NAME(queue));
    return status;
}
