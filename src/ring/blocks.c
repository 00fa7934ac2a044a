/* SPDX-License-Identifier: MIT */
/* Blocks: which member owns each, and how ownership passes on. How it works is in blocks.h; blocks
   of crashed members are in blocks_reclaim.c. Ordering labels: docs/ORDERING.md. */
#include "block_state.h"

#include "bits.h"

void quoit_blocks_init(const struct quoit_blocks *blocks, uint32_t generation)
{
    for (uint32_t i = 0; i < blocks->count; i++) {
        /* Relaxed: no other process sees the pool yet; publishing the region orders it. */
        atomic_store_explicit(&blocks->entries[i].state, quoit_block_free_state(generation),
                              memory_order_relaxed);
        /* Relaxed: publishing the region orders it. */
        atomic_store_explicit(&blocks->entries[i].queue, 0, memory_order_relaxed);
        quoit_block_hint(blocks, i);
    }
}

void quoit_blocks_enter(struct quoit_blocks *blocks)
{
    struct quoit_block_members *members = &blocks->members;
    quoit_atomic_u64 *incarnation = &members->incarnations[members->own];
    /* Relaxed: only the holder of the entry's lock writes it; states that contain it come later. */
    uint64_t next = atomic_load_explicit(incarnation, memory_order_relaxed) + 1;
    /* POOL-N1: with this value, all stores of the entry's earlier holders are visible. Pairs with
       POOL-N2. */
    atomic_store_explicit(incarnation, next, memory_order_release);
    members->own_incarnation = (uint32_t)next & QUOIT_BLOCK_INCARNATIONS;
}

/* ---- Block ids ------------------------------------------------------------------------------- */

static quoit_block id_of(uint32_t index, uint32_t generation)
{
    return (uint64_t)generation << 32 | (index + 1);
}

static bool is_block(const struct quoit_blocks *blocks, quoit_block block)
{
    return (uint32_t)block - 1 < blocks->count; /* 0 is no block */
}

static uint32_t index_of(quoit_block block)
{
    return (uint32_t)block - 1;
}

static quoit_status stale(quoit_block block)
{
    return quoit_fail(
        QUOIT_ERROR_NOT_YOURS,
        "block 0x%016llx does not belong to this handle: it was freed or sent, or another handle "
        "owns it; use only blocks that this handle allocated or received",
        (unsigned long long)block);
}

/* Changes the stage of a block that this member owns. */
static quoit_status step(const struct quoit_blocks *blocks, quoit_block block,
                         enum quoit_block_stage from, enum quoit_block_stage to)
{
    uint32_t generation = (uint32_t)(block >> 32);
    if (!is_block(blocks, block) ||
        !quoit_block_exchange(blocks, index_of(block),
                              quoit_block_own_state(blocks, from, generation),
                              quoit_block_own_state(blocks, to, generation)))
        return stale(block);
    return QUOIT_OK;
}

static uint8_t *bytes_of(const struct quoit_blocks *blocks, quoit_block block)
{
    return blocks->bytes + index_of(block) * blocks->stride;
}

void *quoit_blocks_at(const struct quoit_blocks *blocks, quoit_block block)
{
    uint32_t generation = (uint32_t)(block >> 32);
    if (!is_block(blocks, block) ||
        quoit_block_load(blocks, index_of(block)) !=
            quoit_block_own_state(blocks, QUOIT_BLOCK_OWNED, generation))
        return NULL;
    return bytes_of(blocks, block);
}

const void *quoit_blocks_at_any(const struct quoit_blocks *blocks, quoit_block block)
{
    if (!is_block(blocks, block))
        return NULL;
    uint64_t state = quoit_block_load(blocks, index_of(block));
    if (quoit_block_stage(state) == QUOIT_BLOCK_FREE || state >> 32 != block >> 32)
        return NULL;
    return bytes_of(blocks, block);
}

/* ---- Allocating and freeing ------------------------------------------------------------------ */

static void clear_hint(const struct quoit_blocks *blocks, uint32_t index)
{
    /* POOL-H2: the hint was set after its block was freed. Pairs with POOL-H1. */
    (void)atomic_fetch_and_explicit(&blocks->hints[index / 64], ~(UINT64_C(1) << index % 64),
                                    memory_order_acquire);
}

/* Clears the hint of a block that is not free. Sets it again if the block was freed meanwhile. */
static void forget(const struct quoit_blocks *blocks, uint32_t index)
{
    clear_hint(blocks, index);
    if (quoit_block_is_free(quoit_block_load(blocks, index)))
        quoit_block_hint(blocks, index);
}

/* Allocates that block, if it is free. */
static bool alloc_at(const struct quoit_blocks *blocks, uint32_t index, quoit_block *block_out)
{
    uint64_t state = quoit_block_load(blocks, index);
    uint32_t generation = (uint32_t)(state >> 32);
    if (!quoit_block_is_free(state) ||
        !quoit_block_exchange(blocks, index, state,
                              quoit_block_own_state(blocks, QUOIT_BLOCK_OWNED, generation)))
        return false;
    clear_hint(blocks, index);
    *block_out = id_of(index, generation);
    return true;
}

/* Allocates one of the 64 blocks of a word of hints; begins at number `first`, and wraps around. */
static bool alloc_among(const struct quoit_blocks *blocks, uint64_t at, uint32_t first,
                        quoit_block *block_out)
{
    /* Relaxed: a hint; the block's state decides. */
    uint64_t hints = atomic_load_explicit(&blocks->hints[at], memory_order_relaxed);
    for (hints = hints >> first | hints << (64 - first) % 64; hints != 0; hints &= hints - 1) {
        uint64_t index = at * 64 + (quoit_lowest_bit(hints) + first) % 64;
        if (index >= blocks->count)
            continue;
        if (alloc_at(blocks, (uint32_t)index, block_out))
            return true;
        forget(blocks, (uint32_t)index);
    }
    return false;
}

static void remember(quoit_atomic_u32 *next_hint, uint64_t index)
{
    /* Relaxed: where the next search begins, for this handle only. */
    atomic_store_explicit(next_hint, (uint32_t)index, memory_order_relaxed);
}

quoit_status quoit_blocks_alloc(const struct quoit_blocks *blocks, quoit_atomic_u32 *next_hint,
                                quoit_block *block_out)
{
    uint64_t words = quoit_blocks_hints(blocks->count);
    /* Relaxed: where the search begins, for this handle only. */
    uint32_t near_block = atomic_load_explicit(next_hint, memory_order_relaxed);
    uint64_t at = near_block / 64;
    for (uint64_t i = 0; i < words; i++, at++) {
        at = at < words ? at : 0;
        if (!alloc_among(blocks, at, near_block % 64, block_out))
            continue;
        if (i > 0) /* else begin at the same place: a few blocks, often reused, stay cached */
            remember(next_hint, at * 64);
        return QUOIT_OK;
    }
    for (uint32_t i = 0; i < blocks->count; i++) /* a crash may have left one without a hint */
        if (alloc_at(blocks, i, block_out))
            return QUOIT_OK;
    return QUOIT_EXHAUSTED;
}

quoit_status quoit_blocks_free(const struct quoit_blocks *blocks, quoit_atomic_u32 *next_hint,
                               quoit_block block)
{
    uint32_t generation = (uint32_t)(block >> 32);
    if (!is_block(blocks, block) ||
        !quoit_block_exchange(blocks, index_of(block),
                              quoit_block_own_state(blocks, QUOIT_BLOCK_OWNED, generation),
                              quoit_block_free_state(generation + 1)))
        return stale(block);
    quoit_block_hint(blocks, index_of(block));
    remember(next_hint, index_of(block)); /* its lines are in this processor's cache */
    return QUOIT_OK;
}

/* ---- Through a queue ------------------------------------------------------------------------- */

quoit_status quoit_blocks_send(const struct quoit_blocks *blocks, quoit_block block, uint64_t queue)
{
    if (!quoit_blocks_at(blocks, block))
        return stale(block);
    /* Relaxed: only the owner writes it, until the exchange in step, which orders it. */
    atomic_store_explicit(&blocks->entries[index_of(block)].queue, queue, memory_order_relaxed);
    return step(blocks, block, QUOIT_BLOCK_OWNED, QUOIT_BLOCK_SENT);
}

quoit_status quoit_blocks_unsend(const struct quoit_blocks *blocks, quoit_block block)
{
    return step(blocks, block, QUOIT_BLOCK_SENT, QUOIT_BLOCK_OWNED);
}

quoit_status quoit_blocks_keep(const struct quoit_blocks *blocks, quoit_block block)
{
    return step(blocks, block, QUOIT_BLOCK_TAKEN, QUOIT_BLOCK_OWNED);
}

/* How often take checks whether the consumer that took the block is still alive. The queue has
   already found that consumer crashed, so its process is about to end. */
enum { OWNER_CHECKS = 200 };

quoit_status quoit_blocks_take(const struct quoit_blocks *blocks, quoit_block block)
{
    if (!is_block(blocks, block))
        return stale(block);
    uint32_t index = index_of(block), generation = (uint32_t)(block >> 32);
    for (int tries = 0; tries < OWNER_CHECKS; tries++) {
        uint64_t state = quoit_block_load(blocks, index);
        enum quoit_block_stage stage = quoit_block_stage(state);
        if (state >> 32 != generation || (stage != QUOIT_BLOCK_SENT && stage != QUOIT_BLOCK_TAKEN))
            return stale(block);
        if (stage == QUOIT_BLOCK_TAKEN && !quoit_block_is_abandoned(blocks, state))
            continue;
        if (quoit_block_exchange(blocks, index, state,
                                 quoit_block_own_state(blocks, QUOIT_BLOCK_TAKEN, generation)))
            return QUOIT_OK;
    }
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "block 0x%016llx is owned by another live consumer, which is receiving it; "
                      "call again later",
                      (unsigned long long)block);
}
