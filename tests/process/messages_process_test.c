/* SPDX-License-Identifier: MIT */
/* Messages of random lengths between processes, in every kind of queue, copied and in place, while
   producers are killed and successors continue. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 3000, CAPACITY = 4, MESSAGES = 4000, KILLS = 12 };

static const struct quoit_queue_options kinds[] = {
    {.kind = QUOIT_SPSC, .item_bytes = LONGEST, .capacity = CAPACITY, .messages = 1},
    {.kind = QUOIT_MPMC, .item_bytes = LONGEST, .capacity = CAPACITY, .messages = 1},
    {.kind = QUOIT_BROADCAST, .item_bytes = LONGEST, .capacity = CAPACITY, .messages = 1},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* The number, then bytes that depend on it; the number also determines how many. */
static size_t length_of(uint64_t number)
{
    uint64_t random = number * UINT64_C(0x9e3779b97f4a7c15) >> 40;
    return (size_t)(8 + random % (random % 4 == 0 ? LONGEST - 8 : 60));
}

static void write_message(void *bytes, uint64_t number)
{
    memcpy(bytes, &number, 8);
    memset((uint8_t *)bytes + 8, (int)(number * 13 & 0xff), (size_t)length_of(number) - 8);
}

static uint64_t read_message(const void *message, uint64_t count)
{
    const uint8_t *bytes = message;
    uint64_t number;
    memcpy(&number, bytes, 8);
    CHECK_EQUAL(count, length_of(number));
    for (uint64_t i = 8; i < count; i++)
        CHECK_EQUAL(bytes[i], number * 13 & 0xff);
    return number;
}

/* arguments: the queue, the region with the number that is next */
static void produce(char **arguments)
{
    static uint8_t bytes[LONGEST];
    quoit_queue *queue;
    quoit_region *region;
    volatile uint64_t *next = test_shared(arguments[1], sizeof *next, &region);
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_PRODUCER, &queue), QUOIT_OK);
    while (*next < MESSAGES) {
        uint64_t number = *next;
        void *room;
        quoit_status status;
        *next = number + 1; /* a kill loses it, or not */
        if (number % 3 == 0) {
            do
                status = quoit_queue_claim(queue, LONGEST, &room, QUOIT_FOREVER);
            while (status == QUOIT_ABANDONED);
            CHECK_STATUS(status, QUOIT_OK);
            write_message(room, number);
            CHECK_STATUS(quoit_queue_commit(queue, length_of(number)), QUOIT_OK);
            continue;
        }
        write_message(bytes, number);
        do
            status = quoit_queue_push(queue, bytes, length_of(number), QUOIT_FOREVER);
        while (status == QUOIT_ABANDONED);
        CHECK_STATUS(status, QUOIT_OK);
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    quoit_queue_close(queue);
    quoit_region_close(region);
}

/* The number of the next message; MESSAGES: the end. */
static uint64_t take(quoit_queue *queue, bool in_place)
{
    static uint8_t bytes[LONGEST];
    const void *seen;
    size_t count;
    quoit_status status;
    if (in_place) {
        do
            status = quoit_queue_peek(queue, &seen, &count, 20000000);
        while (status == QUOIT_ABANDONED || status == QUOIT_EMPTY);
        if (status != QUOIT_OK)
            return status == QUOIT_FINISHED ? MESSAGES : UINT64_MAX;
        uint64_t number = read_message(seen, count);
        CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
        return number;
    }
    status = quoit_queue_pop(queue, bytes, LONGEST, &count, 20000000);
    if (status == QUOIT_OK)
        return read_message(bytes, count);
    CHECK_STATUS_ANY(status, QUOIT_FINISHED, QUOIT_EMPTY, QUOIT_ABANDONED);
    return status == QUOIT_FINISHED ? MESSAGES : UINT64_MAX;
}

static void stream(const char *scheme, int kind)
{
    const char *name = test_name(scheme), *next_name = test_name("");
    const char *const arguments[] = {name, next_name, NULL};
    quoit_queue *queue;
    quoit_region *region;
    volatile uint64_t *next = test_share(next_name, sizeof *next, &region);
    CHECK_STATUS(quoit_queue_create(name, &kinds[kind], QUOIT_CONSUMER, &queue), QUOIT_OK);
    test_process producer = test_spawn("produce", arguments);
    uint64_t number, before = UINT64_MAX, lost = 0, kills = 0, taken = 0;
    while ((number = take(queue, taken % 5 < 2)) != MESSAGES) {
        if (number == UINT64_MAX)
            continue;
        CHECK(number == before + 1 || number == before + 2 || kills > 0);
        CHECK(before == UINT64_MAX || number > before);
        lost += number - before - 1;
        before = number;
        if (++taken % (MESSAGES / (KILLS + 2)) == 0 && kills < KILLS) {
            test_kill(producer);
            CHECK_EQUAL(test_wait(producer), TEST_KILLED);
            producer = test_spawn("produce", arguments);
            kills++;
        }
    }
    CHECK_LE(lost, kills); /* the message that each was about to push */
    CHECK_EQUAL(taken + lost, before + 1);
    CHECK_EQUAL(test_wait(producer), 0);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    CHECK_STATUS(quoit_unlink(next_name, 0), test_after_close(next_name));
}

static void messages_through_crashes(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++)
        for (int kind = 0; TEST_LOOP(kind < KINDS, 1, "kind", kind); kind++)
            stream(test_shared_schemes[i], kind);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"messages_through_crashes", messages_through_crashes},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"produce", produce}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
