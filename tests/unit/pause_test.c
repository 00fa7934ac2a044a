/* SPDX-License-Identifier: MIT */
/* Tests which calls that find nothing then leave the ring alone for a moment. */
#include "test.h"

#include "queue_handle.h"

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, RUN = 16 };
static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 64};

static quoit_queue *make(const char *name, const struct quoit_queue_options *what)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, what, BOTH, &queue), QUOIT_OK);
    return queue;
}

static void discard(quoit_queue *queue, const char *name)
{
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* The number of items that pass through the queue. */
static void pass(quoit_queue *queue, int count)
{
    for (uint64_t item = 0; item < (uint64_t)count; item++) {
        CHECK_STATUS(quoit_queue_push(queue, &item, 8, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop(queue, &item, 8, NULL, QUOIT_NOW), QUOIT_OK);
    }
}

static bool pauses(quoit_queue *queue, unsigned role, bool waits)
{
    return quoit_queue_pause(queue, quoit_waiter_of(queue, role), waits);
}

static void after_a_run(void)
{
    const char *name = test_name("");
    quoit_queue *queue = make(name, &options);
    CHECK(!pauses(queue, QUOIT_CONSUMER, false));
    pass(queue, RUN);
    CHECK(pauses(queue, QUOIT_CONSUMER, false));
    CHECK(!pauses(queue, QUOIT_CONSUMER, false)); /* no item since */
    pass(queue, RUN - 1);
    CHECK(!pauses(queue, QUOIT_CONSUMER, false)); /* few, as in a round trip */
    pass(queue, RUN);
    CHECK(pauses(queue, QUOIT_CONSUMER, true));
    discard(queue, name);
}

/* A thread that polls several queues, or pushes and pops in turn, must not pause, unless it waits
   for this queue. */
static void in_turn(void)
{
    const char *names[] = {test_name(""), test_name("")};
    quoit_queue *queues[] = {make(names[0], &options), make(names[1], &options)};
    (void)pauses(queues[1], QUOIT_CONSUMER,
                 false); /* else the last queue may have had the address that queue 0 has now */
    for (int round = 0; TEST_LOOP(round < 4, 0, "round", round); round++)
        for (int i = 0; i < 2; i++) {
            pass(queues[i], RUN);
            CHECK(!pauses(queues[i], QUOIT_CONSUMER, false));
        }
    pass(queues[0], RUN);
    CHECK(pauses(queues[0], QUOIT_CONSUMER, true));
    pass(queues[0], RUN);
    CHECK(!pauses(queues[0], QUOIT_PRODUCER, false));
    CHECK(!pauses(queues[0], QUOIT_CONSUMER, false));
    for (int i = 0; i < 2; i++)
        discard(queues[i], names[i]);
}

/* For messages the bytes are counted: one short message is not a run. */
static void messages(void)
{
    const struct quoit_queue_options of_messages = {
        .item_bytes = 1000, .capacity = 64, .messages = 1};
    const char *name = test_name("");
    quoit_queue *queue = make(name, &of_messages);
    CHECK(!pauses(queue, QUOIT_CONSUMER, false));
    char buffer[1000] = {0};
    CHECK_STATUS(quoit_queue_push(queue, buffer, 100, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(queue, buffer, sizeof buffer, NULL, QUOIT_NOW), QUOIT_OK);
    CHECK(!pauses(queue, QUOIT_CONSUMER, false));
    for (int i = 0; i < RUN; i++) {
        CHECK_STATUS(quoit_queue_push(queue, buffer, 100, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop(queue, buffer, sizeof buffer, NULL, QUOIT_NOW), QUOIT_OK);
    }
    CHECK(pauses(queue, QUOIT_CONSUMER, false));
    discard(queue, name);
}

/* In a small ring the other side would finish long before the pause ends. */
static void capacities(void)
{
    struct quoit_pace pace = {0};
    quoit_pace_begin(&pace, 4);
    CHECK_LE(pace.pause_ns, 4);
    quoit_pace_begin(&pace, 1024);
    CHECK_LE(pace.pause_ns, 1000);
    quoit_pace_begin(&pace, UINT64_MAX);
    CHECK_LE(pace.pause_ns, 1000);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"after_a_run", after_a_run},
                                             {"in_turn", in_turn},
                                             {"messages", messages},
                                             {"capacities", capacities},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
