/* SPDX-License-Identifier: MIT */
/* Pushes and pops that wait, between real processes. A wait ends by items, a free slot, the end of
   the stream, a crash, a close or the timeout, and no wake is lost. */
#include "test.h"

#include "os.h"
#include "queue_handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);

static const struct quoit_queue_options options = {.item_bytes = sizeof(uint64_t), .capacity = 3};
static const int64_t second = INT64_C(1000000000);
static const int64_t hours = INT64_C(36000000000000);
static const char *const kind_names[] = {"SPSC", "MPMC"};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, TRIPS = 20000, CROWD_ITEMS = 4000, CROWD = 3 };

/* The library's time between two checks in a wait. If it is hours, a lost wake is a wait that does
   not end. */
extern int64_t quoit_wait_slice_ns;

static quoit_queue *join(const char *name, unsigned roles)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_join(name, &options, roles, &queue), QUOIT_OK);
    return queue;
}

static void remove_queue(quoit_queue *queue, const char *name)
{
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* Not before its time, and not long after; 0 does not wait. */
static void time_runs_out(void)
{
    const char *name = test_name("");
    quoit_queue *queue = join(name, BOTH);
    uint64_t value = 1, start = quoit_os_monotonic_ns();
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, 0), QUOIT_EMPTY);
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, 30000000), QUOIT_EMPTY);
    CHECK_GE(quoit_os_monotonic_ns() - start, 30000000);
    for (int i = 0; i < 3; i++)
        CHECK_STATUS(word_push((struct word_queue){queue}, &value, 0), QUOIT_OK);
    CHECK_STATUS(word_push((struct word_queue){queue}, &value, 0), QUOIT_FULL);
    start = quoit_os_monotonic_ns();
    CHECK_STATUS(word_push((struct word_queue){queue}, &value, 150000000), QUOIT_FULL);
    CHECK_GE(quoit_os_monotonic_ns() - start, 150000000);
    CHECK_EQUAL(quoit_queue_size(queue), 3);
    remove_queue(queue, name);
}

/* A handle with both roles has not lost its other side, for any number of items that it got from
   it. */
static void one_is_both(void)
{
    for (int kind = QUOIT_SPSC; TEST_LOOP_TEXT(kind <= QUOIT_MPMC, 0, kind_names[kind]); kind++) {
        struct quoit_queue_options own = options;
        const char *name = test_name("");
        quoit_queue *queue;
        const void *seen;
        uint64_t value = 1;
        own.kind = (uint32_t)kind;
        CHECK_STATUS(quoit_queue_create(name, &own, BOTH, &queue), QUOIT_OK);
        for (int i = 0; i < 2; i++) {
            CHECK_STATUS(word_push((struct word_queue){queue}, &value, second), QUOIT_OK);
            CHECK_STATUS(quoit_queue_peek(queue, &seen, NULL, second), QUOIT_OK);
            CHECK_STATUS(word_pop((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
            CHECK_STATUS(word_pop((struct word_queue){queue}, &value, 1000000), QUOIT_EMPTY);
        }
        remove_queue(queue, name);
    }
}

/* arguments: name, the action after some time */
static void act_later(char **arguments)
{
    const char *what = arguments[1];
    unsigned role = strcmp(what, "pop") == 0 ? QUOIT_CONSUMER : QUOIT_PRODUCER;
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(arguments[0], role, &queue), QUOIT_OK);
    uint64_t value = 42;
    test_sleep_ms(60);
    if (strcmp(what, "push") == 0)
        CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    if (strcmp(what, "pop") == 0)
        CHECK_STATUS(word_pop((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    if (strcmp(what, "finish") == 0)
        CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    if (strcmp(what, "die") == 0 || strcmp(what, "close") == 0) {
        CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW),
                     QUOIT_OK); /* reports that it has joined */
        test_sleep_ms(strcmp(what, "die") == 0 ? 60000 : 60);
    }
    quoit_queue_close(queue);
}

static void ended_by(const char *scheme, uint32_t kind, const char *what, quoit_status expected)
{
    struct quoit_queue_options of_kind = options;
    const char *name = test_name(scheme);
    bool pops = strcmp(what, "pop") != 0, dies = strcmp(what, "die") == 0;
    const char *const arguments[] = {name, what, NULL};
    uint64_t value = 7;
    quoit_queue *queue;
    of_kind.kind = kind;
    quoit_wait_slice_ns = dies ? 100000000 : hours; /* a crash wakes no process */
    CHECK_STATUS(quoit_queue_create(name, &of_kind, pops ? QUOIT_CONSUMER : QUOIT_PRODUCER, &queue),
                 QUOIT_OK);
    for (int i = 0; !pops && i < 3; i++)
        CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    test_process other = test_spawn("act_later", arguments);
    if (expected == QUOIT_ABANDONED)
        CHECK_STATUS(word_pop((struct word_queue){queue}, &value, 60 * second), QUOIT_OK);
    if (dies)
        test_kill(other);
    quoit_status status = pops ? word_pop((struct word_queue){queue}, &value, QUOIT_FOREVER)
                               : word_push((struct word_queue){queue}, &value, QUOIT_FOREVER);
    CHECK_STATUS(status, expected);
    if (strcmp(what, "push") == 0)
        CHECK_EQUAL(value, 42);
    if (expected == QUOIT_ABANDONED) /* returned once */
        CHECK_STATUS(word_pop((struct word_queue){queue}, &value, 250000000), QUOIT_EMPTY);
    CHECK_EQUAL(test_wait(other), dies ? TEST_KILLED : 0);
    remove_queue(queue, name);
}

static void ends(void)
{
    int64_t slice = quoit_wait_slice_ns;
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++)
        for (int kind = QUOIT_SPSC; TEST_LOOP_TEXT(kind <= QUOIT_MPMC, 1, kind_names[kind]);
             kind++) {
            const char *scheme = test_shared_schemes[i];
            ended_by(scheme, (uint32_t)kind, "push", QUOIT_OK);
            ended_by(scheme, (uint32_t)kind, "pop", QUOIT_OK);
            ended_by(scheme, (uint32_t)kind, "finish", QUOIT_FINISHED);
            ended_by(scheme, (uint32_t)kind, "die", QUOIT_ABANDONED);
            ended_by(scheme, (uint32_t)kind, "close", QUOIT_ABANDONED);
        }
    quoit_wait_slice_ns = slice;
}

/* arguments: two names, how many. Answers each word by the next, after its own delay. */
static void answer(char **arguments)
{
    quoit_queue *in = join(arguments[0], QUOIT_CONSUMER);
    quoit_queue *out = join(arguments[1], QUOIT_PRODUCER);
    uint64_t count = strtoull(arguments[2], NULL, 10), value = 0;
    quoit_wait_slice_ns = hours;
    for (uint64_t i = 0; i < count; i++) {
        quoit_status status;
        while ((status = word_pop((struct word_queue){in}, &value, QUOIT_FOREVER)) ==
               QUOIT_ABANDONED)
            ;
        CHECK_STATUS(status, QUOIT_OK);
        CHECK_EQUAL(value, i);
        for (volatile uint64_t delay = i * i % 977; delay > 0; delay--)
            ;
        value++;
        CHECK_STATUS(word_push((struct word_queue){out}, &value, QUOIT_FOREVER), QUOIT_OK);
    }
    quoit_queue_close(in);
    quoit_queue_close(out);
}

/* Scenario 23. A lost wake is a wait of hours, which the test's time limit ends. */
static void no_wake_is_lost(void)
{
    const char *there = test_name(""), *back = test_name("");
    quoit_queue *out = join(there, QUOIT_PRODUCER), *in = join(back, QUOIT_CONSUMER);
    const char *const arguments[] = {there, back, "20000", NULL};
    int64_t slice = quoit_wait_slice_ns;
    test_process other = test_spawn("answer", arguments);
    uint64_t value = 0;
    quoit_wait_slice_ns = hours;
    for (uint64_t i = 0; i < TRIPS; i++) {
        value = i;
        CHECK_STATUS(word_push((struct word_queue){out}, &value, QUOIT_FOREVER), QUOIT_OK);
        if (i % 64 == 0)
            test_sleep_ms(1); /* long enough for it to block */
        CHECK_STATUS(word_pop((struct word_queue){in}, &value, QUOIT_FOREVER), QUOIT_OK);
        CHECK_EQUAL(value, i + 1);
        for (volatile uint64_t delay = i * 7919 % 1009; delay > 0; delay--)
            ;
    }
    quoit_wait_slice_ns = slice;
    CHECK_EQUAL(test_wait(other), 0);
    remove_queue(out, there);
    remove_queue(in, back);
}

/* arguments: name, "push" or "pop". Each waits whenever it can. */
static void take_part(char **arguments)
{
    bool pushes = strcmp(arguments[1], "push") == 0;
    quoit_queue *queue;
    uint64_t value = 0;
    quoit_status status = QUOIT_OK;
    quoit_wait_slice_ns = hours;
    CHECK_STATUS(quoit_queue_open(arguments[0], pushes ? QUOIT_PRODUCER : QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    for (uint64_t i = 0; pushes && i < CROWD_ITEMS; i++) {
        do
            status = word_push((struct word_queue){queue}, &i, QUOIT_FOREVER);
        while (status == QUOIT_ABANDONED);
        CHECK_STATUS(status, QUOIT_OK);
        if (i % 16 == 0)
            test_sleep_ms(i % 32 == 0);
    }
    while (!pushes && status != QUOIT_FINISHED) {
        status = word_pop((struct word_queue){queue}, &value, QUOIT_FOREVER);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_FINISHED, QUOIT_ABANDONED);
        if (value % 64 == 63)
            test_sleep_ms(1);
    }
    quoit_queue_close(queue);
}

/* Several processes wait on one word, on both sides, of a queue that is always full or empty. */
static void no_wake_of_many_is_lost(void)
{
    const char *name = test_name("");
    const struct quoit_queue_options many = {.kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 2};
    const char *const pushing[] = {name, "push", NULL}, *const popping[] = {name, "pop", NULL};
    test_process producers[CROWD], consumers[CROWD];
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &many, BOTH, &queue), QUOIT_OK);
    for (int i = 0; i < CROWD; i++) {
        producers[i] = test_spawn("take_part", pushing);
        consumers[i] = test_spawn("take_part", popping);
    }
    for (int i = 0; i < CROWD; i++)
        CHECK_EQUAL(test_wait(producers[i]), 0);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQUAL(test_wait(consumers[i]), 0);
    remove_queue(queue, name);
}

/* Scenario 22: an item that a producer published is found, although the producer crashed before it
   woke its consumer. */
static void publish_and_stop(char **arguments)
{
    quoit_queue *queue = join(arguments[0], QUOIT_PRODUCER);
    uint64_t value = 1;
    CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    test_sleep_ms(60);
    value = 2;
    struct quoit_ring_producer *producer = &queue->handle->queue->producer;
    CHECK(quoit_spsc_put(producer, &value, sizeof value)); /* a push without its end */
    test_sleep_ms(60000);
}

static void killed_before_it_wakes(void)
{
    const char *name = test_name("");
    quoit_queue *queue = join(name, QUOIT_CONSUMER);
    test_process other = test_spawn("publish_and_stop", (const char *const[]){name, NULL});
    uint64_t value = 0;
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, 60 * second), QUOIT_OK);
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, 50 * second), QUOIT_OK);
    CHECK_EQUAL(value, 2);
    test_kill(other);
    CHECK_EQUAL(test_wait(other), TEST_KILLED);
    remove_queue(queue, name);
}

/* A consumer that is killed while it is blocked in a wait affects no other process. */
static void sleep_until_killed(char **arguments)
{
    quoit_queue *queue = join(arguments[0], QUOIT_CONSUMER);
    uint64_t value;
    (void)word_pop((struct word_queue){queue}, &value, QUOIT_FOREVER);
    test_give_up();
}

static void killed_in_sleep(void)
{
    const char *name = test_name("file");
    const char *const arguments[] = {name, NULL};
    uint64_t value = 5;
    for (int round = 0; TEST_LOOP(round < 5, 3, "round", round); round++) {
        quoit_queue *queue = join(name, QUOIT_PRODUCER);
        test_process other = test_spawn("sleep_until_killed", arguments);
        struct quoit_queue_info info;
        do {
            test_sleep_ms(5);
            CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
        } while (info.consumer_pid == 0);
        test_sleep_ms(5 * round);
        test_kill(other);
        CHECK_EQUAL(test_wait(other), TEST_KILLED);
        CHECK_STATUS(word_push((struct word_queue){queue}, &value, second), QUOIT_OK);
        quoit_queue *consumer = join(name, QUOIT_CONSUMER);
        CHECK_STATUS(word_pop((struct word_queue){consumer}, &value, second), QUOIT_OK);
        CHECK_STATUS(word_pop((struct word_queue){consumer}, &value, 1000000), QUOIT_EMPTY);
        quoit_queue_close(consumer);
        quoit_queue_close(queue);
    }
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"time_runs_out", time_runs_out},
                                             {"one_is_both", one_is_both},
                                             {"ends", ends},
                                             {"no_wake_is_lost", no_wake_is_lost},
                                             {"no_wake_of_many_is_lost", no_wake_of_many_is_lost},
                                             {"killed_before_it_wakes", killed_before_it_wakes},
                                             {"killed_in_sleep", killed_in_sleep},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"act_later", act_later},
                                             {"answer", answer},
                                             {"take_part", take_part},
                                             {"publish_and_stop", publish_and_stop},
                                             {"sleep_until_killed", sleep_until_killed},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
