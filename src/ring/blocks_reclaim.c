/* SPDX-License-Identifier: MIT */
/* The blocks of crashed members, and the calls for any process. How it works is in blocks.h,
   ordering labels in docs/ORDERING.md. */
#include "block_state.h"

/* The kernel is asked once for each owner: one verdict for each entry, with the incarnation that it
   is about. A crash stays true. If an owner crashes after its verdict, a later call frees its
   blocks. */
struct verdicts {
    struct {
        uint32_t incarnation;
        bool known, abandoned;
    } entries[QUOIT_BLOCK_MEMBERS_MOST];
};

static bool is_abandoned(const struct quoit_blocks *blocks, struct verdicts *verdicts,
                         uint64_t state)
{
    uint32_t entry = quoit_block_member(state), incarnation = quoit_block_incarnation(state);
    if (!verdicts->entries[entry].known || verdicts->entries[entry].incarnation != incarnation) {
        verdicts->entries[entry].known = true;
        verdicts->entries[entry].incarnation = incarnation;
        verdicts->entries[entry].abandoned = quoit_block_is_abandoned(blocks, state);
    }
    return verdicts->entries[entry].abandoned;
}

static bool may_be_queued(const struct quoit_blocks *blocks, uint32_t index, uint64_t state,
                          quoit_blocks_queued *is_queued, const void *context)
{
    if (quoit_block_stage(state) == QUOIT_BLOCK_OWNED)
        return false;
    /* Relaxed: POOL-L1 orders it; if an owner has written it since, the exchange fails. */
    uint64_t queue = atomic_load_explicit(&blocks->entries[index].queue, memory_order_relaxed);
    return is_queued(context, queue, (state >> 32) << 32 | ((uint64_t)index + 1));
}

uint64_t quoit_blocks_reclaim(const struct quoit_blocks *blocks, quoit_blocks_queued *is_queued,
                              const void *context)
{
    struct verdicts verdicts = {.entries = {{.known = false}}};
    uint64_t count = 0;
    for (uint32_t i = 0; i < blocks->count; i++) {
        uint64_t state = quoit_block_load(blocks, i);
        if (quoit_block_stage(state) == QUOIT_BLOCK_FREE ||
            !is_abandoned(blocks, &verdicts, state) ||
            may_be_queued(blocks, i, state, is_queued, context))
            continue;
        if (!quoit_block_exchange(blocks, i, state,
                                  quoit_block_free_state((uint32_t)(state >> 32) + 1)))
            continue;
        quoit_block_hint(blocks, i);
        count++;
    }
    return count;
}

uint64_t quoit_blocks_count_free(const struct quoit_blocks *blocks)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < blocks->count; i++)
        count += quoit_block_is_free(quoit_block_load(blocks, i));
    return count;
}

static quoit_status check_state(const struct quoit_blocks *blocks, uint32_t index)
{
    uint64_t state = quoit_block_load(blocks, index);
    if (quoit_block_is_free(state) || (quoit_block_stage(state) != QUOIT_BLOCK_FREE &&
                                       quoit_block_member(state) < blocks->members.count))
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "pool: block %lu has the state 0x%016llx, which no process writes; the pool "
                      "is damaged: remove it with 'quoit rm'",
                      (unsigned long)index, (unsigned long long)state);
}

/* Hints may be wrong, but none is set for a block that does not exist. */
static quoit_status check_last_hints(const struct quoit_blocks *blocks)
{
    uint64_t last = quoit_blocks_hints(blocks->count) - 1;
    /* Relaxed: a snapshot of a number. */
    uint64_t hints = atomic_load_explicit(&blocks->hints[last], memory_order_relaxed);
    if (blocks->count % 64 == 0 || hints >> blocks->count % 64 == 0)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "pool: its last hint word is 0x%016llx, which has bits beyond its %lu "
                      "blocks; the pool is damaged: remove it with 'quoit rm'",
                      (unsigned long long)hints, (unsigned long)blocks->count);
}

quoit_status quoit_blocks_check(const struct quoit_blocks *blocks)
{
    quoit_status status = check_last_hints(blocks);
    for (uint32_t i = 0; i < blocks->count && status == QUOIT_OK; i++)
        status = check_state(blocks, i);
    return status;
}
