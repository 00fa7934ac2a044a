/* SPDX-License-Identifier: MIT */
/* Passes blocks through a queue, and reclaims the blocks of crashed members. src/ring/blocks.h
   explains why a crash at any instruction loses no block. */
#include "pool_handle.h"
#include "queue_handle.h"

#include "hash.h"

/* Returns a number that identifies the queue in every process that has it open. */
static uint64_t identity_of(const quoit_queue *queue)
{
    const struct quoit_queue_handle *handle = queue->handle;
    return quoit_hash(handle->region->identity, &handle->view.ring.empty,
                      sizeof handle->view.ring.empty);
}

static quoit_status check_queue(const quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK && queue->handle->view.item_bytes != sizeof(quoit_block))
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "queue '%s:%s': its items have %u bytes, but blocks need a queue with item_bytes 8",
            QUOIT_QUEUE_NAME(queue), (unsigned)queue->handle->view.item_bytes);
    if (status == QUOIT_OK && queue->handle->view.messages)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue '%s:%s': it holds variable-size messages, but blocks need a queue "
                          "with messages 0",
                          QUOIT_QUEUE_NAME(queue));
    if (status == QUOIT_OK && !queue->handle->view.ring.ops->contains)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue '%s:%s': its kind is BROADCAST, but a block can have only one "
                          "owner; use a queue of kind QUOIT_SPSC or QUOIT_MPMC",
                          QUOIT_QUEUE_NAME(queue));
    return status;
}

static quoit_status check_both(const quoit_pool *pool, const quoit_queue *queue)
{
    quoit_status status = quoit_pool_check_member(pool);
    return status == QUOIT_OK ? check_queue(queue) : status;
}

/* While the push waits, the block belongs to the queue. */
quoit_status quoit_pool_push(quoit_pool *pool, quoit_queue *queue, quoit_block block,
                             int64_t timeout_ns)
{
    quoit_status status = check_both(pool, queue);
    if (status == QUOIT_OK)
        status = quoit_blocks_send(&pool->view.blocks, block, identity_of(queue));
    if (status != QUOIT_OK)
        return status;
    status = quoit_queue_push(queue, &block, sizeof block, timeout_ns);
    if (status != QUOIT_OK && quoit_blocks_unsend(&pool->view.blocks, block) != QUOIT_OK)
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "queue '%s:%s': block 0x%016llx was received before its push was "
                          "complete; the queue is damaged: remove it with 'quoit rm'",
                          QUOIT_QUEUE_NAME(queue), (unsigned long long)block);
    return status;
}

quoit_status quoit_pool_pop(quoit_pool *pool, quoit_queue *queue, quoit_block *block_out,
                            int64_t timeout_ns)
{
    if (!block_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "block_out is NULL; pass the address of a variable");
    *block_out = QUOIT_BLOCK_NONE;
    const void *item;
    quoit_block block;
    quoit_status status = check_both(pool, queue);
    if (status == QUOIT_OK)
        status = quoit_queue_peek(queue, &item, NULL, timeout_ns);
    if (status != QUOIT_OK)
        return status;
    block = quoit_ring_load_once(item); /* the peer may change it */
    status = quoit_blocks_take(&pool->view.blocks, block);
    if (status == QUOIT_ERROR_BUSY)
        return status;
    (void)quoit_queue_release(queue); /* fails if the ring is damaged; the block is not */
    if (status == QUOIT_OK)
        status = quoit_blocks_keep(&pool->view.blocks, block);
    if (status == QUOIT_OK)
        *block_out = block;
    return status;
}

/* ---- Blocks of crashed members --------------------------------------------------------------- */

struct queues {
    quoit_queue *const *list;
    uint64_t count;
};

static bool may_be_queued(const void *context, uint64_t queue, quoit_block block)
{
    const struct queues *queues = context;
    for (uint64_t i = 0; i < queues->count; i++) {
        const struct quoit_ring_view *ring = quoit_queue_ring(queues->list[i]);
        if (identity_of(queues->list[i]) == queue)
            return ring->ops->contains(ring, block);
    }
    return true;
}

quoit_status quoit_pool_reclaim(quoit_pool *pool, quoit_queue *const *queues, uint64_t queue_count,
                                uint64_t *count_out)
{
    if (count_out)
        *count_out = 0;
    quoit_status status = quoit_pool_check_member(pool);
    if (status == QUOIT_OK && !queues && queue_count > 0)
        status = quoit_fail(
            QUOIT_ERROR_INVALID,
            "queues is NULL, but queue_count is %llu; pass an array of that many queues",
            (unsigned long long)queue_count);
    for (uint64_t i = 0; i < queue_count && status == QUOIT_OK; i++)
        status = check_queue(queues[i]);
    if (status != QUOIT_OK)
        return status;
    const struct queues context = {.list = queues, .count = queue_count};
    uint64_t count = quoit_blocks_reclaim(&pool->view.blocks, may_be_queued, &context);
    if (count_out)
        *count_out = count;
    return QUOIT_OK;
}
