/* SPDX-License-Identifier: MIT */
/* An observer browses a queue while processes push and pop, and are killed. The items that it sees
   are whole, in order and counted. Crashed members are reported, and their claims and items are
   repaired. */
#include "test.h"

#include <string.h>

enum { WORDS = 3, CAPACITY = 16, ITEMS = 100000 };

/* A torn item is detected, since each word follows from the first. */
struct item {
    uint64_t words[WORDS];
};

static const struct quoit_queue_options kinds[] = {
    {.item_bytes = sizeof(struct item), .capacity = CAPACITY},
    {.item_bytes = sizeof(struct item), .capacity = CAPACITY}, /* spans */
    {.item_bytes = sizeof(struct item), .capacity = CAPACITY, .messages = 1},
    {.item_bytes = sizeof(struct item), .capacity = CAPACITY, .kind = QUOIT_MPMC},
    {.item_bytes = sizeof(struct item), .capacity = CAPACITY, .kind = QUOIT_BROADCAST},
    {.item_bytes = sizeof(struct item),
     .capacity = CAPACITY,
     .kind = QUOIT_BROADCAST,
     .when_full = QUOIT_DROP_OLDEST},
};
enum { KINDS = sizeof kinds / sizeof kinds[0], SPANS = 1 };

static struct item make_item(uint64_t number)
{
    struct item item;
    for (uint64_t i = 0; i < WORDS; i++)
        item.words[i] = number * (2 * i + 1);
    return item;
}

static void check_item(const struct item *item)
{
    const struct item whole = make_item(item->words[0]);
    CHECK_EQ(memcmp(item, &whole, sizeof whole), 0);
}

static quoit_queue *enter(const char *name, unsigned roles)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(name, roles, &queue), QUOIT_OK);
    return queue;
}

static uint64_t item_count(void)
{
    return test_effort(ITEMS, ITEMS);
}

/* ---- While other processes work -------------------------------------------------------------- */

static void produce(char **arguments)
{
    const struct quoit_queue_options *options = &kinds[arguments[1][0] - '0'];
    quoit_queue *queue = enter(arguments[0], QUOIT_PRODUCER);
    for (uint64_t i = 1, last = item_count(); i <= last; i++) {
        struct item item = make_item(i);
        CHECK_STATUS(options->messages ? quoit_queue_push(queue, &item, sizeof item, QUOIT_FOREVER)
                                       : quoit_queue_push(queue, &item, sizeof item, QUOIT_FOREVER),
                     QUOIT_OK);
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

static void consume(char **arguments)
{
    const struct quoit_queue_options *options = &kinds[arguments[1][0] - '0'];
    quoit_queue *queue = enter(arguments[0], QUOIT_CONSUMER);
    struct item item;
    size_t bytes;
    quoit_status status = QUOIT_OK;
    while (status == QUOIT_OK || status == QUOIT_ABANDONED)
        status = options->messages
                     ? quoit_queue_pop(queue, &item, sizeof item, &bytes, QUOIT_FOREVER)
                     : quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_FOREVER);
    CHECK_STATUS(status, QUOIT_FINISHED);
    quoit_queue_close(queue);
}

/* Sees some items, in order, until the end. Those that it saw and those that it missed are all that
   were pushed. */
static void watch(const char *name, const struct quoit_queue_options *options)
{
    quoit_queue *queue = enter(name, QUOIT_OBSERVER);
    struct quoit_browser browser = {.begun = true};
    uint64_t seen = 0, last = 0, bytes;
    struct item item;
    quoit_status status = QUOIT_OK;
    while (status != QUOIT_FINISHED) {
        status = quoit_queue_browse(queue, &browser, &item, sizeof item, &bytes);
        if (status != QUOIT_OK) {
            CHECK_STATUS_ANY(status, QUOIT_EMPTY, QUOIT_FINISHED);
            test_idle();
            continue;
        }
        CHECK_EQUAL(bytes, sizeof item);
        check_item(&item);
        CHECK_GT(item.words[0], last);
        last = item.words[0];
        seen++;
        if (!options->messages)
            CHECK_EQUAL(seen + browser.missed, last);
    }
    if (options->kind == QUOIT_BROADCAST)
        CHECK(last == item_count() || seen == 0);
    quoit_queue_close(queue);
}

static void beside_processes(void)
{
    for (int k = 0; k < KINDS; k++) {
        const char *name = test_name("");
        const char kind[] = {(char)('0' + k), 0};
        const char *const arguments[] = {name, kind, NULL};
        quoit_queue *queue;
        snprintf(test_context, sizeof test_context, "kind %d", k);
        test_keep_spans(k == SPANS);
        CHECK_STATUS(quoit_queue_create(name, &kinds[k], QUOIT_OBSERVER, &queue), QUOIT_OK);
        test_process consumer = test_spawn("consume", arguments);
        test_process producer = test_spawn("produce", arguments);
        watch(name, &kinds[k]);
        CHECK_EQUAL(test_wait(producer), 0);
        CHECK_EQUAL(test_wait(consumer), 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
    test_context[0] = '\0';
}

/* ---- Crashed members ------------------------------------------------------------------------- */

/* Joins with these roles, claims or peeks, reports it, and is killed. */
static void hold(char **arguments)
{
    quoit_region *region;
    _Atomic uint32_t *ready = test_shared(arguments[1], sizeof *ready, &region);
    unsigned role = arguments[2][0] == 'p' ? QUOIT_PRODUCER : QUOIT_CONSUMER;
    quoit_queue *queue = enter(arguments[0], role);
    void *room;
    const void *seen;
    size_t count;
    quoit_status status = role == QUOIT_PRODUCER
                              ? quoit_queue_claim_many(queue, 1, &room, &count, QUOIT_NOW)
                              : quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW);
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_EMPTY);
    (*ready)++;
    for (;;)
        test_sleep_ms(1000);
}

static void hold_and_die(const char *name, const char *role)
{
    const char *shared = test_name("");
    quoit_region *region;
    _Atomic uint32_t *ready = test_share(shared, sizeof *ready, &region);
    const char *const arguments[] = {name, shared, role, NULL};
    test_process holder = test_spawn("hold", arguments);
    while (*ready == 0)
        test_idle();
    test_kill(holder);
    CHECK_EQUAL(test_wait(holder), TEST_KILLED);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(shared, 0), test_after_close(shared));
}

static uint64_t count_crashed(const quoit_queue *queue)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t count, crashed = 0;
    CHECK_STATUS(quoit_queue_members(queue, members, QUOIT_MEMBERS_MAX, &count), QUOIT_OK);
    for (uint64_t i = 0; i < count; i++)
        crashed += !members[i].alive;
    return crashed;
}

static uint64_t repair(quoit_queue *queue)
{
    uint64_t count;
    CHECK_STATUS(quoit_queue_repair(queue, &count), QUOIT_OK);
    return count;
}

/* A claim is skipped, a peeked item comes back, member entries are cleared; then nothing is left to
   repair. */
static void tidy_after_many(void)
{
    const char *name = test_name("");
    quoit_queue *queue, *observer;
    struct quoit_queue_info info;
    struct item item = make_item(7);
    CHECK_STATUS(quoit_queue_create(name, &kinds[3], QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    observer = enter(name, QUOIT_OBSERVER);
    CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    hold_and_die(name, "consumer");
    CHECK_EQUAL(count_crashed(observer), 1);
    hold_and_die(name, "producer"); /* takes the entry of the crashed member */
    CHECK_EQUAL(count_crashed(observer), 1);
    uint64_t left = repair(observer); /* which only counts */
    CHECK_GE(left, 2);
    CHECK_EQUAL(count_crashed(observer), 1);
    CHECK_EQUAL(repair(observer), left);
    CHECK_EQUAL(repair(queue), left);
    CHECK_EQUAL(count_crashed(observer), 0);
    memset(&item, 0, sizeof item);
    CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(item.words[0], 7);
    check_item(&item);
    CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_EMPTY);
    CHECK_EQUAL(repair(queue), 0);
    CHECK_STATUS(quoit_queue_inspect(observer, &info), QUOIT_OK);
    CHECK_EQUAL(info.repairs, 2); /* the claim, and the item that was adopted */
    quoit_queue_close(observer);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void tidy_after_subscribers(void)
{
    const char *name = test_name("");
    quoit_queue *queue;
    struct item item = make_item(1);
    CHECK_STATUS(quoit_queue_create(name, &kinds[4], QUOIT_PRODUCER, &queue), QUOIT_OK);
    hold_and_die(name, "consumer");
    for (int i = 0; i < CAPACITY; i++)
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(count_crashed(queue), 1);
    CHECK_EQUAL(repair(queue), 2); /* its browser, and its member entry */
    CHECK_EQUAL(count_crashed(queue), 0);
    CHECK_EQUAL(repair(queue), 0);
    CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"beside processes", beside_processes},
                                             {"tidy after many", tidy_after_many},
                                             {"tidy after subscribers", tidy_after_subscribers},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {
        {"produce", produce}, {"consume", consume}, {"hold", hold}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
