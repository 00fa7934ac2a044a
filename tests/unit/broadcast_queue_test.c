/* SPDX-License-Identifier: MIT */
/* Broadcast queues through the API, in one process: options, roles, waiting, and queries. */
#include "test.h"

#include <string.h>

enum { CAPACITY = 5, SLEEPERS = 3, LARGE = 9000 };

struct pair {
    uint64_t number, inverse;
};
QUOIT_DEFINE_QUEUE(pair, struct pair);

static const struct quoit_queue_options lossless = {
    .kind = QUOIT_BROADCAST, .item_bytes = sizeof(struct pair), .capacity = CAPACITY};
static const struct quoit_queue_options lossy = {.kind = QUOIT_BROADCAST,
                                                 .item_bytes = sizeof(struct pair),
                                                 .capacity = CAPACITY,
                                                 .when_full = QUOIT_DROP_OLDEST};

static quoit_queue *open_as(const char *name, unsigned roles)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(name, roles, &queue), QUOIT_OK);
    return queue;
}

static quoit_queue *create(const char *name, const struct quoit_queue_options *options)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    return queue;
}

static void end(const char *name, quoit_queue *queue)
{
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static quoit_status push(quoit_queue *queue, uint64_t number)
{
    return pair_push((struct pair_queue){queue},
                     &(struct pair){.number = number, .inverse = ~number}, QUOIT_NOW);
}

static void pops(quoit_queue *queue, uint64_t number)
{
    struct pair pair = {0};
    CHECK_STATUS(pair_pop((struct pair_queue){queue}, &pair, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(pair.number, number);
    CHECK_EQUAL(pair.inverse, ~number);
}

static void finds(quoit_queue *queue, quoit_status expected)
{
    struct pair pair = {0};
    CHECK_STATUS(pair_pop((struct pair_queue){queue}, &pair, QUOIT_NOW), expected);
}

/* ---- Options and roles ----------------------------------------------------------------------- */

static void options_differ(void)
{
    const char *name = test_name("");
    struct quoit_queue_options bad = lossless, mpmc = lossless;
    quoit_queue *queue = create(name, &lossless), *other;
    bad.when_full = 2;
    mpmc.kind = QUOIT_MPMC;
    CHECK_STATUS(quoit_queue_join(name, &bad, QUOIT_CONSUMER, &other), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_join(name, &lossy, QUOIT_CONSUMER, &other), QUOIT_ERROR_DIFFERENT);
    CHECK(strstr(test_sentence(), "when_full"));
    CHECK_STATUS(quoit_queue_join(name, &mpmc, QUOIT_CONSUMER, &other), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_queue_join(name, &lossless, QUOIT_CONSUMER, &other), QUOIT_OK);
    quoit_queue_close(other);
    end(name, queue);
}

static void roles(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &lossless), *subscribers[64], *other;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &other), QUOIT_ERROR_ROLE_TAKEN);
    for (int i = 0; i < 64; i++)
        subscribers[i] = open_as(name, QUOIT_CONSUMER);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &other), QUOIT_ERROR_LIMIT);
    CHECK_STATUS(push(queue, 7), QUOIT_OK);
    CHECK_STATUS(push(subscribers[0], 7), QUOIT_ERROR_WRONG_ROLE);
    for (int i = 0; i < 64; i++) {
        pops(subscribers[i], 7);
        quoit_queue_close(subscribers[i]);
    }
    quoit_queue *observer = open_as(name, QUOIT_OBSERVER); /* it may end with its last handle */
    quoit_queue_close(queue);
    queue = open_as(name, QUOIT_PRODUCER | QUOIT_CONSUMER);
    CHECK_STATUS(push(queue, 8), QUOIT_OK);
    pops(queue, 8);
    quoit_queue_close(observer);
    end(name, queue);
}

static void where_it_begins(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &lossless);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_STATUS(push(queue, i), QUOIT_OK);
    quoit_queue *newest = open_as(name, QUOIT_CONSUMER);
    quoit_queue *oldest = open_as(name, QUOIT_CONSUMER | QUOIT_FROM_OLDEST);
    CHECK_STATUS(push(queue, 3), QUOIT_OK);
    CHECK_EQUAL(quoit_queue_size(newest), 1);
    CHECK_EQUAL(quoit_queue_size(oldest), 4);
    CHECK_EQUAL(quoit_queue_size(queue), 4);
    for (uint64_t i = 0; i < 4; i++)
        pops(oldest, i);
    pops(newest, 3);
    quoit_queue_close(newest);
    quoit_queue_close(oldest);
    end(name, queue);
}

static void what_can_be_asked(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &lossy), *subscriber = open_as(name, QUOIT_CONSUMER);
    quoit_queue *observer = open_as(name, QUOIT_OBSERVER);
    struct quoit_queue_info info;
    for (uint64_t i = 0; i < 12; i++)
        CHECK_STATUS(push(queue, i), QUOIT_OK);
    CHECK_EQ(quoit_queue_size(subscriber), quoit_queue_capacity(subscriber));
    pops(subscriber, 8);
    CHECK_EQUAL(quoit_queue_missed(subscriber), 8);
    CHECK_EQUAL(quoit_queue_missed(queue), 0);
    CHECK_STATUS(quoit_queue_inspect(observer, &info), QUOIT_OK);
    CHECK_EQ(info.kind, QUOIT_BROADCAST);
    CHECK_EQ(info.when_full, QUOIT_DROP_OLDEST);
    CHECK_EQUAL(info.pushed, 12);
    CHECK_EQUAL(info.popped, 9);
    CHECK_EQUAL(info.size, 3);
    CHECK_EQUAL(info.producer_pid, test_own_pid());
    CHECK_EQUAL(info.consumer_pid, test_own_pid());
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    for (uint64_t i = 9; i < 12; i++)
        pops(subscriber, i);
    finds(subscriber, QUOIT_FINISHED);
    quoit_queue_close(subscriber);
    quoit_queue_close(observer);
    end(name, queue);
}

/* Larger than the memory that a handle has for claims. */
static void large_items(void)
{
    for (int kind = 0; TEST_LOOP(kind < 2, 0, "kind", kind); kind++) {
        const char *name = test_name("");
        struct quoit_queue_options options = kind ? lossy : lossless;
        static uint8_t in[LARGE], out[LARGE];
        options.item_bytes = LARGE;
        quoit_queue *queue = create(name, &options), *subscriber = open_as(name, QUOIT_CONSUMER);
        for (int i = 0; i < 20; i++) {
            void *room;
            const void *seen;
            size_t count;
            memset(in, i + 1, sizeof in);
            CHECK_STATUS(quoit_queue_claim_many(queue, 2, &room, &count, QUOIT_NOW), QUOIT_OK);
            CHECK_EQUAL(count, 1);
            memcpy(room, in, sizeof in);
            CHECK_STATUS(quoit_queue_commit_many(queue, 1), QUOIT_OK);
            CHECK_STATUS(quoit_queue_peek_many(subscriber, &seen, &count, QUOIT_NOW), QUOIT_OK);
            CHECK_EQ(memcmp(seen, in, sizeof in), 0);
            CHECK_STATUS(quoit_queue_pop(subscriber, out,
                                         (size_t)quoit_queue_item_bytes(subscriber), NULL,
                                         QUOIT_NOW),
                         QUOIT_OK);
            CHECK_EQ(memcmp(out, in, sizeof in), 0);
        }
        quoit_queue_close(subscriber);
        end(name, queue);
    }
}

/* ---- Waiting --------------------------------------------------------------------------------- */

struct sleeper {
    quoit_queue *queue;
    quoit_status status;
    struct pair pair;
};

static void pop_later(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->status = pair_pop((struct pair_queue){sleeper->queue}, &sleeper->pair, QUOIT_FOREVER);
}

/* One push wakes all waiting subscribers, and so does the end of the stream. */
static void all_wake(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &lossless);
    struct sleeper sleepers[SLEEPERS];
    test_thread *threads[SLEEPERS];
    for (int i = 0; i < SLEEPERS; i++)
        sleepers[i] = (struct sleeper){.queue = open_as(name, QUOIT_CONSUMER)};
    for (uint64_t round = 0; TEST_LOOP(round < 21, 3, "round", round); round++) {
        for (int i = 0; i < SLEEPERS; i++)
            threads[i] = test_thread_start(pop_later, &sleepers[i]);
        if (round % 2)
            test_sleep_ms(2);
        if (round == 20)
            CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
        else
            CHECK_STATUS(push(queue, round), QUOIT_OK);
        for (int i = 0; i < SLEEPERS; i++) {
            test_thread_join(threads[i]);
            CHECK_STATUS(sleepers[i].status, round == 20 ? QUOIT_FINISHED : QUOIT_OK);
            CHECK(round == 20 || sleepers[i].pair.number == round);
        }
    }
    for (int i = 0; i < SLEEPERS; i++)
        quoit_queue_close(sleepers[i].queue);
    end(name, queue);
}

static void push_later(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->status = pair_push((struct pair_queue){sleeper->queue}, &sleeper->pair, QUOIT_FOREVER);
}

/* A pop by the slowest subscriber wakes the producer, for each way of popping. So does its
   leaving. */
static void producer_wakes(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &lossless), *quick = open_as(name, QUOIT_CONSUMER);
    quoit_queue *slow = open_as(name, QUOIT_CONSUMER);
    struct pair pairs[CAPACITY];
    const void *seen;
    size_t count;
    while (push(queue, 1) == QUOIT_OK)
        ;
    for (int way = 0; TEST_LOOP(way < 4, 0, "way", way); way++) {
        struct sleeper sleeper = {.queue = queue};
        test_thread *thread = test_thread_start(push_later, &sleeper);
        test_sleep_ms(5);
        CHECK_GT(test_pop_many(quick, pairs, CAPACITY), 0);
        if (way == 0)
            pops(slow, 1);
        else if (way == 1)
            CHECK_EQUAL(test_pop_many(slow, pairs, 1), 1);
        else if (way == 2)
            CHECK_STATUS(quoit_queue_peek_many(slow, &seen, &count, QUOIT_NOW), QUOIT_OK);
        if (way == 2)
            CHECK_STATUS(quoit_queue_release(slow), QUOIT_OK);
        if (way == 3)
            quoit_queue_close(slow);
        test_thread_join(thread);
        CHECK_STATUS(sleeper.status, QUOIT_OK);
    }
    quoit_queue_close(quick);
    end(name, queue);
}

static void abandoned_when_it_crashed(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &lossless), *subscriber = open_as(name, QUOIT_CONSUMER);
    struct pair pair = {0};
    CHECK_STATUS(pair_pop((struct pair_queue){subscriber}, &pair, 1000000), QUOIT_EMPTY);
    quoit_queue_close(queue);
    CHECK_STATUS(pair_pop((struct pair_queue){subscriber}, &pair, QUOIT_FOREVER), QUOIT_ABANDONED);
    CHECK_STATUS(pair_pop((struct pair_queue){subscriber}, &pair, 1000000), QUOIT_EMPTY);
    queue = open_as(name, QUOIT_PRODUCER);
    while (push(queue, 1) == QUOIT_OK)
        ;
    CHECK_STATUS(pair_push((struct pair_queue){queue}, &pair, 1000000), QUOIT_FULL);
    quoit_queue_close(subscriber);
    CHECK_STATUS(pair_push((struct pair_queue){queue}, &pair, 1000000),
                 QUOIT_OK); /* the producer waits for no subscriber */
    end(name, queue);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"options differ", options_differ},
        {"roles", roles},
        {"where a subscriber begins", where_it_begins},
        {"what can be asked", what_can_be_asked},
        {"large items", large_items},
        {"one push wakes all", all_wake},
        {"the producer wakes", producer_wakes},
        {"ABANDONED after the producer has left", abandoned_when_it_crashed},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
