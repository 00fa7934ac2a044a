/* SPDX-License-Identifier: MIT */
/* quoit_wait_any in one process: its arguments, its time-outs, and what it reports as ready. */
#include "test.h"

#include "os.h"

#include <stdio.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, EVENTS = QUOIT_ITEMS | QUOIT_ROOM, MANY = 300 };
static const char *const kind_names[] = {"SPSC", "MPMC", "BROADCAST"};

static quoit_queue *create(uint32_t kind, uint32_t flags, const char **name_out)
{
    const struct quoit_queue_options options = {
        .kind = kind, .item_bytes = sizeof(uint64_t), .capacity = 2};
    quoit_queue *queue;
    *name_out = test_name("local");
    CHECK_STATUS(quoit_queue_create(*name_out, &options, flags, &queue), QUOIT_OK);
    return queue;
}

static void remove_queue(quoit_queue *queue, const char *name)
{
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static quoit_status push(quoit_queue *queue, uint64_t value)
{
    return word_push((struct word_queue){queue}, &value, QUOIT_NOW);
}

static quoit_status pop(quoit_queue *queue)
{
    uint64_t value;
    return word_pop((struct word_queue){queue}, &value, QUOIT_NOW);
}

/* `ready` is 0 after each of these, whatever it was. */
static void wrong_arguments(void)
{
    const char *name, *other_name;
    quoit_queue *consumer = create(QUOIT_SPSC, QUOIT_CONSUMER, &name);
    quoit_queue *both = create(QUOIT_SPSC, BOTH, &other_name), *observer;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
    struct quoit_wait waits[] = {{both, QUOIT_ROOM, 77}, {consumer, QUOIT_ITEMS, 77}};
    CHECK_STATUS(quoit_wait_any(NULL, 1, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_wait_any(waits, 0, QUOIT_NOW), QUOIT_ERROR_INVALID);
    static const uint32_t wrong_events[] = {0, QUOIT_CONSUMER, EVENTS | 1};
    for (int i = 0; TEST_LOOP(i < 3, 0, "events", wrong_events[i]); i++) {
        waits[1].events = wrong_events[i];
        CHECK_STATUS(quoit_wait_any(waits, 2, QUOIT_NOW), QUOIT_ERROR_INVALID);
        CHECK_EQ(waits[0].ready, 0);
        CHECK_EQ(waits[1].ready, 0);
    }
    waits[1].events = EVENTS;
    CHECK_STATUS(quoit_wait_any(waits, 2, QUOIT_NOW), QUOIT_ERROR_WRONG_ROLE);
    waits[1] = (struct quoit_wait){observer, QUOIT_ITEMS, 77};
    CHECK_STATUS(quoit_wait_any(waits, 2, QUOIT_NOW), QUOIT_ERROR_WRONG_ROLE);
    waits[1].queue = NULL;
    CHECK_STATUS(quoit_wait_any(waits, 2, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_EQ(waits[1].ready, 0);
    quoit_queue_close(observer);
    remove_queue(both, other_name);
    remove_queue(consumer, name);
}

static void times_run_out(void)
{
    const char *names[2];
    struct quoit_wait waits[2];
    for (int i = 0; i < 2; i++)
        waits[i] = (struct quoit_wait){create(QUOIT_SPSC, BOTH, &names[i]), QUOIT_ITEMS, 77};
    CHECK_STATUS(quoit_wait_any(waits, 2, QUOIT_NOW), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_wait_any(waits, 2, -1), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_wait_any(waits, 2, INT64_MIN), QUOIT_TIMEOUT);
    for (int64_t ns = 1; ns < 200000000; ns *= 12) {
        uint64_t start = quoit_os_monotonic_ns();
        CHECK_STATUS(quoit_wait_any(waits, 2, ns), QUOIT_TIMEOUT);
        CHECK_GE(quoit_os_monotonic_ns() - start, ns);
        CHECK_EQ(waits[0].ready + waits[1].ready, 0);
    }
    for (int i = 0; i < 2; i++)
        remove_queue(waits[i].queue, names[i]);
}

/* Items, room, both, the end: it reports them until a call has used them up. */
static void levels(void)
{
    for (int kind = QUOIT_SPSC; TEST_LOOP_TEXT(kind <= QUOIT_BROADCAST, 0, kind_names[kind]);
         kind++) {
        const char *name;
        quoit_queue *queue = create((uint32_t)kind, BOTH, &name);
        struct quoit_wait waits[] = {{queue, EVENTS, 0}};
        for (int i = 0; i < 3; i++) {
            CHECK_STATUS(quoit_wait_any(waits, 1, QUOIT_FOREVER), QUOIT_OK);
            CHECK_EQ(waits[0].ready, QUOIT_ROOM);
        }
        CHECK_STATUS(push(queue, 1), QUOIT_OK);
        for (int i = 0; i < 3; i++) {
            CHECK_STATUS(quoit_wait_any(waits, 1, QUOIT_FOREVER), QUOIT_OK);
            CHECK_EQ(waits[0].ready, EVENTS);
        }
        while (push(queue, 2) == QUOIT_OK)
            ;
        CHECK_STATUS(quoit_wait_any(waits, 1, QUOIT_NOW), QUOIT_OK);
        CHECK_EQ(waits[0].ready, QUOIT_ITEMS);
        waits[0].events = QUOIT_ROOM;
        CHECK_STATUS(quoit_wait_any(waits, 1, 1000000), QUOIT_TIMEOUT);
        CHECK_EQ(waits[0].ready, 0);
        CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
        CHECK_STATUS(quoit_wait_any(waits, 1, QUOIT_FOREVER), QUOIT_OK);
        CHECK_STATUS(push(queue, 2), QUOIT_FINISHED);
        while (pop(queue) == QUOIT_OK)
            ;
        waits[0].events = EVENTS;
        for (int i = 0; i < 3; i++) {
            CHECK_STATUS(quoit_wait_any(waits, 1, QUOIT_FOREVER), QUOIT_OK);
            CHECK_EQ(waits[0].ready, EVENTS);
        }
        CHECK_STATUS(pop(queue), QUOIT_FINISHED);
        remove_queue(queue, name);
    }
}

/* A handle that has finished is ready for room, since its push returns FINISHED: others have not
   finished yet. */
static void finished_alone(void)
{
    const struct quoit_queue_options options = {
        .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 1, .finishes = 2};
    const char *name = test_name("local");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(push(queue, 1), QUOIT_OK);
    struct quoit_wait wait = {queue, QUOIT_ROOM, 0};
    CHECK_STATUS(quoit_wait_any(&wait, 1, QUOIT_NOW), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    CHECK_STATUS(quoit_wait_any(&wait, 1, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(push(queue, 1), QUOIT_FINISHED);
    remove_queue(queue, name);
}

/* Every queue that is ready is reported, however many are, and in whatever place. Also beyond the
   number that the system can sleep on at once. */
static void all_are_reported(void)
{
    static struct quoit_wait waits[MANY];
    static const char *names[MANY];
    for (int i = 0; i < MANY; i++)
        waits[i] = (struct quoit_wait){
            create(i % 3 == 0 ? QUOIT_MPMC : QUOIT_SPSC, BOTH, &names[i]), QUOIT_ITEMS, 0};
    for (int round = 0; TEST_LOOP(round < 40, 0, "round", round); round++) {
        bool pushed[MANY] = {false};
        for (int i = 0; i < round % 7; i++)
            pushed[test_random() % MANY] = true;
        pushed[MANY - 1] = round == 0;
        int count = 0;
        for (int i = 0; i < MANY; i++) {
            count += pushed[i];
            if (pushed[i])
                CHECK_STATUS(push(waits[i].queue, 1), QUOIT_OK);
        }
        CHECK_STATUS(quoit_wait_any(waits, MANY, 3000000), count > 0 ? QUOIT_OK : QUOIT_TIMEOUT);
        for (int i = 0; TEST_LOOP(i < MANY, 1, "queue", i); i++) {
            CHECK_EQ(waits[i].ready, pushed[i] ? QUOIT_ITEMS : 0);
            CHECK_STATUS(pop(waits[i].queue), pushed[i] ? QUOIT_OK : QUOIT_EMPTY);
        }
    }
    for (int i = 0; i < MANY; i++)
        remove_queue(waits[i].queue, names[i]);
}

/* An item that begins like an empty slot does not show in its mark. It is reported, alone and
   beside an item that does. */
static void hidden_items(void)
{
    const char *names[2];
    struct quoit_wait waits[2];
    for (int i = 0; i < 2; i++)
        waits[i] = (struct quoit_wait){create(QUOIT_SPSC, BOTH, &names[i]), QUOIT_ITEMS, 0};
    const uint64_t hidden = waits[1].queue->consumer.empty;
    for (int round = 0; TEST_LOOP(round < 3, 0, "round", round); round++) {
        CHECK_STATUS(push(waits[1].queue, hidden), QUOIT_OK);
        if (round > 0)
            CHECK_STATUS(push(waits[0].queue, hidden + 1), QUOIT_OK);
        CHECK_STATUS(quoit_wait_any(waits, 2, round == 2 ? QUOIT_NOW : QUOIT_FOREVER), QUOIT_OK);
        CHECK_EQ(waits[0].ready, round > 0 ? QUOIT_ITEMS : 0);
        CHECK_EQ(waits[1].ready, QUOIT_ITEMS);
        CHECK_STATUS(pop(waits[1].queue), QUOIT_OK);
        CHECK_STATUS(pop(waits[0].queue), round > 0 ? QUOIT_OK : QUOIT_EMPTY);
    }
    for (int i = 0; i < 2; i++)
        remove_queue(waits[i].queue, names[i]);
}

struct pushing {
    quoit_queue *queue;
    uint64_t value;
    int after_ms;
};

static void push_later(void *argument)
{
    const struct pushing *pushing = argument;
    test_sleep_ms(pushing->after_ms);
    CHECK_STATUS(push(pushing->queue, pushing->value), QUOIT_OK);
}

/* While it spins, and while it sleeps. The same side may be in the array twice. */
static void woken(void)
{
    const char *names[3];
    struct quoit_wait waits[4];
    quoit_queue *producers[3];
    for (int i = 0; i < 3; i++) {
        waits[i] = (struct quoit_wait){create((uint32_t)i, QUOIT_CONSUMER, &names[i]), QUOIT_ITEMS,
                                       0};
        CHECK_STATUS(quoit_queue_open(names[i], QUOIT_PRODUCER, &producers[i]), QUOIT_OK);
    }
    waits[3] = waits[0];
    for (int round = 0; TEST_LOOP(round < 12, 0, "round", round); round++) {
        quoit_queue *queue = producers[round % 3]; /* every other item does not show in a mark */
        const uint64_t value = queue->producer.empty + (uint64_t)round % 2;
        struct pushing pushing = {queue, value, round < 6 ? 30 : 0};
        test_thread *thread = test_thread_start(push_later, &pushing);
        CHECK_STATUS(quoit_wait_any(waits, 4, QUOIT_FOREVER), QUOIT_OK);
        uint32_t ready[3] = {waits[0].ready | waits[3].ready, waits[1].ready, waits[2].ready};
        for (int i = 0; i < 3; i++)
            CHECK_EQ(ready[i], i == round % 3 ? QUOIT_ITEMS : 0);
        test_thread_join(thread);
        CHECK_STATUS(pop(waits[round % 3].queue), QUOIT_OK);
    }
    for (int i = 0; i < 3; i++) {
        quoit_queue_close(producers[i]);
        remove_queue(waits[i].queue, names[i]);
    }
}

/* A peer that closes without finish makes the other side ready until a call has returned
   ABANDONED, also if another queue is ready all the time. */
static void abandoned(void)
{
    for (int busy = 0; TEST_LOOP(busy < 2, 0, "busy", busy); busy++) {
        const char *names[2];
        struct quoit_wait waits[2];
        quoit_queue *producer;
        for (int i = 0; i < 2; i++)
            waits[i] = (struct quoit_wait){
                create(QUOIT_SPSC, i == 0 ? BOTH : QUOIT_CONSUMER, &names[i]), QUOIT_ITEMS, 0};
        CHECK_STATUS(quoit_queue_open(names[1], QUOIT_PRODUCER, &producer), QUOIT_OK);
        if (busy)
            CHECK_STATUS(push(waits[0].queue, 1), QUOIT_OK);
        CHECK_STATUS(quoit_wait_any(waits, 2, 150000000), busy ? QUOIT_OK : QUOIT_TIMEOUT);
        quoit_queue_close(producer);
        do {
            CHECK_STATUS(quoit_wait_any(waits, 2, INT64_C(60000000000)), QUOIT_OK);
            CHECK_EQ(waits[0].ready, busy ? QUOIT_ITEMS : 0);
            test_sleep_ms(1);
        } while (waits[1].ready == 0);
        for (int i = 0; i < 3; i++) {
            CHECK_STATUS(quoit_wait_any(waits, 2, i == 0 ? QUOIT_NOW : QUOIT_FOREVER), QUOIT_OK);
            CHECK_EQ(waits[1].ready, QUOIT_ITEMS);
        }
        CHECK_STATUS(pop(waits[1].queue), QUOIT_ABANDONED);
        CHECK_STATUS(quoit_wait_any(&waits[1], 1, 250000000), QUOIT_TIMEOUT);
        CHECK_STATUS(pop(waits[1].queue), QUOIT_EMPTY);
        for (int i = 0; i < 2; i++)
            remove_queue(waits[i].queue, names[i]);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"wrong_arguments", wrong_arguments},
                                             {"times_run_out", times_run_out},
                                             {"levels", levels},
                                             {"finished_alone", finished_alone},
                                             {"all_are_reported", all_are_reported},
                                             {"hidden_items", hidden_items},
                                             {"woken", woken},
                                             {"abandoned", abandoned},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
