/* SPDX-License-Identifier: MIT */
/* The SPSC ring in plain memory: no region, no second process, no operating system. */
#include "test.h"

#include "spsc_ring.h"

#include <stdlib.h>

static const uint64_t capacities[] = {1, 2, 3, 5, 8, 1000};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

/* Counters begin here: at 0, and where 32 and 64 bits end. */
static const uint64_t starts[] = {0, 1, UINT32_MAX - 3, UINT64_MAX - 3};
enum { STARTS = sizeof starts / sizeof starts[0] };

enum { GUARD = 64 };
static const uint8_t guard_byte = 0xa5;

/* A ring whose slots lie between guard bytes. */
struct fixture {
    struct quoit_spsc_shm shm;
    struct quoit_spsc_place place;
    struct quoit_spsc_producer producer;
    struct quoit_spsc_consumer consumer;
    uint8_t *memory;
    uint64_t slots_bytes;
};

static struct fixture *set_up(uint64_t capacity, uint64_t item_bytes, uint64_t start)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    uint64_t slots;
    CHECK(fixture && quoit_spsc_slots(capacity, &slots));
    fixture->slots_bytes = slots * item_bytes;
    fixture->memory = malloc((size_t)fixture->slots_bytes + 2 * GUARD);
    CHECK(fixture->memory);
    for (uint64_t i = 0; i < fixture->slots_bytes + 2 * GUARD; i++)
        fixture->memory[i] = guard_byte;
    quoit_spsc_init(&fixture->shm, start);
    fixture->place = (struct quoit_spsc_place){
        .shm = &fixture->shm, .slots = fixture->memory + GUARD, .capacity = capacity};
    CHECK_STATUS(quoit_spsc_producer_attach(&fixture->producer, &fixture->place), QUOIT_OK);
    CHECK_STATUS(quoit_spsc_consumer_attach(&fixture->consumer, &fixture->place), QUOIT_OK);
    return fixture;
}

static void tear_down(struct fixture *fixture)
{
    CHECK_STATUS(quoit_spsc_check(&fixture->place), QUOIT_OK);
    for (int i = 0; i < GUARD; i++) {
        CHECK_EQUAL(fixture->memory[i], guard_byte);
        CHECK_EQUAL(fixture->memory[GUARD + fixture->slots_bytes + (uint64_t)i], guard_byte);
    }
    free(fixture->memory);
    free(fixture);
}

static quoit_status push(struct fixture *fixture, uint64_t value)
{
    struct quoit_spsc_producer *producer = &fixture->producer;
    if (producer->tail == producer->limit) {
        quoit_status status = quoit_spsc_producer_refill(producer);
        if (status != QUOIT_OK)
            return status;
    }
    quoit_spsc_put(producer, &value, sizeof value);
    return QUOIT_OK;
}

static quoit_status pop(struct fixture *fixture, uint64_t *value_out)
{
    struct quoit_spsc_consumer *consumer = &fixture->consumer;
    if (consumer->head == consumer->limit) {
        quoit_status status = quoit_spsc_consumer_refill(consumer);
        if (status != QUOIT_OK)
            return status;
    }
    quoit_spsc_take(consumer, value_out, sizeof *value_out);
    return QUOIT_OK;
}

static uint64_t size_of(struct fixture *fixture)
{
    struct quoit_spsc_counts counts;
    quoit_spsc_count(&fixture->place, &counts);
    return counts.size;
}

static void fill_and_drain(uint64_t capacity, uint64_t start)
{
    struct fixture *fixture = set_up(capacity, sizeof(uint64_t), start);
    uint64_t value = 0, next_in = 100, next_out = 100;
    for (int round = 0; round < 5; round++) {
        for (uint64_t i = 0; i < capacity; i++) {
            CHECK_EQUAL(size_of(fixture), i);
            CHECK_STATUS(push(fixture, next_in++), QUOIT_OK);
        }
        CHECK_STATUS(push(fixture, 0), QUOIT_FULL);
        CHECK_EQUAL(size_of(fixture), capacity);
        for (uint64_t i = 0; i < capacity; i++) {
            CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
            CHECK_EQUAL(value, next_out++);
        }
        CHECK_STATUS(pop(fixture, &value), QUOIT_EMPTY);
        CHECK_EQUAL(size_of(fixture), 0);
    }
    tear_down(fixture);
}

static void exact_capacity(void)
{
    for (int i = 0; i < CAPACITIES; i++)
        for (int j = 0; j < STARTS; j++)
            fill_and_drain(capacities[i], starts[j]);
}

/* Neither empty nor full, so that the ring's end falls everywhere. */
static void wrap_around(void)
{
    for (int i = 0; i < CAPACITIES; i++)
        for (int j = 0; j < STARTS; j++) {
            struct fixture *fixture = set_up(capacities[i], sizeof(uint64_t), starts[j]);
            uint64_t value = 0;
            for (uint64_t n = 0; n < 3 * capacities[i] + 10; n++) {
                CHECK_STATUS(push(fixture, n), QUOIT_OK);
                CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
                CHECK_EQUAL(value, n);
            }
            tear_down(fixture);
        }
}

static uint64_t push_many(struct fixture *fixture, const uint64_t *values, uint64_t count)
{
    struct quoit_spsc_producer *producer = &fixture->producer;
    if (producer->limit - producer->tail < count &&
        quoit_spsc_producer_refill(producer) != QUOIT_OK)
        return 0;
    uint64_t room = producer->limit - producer->tail;
    count = count < room ? count : room;
    quoit_spsc_put_many(producer, values, count, sizeof *values);
    return count;
}

static uint64_t pop_many(struct fixture *fixture, uint64_t *values_out, uint64_t count)
{
    struct quoit_spsc_consumer *consumer = &fixture->consumer;
    if (consumer->limit - consumer->head < count &&
        quoit_spsc_consumer_refill(consumer) != QUOIT_OK)
        return 0;
    uint64_t there = consumer->limit - consumer->head;
    count = count < there ? count : there;
    quoit_spsc_take_many(consumer, values_out, count, sizeof *values_out);
    return count;
}

/* Batches of every size against every fill, across the ring's end. */
static void batches(void)
{
    enum { MOST = 12 };
    for (int i = 0; i < CAPACITIES - 1; i++)
        for (uint64_t in = 1; in <= MOST; in++)
            for (uint64_t out = 1; out <= MOST; out++) {
                struct fixture *fixture = set_up(capacities[i], sizeof(uint64_t), UINT32_MAX - 7);
                uint64_t next_in = 0, next_out = 0, values[MOST];
                for (int round = 0; round < 40; round++) {
                    for (uint64_t k = 0; k < in; k++)
                        values[k] = next_in + k;
                    uint64_t room = capacities[i] - size_of(fixture);
                    uint64_t pushed = push_many(fixture, values, in);
                    CHECK_EQUAL(pushed, in < room ? in : room);
                    next_in += pushed;
                    uint64_t there = size_of(fixture);
                    uint64_t popped = pop_many(fixture, values, out);
                    CHECK_EQUAL(popped, out < there ? out : there);
                    for (uint64_t k = 0; k < popped; k++)
                        CHECK_EQUAL(values[k], next_out++);
                }
                tear_down(fixture);
            }
}

static void finish_after_drain(void)
{
    struct fixture *fixture = set_up(5, sizeof(uint64_t), 0);
    uint64_t value = 0;
    CHECK_STATUS(push(fixture, 1), QUOIT_OK);
    CHECK_STATUS(push(fixture, 2), QUOIT_OK);
    quoit_spsc_finish(&fixture->shm);
    quoit_spsc_producer_shut(&fixture->producer);
    CHECK_STATUS(push(fixture, 3), QUOIT_CLOSED);
    CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
    CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
    CHECK_EQUAL(value, 2);
    CHECK_STATUS(pop(fixture, &value), QUOIT_CLOSED);
    CHECK_STATUS(pop(fixture, &value), QUOIT_CLOSED);
    tear_down(fixture);
}

/* A new holder of a side goes on exactly where the shared counters are. */
static void attach_again(void)
{
    struct fixture *fixture = set_up(3, sizeof(uint64_t), UINT64_MAX - 1);
    uint64_t value = 0;
    CHECK_STATUS(push(fixture, 10), QUOIT_OK);
    CHECK_STATUS(push(fixture, 11), QUOIT_OK);
    CHECK_STATUS(quoit_spsc_producer_attach(&fixture->producer, &fixture->place), QUOIT_OK);
    CHECK_STATUS(push(fixture, 12), QUOIT_OK);
    CHECK_STATUS(push(fixture, 13), QUOIT_FULL);
    CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
    CHECK_STATUS(quoit_spsc_consumer_attach(&fixture->consumer, &fixture->place), QUOIT_OK);
    for (uint64_t expected = 11; expected <= 12; expected++) {
        CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
        CHECK_EQUAL(value, expected);
    }
    tear_down(fixture);
}

/* A hostile peer writes any counter: an error, and never a step outside the slots (the guards, and
   ASan, see). */
static void spoiled_counters(void)
{
    static const uint64_t spoiled[] = {0, 6, 7, UINT32_MAX, UINT64_MAX, 1ull << 63, UINT64_MAX - 5};
    for (uint64_t i = 0; i < sizeof spoiled / sizeof spoiled[0]; i++) {
        struct fixture *fixture = set_up(5, sizeof(uint64_t), 1000);
        uint64_t value = 0;
        CHECK_STATUS(push(fixture, 1), QUOIT_OK);
        atomic_store(&fixture->shm.tail, spoiled[i]);
        CHECK_STATUS(pop(fixture, &value), QUOIT_CORRUPT);
        CHECK_STATUS(quoit_spsc_check(&fixture->place), QUOIT_CORRUPT);
        CHECK_STATUS(quoit_spsc_consumer_attach(&fixture->consumer, &fixture->place),
                     QUOIT_CORRUPT);
        CHECK(size_of(fixture) <= 5);
        atomic_store(&fixture->shm.tail, 1001);
        atomic_store(&fixture->shm.head, spoiled[i]);
        quoit_spsc_producer_shut(&fixture->producer);
        CHECK_STATUS(push(fixture, 2), QUOIT_CORRUPT);
        CHECK_STATUS(quoit_spsc_producer_attach(&fixture->producer, &fixture->place),
                     QUOIT_CORRUPT);
        atomic_store(&fixture->shm.head, 1000);
        atomic_store(&fixture->shm.finished, 2);
        CHECK_STATUS(quoit_spsc_check(&fixture->place), QUOIT_CORRUPT);
        atomic_store(&fixture->shm.finished, 0);
        tear_down(fixture);
    }
}

static void slots_for_capacity(void)
{
    uint64_t slots;
    CHECK(quoit_spsc_slots(5, &slots) && slots == 8);
    CHECK(!quoit_spsc_slots(UINT64_MAX, &slots));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"exact_capacity", exact_capacity},
                                             {"wrap_around", wrap_around},
                                             {"batches", batches},
                                             {"finish_after_drain", finish_after_drain},
                                             {"attach_again", attach_again},
                                             {"spoiled_counters", spoiled_counters},
                                             {"slots_for_capacity", slots_for_capacity},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
