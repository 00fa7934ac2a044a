/* SPDX-License-Identifier: MIT */
/* Pools through the public API, in one process: every status, stale block ids, blocks through
   queues of each layout, members that leave, states that no process writes. */
#include "test.h"

#include "pool_shm.h"

#include <string.h>

enum { BLOCKS = 5, WORD = sizeof(quoit_block) };
static const struct quoit_pool_options five = {.block_bytes = 100, .blocks = BLOCKS};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

static const struct quoit_queue_options layouts[] = {
    {.item_bytes = WORD, .capacity = 3},
    {.item_bytes = WORD, .capacity = 3}, /* spans */
    {.kind = QUOIT_MPMC, .item_bytes = WORD, .capacity = 3}};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0], SPANS = 1 };

static quoit_pool *create(const char *name, const struct quoit_pool_options *options)
{
    quoit_pool *pool;
    CHECK_STATUS(quoit_pool_create(name, options, 0, &pool), QUOIT_OK);
    return pool;
}

static quoit_pool *enter(const char *name)
{
    quoit_pool *pool;
    CHECK_STATUS(quoit_pool_open(name, 0, &pool), QUOIT_OK);
    return pool;
}

static void destroy(quoit_pool *pool, const char *name)
{
    CHECK_STATUS(quoit_pool_check(pool), QUOIT_OK);
    quoit_pool_close(pool);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static quoit_block alloc(quoit_pool *pool)
{
    quoit_block block;
    CHECK_STATUS(quoit_pool_alloc(pool, &block), QUOIT_OK);
    CHECK_NE(block, 0);
    return block;
}

static uint64_t reclaim(quoit_pool *pool, quoit_queue *queue)
{
    uint64_t count = 99;
    CHECK_STATUS(quoit_pool_reclaim(pool, queue ? &queue : NULL, queue ? 1 : 0, &count), QUOIT_OK);
    return count;
}

/* Exactly the requested number of blocks, separate from each other, and again after they are
   freed. */
static void exact_count(void)
{
    static const uint64_t counts[] = {1, 2, 5, 63, 64, 65, 200};
    quoit_block blocks[200], none = 1;
    for (int i = 0; i < 7; i++) {
        const char *name = test_name("");
        struct quoit_pool_options options = {.block_bytes = 100, .blocks = counts[i]};
        quoit_pool *pool = create(name, &options);
        CHECK_EQUAL(quoit_pool_blocks(pool), counts[i]);
        CHECK_EQUAL(quoit_pool_block_bytes(pool), 100);
        for (int round = 0; TEST_LOOP(round < 3, 3, "round", round); round++) {
            for (uint64_t n = 0; n < counts[i]; n++) {
                CHECK_EQUAL(quoit_pool_free_count(pool), counts[i] - n);
                blocks[n] = alloc(pool);
                memset(quoit_pool_at(pool, blocks[n]), (int)n, 100);
            }
            CHECK_STATUS(quoit_pool_alloc(pool, &none), QUOIT_EXHAUSTED);
            CHECK_EQUAL(none, 0);
            for (uint64_t n = 0; n < counts[i]; n++) {
                const uint8_t *bytes = quoit_pool_at(pool, blocks[n]);
                CHECK_EQ((uintptr_t)bytes % 64, 0);
                CHECK_EQ(bytes[0], (uint8_t)n);
                CHECK_EQ(bytes[99], (uint8_t)n);
                CHECK_STATUS(quoit_pool_free(pool, blocks[n]), QUOIT_OK);
            }
        }
        destroy(pool, name);
    }
}

/* A value that is not a block of this handle changes nothing. */
static void wrong_handles(void)
{
    const char *name = test_name(""), *other_name = test_name("");
    quoit_pool *pool = create(name, &five), *other = create(other_name, &five),
               *second = enter(name);
    quoit_block block = alloc(pool), elsewhere = alloc(other);
    const quoit_block wrong[] = {0,
                                 UINT64_MAX,
                                 block + BLOCKS,
                                 elsewhere,
                                 block + (UINT64_C(1) << 32),
                                 block - (UINT64_C(1) << 32),
                                 (block & ~UINT64_C(0xffffffff))};
    for (size_t i = 0; TEST_LOOP(i < sizeof wrong / sizeof wrong[0], 0, "wrong", i); i++) {
        CHECK(!quoit_pool_at(pool, wrong[i]));
        CHECK_STATUS(quoit_pool_free(pool, wrong[i]), QUOIT_ERROR_NOT_YOURS);
    }
    CHECK(quoit_pool_at(pool, block));
    CHECK(!quoit_pool_at(second, block));
    CHECK_STATUS(quoit_pool_free(second, block), QUOIT_ERROR_NOT_YOURS);
    CHECK_STATUS(quoit_pool_free(pool, block), QUOIT_OK);
    CHECK_STATUS(quoit_pool_free(pool, block), QUOIT_ERROR_NOT_YOURS);
    CHECK(!quoit_pool_at(pool, block));
    quoit_block again = alloc(
        pool); /* the same block: a block that is in the cache is taken again */
    CHECK_NE(again, block);
    CHECK_EQ((uint32_t)again, (uint32_t)block);
    CHECK_STATUS(quoit_pool_free(pool, block), QUOIT_ERROR_NOT_YOURS);
    CHECK_EQUAL(quoit_pool_free_count(pool), BLOCKS - 1);
    CHECK_STATUS(quoit_pool_free(pool, again), QUOIT_OK);
    CHECK_EQUAL(quoit_pool_free_count(pool), BLOCKS);
    quoit_pool_close(second);
    destroy(other, other_name);
    destroy(pool, name);
}

static void arguments(void)
{
    const char *name = test_name(""), *queue_name = test_name("");
    quoit_pool *pool = (quoit_pool *)1;
    struct quoit_pool_options options = five;
    quoit_block block = 1;
    CHECK_STATUS(quoit_pool_create(name, &five, 0, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_create(name, NULL, 0, &pool), QUOIT_ERROR_INVALID);
    CHECK(!pool);
    CHECK_STATUS(quoit_pool_create(name, &five, QUOIT_OBSERVER, &pool), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_open(name, 2, &pool), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_open(name, 0, &pool), QUOIT_ERROR_NOT_FOUND);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
    options.block_bytes = 0;
    CHECK_STATUS(quoit_pool_join(name, &options, 0, &pool), QUOIT_ERROR_INVALID);
    options = (struct quoit_pool_options){.block_bytes = 1};
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_ERROR_INVALID);
    options.blocks = UINT32_MAX;
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_ERROR_INVALID);
    options = (struct quoit_pool_options){.block_bytes = UINT64_MAX, .blocks = 1};
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_ERROR_INVALID);
    options.block_bytes = UINT64_MAX / 4;
    options.blocks = 8;
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_ERROR_INVALID);
    options = five;
    options.reserved[3] = 1;
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_ERROR_INVALID);
    options = five;
    options.reserved_word = 1;
    CHECK_STATUS(quoit_pool_join(name, &options, 0, &pool), QUOIT_ERROR_INVALID);
    options = five;
    options.members = 2;
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_ERROR_UNSUPPORTED);
    options = five;
    options.memory = 8;
    CHECK_STATUS(quoit_pool_join(name, &options, 0, &pool), QUOIT_ERROR_UNSUPPORTED);
    CHECK_STATUS(quoit_pool_alloc(NULL, &block), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_free(NULL, 1), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_check(NULL), QUOIT_ERROR_INVALID);
    CHECK(!quoit_pool_at(NULL, 1));
    CHECK_EQ(quoit_pool_blocks(NULL), 0);
    quoit_pool_close(NULL);

    pool = create(name, &five);
    CHECK_STATUS(quoit_pool_alloc(pool, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_push(pool, NULL, 1, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_pop(pool, NULL, &block, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_reclaim(pool, NULL, 1, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_reclaim(pool, NULL, 0, NULL), QUOIT_OK);
    quoit_queue *queue;
    struct quoit_queue_options wide = {.item_bytes = 16, .capacity = 1};
    CHECK_STATUS(quoit_queue_create(queue_name, &wide, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_pool_push(pool, queue, 1, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_pop(pool, queue, &block, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_reclaim(pool, &queue, 1, NULL), QUOIT_ERROR_INVALID);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(queue_name, 0), test_after_close(queue_name));
    destroy(pool, name);
}

/* A pool is neither a queue nor a plain region. join compares the options. */
static void kinds(void)
{
    const char *name = test_name(""), *queue_name = test_name("");
    quoit_pool *pool = create(name, &five), *second;
    quoit_queue *queue;
    quoit_region *region;
    struct quoit_pool_options options = five;
    CHECK_STATUS(quoit_pool_create(name, &five, 0, &second), QUOIT_ERROR_EXISTS);
    CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_DIFFERENT);
    CHECK(strstr(test_sentence(), "is a pool"));
    options.blocks++;
    CHECK_STATUS(quoit_pool_join(name, &options, 0, &second), QUOIT_ERROR_DIFFERENT);
    options = five;
    options.block_bytes++;
    CHECK_STATUS(quoit_pool_join(name, &options, 0, &second), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_pool_join(name, &five, 0, &second), QUOIT_OK);
    quoit_pool_close(second);
    CHECK_STATUS(quoit_queue_create(queue_name, &layouts[0], BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_pool_open(queue_name, 0, &second), QUOIT_ERROR_DIFFERENT);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(queue_name, 0), test_after_close(queue_name));
    destroy(pool, name);
}

static void observer(void)
{
    const char *name = test_name("");
    quoit_pool *pool = create(name, &five), *eye;
    CHECK_STATUS(quoit_pool_open(name, QUOIT_OBSERVER, &eye), QUOIT_OK);
    quoit_block block = alloc(pool), none;
    memset(quoit_pool_at(pool, block), 7, 100);
    const uint8_t *seen = quoit_pool_at(eye, block);
    CHECK(seen);
    CHECK_EQ(seen[99], 7);
    CHECK_EQUAL(quoit_pool_free_count(eye), BLOCKS - 1);
    CHECK_STATUS(quoit_pool_check(eye), QUOIT_OK);
    CHECK_STATUS(quoit_pool_alloc(eye, &none), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_pool_free(eye, block), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_pool_reclaim(eye, NULL, 0, NULL), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_pool_free(pool, block), QUOIT_OK);
    CHECK(!quoit_pool_at(eye, block));
    quoit_pool_close(eye);
    destroy(pool, name);
}

/* Each bit of the pool's own header is flipped: the pool is refused. */
static void flipped_header(void)
{
    const char *name = test_name("file");
    quoit_pool *pool = create(name, &five);
    quoit_pool_close(pool);
    FILE *file = fopen(strchr(name, ':') + 1, "r+b");
    CHECK(file);
    for (long at = 384; TEST_LOOP(at < 384 + (long)sizeof(struct quoit_pool_shm), 0, "at", at);
         at++)
        for (int bit = 0; TEST_LOOP(bit < 8, 1, "bit", bit); bit++) {
            CHECK_EQ(fseek(file, at, SEEK_SET), 0);
            int byte = fgetc(file);
            CHECK_EQ(fseek(file, at, SEEK_SET), 0);
            CHECK_NE(fputc(byte ^ 1 << bit, file), EOF);
            CHECK_EQ(fflush(file), 0);
            CHECK_STATUS(quoit_pool_open(name, 0, &pool), QUOIT_ERROR_CORRUPT);
            CHECK_EQ(fseek(file, at, SEEK_SET), 0);
            CHECK_NE(fputc(byte, file), EOF);
            CHECK_EQ(fflush(file), 0);
        }
    CHECK_EQ(fclose(file), 0);
    CHECK_STATUS(quoit_pool_open(name, 0, &pool), QUOIT_OK);
    destroy(pool, name);
}

static void on_every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_pool *pool = create(name, &five), *second = enter(name);
        quoit_block block = alloc(pool);
        (void)alloc(pool);
        CHECK_STATUS(quoit_pool_free(pool, block), QUOIT_OK);
        quoit_pool_close(pool);
        uint64_t count;
        CHECK_STATUS(quoit_pool_reclaim(second, NULL, 0, &count), QUOIT_OK);
        CHECK_EQUAL(count, 1);
        destroy(second, name);
    }
}

/* ---- Members that leave ---------------------------------------------------------------------- */

static void left_behind(void)
{
    const char *name = test_name("");
    quoit_pool *pool = create(name, &five), *second = enter(name);
    quoit_block block = alloc(second);
    (void)alloc(second);
    (void)alloc(pool);
    CHECK_EQUAL(reclaim(pool, NULL), 0);
    quoit_pool_close(second);
    second = enter(name); /* in the same entry, and in another */
    CHECK(!quoit_pool_at(second, block));
    CHECK_STATUS(quoit_pool_free(second, block), QUOIT_ERROR_NOT_YOURS);
    quoit_block own = alloc(second);
    CHECK_EQUAL(reclaim(pool, NULL), 2);
    CHECK_EQUAL(reclaim(second, NULL), 0);
    CHECK(quoit_pool_at(second, own));
    quoit_pool_close(pool);
    CHECK_EQUAL(reclaim(second, NULL), 1);
    CHECK_STATUS(quoit_pool_free(second, own), QUOIT_OK);
    CHECK_EQUAL(quoit_pool_free_count(second), BLOCKS);
    destroy(second, name);
}

/* No entry is free; then one is free again. */
static void members_most(void)
{
    const char *name = test_name("");
    quoit_pool *pools[QUOIT_MEMBER_ENTRIES], *more;
    pools[0] = create(name, &five);
    for (int i = 1; i < QUOIT_MEMBER_ENTRIES; i++)
        pools[i] = enter(name);
    CHECK_STATUS(quoit_pool_open(name, 0, &more), QUOIT_ERROR_LIMIT);
    CHECK_STATUS(quoit_pool_open(name, QUOIT_OBSERVER, &more), QUOIT_OK);
    quoit_pool_close(more);
    for (int i = 1; i < QUOIT_MEMBER_ENTRIES; i++)
        quoit_pool_close(pools[i]);
    destroy(pools[0], name);
}

/* ---- Through queues -------------------------------------------------------------------------- */

static void through(const struct quoit_queue_options *options)
{
    const char *name = test_name(""), *queue_name = test_name("");
    quoit_pool *pool = create(name, &five), *second = enter(name);
    quoit_queue *queue;
    quoit_block blocks[4], block;
    CHECK_STATUS(quoit_queue_create(queue_name, options, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_pool_pop(pool, queue, &block, QUOIT_NOW), QUOIT_EMPTY);
    CHECK_STATUS(quoit_pool_pop(pool, queue, &block, 1000), QUOIT_EMPTY);
    for (int round = 0; TEST_LOOP(round < 3, 3, "round", round); round++) {
        for (int i = 0; i < 4; i++) {
            blocks[i] = alloc(pool);
            memset(quoit_pool_at(pool, blocks[i]), i, 100);
        }
        for (int i = 0; i < 3; i++)
            CHECK_STATUS(quoit_pool_push(pool, queue, blocks[i], 0), QUOIT_OK);
        CHECK_STATUS(quoit_pool_push(pool, queue, blocks[0], QUOIT_NOW), QUOIT_ERROR_NOT_YOURS);
        CHECK_STATUS(quoit_pool_free(pool, blocks[0]), QUOIT_ERROR_NOT_YOURS);
        CHECK(!quoit_pool_at(pool, blocks[0]));
        CHECK_STATUS(quoit_pool_push(pool, queue, blocks[3], QUOIT_NOW), QUOIT_FULL);
        CHECK_STATUS(quoit_pool_push(pool, queue, blocks[3], 1000), QUOIT_FULL);
        CHECK_STATUS(quoit_pool_free(pool, blocks[3]), QUOIT_OK);
        CHECK_EQUAL(reclaim(pool, queue), 0);
        for (int i = 0; i < 3; i++) {
            CHECK_STATUS(quoit_pool_pop(second, queue, &block, 0), QUOIT_OK);
            CHECK_EQUAL(block, blocks[i]);
            CHECK_EQUAL(*(uint8_t *)quoit_pool_at(second, block), i);
            CHECK_STATUS(quoit_pool_free(second, block), QUOIT_OK);
        }
        CHECK_EQUAL(quoit_pool_free_count(pool), BLOCKS);
    }
    block = alloc(pool);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    CHECK_STATUS(quoit_pool_push(pool, queue, block, QUOIT_NOW), QUOIT_FINISHED);
    CHECK_STATUS(quoit_pool_pop(pool, queue, &block, QUOIT_NOW), QUOIT_FINISHED);
    CHECK_EQUAL(block, 0);
    quoit_queue_close(queue);
    quoit_pool_close(second);
    CHECK_STATUS(quoit_unlink(queue_name, 0), test_after_close(queue_name));
    destroy(pool, name);
}

static void through_queues(void)
{
    for (int i = 0; TEST_LOOP(i < LAYOUTS, 0, "layout", i); i++) {
        test_keep_spans(i == SPANS);
        through(&layouts[i]);
    }
}

/* The member that pushed has closed, but its blocks stay. An item that is not a block is
   removed. */
static void reclaimed_around(const struct quoit_queue_options *options)
{
    const char *name = test_name(""), *queue_name = test_name(""), *other_name = test_name("");
    quoit_pool *pool = create(name, &five), *second = enter(name);
    quoit_queue *queue, *other;
    quoit_block block, sent = alloc(second), lost = alloc(second), owned = alloc(second);
    CHECK_STATUS(quoit_queue_create(queue_name, options, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_create(other_name, options, BOTH, &other), QUOIT_OK);
    CHECK_STATUS(quoit_pool_push(second, queue, lost, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_pool_push(second, queue, sent, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(queue, &block, sizeof block, NULL, QUOIT_NOW),
                 QUOIT_OK); /* which no program should do */
    CHECK_EQUAL(block, lost);
    CHECK_STATUS(quoit_queue_push(queue, &owned, sizeof owned, QUOIT_NOW), QUOIT_OK); /* the same */
    quoit_pool_close(second);
    CHECK_EQUAL(reclaim(pool, other), 1);
    CHECK_EQUAL(reclaim(pool, NULL), 0);
    CHECK_EQUAL(reclaim(pool, queue), 1);
    CHECK_EQUAL(quoit_pool_free_count(pool), BLOCKS - 1);
    CHECK_STATUS(quoit_pool_pop(pool, queue, &block, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(block, sent);
    CHECK_STATUS(quoit_pool_pop(pool, queue, &block, QUOIT_NOW), QUOIT_ERROR_NOT_YOURS);
    CHECK_EQUAL(block, 0);
    CHECK_STATUS(quoit_pool_pop(pool, queue, &block, QUOIT_NOW), QUOIT_EMPTY);
    CHECK_STATUS(quoit_pool_free(pool, sent), QUOIT_OK);
    quoit_queue_close(other);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(other_name, 0), test_after_close(other_name));
    CHECK_STATUS(quoit_unlink(queue_name, 0), test_after_close(queue_name));
    destroy(pool, name);
}

static void reclaimed(void)
{
    for (int i = 0; TEST_LOOP(i < LAYOUTS, 0, "layout", i); i++) {
        test_keep_spans(i == SPANS);
        reclaimed_around(&layouts[i]);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"exactly as many blocks as asked for", exact_count},
        {"handles that are not this member's blocks", wrong_handles},
        {"arguments", arguments},
        {"a pool is a pool", kinds},
        {"an observer", observer},
        {"a header that is damaged", flipped_header},
        {"on every scheme", on_every_scheme},
        {"what a member leaves behind is reclaimed, and no more", left_behind},
        {"64 members", members_most},
        {"through each layout of queue", through_queues},
        {"what is queued is not reclaimed, what is lost is", reclaimed},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
