/* SPDX-License-Identifier: MIT */
/* A broadcast ring in plain memory: a producer, and subscribers that the test starts and kills,
   without a second process. */
#ifndef BROADCAST_FIXTURE_H
#define BROADCAST_FIXTURE_H

#include "ring_finish.h"
#include "test.h"

#include "broadcast.h"

#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 6, GUARD = 64, LARGEST_ITEM = 300, PRODUCER = 0 };
static const uint8_t guard_byte = 0xa5;

static const uint64_t capacities[] = {1, 2, 3, 5, 8, 1000};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

/* Positions begin here, so that they cross the ends of 32 bits, 48 bits (of records), 63 bits (of
   sequences) and 64 bits. */
static const uint64_t starts[] = {
    0, 1, UINT32_MAX - 3, (UINT64_C(1) << 48) - 3, INT64_MAX - 3, UINT64_MAX - 3};
enum { STARTS = sizeof starts / sizeof starts[0] };

static const struct quoit_ring_ops *const kinds[] = {&quoit_broadcast_lossless,
                                                     &quoit_broadcast_lossy};
enum { LOSSLESS, LOSSY, KINDS };

struct fixture {
    struct quoit_ring_shm shm;
    struct quoit_claim_record_shm claim_records[MEMBERS];
    struct quoit_ring_view views[MEMBERS];
    struct quoit_ring_producer producer;
    struct quoit_ring_consumer consumers[MEMBERS];
    struct quoit_ring_producer_state producer_state;
    struct quoit_ring_consumer_state consumer_states[MEMBERS];
    uint8_t scratch[QUOIT_RING_SCRATCH_BYTES], peeked[MEMBERS][LARGEST_ITEM];
    bool crashed[MEMBERS];
    unsigned asked; /* stands for the kernel */
    uint8_t *memory;
    uint64_t slots_bytes;
};

static inline bool is_alive(const void *context, uint32_t entry)
{
    struct fixture *fixture = (struct fixture *)(uintptr_t)context;
    fixture->asked++;
    return entry < MEMBERS && !fixture->crashed[entry];
}

static inline void make_views(struct fixture *fixture, int kind, uint64_t capacity,
                              uint64_t item_bytes)
{
    for (uint32_t i = 0; i < MEMBERS; i++)
        fixture->views[i] = (struct quoit_ring_view){
            .ops = kinds[kind],
            .shm = &fixture->shm,
            .slots = fixture->memory + GUARD,
            .capacity = capacity,
            .item_bytes = item_bytes,
            .stride = quoit_ring_stride(kinds[kind], item_bytes, 8),
            .scratch = fixture->scratch,
            .peeked = fixture->peeked[i],
            .members = {.claim_records = fixture->claim_records,
                        .count = MEMBERS,
                        .own = i,
                        .is_alive = is_alive,
                        .context = fixture}};
}

/* A ring with its producer. */
static inline struct fixture *set_up(int kind, uint64_t capacity, uint64_t item_bytes,
                                     uint64_t start)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    CHECK(fixture);
    fixture->slots_bytes = (capacity + 1) * quoit_ring_stride(kinds[kind], item_bytes, 8);
    fixture->memory = malloc((size_t)fixture->slots_bytes + 2 * GUARD);
    CHECK(fixture->memory);
    memset(fixture->memory, guard_byte, (size_t)fixture->slots_bytes + 2 * GUARD);
    fixture->producer.state = &fixture->producer_state;
    for (uint32_t i = 0; i < MEMBERS; i++)
        fixture->consumers[i].state = &fixture->consumer_states[i];
    make_views(fixture, kind, capacity, item_bytes);
    kinds[kind]->init(&fixture->views[PRODUCER], start);
    CHECK_STATUS(kinds[kind]->attach_producer(&fixture->producer, &fixture->views[PRODUCER]),
                 QUOIT_OK);
    return fixture;
}

static inline void tear_down(struct fixture *fixture)
{
    CHECK_STATUS(fixture->views[0].ops->check(&fixture->views[0]), QUOIT_OK);
    for (int i = 0; i < GUARD; i++) {
        CHECK_EQUAL(fixture->memory[i], guard_byte);
        CHECK_EQUAL(fixture->memory[GUARD + fixture->slots_bytes + (uint64_t)i], guard_byte);
    }
    free(fixture->memory);
    free(fixture);
}

static inline void subscribe(struct fixture *fixture, uint32_t member, bool from_oldest)
{
    struct quoit_ring_view *view = &fixture->views[member];
    fixture->crashed[member] = false;
    view->from_oldest = from_oldest;
    CHECK_STATUS(view->ops->attach_consumer(&fixture->consumers[member], view), QUOIT_OK);
}

static inline void leave(struct fixture *fixture, uint32_t member)
{
    struct quoit_ring_view *view = &fixture->views[member];
    struct quoit_ring_producer none = {.next = NULL};
    view->ops->detach(&none, &fixture->consumers[member], view);
}

static inline quoit_status push(struct fixture *fixture, uint64_t value)
{
    const struct quoit_ring_view *view = &fixture->views[PRODUCER];
    return view->ops->push(&fixture->producer, view, &value, view->item_bytes);
}

static inline void pushes(struct fixture *fixture, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        CHECK_STATUS(push(fixture, first + i), QUOIT_OK);
}

static inline quoit_status pop(struct fixture *fixture, uint32_t member, uint64_t *value_out)
{
    const struct quoit_ring_view *view = &fixture->views[member];
    return view->ops->pop(&fixture->consumers[member], view, value_out,
                          &(uint64_t){view->item_bytes});
}

static inline void pops(struct fixture *fixture, uint32_t member, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = UINT64_MAX;
        CHECK_STATUS(pop(fixture, member, &value), QUOIT_OK);
        CHECK_EQUAL(value, first + i);
    }
}

static inline void finds(struct fixture *fixture, uint32_t member, quoit_status expected)
{
    uint64_t value;
    CHECK_STATUS(pop(fixture, member, &value), expected);
}

static inline uint64_t size_for(struct fixture *fixture, uint32_t member)
{
    return fixture->views[member].ops->size(&fixture->views[member]);
}

static inline uint64_t missed_by(struct fixture *fixture, uint32_t member)
{
    return fixture->consumer_states[member].broadcast.missed;
}

/* At the end of 64 bits, slots follow each other only if their number divides 2^64. */
static inline bool fits(uint64_t capacity, uint64_t start)
{
    return start < UINT64_MAX / 2 || (capacity & (capacity + 1)) == 0;
}

#endif
