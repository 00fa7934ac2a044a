/* SPDX-License-Identifier: MIT */
/* quoit_queue_position: the position of the peeked item, in each kind of queue. */
#include "test.h"

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, CAPACITY = 4, ROUNDS = 11 };

struct queue_case {
    const char *name;
    struct quoit_queue_options options;
    uint64_t step; /* from one position to the next */
};

static const struct queue_case cases[] = {
    {"slots", {.item_bytes = 8}, 1},
    {"spans", {.item_bytes = 64}, 1},
    {"bytes", {.item_bytes = 64, .messages = 1}, 16}, /* the header, and 8 bytes */
    {"mpmc", {.item_bytes = 8, .kind = QUOIT_MPMC}, 1},
    {"mpmc messages", {.item_bytes = 64, .messages = 1, .kind = QUOIT_MPMC}, 1},
    {"lossless", {.item_bytes = 8, .kind = QUOIT_BROADCAST}, 1},
    {"lossy messages",
     {.item_bytes = 64, .messages = 1, .kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST},
     1},
};

static quoit_queue *join(const struct queue_case *queue_case, const char *name)
{
    struct quoit_queue_options options = queue_case->options;
    quoit_queue *queue;
    options.capacity = CAPACITY;
    CHECK_STATUS(quoit_queue_join(name, &options, BOTH, &queue), QUOIT_OK);
    return queue;
}

static void push(quoit_queue *queue, uint64_t value)
{
    uint64_t item[8] = {value};
    const size_t item_bytes = (size_t)quoit_queue_item_bytes(queue);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_STATUS(quoit_queue_push(queue, item, info.messages ? 8 : item_bytes, QUOIT_NOW),
                 QUOIT_OK);
}

/* Peeks, and checks the value and the position. */
static void peeks(quoit_queue *queue, uint64_t value, uint64_t position)
{
    const void *item;
    uint64_t found = UINT64_MAX;
    CHECK_STATUS(quoit_queue_peek(queue, &item, NULL, QUOIT_NOW), QUOIT_OK);
    CHECK_EQ(*(const uint64_t *)item, value);
    CHECK_STATUS(quoit_queue_position(queue, &found), QUOIT_OK);
    CHECK_EQ(found, position);
}

static void has_none(quoit_queue *queue)
{
    uint64_t position = 7;
    CHECK_STATUS(quoit_queue_position(queue, &position), QUOIT_ERROR_INVALID);
    CHECK_EQ(position, 0);
}

static void every_kind(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *name = test_name("");
        quoit_queue *queue = join(&cases[i], name);
        uint64_t value;
        has_none(queue);
        for (uint64_t round = 0; round < ROUNDS; round++) {
            push(queue, round);
            push(queue, 1000 + round);
            has_none(queue);
            peeks(queue, round, 2 * round * cases[i].step);
            peeks(queue, round, 2 * round * cases[i].step);
            CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
            has_none(queue);
            peeks(queue, 1000 + round, (2 * round + 1) * cases[i].step);
            char buffer[64];
            CHECK_STATUS(quoit_queue_pop(queue, buffer, sizeof buffer, NULL, QUOIT_NOW), QUOIT_OK);
            has_none(queue);
        }
        CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW),
                     cases[i].options.messages || cases[i].options.item_bytes == 8
                         ? QUOIT_EMPTY
                         : QUOIT_ERROR_TOO_BIG);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* Of several, it is the first one's. */
static void of_several(void)
{
    const char *name = test_name("");
    quoit_queue *queue = join(&cases[1], name);
    const void *items;
    size_t count;
    uint64_t position;
    for (uint64_t value = 0; value < 3; value++)
        push(queue, value);
    CHECK_STATUS(quoit_queue_peek_many(queue, &items, &count, QUOIT_NOW), QUOIT_OK);
    CHECK_EQ(count, 3);
    CHECK_STATUS(quoit_queue_release_many(queue, 2), QUOIT_OK);
    CHECK_STATUS(quoit_queue_position(queue, &position), QUOIT_OK);
    CHECK_EQ(position, 2);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* An item that a consumer left while it peeked at it keeps its position for the next one. */
static void after_a_consumer_left(void)
{
    const char *name = test_name("");
    quoit_queue *queue = join(&cases[3], name), *first = join(&cases[3], name);
    for (uint64_t value = 0; value < 3; value++)
        push(queue, value);
    peeks(first, 0, 0);
    peeks(queue, 1, 1);
    CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
    quoit_queue_close(first);
    quoit_queue *next = join(&cases[3], name);
    peeks(next, 0, 0);
    CHECK_STATUS(quoit_queue_release(next), QUOIT_OK);
    peeks(next, 2, 2);
    quoit_queue_close(next);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void wrong_use(void)
{
    const char *name = test_name("");
    quoit_queue *queue = join(&cases[0], name), *observer;
    uint64_t position;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_position(observer, &position), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_queue_position(queue, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_position(NULL, &position), QUOIT_ERROR_INVALID);
    quoit_queue_close(observer);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_kind", every_kind},
                                             {"of_several", of_several},
                                             {"after_a_consumer_left", after_a_consumer_left},
                                             {"wrong_use", wrong_use},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
