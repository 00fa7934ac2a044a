/* SPDX-License-Identifier: MIT */
/* The states and hints of a pool's blocks, for blocks.c and blocks_reclaim.c. */
#ifndef QUOIT_RING_BLOCK_STATE_H
#define QUOIT_RING_BLOCK_STATE_H

#include "blocks.h"

#include "fail.h"

static inline enum quoit_block_stage quoit_block_stage(uint64_t state)
{
    return (enum quoit_block_stage)(state & 3);
}

static inline uint32_t quoit_block_member(uint64_t state)
{
    return (uint32_t)(state >> 2 & 0xff);
}

static inline uint32_t quoit_block_incarnation(uint64_t state)
{
    return (uint32_t)(state >> 10) & QUOIT_BLOCK_INCARNATIONS;
}

static inline bool quoit_block_is_free(uint64_t state)
{
    return (uint32_t)state == QUOIT_BLOCK_FREE;
}

static inline uint64_t quoit_block_free_state(uint32_t generation)
{
    return (uint64_t)generation << 32;
}

static inline uint64_t quoit_block_own_state(const struct quoit_blocks *blocks,
                                             enum quoit_block_stage stage, uint32_t generation)
{
    const struct quoit_block_members *members = &blocks->members;
    return (uint64_t)generation << 32 | (uint64_t)members->own_incarnation << 10 |
           (uint64_t)members->own << 2 | (uint64_t)stage;
}

static inline uint64_t quoit_block_load(const struct quoit_blocks *blocks, uint32_t index)
{
    /* POOL-L1: after this load, its writer's earlier stores to the block and its entry are visible.
       Pairs with POOL-X1. */
    return atomic_load_explicit(&blocks->entries[index].state, memory_order_acquire);
}

static inline bool quoit_block_exchange(const struct quoit_blocks *blocks, uint32_t index,
                                        uint64_t from, uint64_t to)
{
    /* POOL-X1: this member's earlier accesses of the block come before, later ones after. Pairs
       with POOL-X1 and POOL-L1. */
    return atomic_compare_exchange_strong_explicit(&blocks->entries[index].state, &from, to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

static inline void quoit_block_hint(const struct quoit_blocks *blocks, uint32_t index)
{
    /* POOL-H1: the block was freed before; the member that clears the hint sees that. Pairs with
       POOL-H2. */
    (void)atomic_fetch_or_explicit(&blocks->hints[index / 64], UINT64_C(1) << index % 64,
                                   memory_order_release);
}

/* Has the owner crashed? The entry's incarnation is read after the state, so that it is not older.
   Then the kernel is asked whether the entry's holder is alive. A new holder that has not
   incremented it yet is taken for its predecessor, whose blocks then stay as they are for now. */
static inline bool quoit_block_is_abandoned(const struct quoit_blocks *blocks, uint64_t state)
{
    const struct quoit_block_members *members = &blocks->members;
    uint32_t entry = quoit_block_member(state);
    if (entry >= members->count)
        return true; /* no member wrote that */
    if (entry == members->own)
        return quoit_block_incarnation(state) != members->own_incarnation;
    /* POOL-N2: if it has changed, the old owner's last stores are visible. Pairs with POOL-N1. */
    uint64_t now = atomic_load_explicit(&members->incarnations[entry], memory_order_acquire);
    return quoit_block_incarnation(state) != ((uint32_t)now & QUOIT_BLOCK_INCARNATIONS) ||
           !members->is_alive(members->context, entry);
}

#endif
