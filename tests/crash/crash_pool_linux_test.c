/* SPDX-License-Identifier: MIT */
/*
 * A member of a pool is killed at each instruction of alloc, free, push, pop and reclaim, through
 * each layout of queue. Then the process that repairs the pool is killed likewise. Reclaim makes
 * the pool whole: each pushed block is in the queue once, no block has two owners, and all blocks
 * are free at the end.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 8, CAPACITY = 3, HANDS = 2, MOST = 300, MOST_NESTED = 20 };
/* The number that is written to a block shows which process pushed it: the first member, or a
   victim. */
enum { BEFORE = 1, OF_HAND = 10, NUMBERS = 40 };

static const struct quoit_pool_options pool_options = {.block_bytes = 64, .blocks = BLOCKS};
static const struct quoit_queue_options layouts[] = {
    {.item_bytes = 8, .capacity = CAPACITY},
    {.item_bytes = 8, .capacity = CAPACITY}, /* spans */
    {.kind = QUOIT_MPMC, .item_bytes = 8, .capacity = CAPACITY}};
enum { LAYOUTS = 3, SPANS = 1, MPMC = 2, BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

/* Written by a victim, and read after it was killed. */
struct hand {
    quoit_pool *pool; /* the victim's own */
    quoit_queue *queue;
    uint64_t number;
    quoit_block block;
    quoit_status status;
    bool returned, pushes, pops;
    uint64_t got; /* the number in the block that it popped */
};

struct operation {
    const char *name;
    unsigned role;
    void (*ready)(struct hand *hand);
    void (*act)(struct hand *hand);
};

struct scene {
    int layout;
    uint64_t filled;
    const struct operation *first, *second;
    uint64_t first_step;
    quoit_pool *pool;   /* the survivor's */
    quoit_queue *queue; /* NULL: SPSC, and a victim has the other side */
    quoit_block own;
    uint64_t seen[NUMBERS];
};

static struct hand *hands;
static const char *pool_name, *queue_name;

/* ---- The victims' operations ----------------------------------------------------------------- */

static void stamp(quoit_pool *pool, quoit_block block, uint64_t number)
{
    uint64_t *words = quoit_pool_at(pool, block);
    CHECK(words);
    for (int i = 0; i < 8; i++)
        words[i] = number << i;
}

static uint64_t read_stamp(quoit_pool *pool, quoit_block block)
{
    const uint64_t *words = quoit_pool_at(pool, block);
    CHECK(words);
    CHECK_GT(words[0], 0);
    CHECK_LT(words[0], NUMBERS);
    for (int i = 0; i < 8; i++)
        CHECK_EQUAL(words[i], words[0] << i);
    return words[0];
}

static void alloc(struct hand *hand)
{
    hand->status = quoit_pool_alloc(hand->pool, &hand->block);
}

static void alloc_stamped(struct hand *hand)
{
    alloc(hand);
    stamp(hand->pool, hand->block, hand->number);
}

static void free_block(struct hand *hand)
{
    hand->status = quoit_pool_free(hand->pool, hand->block);
}

static void push(struct hand *hand)
{
    hand->pushes = true;
    hand->status = quoit_pool_push(hand->pool, hand->queue, hand->block, QUOIT_NOW);
}

static void pop(struct hand *hand)
{
    hand->pops = true;
    hand->status = quoit_pool_pop(hand->pool, hand->queue, &hand->block, QUOIT_NOW);
    if (hand->status == QUOIT_OK)
        hand->got = read_stamp(hand->pool, hand->block);
}

static void reclaim(struct hand *hand)
{
    hand->status = quoit_pool_reclaim(hand->pool, &hand->queue, 1, NULL);
}

static const struct operation operations[] = {{"alloc", QUOIT_OBSERVER, NULL, alloc},
                                              {"free", QUOIT_OBSERVER, alloc, free_block},
                                              {"push", QUOIT_PRODUCER, alloc_stamped, push},
                                              {"pop", QUOIT_CONSUMER, NULL, pop},
                                              {"reclaim", QUOIT_OBSERVER, NULL, reclaim}};
enum { ALLOC, FREE, PUSH, POP, RECLAIM, OPERATIONS };

static void be_victim(void *argument)
{
    const struct operation *operation = argument;
    struct hand *hand = hands[0].number == OF_HAND && !hands[1].number ? &hands[0] : &hands[1];
    CHECK_STATUS(quoit_pool_open(pool_name, 0, &hand->pool), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(queue_name, operation->role, &hand->queue), QUOIT_OK);
    if (operation->ready)
        operation->ready(hand);
    stepper_begin();
    operation->act(hand);
    hand->returned = true;
    stepper_end();
}

static struct stepper start(int hand, const struct operation *operation)
{
    hands[hand].number = (uint64_t)OF_HAND * ((uint64_t)hand + 1);
    return stepper_start(be_victim, (void *)(uintptr_t)operation);
}

/* ---- The scene ------------------------------------------------------------------------------- */

/* A member that has closed the pool left these blocks: one that it allocated; one that was popped
   by quoit_queue_pop instead of quoit_pool_pop; and those that are in the queue. */
static void leave_blocks(const struct scene *scene)
{
    quoit_pool *pool;
    quoit_queue *queue;
    quoit_block block;
    CHECK_STATUS(quoit_pool_open(pool_name, 0, &pool), QUOIT_OK);
    test_keep_spans(scene->layout == SPANS);
    CHECK_STATUS(quoit_queue_create(queue_name, &layouts[scene->layout], BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_pool_alloc(pool, &block), QUOIT_OK);
    CHECK_STATUS(quoit_pool_alloc(pool, &block), QUOIT_OK);
    CHECK_STATUS(quoit_pool_push(pool, queue, block, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(queue, &block, sizeof block, NULL, QUOIT_NOW), QUOIT_OK);
    for (uint64_t i = 0; i < scene->filled; i++) {
        CHECK_STATUS(quoit_pool_alloc(pool, &block), QUOIT_OK);
        stamp(pool, block, BEFORE + i);
        CHECK_STATUS(quoit_pool_push(pool, queue, block, QUOIT_NOW), QUOIT_OK);
    }
    quoit_queue_close(queue);
    quoit_pool_close(pool);
}

static void begin(struct scene *scene)
{
    memset(hands, 0, HANDS * sizeof *hands);
    memset(scene->seen, 0, sizeof scene->seen);
    (void)snprintf(test_context, sizeof test_context, "%s of %d, %llu queued; %s after %llu",
                   scene->first->name, scene->layout, (unsigned long long)scene->filled,
                   scene->second ? scene->second->name : "none",
                   (unsigned long long)scene->first_step);
    CHECK_STATUS(quoit_pool_create(pool_name, &pool_options, 0, &scene->pool), QUOIT_OK);
    CHECK_STATUS(quoit_pool_alloc(scene->pool, &scene->own), QUOIT_OK);
    leave_blocks(scene);
    CHECK_STATUS(
        quoit_queue_open(queue_name, scene->layout == MPMC ? BOTH : QUOIT_OBSERVER, &scene->queue),
        QUOIT_OK);
}

static void reclaim_by_survivor(const struct scene *scene)
{
    CHECK_STATUS(quoit_pool_reclaim(scene->pool, &scene->queue, 1, NULL), QUOIT_OK);
    CHECK(quoit_pool_at(scene->pool, scene->own));
}

/* Pops all blocks, and frees none before the last: no block comes twice. */
static void drain(struct scene *scene)
{
    quoit_block held[BLOCKS];
    uint64_t count = 0;
    quoit_status status;
    while ((status = quoit_pool_pop(scene->pool, scene->queue, &held[count], QUOIT_NOW)) ==
           QUOIT_OK) {
        scene->seen[read_stamp(scene->pool, held[count])]++;
        CHECK_NE(held[count], scene->own);
        CHECK_LE(++count, CAPACITY);
    }
    CHECK_STATUS_ANY(status, QUOIT_EMPTY, QUOIT_ABANDONED);
    reclaim_by_survivor(scene);
    CHECK_EQUAL(quoit_pool_free_count(scene->pool), BLOCKS - 1 - count);
    for (uint64_t i = 0; i < count; i++)
        CHECK_STATUS(quoit_pool_free(scene->pool, held[i]), QUOIT_OK);
}

/* Each pushed block came once, to the survivor or to a victim. A victim that was killed in pop may
   have taken one block with it. */
static void check_ledger(const struct scene *scene)
{
    uint64_t lost = 0, may_lack = 0;
    for (uint64_t i = BEFORE; i < BEFORE + scene->filled; i++) {
        uint64_t came = scene->seen[i];
        for (int hand = 0; hand < HANDS; hand++)
            came += hands[hand].returned && hands[hand].got == i;
        CHECK_LE(came, 1);
        lost += came == 0;
    }
    for (int hand = 0; hand < HANDS; hand++) {
        uint64_t number = hands[hand].number, other = hands[!hand].got;
        bool must = hands[hand].pushes && hands[hand].returned && hands[hand].status == QUOIT_OK;
        bool may_pop = hands[!hand].pops && !hands[!hand].returned;
        may_lack += hands[hand].pops && !hands[hand].returned;
        CHECK_LE(scene->seen[number] + (number != 0 && other == number), 1);
        CHECK(!must || may_pop || scene->seen[number] == 1 || other == number);
    }
    CHECK_LE(lost, may_lack);
}

/* All blocks are free, and all of them can be allocated. */
static void check_whole(const struct scene *scene)
{
    quoit_block blocks[BLOCKS], none;
    CHECK_STATUS(quoit_pool_free(scene->pool, scene->own), QUOIT_OK);
    CHECK_EQUAL(quoit_pool_free_count(scene->pool), BLOCKS);
    for (int i = 0; i < BLOCKS; i++)
        CHECK_STATUS(quoit_pool_alloc(scene->pool, &blocks[i]), QUOIT_OK);
    CHECK_STATUS(quoit_pool_alloc(scene->pool, &none), QUOIT_EXHAUSTED);
    for (int i = 0; i < BLOCKS; i++)
        CHECK_STATUS(quoit_pool_free(scene->pool, blocks[i]), QUOIT_OK);
    CHECK_STATUS(quoit_pool_check(scene->pool), QUOIT_OK);
}

static void settle(struct scene *scene)
{
    CHECK_STATUS(quoit_pool_check(scene->pool), QUOIT_OK);
    reclaim_by_survivor(scene); /* must not reclaim a block that is queued */
    quoit_queue_close(scene->queue);
    CHECK_STATUS(quoit_queue_open(queue_name, BOTH, &scene->queue), QUOIT_OK);
    drain(scene);
    check_ledger(scene);
    check_whole(scene);
    quoit_queue_close(scene->queue);
    quoit_pool_close(scene->pool);
    CHECK_STATUS(quoit_unlink(queue_name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_unlink(pool_name, 0), QUOIT_OK);
}

/* ---- One kill -------------------------------------------------------------------------------- */

static struct stepper_path first_path, second_path; /* of the operations that are tried now */

static void explore(struct scene *scene)
{
    begin(scene);
    struct stepper victim = start(0, scene->first);
    stepper_explore(&victim, &first_path);
    settle(scene);
}

static void kill_at(uint64_t step, void *context)
{
    struct scene *scene = context;
    scene->first_step = step;
    begin(scene);
    struct stepper victim = start(0, scene->first);
    stepper_go_to(&victim, &first_path, step);
    stepper_kill(&victim);
    settle(scene);
}

static void one_crash(void)
{
    static const uint64_t fills[] = {0, 2, CAPACITY};
    for (int i = 0; i < OPERATIONS; i++) {
        uint64_t points = 0;
        for (int layout = 0; layout < LAYOUTS; layout++)
            for (int fill = 0; fill < 3; fill++) {
                struct scene scene = {
                    .layout = layout, .filled = fills[fill], .first = &operations[i]};
                explore(&scene);
                points += stepper_crashes(&first_path, MOST, kill_at, &scene);
            }
        printf("  %-8s %llu points\n", operations[i].name, (unsigned long long)points);
    }
}

/* ---- Two kills ------------------------------------------------------------------------------- */

static uint64_t find_changes(struct scene *scene, uint64_t *steps_out)
{
    begin(scene);
    struct stepper victim = start(0, scene->first);
    uint64_t count = world_find_changes(&victim, &first_path, steps_out);
    settle(scene);
    return count;
}

static struct stepper begin_pair(struct scene *scene)
{
    begin(scene);
    struct stepper first = start(0, scene->first);
    stepper_go_to(&first, &first_path, scene->first_step);
    stepper_kill(&first);
    return start(1, scene->second);
}

static void kill_second_at(uint64_t step, void *context)
{
    struct scene *scene = context;
    struct stepper second = begin_pair(scene);
    stepper_go_to(&second, &second_path, step);
    stepper_kill(&second);
    settle(scene);
}

static uint64_t try_pair(struct scene *scene)
{
    struct stepper second = begin_pair(scene);
    stepper_explore(&second, &second_path);
    settle(scene);
    return stepper_crashes(&second_path, MOST_NESTED, kill_second_at, scene);
}

static uint64_t two_crashes_of(int layout, int first, int second)
{
    uint64_t changes[WORLD_CHANGES], points = 0;
    struct scene scene = {.layout = layout, .filled = 1, .first = &operations[first]};
    uint64_t count = find_changes(&scene, changes);
    CHECK_GT(count, 1);
    for (uint64_t i = 0; i < count; i++) {
        if (!stepper_wants_case(i))
            continue;
        scene.second = &operations[second];
        scene.first_step = changes[i];
        points += try_pair(&scene);
    }
    return points;
}

static void two_crashes(void)
{
    static const int pairs[][2] = {{ALLOC, RECLAIM}, {FREE, ALLOC},      {PUSH, RECLAIM},
                                   {PUSH, POP},      {POP, POP},         {POP, RECLAIM},
                                   {RECLAIM, ALLOC}, {RECLAIM, RECLAIM}, {RECLAIM, POP}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint64_t points = 0;
        for (int layout = 0; layout < LAYOUTS; layout++)
            points += two_crashes_of(layout, pairs[i][0], pairs[i][1]);
        printf("  %-8s then %-8s %llu points\n", operations[pairs[i][0]].name,
               operations[pairs[i][1]].name, (unsigned long long)points);
    }
}

static void prepare(void)
{
    stepper_require();
    pool_name = test_name("");
    queue_name = test_name("");
    hands = mmap(NULL, HANDS * sizeof *hands, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    CHECK_NE(hands, MAP_FAILED);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"steps can be taken", prepare},
                                             {"a member killed at each instruction", one_crash},
                                             {"and then the process that repairs it", two_crashes},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
