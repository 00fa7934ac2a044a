/* SPDX-License-Identifier: MIT */
/* The blocks of crashed members, and the calls for any process. How it works is in pool.h, ordering
   labels in docs/ORDERING.md. */
#include "pool_word.h"

/* The kernel is asked once for each owner: one verdict for each row, with the incarnation that it
   is about. A crash stays true. If an owner crashes after its verdict, a later call frees its
   blocks. */
struct verdicts {
    struct {
        uint32_t incarnation;
        bool known, dead;
    } rows[QUOIT_BLOCK_ROWS_MOST];
};

static bool is_dead(const struct quoit_blocks *blocks, struct verdicts *verdicts, uint64_t word)
{
    uint32_t row = quoit_block_row(word), incarnation = quoit_block_incarnation(word);
    if (!verdicts->rows[row].known || verdicts->rows[row].incarnation != incarnation) {
        verdicts->rows[row].known = true;
        verdicts->rows[row].incarnation = incarnation;
        verdicts->rows[row].dead = quoit_block_is_dead(blocks, word);
    }
    return verdicts->rows[row].dead;
}

static bool may_be_queued(const struct quoit_blocks *blocks, uint32_t index, uint64_t word,
                          quoit_blocks_queued *is_queued, const void *context)
{
    if (quoit_block_state(word) == QUOIT_BLOCK_OWNED)
        return false;
    /* Relaxed: POOL-L1 orders it; if an owner has written it since, the exchange fails. */
    uint64_t queue = atomic_load_explicit(&blocks->words[index].queue, memory_order_relaxed);
    return is_queued(context, queue, (word >> 32) << 32 | ((uint64_t)index + 1));
}

uint64_t quoit_blocks_reclaim(const struct quoit_blocks *blocks, quoit_blocks_queued *is_queued,
                              const void *context)
{
    struct verdicts verdicts = {.rows = {{.known = false}}};
    uint64_t count = 0;
    for (uint32_t i = 0; i < blocks->count; i++) {
        uint64_t word = quoit_block_look(blocks, i);
        if (quoit_block_state(word) == QUOIT_BLOCK_FREE || !is_dead(blocks, &verdicts, word) ||
            may_be_queued(blocks, i, word, is_queued, context))
            continue;
        if (!quoit_block_exchange(blocks, i, word,
                                  quoit_block_free_word((uint32_t)(word >> 32) + 1)))
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
        count += quoit_block_is_free(quoit_block_look(blocks, i));
    return count;
}

static quoit_status check_word(const struct quoit_blocks *blocks, uint32_t index)
{
    uint64_t word = quoit_block_look(blocks, index);
    if (quoit_block_is_free(word) || (quoit_block_state(word) != QUOIT_BLOCK_FREE &&
                                      quoit_block_row(word) < blocks->members.count))
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "block %lu of the pool has a word that nobody wrote: 0x%016llx",
                      (unsigned long)index, (unsigned long long)word);
}

/* Hints may be wrong, but none is set for a block that does not exist. */
static quoit_status check_last_hints(const struct quoit_blocks *blocks)
{
    uint64_t last = quoit_blocks_hints(blocks->count) - 1;
    /* Relaxed: a snapshot of a number. */
    uint64_t hints = atomic_load_explicit(&blocks->hints[last], memory_order_relaxed);
    if (blocks->count % 64 == 0 || hints >> blocks->count % 64 == 0)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT, "the pool's last hints are 0x%016llx, of %lu blocks",
                      (unsigned long long)hints, (unsigned long)blocks->count);
}

quoit_status quoit_blocks_check(const struct quoit_blocks *blocks)
{
    quoit_status status = check_last_hints(blocks);
    for (uint32_t i = 0; i < blocks->count && status == QUOIT_OK; i++)
        status = check_word(blocks, i);
    return status;
}
