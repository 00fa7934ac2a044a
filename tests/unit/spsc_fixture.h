/* SPDX-License-Identifier: MIT */
/* An SPSC ring of slots or spans in plain memory, between guards. */
#ifndef SPSC_FIXTURE_H
#define SPSC_FIXTURE_H

#include "test.h"

#include "ring_ops.h"

#include <stdlib.h>

static const struct quoit_ring_ops *const layouts[] = {&quoit_spsc_slots, &quoit_spsc_spans};
static const char *const layout_names[] = {"slots", "spans"};
enum { LAYOUTS = 2 };

static const uint64_t capacities[] = {1, 2, 3, 5, 8, 1000};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

/* Counters begin here: at 0, and before the end of 32 bits; before the end of 64 bits only if a lap
   divides 2^64. */
static const uint64_t starts[] = {0, 1, UINT32_MAX - 3, INT64_MAX - 3, UINT64_MAX - 3};
enum { STARTS = sizeof starts / sizeof starts[0] };

enum { GUARD = 64, LARGEST_ITEM = 300 };
static const uint8_t guard_byte = 0xa5;
static const uint64_t empty_word = 7; /* the tests also push items with this value */

/* A ring whose slots lie between guard bytes. */
struct fixture {
    struct quoit_ring_shm shm;
    struct quoit_ring_view view;
    struct quoit_ring_producer producer;
    struct quoit_ring_consumer consumer;
    struct quoit_ring_producer_state producer_state;
    struct quoit_ring_consumer_state consumer_state;
    uint8_t *memory;
    uint64_t slots_bytes;
    uint8_t scratch[QUOIT_RING_SCRATCH_BYTES];
};

static struct fixture *set_up(const struct quoit_ring_ops *layout, uint64_t capacity,
                              uint64_t item_bytes, uint64_t start)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    CHECK(fixture);
    const uint64_t stride = quoit_ring_stride(layout, item_bytes, 8);
    fixture->slots_bytes = capacity * stride;
    fixture->memory = malloc((size_t)fixture->slots_bytes + 2 * GUARD);
    CHECK(fixture->memory);
    memset(fixture->memory, guard_byte, (size_t)fixture->slots_bytes + 2 * GUARD);
    fixture->view = (struct quoit_ring_view){.ops = layout,
                                             .shm = &fixture->shm,
                                             .slots = fixture->memory + GUARD,
                                             .capacity = capacity,
                                             .item_bytes = item_bytes,
                                             .stride = stride,
                                             .empty = empty_word,
                                             .scratch = fixture->scratch};
    fixture->producer.state = &fixture->producer_state;
    fixture->consumer.state = &fixture->consumer_state;
    layout->init(&fixture->view, start);
    CHECK_STATUS(layout->attach_producer(&fixture->producer, &fixture->view), QUOIT_OK);
    CHECK_STATUS(layout->attach_consumer(&fixture->consumer, &fixture->view), QUOIT_OK);
    return fixture;
}

static void tear_down(struct fixture *fixture)
{
    CHECK_STATUS(quoit_spsc_check(&fixture->view), QUOIT_OK);
    for (int i = 0; i < GUARD; i++) {
        CHECK_EQUAL(fixture->memory[i], guard_byte);
        CHECK_EQUAL(fixture->memory[GUARD + fixture->slots_bytes + (uint64_t)i], guard_byte);
    }
    free(fixture->memory);
    free(fixture);
}

static quoit_status push_item(struct fixture *fixture, const void *item)
{
    if (quoit_spsc_put(&fixture->producer, item, fixture->view.item_bytes))
        return QUOIT_OK;
    return fixture->view.ops->push(&fixture->producer, &fixture->view, item,
                                   fixture->view.item_bytes);
}

static quoit_status pop_item(struct fixture *fixture, void *item_out)
{
    if (quoit_spsc_take(&fixture->consumer, item_out, fixture->view.item_bytes))
        return QUOIT_OK;
    return fixture->view.ops->pop(&fixture->consumer, &fixture->view, item_out,
                                  &(uint64_t){fixture->view.item_bytes});
}

static quoit_status push(struct fixture *fixture, uint64_t value)
{
    return push_item(fixture, &value);
}

static quoit_status pop(struct fixture *fixture, uint64_t *value_out)
{
    return pop_item(fixture, value_out);
}

static quoit_status claim(struct fixture *fixture, uint64_t wanted, void **room_out,
                          uint64_t *count_out)
{
    return fixture->view.ops->claim(&fixture->producer, &fixture->view, wanted,
                                    fixture->view.item_bytes, room_out, count_out);
}

static bool commit(struct fixture *fixture, uint64_t count)
{
    return fixture->view.ops->commit(&fixture->producer, &fixture->view, count,
                                     fixture->view.item_bytes);
}

static quoit_status peek(struct fixture *fixture, const void **items_out, uint64_t *count_out)
{
    uint64_t bytes;
    *count_out = UINT64_MAX;
    return fixture->view.ops->peek(&fixture->consumer, &fixture->view, items_out, count_out,
                                   &bytes);
}

static uint64_t size_of(struct fixture *fixture)
{
    return fixture->view.ops->size(&fixture->view);
}

#endif
