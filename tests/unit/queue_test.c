/* SPDX-License-Identifier: MIT */
/* Queues through the public API, in one process: roles, mismatches, typed and untyped calls,
   finish, observers. */
#include "test.h"

#include <string.h>

struct item {
    uint64_t number;
    uint64_t inverse;
};
QUOIT_DEFINE_QUEUE(item, struct item);
QUOIT_DEFINE_QUEUE(word, uint64_t);

static const struct quoit_queue_options five = {.item_bytes = sizeof(struct item), .capacity = 5};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, WATCHING = QUOIT_CONSUMER | QUOIT_OBSERVER };

static struct item make(uint64_t number)
{
    return (struct item){.number = number, .inverse = ~number};
}

static void check_item(const struct item *item, uint64_t number)
{
    CHECK_EQUAL(item->number, number);
    CHECK_EQUAL(item->inverse, ~number);
}

static quoit_queue *create(const char *name, const struct quoit_queue_options *options)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, options, BOTH, &queue), QUOIT_OK);
    return queue;
}

static void destroy(quoit_queue *queue, const char *name)
{
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* Keeps the queue if it would end with its last handle. */
static quoit_queue *observe(const char *name)
{
    quoit_queue *observer;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
    return observer;
}

/* Uses the whole API: exactly the requested capacity. */
static void exact_capacity(void)
{
    static const uint64_t capacities[] = {1, 2, 3, 5, 8, 1000};
    for (int i = 0; TEST_LOOP(i < 6, 0, "capacity", capacities[i]); i++) {
        const char *name = test_name("");
        struct quoit_queue_options options = five;
        options.capacity = capacities[i];
        quoit_queue *queue = create(name, &options);
        struct item item = {0};
        CHECK_EQUAL(quoit_queue_capacity(queue), capacities[i]);
        for (int round = 0; TEST_LOOP(round < 3, 3, "round", round); round++) {
            CHECK_EQ(quoit_queue_size(queue), 0);
            for (uint64_t n = 0; n < capacities[i]; n++) {
                CHECK_NE(quoit_queue_size(queue), quoit_queue_capacity(queue));
                item = make(n);
                CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
                CHECK_EQUAL(quoit_queue_size(queue), n + 1);
            }
            CHECK_EQ(quoit_queue_size(queue), quoit_queue_capacity(queue));
            CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_FULL);
            for (uint64_t n = 0; n < capacities[i]; n++) {
                CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
                check_item(&item, n);
            }
            CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_EMPTY);
        }
        destroy(queue, name);
    }
}

/* Items of every size from 1 to 70 bytes keep their bytes, whatever their alignment. */
static void item_sizes(void)
{
    for (uint32_t bytes = 1; TEST_LOOP(bytes <= 70, 0, "bytes", bytes); bytes++) {
        const char *name = test_name("local");
        const struct quoit_queue_options options = {.item_bytes = bytes, .capacity = 3};
        quoit_queue *queue = create(name, &options);
        uint8_t in[70], out[71] = {0};
        for (int n = 0; n < 20; n++) {
            memset(in, n + 1, sizeof in);
            memset(out, 0, sizeof out);
            CHECK_STATUS(
                quoit_queue_push(queue, in, (size_t)quoit_queue_item_bytes(queue), QUOIT_NOW),
                QUOIT_OK);
            CHECK_STATUS(
                quoit_queue_pop(queue, out, (size_t)quoit_queue_item_bytes(queue), NULL, QUOIT_NOW),
                QUOIT_OK);
            CHECK(memcmp(in, out, bytes) == 0 && out[bytes] == 0);
        }
        destroy(queue, name);
    }
}

static void typed(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &five);
    struct item item = {0}, items[8];
    for (uint64_t n = 0; n < 5; n++) {
        item = make(n);
        CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
    }
    CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_FULL);
    CHECK_EQUAL(test_push_many(queue, items, 1), 0);
    CHECK_EQUAL(test_pop_many(queue, items, 3), 3);
    check_item(&items[2], 2);
    CHECK_STATUS(item_pop((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
    check_item(&item, 3);
    for (uint64_t n = 0; n < 8; n++)
        items[n] = make(10 + n);
    CHECK_EQUAL(test_push_many(queue, items, 8), 4);
    CHECK_EQUAL(test_pop_many(queue, items, 8), 5);
    check_item(&items[0], 4);
    check_item(&items[4], 13);
    CHECK_EQUAL(test_pop_many(queue, items, 8), 0);
    CHECK_EQUAL(test_pop_many(queue, items, 0), 0);
    CHECK_EQUAL(test_push_many(queue, items, 0), 0);
    CHECK_STATUS(item_pop((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_EMPTY);
    destroy(queue, name);
}

/* A type of another size never reaches the slots. */
static void wrong_type(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &five);
    struct word_queue words;
    uint64_t word = 1;
    size_t count;
    CHECK_STATUS(word_from(queue, &words), QUOIT_ERROR_DIFFERENT);
    CHECK(!words.queue);
    CHECK_STATUS(word_open(name, QUOIT_OBSERVER, &words), QUOIT_ERROR_DIFFERENT);
    CHECK(!words.queue);
    CHECK_STATUS(quoit_queue_push(queue, &word, sizeof word, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_pop(queue, &word, sizeof word, &count, QUOIT_NOW),
                 QUOIT_ERROR_TOO_BIG);
    CHECK_EQUAL(count, sizeof(struct item));
    CHECK_STATUS(quoit_queue_push_many(queue, &word, sizeof word, 1, &count, QUOIT_NOW),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_pop_many(queue, &word, sizeof word, 1, &count, QUOIT_NOW),
                 QUOIT_ERROR_INVALID);
    CHECK_EQUAL(quoit_queue_size(queue), 0);
    destroy(queue, name);
}

static void peek_and_release(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &five);
    const void *items = &items;
    size_t count = 9;
    struct item item = {0};
    CHECK_STATUS(quoit_queue_peek_many(queue, &items, &count, QUOIT_NOW), QUOIT_EMPTY);
    CHECK(items == NULL && count == 0);
    for (uint64_t round = 0; TEST_LOOP(round < 20, 3, "round", round); round++) {
        for (uint64_t n = 0; n < 3; n++) {
            item = make(3 * round + n);
            CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
        }
        for (uint64_t n = 0; n < 3; n += count) {
            CHECK_STATUS(quoit_queue_peek_many(queue, &items, &count, QUOIT_NOW), QUOIT_OK);
            CHECK(count >= 1 && n + count <= 3);
            for (uint64_t k = 0; k < count; k++)
                check_item((const struct item *)items + k, 3 * round + n + k);
            CHECK_EQUAL(quoit_queue_size(queue), 3 - n);
            CHECK_STATUS(quoit_queue_release_many(queue, 0), QUOIT_OK);
            CHECK_STATUS(quoit_queue_release_many(queue, 6), QUOIT_ERROR_INVALID);
            CHECK_STATUS(quoit_queue_release_many(queue, count), QUOIT_OK);
        }
        CHECK_EQ(quoit_queue_size(queue), 0);
    }
    destroy(queue, name);
}

/* An item that was peeked at and not released is still queued, for this consumer and for the
   next. */
static void peek_and_leave(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &five);
    const void *items;
    size_t count;
    struct item item = make(1);
    CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_peek_many(queue, &items, &count, QUOIT_NOW), QUOIT_OK);
    quoit_queue *observer = observe(name);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(item_pop((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
    check_item(&item, 1);
    quoit_queue_close(observer);
    destroy(queue, name);
}

static void roles(const char *name)
{
    quoit_queue *producer, *consumer, *other, *observer;
    struct item item = make(1);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_create(name, &five, QUOIT_PRODUCER, &producer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &other), QUOIT_ERROR_ROLE_TAKEN);
    CHECK(other == NULL && strstr(test_sentence(), "producer"));
    CHECK_STATUS(quoit_queue_open(name, BOTH, &other), QUOIT_ERROR_ROLE_TAKEN);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_inspect(observer, &info), QUOIT_OK);
    CHECK_EQUAL(info.producer_pid, test_own_pid());
    CHECK_EQUAL(info.consumer_pid, 0);

    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &consumer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER | QUOIT_OBSERVER, &other),
                 QUOIT_ERROR_ROLE_TAKEN);
    CHECK_STATUS(item_pop((struct item_queue){producer}, &item, QUOIT_NOW), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(item_push((struct item_queue){consumer}, &item, QUOIT_NOW),
                 QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(item_push((struct item_queue){observer}, &item, QUOIT_NOW),
                 QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(item_pop((struct item_queue){observer}, &item, QUOIT_NOW), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_queue_release(producer), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_queue_finish(consumer), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_queue_finish(observer), QUOIT_ERROR_WRONG_ROLE);

    CHECK_STATUS(item_push((struct item_queue){producer}, &item, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(quoit_queue_size(observer), 1);
    CHECK_EQUAL(quoit_queue_size(consumer), 1);
    CHECK_STATUS(quoit_queue_check(observer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_unlink(observer), QUOIT_ERROR_PERMISSION);
    quoit_queue_close(producer);
    CHECK_STATUS(quoit_queue_inspect(observer, &info), QUOIT_OK);
    CHECK_EQUAL(info.producer_pid, 0);
    CHECK_EQUAL(info.consumer_pid, test_own_pid());
    CHECK_EQUAL(info.pushed, 1);
    CHECK_EQUAL(info.item_bytes, sizeof item);

    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &producer), QUOIT_OK);
    item = make(2);
    CHECK_STATUS(item_push((struct item_queue){producer}, &item, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(item_pop((struct item_queue){consumer}, &item, QUOIT_NOW), QUOIT_OK);
    check_item(&item, 1);
    CHECK_STATUS(item_pop((struct item_queue){consumer}, &item, QUOIT_NOW), QUOIT_OK);
    check_item(&item, 2);
    quoit_queue_close(producer);
    quoit_queue_close(consumer);
    quoit_queue_close(observer);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void roles_on_every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++)
        roles(test_name(test_schemes[i]));
}

static void finish(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &five);
    struct item item = make(1), items[2];
    CHECK(!test_is_finished(queue));
    CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    CHECK(test_is_finished(queue));
    CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_FINISHED);
    CHECK_EQUAL(test_push_many(queue, &item, 1), 0);
    quoit_queue *observer = observe(name);
    quoit_queue_close(queue);

    /* It stays so for later handles. */
    CHECK_STATUS(quoit_queue_join(name, &five, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_FINISHED);
    CHECK_EQUAL(test_pop_many(queue, items, 2), 1);
    CHECK_STATUS(item_pop((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_FINISHED);
    CHECK_EQUAL(test_pop_many(queue, items, 2), 0);
    quoit_queue_close(observer);
    destroy(queue, name);
}

/* A queue without a handle exists with its items, is finished, or is gone, depending on its
   scheme. */
static void without_a_handle(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_queue *queue = create(name, &five);
        struct item item = make(1);
        CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), test_after_close(name));
        if (!queue) {
            queue = create(name, &five);
            CHECK_STATUS(item_push((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
            CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
        }
        CHECK_STATUS(item_pop((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_OK);
        check_item(&item, 1);
        CHECK_STATUS(item_pop((struct item_queue){queue}, &item, QUOIT_NOW), QUOIT_FINISHED);
        destroy(queue, name);
    }
}

static void mismatch(void)
{
    const char *name = test_name("");
    struct quoit_queue_options other = five;
    quoit_queue *queue = create(name, &five), *same;
    quoit_queue *observer = observe(name);
    quoit_queue_close(queue);
    other.capacity = 9;
    CHECK_STATUS(quoit_queue_join(name, &other, QUOIT_PRODUCER, &same), QUOIT_ERROR_DIFFERENT);
    CHECK(strstr(test_sentence(), "capacity is 5, but 9 was requested"));
    other = five;
    other.item_bytes = 24;
    CHECK_STATUS(quoit_queue_join(name, &other, QUOIT_PRODUCER, &same), QUOIT_ERROR_DIFFERENT);
    CHECK(strstr(test_sentence(), "item size is 16, but 24 was requested"));
    other = five;
    other.user_bytes = 8;
    CHECK_STATUS(quoit_queue_join(name, &other, QUOIT_PRODUCER, &same), QUOIT_ERROR_DIFFERENT);
    /* With commas in an argument, since these are macros. */
    quoit_status status = quoit_queue_join(
        name, &(struct quoit_queue_options){.item_bytes = 16, .capacity = 6}, QUOIT_PRODUCER,
        &same);
    CHECK_STATUS(status, QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_queue_create(name, &five, QUOIT_PRODUCER, &same), QUOIT_ERROR_EXISTS);
    CHECK_STATUS(quoit_queue_join(name, &five, QUOIT_PRODUCER, &same), QUOIT_OK);
    quoit_queue_close(observer);
    quoit_queue_close(same);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

struct big {
    char bytes[512];
};
QUOIT_DEFINE_QUEUE(big, struct big);

/* An item of another size than the queue's, after a browse that reported the item's own size. */
static void mismatch_of_large_types(void)
{
    struct quoit_queue_options options = {.item_bytes = 300, .capacity = 8};
    const char *name = test_name("");
    quoit_queue *queue = create(name, &options);
    struct big big = {{0}};
    char item[300] = "first";
    struct big_queue bigs;
    size_t count;
    CHECK_STATUS(big_from(queue, &bigs), QUOIT_ERROR_DIFFERENT);
    CHECK(!bigs.queue);
    CHECK_STATUS(quoit_queue_push(queue, &big, sizeof big, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_push_many(queue, &big, sizeof big, 1, &count, QUOIT_NOW),
                 QUOIT_ERROR_INVALID);
    CHECK_EQUAL(count, 0);
    CHECK_STATUS(quoit_queue_push(queue, item, (size_t)quoit_queue_item_bytes(queue), QUOIT_NOW),
                 QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(queue, &big, 299, &count, QUOIT_NOW), QUOIT_ERROR_TOO_BIG);
    CHECK_EQUAL(count, 300);
    CHECK_STATUS(quoit_queue_pop_many(queue, &big, sizeof big, 1, &count, QUOIT_NOW),
                 QUOIT_ERROR_INVALID);
    CHECK_EQUAL(count, 0);
    CHECK_STATUS(
        quoit_queue_pop(queue, item, (size_t)quoit_queue_item_bytes(queue), NULL, QUOIT_NOW),
        QUOIT_OK);
    destroy(queue, name);
}

static void user_area(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        struct quoit_queue_options options = five;
        options.user_bytes = 100;
        quoit_queue *queue = create(name, &options), *observer;
        CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
        char *area = quoit_queue_user_area(queue);
        CHECK(area && (uintptr_t)area % 64 == 0 && area[0] == 0 && area[99] == 0);
        memset(area, 'x', 100);
        CHECK_EQ(memcmp(quoit_queue_user_area(observer), area, 100), 0);
        quoit_queue_close(observer);
        destroy(queue, name);
    }
    const char *name = test_name("");
    quoit_queue *queue = create(name, &five);
    CHECK_EQ(quoit_queue_user_area(queue), NULL);
    destroy(queue, name);
}

/* A name that leads to another queue by now is not removed. */
static void unlink_self(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_queue *first = create(name, &five), *second;
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        CHECK_STATUS(quoit_queue_unlink(first), QUOIT_ERROR_REMOVED);
        second = create(name, &five);
        CHECK_STATUS(quoit_queue_unlink(first), QUOIT_ERROR_REMOVED);
        CHECK_STATUS(quoit_queue_unlink(second), QUOIT_OK);
        quoit_queue_close(first);
        quoit_queue_close(second);
    }
}

static void handles_on_lines_of_their_own(void)
{
    const char *name = test_name("");
    quoit_queue *queue = create(name, &five);
    CHECK_EQUAL((uintptr_t)queue % 64, 0);
    CHECK_GE(offsetof(quoit_queue, consumer) - offsetof(quoit_queue, producer), 128);
    CHECK_GE(offsetof(quoit_queue, handle) - offsetof(quoit_queue, consumer), 128);
    destroy(queue, name);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"exact_capacity", exact_capacity},
        {"item_sizes", item_sizes},
        {"typed", typed},
        {"wrong_type", wrong_type},
        {"peek_and_release", peek_and_release},
        {"peek_and_leave", peek_and_leave},
        {"roles_on_every_scheme", roles_on_every_scheme},
        {"finish", finish},
        {"without_a_handle", without_a_handle},
        {"mismatch", mismatch},
        {"mismatch_of_large_types", mismatch_of_large_types},
        {"user_area", user_area},
        {"unlink_self", unlink_self},
        {"handles_on_lines_of_their_own", handles_on_lines_of_their_own},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
