/* SPDX-License-Identifier: MIT */
/* The pool's algorithm in an array: generations that wrap around, wrong hints, states that no
   process writes, crashed owners of blocks in each state; and whether a ring contains an item, for
   each layout. */
#include "test.h"

#include "block_state.h"
#include "ring_ops.h"

#include <string.h>

enum { COUNT = 70, ENTRIES = 4, STRIDE = 64 };

static struct {
    struct quoit_block_shm entries[COUNT];
    quoit_atomic_u64 hints[2], incarnations[ENTRIES];
    _Alignas(64) uint8_t bytes[COUNT * STRIDE];
} pool;
static bool alive[ENTRIES];
static quoit_atomic_u32 next_hint;

static bool is_alive(const void *context, uint32_t entry)
{
    (void)context;
    CHECK_LT(entry, ENTRIES);
    return alive[entry];
}

static struct quoit_blocks member(uint32_t entry)
{
    struct quoit_blocks blocks = {.entries = pool.entries,
                                  .hints = pool.hints,
                                  .bytes = pool.bytes,
                                  .stride = STRIDE,
                                  .count = COUNT,
                                  .members = {.incarnations = pool.incarnations,
                                              .count = ENTRIES,
                                              .own = entry,
                                              .is_alive = is_alive}};
    quoit_blocks_enter(&blocks);
    alive[entry] = true;
    return blocks;
}

static struct quoit_blocks begin(uint32_t generation)
{
    memset((void *)&pool, 0, sizeof pool);
    memset(alive, 0, sizeof alive);
    next_hint = 0;
    struct quoit_blocks blocks = member(0);
    quoit_blocks_init(&blocks, generation);
    return blocks;
}

static quoit_block alloc(const struct quoit_blocks *blocks)
{
    quoit_block block = 0;
    CHECK_STATUS(quoit_blocks_alloc(blocks, &next_hint, &block), QUOIT_OK);
    return block;
}

static bool never_queued(const void *context, uint64_t queue, quoit_block block)
{
    (void)queue;
    (void)block;
    return context != NULL;
}

static void generations_wrap(void)
{
    struct quoit_blocks blocks = begin(UINT32_MAX - 1);
    quoit_block before = 0;
    for (int i = 0; i < 5; i++) {
        quoit_block block = alloc(&blocks);
        CHECK_NE(block, before);
        CHECK((i == 0 || (uint32_t)block == (uint32_t)before));
        CHECK_EQ(block >> 32, (uint32_t)(UINT32_MAX - 1u + (unsigned)i));
        CHECK_STATUS(quoit_blocks_free(&blocks, &next_hint, block), QUOIT_OK);
        CHECK_STATUS(quoit_blocks_free(&blocks, &next_hint, block), QUOIT_ERROR_NOT_YOURS);
        before = block;
    }
    CHECK_STATUS(quoit_blocks_check(&blocks), QUOIT_OK);
}

/* The entries have had the maximum number of members, and one more. */
static void incarnations_wrap(void)
{
    struct quoit_blocks blocks = begin(0);
    pool.incarnations[1] = QUOIT_BLOCK_INCARNATIONS - 1;
    struct quoit_blocks last = member(1);
    quoit_block block = alloc(&last);
    struct quoit_blocks next = member(1);
    CHECK_EQUAL(last.members.own_incarnation, QUOIT_BLOCK_INCARNATIONS);
    CHECK_EQUAL(next.members.own_incarnation, 0);
    CHECK(!quoit_blocks_at(&next, block));
    quoit_block own = alloc(&next);
    CHECK_EQUAL(quoit_blocks_reclaim(&blocks, never_queued, NULL), 1);
    CHECK(quoit_blocks_at(&next, own));
}

/* With no hint, and with every hint, all blocks are found once. */
static void wrong_hints(void)
{
    for (int round = 0; TEST_LOOP(round < 3, 3, "round", round); round++) {
        struct quoit_blocks blocks = begin(9);
        bool had[COUNT] = {false};
        quoit_block block;
        if (round == 0)
            pool.hints[0] = pool.hints[1] = 0;
        for (int i = 0; i < COUNT; i++) {
            if (round == 1)
                pool.hints[0] = pool.hints[1] = UINT64_MAX; /* also of blocks that do not exist */
            block = alloc(&blocks);
            CHECK(!had[(uint32_t)block - 1]);
            had[(uint32_t)block - 1] = true;
        }
        CHECK_STATUS(quoit_blocks_alloc(&blocks, &next_hint, &block), QUOIT_EXHAUSTED);
        CHECK(round == 1 || (pool.hints[0] == 0 && pool.hints[1] == 0));
    }
    struct quoit_blocks blocks = begin(9);
    pool.hints[1] = UINT64_MAX;
    CHECK_STATUS(quoit_blocks_check(&blocks), QUOIT_ERROR_CORRUPT);
}

/* Tests arbitrary states of blocks. */
static void hostile_words(void)
{
    struct quoit_blocks blocks = begin(0);
    uint64_t random = 88172645463325252u;
    for (int round = 0; TEST_LOOP(round < 20000, 3, "round", round); round++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        pool.entries[random % COUNT].state = random >> (random >> 60) * 4;
        quoit_block block = pool.entries[(random >> 20) % COUNT].state << 32 | (random >> 30) % 90;
        (void)quoit_blocks_take(&blocks, block);
        (void)quoit_blocks_free(&blocks, &next_hint, block);
        (void)quoit_blocks_alloc(&blocks, &next_hint, &block);
        (void)quoit_blocks_at(&blocks, block);
        (void)quoit_blocks_check(&blocks);
        (void)quoit_blocks_count_free(&blocks);
        (void)quoit_blocks_reclaim(&blocks, never_queued, round % 2 ? &blocks : NULL);
    }
    begin(0);
    pool.entries[3].state = 200u << 2 |
                            QUOIT_BLOCK_SENT; /* owned by a member entry that does not exist */
    CHECK_STATUS(quoit_blocks_check(&blocks), QUOIT_ERROR_CORRUPT);
    CHECK_EQUAL(quoit_blocks_reclaim(&blocks, never_queued, NULL), 1);
    CHECK_STATUS(quoit_blocks_check(&blocks), QUOIT_OK);
}

/* Blocks of an owner that crashed, in each state. */
static void blocks_of_crashed_members(void)
{
    struct quoit_blocks blocks = begin(5), other = member(1);
    quoit_block owned = alloc(&other), sent = alloc(&other), taken = alloc(&other);
    CHECK_STATUS(quoit_blocks_send(&other, sent, 1), QUOIT_OK);
    CHECK_STATUS(quoit_blocks_send(&other, taken, 1), QUOIT_OK);
    CHECK_STATUS(quoit_blocks_take(&blocks, owned), QUOIT_ERROR_NOT_YOURS);
    CHECK_STATUS(quoit_blocks_take(&other, taken), QUOIT_OK);
    CHECK_STATUS(quoit_blocks_take(&blocks, taken), QUOIT_ERROR_BUSY);
    CHECK_STATUS(quoit_blocks_unsend(&other, taken), QUOIT_ERROR_NOT_YOURS);
    CHECK_EQUAL(quoit_blocks_reclaim(&blocks, never_queued, NULL), 0);
    alive[1] = false;
    CHECK_EQUAL(quoit_blocks_reclaim(&blocks, never_queued, &blocks), 1); /* the rest is queued */
    CHECK_STATUS(quoit_blocks_take(&blocks, taken), QUOIT_OK);
    CHECK_STATUS(quoit_blocks_keep(&blocks, taken), QUOIT_OK);
    CHECK_STATUS(quoit_blocks_keep(&blocks, taken), QUOIT_ERROR_NOT_YOURS);
    CHECK_STATUS(quoit_blocks_take(&blocks, sent), QUOIT_OK);
    CHECK_STATUS(quoit_blocks_keep(&blocks, sent), QUOIT_OK);
    CHECK_EQUAL(quoit_blocks_count_free(&blocks), COUNT - 2);
    CHECK(quoit_blocks_at(&blocks, taken));
    CHECK(quoit_blocks_at(&blocks, sent));
}

/* ---- Does a ring contain an item? ------------------------------------------------------------ */

static void contains(const struct quoit_ring_ops *ops)
{
    enum { CAPACITY = 3, EMPTY = 77 };
    static struct quoit_ring_shm shm;
    static struct quoit_claim_record_shm claim_records[ENTRIES];
    _Alignas(64) static uint8_t slots[CAPACITY * 64];
    const struct quoit_ring_view view = {
        .ops = ops,
        .shm = &shm,
        .slots = slots,
        .capacity = CAPACITY,
        .item_bytes = 8,
        .stride = quoit_ring_stride(ops, 8, 8),
        .empty = EMPTY,
        .members = {
            .claim_records = claim_records, .count = ENTRIES, .own = 0, .is_alive = is_alive}};
    struct quoit_ring_producer_state producer_state;
    struct quoit_ring_consumer_state consumer_state;
    struct quoit_ring_producer producer = {.state = &producer_state};
    struct quoit_ring_consumer consumer = {.state = &consumer_state};
    uint64_t item;
    ops->init(&view, 0);
    CHECK_STATUS(ops->attach_producer(&producer, &view), QUOIT_OK);
    CHECK_STATUS(ops->attach_consumer(&consumer, &view), QUOIT_OK);
    for (uint64_t i = EMPTY - 4; i < EMPTY + 4;
         i++) { /* one of these items equals the empty mark */
        for (uint64_t j = 0; j < CAPACITY; j++) {
            item = i + j;
            CHECK(!ops->contains(&view, item));
            CHECK_STATUS(ops->push(&producer, &view, &item, view.item_bytes), QUOIT_OK);
            CHECK(ops->contains(&view, item));
        }
        for (uint64_t j = 0; j < CAPACITY; j++) {
            const void *items;
            uint64_t count = 1;
            CHECK_STATUS(ops->peek(&consumer, &view, &items, &count, &(uint64_t){0}), QUOIT_OK);
            CHECK(ops->contains(&view, i + j));
            CHECK(ops->release(&consumer, &view, 1));
            CHECK(!ops->contains(&view, i + j));
        }
    }
    shm.head = 12345; /* counters that no process writes: any result is allowed */
    shm.tail = UINT64_MAX - 5;
    (void)ops->contains(&view, EMPTY);
    (void)ops->contains(&view, 1);
}

static void in_slots(void)
{
    contains(&quoit_spsc_slots);
}

static void in_spans(void)
{
    contains(&quoit_spsc_spans);
}

static void in_mpmc(void)
{
    contains(&quoit_mpmc);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"generations wrap", generations_wrap},
        {"incarnations wrap", incarnations_wrap},
        {"hints that are wrong", wrong_hints},
        {"states that no process writes", hostile_words},
        {"blocks of crashed owners, in each state", blocks_of_crashed_members},
        {"an item in slots, and not", in_slots},
        {"an item in spans, and not", in_spans},
        {"an item in mpmc, and not", in_mpmc},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
