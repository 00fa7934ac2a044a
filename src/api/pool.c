/* SPDX-License-Identifier: MIT */
/* Pools as objects: create, open, join, close; alloc and free; queries. pool_queue.c passes blocks
   through a queue, and reclaims the blocks of crashed members. */
#include "pool_handle.h"

#include <stdlib.h>

/* Called in a forked child: disables the handle, and releases the inherited memory and locks. */
static void drop_in_child(struct quoit_os_fork_guard *guard)
{
    quoit_pool *pool = (quoit_pool *)(void *)((char *)guard - offsetof(quoit_pool, guard));
    pool->forked = true;
    quoit_os_shm_abandon(&pool->region->shm);
}

/* Members begin to search for free blocks far apart: the first member at the start, the second at
   the half, the next two at the quarters, and so on. */
static uint32_t first_block(uint32_t entry, uint32_t count)
{
    uint64_t reversed = 0;
    for (uint32_t rest = 1; rest < QUOIT_MEMBER_ENTRIES; rest *= 2, entry /= 2)
        reversed = reversed * 2 + entry % 2;
    return (uint32_t)(reversed * count / QUOIT_MEMBER_ENTRIES);
}

static void enter_blocks(quoit_pool *pool)
{
    struct quoit_blocks *blocks = &pool->view.blocks;
    blocks->members.own = pool->view.members.own_entry;
    quoit_blocks_enter(blocks);
    /* Relaxed: no other thread has the handle yet. */
    atomic_store_explicit(&pool->next_hint, first_block(blocks->members.own, blocks->count),
                          memory_order_relaxed);
}

static quoit_status become_member(quoit_pool *pool)
{
    quoit_status status = quoit_members_join(&pool->view.members, 0, pool->region);
    if (status == QUOIT_OK)
        enter_blocks(pool);
    return status;
}

/* Makes a handle that owns a region and the pool in it. On failure the caller keeps both. */
static quoit_status enter(quoit_region *region, const struct quoit_pool_view *view,
                          quoit_pool **pool_out)
{
    quoit_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a pool handle");
    pool->region = region;
    pool->view = *view;
    pool->view.blocks.members.context = &pool->view.members;
    quoit_status status = quoit_pool_is_observer(pool) ? QUOIT_OK : become_member(pool);
    if (status != QUOIT_OK)
        goto free_pool;
    pool->guard.dropped = drop_in_child;
    status = quoit_os_fork_guard_add(&pool->guard);
    if (status != QUOIT_OK)
        goto leave;
    *pool_out = pool;
    return QUOIT_OK;

leave:
    if (!quoit_pool_is_observer(pool))
        quoit_members_leave(&pool->view.members, 0);
free_pool:
    free(pool);
    return status;
}

static quoit_status check_call(uint32_t flags, unsigned known, quoit_pool **pool_out)
{
    if (!pool_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "pool_out is NULL; pass the address of a variable");
    *pool_out = NULL;
    if (flags & QUOIT_TRANSIENT)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "QUOIT_TRANSIENT is for queues alone; remove a pool with quoit_unlink");
    if (flags & ~known)
        return quoit_fail(QUOIT_ERROR_INVALID, "flags 0x%x are not valid for this call; pass 0",
                          (unsigned)flags);
    return QUOIT_OK;
}

static quoit_status create_held(const char *name, const struct quoit_pool_options *options,
                                quoit_pool **pool_out)
{
    quoit_region *region;
    struct quoit_pool_view view;
    quoit_pool *pool;
    quoit_status status = quoit_pool_make(name, options, &region, &view);
    if (status != QUOIT_OK)
        return status;
    status = enter(region, &view, &pool);
    if (status != QUOIT_OK)
        goto close_region;
    status = quoit_region_publish(region);
    if (status != QUOIT_OK)
        goto free_pool;
    *pool_out = pool;
    return QUOIT_OK;

free_pool:
    quoit_os_fork_guard_remove(&pool->guard);
    free(pool);
close_region:
    quoit_region_close(region);
    return status;
}

quoit_status quoit_pool_create(const char *name, const struct quoit_pool_options *options,
                               uint32_t flags, quoit_pool **pool_out)
{
    quoit_status status = check_call(flags, QUOIT_ANY_OWNER, pool_out);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* until the handle's guard is in its place */
    status = create_held(name, options, pool_out);
    quoit_os_fork_release();
    return status;
}

static quoit_status open_held(const char *name, const struct quoit_pool_options *options,
                              uint32_t flags, quoit_pool **pool_out)
{
    quoit_region *region;
    struct quoit_pool_view view;
    quoit_status status = quoit_region_attach(name, flags, &region);
    if (status != QUOIT_OK)
        return status;
    if (!(flags & QUOIT_OBSERVER))
        status = quoit_region_place(region, options ? options->memory : 0u);
    if (status == QUOIT_OK)
        status = quoit_pool_find(region, &view);
    if (status == QUOIT_OK && options)
        status = quoit_pool_compare(region, &view, options);
    if (status == QUOIT_OK)
        status = enter(region, &view, pool_out);
    if (status != QUOIT_OK)
        quoit_region_close(region);
    return status;
}

static quoit_status open_existing(const char *name, const struct quoit_pool_options *options,
                                  uint32_t flags, quoit_pool **pool_out)
{
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* until the handle's guard is in its place */
    quoit_status status = open_held(name, options, flags, pool_out);
    quoit_os_fork_release();
    return status;
}

quoit_status quoit_pool_open(const char *name, uint32_t flags, quoit_pool **pool_out)
{
    quoit_status status = check_call(flags, QUOIT_OBSERVER | QUOIT_ANY_OWNER, pool_out);
    return status == QUOIT_OK ? open_existing(name, NULL, flags, pool_out) : status;
}

quoit_status quoit_pool_join(const char *name, const struct quoit_pool_options *options,
                             uint32_t flags, quoit_pool **pool_out)
{
    quoit_status status = check_call(flags, QUOIT_ANY_OWNER, pool_out);
    if (status == QUOIT_OK)
        status = quoit_pool_check_options(options);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* so that all tries share one time limit */
    do {
        status = open_existing(name, options, flags, pool_out);
        if (status == QUOIT_ERROR_NOT_FOUND)
            status = quoit_pool_create(name, options, flags, pool_out);
    } while (quoit_region_join_again(name, &status));
    quoit_os_fork_release();
    return status;
}

void quoit_pool_close(quoit_pool *pool)
{
    if (!pool)
        return;
    quoit_os_fork_hold(); /* else a child could inherit memory that no guard releases */
    quoit_os_fork_guard_remove(&pool->guard);
    if (!pool->forked && !quoit_pool_is_observer(pool))
        quoit_members_leave(&pool->view.members, 0);
    quoit_region_close(pool->region);
    free(pool); /* held: a handler that forks needs the allocator's lock */
    quoit_os_fork_release();
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

quoit_status quoit_pool_alloc(quoit_pool *pool, quoit_block *block_out)
{
    if (!block_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "block_out is NULL; pass the address of a variable");
    *block_out = QUOIT_BLOCK_NONE;
    quoit_status status = quoit_pool_check_member(pool);
    return status == QUOIT_OK ? quoit_blocks_alloc(&pool->view.blocks, &pool->next_hint, block_out)
                              : status;
}

quoit_status quoit_pool_free(quoit_pool *pool, quoit_block block)
{
    quoit_status status = quoit_pool_check_member(pool);
    return status == QUOIT_OK ? quoit_blocks_free(&pool->view.blocks, &pool->next_hint, block)
                              : status;
}

/* An observer's memory is mapped read-only, so its pointer may lose the const. */
static void *at_any(const quoit_pool *pool, quoit_block block)
{
    const uint8_t *bytes = quoit_blocks_at_any(&pool->view.blocks, block);
    return bytes ? pool->view.blocks.bytes + (bytes - pool->view.blocks.bytes) : NULL;
}

void *quoit_pool_at(const quoit_pool *pool, quoit_block block)
{
    if (!pool || pool->forked)
        return NULL;
    return quoit_pool_is_observer(pool) ? at_any(pool, block)
                                        : quoit_blocks_at(&pool->view.blocks, block);
}

/* ---- Queries --------------------------------------------------------------------------------- */

uint64_t quoit_pool_block_bytes(const quoit_pool *pool)
{
    return pool ? pool->view.block_bytes : 0;
}

uint64_t quoit_pool_blocks(const quoit_pool *pool)
{
    return pool ? pool->view.blocks.count : 0;
}

uint64_t quoit_pool_free_count(const quoit_pool *pool)
{
    return pool && !pool->forked ? quoit_blocks_count_free(&pool->view.blocks) : 0;
}

quoit_status quoit_pool_check(const quoit_pool *pool)
{
    quoit_status status = quoit_pool_check_handle(pool);
    return status == QUOIT_OK ? quoit_blocks_check(&pool->view.blocks) : status;
}

quoit_status quoit_pool_members(const quoit_pool *pool, struct quoit_member_info *members_out,
                                uint64_t room, uint64_t *count_out)
{
    uint32_t entries[QUOIT_MEMBERS_MAX];
    quoit_status status = quoit_pool_check_handle(pool);
    return status == QUOIT_OK ? quoit_members_list(&pool->view.members, pool->region, members_out,
                                                   entries, room, count_out)
                              : status;
}
