/* SPDX-License-Identifier: MIT */
/* Variable-size messages in every kind of queue: each comes out with the content and the length
   with which it was pushed, and a length in shared memory is checked. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 100, CAPACITY = 5, ROOM = LONGEST + 8, BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };
static const uint8_t guard_byte = 0xa5;

static const struct quoit_queue_options kinds[] = {
    {.kind = QUOIT_SPSC, .messages = 1},
    {.kind = QUOIT_MPMC, .messages = 1},
    {.kind = QUOIT_BROADCAST, .messages = 1},
    {.kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST, .messages = 1},
};
enum { KINDS = sizeof kinds / sizeof kinds[0], LOSSY = 3 };

static const char *name;

static quoit_queue *make(int kind, uint32_t longest, uint64_t capacity)
{
    struct quoit_queue_options options = kinds[kind];
    quoit_queue *queue;
    options.item_bytes = longest;
    options.capacity = capacity;
    name = test_name("");
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
    (void)snprintf(test_context, sizeof test_context, "kind %d, %u bytes, %llu", kind,
                   (unsigned)longest, (unsigned long long)capacity);
    return queue;
}

static void destroy(quoit_queue *queue)
{
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    test_context[0] = 0;
}

/* Bytes that depend on the number and the position. */
static void fill(uint8_t *bytes, uint64_t number, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7 + 1);
}

static quoit_status push(quoit_queue *queue, uint64_t number, size_t count)
{
    uint8_t bytes[ROOM];
    fill(bytes, number, count);
    return quoit_queue_push(queue, bytes, count, QUOIT_NOW);
}

static void pops(quoit_queue *queue, uint64_t number, uint64_t expected)
{
    uint8_t bytes[ROOM], right[ROOM];
    size_t count;
    memset(bytes, guard_byte, sizeof bytes);
    CHECK_STATUS(quoit_queue_pop(queue, bytes, LONGEST, &count, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(count, expected);
    fill(right, number, count);
    CHECK_EQ(memcmp(bytes, right, (size_t)count), 0);
    CHECK_EQUAL(bytes[count], guard_byte);
}

/* Every length, at every position of the ring. */
static void every_length(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (uint64_t capacity = 1; TEST_LOOP(capacity <= 3, 1, "capacity", capacity); capacity++) {
            quoit_queue *queue = make(kind, LONGEST, capacity);
            for (size_t i = 0; i < 3 * LONGEST; i++) {
                size_t count = (size_t)(i * 37 % (LONGEST + 1));
                CHECK_STATUS(push(queue, i, count), QUOIT_OK);
                CHECK_EQUAL(quoit_queue_size(queue), 1);
                CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
                pops(queue, i, count);
                CHECK_EQ(quoit_queue_size(queue), 0);
            }
            destroy(queue);
        }
}

/* Exactly the capacity, for any length of the messages. */
static void capacity(void)
{
    for (int kind = 0; TEST_LOOP(kind < LOSSY, 0, "kind", kind); kind++)
        for (uint64_t moved = 0; TEST_LOOP(moved < 4, 1, "moved", moved); moved++) {
            quoit_queue *queue = make(kind, LONGEST, CAPACITY);
            uint64_t pushed = 0;
            for (size_t i = 0; i < moved; i++) {
                CHECK_STATUS(push(queue, i, 11 * i), QUOIT_OK);
                pops(queue, i, 11 * i);
            }
            for (size_t i = 0; i < CAPACITY; i++)
                CHECK_STATUS(push(queue, i, LONGEST), QUOIT_OK);
            CHECK_STATUS(push(queue, 9, LONGEST), QUOIT_FULL);
            CHECK_STATUS(push(queue, 9, 0), QUOIT_FULL);
            CHECK_EQ(quoit_queue_size(queue), quoit_queue_capacity(queue));
            CHECK_EQUAL(quoit_queue_size(queue), CAPACITY);
            for (uint64_t i = 0; i < CAPACITY; i++)
                pops(queue, i, LONGEST);
            while (push(queue, pushed, 5) == QUOIT_OK)
                pushed++;
            CHECK_EQUAL(pushed, CAPACITY);
            CHECK_EQUAL(quoit_queue_size(queue), CAPACITY);
            for (uint64_t i = 0; i < CAPACITY; i++)
                pops(queue, i, 5);
            destroy(queue);
        }
}

static void too_big(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        quoit_queue *queue = make(kind, LONGEST, CAPACITY);
        uint8_t bytes[ROOM];
        size_t count = 0;
        void *room;
        CHECK_STATUS(push(queue, 1, LONGEST + 1), QUOIT_ERROR_TOO_BIG);
        CHECK(strstr(test_sentence(), "101 bytes"));
        CHECK(strstr(test_sentence(), "100"));
        CHECK_STATUS(quoit_queue_claim(queue, SIZE_MAX, &room, QUOIT_NOW), QUOIT_ERROR_TOO_BIG);
        CHECK_STATUS(push(queue, 1, 40), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop(queue, bytes, 39, &count, QUOIT_NOW), QUOIT_ERROR_TOO_BIG);
        CHECK_EQUAL(count, 40);
        CHECK_STATUS(quoit_queue_pop(queue, NULL, 0, &count, QUOIT_NOW), QUOIT_ERROR_TOO_BIG);
        pops(queue, 1, 40);
        CHECK_STATUS(quoit_queue_pop(queue, bytes, ROOM, &count, QUOIT_NOW), QUOIT_EMPTY);
        CHECK_EQUAL(count, 0);
        destroy(queue);
    }
}

/* Messages made in place, committed with a smaller size, and discarded; peeked at in place,
   repeatedly. */
static void in_place(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        quoit_queue *queue = make(kind, LONGEST, CAPACITY);
        const void *seen;
        size_t count;
        void *room;
        for (uint64_t i = 0; i < 20; i++) {
            CHECK_STATUS(quoit_queue_claim(queue, LONGEST, &room, QUOIT_NOW), QUOIT_OK);
            CHECK_STATUS(quoit_queue_peek(queue, &seen, &count, QUOIT_NOW), QUOIT_EMPTY);
            CHECK(!seen);
            CHECK_EQ(count, 0);
            fill(room, i, 3 * i);
            if (i % 4 == 3) {
                CHECK_STATUS(quoit_queue_discard(queue), QUOIT_OK);
                CHECK_STATUS(quoit_queue_commit(queue, (size_t)(3 * i)), QUOIT_ERROR_INVALID);
                continue;
            }
            CHECK_STATUS(quoit_queue_commit(queue, LONGEST + 1), QUOIT_ERROR_INVALID);
            CHECK_STATUS(quoit_queue_commit(queue, LONGEST + 8), QUOIT_ERROR_INVALID);
            CHECK_STATUS(quoit_queue_commit(queue, SIZE_MAX), QUOIT_ERROR_INVALID);
            CHECK_STATUS(quoit_queue_commit(queue, (size_t)(3 * i)), QUOIT_OK);
            CHECK_STATUS(quoit_queue_commit(queue, 0), QUOIT_ERROR_INVALID);
            CHECK_STATUS(quoit_queue_peek(queue, &seen, &count, QUOIT_NOW), QUOIT_OK);
            CHECK_STATUS(quoit_queue_peek(queue, &seen, &count, QUOIT_NOW), QUOIT_OK);
            uint8_t right[ROOM];
            fill(right, i, count);
            CHECK_EQUAL(count, 3 * i);
            CHECK_EQ(memcmp(seen, right, (size_t)count), 0);
            CHECK_STATUS(quoit_queue_release_many(queue, 2), QUOIT_ERROR_INVALID);
            CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
            CHECK_STATUS(quoit_queue_release(queue), QUOIT_ERROR_INVALID);
        }
        destroy(queue);
    }
}

/* No byte more than was claimed, even if there is space. */
static void no_more_than_claimed(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        quoit_queue *queue = make(kind, LONGEST, CAPACITY);
        void *room;
        CHECK_STATUS(quoit_queue_claim(queue, 10, &room, QUOIT_NOW), QUOIT_OK);
        fill(room, 1, 10);
        CHECK_STATUS(quoit_queue_commit(queue, 11), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_commit(queue, 50), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_commit(queue, 10), QUOIT_OK);
        pops(queue, 1, 10);
        destroy(queue);
    }
}

/* A claim that is open at the end has no effect. */
static void the_end(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        quoit_queue *queue = make(kind, LONGEST, CAPACITY);
        uint8_t bytes[ROOM];
        size_t count;
        void *room;
        CHECK_STATUS(push(queue, 1, 9), QUOIT_OK);
        CHECK_STATUS(quoit_queue_claim(queue, 5, &room, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_commit(queue, 5), QUOIT_ERROR_INVALID);
        CHECK_STATUS(push(queue, 2, 9), QUOIT_FINISHED);
        CHECK_STATUS(quoit_queue_push(queue, bytes, 9, QUOIT_FOREVER), QUOIT_FINISHED);
        pops(queue, 1, 9);
        CHECK_STATUS(quoit_queue_pop(queue, bytes, ROOM, &count, QUOIT_NOW), QUOIT_FINISHED);
        CHECK_STATUS(quoit_queue_pop(queue, bytes, ROOM, &count, QUOIT_FOREVER), QUOIT_FINISHED);
        destroy(queue);
    }
}

/* The public counters count messages, also if the ring itself counts bytes. */
static void counts_messages(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        quoit_queue *queue = make(kind, LONGEST, CAPACITY);
        struct quoit_queue_info info;
        for (size_t i = 0; i < CAPACITY; i++)
            CHECK_STATUS(push(queue, i, i), QUOIT_OK);
        for (uint64_t i = 0; i < 2; i++)
            pops(queue, i, i);
        CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
        CHECK_EQUAL(info.pushed_messages, CAPACITY);
        CHECK_EQUAL(info.popped_messages, 2);
        CHECK_EQUAL(info.size, CAPACITY - 2);
        destroy(queue);
    }
}

static void waits(void)
{
    for (int kind = 0; TEST_LOOP(kind < LOSSY, 0, "kind", kind); kind++) {
        quoit_queue *queue = make(kind, LONGEST, 2);
        uint8_t bytes[ROOM] = {0};
        size_t count;
        CHECK_STATUS(quoit_queue_pop(queue, bytes, ROOM, &count, 1000000), QUOIT_EMPTY);
        for (int i = 0; i < 2; i++)
            CHECK_STATUS(quoit_queue_push(queue, bytes, LONGEST, QUOIT_FOREVER), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queue, bytes, 1, 1000000), QUOIT_FULL);
        CHECK_STATUS(quoit_queue_pop(queue, bytes, ROOM, &count, 0), QUOIT_OK);
        CHECK_EQUAL(count, LONGEST);
        CHECK_STATUS(quoit_queue_push(queue, bytes, 1, 0), QUOIT_OK);
        destroy(queue);
    }
}

/* Batches and spans are only for items, which all have one size. */
static void items_and_messages(void)
{
    static const struct quoit_queue_options fixed = {.item_bytes = LONGEST, .capacity = CAPACITY};
    struct quoit_queue_options messages = fixed;
    quoit_queue *queue = make(0, LONGEST, CAPACITY), *other;
    uint8_t bytes[ROOM] = {0};
    const void *seen;
    size_t count = 1;
    void *room;
    CHECK_STATUS(quoit_queue_claim_many(queue, 1, &room, &count, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_EQUAL(count, 0);
    CHECK_STATUS(quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_commit_many(queue, 1), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_push_many(queue, bytes, LONGEST, 1, &count, QUOIT_NOW),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_pop_many(queue, bytes, LONGEST, 1, &count, QUOIT_NOW),
                 QUOIT_ERROR_INVALID);
    CHECK(strstr(test_sentence(), "one per call"));
    CHECK_STATUS(quoit_queue_join(name, &fixed, QUOIT_OBSERVER, &other), QUOIT_ERROR_DIFFERENT);
    destroy(queue);
    name = test_name("");
    CHECK_STATUS(quoit_queue_create(name, &fixed, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(push(queue, 1, 5), QUOIT_ERROR_INVALID);
    CHECK_STATUS(push(queue, 1, LONGEST), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(queue, bytes, LONGEST - 1, &count, QUOIT_NOW),
                 QUOIT_ERROR_TOO_BIG);
    CHECK_EQUAL(count, LONGEST);
    CHECK_STATUS(quoit_queue_pop(queue, bytes, ROOM, &count, QUOIT_NOW), QUOIT_OK);
    messages.messages = 1;
    CHECK_STATUS(quoit_queue_join(name, &messages, QUOIT_OBSERVER, &other), QUOIT_ERROR_DIFFERENT);
    destroy(queue);
}

/* A length that a hostile peer writes leads to no access outside the ring. */
static void lying_lengths(void)
{
    static const uint64_t lies[] = {LONGEST + 1, 1000, UINT32_MAX, SIZE_MAX, SIZE_MAX - 7};
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (size_t i = 0; TEST_LOOP(i < sizeof lies / sizeof lies[0], 1, "lies", i); i++) {
            quoit_queue *queue = make(kind, LONGEST, CAPACITY);
            uint8_t bytes[ROOM];
            size_t count;
            const void *seen;
            CHECK_STATUS(push(queue, 1, 40), QUOIT_OK);
            CHECK_STATUS(quoit_queue_peek(queue, &seen, &count, QUOIT_NOW), QUOIT_OK);
            /* Before the message; in a lossy broadcast it is the handle's copy. */
            memcpy((uint8_t *)(uintptr_t)seen - 8, &lies[i], 8);
            quoit_status status = quoit_queue_pop(queue, bytes, LONGEST, &count, QUOIT_NOW);
            CHECK_STATUS_IS(status, ==, kind == 0 ? QUOIT_ERROR_CORRUPT : QUOIT_OK);
            CHECK_LE(count, LONGEST);
            if (kind == 0)
                CHECK_STATUS(quoit_queue_check(queue), QUOIT_ERROR_CORRUPT);
            (void)quoit_queue_size(queue);
            quoit_queue_close(queue);
            CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
        }
    test_context[0] = 0;
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_length", every_length},
                                             {"capacity", capacity},
                                             {"too_big", too_big},
                                             {"in_place", in_place},
                                             {"no_more_than_claimed", no_more_than_claimed},
                                             {"the_end", the_end},
                                             {"counts_messages", counts_messages},
                                             {"waits", waits},
                                             {"items_and_messages", items_and_messages},
                                             {"lying_lengths", lying_lengths},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
