/* SPDX-License-Identifier: MIT */
/*
 * Several processes share a pool: each allocates, writes, checks and frees blocks, and sends them
 * through a queue. A ledger records the owner of each block. Then some processes are killed at
 * random, repeatedly. In the end no block is missing.
 */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES = 3, BLOCKS = 24, ROUNDS = 3000, HELD_MOST = 6, CAPACITY = 5, KILLS = 30 };
static const struct quoit_pool_options pool_options = {.block_bytes = 256, .blocks = BLOCKS};
static const struct quoit_queue_options queue_options = {
    .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = CAPACITY};

struct ledger {
    _Atomic uint32_t holder[BLOCKS]; /* a process's number from 1 on, 0: none */
    _Atomic uint64_t pushed, popped;
};

struct hands {
    quoit_pool *pool;
    quoit_queue *queue;
    struct ledger *ledger;
    uint32_t self;
    uint64_t held, random;
    quoit_block blocks[HELD_MOST];
};

static void *bytes_of(const struct hands *hands, quoit_block block)
{
    void *bytes = quoit_pool_at(hands->pool, block);
    CHECK(bytes);
    return bytes;
}

/* No other process owns the block or writes to it. */
static void receive(struct hands *hands, quoit_block block)
{
    CHECK_EQUAL(atomic_exchange(&hands->ledger->holder[(uint32_t)block - 1], hands->self), 0);
    hands->blocks[hands->held++] = block;
    memset(bytes_of(hands, block), (int)hands->self, 256);
}

static void check_bytes(const struct hands *hands, quoit_block block, uint8_t value)
{
    const uint8_t *bytes = bytes_of(hands, block);
    for (int i = 0; i < 256; i++)
        CHECK_EQUAL(bytes[i], value);
}

/* Before the block is sent: checks it, and removes it from the ledger, so that another process can
   own it. */
static quoit_block part_with(struct hands *hands)
{
    quoit_block block = hands->blocks[--hands->held];
    check_bytes(hands, block, (uint8_t)hands->self);
    CHECK_EQUAL(atomic_exchange(&hands->ledger->holder[(uint32_t)block - 1], 0), hands->self);
    return block;
}

static void give(struct hands *hands)
{
    if (hands->held == 0)
        return;
    quoit_block block = part_with(hands);
    memset(bytes_of(hands, block), 0xee, 256); /* the content that a receiver must find */
    quoit_status status = quoit_pool_push(hands->pool, hands->queue, block, QUOIT_NOW);
    if (status == QUOIT_FULL || status == QUOIT_ABANDONED)
        receive(hands, block);
    else
        CHECK_STATUS(status, QUOIT_OK);
    hands->ledger->pushed += status == QUOIT_OK;
}

static void get(struct hands *hands)
{
    quoit_block block;
    quoit_status status = hands->held < HELD_MOST
                              ? quoit_pool_pop(hands->pool, hands->queue, &block, QUOIT_NOW)
                              : QUOIT_EMPTY;
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_EMPTY, QUOIT_ABANDONED, QUOIT_ERROR_BUSY);
    if (status != QUOIT_OK)
        return;
    check_bytes(hands, block, 0xee);
    receive(hands, block);
    hands->ledger->popped++;
}

static void act(struct hands *hands)
{
    quoit_block block;
    hands->random = hands->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    switch (hands->random >> 33 & 3) {
    case 0:
        if (hands->held < HELD_MOST && quoit_pool_alloc(hands->pool, &block) == QUOIT_OK)
            receive(hands, block);
        break;
    case 1:
        if (hands->held > 0)
            CHECK_STATUS(quoit_pool_free(hands->pool, part_with(hands)), QUOIT_OK);
        break;
    case 2:
        give(hands);
        break;
    default:
        get(hands);
    }
}

static struct hands enter(char **arguments, quoit_region **region_out)
{
    struct hands hands = {.self = (uint32_t)strtoul(arguments[3], NULL, 10),
                          .random = strtoull(arguments[4], NULL, 10)};
    CHECK_STATUS(quoit_pool_open(arguments[0], 0, &hands.pool), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(arguments[1], QUOIT_PRODUCER | QUOIT_CONSUMER, &hands.queue),
                 QUOIT_OK);
    hands.ledger = test_shared(arguments[2], sizeof *hands.ledger, region_out);
    return hands;
}

static void exchange(char **arguments)
{
    quoit_region *region;
    struct hands hands = enter(arguments, &region);
    for (int i = 0; i < ROUNDS; i++) {
        act(&hands);
        if (i % 500 == 0)
            CHECK_STATUS(quoit_pool_reclaim(hands.pool, &hands.queue, 1, NULL), QUOIT_OK);
    }
    while (hands.held > 0)
        CHECK_STATUS(quoit_pool_free(hands.pool, part_with(&hands)), QUOIT_OK);
    quoit_queue_close(hands.queue);
    quoit_pool_close(hands.pool);
    quoit_region_close(region);
}

/* A process to be killed: does not use the ledger, where a killed process would leave its
   number. */
static void die_at_work(char **arguments)
{
    quoit_region *region;
    struct hands hands = enter(arguments, &region);
    struct ledger own = {.pushed = 0};
    hands.ledger = &own;
    for (;;)
        act(&hands);
}

struct scene {
    const char *pool_name, *queue_name, *ledger_name;
    quoit_pool *pool;
    quoit_queue *queue;
    quoit_region *region;
    struct ledger *ledger;
};

static struct scene begin(const char *scheme)
{
    struct scene scene = {.pool_name = test_name(scheme),
                          .queue_name = test_name(scheme),
                          .ledger_name = test_name("")};
    CHECK_STATUS(quoit_pool_create(scene.pool_name, &pool_options, 0, &scene.pool), QUOIT_OK);
    CHECK_STATUS(quoit_queue_create(scene.queue_name, &queue_options,
                                    QUOIT_PRODUCER | QUOIT_CONSUMER, &scene.queue),
                 QUOIT_OK);
    scene.ledger = test_share(scene.ledger_name, sizeof *scene.ledger, &scene.region);
    return scene;
}

static test_process start(const struct scene *scene, const char *role, int number)
{
    char self[12], chance[24];
    (void)snprintf(self, sizeof self, "%d", number + 1);
    (void)snprintf(chance, sizeof chance, "%llu", (unsigned long long)test_random());
    const char *const arguments[] = {
        scene->pool_name, scene->queue_name, scene->ledger_name, self, chance, NULL};
    return test_spawn(role, arguments);
}

/* Pops all queued blocks; then all are free. Returns their number. */
static uint64_t settle(struct scene *scene)
{
    quoit_block block;
    quoit_status status;
    uint64_t count = 0;
    CHECK_STATUS(quoit_pool_reclaim(scene->pool, &scene->queue, 1, NULL), QUOIT_OK);
    while ((status = quoit_pool_pop(scene->pool, scene->queue, &block, QUOIT_NOW)) == QUOIT_OK) {
        CHECK_STATUS(quoit_pool_free(scene->pool, block), QUOIT_OK);
        count++;
    }
    CHECK_STATUS_ANY(status, QUOIT_EMPTY, QUOIT_ABANDONED);
    CHECK_LE(count, CAPACITY);
    CHECK_STATUS(quoit_pool_check(scene->pool), QUOIT_OK);
    CHECK_EQUAL(quoit_pool_free_count(scene->pool), BLOCKS);
    return count;
}

static void end(struct scene *scene)
{
    quoit_queue_close(scene->queue);
    quoit_pool_close(scene->pool);
    quoit_region_close(scene->region);
    CHECK_STATUS(quoit_unlink(scene->queue_name, 0), test_after_close(scene->queue_name));
    CHECK_STATUS(quoit_unlink(scene->pool_name, 0), test_after_close(scene->pool_name));
    CHECK_STATUS(quoit_unlink(scene->ledger_name, 0), test_after_close(scene->ledger_name));
}

static void no_block_in_two_hands(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        struct scene scene = begin(test_shared_schemes[i]);
        test_process processes[PROCESSES];
        for (int j = 0; j < PROCESSES; j++)
            processes[j] = start(&scene, "exchange", j);
        for (int j = 0; j < PROCESSES; j++)
            CHECK_EQUAL(test_wait(processes[j]), 0);
        for (int j = 0; j < BLOCKS; j++)
            CHECK_EQUAL(scene.ledger->holder[j], 0);
        CHECK_EQUAL(settle(&scene), scene.ledger->pushed - scene.ledger->popped);
        end(&scene);
    }
}

static void killed_at_random(void)
{
    struct scene scene = begin("");
    for (uint64_t i = 0; i < test_effort(KILLS / 3, KILLS); i++) {
        test_process first = start(&scene, "die_at_work", 0);
        test_process second = start(&scene, "die_at_work", 1);
        test_sleep_ms(5 + (int)(test_random() % 7));
        test_kill(first);
        CHECK_EQUAL(test_wait(first), TEST_KILLED);
        CHECK_STATUS(quoit_pool_reclaim(scene.pool, &scene.queue, 1, NULL), QUOIT_OK);
        test_kill(second);
        CHECK_EQUAL(test_wait(second), TEST_KILLED);
        if (i % 3 == 2)
            (void)settle(&scene);
    }
    end(&scene);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"no block is in two hands, on every scheme", no_block_in_two_hands},
        {"some are killed at random, nothing is missing", killed_at_random},
        {NULL, NULL}};
    static const struct test_role roles[] = {
        {"exchange", exchange}, {"die_at_work", die_at_work}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
