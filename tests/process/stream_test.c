/* SPDX-License-Identifier: MIT */
/* A million items between two processes, on each scheme, with either one starting first: every item
   arrives once, in order, and whole. */
#include "test.h"

#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    uint64_t number;
    uint64_t checksum;
};
QUOIT_DEFINE_QUEUE(item, struct item);

enum { ITEMS = 1000000, BATCH = 32 };

static uint64_t mix(uint64_t value)
{
    value *= UINT64_C(0x9e3779b97f4a7c15);
    return value ^ value >> 29;
}

static const struct quoit_queue_options options = {.item_bytes = sizeof(struct item),
                                                   .capacity = 1000};

static struct quoit_queue_options options_for(const char *how)
{
    struct quoit_queue_options chosen = options;
    chosen.kind = strstr(how, "many") ? QUOIT_MPMC : QUOIT_SPSC;
    test_keep_spans(strstr(how, "spans") != NULL);
    return chosen;
}

/* arguments: name, and how: one, batch or wait, of spans, for MPMC, or neither */
static void produce(char **arguments)
{
    quoit_queue *queue;
    bool batches = strstr(arguments[1], "batch") != NULL, waits = strstr(arguments[1], "wait");
    struct quoit_queue_options chosen = options_for(arguments[1]);
    CHECK_STATUS(quoit_queue_join(arguments[0], &chosen, QUOIT_PRODUCER, &queue), QUOIT_OK);
    for (uint64_t n = 0; n < ITEMS;) {
        struct item items[BATCH];
        size_t count = batches ? BATCH : 1, pushed;
        for (uint64_t k = 0; k < count; k++)
            items[k] = (struct item){n + k, mix(n + k)};
        if (batches)
            pushed = test_push_many(queue, items, ITEMS - n < count ? (size_t)(ITEMS - n) : count);
        else if (waits)
            pushed = item_push((struct item_queue){queue}, items, QUOIT_FOREVER) == QUOIT_OK;
        else
            pushed = item_push((struct item_queue){queue}, items, QUOIT_NOW) == QUOIT_OK;
        n += pushed;
        if (pushed == 0)
            test_idle();
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

static void check_items(const struct item *items, uint64_t count, uint64_t next)
{
    for (uint64_t k = 0; k < count; k++)
        if (items[k].number != next + k || items[k].checksum != mix(next + k))
            test_fail(__FILE__, __LINE__, "item %llu came as %llu with checksum %llx",
                      (unsigned long long)(next + k), (unsigned long long)items[k].number,
                      (unsigned long long)items[k].checksum);
}

static void consume(char **arguments)
{
    quoit_queue *queue;
    bool batches = strstr(arguments[1], "batch") != NULL, waits = strstr(arguments[1], "wait");
    struct quoit_queue_options chosen = options_for(arguments[1]);
    uint64_t next = 0;
    CHECK_STATUS(quoit_queue_join(arguments[0], &chosen, QUOIT_CONSUMER, &queue), QUOIT_OK);
    for (;;) {
        struct item items[BATCH];
        uint64_t popped;
        if (batches)
            popped = test_pop_many(queue, items, BATCH);
        else if (waits)
            popped = item_pop((struct item_queue){queue}, items, INT64_C(1000000000)) == QUOIT_OK;
        else
            popped = item_pop((struct item_queue){queue}, items, QUOIT_NOW) == QUOIT_OK;
        check_items(items, popped, next);
        next += popped;
        if (popped > 0)
            continue;
        if (test_is_finished(queue) && (quoit_queue_size(queue) == 0))
            break;
        test_idle();
    }
    CHECK_EQUAL(next, ITEMS);
    CHECK_STATUS(item_pop((struct item_queue){queue}, &(struct item){0, 0}, QUOIT_NOW),
                 QUOIT_FINISHED);
    quoit_queue_close(queue);
}

static void stream(const char *scheme, const char *first, const char *second, const char *how)
{
    const char *name = test_name(scheme);
    const char *const arguments[] = {name, how, NULL};
    quoit_queue *queue;
    uint64_t start = quoit_os_monotonic_ns();
    test_process a = test_spawn(first, arguments);
    /* The first process creates the queue before the second one starts. This observer keeps the
       queue after either leaves. */
    quoit_status status;
    while ((status = quoit_queue_open(name, QUOIT_OBSERVER, &queue)) == QUOIT_ERROR_NOT_FOUND)
        test_sleep_ms(1);
    CHECK_STATUS(status, QUOIT_OK);
    test_process b = test_spawn(second, arguments);
    CHECK_EQUAL(test_wait(a), 0);
    CHECK_EQUAL(test_wait(b), 0);
    quoit_queue_close(queue);
    printf("  %s, %s first, by %s: %d items in %.3f s, processes started included\n", scheme, first,
           how, (int)ITEMS, (double)(quoit_os_monotonic_ns() - start) * 1e-9);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void a_million_items(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        stream(test_shared_schemes[i], "produce", "consume", "one");
        stream(test_shared_schemes[i], "consume", "produce", "batch");
        stream(test_shared_schemes[i], "produce", "consume", "one of spans");
        stream(test_shared_schemes[i], "consume", "produce", "batch of spans");
        stream(test_shared_schemes[i], "produce", "consume", "wait");
        stream(test_shared_schemes[i], "consume", "produce", "wait of spans");
        stream(test_shared_schemes[i], "produce", "consume", "one for many");
        stream(test_shared_schemes[i], "consume", "produce", "batch for many");
        stream(test_shared_schemes[i], "produce", "consume", "wait for many");
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"a_million_items", a_million_items}, {NULL, NULL}};
    static const struct test_role roles[] = {
        {"produce", produce}, {"consume", consume}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
