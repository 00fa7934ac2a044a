/* SPDX-License-Identifier: MIT */
/* The words and hints of a pool's blocks, for pool.c and pool_reclaim.c. */
#ifndef QUOIT_RING_POOL_WORD_H
#define QUOIT_RING_POOL_WORD_H

#include "pool.h"

#include "fail.h"

static inline enum quoit_block_state quoit_block_state(uint64_t word)
{
    return (enum quoit_block_state)(word & 3);
}

static inline uint32_t quoit_block_row(uint64_t word)
{
    return (uint32_t)(word >> 2 & 0xff);
}

static inline uint32_t quoit_block_incarnation(uint64_t word)
{
    return (uint32_t)(word >> 10) & QUOIT_BLOCK_INCARNATIONS;
}

static inline bool quoit_block_is_free(uint64_t word)
{
    return (uint32_t)word == QUOIT_BLOCK_FREE;
}

static inline uint64_t quoit_block_free_word(uint32_t generation)
{
    return (uint64_t)generation << 32;
}

static inline uint64_t quoit_block_own_word(const struct quoit_blocks *blocks,
                                            enum quoit_block_state state, uint32_t generation)
{
    const struct quoit_block_members *members = &blocks->members;
    return (uint64_t)generation << 32 | (uint64_t)members->own_incarnation << 10 |
           (uint64_t)members->own << 2 | (uint64_t)state;
}

static inline uint64_t quoit_block_look(const struct quoit_blocks *blocks, uint32_t index)
{
    /* POOL-L1: with a word comes what its writer had done to the block before, and to its row.
       Pairs with POOL-X1. */
    return atomic_load_explicit(&blocks->words[index].word, memory_order_acquire);
}

static inline bool quoit_block_exchange(const struct quoit_blocks *blocks, uint32_t index,
                                        uint64_t from, uint64_t to)
{
    /* POOL-X1: what we did to the block comes before, what we do with it after. Pairs with POOL-X1
       and POOL-L1. */
    return atomic_compare_exchange_strong_explicit(&blocks->words[index].word, &from, to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

static inline void quoit_block_hint(const struct quoit_blocks *blocks, uint32_t index)
{
    /* POOL-H1: the block is free, for whoever clears this. Pairs with POOL-H2. */
    (void)atomic_fetch_or_explicit(&blocks->hints[index / 64], UINT64_C(1) << index % 64,
                                   memory_order_release);
}

/* Is the owner gone? The row's count is read after the word, so that it is not older; who is in the
   row is asked after that. A newcomer that has not counted yet is taken for its predecessor, and
   what that had is left alone for now. */
static inline bool quoit_block_is_dead(const struct quoit_blocks *blocks, uint64_t word)
{
    const struct quoit_block_members *members = &blocks->members;
    uint32_t row = quoit_block_row(word);
    if (row >= members->count)
        return true; /* nobody wrote that */
    if (row == members->own)
        return quoit_block_incarnation(word) != members->own_incarnation;
    /* POOL-N2: where it has moved on, the owner's last words come with it. Pairs with POOL-N1. */
    uint64_t now = atomic_load_explicit(&members->incarnations[row], memory_order_acquire);
    return quoit_block_incarnation(word) != ((uint32_t)now & QUOIT_BLOCK_INCARNATIONS) ||
           !members->is_alive(members->context, row);
}

#endif
