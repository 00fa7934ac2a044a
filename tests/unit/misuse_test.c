/* SPDX-License-Identifier: MIT */
/* Wrong calls on queues of every kind: they return a status, do not write outside the ring, and
   lose no item. Wrong timeouts: timeout_test.c; wrong options: queue_options_test.c; two threads on
   one side: process/two_threads_test.c; NULL: exports_linux_test.c. */
#include "test.h"

#include <string.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, ITEM = 24, SMALL = 8, CAPACITY = 4 };
struct item {
    uint8_t bytes[ITEM];
};
struct large {
    uint8_t bytes[300];
};
QUOIT_DEFINE_QUEUE(item, struct item);
QUOIT_DEFINE_QUEUE(large, struct large);
QUOIT_DEFINE_QUEUE(word, uint64_t);

static const struct quoit_queue_options kinds[] = {
    {.item_bytes = ITEM, .capacity = CAPACITY},
    {.item_bytes = ITEM, .capacity = CAPACITY}, /* spans */
    {.item_bytes = ITEM, .capacity = CAPACITY, .messages = 1},
    {.item_bytes = ITEM, .capacity = CAPACITY, .kind = QUOIT_MPMC},
    {.item_bytes = ITEM, .capacity = CAPACITY, .kind = QUOIT_MPMC, .messages = 1},
    {.item_bytes = ITEM, .capacity = CAPACITY, .kind = QUOIT_BROADCAST},
    {.item_bytes = ITEM,
     .capacity = CAPACITY,
     .kind = QUOIT_BROADCAST,
     .when_full = QUOIT_DROP_OLDEST}};
enum { KINDS = sizeof kinds / sizeof *kinds, SPANS = 1 };

static const char *name;

static quoit_queue *make(int kind)
{
    quoit_queue *queue;
    name = test_name("");
    test_keep_spans(kind == SPANS);
    CHECK_STATUS(quoit_queue_create(name, &kinds[kind], BOTH, &queue), QUOIT_OK);
    test_keep_spans(false);
    return queue;
}

static void destroy(quoit_queue *queue)
{
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void push(quoit_queue *queue, int value)
{
    struct item item;
    memset(&item, value, sizeof item);
    CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
}

static void pops(quoit_queue *queue, int value)
{
    struct item item = {{0}};
    size_t bytes = 0;
    CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, &bytes, QUOIT_NOW), QUOIT_OK);
    CHECK_EQ(bytes, sizeof item);
    for (int i = 0; i < ITEM; i++)
        CHECK_EQ(item.bytes[i], value);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* An item of 64 bytes, and a buffer of 8 bytes between bytes that must not change. */
static void too_little_room(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        quoit_queue *queue = make(kind);
        struct word_queue words;
        uint8_t memory[2 * ITEM];
        size_t bytes = 0, count = 1;
        memset(memory, 0xa5, sizeof memory);
        push(queue, 7);
        for (size_t room = 0; TEST_LOOP(room < ITEM, 1, "room", room); room++) {
            CHECK_STATUS(quoit_queue_pop(queue, memory + ITEM, room, &bytes, QUOIT_NOW),
                         QUOIT_ERROR_TOO_BIG);
            CHECK_EQ(bytes, ITEM);
        }
        CHECK_STATUS(quoit_queue_pop(queue, memory + ITEM, SMALL, NULL, QUOIT_FOREVER),
                     QUOIT_ERROR_TOO_BIG);
        CHECK_STATUS(quoit_queue_pop_many(queue, memory + ITEM, SMALL, 1, &count, QUOIT_NOW),
                     QUOIT_ERROR_INVALID);
        CHECK_EQ(count, 0);
        CHECK_STATUS(word_from(queue, &words), QUOIT_ERROR_DIFFERENT);
        CHECK_EQ(words.queue, NULL);
        for (size_t i = 0; i < sizeof memory; i++)
            CHECK_EQ(memory[i], 0xa5);
        pops(queue, 7); /* it stayed */
        destroy(queue);
    }
}

/* Larger and smaller items, and a handle of another type: the adjacent slots do not change. */
static void another_type(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        const quoit_status refused = kinds[kind].messages ? QUOIT_ERROR_TOO_BIG
                                                          : QUOIT_ERROR_INVALID;
        quoit_queue *queue = make(kind);
        struct large_queue larges = {queue};
        struct large large;
        void *room = &large;
        size_t count = 1;
        memset(&large, 0xff, sizeof large);
        push(queue, 1);
        CHECK_STATUS(large_from(queue, &larges), QUOIT_ERROR_DIFFERENT);
        CHECK_EQ(larges.queue, NULL);
        CHECK_STATUS(large_open(name, QUOIT_OBSERVER, &larges), QUOIT_ERROR_DIFFERENT);
        CHECK_EQ(larges.queue, NULL);
        CHECK_STATUS(quoit_queue_push(queue, &large, sizeof large, QUOIT_NOW), refused);
        CHECK_STATUS(quoit_queue_push(queue, &large, SIZE_MAX, QUOIT_FOREVER), refused);
        CHECK_STATUS(quoit_queue_claim(queue, sizeof large, &room, QUOIT_NOW), refused);
        CHECK_EQ(room, NULL);
        CHECK_STATUS(quoit_queue_push_many(queue, &large, sizeof large, 1, &count, QUOIT_NOW),
                     QUOIT_ERROR_INVALID);
        CHECK_EQ(count, 0);
        if (!kinds[kind].messages)
            CHECK_STATUS(quoit_queue_push(queue, &large, SMALL, QUOIT_NOW), QUOIT_ERROR_INVALID);
        push(queue, 2);
        pops(queue, 1);
        pops(queue, 2);
        destroy(queue);
    }
}

/* A queue reports the options of its creation, not the layout that the ring chose. */
static void is_what_it_is(void)
{
    const struct quoit_queue_options options = {.item_bytes = 300, .capacity = 7};
    struct quoit_queue_info info;
    quoit_queue *queue, *same;
    name = test_name("");
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_EQ(info.item_bytes, 300);
    CHECK_EQ(info.capacity, 7);
    CHECK_EQ(info.kind, QUOIT_SPSC);
    CHECK_EQ(info.messages, 0);
    CHECK_EQ(info.item_align, 4);
    CHECK_EQ(info.finishes, 1);
    CHECK_STR(info.type, "");
    CHECK_EQ(quoit_queue_item_bytes(queue), 300);
    CHECK_EQ(quoit_queue_capacity(queue), 7);
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_OBSERVER, &same), QUOIT_OK);
    quoit_queue_close(same);
    destroy(queue);
}

/* ---- In place -------------------------------------------------------------------------------- */

static void without_a_peek_or_claim(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        quoit_queue *queue = make(kind);
        const void *data;
        CHECK_STATUS(quoit_queue_release(queue), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_commit(queue, ITEM), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_commit_many(queue, 1), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_commit_many(queue, SIZE_MAX), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_discard(queue), QUOIT_OK);
        push(queue, 1);
        push(queue, 2);
        CHECK_STATUS(quoit_queue_release(queue), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_release_many(queue, 1), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_release_many(queue, SIZE_MAX), QUOIT_ERROR_INVALID);
        CHECK_EQ(quoit_queue_size(queue), 2);
        CHECK_STATUS(quoit_queue_peek(queue, &data, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_release_many(queue, 2), QUOIT_ERROR_INVALID);
        pops(queue, 1); /* removes the peeked item, and ends the peek */
        CHECK_STATUS(quoit_queue_release(queue), QUOIT_ERROR_INVALID);
        pops(queue, 2);
        destroy(queue);
    }
}

/* commit is for a claim of one item. For a claim of several it would publish one and drop the
   others. */
static void commit_of_several(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        size_t count;
        void *room;
        if (kinds[kind].messages)
            continue;
        quoit_queue *queue = make(kind);
        CHECK_STATUS(quoit_queue_claim_many(queue, 3, &room, &count, QUOIT_NOW), QUOIT_OK);
        memset(room, 5, count * ITEM);
        if (count > 1) {
            CHECK_STATUS(quoit_queue_commit(queue, ITEM), QUOIT_ERROR_INVALID);
            CHECK_STATUS(quoit_queue_commit_many(queue, count), QUOIT_OK);
        } else {
            CHECK_STATUS(quoit_queue_commit(queue, ITEM), QUOIT_OK);
        }
        CHECK_EQ(quoit_queue_size(queue), count);
        for (size_t i = 0; i < count; i++)
            pops(queue, 5);
        destroy(queue);
    }
}

/* ---- Flags ----------------------------------------------------------------------------------- */

static void flags_of_others(void)
{
    static const uint32_t of_no_queue[] = {0,
                                           QUOIT_ANY_OWNER,
                                           QUOIT_FROM_OLDEST,
                                           QUOIT_CONSUMER | QUOIT_ITEMS,
                                           QUOIT_PRODUCER | QUOIT_ROOM,
                                           QUOIT_PRODUCER | QUOIT_FROM_OLDEST,
                                           QUOIT_OBSERVER | QUOIT_FROM_OLDEST,
                                           QUOIT_OBSERVER | QUOIT_FOR_REPAIR,
                                           QUOIT_CONSUMER | 0x8,
                                           QUOIT_CONSUMER | 0x80000000u};
    static const uint32_t of_no_other[] = {QUOIT_PRODUCER,   QUOIT_CONSUMER, QUOIT_FROM_OLDEST,
                                           QUOIT_FOR_REPAIR, QUOIT_ITEMS,    0x80000000u};
    quoit_queue *queue = make(0), *other = queue;
    quoit_pool *pool;
    quoit_region *region;
    quoit_sem *sem;
    for (size_t i = 0;
         TEST_LOOP(i < sizeof of_no_queue / sizeof *of_no_queue, 0, "flags", of_no_queue[i]); i++) {
        CHECK_STATUS(quoit_queue_open(name, of_no_queue[i], &other), QUOIT_ERROR_INVALID);
        CHECK_EQ(other, NULL);
        CHECK_STATUS(quoit_queue_join(name, &kinds[0], of_no_queue[i], &other),
                     QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_create(name, &kinds[0], of_no_queue[i], &other),
                     QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_again(queue, of_no_queue[i], &other), QUOIT_ERROR_INVALID);
    }
    for (size_t i = 0;
         TEST_LOOP(i < sizeof of_no_other / sizeof *of_no_other, 0, "flags", of_no_other[i]); i++) {
        CHECK_STATUS(quoit_pool_open(name, of_no_other[i], &pool), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_region_open(name, of_no_other[i], &region), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_sem_open(name, of_no_other[i], &sem), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_unlink(name, of_no_other[i]), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_unlink_abandoned(name, of_no_other[i]), QUOIT_ERROR_INVALID);
    }
    CHECK_STATUS(quoit_sem_open(name, QUOIT_OBSERVER, &sem), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_unlink(name, QUOIT_OBSERVER), QUOIT_ERROR_INVALID);
    destroy(queue);
}

/* Events are not flags, and flags are not events. */
static void flags_as_events(void)
{
    static const uint32_t wrong[] = {0, QUOIT_CONSUMER, QUOIT_PRODUCER, QUOIT_ITEMS | QUOIT_ROOM,
                                     0xffffffffu};
    quoit_queue *queue = make(0);
    for (size_t i = 0; TEST_LOOP(i < sizeof wrong / sizeof *wrong, 0, "events", wrong[i]); i++) {
        int fd = 0;
        CHECK_STATUS(quoit_queue_poll_fd(queue, wrong[i], &fd), QUOIT_ERROR_INVALID);
        CHECK_EQ(fd, -1);
    }
    destroy(queue);
}

static void options_of_other_kinds(void)
{
    struct quoit_queue_options options = kinds[0];
    quoit_queue *queue;
    const char *none = test_name("");
    for (uint32_t kind = QUOIT_SPSC; TEST_LOOP(kind <= QUOIT_MPMC, 0, "kind", kind); kind++) {
        options.kind = kind;
        options.when_full = QUOIT_DROP_OLDEST;
        CHECK_STATUS(quoit_queue_create(none, &options, BOTH, &queue), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_join(none, &options, BOTH, &queue), QUOIT_ERROR_INVALID);
    }
    options.kind = QUOIT_BROADCAST;
    options.when_full = 2;
    CHECK_STATUS(quoit_queue_create(none, &options, BOTH, &queue), QUOIT_ERROR_INVALID);
    options.kind = 3;
    options.when_full = 0;
    CHECK_STATUS_ANY(quoit_queue_create(none, &options, BOTH, &queue), QUOIT_ERROR_INVALID,
                     QUOIT_ERROR_UNSUPPORTED);
    CHECK_EQ(queue, NULL);
}

/* ---- Typed handles --------------------------------------------------------------------------- */

static void refuses_all(struct item_queue items)
{
    struct item item = {{0}}, *room = &item;
    const struct item *seen = &item;
    size_t count = 1;
    CHECK_STATUS(item_push(items, &item, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(item_push(items, &item, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_STATUS(item_pop(items, &item, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(item_pop(items, &item, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_STATUS(item_push_many(items, &item, 1, &count, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_EQ(count, 0);
    count = 1;
    CHECK_STATUS(item_pop_many(items, &item, 1, &count, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_EQ(count, 0);
    CHECK_STATUS(item_push_many(items, &item, 0, NULL, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(item_pop_many(items, &item, 0, NULL, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(item_claim(items, &room, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_EQ(room, NULL);
    CHECK_STATUS(item_commit(items), QUOIT_ERROR_INVALID);
    CHECK_STATUS(item_peek(items, &seen, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_EQ(seen, NULL);
    CHECK_STATUS(item_release(items), QUOIT_ERROR_INVALID);
    quoit_queue_close(items.queue);
}

/* Empty handles: zeroed, or after a call that failed. Larger items use another path. */
static void empty_handles(void)
{
    struct item_queue items = {NULL};
    struct large_queue larges = {NULL};
    struct large large = {{0}};
    const char *none = test_name("");
    refuses_all(items);
    CHECK_STATUS(item_open(none, QUOIT_CONSUMER, &items), QUOIT_ERROR_NOT_FOUND);
    refuses_all(items);
    CHECK_STATUS(item_join(NULL, CAPACITY, BOTH, &items), QUOIT_ERROR_INVALID);
    refuses_all(items);
    CHECK_STATUS(item_join(none, 0, BOTH, &items), QUOIT_ERROR_INVALID);
    refuses_all(items);
    CHECK_STATUS(item_from(NULL, &items), QUOIT_ERROR_INVALID);
    refuses_all(items);
    CHECK_STATUS(large_push(larges, &large, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_STATUS(large_pop(larges, &large, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
    CHECK_STATUS(large_push_many(larges, &large, 1, NULL, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(large_pop_many(larges, &large, 1, NULL, QUOIT_NOW), QUOIT_ERROR_INVALID);
}

static void nothing_to_typed_calls(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        if (kinds[kind].messages)
            continue;
        quoit_queue *queue = make(kind);
        struct item_queue items;
        CHECK_STATUS(item_from(queue, NULL), QUOIT_ERROR_INVALID);
        CHECK_STATUS(item_open(name, QUOIT_OBSERVER, NULL), QUOIT_ERROR_INVALID);
        CHECK_STATUS(item_join(name, CAPACITY, QUOIT_OBSERVER, NULL), QUOIT_ERROR_INVALID);
        CHECK_STATUS(item_from(queue, &items), QUOIT_OK);
        CHECK_STATUS(item_push(items, NULL, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
        CHECK_STATUS(item_push_many(items, NULL, 2, NULL, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
        CHECK_STATUS(item_claim(items, NULL, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
        push(queue, 3);
        CHECK_STATUS(item_pop(items, NULL, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
        CHECK_STATUS(item_pop_many(items, NULL, 2, NULL, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
        CHECK_STATUS(item_peek(items, NULL, QUOIT_FOREVER), QUOIT_ERROR_INVALID);
        pops(queue, 3);
        destroy(queue);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"too_little_room", too_little_room},
                                             {"another_type", another_type},
                                             {"is_what_it_is", is_what_it_is},
                                             {"without_a_peek_or_claim", without_a_peek_or_claim},
                                             {"commit_of_several", commit_of_several},
                                             {"flags_of_others", flags_of_others},
                                             {"flags_as_events", flags_as_events},
                                             {"options_of_other_kinds", options_of_other_kinds},
                                             {"empty_handles", empty_handles},
                                             {"nothing_to_typed_calls", nothing_to_typed_calls},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
