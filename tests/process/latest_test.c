/* SPDX-License-Identifier: MIT */
/* Reads the newest item of a broadcast while processes push as fast as they can, are stopped, and
   are killed. The item is whole and never older than a previous one, and there is always one. */
#include "test.h"

#include <string.h>

enum { WORDS = 20, ITEMS_PER_PRODUCER = 500 };

/* A torn item is detected, since each word follows from the first. */
struct item {
    uint64_t words[WORDS];
};

static struct item make_item(uint64_t number)
{
    struct item item;
    for (uint64_t i = 0; i < WORDS; i++)
        item.words[i] = number * (2 * i + 1);
    return item;
}

/* Continues after the newest item. Killed at any time. */
static void produce(char **arguments)
{
    quoit_queue *queue;
    struct item item = make_item(0);
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_PRODUCER, &queue), QUOIT_OK);
    quoit_status status = quoit_queue_latest(queue, &item, sizeof item, NULL);
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_EMPTY);
    for (uint64_t number = item.words[0] + 1;; number++) {
        item = make_item(number);
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    }
}

/* The newest item's number; 0: no item was pushed yet. */
static uint64_t look(const quoit_queue *queue, uint64_t last)
{
    struct item item;
    size_t bytes;
    quoit_status status;
    while ((status = quoit_queue_latest(queue, &item, sizeof item, &bytes)) == QUOIT_ERROR_BUSY)
        test_idle();
    if (last == 0 && status == QUOIT_EMPTY)
        return 0;
    CHECK_STATUS(status, QUOIT_OK);
    CHECK_EQ(bytes, sizeof item);
    const struct item whole = make_item(item.words[0]);
    CHECK_EQ(memcmp(&item, &whole, sizeof whole), 0);
    CHECK_GE(item.words[0], last);
    return item.words[0];
}

static void beside_producers(uint32_t when_full, uint64_t capacity)
{
    const struct quoit_queue_options options = {.kind = QUOIT_BROADCAST,
                                                .when_full = when_full,
                                                .item_bytes = sizeof(struct item),
                                                .capacity = capacity};
    const char *name = test_name("");
    quoit_queue *queue;
    uint64_t last = 0;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
    for (uint64_t round = 0, rounds = test_effort(8, 200);
         TEST_LOOP(round < rounds, 2, "producer", round); round++) {
        test_process producer = test_spawn("produce", (const char *const[]){name, NULL});
        for (uint64_t end = last + ITEMS_PER_PRODUCER; last < end; last = look(queue, last))
            if (last == 0)
                test_idle();
        if (round % 2) {
            test_pause(producer);
            last = look(queue, last);
        }
        test_kill(producer);
        CHECK_EQ(test_wait(producer), TEST_KILLED);
        struct item item;
        CHECK_STATUS(quoit_queue_latest(queue, &item, sizeof item, NULL), QUOIT_OK);
        last = look(queue, last);
        CHECK_EQ(item.words[0], last); /* no process writes it now */
        CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    }
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void killed_and_stopped(void)
{
    static const uint64_t capacities[] = {1, 2, 64};
    for (uint32_t when_full = 0; TEST_LOOP(when_full < 2, 0, "when_full", when_full); when_full++)
        for (int i = 0; TEST_LOOP(i < 3, 1, "capacity", capacities[i]); i++)
            beside_producers(when_full, capacities[i]);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"the newest item while producers are killed and stopped", killed_and_stopped},
        {NULL, NULL}};
    static const struct test_role roles[] = {{"produce", produce}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
