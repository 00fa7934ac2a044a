/* SPDX-License-Identifier: MIT */
/*
 * Several producers and consumers, each a process, on one queue, with each way of pushing and
 * popping. Every item is popped once, each producer's items in order, and at the end every process
 * gets QUOIT_FINISHED.
 */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 3, ITEMS = 12000, BATCH = 7 };

struct item {
    uint32_t producer, index;
};

struct ledger {
    _Atomic uint32_t came[SIDE][ITEMS];
    _Atomic uint32_t consumers_done;
};

/* The items of each producer. */
static uint32_t item_count(void)
{
    return (uint32_t)test_effort(ITEMS, ITEMS);
}

static quoit_queue *enter(char **arguments, unsigned role)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(arguments[0], role, &queue), QUOIT_OK);
    return queue;
}

static void produce(char **arguments)
{
    quoit_queue *queue = enter(arguments, QUOIT_PRODUCER);
    uint32_t self = (uint32_t)strtoul(arguments[2], NULL, 10);
    for (uint32_t i = 0, most = item_count(); i < most;) {
        struct item items[BATCH];
        uint32_t count = most - i < BATCH ? most - i : BATCH;
        for (uint32_t j = 0; j < count; j++)
            items[j] = (struct item){.producer = self, .index = i + j};
        if (self == 0) /* in batches, and waits if there is no free slot */
            i += (uint32_t)test_push_many(queue, items, count);
        if (i < most && quoit_queue_push(queue, &(struct item){.producer = self, .index = i},
                                         sizeof(struct item), QUOIT_FOREVER) == QUOIT_OK)
            i++;
        if (i % 1000 == 0)
            test_sleep_ms(1); /* each process blocks in a wait now and then */
    }
    quoit_queue_close(queue);
}

static void note(struct ledger *ledger, const struct item *item, int64_t *last)
{
    CHECK_LT(item->producer, SIDE);
    CHECK_LT(item->index, ITEMS);
    CHECK_GT((int64_t)item->index, last[item->producer]);
    last[item->producer] = item->index;
    CHECK_EQUAL(atomic_fetch_add(&ledger->came[item->producer][item->index], 1), 0);
}

static void consume(char **arguments)
{
    quoit_queue *queue = enter(arguments, QUOIT_CONSUMER);
    quoit_region *region;
    struct ledger *ledger = test_shared(arguments[1], sizeof *ledger, &region);
    bool peeks = strcmp(arguments[2], "0") == 0;
    int64_t last[SIDE] = {-1, -1, -1};
    quoit_status status = QUOIT_OK;
    while (status == QUOIT_OK) {
        struct item items[BATCH];
        const void *seen;
        size_t count = 0;
        if (!peeks)
            count = test_pop_many(queue, items, BATCH);
        for (uint64_t i = 0; i < count; i++)
            note(ledger, &items[i], last);
        if (peeks && quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW) == QUOIT_OK) {
            note(ledger, seen, last);
            CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
        }
        if (count == 0 &&
            (status = quoit_queue_pop(queue, items, (size_t)quoit_queue_item_bytes(queue), NULL,
                                      QUOIT_FOREVER)) == QUOIT_OK)
            note(ledger, items, last);
        if (status == QUOIT_ABANDONED)
            status = QUOIT_OK;
    }
    CHECK_STATUS(status, QUOIT_FINISHED);
    ledger->consumers_done++;
    quoit_queue_close(queue);
    quoit_region_close(region);
}

static void crowd(const char *scheme, uint64_t capacity)
{
    const struct quoit_queue_options options = {
        .kind = QUOIT_MPMC, .item_bytes = sizeof(struct item), .capacity = capacity};
    const char *name = test_name(scheme), *ledger_name = test_name("");
    quoit_region *region;
    struct ledger *ledger = test_share(ledger_name, sizeof *ledger, &region);
    test_process producers[SIDE], consumers[SIDE];
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    for (int i = 0; i < SIDE; i++) {
        const char *const arguments[] = {name, ledger_name, (const char *[]){"0", "1", "2"}[i],
                                         NULL};
        consumers[i] = test_spawn("consume", arguments);
        producers[i] = test_spawn("produce", arguments);
    }
    for (int i = 0; i < SIDE; i++)
        CHECK_EQUAL(test_wait(producers[i]), 0);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    for (int i = 0; i < SIDE; i++)
        CHECK_EQUAL(test_wait(consumers[i]), 0);
    CHECK_EQUAL(ledger->consumers_done, SIDE);
    for (int i = 0; i < SIDE; i++)
        for (uint32_t j = 0, most = item_count(); j < most; j++)
            CHECK_EQUAL(ledger->came[i][j], 1);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(ledger_name, 0), test_after_close(ledger_name));
}

static void on_every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++)
        crowd(test_shared_schemes[i], 100);
}

static void through_one_slot(void)
{
    crowd("", 1);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"a crowd on every scheme", on_every_scheme},
                                             {"a crowd through one slot", through_one_slot},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {
        {"produce", produce}, {"consume", consume}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
