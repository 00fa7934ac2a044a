/* SPDX-License-Identifier: MIT */
/* The MPMC ring in plain memory: members that the test starts and kills, without a second process.
   tests/crash kills real processes. */
#ifndef MPMC_FIXTURE_H
#define MPMC_FIXTURE_H

#include "test.h"

#include "mpmc.h"

#include <stdlib.h>

enum { MEMBERS = 6, GUARD = 64, LARGEST_ITEM = 300 };
static const uint8_t guard_byte = 0xa5;

static const uint64_t capacities[] = {1, 2, 3, 5, 8, 1000};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

/* Positions begin here, so that they cross the ends of 32 bits, 44 bits (of claims) and 63 bits. */
static const uint64_t starts[] = {0, 1, UINT32_MAX - 3, (UINT64_C(1) << 44) - 3,
                                  (UINT64_C(1) << 62) - 3};
enum { STARTS = sizeof starts / sizeof starts[0] };

struct fixture;
struct member { /* the member that asks */
    struct fixture *fixture;
    uint32_t entry;
};

struct fixture {
    struct quoit_ring_shm shm;
    struct quoit_claim_record_shm claim_records[MEMBERS];
    struct quoit_ring_view views[MEMBERS];
    struct quoit_ring_producer producers[MEMBERS];
    struct quoit_ring_consumer consumers[MEMBERS];
    struct quoit_ring_producer_state producer_states[MEMBERS];
    struct quoit_ring_consumer_state consumer_states[MEMBERS];
    struct member members[MEMBERS];
    bool crashed[MEMBERS];
    /* Called once while a member checks another one's liveness; stands for another process. */
    void (*meanwhile)(struct fixture *fixture);
    uint8_t *memory;
    uint64_t slots_bytes;
};

static inline bool is_alive(const void *context, uint32_t entry)
{
    const struct member *member = context;
    struct fixture *fixture = member->fixture;
    CHECK_NE(entry, member->entry); /* the system would not report it */
    bool alive = entry < MEMBERS && !fixture->crashed[entry];
    void (*meanwhile)(struct fixture *) = fixture->meanwhile;
    fixture->meanwhile = NULL;
    if (meanwhile)
        meanwhile(fixture);
    return alive;
}

static inline void enter(struct fixture *fixture, uint32_t member)
{
    struct quoit_ring_view *view = &fixture->views[member];
    fixture->crashed[member] = false;
    CHECK_STATUS(quoit_mpmc.attach_producer(&fixture->producers[member], view), QUOIT_OK);
    CHECK_STATUS(quoit_mpmc.attach_consumer(&fixture->consumers[member], view), QUOIT_OK);
}

static inline struct fixture *set_up(uint64_t capacity, uint64_t item_bytes, uint64_t start)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    CHECK(fixture);
    const uint64_t stride = quoit_ring_stride(&quoit_mpmc, item_bytes, 8);
    fixture->slots_bytes = capacity * stride;
    fixture->memory = malloc((size_t)fixture->slots_bytes + 2 * GUARD);
    CHECK(fixture->memory);
    memset(fixture->memory, guard_byte, (size_t)fixture->slots_bytes + 2 * GUARD);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        fixture->producers[i].state = &fixture->producer_states[i];
        fixture->consumers[i].state = &fixture->consumer_states[i];
        fixture->members[i] = (struct member){.fixture = fixture, .entry = i};
        fixture->views[i] = (struct quoit_ring_view){
            .ops = &quoit_mpmc,
            .shm = &fixture->shm,
            .slots = fixture->memory + GUARD,
            .capacity = capacity,
            .item_bytes = item_bytes,
            .stride = stride,
            .members = {.claim_records = fixture->claim_records,
                        .count = MEMBERS,
                        .own = i,
                        .is_alive = is_alive,
                        .context = &fixture->members[i]}};
    }
    quoit_mpmc.init(&fixture->views[0], start);
    for (uint32_t i = 0; i < MEMBERS; i++)
        enter(fixture, i);
    return fixture;
}

static inline void tear_down(struct fixture *fixture)
{
    CHECK_STATUS(quoit_mpmc.check(&fixture->views[0]), QUOIT_OK);
    for (int i = 0; i < GUARD; i++) {
        CHECK_EQUAL(fixture->memory[i], guard_byte);
        CHECK_EQUAL(fixture->memory[GUARD + fixture->slots_bytes + (uint64_t)i], guard_byte);
    }
    free(fixture->memory);
    free(fixture);
}

static inline quoit_status push(struct fixture *fixture, uint32_t member, uint64_t value)
{
    return quoit_mpmc.push(&fixture->producers[member], &fixture->views[member], &value,
                           fixture->views[member].item_bytes);
}

static inline quoit_status pop(struct fixture *fixture, uint32_t member, uint64_t *value_out)
{
    return quoit_mpmc.pop(&fixture->consumers[member], &fixture->views[member], value_out,
                          &(uint64_t){fixture->views[member].item_bytes});
}

static inline void pops(struct fixture *fixture, uint32_t member, uint64_t expected)
{
    uint64_t value = UINT64_MAX;
    CHECK_STATUS(pop(fixture, member, &value), QUOIT_OK);
    CHECK_EQUAL(value, expected);
}

static inline void claims_one(struct fixture *fixture, uint32_t member)
{
    void *items;
    uint64_t count;
    CHECK_STATUS(quoit_mpmc.claim(&fixture->producers[member], &fixture->views[member], 5,
                                  fixture->views[member].item_bytes, &items, &count),
                 QUOIT_OK);
    CHECK_EQUAL(count, 1);
    memset(items, 0xee, 8); /* half an item, as other members see it */
}

static inline uint64_t peeks(struct fixture *fixture, uint32_t member)
{
    const void *items;
    uint64_t count = 1, value;
    CHECK_STATUS(quoit_mpmc.peek(&fixture->consumers[member], &fixture->views[member], &items,
                                 &count, &(uint64_t){0}),
                 QUOIT_OK);
    CHECK_EQUAL(count, 1);
    memcpy(&value, items, sizeof value);
    return value;
}

static inline uint64_t size_of(struct fixture *fixture)
{
    return quoit_mpmc.size(&fixture->views[0]);
}

/* The ring works as a new one: it accepts its capacity, and returns the items in order. */
static inline void whole_again(struct fixture *fixture)
{
    uint64_t value, capacity = fixture->views[0].capacity;
    CHECK_STATUS(pop(fixture, 0, &value), QUOIT_EMPTY);
    for (uint64_t i = 0; i < capacity; i++)
        CHECK_STATUS(push(fixture, i % 2 ? 1 : 0, 100 + i), QUOIT_OK);
    CHECK_STATUS(push(fixture, 0, 99), QUOIT_FULL);
    CHECK_EQUAL(size_of(fixture), capacity);
    for (uint64_t i = 0; i < capacity; i++)
        pops(fixture, i % 2 ? 1 : 0, 100 + i);
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
}

#endif
