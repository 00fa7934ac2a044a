/* SPDX-License-Identifier: MIT */
/*
 * A peer that may write anything to shared memory at any time, and two threads on one side of a
 * handle. For any value of the counters between two calls, no byte outside the ring is written or
 * read. Tests each layout and each side, in plain memory between guards.
 */
#include "hostile_fixture.h"

#include <stdlib.h>

/* ---- The two correct sides ------------------------------------------------------------------- */

/* For messages, the ring counts bytes, or an item is a record. */
static bool has_messages(void)
{
    return !world.view.ops->push_many;
}

static uint64_t longest(void)
{
    return world.view.item_bytes - world.view.ops->record_bytes;
}

static void push_in_place(unsigned what)
{
    const struct quoit_ring_view *view = &world.view;
    void *room;
    uint64_t wanted = 1 + next((unsigned)view->capacity + 2);
    uint64_t bytes = has_messages() ? next((unsigned)longest() + 1) : view->item_bytes;
    if (what % 2 == 1)
        (void)view->ops->commit(&world.producer, view, next(3) ? world.claimed : next(9), bytes);
    else if (view->ops->claim(&world.producer, view, wanted, bytes, &room, &world.claimed) ==
             QUOIT_OK)
        memset(room, 1, (size_t)(world.claimed * bytes));
}

static void use_producer(unsigned what)
{
    static const uint8_t items[MOST_ITEMS * LARGEST] = {0};
    const struct quoit_ring_view *view = &world.view;
    struct quoit_ring_producer *side = &world.producer;
    uint64_t count = 1 + next(3 * (unsigned)view->capacity);
    switch (what) {
    case 0:
    case 1:
        (void)view->ops->poll_room(side, view);
        break;
    case 2:
        (void)view->ops->push(side, view, items, longest());
        break;
    case 3:
        if (view->ops->push_many)
            (void)view->ops->push_many(side, view, items, count);
        break;
    case 4:
        (void)quoit_spsc_push_some(side, items, count, view->item_bytes);
        break;
    case 5:
        (void)quoit_spsc_put_span(side, items, count, view->item_bytes);
        break;
    case 6:
        if (next(64) == 0)
            test_finish(side, view);
        break;
    default:
        push_in_place(what % 4);
    }
}

static void pop_in_place(unsigned what)
{
    const struct quoit_ring_view *view = &world.view;
    const void *items;
    uint64_t bytes, count = next(2) ? 1 : UINT64_MAX;
    if (what % 2 == 1) {
        (void)view->ops->release(&world.consumer, view, next(3) ? world.seen : next(9));
    } else if (view->ops->peek(&world.consumer, view, &items, &count, &bytes) == QUOIT_OK) {
        world.seen = count;
        check_read(items, count * bytes);
    }
}

static void ask(void)
{
    static uint8_t item[LARGEST];
    const struct quoit_ring_view *view = &world.view;
    struct quoit_snapshot snapshot = {.buffer = item, .room_bytes = sizeof item};
    (void)view->ops->size(view);
    (void)view->ops->has_items(view);
    (void)view->ops->has_room(view);
    (void)view->ops->is_over(view);
    (void)view->ops->check(view);
    if (view->ops->repair)
        (void)view->ops->repair(view, false);
    if (view->ops->contains && view->item_bytes == 8)
        (void)view->ops->contains(view, 7);
    if (next(4) == 0)
        world.browser = (struct quoit_ring_browser){0};
    if (view->ops->browse(view, &world.browser, &snapshot) == QUOIT_OK)
        check_read(item, snapshot.bytes);
    if (has_extra_slot(view->ops) && view->ops != &quoit_spsc_bytes &&
        quoit_broadcast_latest(view, &snapshot) == QUOIT_OK)
        check_read(item, snapshot.bytes);
}

static void use_consumer(unsigned what)
{
    static uint8_t items[MOST_ITEMS * LARGEST];
    const struct quoit_ring_view *view = &world.view;
    struct quoit_ring_consumer *side = &world.consumer;
    uint64_t count = 1 + next(3 * (unsigned)view->capacity), popped = 0;
    uint64_t bytes = has_messages() ? sizeof items : view->item_bytes;
    switch (what) {
    case 0:
    case 1:
        (void)view->ops->poll_items(side, view);
        break;
    case 2:
        popped = view->ops->pop(side, view, items, &bytes) == QUOIT_OK;
        break;
    case 3:
        popped = view->ops->pop_many ? view->ops->pop_many(side, view, items, count) : 0;
        break;
    case 4:
        popped = quoit_spsc_pop_some(side, items, count, view->item_bytes);
        break;
    case 5:
        popped = quoit_spsc_take_span(side, items, count, view->item_bytes) ? count : 0;
        break;
    case 6:
        ask();
        break;
    default:
        pop_in_place(what % 4);
    }
    CHECK_LE(popped, count);
    check_read(items, popped * bytes);
}

/* ---- Any counter, any private state ---------------------------------------------------------- */

/* Puts contradicting numbers into the handle, as two threads on one side can. */
static void spoil(void)
{
    struct quoit_ring_producer *producer = &world.producer;
    struct quoit_ring_consumer *consumer = &world.consumer;
    uint64_t *const spans[] = {&producer->position, &producer->limit, &producer->state->claim.at,
                               &consumer->position, &consumer->limit};
    uint64_t *const bytes[] = {&producer->state->bytes.position, &producer->state->bytes.limit,
                               &consumer->state->bytes.position, &consumer->state->bytes.limit,
                               &consumer->state->bytes.limit};
    uint64_t *const mpmc[] = {&producer->state->mpmc.position, &producer->state->mpmc.lap,
                              &consumer->state->mpmc.position, &consumer->state->mpmc.lap,
                              &consumer->state->mpmc.reclaimed_below};
    uint64_t *const broadcast[] = {
        &producer->state->broadcast.position, &producer->state->broadcast.limit,
        &consumer->state->broadcast.position, &producer->state->broadcast.claimed_at,
        &producer->state->broadcast.limit};
    const struct quoit_ring_ops *ops = world.view.ops;
    uint64_t *const *kept = ops == &quoit_spsc_spans   ? spans
                            : ops == &quoit_spsc_bytes ? bytes
                            : ops->many_producers      ? mpmc
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
    enum { STEPS = 40 };
    const int rounds = (int)test_effort(10, 60);
    for (int round = 0; round < rounds; round++) {
        bool mpmc = shape->ops->many_producers;
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

/* ---- Three faults that were found ------------------------------------------------------------ */

/* A claim, then a head that moves back, a wait for a free slot, the commit, and a batch. */
static void rewound_head(void)
{
    static const uint64_t items[MOST_ITEMS] = {0};
    void *room;
    uint64_t count;
    for (uint64_t back = 1; back <= 8; back++) {
        set_up(&shapes[5], 8, 0);
        const struct quoit_ring_ops *ops = world.view.ops;
        CHECK_STATUS(
            ops->claim(&world.producer, &world.view, 8, world.view.item_bytes, &room, &count),
            QUOIT_OK);
        CHECK_EQUAL(count, 8);
        store(&world.shm.head, 0 - back);
        CHECK_STATUS(ops->poll_room(&world.producer, &world.view), QUOIT_ERROR_CORRUPT);
        CHECK(ops->commit(&world.producer, &world.view, count, world.view.item_bytes));
        check_sides();
        CHECK_EQUAL(ops->push_many(&world.producer, &world.view, items, MOST_ITEMS), 0);
        CHECK_EQUAL(quoit_spsc_push_some(&world.producer, items, MOST_ITEMS, 8), 0);
        check_guards();
    }
}

/* The same with a message, and on the consumer's side. */
static void rewound_bytes(void)
{
    const struct shape *shape = &shapes[9];
    const void *message;
    void *room;
    uint64_t count, bytes;
    set_up(shape, 1, 0);
    CHECK_STATUS(shape->ops->claim(&world.producer, &world.view, 1, 300, &room, &count), QUOIT_OK);
    store(&world.shm.head, 0 - turn());
    CHECK_STATUS(shape->ops->poll_room(&world.producer, &world.view), QUOIT_ERROR_CORRUPT);
    CHECK(shape->ops->commit(&world.producer, &world.view, 1, 300));
    check_sides();
    CHECK_STATUS(shape->ops->peek(&world.consumer, &world.view, &message, &count, &bytes),
                 QUOIT_OK);
    CHECK_EQUAL(bytes, 300);
    store(&world.shm.tail, 8);
    CHECK_STATUS(shape->ops->poll_items(&world.consumer, &world.view), QUOIT_ERROR_CORRUPT);
    CHECK(shape->ops->release(&world.consumer, &world.view, 1));
    check_sides();
}

/* The end of the stream drops a claim, which cannot be committed after it. */
static void finished_claim(void)
{
    static const uint8_t items[MOST_ITEMS * LARGEST] = {0};
    void *room;
    for (int i = 0; i < SHAPES; i++) {
        set_up(&shapes[i], 8, 0);
        const struct quoit_ring_ops *ops = world.view.ops;
        uint64_t count = 0, bytes = longest();
        CHECK_STATUS(ops->claim(&world.producer, &world.view, 8, bytes, &room, &count), QUOIT_OK);
        test_finish(&world.producer, &world.view);
        CHECK(!ops->commit(&world.producer, &world.view, count, bytes));
        check_sides();
        if (ops->push_many)
            CHECK_EQUAL(ops->push_many(&world.producer, &world.view, items, MOST_ITEMS), 0);
        check_guards();
    }
}

/* ---- Sizes and addresses --------------------------------------------------------------------- */

/* Items of every size are browsed completely, and nothing after the last one is read. */
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
            if (layouts[layout] == &quoit_spsc_slots && sizes[i] > QUOIT_SPSC_LARGEST_IN_SLOTS)
                continue;
            set_up(&(struct shape){"browsed", layouts[layout], sizes[i]}, 8, 0);
            for (uint64_t k = 0; k < 8; k++) {
                memset(item, (int)('a' + k), sizeof item);
                CHECK_STATUS(layouts[layout]->push(&world.producer, &world.view, item,
                                                   world.view.item_bytes),
                             QUOIT_OK);
            }
            for (uint64_t k = 0; k < 8; k++) {
                struct quoit_snapshot snapshot = {.buffer = seen, .room_bytes = sizes[i]};
                memset(item, (int)('a' + k), sizeof item);
                memset(seen, 0, sizeof seen);
                CHECK_STATUS(layouts[layout]->browse(&world.view, &world.browser, &snapshot),
                             QUOIT_OK);
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

static unsigned call_count(void)
{
    return (unsigned)test_effort(4000, 20000);
}

static void push_for_a_while(void *unused)
{
    static const uint8_t items[MOST_ITEMS * LARGEST] = {0};
    const struct quoit_ring_view *view = &world.view;
    struct quoit_ring_producer *side = &world.producer;
    uint64_t most = 3 * view->capacity;
    (void)unused;
    for (unsigned i = 0, calls = call_count(); i < calls; i++) {
        void *room;
        uint64_t count = i % 8 == 3 ? 1 : UINT64_MAX;
        uint64_t bytes = has_messages() ? i % (longest() + 1) : view->item_bytes;
        if (view->ops->push_many && i % 4 == 0)
            (void)view->ops->push_many(side, view, items, 1 + i % most);
        else if (i % 4 == 1)
            (void)quoit_spsc_push_some(side, items, 1 + i % most, view->item_bytes);
        else if (i % 4 == 2)
            (void)view->ops->push(side, view, items, bytes);
        else if (view->ops->claim(side, view, 4, bytes, &room, &count) == QUOIT_OK)
            (void)view->ops->commit(side, view, count, bytes);
    }
}

static void pop_for_a_while(void *unused)
{
    const struct quoit_ring_view *view = &world.view;
    struct quoit_ring_consumer *side = &world.consumer;
    uint64_t most = 3 * view->capacity;
    uint8_t *items = calloc(MOST_ITEMS, LARGEST);
    CHECK(items);
    (void)unused;
    for (unsigned i = 0, calls = call_count(); i < calls; i++) {
        const void *seen;
        uint64_t count = 0;
        uint64_t bytes = has_messages() ? (uint64_t)MOST_ITEMS * LARGEST : view->item_bytes;
        if (view->ops->pop_many && i % 4 == 0)
            (void)view->ops->pop_many(side, view, items, 1 + i % most);
        else if (i % 4 == 1)
            (void)quoit_spsc_pop_some(side, items, 1 + i % most, view->item_bytes);
        else if (i % 4 == 2)
            (void)view->ops->pop(side, view, items, &bytes);
        else if (view->ops->peek(side, view, &seen, &count, &bytes) == QUOIT_OK)
            (void)view->ops->release(side, view, count);
    }
    free(items);
}

/* Items may be lost or repeated, but no byte outside the ring is written. */
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
    return test_main(argc, argv, parts, NULL);
}
