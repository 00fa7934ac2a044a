/* SPDX-License-Identifier: MIT */
/* Items and messages in place: claim, commit, discard; peek, release. The rings know the addresses.
   This file knows which claim or peek is the latest, and how much of it is left. */
#include "queue_handle.h"

#include "fail.h"

/* A peek at one item does not count the others, but one in so many does. */
enum { PEEKS_PER_COUNT = 256 };

static quoit_status clear_outputs(const void *items_out, size_t *count_out)
{
    if (count_out)
        *count_out = 0;
    return items_out && count_out
               ? QUOIT_OK
               : quoit_fail(QUOIT_ERROR_INVALID,
                            "items_out or count_out is NULL; pass the addresses of two variables");
}

/* ---- Claims ---------------------------------------------------------------------------------- */

struct claim {
    size_t wanted, bytes, count;
    void *room;
};

static quoit_status claim_once(quoit_queue *queue, void *context)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    struct claim *claim = context;
    uint64_t count = 0;
    quoit_status status = ring->ops->claim(&queue->producer, ring, claim->wanted, claim->bytes,
                                           &claim->room, &count);
    claim->count = (size_t)count;
    return status;
}

static quoit_status claim_room(quoit_queue *queue, struct claim *claim, int64_t timeout_ns)
{
    struct quoit_queue_handle *handle = queue->handle;
    handle->claimed.count = 0;
    quoit_status status = quoit_queue_try(queue, QUOIT_PRODUCER, claim_once, claim, timeout_ns);
    if (status == QUOIT_OK)
        handle->claimed = (struct quoit_in_place){
            .count = claim->count, .bytes = claim->bytes, .at = quoit_queue_pushes(queue)};
    return status;
}

quoit_status quoit_queue_claim(quoit_queue *queue, size_t bytes, void **room_out,
                               int64_t timeout_ns)
{
    struct claim claim = {.wanted = 1, .bytes = bytes};
    if (!room_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "room_out is NULL; pass the address of a variable");
    *room_out = NULL;
    quoit_status status = quoit_queue_check_pusher(queue);
    if (status == QUOIT_OK)
        status = quoit_queue_check_bytes(queue, bytes);
    if (status == QUOIT_OK)
        status = claim_room(queue, &claim, timeout_ns);
    if (status == QUOIT_OK)
        *room_out = claim.room;
    return status;
}

quoit_status quoit_queue_claim_many(quoit_queue *queue, size_t wanted, void **items_out,
                                    size_t *count_out, int64_t timeout_ns)
{
    struct claim claim = {.wanted = wanted};
    quoit_status status = clear_outputs(items_out, count_out);
    if (status != QUOIT_OK)
        return status;
    *items_out = NULL;
    status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    if (status == QUOIT_OK) {
        claim.bytes = queue->handle->view.item_bytes;
        status = quoit_queue_check_items(queue, QUOIT_PRODUCER, claim.bytes);
    }
    if (status == QUOIT_OK && wanted == 0)
        status = quoit_fail(QUOIT_ERROR_INVALID,
                            "queue '%s:%s': 0 items cannot be claimed; claim at least 1",
                            QUOIT_QUEUE_NAME(queue));
    if (status == QUOIT_OK)
        status = claim_room(queue, &claim, timeout_ns);
    if (status != QUOIT_OK)
        return status;
    *items_out = claim.room;
    *count_out = claim.count;
    return QUOIT_OK;
}

/* Returns how many items of the claim may be committed: 0 if the side has pushed since. */
static size_t claimed(const quoit_queue *queue)
{
    const struct quoit_in_place *claim = &queue->handle->claimed;
    return claim->at == quoit_queue_pushes(queue) ? claim->count : 0;
}

static quoit_status nothing_is_claimed(const quoit_queue *queue, size_t count)
{
    return quoit_fail(QUOIT_ERROR_INVALID,
                      "queue '%s:%s': %zu items cannot be committed, because fewer are claimed; "
                      "claim before each commit",
                      QUOIT_QUEUE_NAME(queue), count);
}

quoit_status quoit_queue_commit(quoit_queue *queue, size_t bytes)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    bool messages = queue->handle->view.messages;
    if (claimed(queue) == 0)
        return nothing_is_claimed(queue, 1);
    if (claimed(queue) > 1) /* committing one would silently drop the others */
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue '%s:%s': %zu items are claimed, but quoit_queue_commit commits 1; "
                          "use quoit_queue_commit_many",
                          QUOIT_QUEUE_NAME(queue), claimed(queue));
    if (messages ? bytes > queue->handle->claimed.bytes : bytes != queue->handle->claimed.bytes)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue '%s:%s': %zu bytes cannot be committed, because %zu are claimed; "
                          "commit what was claimed",
                          QUOIT_QUEUE_NAME(queue), bytes, queue->handle->claimed.bytes);
    queue->handle->claimed.count = 0;
    if (!ring->ops->commit(&queue->producer, ring, 1, bytes))
        return nothing_is_claimed(queue, 1);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

quoit_status quoit_queue_commit_many(quoit_queue *queue, size_t count)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    if (status != QUOIT_OK)
        return status;
    if (count == 0)
        return quoit_queue_discard(queue);
    if (queue->handle->view.messages || count > claimed(queue))
        return nothing_is_claimed(queue, count);
    queue->handle->claimed.count = 0;
    if (!quoit_queue_ring(queue)->ops->commit(&queue->producer, quoit_queue_ring(queue), count,
                                              queue->handle->view.item_bytes))
        return nothing_is_claimed(queue, count);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

/* In an MPMC queue a discarded claim has blocked the items and claims after it, so both sides are
   woken. */
quoit_status quoit_queue_discard(quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_PRODUCER);
    if (status != QUOIT_OK)
        return status;
    queue->handle->claimed.count = 0;
    (void)quoit_queue_ring(queue)->ops->commit(&queue->producer, quoit_queue_ring(queue), 0, 0);
    if (quoit_queue_ring(queue)->ops->many_producers) {
        quoit_queue_pushed(queue);
        quoit_queue_wake(queue, QUOIT_PRODUCER);
    }
    return QUOIT_OK;
}

/* ---- Peeks ----------------------------------------------------------------------------------- */

struct peek {
    const void *items;
    uint64_t wanted, count, bytes;
};

static quoit_status peek_once(quoit_queue *queue, void *context)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    struct peek *peek = context;
    peek->count = peek->wanted;
    return ring->ops->peek(&queue->consumer, ring, &peek->items, &peek->count, &peek->bytes);
}

static quoit_status peek_items(quoit_queue *queue, struct peek *peek, int64_t timeout_ns)
{
    struct quoit_queue_handle *handle = queue->handle;
    handle->peeked.count = 0;
    quoit_status status = quoit_queue_try(queue, QUOIT_CONSUMER, peek_once, peek, timeout_ns);
    if (status != QUOIT_OK)
        return status;
    quoit_member_note_high(quoit_queue_own_entry(queue), peek->count);
    handle->peeked = (struct quoit_in_place){
        .count = (size_t)peek->count, .bytes = (size_t)peek->bytes, .at = quoit_queue_pops(queue)};
    return QUOIT_OK;
}

quoit_status quoit_queue_peek(quoit_queue *queue, const void **data_out, size_t *bytes_out,
                              int64_t timeout_ns)
{
    struct peek peek = {.wanted = 1};
    if (data_out)
        *data_out = NULL;
    if (bytes_out)
        *bytes_out = 0;
    if (!data_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "data_out is NULL; pass the address of a variable");
    quoit_status status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status != QUOIT_OK)
        return status;
    if (quoit_queue_pops(queue) % PEEKS_PER_COUNT == 0)
        peek.wanted = UINT64_MAX; /* for high_water */
    status = peek_items(queue, &peek, timeout_ns);
    if (status != QUOIT_OK)
        return status;
    queue->handle->peeked.count = 1;
    *data_out = peek.items;
    if (bytes_out)
        *bytes_out = (size_t)peek.bytes;
    return QUOIT_OK;
}

quoit_status quoit_queue_peek_many(quoit_queue *queue, const void **items_out, size_t *count_out,
                                   int64_t timeout_ns)
{
    struct peek peek = {.wanted = UINT64_MAX};
    quoit_status status = clear_outputs(items_out, count_out);
    if (status != QUOIT_OK)
        return status;
    *items_out = NULL;
    status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status == QUOIT_OK)
        status = quoit_queue_check_items(queue, QUOIT_CONSUMER, queue->handle->view.item_bytes);
    if (status == QUOIT_OK)
        status = peek_items(queue, &peek, timeout_ns);
    if (status != QUOIT_OK)
        return status;
    *items_out = peek.items;
    *count_out = (size_t)peek.count;
    return QUOIT_OK;
}

static quoit_status release(quoit_queue *queue, size_t count)
{
    quoit_status status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status != QUOIT_OK)
        return status;
    struct quoit_in_place *peeked = &queue->handle->peeked;
    if (peeked->at != quoit_queue_pops(queue) || count > peeked->count ||
        !quoit_queue_ring(queue)->ops->release(&queue->consumer, quoit_queue_ring(queue), count))
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue '%s:%s': %zu items cannot be released, because fewer are peeked "
                          "at; peek before each release",
                          QUOIT_QUEUE_NAME(queue), count);
    peeked->count -= count;
    peeked->at = quoit_queue_pops(queue);
    if (count > 0)
        quoit_queue_note_popped(queue, count);
    return QUOIT_OK;
}

quoit_status quoit_queue_position(quoit_queue *queue, uint64_t *position_out)
{
    if (!position_out)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "position_out is NULL; pass the address of a variable");
    *position_out = 0;
    quoit_status status = quoit_queue_check_role(queue, QUOIT_CONSUMER);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_in_place *peeked = &queue->handle->peeked;
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    uint64_t position = quoit_queue_pops(queue);
    if (peeked->at != position || peeked->count == 0 ||
        (ring->ops->peeked_at && !ring->ops->peeked_at(&queue->consumer, ring, &position)))
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue '%s:%s': no item is peeked at, so there is no position; peek "
                          "first",
                          QUOIT_QUEUE_NAME(queue));
    *position_out = position;
    return QUOIT_OK;
}

quoit_status quoit_queue_release(quoit_queue *queue)
{
    return release(queue, 1);
}

quoit_status quoit_queue_release_many(quoit_queue *queue, size_t count)
{
    return release(queue, count);
}
