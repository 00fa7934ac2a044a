/* SPDX-License-Identifier: MIT */
/* A ring of any layout in plain memory between guards, and a hostile peer that changes its
   words. */
#ifndef HOSTILE_FIXTURE_H
#define HOSTILE_FIXTURE_H

#include "test.h"

#include "mpmc.h"
#include "ring_finish.h"
#include "ring_ops.h"

#include <string.h>

enum { ENTRIES = 3, GUARD = 16384, MOST_ITEMS = 40, LARGEST = 308, RUN = 4 };
static const uint8_t guard_byte = 0xc5;

struct shape {
    const char *name;
    const struct quoit_ring_ops *ops;
    uint64_t item_bytes; /* the longest message */
};
static const struct shape shapes[] = {{"slots", &quoit_spsc_slots, 1},
                                      {"slots", &quoit_spsc_slots, 8},
                                      {"slots", &quoit_spsc_slots, 12},
                                      {"slots", &quoit_spsc_slots, 24},
                                      {"spans", &quoit_spsc_spans, 1},
                                      {"spans", &quoit_spsc_spans, 8},
                                      {"spans", &quoit_spsc_spans, 12},
                                      {"spans", &quoit_spsc_spans, 300},
                                      {"bytes", &quoit_spsc_bytes, 1},
                                      {"bytes", &quoit_spsc_bytes, 300},
                                      {"mpmc", &quoit_mpmc, 8},
                                      {"mpmc", &quoit_mpmc, 17},
                                      {"mpmc", &quoit_mpmc_messages, 300},
                                      {"lossless", &quoit_broadcast_lossless, 8},
                                      {"lossless", &quoit_broadcast_lossless, 17},
                                      {"lossless", &quoit_broadcast_lossless_messages, 300},
                                      {"lossy", &quoit_broadcast_lossy, 8},
                                      {"lossy", &quoit_broadcast_lossy, 17},
                                      {"lossy", &quoit_broadcast_lossy_messages, 300}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };
static const uint64_t capacities[] = {1, 3, 8};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

/* Guards before, between and behind all parts of a ring. */
struct world {
    uint8_t guard1[GUARD];
    _Alignas(64) struct quoit_ring_shm shm;
    struct quoit_claim_record_shm claim_records[ENTRIES];
    uint8_t guard2[GUARD];
    _Alignas(64) uint8_t slots[(8 + 1) * (LARGEST + 8 + 8)];
    uint8_t guard3[GUARD];
    struct quoit_ring_producer producer;
    struct quoit_ring_producer_state producer_state;
    uint8_t guard4[GUARD];
    struct quoit_ring_consumer consumer;
    struct quoit_ring_consumer_state consumer_state;
    uint8_t guard5[GUARD];
    _Alignas(64) uint8_t scratch[QUOIT_RING_SCRATCH_BYTES];
    _Alignas(64) uint8_t peeked[LARGEST + 12];
    uint8_t guard6[GUARD];
    struct quoit_ring_view view;
    struct quoit_ring_browser browser;
    uint64_t slots_bytes, claimed, seen;
};
static struct world world;

static inline unsigned next(unsigned below)
{
    return (unsigned)(test_random() >> 33) % below;
}

static inline bool is_alive(const void *context, uint32_t entry)
{
    (void)context;
    return entry == 1;
}

static inline bool has_extra_slot(const struct quoit_ring_ops *ops)
{
    return ops == &quoit_spsc_bytes || ops == &quoit_broadcast_lossless ||
           ops == &quoit_broadcast_lossy;
}

static inline uint64_t turn(void) /* the distance of the counters of a full ring */
{
    const struct quoit_ring_view *view = &world.view;
    return view->capacity * (view->ops == &quoit_spsc_bytes ? view->stride : 1);
}

static inline void set_up(const struct shape *shape, uint64_t capacity, uint64_t start)
{
    memset((void *)&world, guard_byte, offsetof(struct world, view));
    memset(&world.browser, 0, sizeof world.browser);
    world.claimed = world.seen = 0;
    world.view = (struct quoit_ring_view){
        .ops = shape->ops,
        .shm = &world.shm,
        .slots = world.slots,
        .capacity = capacity,
        .item_bytes = shape->item_bytes + shape->ops->record_bytes,
        .stride = quoit_ring_stride(shape->ops, shape->item_bytes + shape->ops->record_bytes, 8),
        .align = 8,
        .empty = UINT64_C(0x0102030405060708),
        .scratch = world.scratch,
        .peeked = world.peeked,
        .members = {.claim_records = world.claim_records,
                    .count = ENTRIES,
                    .own = 0,
                    .is_alive = is_alive}};
    world.slots_bytes = (capacity + shape->ops->spare_slots) * world.view.stride;
    CHECK_LE(world.slots_bytes, sizeof world.slots);
    memset((void *)&world.shm, 0, sizeof world.shm);
    memset((void *)world.claim_records, 0, sizeof world.claim_records);
    memset(world.slots, 0, (size_t)world.slots_bytes);
    memset(world.scratch, 0, sizeof world.scratch);
    memset(world.peeked, 0, sizeof world.peeked);
    world.producer.state = &world.producer_state;
    world.consumer.state = &world.consumer_state;
    shape->ops->init(&world.view, start);
    CHECK_STATUS(shape->ops->attach_producer(&world.producer, &world.view), QUOIT_OK);
    CHECK_STATUS(shape->ops->attach_consumer(&world.consumer, &world.view), QUOIT_OK);
    (void)snprintf(test_context, sizeof test_context, "%s, %u bytes, capacity %u, start %llx",
                   shape->name, (unsigned)shape->item_bytes, (unsigned)capacity,
                   (unsigned long long)start);
}

static inline void check_guard(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at == guard_byte) /* a check of each byte would take minutes on i386 */
        at++;
    if (at < end)
        CHECK_EQUAL(*at, guard_byte);
}

static inline void check_guards(void)
{
    check_guard(world.guard1, world.guard1 + GUARD);
    check_guard(world.guard2, world.guard2 + GUARD);
    check_guard(world.slots + world.slots_bytes, world.guard3 + GUARD);
    check_guard(world.guard4, world.guard4 + GUARD);
    check_guard(world.guard5, world.guard5 + GUARD);
    check_guard(world.guard6, world.guard6 + GUARD);
}

/* No byte that was read is from a guard. */
static inline void check_read(const void *items, uint64_t bytes)
{
    const uint8_t *at = items;
    for (uint64_t i = 0, run = 0; i < bytes; i++) {
        run = at[i] == guard_byte ? run + 1 : 0;
        if (run >= RUN)
            CHECK_LT(run, RUN);
    }
}

/* ---- The private state of a handle ----------------------------------------------------------- */

static inline bool is_slot(const uint8_t *slot)
{
    const struct quoit_ring_view *view = &world.view;
    uint64_t at = (uint64_t)((uintptr_t)slot - (uintptr_t)view->slots);
    bool bytes = view->ops == &quoit_spsc_bytes; /* no message begins in the spare slot */
    return at < (bytes ? view->capacity * view->stride : world.slots_bytes) &&
           at % (bytes ? 8 : view->stride) == 0;
}

static inline void check_sides(void)
{
    const struct quoit_ring_view *view = &world.view;
    struct quoit_ring_producer *producer = &world.producer;
    struct quoit_ring_consumer *consumer = &world.consumer;
    CHECK(is_slot(quoit_ring_producer_slot(producer)));
    CHECK(is_slot(quoit_ring_consumer_slot(consumer)));
    CHECK_LE(producer->limit - producer->position, view->capacity);
    CHECK_LE(consumer->limit - consumer->position, view->capacity);
    if (view->ops == &quoit_spsc_bytes) {
        CHECK(is_slot(producer->state->bytes.slot) && is_slot(consumer->state->bytes.slot));
        CHECK_LE(producer->state->bytes.limit - producer->state->bytes.number, view->capacity);
        CHECK_LE(consumer->state->bytes.limit - consumer->state->bytes.position, turn());
    } else if (view->ops->many_producers) {
        CHECK(is_slot(producer->state->mpmc.slot) && is_slot(consumer->state->mpmc.slot));
    } else if (quoit_ring_has_subscribers(view->ops)) {
        CHECK(is_slot(producer->state->broadcast.slot) && is_slot(consumer->state->broadcast.slot));
    }
    if (quoit_ring_has_subscribers(view->ops) && !view->ops->drops_oldest)
        CHECK_LE(producer->state->broadcast.limit - producer->state->broadcast.position,
                 view->capacity);
}

/* ---- The hostile peer ------------------------------------------------------------------------ */

/* Relaxed, also below: this peer follows no order. */
static inline void store(void *at, uint64_t value)
{
    atomic_store_explicit((quoit_atomic_u64 *)at, value, memory_order_relaxed);
}

static inline uint64_t load(void *at)
{
    return atomic_load_explicit((quoit_atomic_u64 *)at, memory_order_relaxed);
}

static inline uint64_t choose_value(uint64_t now)
{
    const uint64_t values[] = {now - turn(),
                               now - 1 - next(8),
                               now - turn() * (1 + next(3)),
                               now + 1 + next(8),
                               now + turn(),
                               now + turn() * (1 + next(3)),
                               load(&world.shm.tail) - turn(),
                               load(&world.shm.tail),
                               load(&world.shm.head),
                               load(&world.shm.head) + turn(),
                               0,
                               UINT64_MAX,
                               INT64_MAX,
                               UINT64_C(1) << 63};
    uint64_t value = values[next(sizeof values / sizeof values[0])];
    return world.view.ops == &quoit_spsc_bytes && next(4) ? value & ~UINT64_C(7) : value;
}

static inline void change(void)
{
    void *const words[] = {&world.shm.head,
                           &world.shm.tail,
                           &world.shm.head,
                           &world.shm.tail,
                           &world.shm.committed_below,
                           &world.shm.entries_used,
                           &world.claim_records[0].popping,
                           &world.claim_records[0].pushing,
                           &world.claim_records[1].popping};
    unsigned which = next(12);
    if (which < 9) {
        bool is_entry = which >= 6 && !world.view.ops->many_producers;
        uint64_t now = load(words[which]);
        store(words[which],
              is_entry ? choose_value(now >> 16) << 16 | (now & 0xffff) : choose_value(now));
        return;
    }
    uint64_t position = choose_value(load(next(2) ? &world.shm.head : &world.shm.tail));
    uint64_t slots = world.slots_bytes / 8, lap = position / world.view.capacity << 16;
    const uint64_t of[] = {position, 2 * position + 1 + next(2), lap | next(2), world.view.empty};
    if (slots > 0)
        store(world.slots + 8 * next((unsigned)slots), of[next(4)]);
}

#endif
