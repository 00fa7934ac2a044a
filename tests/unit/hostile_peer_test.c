/* SPDX-License-Identifier: MIT */
/*
 * A peer that may write anything to shared memory at any time, and two threads on one side of a
 * handle: whatever the counters say between two calls, no byte outside of the ring is written or
 * read. For each layout and each side, in plain memory between guards.
 */
#include "test.h"

#include "mpmc.h"
#include "ring_ops.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, GUARD = 16384, MOST_ITEMS = 40, LARGEST = 308, RUN = 4 };
static const uint8_t guard_byte = 0xc5;

struct shape {
    const char *name;
    const struct quoit_ring_ops *ops;
    uint64_t item_bytes;
    bool is_record; /* a message with its length before it */
};
static const struct shape shapes[] = {{"slots", &quoit_spsc_slots, 1, false},
                                      {"slots", &quoit_spsc_slots, 8, false},
                                      {"slots", &quoit_spsc_slots, 12, false},
                                      {"slots", &quoit_spsc_slots, 256, false},
                                      {"spans", &quoit_spsc_spans, 1, false},
                                      {"spans", &quoit_spsc_spans, 8, false},
                                      {"spans", &quoit_spsc_spans, 12, false},
                                      {"spans", &quoit_spsc_spans, 300, false},
                                      {"bytes", &quoit_spsc_bytes, 1, false},
                                      {"bytes", &quoit_spsc_bytes, 300, false},
                                      {"mpmc", &quoit_mpmc, 8, false},
                                      {"mpmc", &quoit_mpmc, 17, false},
                                      {"mpmc", &quoit_mpmc, 308, true},
                                      {"lossless", &quoit_broadcast_lossless, 8, false},
                                      {"lossless", &quoit_broadcast_lossless, 17, false},
                                      {"lossless", &quoit_broadcast_lossless, 308, true},
                                      {"lossy", &quoit_broadcast_lossy, 8, false},
                                      {"lossy", &quoit_broadcast_lossy, 17, false},
                                      {"lossy", &quoit_broadcast_lossy, 308, true}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };
static const uint64_t capacities[] = {1, 3, 8};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

/* Guards before, between and behind all that a ring has. */
struct world {
    uint8_t guard1[GUARD];
    _Alignas(64) struct quoit_ring_shm shm;
    struct quoit_claims_shm claims[ROWS];
    uint8_t guard2[GUARD];
    _Alignas(64) uint8_t slots[(8 + 1) * (LARGEST + 8 + 8)];
    uint8_t guard3[GUARD];
    struct quoit_ring_producer producer;
    uint8_t guard4[GUARD];
    struct quoit_ring_consumer consumer;
    uint8_t guard5[GUARD];
    _Alignas(64) uint8_t scratch[QUOIT_RING_SCRATCH_BYTES];
    _Alignas(64) uint8_t peeked[LARGEST + 12];
    uint8_t guard6[GUARD];
    struct quoit_ring_place place;
    struct quoit_cursor cursor;
    uint64_t slots_bytes, claimed, seen;
    bool is_record;
};
static struct world world;
static uint64_t random_state;

static unsigned next(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static bool is_alive(const void *context, uint32_t row)
{
    (void)context;
    return row == 1;
}

static uint64_t turn(void) /* what the counters of a full ring are apart */
{
    const struct quoit_ring_place *place = &world.place;
    return place->capacity *
           (place->ops == &quoit_spsc_bytes ? place->ops->stride(place->item_bytes) : 1);
}

static void set_up(const struct shape *shape, uint64_t capacity, uint64_t start)
{
    memset((void *)&world, guard_byte, offsetof(struct world, place));
    memset(&world.cursor, 0, sizeof world.cursor);
    world.claimed = world.seen = 0;
    world.is_record = shape->is_record;
    world.place = (struct quoit_ring_place){
        .ops = shape->ops,
        .shm = &world.shm,
        .slots = world.slots,
        .capacity = capacity,
        .item_bytes = shape->item_bytes,
        .empty = UINT64_C(0x0102030405060708),
        .scratch = world.scratch,
        .peeked = world.peeked,
        .members = {.claims = world.claims, .count = ROWS, .own = 0, .is_alive = is_alive}};
    world.slots_bytes = capacity * shape->ops->stride(shape->item_bytes) +
                        (shape->ops == &quoit_spsc_bytes ? shape->ops->stride(shape->item_bytes)
                                                         : 0);
    CHECK(world.slots_bytes <= sizeof world.slots);
    memset((void *)&world.shm, 0, sizeof world.shm);
    memset((void *)world.claims, 0, sizeof world.claims);
    memset(world.slots, 0, (size_t)world.slots_bytes);
    memset(world.scratch, 0, sizeof world.scratch);
    memset(world.peeked, 0, sizeof world.peeked);
    shape->ops->init(&world.place, start);
    CHECK_STATUS(shape->ops->attach_producer(&world.producer, &world.place), QUOIT_OK);
    CHECK_STATUS(shape->ops->attach_consumer(&world.consumer, &world.place), QUOIT_OK);
    (void)snprintf(test_context, sizeof test_context, "%s, %u bytes, capacity %u, start %llx",
                   shape->name, (unsigned)shape->item_bytes, (unsigned)capacity,
                   (unsigned long long)start);
}

static void check_guard(const uint8_t *at, const uint8_t *end)
{
    for (; at < end; at++)
        CHECK_EQUAL(*at, guard_byte);
}

static void check_guards(void)
{
    check_guard(world.guard1, world.guard1 + GUARD);
    check_guard(world.guard2, world.guard2 + GUARD);
    check_guard(world.slots + world.slots_bytes, world.guard3 + GUARD);
    check_guard(world.guard4, world.guard4 + GUARD);
    check_guard(world.guard5, world.guard5 + GUARD);
    check_guard(world.guard6, world.guard6 + GUARD);
}

/* Nothing that was read comes from a guard. */
static void check_read(const void *items, uint64_t bytes)
{
    const uint8_t *at = items;
    for (uint64_t i = 0, run = 0; i < bytes; i++) {
        run = at[i] == guard_byte ? run + 1 : 0;
        CHECK(run < RUN);
    }
}

/* ---- What a handle keeps --------------------------------------------------------------------- */

static bool is_slot(const uint8_t *slot)
{
    const struct quoit_ring_place *place = &world.place;
    uint64_t stride = place->ops->stride(place->item_bytes);
    uint64_t at = (uint64_t)((uintptr_t)slot - (uintptr_t)place->slots);
    return at < place->capacity * stride &&
           at % (place->ops == &quoit_spsc_bytes ? 8 : stride) == 0;
}

static void check_sides(void)
{
    const struct quoit_ring_place *place = &world.place;
    struct quoit_ring_producer *producer = &world.producer;
    struct quoit_ring_consumer *consumer = &world.consumer;
    CHECK(is_slot(quoit_ring_producer_slot(producer)));
    CHECK(is_slot(quoit_ring_consumer_slot(consumer)));
    CHECK(producer->limit - producer->position <= place->capacity);
    CHECK(consumer->limit - consumer->position <= place->capacity);
    if (place->ops == &quoit_spsc_bytes) {
        CHECK(is_slot(producer->bytes.slot) && is_slot(consumer->bytes.slot));
        CHECK(producer->bytes.limit - producer->bytes.position <= turn());
        CHECK(consumer->bytes.limit - consumer->bytes.position <= turn());
    } else if (place->ops == &quoit_mpmc) {
        CHECK(is_slot(producer->mpmc.next.slot) && is_slot(consumer->mpmc.next.slot));
    } else if (place->ops == &quoit_broadcast_lossless || place->ops == &quoit_broadcast_lossy) {
        CHECK(is_slot(producer->broadcast.slot) && is_slot(consumer->broadcast.slot));
    }
    if (place->ops == &quoit_broadcast_lossless)
        CHECK(producer->broadcast.limit - producer->broadcast.position <= place->capacity);
}

/* ---- The two honest sides -------------------------------------------------------------------- */

static void push_in_place(unsigned what)
{
    const struct quoit_ring_place *place = &world.place;
    void *room;
    uint64_t wanted = 1 + next((unsigned)place->capacity + 2);
    if (what == 0 && place->ops->claim &&
        place->ops->claim(&world.producer, place, wanted, &room, &world.claimed) == QUOIT_OK)
        memset(room, 1, (size_t)(world.claimed * place->item_bytes));
    else if (what == 1)
        (void)place->ops->commit(&world.producer, place, next(3) ? world.claimed : next(9));
    if (!place->ops->claim_message || (place->ops != &quoit_spsc_bytes && !world.is_record))
        return;
    uint64_t most = place->item_bytes - (world.is_record ? QUOIT_RECORD_HEADER_BYTES : 0);
    uint64_t bytes = next((unsigned)most + 1);
    if (what == 2 && place->ops->claim_message(&world.producer, place, bytes, &room) == QUOIT_OK)
        memset(room, 1, (size_t)bytes);
    else if (what == 3)
        (void)place->ops->commit_message(&world.producer, place, bytes);
}

static void use_producer(unsigned what)
{
    static const uint8_t items[MOST_ITEMS * LARGEST];
    const struct quoit_ring_place *place = &world.place;
    struct quoit_ring_producer *side = &world.producer;
    uint64_t count = 1 + next(3 * (unsigned)place->capacity);
    switch (what) {
    case 0:
    case 1:
        (void)place->ops->look_for_room(side, place);
        break;
    case 2:
        if (place->ops->push)
            (void)place->ops->push(side, place, items);
        break;
    case 3:
        if (place->ops->push_many)
            (void)place->ops->push_many(side, place, items, count);
        break;
    case 4:
        (void)quoit_spsc_push_some(side, items, count, place->item_bytes);
        break;
    case 5:
        (void)quoit_spsc_put_span(side, items, count, place->item_bytes);
        break;
    case 6:
        if (next(64) == 0)
            place->ops->finish(side, place);
        break;
    default:
        push_in_place(what % 4);
    }
}

static void pop_in_place(unsigned what)
{
    const struct quoit_ring_place *place = &world.place;
    const void *items;
    uint64_t bytes;
    if (what == 0 && place->ops->peek &&
        place->ops->peek(&world.consumer, place, &items, &world.seen) == QUOIT_OK)
        check_read(items, world.seen * place->item_bytes);
    else if (what == 1)
        (void)place->ops->release(&world.consumer, place, next(3) ? world.seen : next(9));
    if (!place->ops->peek_message || (place->ops != &quoit_spsc_bytes && !world.is_record))
        return;
    if (what == 2 && place->ops->peek_message(&world.consumer, place, &items, &bytes) == QUOIT_OK)
        check_read(items, bytes);
    else if (what == 3)
        (void)place->ops->release(&world.consumer, place, 1);
}

static void ask(void)
{
    static uint8_t item[LARGEST];
    const struct quoit_ring_place *place = &world.place;
    struct quoit_glance glance = {
        .buffer = item, .room_bytes = sizeof item, .is_record = world.is_record};
    (void)place->ops->size(place);
    (void)place->ops->has_items(place);
    (void)place->ops->has_room(place);
    (void)place->ops->is_over(place);
    (void)place->ops->check(place);
    if (place->ops->repair)
        (void)place->ops->repair(place);
    if (place->ops->contains && place->item_bytes == 8)
        (void)place->ops->contains(place, 7);
    if (next(4) == 0)
        world.cursor = (struct quoit_cursor){0};
    if (place->ops->look(place, &world.cursor, &glance) == QUOIT_OK)
        check_read(item, glance.bytes);
}

static void use_consumer(unsigned what)
{
    static uint8_t items[MOST_ITEMS * LARGEST];
    const struct quoit_ring_place *place = &world.place;
    struct quoit_ring_consumer *side = &world.consumer;
    uint64_t count = 1 + next(3 * (unsigned)place->capacity), popped = 0;
    switch (what) {
    case 0:
    case 1:
        (void)place->ops->look_for_items(side, place);
        break;
    case 2:
        popped = place->ops->pop && place->ops->pop(side, place, items) == QUOIT_OK;
        break;
    case 3:
        popped = place->ops->pop_many ? place->ops->pop_many(side, place, items, count) : 0;
        break;
    case 4:
        popped = quoit_spsc_pop_some(side, items, count, place->item_bytes);
        break;
    case 5:
        popped = quoit_spsc_take_span(side, items, count, place->item_bytes) ? count : 0;
        break;
    case 6:
        ask();
        break;
    default:
        pop_in_place(what % 4);
    }
    CHECK(popped <= count);
    check_read(items, popped * place->item_bytes);
}

/* ---- The hostile one ------------------------------------------------------------------------- */

/* Relaxed, here and below: a peer that keeps to no order. */
static void store(void *at, uint64_t value)
{
    atomic_store_explicit((quoit_atomic_u64 *)at, value, memory_order_relaxed);
}

static uint64_t load(void *at)
{
    return atomic_load_explicit((quoit_atomic_u64 *)at, memory_order_relaxed);
}

static uint64_t choose_value(uint64_t now)
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
    return world.place.ops == &quoit_spsc_bytes && next(4) ? value & ~UINT64_C(7) : value;
}

static void change(void)
{
    void *const words[] = {
        &world.shm.head,          &world.shm.tail,          &world.shm.head,
        &world.shm.tail,          &world.shm.marked,        &world.shm.rows,
        &world.claims[0].popping, &world.claims[0].pushing, &world.claims[1].popping};
    unsigned which = next(12);
    if (which < 9) {
        bool is_row = which >= 6 && world.place.ops != &quoit_mpmc;
        uint64_t now = load(words[which]);
        store(words[which],
              is_row ? choose_value(now >> 16) << 16 | (now & 0xffff) : choose_value(now));
        return;
    }
    uint64_t position = choose_value(load(next(2) ? &world.shm.head : &world.shm.tail));
    uint64_t slots = world.slots_bytes / 8, lap = position / world.place.capacity << 16;
    const uint64_t of[] = {position, 2 * position + 1 + next(2), lap | next(2), world.place.empty};
    if (slots > 0)
        store(world.slots + 8 * next((unsigned)slots), of[next(4)]);
}

/* What two threads on one side can leave in the handle: numbers that contradict each other. */
static void spoil(void)
{
    struct quoit_ring_producer *producer = &world.producer;
    struct quoit_ring_consumer *consumer = &world.consumer;
    uint64_t *const spans[] = {&producer->position, &producer->limit, &producer->claim_at,
                               &consumer->position, &consumer->limit};
    uint64_t *const bytes[] = {&producer->bytes.position, &producer->bytes.limit,
                               &consumer->bytes.position, &consumer->bytes.limit,
                               &consumer->bytes.limit};
    uint64_t *const mpmc[] = {&producer->mpmc.position, &producer->mpmc.next.lap,
                              &consumer->mpmc.position, &consumer->mpmc.next.lap,
                              &consumer->mpmc.marked};
    uint64_t *const broadcast[] = {&producer->broadcast.position, &producer->broadcast.limit,
                                   &consumer->broadcast.position, &producer->claim_at,
                                   &producer->broadcast.limit};
    const struct quoit_ring_ops *ops = world.place.ops;
    uint64_t *const *kept = ops == &quoit_spsc_spans   ? spans
                            : ops == &quoit_spsc_bytes ? bytes
                            : ops == &quoit_mpmc       ? mpmc
                                                       : broadcast;
    if (ops == &quoit_spsc_slots) /* keeps none */
        return;
    uint64_t *number = kept[next(5)];
    *number = choose_value(*number);
}

static void try_shape(const struct shape *shape, uint64_t capacity, bool produces, bool consumes,
                      bool spoils)
{
    static const uint64_t starts[] = {0, 40, UINT64_MAX & ~UINT64_C(31)};
    enum { ROUNDS = 90, STEPS = 40 };
    for (int round = 0; round < ROUNDS; round++) {
        bool mpmc = shape->ops == &quoit_mpmc;
        set_up(shape, capacity, starts[round % (mpmc ? 2 : 3)]);
        for (int i = 0; i < STEPS; i++) {
            if (produces && (!consumes || next(2)))
                use_producer(next(11));
            else
                use_consumer(next(11));
            if (!spoils)
                check_sides();
            if (spoils && next(2))
                spoil();
            else if (next(4))
                change();
        }
        check_guards();
    }
}

static void any_counter(void)
{
    for (int i = 0; i < SHAPES; i++)
        for (int j = 0; j < CAPACITIES; j++)
            for (int sides = 1; sides <= 3; sides++)
                try_shape(&shapes[i], capacities[j], sides % 2 == 1, sides >= 2, false);
}

static void any_handle(void)
{
    for (int i = 0; i < SHAPES; i++)
        for (int j = 0; j < CAPACITIES; j++)
            try_shape(&shapes[i], capacities[j], true, true, true);
}

/* ---- Three that were found ------------------------------------------------------------------- */

/* A claim, a head that goes back, a look for room, the commit, and a batch. */
static void rewound_head(void)
{
    static const uint64_t items[MOST_ITEMS];
    void *room;
    uint64_t count;
    for (uint64_t back = 1; back <= 8; back++) {
        set_up(&shapes[5], 8, 0);
        const struct quoit_ring_ops *ops = world.place.ops;
        CHECK_STATUS(ops->claim(&world.producer, &world.place, 8, &room, &count), QUOIT_OK);
        CHECK_EQUAL(count, 8);
        store(&world.shm.head, 0 - back);
        CHECK_STATUS(ops->look_for_room(&world.producer, &world.place), QUOIT_CORRUPT);
        CHECK(ops->commit(&world.producer, &world.place, count));
        check_sides();
        CHECK_EQUAL(ops->push_many(&world.producer, &world.place, items, MOST_ITEMS), 0);
        CHECK_EQUAL(quoit_spsc_push_some(&world.producer, items, MOST_ITEMS, 8), 0);
        check_guards();
    }
}

/* Likewise a message, and the consumer's side. */
static void rewound_bytes(void)
{
    const struct shape *shape = &shapes[9];
    const void *message;
    void *room;
    uint64_t bytes;
    set_up(shape, 1, 0);
    CHECK_STATUS(shape->ops->claim_message(&world.producer, &world.place, 300, &room), QUOIT_OK);
    store(&world.shm.head, 0 - turn());
    CHECK_STATUS(shape->ops->look_for_room(&world.producer, &world.place), QUOIT_CORRUPT);
    CHECK(shape->ops->commit_message(&world.producer, &world.place, 300));
    check_sides();
    CHECK_STATUS(shape->ops->peek_message(&world.consumer, &world.place, &message, &bytes),
                 QUOIT_OK);
    CHECK_EQUAL(bytes, 300);
    store(&world.shm.tail, 8);
    CHECK_STATUS(shape->ops->look_for_items(&world.consumer, &world.place), QUOIT_CORRUPT);
    CHECK(shape->ops->release(&world.consumer, &world.place, 1));
    check_sides();
}

/* A claim is given up by the end of the stream: it cannot be committed behind it. */
static void finished_claim(void)
{
    static const uint8_t items[MOST_ITEMS * LARGEST];
    void *room;
    for (int i = 0; i < SHAPES; i++) {
        set_up(&shapes[i], 8, 0);
        const struct quoit_ring_ops *ops = world.place.ops;
        uint64_t count = 1;
        bool is_message = ops->claim == NULL;
        CHECK_STATUS(is_message ? ops->claim_message(&world.producer, &world.place, 1, &room)
                                : ops->claim(&world.producer, &world.place, 8, &room, &count),
                     QUOIT_OK);
        ops->finish(&world.producer, &world.place);
        CHECK(!(is_message ? ops->commit_message(&world.producer, &world.place, 1)
                           : ops->commit(&world.producer, &world.place, count)));
        check_sides();
        if (ops->push_many)
            CHECK_EQUAL(ops->push_many(&world.producer, &world.place, items, MOST_ITEMS), 0);
        check_guards();
    }
}

/* ---- Sizes and addresses --------------------------------------------------------------------- */

/* Items of every size are browsed whole, and nothing behind the last of them is read. */
static void browsing(void)
{
    static const uint64_t sizes[] = {1,  2,  3,  4,  5,  6,  7,  8,   9,  10,
                                     11, 12, 13, 14, 15, 16, 17, 300, 301};
    const struct quoit_ring_ops *const layouts[] = {&quoit_spsc_slots, &quoit_spsc_spans,
                                                    &quoit_mpmc, &quoit_broadcast_lossless,
                                                    &quoit_broadcast_lossy};
    uint8_t item[LARGEST], seen[LARGEST];
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned layout = 0; layout < sizeof layouts / sizeof layouts[0]; layout++) {
            if (layouts[layout] == &quoit_spsc_slots && sizes[i] > 256)
                continue;
            set_up(&(struct shape){"browsed", layouts[layout], sizes[i], false}, 8, 0);
            for (uint64_t k = 0; k < 8; k++) {
                memset(item, (int)('a' + k), sizeof item);
                CHECK_STATUS(layouts[layout]->push(&world.producer, &world.place, item), QUOIT_OK);
            }
            for (uint64_t k = 0; k < 8; k++) {
                struct quoit_glance glance = {.buffer = seen, .room_bytes = sizes[i]};
                memset(item, (int)('a' + k), sizeof item);
                memset(seen, 0, sizeof seen);
                CHECK_STATUS(layouts[layout]->look(&world.place, &world.cursor, &glance), QUOIT_OK);
                CHECK(memcmp(seen, item, (size_t)sizes[i]) == 0);
                CHECK_EQUAL(seen[sizes[i]], 0);
            }
        }
}

/* ---- Two threads on one side, which is forbidden --------------------------------------------- */

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifndef WITH_TSAN
#define WITH_TSAN 0
#endif

enum { CALLS = 20000 };

static void push_for_a_while(void *unused)
{
    static const uint8_t items[MOST_ITEMS * LARGEST];
    const struct quoit_ring_place *place = &world.place;
    struct quoit_ring_producer *side = &world.producer;
    uint64_t most = 3 * place->capacity;
    (void)unused;
    for (unsigned i = 0; i < CALLS; i++) {
        void *room;
        uint64_t count = 0;
        if (place->ops->push_many && i % 4 == 0)
            (void)place->ops->push_many(side, place, items, 1 + i % most);
        else if (i % 4 == 1)
            (void)quoit_spsc_push_some(side, items, 1 + i % most, place->item_bytes);
        else if (place->ops->push && i % 4 == 2)
            (void)place->ops->push(side, place, items);
        else if (place->ops->claim && place->ops->claim(side, place, 4, &room, &count) == QUOIT_OK)
            (void)place->ops->commit(side, place, count);
        else if (place->ops == &quoit_spsc_bytes &&
                 place->ops->claim_message(side, place, i % place->item_bytes, &room) == QUOIT_OK)
            (void)place->ops->commit_message(side, place, i % place->item_bytes);
    }
}

static void pop_for_a_while(void *unused)
{
    const struct quoit_ring_place *place = &world.place;
    struct quoit_ring_consumer *side = &world.consumer;
    uint64_t most = 3 * place->capacity;
    uint8_t *items = calloc(MOST_ITEMS, LARGEST);
    CHECK(items);
    (void)unused;
    for (unsigned i = 0; i < CALLS; i++) {
        const void *seen;
        uint64_t count = 0;
        if (place->ops->pop_many && i % 4 == 0)
            (void)place->ops->pop_many(side, place, items, 1 + i % most);
        else if (i % 4 == 1)
            (void)quoit_spsc_pop_some(side, items, 1 + i % most, place->item_bytes);
        else if (place->ops->pop && i % 4 == 2)
            (void)place->ops->pop(side, place, items);
        else if (place->ops->peek && place->ops->peek(side, place, &seen, &count) == QUOIT_OK)
            (void)place->ops->release(side, place, count);
        else if (place->ops == &quoit_spsc_bytes &&
                 place->ops->peek_message(side, place, &seen, &count) == QUOIT_OK)
            (void)place->ops->release(side, place, 1);
    }
    free(items);
}

/* Items may be lost or come twice; no byte is written elsewhere. */
static void two_threads(void)
{
    if (WITH_TSAN) {
        printf("  left out: these races are forbidden, and it would report them\n");
        return;
    }
    for (int i = 0; i < SHAPES; i++) {
        set_up(&shapes[i], 8, 0);
        test_thread *threads[] = {
            test_thread_start(push_for_a_while, NULL), test_thread_start(push_for_a_while, NULL),
            test_thread_start(pop_for_a_while, NULL), test_thread_start(pop_for_a_while, NULL)};
        for (int k = 0; k < 4; k++)
            test_thread_join(threads[k]);
        check_guards();
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"a head that goes back between claim and commit", rewound_head},
        {"counters of bytes that go back", rewound_bytes},
        {"a claim that the end gives up", finished_claim},
        {"any counter between any two calls", any_counter},
        {"a handle that two threads have spoiled", any_handle},
        {"browsing items of every size", browsing},
        {"two threads on one side", two_threads},
        {NULL, NULL}};
    random_state = 1;
    return test_main(argc, argv, parts, NULL);
}
