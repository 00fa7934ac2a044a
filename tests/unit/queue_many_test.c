/* SPDX-License-Identifier: MIT */
/* MPMC queues through the public API: members are handles of one process. mpmc_test.c tests the
   ring; process/crowd_test.c uses several processes. */
#include "test.h"

static const struct quoit_queue_options three = {
    .kind = QUOIT_MPMC, .item_bytes = sizeof(uint64_t), .capacity = 3};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

static quoit_queue *join(const char *name, unsigned roles)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_join(name, &three, roles, &queue), QUOIT_OK);
    return queue;
}

static void push(quoit_queue *queue, uint64_t value)
{
    CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW), QUOIT_OK);
}

static void pops(quoit_queue *queue, uint64_t expected)
{
    uint64_t value = UINT64_MAX;
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(value, expected);
}

static void destroy(const char *name, quoit_queue *one, quoit_queue *other)
{
    CHECK_STATUS(quoit_queue_check(one), QUOIT_OK);
    quoit_queue_close(one);
    quoit_queue_close(other);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* The items that a member itself has claimed or peeks at do not belong to a crashed member. */
static void own_claims_are_alive(void)
{
    const char *name = test_name("");
    quoit_queue *queue = join(name, BOTH);
    const void *seen;
    void *room;
    size_t count;
    uint64_t value;
    CHECK_STATUS(quoit_queue_claim_many(queue, 1, &room, &count, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_EMPTY);
    *(uint64_t *)room = 7;
    CHECK_STATUS(quoit_queue_commit_many(queue, 1), QUOIT_OK);
    CHECK_STATUS(quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    pops(queue, 7);
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_FINISHED);
    destroy(name, queue, NULL);
}

/* The stream has not ended while a consumer reads an item that may come back. */
static void wait_for_the_end(void)
{
    const char *name = test_name("");
    quoit_queue *one = join(name, BOTH), *other = join(name, QUOIT_CONSUMER);
    const void *seen;
    size_t count;
    uint64_t value;
    push(one, 1);
    CHECK_STATUS(quoit_queue_peek_many(other, &seen, &count, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(one), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(one, &value, sizeof value, NULL, 150000000), QUOIT_EMPTY);
    quoit_queue_close(other);
    CHECK_STATUS(quoit_queue_pop(one, &value, sizeof value, NULL, QUOIT_FOREVER), QUOIT_OK);
    CHECK_EQUAL(value, 1);
    CHECK_STATUS(quoit_queue_pop(one, &value, sizeof value, NULL, QUOIT_FOREVER), QUOIT_FINISHED);
    CHECK_STATUS(quoit_queue_push(one, &value, sizeof value, QUOIT_FOREVER), QUOIT_FINISHED);
    destroy(name, one, NULL);
}

/* QUOIT_ABANDONED is returned after the last member of the other side has left. */
static void abandoned_by_all(void)
{
    const char *name = test_name("");
    quoit_queue *consumer = join(name, QUOIT_CONSUMER);
    quoit_queue *first = join(name, QUOIT_PRODUCER), *second = join(name, QUOIT_PRODUCER);
    uint64_t value;
    push(first, 1);
    CHECK_STATUS(quoit_queue_pop(consumer, &value, sizeof value, NULL, QUOIT_FOREVER), QUOIT_OK);
    quoit_queue_close(first);
    CHECK_STATUS(quoit_queue_pop(consumer, &value, sizeof value, NULL, 150000000), QUOIT_EMPTY);
    push(second, 2);
    quoit_queue_close(second);
    CHECK_STATUS(quoit_queue_pop(consumer, &value, sizeof value, NULL, QUOIT_FOREVER), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(consumer, &value, sizeof value, NULL, QUOIT_FOREVER),
                 QUOIT_ABANDONED);
    CHECK_STATUS(quoit_queue_pop(consumer, &value, sizeof value, NULL, 1000000), QUOIT_EMPTY);
    destroy(name, consumer, NULL);
}

/* A damaged head: a wait ends, possibly late. */
static void spoiled_head(void)
{
    const char *name = test_name("");
    const struct quoit_queue_options many = {
        .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 20000};
    quoit_queue *queue;
    uint64_t value = 0;
    CHECK_STATUS(quoit_queue_create(name, &many, BOTH, &queue), QUOIT_OK);
    for (uint64_t i = 0; i < 40000; i++) {
        push(queue, i);
        pops(queue, i);
    }
    atomic_fetch_sub(queue->consumer.head, UINT64_C(1) << 52);
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, 1000000), QUOIT_EMPTY);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* One member more than the maximum is refused, until another one leaves. */
static void as_many_as_there_are_entries(void)
{
    enum { ENTRIES = 64 };
    const char *name = test_name("");
    quoit_queue *members[ENTRIES], *more;
    for (int i = 0; i < ENTRIES; i++)
        members[i] = join(name, i % 2 ? QUOIT_PRODUCER : QUOIT_CONSUMER);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &more), QUOIT_ERROR_LIMIT);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &more), QUOIT_OK);
    quoit_queue_close(more);
    for (uint64_t i = 0; i < 6; i++) {
        push(members[2 * i + 1], i);
        pops(members[62 - 2 * i], i);
    }
    quoit_queue_close(members[20]);
    members[20] = join(name, QUOIT_PRODUCER);
    for (int i = 1; i < ENTRIES; i++)
        quoit_queue_close(members[i]);
    destroy(name, members[0], NULL);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"own_claims_are_alive", own_claims_are_alive},
        {"wait_for_the_end", wait_for_the_end},
        {"abandoned_by_all", abandoned_by_all},
        {"spoiled_head", spoiled_head},
        {"as_many_as_there_are_entries", as_many_as_there_are_entries},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
