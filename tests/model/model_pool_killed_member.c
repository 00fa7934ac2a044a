/* SPDX-License-Identifier: MIT */
/* A member of a pool is killed at any step, while others allocate blocks, and reclaim at once. No
   block has two owners, none is missing afterwards, and no pushed block is lost. */
#include "harness_posix.h"

#include "blocks.c"
#include "blocks_reclaim.c"
#include "mpmc.c"
#include "mpmc_pop.c"
#include "mpmc_push.c"
#include "ring.c"

enum { BLOCKS = 3, VICTIM = 0, LAST = 3 };

static struct {
    struct quoit_block_shm entries[BLOCKS];
    quoit_atomic_u64 hints[1], incarnations[MEMBERS];
    _Alignas(64) uint8_t bytes[BLOCKS * 64];
    struct quoit_blocks members[MEMBERS];
    quoit_atomic_u32 rotors[MEMBERS], holders[BLOCKS]; /* the member plus 1, or 0: none */
    quoit_atomic_u32 pushed, popped;
    bool victim_pops;
} pool;

static unsigned this_round;

static void attach(unsigned member)
{
    harness_attach(member);
    quoit_blocks_enter(&pool.members[member]);
}

/* The block is this member's: no other live member writes to it. */
static void receive(quoit_block block)
{
    uint32_t before = atomic_exchange(&pool.holders[(uint32_t)block - 1], self + 1);
    assert(before == 0 || before == VICTIM + 1);
    uint8_t *bytes = quoit_blocks_at(&pool.members[self], block);
    assert(bytes);
    *bytes = (uint8_t)self;
    (void)before;
}

static void part_with(quoit_block block)
{
    const uint8_t *bytes = quoit_blocks_at(&pool.members[self], block);
    assert(bytes && *bytes == self);
    (void)bytes;
    atomic_exchange(&pool.holders[(uint32_t)block - 1], 0);
}

static quoit_block get(void)
{
    quoit_block block;
    if (quoit_blocks_alloc(&pool.members[self], &pool.rotors[self], &block) != QUOIT_OK)
        return 0;
    receive(block);
    return block;
}

static void give_back_block(quoit_block block)
{
    if (block == 0)
        return;
    part_with(block);
    quoit_status status = quoit_blocks_free(&pool.members[self], &pool.rotors[self], block);
    assert(status == QUOIT_OK);
    (void)status;
}

/* Does the same as src/api/pool_queue.c. */
static void send(quoit_block block)
{
    const struct quoit_ring_view *view = &ring.views[self];
    if (block == 0)
        return;
    part_with(block);
    quoit_status status = quoit_blocks_send(&pool.members[self], block, 1);
    assert(status == QUOIT_OK);
    if (view->ops->push(&ring.producers[self], view, &block, view->item_bytes) == QUOIT_OK) {
        pool.pushed++;
        return;
    }
    status = quoit_blocks_unsend(&pool.members[self], block);
    assert(status == QUOIT_OK);
    receive(block);
    give_back_block(block);
}

static quoit_block take_block(void)
{
    const struct quoit_ring_view *view = &ring.views[self];
    const void *items;
    uint64_t count = 1;
    quoit_block block;
    if (view->ops->peek(&ring.consumers[self], view, &items, &count, &(uint64_t){0}) != QUOIT_OK)
        return 0;
    memcpy(&block, items, sizeof block);
    quoit_status status = quoit_blocks_take(&pool.members[self], block);
    assert(status == QUOIT_OK);
    bool released = view->ops->release(&ring.consumers[self], view, 1);
    assert(released);
    status = quoit_blocks_keep(&pool.members[self], block);
    assert(status == QUOIT_OK);
    (void)released;
    (void)status;
    receive(block);
    pool.popped++;
    return block;
}

static bool is_queued(const void *context, uint64_t queue, quoit_block block)
{
    (void)context;
    (void)queue;
    return ring.views[self].ops->contains(&ring.views[self], block);
}

static void reclaim(void)
{
    (void)quoit_blocks_reclaim(&pool.members[self], is_queued, NULL);
}

/* ---- Threads --------------------------------------------------------------------------------- */

static void *victim(void *unused)
{
    attach(VICTIM);
    harness_meet();
    send(get());
    send(get());
    pool.victim_pops = true;
    give_back_block(take_block());
    pool.victim_pops = false;
    return unused;
}

static void *killer(void *unused)
{
    attach(1);
    harness_meet();
    harness_tarry(this_round);
    killed[VICTIM] = 1;
    give_back_block(take_block());
    reclaim();
    return unused;
}

static void *other(void *unused)
{
    attach(2);
    harness_meet();
    send(get());
    reclaim();
    give_back_block(take_block());
    return unused;
}

static void begin(void)
{
    harness_begin(&quoit_mpmc);
    memset((void *)&pool, 0, sizeof pool);
    for (uint32_t i = 0; i < MEMBERS; i++)
        pool.members[i] = (struct quoit_blocks){.entries = pool.entries,
                                                .hints = pool.hints,
                                                .bytes = pool.bytes,
                                                .stride = 64,
                                                .count = BLOCKS,
                                                .members = {.incarnations = pool.incarnations,
                                                            .count = MEMBERS,
                                                            .own = i,
                                                            .is_alive = is_alive}};
    quoit_blocks_init(&pool.members[LAST], UINT32_MAX);
}

static void settle(void)
{
    attach(LAST);
    reclaim();
    for (quoit_block block; (block = take_block()) != 0;)
        give_back_block(block);
    reclaim();
    assert(quoit_blocks_count_free(&pool.members[LAST]) == BLOCKS);
    for (int i = 0; i < BLOCKS; i++) {
        quoit_block block = get();
        assert(block != 0);
        (void)block;
    }
    assert(quoit_blocks_check(&pool.members[LAST]) == QUOIT_OK);
    assert(pool.pushed <= pool.popped + (pool.victim_pops ? 1u : 0u));
    assert(pool.popped <= pool.pushed + 1u); /* the victim's push may have been committed */
}

int main(void)
{
    void *(*const threads[])(void *) = {victim, killer, other};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        this_round = round;
        begin();
        harness_run(threads, 3);
        has_crashed[VICTIM] = 1; /* it may have ended before the kill */
        settle();
    }
    return 0;
}
