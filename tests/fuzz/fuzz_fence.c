/* SPDX-License-Identifier: MIT */
/* Checks after each call of the region fuzzer: no access outside the pieces, and no handle that
   would lead to one later. */
#include "fuzz.h"

#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, bytes)   ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

static void fence(const quoit_region *region)
{
    ASAN_POISON_MEMORY_REGION(region->shm.base, (size_t)region->shm.size_bytes);
}

static void unfence(const quoit_region *region)
{
    ASAN_UNPOISON_MEMORY_REGION(region->shm.base, (size_t)region->shm.size_bytes);
}

static void allow(const void *at, uint64_t bytes)
{
    if (bytes > 0)
        ASAN_UNPOISON_MEMORY_REGION(at, (size_t)bytes);
}

/* The bytes of one turn of the positions, and the bytes of the slots. */
static uint64_t turn_bytes(const struct quoit_ring_view *ring)
{
    uint64_t spare = ring->ops == &quoit_spsc_bytes ? 0 : ring->ops->spare_slots;
    return (ring->capacity + spare) * ring->stride;
}

static uint64_t slots_bytes(const struct quoit_ring_view *ring)
{
    return (ring->capacity + ring->ops->spare_slots) * ring->stride;
}

void fence_queue(const quoit_queue *queue)
{
    const struct quoit_queue_view *view = &queue->handle->view;
    bool has_claims = view->ring.ops->many_consumers;
    uint64_t entries = view->members.count;
    fence(queue->handle->region);
    allow(view->ring.shm, sizeof *view->ring.shm);
    allow(view->ring.members.claim_records,
          has_claims ? entries * sizeof *view->ring.members.claim_records : 0);
    allow(view->members.entries, entries * sizeof *view->members.entries);
    allow(view->user, view->user_bytes);
    allow(view->ring.slots, slots_bytes(&view->ring));
}

void unfence_queue(const quoit_queue *queue)
{
    unfence(queue->handle->region);
}

void fence_pool(const quoit_pool *pool)
{
    const struct quoit_blocks *blocks = &pool->view.blocks;
    uint64_t entries = pool->view.members.count;
    fence(pool->region);
    allow(pool->view.members.entries, entries * sizeof *pool->view.members.entries);
    allow(blocks->members.incarnations, entries * sizeof *blocks->members.incarnations);
    allow(blocks->hints, quoit_blocks_hints(blocks->count) * sizeof *blocks->hints);
    allow(blocks->entries, blocks->count * sizeof *blocks->entries);
    allow(blocks->bytes, blocks->count * blocks->stride);
}

void unfence_pool(const quoit_pool *pool)
{
    unfence(pool->region);
}

/* ---- The handle's own state ------------------------------------------------------------------ */

static bool is_slot(const struct quoit_ring_view *ring, const uint8_t *slot)
{
    uint64_t at = (uint64_t)((uintptr_t)slot - (uintptr_t)ring->slots);
    uint64_t step = ring->ops == &quoit_spsc_bytes ? 8 : ring->stride;
    return at < turn_bytes(ring) && at % step == 0;
}

static void check_mpmc(const struct quoit_ring_view *ring, const struct quoit_mpmc_side *side)
{
    FUZZ_CHECK(is_slot(ring, side->slot));
    FUZZ_CHECK(!side->held.slot || is_slot(ring, side->held.slot));
}

static void check_producer(const struct quoit_ring_view *ring, struct quoit_ring_producer *side)
{
    FUZZ_CHECK(is_slot(ring, quoit_ring_producer_slot(side)));
    FUZZ_CHECK(side->limit - side->position <= ring->capacity);
    if (ring->ops->many_producers)
        check_mpmc(ring, &side->state->mpmc);
    if (ring->ops == &quoit_spsc_bytes) {
        FUZZ_CHECK(is_slot(ring, side->state->bytes.slot));
        FUZZ_CHECK(side->state->bytes.limit - side->state->bytes.number <= ring->capacity);
    }
    if (quoit_ring_has_subscribers(ring->ops) && !ring->ops->drops_oldest)
        FUZZ_CHECK(side->state->broadcast.limit - side->state->broadcast.position <=
                   ring->capacity);
    if (quoit_ring_has_subscribers(ring->ops))
        FUZZ_CHECK(is_slot(ring, side->state->broadcast.slot));
}

static void check_consumer(const struct quoit_ring_view *ring, struct quoit_ring_consumer *side)
{
    FUZZ_CHECK(is_slot(ring, quoit_ring_consumer_slot(side)));
    FUZZ_CHECK(side->limit - side->position <= ring->capacity);
    if (ring->ops->many_producers)
        check_mpmc(ring, &side->state->mpmc);
    if (ring->ops == &quoit_spsc_bytes) {
        FUZZ_CHECK(is_slot(ring, side->state->bytes.slot));
        FUZZ_CHECK(side->state->bytes.limit - side->state->bytes.position <= turn_bytes(ring));
        FUZZ_CHECK(side->state->bytes.peeked_bytes <= ring->stride);
    }
    if (quoit_ring_has_subscribers(ring->ops))
        FUZZ_CHECK(is_slot(ring, side->state->broadcast.slot));
}

void check_sides(const quoit_queue *queue)
{
    const struct quoit_queue_handle *handle = queue->handle;
    if (handle->roles & QUOIT_PRODUCER)
        check_producer(&handle->view.ring, &handle->queue->producer);
    if (handle->roles & QUOIT_CONSUMER)
        check_consumer(&handle->view.ring, &handle->queue->consumer);
}
