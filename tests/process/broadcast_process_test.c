/* SPDX-License-Identifier: MIT */
/*
 * A producer and subscribers, each a process. Lossless: while other subscribers and producers join,
 * leave and are killed, each subscriber sees each item once, in order, from the item at which it
 * joined. Lossy: a subscriber that is slow or stopped gets all items that were sent, except those
 * that it counts as missed.
 */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STEADY = 3, ITEMS = 30000, BATCH = 7, CAPACITY = 64 };

struct item {
    uint64_t number, inverse, twice; /* a torn item is detected */
};

struct ledger {
    _Atomic uint32_t ready, done;
    _Atomic uint64_t joined, producers, items;
};

/* The number of items that the long parts send. */
static uint64_t many_items(void)
{
    return test_effort(ITEMS, 10000000);
}

static struct item make_item(uint64_t number)
{
    return (struct item){.number = number, .inverse = ~number, .twice = 2 * number};
}

static void check_item(const struct item *item)
{
    CHECK_EQ(item->inverse, ~item->number);
    CHECK_EQ(item->twice, 2 * item->number);
}

static quoit_queue *enter(const char *name, unsigned roles)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(name, roles, &queue), QUOIT_OK);
    return queue;
}

static quoit_queue *create(const char *name, uint32_t when_full, uint64_t capacity)
{
    const struct quoit_queue_options options = {.kind = QUOIT_BROADCAST,
                                                .item_bytes = sizeof(struct item),
                                                .capacity = capacity,
                                                .when_full = when_full};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    return queue;
}

/* ---- Lossless -------------------------------------------------------------------------------- */

/* Pops all items, by one of several calls. Checks that they follow each other, starting with
   `first`. Returns their number. */
static uint64_t take_some(quoit_queue *queue, uint64_t way, uint64_t first,
                          quoit_status *status_out)
{
    struct item items[BATCH];
    const void *seen;
    size_t count = 0;
    *status_out = QUOIT_OK;
    if (way % 3 == 0)
        count = test_pop_many(queue, items, BATCH);
    if (way % 3 == 1 && quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW) == QUOIT_OK) {
        memcpy(items, seen, sizeof *items);
        CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
    }
    if (count == 0) {
        *status_out = quoit_queue_pop(queue, items, (size_t)quoit_queue_item_bytes(queue), NULL,
                                      QUOIT_FOREVER);
        count = *status_out == QUOIT_OK;
    }
    for (uint64_t i = 0; i < count; i++) {
        check_item(&items[i]);
        CHECK_EQUAL(items[i].number, first + i);
    }
    return count;
}

/* From the first item to the last. */
static void subscribe(char **arguments)
{
    quoit_queue *queue = enter(arguments[0], QUOIT_CONSUMER);
    quoit_region *region;
    struct ledger *ledger = test_shared(arguments[1], sizeof *ledger, &region);
    uint64_t next = 1, rounds = 0;
    quoit_status status = QUOIT_OK;
    ledger->ready++;
    while (status == QUOIT_OK || status == QUOIT_ABANDONED) {
        next += take_some(queue, rounds++, next, &status);
        if (arguments[2][0] == '1' && rounds % 2000 == 0)
            test_sleep_ms(1); /* the slow one */
    }
    CHECK_STATUS(status, QUOIT_FINISHED);
    CHECK_EQUAL(next, ledger->items + 1);
    ledger->done++;
    quoit_queue_close(queue);
    quoit_region_close(region);
}

/* Joins, pops some items that follow each other, leaves, and joins again. Killed at any time. */
static void come_and_go(char **arguments)
{
    quoit_region *region;
    struct ledger *ledger = test_shared(arguments[1], sizeof *ledger, &region);
    for (unsigned round = 0;; round++) {
        unsigned from = round % 2 ? QUOIT_FROM_OLDEST : 0;
        quoit_queue *queue = enter(arguments[0], QUOIT_CONSUMER | from);
        struct item item;
        uint64_t last = 0;
        ledger->joined++;
        for (unsigned i = 0; i < round % 40; i++) {
            if (quoit_queue_pop(queue, &item, sizeof item, NULL, 1000000) != QUOIT_OK)
                continue;
            check_item(&item);
            CHECK(last == 0 || item.number == last + 1);
            last = item.number;
        }
        quoit_queue_close(queue);
    }
}

/* Continues after the last item that its predecessor committed. Killed at any time. */
static void produce(char **arguments)
{
    quoit_queue *queue = enter(arguments[0], QUOIT_PRODUCER);
    quoit_region *region;
    struct ledger *ledger = test_shared(arguments[1], sizeof *ledger, &region);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    ledger->producers++;
    for (uint64_t sent = info.pushed; sent < ledger->items;) {
        struct item items[BATCH];
        uint64_t left = ledger->items - sent;
        size_t count = left < BATCH ? (size_t)left : BATCH;
        for (uint64_t i = 0; i < count; i++)
            items[i] = make_item(sent + 1 + i);
        sent += test_push_many(queue, items, count);
        if (sent == ledger->items)
            break;
        items[0] = make_item(sent + 1);
        CHECK_STATUS(
            quoit_queue_push(queue, items, (size_t)quoit_queue_item_bytes(queue), QUOIT_FOREVER),
            QUOIT_OK);
        sent++;
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    quoit_queue_close(queue);
    quoit_region_close(region);
}

static void replace(test_process *process, const char *role, const char *const *arguments)
{
    test_kill(*process);
    CHECK_EQUAL(test_wait(*process), TEST_KILLED);
    *process = test_spawn(role, arguments);
}

static void stop_for_a_moment(test_process process)
{
    test_pause(process);
    test_sleep_ms(2);
    test_resume(process);
}

/* Kills two guests and the producer in turn, at any point of their work, and stops a subscriber.
   Returns the number of kills. The last producer ends by itself. */
static uint64_t disturb(const quoit_queue *observer, const char *const *arguments,
                        const struct ledger *ledger, test_process stopped)
{
    const uint64_t kill_every = 2000 + ledger->items / 1000;
    struct quoit_queue_info info = {.pushed = 0};
    test_process guests[2], producer;
    uint64_t turns = 0, killed = 0;
    for (int i = 0; i < 2; i++)
        guests[i] = test_spawn("come_and_go", arguments);
    while (ledger->joined < 2)
        test_idle();
    producer = test_spawn("produce", arguments);
    while (info.pushed < ledger->items) {
        CHECK_STATUS(quoit_queue_inspect(observer, &info), QUOIT_OK);
        if (info.pushed / kill_every <= turns) {
            test_sleep_ms(1);
            continue;
        }
        uint64_t turn = turns++ % 4;
        killed += turn != 3;
        if (turn == 3)
            stop_for_a_moment(stopped);
        else if (turn < 2)
            replace(&guests[turn], "come_and_go", arguments);
        else if (ledger->items - info.pushed > kill_every)
            replace(&producer, "produce", arguments);
        else
            killed--;
    }
    CHECK_EQUAL(test_wait(producer), 0);
    for (int i = 0; i < 2; i++) {
        test_kill(guests[i]);
        CHECK_EQUAL(test_wait(guests[i]), TEST_KILLED);
    }
    return killed;
}

static void lossless(const char *scheme, uint64_t capacity, uint64_t items)
{
    const char *name = test_name(scheme), *ledger_name = test_name("");
    quoit_region *region;
    struct ledger *ledger = test_share(ledger_name, sizeof *ledger, &region);
    const char *const names[] = {name, ledger_name, NULL};
    quoit_queue *creator = create(name, QUOIT_WAIT_FOR_SLOWEST, capacity);
    quoit_queue *queue = enter(name, QUOIT_OBSERVER);
    test_process steady[STEADY];
    ledger->items = items;
    quoit_queue_close(creator);
    for (int i = 0; i < STEADY; i++) {
        const char *const arguments[] = {name, ledger_name, (const char *[]){"0", "1", "0"}[i],
                                         NULL};
        steady[i] = test_spawn("subscribe", arguments);
    }
    while (ledger->ready < STEADY)
        test_idle();
    uint64_t killed = disturb(queue, names, ledger, steady[0]);
    for (int i = 0; i < STEADY; i++)
        CHECK_EQUAL(test_wait(steady[i]), 0);
    CHECK_EQUAL(ledger->done, STEADY);
    printf("  %llu items, %llu came, %llu were killed, of %llu producers\n",
           (unsigned long long)items, (unsigned long long)ledger->joined,
           (unsigned long long)killed, (unsigned long long)ledger->producers);
    CHECK_GT(killed, 0);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    CHECK_EQUAL(quoit_queue_size(queue), 0);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(ledger_name, 0), test_after_close(ledger_name));
}

static void lossless_on_every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++)
        lossless(test_shared_schemes[i], CAPACITY, ITEMS);
}

static void lossless_through_one_slot(void)
{
    lossless("", 1, ITEMS);
}

static void lossless_for_long(void)
{
    lossless("", 1000, many_items());
}

/* ---- Lossy ----------------------------------------------------------------------------------- */

/* Pops exactly as many items as were sent since it joined. */
static void listen(char **arguments)
{
    quoit_queue *queue = enter(arguments[0], QUOIT_CONSUMER);
    quoit_region *region;
    struct ledger *ledger = test_shared(arguments[1], sizeof *ledger, &region);
    uint64_t got = 0, last = 0;
    struct item item;
    quoit_status status;
    ledger->ready++;
    while ((status = quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_FOREVER)) == QUOIT_OK ||
           status == QUOIT_ABANDONED) {
        if (status != QUOIT_OK)
            continue;
        check_item(&item);
        CHECK_GT(item.number, last);
        CHECK_EQUAL(item.number, ++got + quoit_queue_missed(queue));
        last = item.number;
        if (arguments[2][0] == '1' && got % 20 == 0)
            test_sleep_ms(1);
    }
    CHECK_STATUS(status, QUOIT_FINISHED);
    CHECK_EQUAL(got + quoit_queue_missed(queue), ledger->items);
    printf("  got %llu, missed %llu\n", (unsigned long long)got,
           (unsigned long long)quoit_queue_missed(queue));
    CHECK(arguments[2][0] == '0' || quoit_queue_missed(queue) > 0);
    ledger->done++;
    quoit_queue_close(queue);
    quoit_region_close(region);
}

/* One slow subscriber, one that is stopped, one that is killed, and one that pops as fast as it
   can. */
static void lossy(uint64_t capacity, uint64_t items)
{
    enum { QUICK, SLOW, STOPPED, KILLED, LISTENERS };
    const char *name = test_name(""), *ledger_name = test_name("");
    quoit_region *region;
    struct ledger *ledger = test_share(ledger_name, sizeof *ledger, &region);
    quoit_queue *queue = create(name, QUOIT_DROP_OLDEST, capacity);
    test_process listeners[LISTENERS];
    ledger->items = items;
    for (int i = 0; i < LISTENERS; i++) {
        const char *const arguments[] = {name, ledger_name, i == QUICK ? "0" : "1", NULL};
        listeners[i] = test_spawn("listen", arguments);
    }
    while (ledger->ready < LISTENERS)
        test_idle();
    for (uint64_t i = 1; i <= items; i++) {
        struct item item = make_item(i);
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
        if (i == items / 4)
            test_pause(listeners[STOPPED]);
        if (i == items / 3)
            test_kill(listeners[KILLED]);
        if (i % 500 == 0)
            test_sleep_ms(1); /* lets others run */
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    test_resume(listeners[STOPPED]);
    for (int i = 0; i < LISTENERS; i++)
        CHECK_EQUAL(test_wait(listeners[i]), i == KILLED ? TEST_KILLED : 0);
    CHECK_EQUAL(ledger->done, LISTENERS - 1);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(ledger_name, 0), test_after_close(ledger_name));
}

static void lossy_with_all_sorts(void)
{
    lossy(CAPACITY, ITEMS);
}

static void lossy_for_long(void)
{
    lossy(1000, many_items());
}

/* ---- A slow, a stopped and a killed subscriber ----------------------------------------------- */

static void wait_for_ever(char **arguments)
{
    quoit_queue *queue = enter(arguments[0], QUOIT_CONSUMER);
    quoit_region *region;
    struct ledger *ledger = test_shared(arguments[1], sizeof *ledger, &region);
    ledger->ready++;
    for (;;)
        test_sleep_ms(1000);
    quoit_queue_close(queue);
}

/* A stopped subscriber holds the producer back. After it is killed, the next push ignores it, and a
   producer that waits for a free slot is woken. */
static void holds_back(void)
{
    const char *name = test_name(""), *ledger_name = test_name("");
    quoit_region *region;
    struct ledger *ledger = test_share(ledger_name, sizeof *ledger, &region);
    quoit_queue *queue = create(name, QUOIT_WAIT_FOR_SLOWEST, 5);
    const char *const arguments[] = {name, ledger_name, NULL};
    struct item item = make_item(1);
    for (uint32_t round = 1; TEST_LOOP(round <= 3, 3, "round", round); round++) {
        test_process idler = test_spawn("wait_for_ever", arguments);
        while (ledger->ready < round)
            test_idle();
        for (int i = 0; i < 5; i++)
            CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_FULL);
        test_pause(idler);
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, 20000000), QUOIT_FULL);
        CHECK_EQUAL(quoit_queue_size(queue), 5);
        test_resume(idler);
        test_kill(idler);
        CHECK_EQUAL(test_wait(idler), TEST_KILLED);
        CHECK_EQUAL(quoit_queue_size(queue), 0);
        for (int i = 0; i < 12; i++)
            CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    }
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(ledger_name, 0), test_after_close(ledger_name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"lossless, while others come and go, on every scheme", lossless_on_every_scheme},
        {"lossless, through one slot", lossless_through_one_slot},
        {"lossless, for long", lossless_for_long},
        {"lossy, with a slow, a stopped and a killed subscriber", lossy_with_all_sorts},
        {"lossy, for long", lossy_for_long},
        {"a stopped subscriber holds back, a killed one does not", holds_back},
        {NULL, NULL}};
    static const struct test_role roles[] = {
        {"subscribe", subscribe}, {"come_and_go", come_and_go},     {"produce", produce},
        {"listen", listen},       {"wait_for_ever", wait_for_ever}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
