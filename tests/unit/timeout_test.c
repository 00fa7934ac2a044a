/* SPDX-License-Identifier: MIT */
/* Each call that waits, with a negative timeout, which does not wait, and with an enormous one,
   which must not overflow. */
#include "test.h"

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, KINDS = 5, SPANS = 1 };
QUOIT_DEFINE_QUEUE(word, uint64_t);

static const int64_t past[] = {0, -1, -1000000000, INT64_MIN + 1, INT64_MIN};
static const int64_t enormous[] = {QUOIT_FOREVER, INT64_MAX - 1, INT64_MAX / 2 + 1};
enum { PAST = sizeof past / sizeof *past, ENORMOUS = sizeof enormous / sizeof *enormous };

static const struct quoit_queue_options kinds[KINDS] = {
    {.item_bytes = 8, .capacity = 1},
    {.item_bytes = 8, .capacity = 1}, /* spans */
    {.item_bytes = 8, .capacity = 1, .messages = 1},
    {.item_bytes = 8, .capacity = 1, .kind = QUOIT_MPMC},
    {.item_bytes = 8, .capacity = 1, .kind = QUOIT_BROADCAST}};

/* ---- The calls ------------------------------------------------------------------------------- */

struct side {
    quoit_queue *queue;
    quoit_pool *pool;
    quoit_block block; /* to push, or popped */
    uint64_t word;
};

static struct word_queue typed(const struct side *side)
{
    return (struct word_queue){side->queue};
}

static quoit_status push(struct side *side, int64_t timeout_ns)
{
    return quoit_queue_push(side->queue, &side->word, sizeof side->word, timeout_ns);
}

static quoit_status push_typed(struct side *side, int64_t timeout_ns)
{
    return word_push(typed(side), &side->word, timeout_ns);
}

static quoit_status push_many(struct side *side, int64_t timeout_ns)
{
    size_t count;
    return word_push_many(typed(side), &side->word, 1, &count, timeout_ns);
}

static quoit_status push_block(struct side *side, int64_t timeout_ns)
{
    return quoit_pool_push(side->pool, side->queue, side->block, timeout_ns);
}

static quoit_status claim(struct side *side, int64_t timeout_ns)
{
    void *room;
    quoit_status status = quoit_queue_claim(side->queue, sizeof side->word, &room, timeout_ns);
    return status == QUOIT_OK ? quoit_queue_commit(side->queue, sizeof side->word) : status;
}

static quoit_status claim_many(struct side *side, int64_t timeout_ns)
{
    void *room;
    size_t count;
    quoit_status status = quoit_queue_claim_many(side->queue, 1, &room, &count, timeout_ns);
    return status == QUOIT_OK ? quoit_queue_commit_many(side->queue, count) : status;
}

static quoit_status pop(struct side *side, int64_t timeout_ns)
{
    return quoit_queue_pop(side->queue, &side->word, sizeof side->word, NULL, timeout_ns);
}

static quoit_status pop_typed(struct side *side, int64_t timeout_ns)
{
    return word_pop(typed(side), &side->word, timeout_ns);
}

static quoit_status pop_many(struct side *side, int64_t timeout_ns)
{
    size_t count;
    return word_pop_many(typed(side), &side->word, 1, &count, timeout_ns);
}

static quoit_status pop_block(struct side *side, int64_t timeout_ns)
{
    return quoit_pool_pop(side->pool, side->queue, &side->block, timeout_ns);
}

static quoit_status peek(struct side *side, int64_t timeout_ns)
{
    const void *item;
    quoit_status status = quoit_queue_peek(side->queue, &item, NULL, timeout_ns);
    return status == QUOIT_OK ? quoit_queue_release(side->queue) : status;
}

static quoit_status peek_many(struct side *side, int64_t timeout_ns)
{
    const void *items;
    size_t count;
    quoit_status status = quoit_queue_peek_many(side->queue, &items, &count, timeout_ns);
    return status == QUOIT_OK ? quoit_queue_release_many(side->queue, count) : status;
}

typedef quoit_status wait_call(struct side *side, int64_t timeout_ns);
struct call {
    const char *name;
    wait_call *run;
    enum { ITEMS = 1, MESSAGES = 2, BLOCKS = 4 } of;
};
static const struct call pushes[] = {
    {"push", push, ITEMS | MESSAGES},   {"word_push", push_typed, ITEMS},
    {"push_many", push_many, ITEMS},    {"pool_push", push_block, BLOCKS},
    {"claim", claim, ITEMS | MESSAGES}, {"claim_many", claim_many, ITEMS}};
static const struct call pops[] = {
    {"pop", pop, ITEMS | MESSAGES},   {"word_pop", pop_typed, ITEMS},
    {"pop_many", pop_many, ITEMS},    {"pool_pop", pop_block, BLOCKS},
    {"peek", peek, ITEMS | MESSAGES}, {"peek_many", peek_many, ITEMS}};
enum { CALLS = sizeof pushes / sizeof *pushes };

static bool fits(const struct call *call, const struct quoit_queue_options *kind)
{
    if (call->of == BLOCKS)
        return !kind->messages && kind->kind != QUOIT_BROADCAST;
    return (call->of & (kind->messages ? MESSAGES : ITEMS)) != 0;
}

/* ---- Queues ---------------------------------------------------------------------------------- */

static const char *queue_name, *pool_name;
static quoit_pool *pool;

static void begin(const struct quoit_queue_options *kind, struct side *producer,
                  struct side *consumer)
{
    const struct quoit_pool_options blocks = {.block_bytes = 8, .blocks = 4};
    queue_name = test_name("");
    pool_name = test_name("");
    CHECK_STATUS(quoit_pool_create(pool_name, &blocks, 0, &pool), QUOIT_OK);
    *producer = (struct side){.pool = pool};
    *consumer = (struct side){.pool = pool};
    test_keep_spans(kind == &kinds[SPANS]);
    CHECK_STATUS(quoit_queue_create(queue_name, kind, QUOIT_PRODUCER, &producer->queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(queue_name, QUOIT_CONSUMER, &consumer->queue), QUOIT_OK);
    CHECK_STATUS(quoit_pool_alloc(pool, &producer->block), QUOIT_OK);
}

static void end(struct side *producer, struct side *consumer)
{
    quoit_queue_close(producer->queue);
    quoit_queue_close(consumer->queue);
    quoit_pool_close(pool);
    CHECK_STATUS(quoit_unlink(queue_name, 0), test_after_close(queue_name));
    CHECK_STATUS(quoit_unlink(pool_name, 0), test_after_close(pool_name));
}

/* Makes the queue of one item full or empty, for any kind of item. */
static void fill(struct side *producer, bool blocks)
{
    CHECK_STATUS(blocks ? push_block(producer, 0) : push(producer, 0), QUOIT_OK);
}

static void drain(struct side *consumer, bool blocks)
{
    CHECK_STATUS(blocks ? pop_block(consumer, 0) : pop(consumer, 0), QUOIT_OK);
}

/* The test's time limit ends a hang. */
static void negative_ones_do_not_wait(void)
{
    for (int k = 0; TEST_LOOP(k < KINDS, 0, "kind", k); k++)
        for (int c = 0; TEST_LOOP_TEXT(c < CALLS, 1, pushes[c].name); c++) {
            struct side producer, consumer;
            if (!fits(&pushes[c], &kinds[k]))
                continue;
            begin(&kinds[k], &producer, &consumer);
            for (int i = 0; TEST_LOOP(i < PAST, 2, "time-out", past[i]); i++)
                CHECK_STATUS(pops[c].run(&consumer, past[i]), QUOIT_EMPTY);
            fill(&producer, pushes[c].of == BLOCKS);
            if (pushes[c].of == BLOCKS)
                CHECK_STATUS(quoit_pool_alloc(pool, &producer.block), QUOIT_OK);
            for (int i = 0; TEST_LOOP(i < PAST, 2, "time-out", past[i]); i++)
                CHECK_STATUS(pushes[c].run(&producer, past[i]), QUOIT_FULL);
            end(&producer, &consumer);
        }
}

struct waiting {
    const struct call *call;
    struct side *side;
    int64_t timeout_ns;
    quoit_status status;
};

static void wait_there(void *argument)
{
    struct waiting *waiting = argument;
    waiting->status = waiting->call->run(waiting->side, waiting->timeout_ns);
}

static void enormous_ones_wait(void)
{
    for (int k = 0; TEST_LOOP(k < KINDS, 0, "kind", k); k++)
        for (int c = 0; TEST_LOOP_TEXT(c < CALLS, 1, pushes[c].name); c++)
            for (int i = 0; TEST_LOOP(i < ENORMOUS, 2, "time-out", enormous[i]); i++) {
                struct side producer, consumer;
                bool blocks = pushes[c].of == BLOCKS;
                if (!fits(&pushes[c], &kinds[k]))
                    continue;
                begin(&kinds[k], &producer, &consumer);
                struct waiting pops_there = {&pops[c], &consumer, enormous[i], QUOIT_FULL};
                test_thread *thread = test_thread_start(wait_there, &pops_there);
                test_sleep_ms(20); /* so that it usually blocks */
                fill(&producer, blocks);
                test_thread_join(thread);
                CHECK_STATUS(pops_there.status, QUOIT_OK);
                if (blocks)
                    CHECK_STATUS(quoit_pool_alloc(pool, &producer.block), QUOIT_OK);
                fill(&producer, blocks);
                if (blocks)
                    CHECK_STATUS(quoit_pool_alloc(pool, &producer.block), QUOIT_OK);
                struct waiting pushes_there = {&pushes[c], &producer, enormous[i], QUOIT_EMPTY};
                thread = test_thread_start(wait_there, &pushes_there);
                test_sleep_ms(20);
                drain(&consumer, blocks);
                test_thread_join(thread);
                CHECK_STATUS(pushes_there.status, QUOIT_OK);
                end(&producer, &consumer);
            }
}

/* ---- Semaphores ------------------------------------------------------------------------------ */

struct sem_waiting {
    quoit_sem *sem;
    int64_t timeout_ns;
    quoit_status status;
};

static void wait_for_sem(void *argument)
{
    struct sem_waiting *waiting = argument;
    waiting->status = quoit_sem_wait(waiting->sem, waiting->timeout_ns);
}

static void semaphores(void)
{
    const struct quoit_sem_options options = {.value = 0};
    for (int s = 0; TEST_LOOP_TEXT(test_sem_schemes[s], 0, test_sem_schemes[s]); s++) {
        const char *name = test_name(test_sem_schemes[s]);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
        for (int i = 0; TEST_LOOP(i < PAST, 1, "time-out", past[i]); i++)
            CHECK_STATUS(quoit_sem_wait(sem, past[i]), QUOIT_TIMEOUT);
        for (int i = 0; TEST_LOOP(i < ENORMOUS, 1, "time-out", enormous[i]); i++) {
            struct sem_waiting waiting = {sem, enormous[i], QUOIT_TIMEOUT};
            test_thread *thread = test_thread_start(wait_for_sem, &waiting);
            test_sleep_ms(20);
            CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
            test_thread_join(thread);
            CHECK_STATUS(waiting.status, QUOIT_OK);
        }
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
        CHECK_STATUS(quoit_sem_wait(sem, INT64_MIN), QUOIT_OK); /* the existing item is taken */
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"negative_ones_do_not_wait", negative_ones_do_not_wait},
        {"enormous_ones_wait", enormous_ones_wait},
        {"semaphores", semaphores},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
