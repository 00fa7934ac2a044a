/* SPDX-License-Identifier: MIT */
/* Compares the checks of a descriptor's thread (has_items, has_room, is_over, is_finished) with the
   results of the calls (poll_items, poll_room), for every ring, while members work, leave,
   and crash between two stores. If a check returns false, the call must find nothing. If it returns
   true and the call finds nothing all the same, the check must return false afterwards. Otherwise
   an event loop would spin, or sleep although there is an item. */
#include "ring_finish.h"
#include "test.h"

#include "broadcast.h"
#include "mpmc.h"
#include "queue_shm.h"

#include <stdlib.h>
#include <string.h>

enum { ACTORS = 4, STEPS = 20000, ITEM = 8 };

struct world;
struct actor {
    struct world *world;
    struct quoit_ring_view view;
    struct quoit_ring_producer producer;
    struct quoit_ring_consumer consumer;
    struct quoit_ring_producer_state producer_state;
    struct quoit_ring_consumer_state consumer_state;
    uint8_t scratch[QUOIT_RING_SCRATCH_BYTES], peeked[ITEM * 2];
    bool pushes, alive;
};

struct world {
    const struct quoit_ring_ops *ops;
    struct quoit_ring_shm shm;
    struct quoit_claim_record_shm claim_records[ACTORS];
    struct actor actors[ACTORS];
    uint64_t capacity, empty, random;
    uint8_t *slots;
    int count; /* number of actors; even ones push, if several may */
};

static bool is_alive(const void *context, uint32_t entry)
{
    const struct actor *actor = context;
    return actor->world->actors[entry].alive;
}

static uint64_t any(struct world *world, uint64_t below)
{
    world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (world->random >> 33) % below;
}

static bool is_mpmc(const struct world *world)
{
    return world->ops == &quoit_mpmc;
}

static bool is_broadcast(const struct world *world)
{
    return world->ops == &quoit_broadcast_lossless || world->ops == &quoit_broadcast_lossy;
}

/* ---- Their operations ------------------------------------------------------------------------ */

static void enter(struct actor *actor)
{
    quoit_status status = actor->pushes
                              ? actor->world->ops->attach_producer(&actor->producer, &actor->view)
                              : actor->world->ops->attach_consumer(&actor->consumer, &actor->view);
    CHECK_STATUS(status, QUOIT_OK);
    actor->alive = true;
}

static void leave(struct actor *actor)
{
    actor->world->ops->detach(&actor->producer, &actor->consumer, &actor->view);
    memset(&actor->producer_state, 0, sizeof actor->producer_state);
    memset(&actor->consumer_state, 0, sizeof actor->consumer_state);
    actor->alive = false;
}

static void push(struct actor *actor)
{
    struct world *world = actor->world;
    uint64_t item = any(world, 4) == 0 ? world->empty : any(world, 100);
    bool messages = world->ops == &quoit_spsc_bytes;
    (void)world->ops->push(&actor->producer, &actor->view, &item,
                           messages ? any(world, ITEM + 1) : ITEM);
}

static void pop(struct actor *actor)
{
    struct world *world = actor->world;
    uint64_t item[2], bytes = sizeof item;
    (void)world->ops->pop(&actor->consumer, &actor->view, item, &bytes);
}

/* All stores of a push except the last one, if this ring has several; then it crashes. */
static void crash_pushing(struct actor *actor)
{
    struct world *world = actor->world;
    void *room;
    uint64_t count;
    if (world->ops == &quoit_spsc_slots &&
        world->ops->poll_room(&actor->producer, &actor->view) == QUOIT_OK)
        quoit_spsc_count_push(&world->shm.tail);
    if (world->ops == &quoit_spsc_bytes &&
        world->ops->poll_room(&actor->producer, &actor->view) == QUOIT_OK)
        atomic_fetch_add(&world->shm.pushed_messages, 1);
    if (is_mpmc(world) && any(world, 2) == 0)
        (void)world->ops->claim(&actor->producer, &actor->view, 1, actor->view.item_bytes, &room,
                                &count);
    else if (is_mpmc(world))
        quoit_mpmc_publish_claim(actor->producer_state.mpmc.claim,
                                 actor->producer_state.mpmc.position, 0, 1);
    struct quoit_broadcast_producer *side = &actor->producer_state.broadcast;
    if (world->ops == &quoit_broadcast_lossy)
        atomic_store(quoit_broadcast_sequence(side->slot), quoit_broadcast_torn(side->position));
    if (is_broadcast(world) && any(world, 2) == 0 &&
        world->ops->poll_room(&actor->producer, &actor->view) == QUOIT_OK)
        quoit_broadcast_commit(side->slot, side->position);
    actor->alive = false;
}

static void crash_popping(struct actor *actor)
{
    struct world *world = actor->world;
    const void *items;
    uint64_t count = 1;
    if (world->ops == &quoit_spsc_slots &&
        world->ops->poll_items(&actor->consumer, &actor->view) == QUOIT_OK)
        quoit_spsc_count_pop(&world->shm.head, 1);
    if (is_mpmc(world) && any(world, 2) == 0)
        (void)world->ops->peek(&actor->consumer, &actor->view, &items, &count, &(uint64_t){0});
    else if (is_mpmc(world))
        quoit_mpmc_publish_claim(actor->consumer_state.mpmc.claim,
                                 actor->consumer_state.mpmc.position, 0, 1);
    actor->alive = false;
}

static void act(struct actor *actor)
{
    uint64_t what = any(actor->world, 16);
    if (!actor->alive) {
        if (what < 4)
            enter(actor);
    } else if (what == 0) {
        (actor->pushes ? crash_pushing : crash_popping)(actor);
    } else if (what == 1) {
        leave(actor);
    } else {
        for (uint64_t times = any(actor->world, actor->world->capacity + 2); times > 0; times--)
            (actor->pushes ? push : pop)(actor);
    }
}

/* ---- Readiness and results ------------------------------------------------------------------- */

static bool is_ready(const struct actor *actor)
{
    const struct quoit_ring_ops *ops = actor->world->ops;
    if (!actor->pushes)
        return ops->has_items(&actor->view) || ops->is_over(&actor->view);
    return ops->has_room(&actor->view) || ops->is_finished(&actor->view);
}

static bool finds_nothing(struct actor *actor)
{
    const struct quoit_ring_ops *ops = actor->world->ops;
    return actor->pushes ? ops->poll_room(&actor->producer, &actor->view) == QUOIT_FULL
                         : ops->poll_items(&actor->consumer, &actor->view) == QUOIT_EMPTY;
}

static void check_actors(struct world *world)
{
    for (int i = 0; i < world->count; i++) {
        struct actor *actor = &world->actors[i];
        if (!actor->alive)
            continue;
        bool ready = is_ready(actor);
        if (finds_nothing(actor))
            CHECK(!ready || !is_ready(actor));
        else
            CHECK(ready);
    }
}

/* ---- All rings ------------------------------------------------------------------------------- */

static void begin(struct world *world, const struct quoit_ring_ops *ops, uint64_t capacity)
{
    uint64_t longest = ITEM;
    *world = (struct world){.ops = ops, .capacity = capacity, .empty = 7, .random = capacity};
    world->slots = calloc((size_t)capacity + 1, (size_t)quoit_ring_stride(ops, longest, 8));
    CHECK(world->slots);
    world->count = is_mpmc(world) || is_broadcast(world) ? ACTORS : 2;
    for (int i = 0; i < world->count; i++) {
        struct actor *actor = &world->actors[i];
        actor->world = world;
        actor->producer.state = &actor->producer_state;
        actor->consumer.state = &actor->consumer_state;
        actor->pushes = is_broadcast(world) ? i == 0 : i % 2 == 0;
        actor->view = (struct quoit_ring_view){.ops = ops,
                                               .shm = &world->shm,
                                               .slots = world->slots,
                                               .capacity = capacity,
                                               .item_bytes = ITEM,
                                               .stride = quoit_ring_stride(ops, ITEM, 8),
                                               .align = 8,
                                               .empty = world->empty,
                                               .scratch = actor->scratch,
                                               .peeked = actor->peeked,
                                               .members = {.claim_records = world->claim_records,
                                                           .count = ACTORS,
                                                           .own = (uint32_t)i,
                                                           .is_alive = is_alive,
                                                           .context = actor}};
    }
    ops->init(&world->actors[0].view, 0);
}

static void of_ring(const char *name, const struct quoit_ring_ops *ops)
{
    for (uint64_t capacity = 1; capacity <= 5; capacity++) {
        static struct world world;
        begin(&world, ops, capacity);
        for (int i = 0; i < STEPS; i++) {
            (void)snprintf(test_context, sizeof test_context, "%s, capacity %d, step %d", name,
                           (int)capacity, i);
            act(&world.actors[any(&world, (uint64_t)world.count)]);
            check_actors(&world);
        }
        for (int i = 0; i < world.count; i++) {
            if (!world.actors[i].alive)
                enter(&world.actors[i]);
            if (world.actors[i].pushes)
                test_finish(&world.actors[i].producer, &world.actors[i].view);
            check_actors(&world);
        }
        free(world.slots);
    }
    test_context[0] = '\0';
}

static void slots(void)
{
    of_ring("slots", &quoit_spsc_slots);
}

static void spans(void)
{
    of_ring("spans", &quoit_spsc_spans);
}

static void bytes(void)
{
    of_ring("bytes", &quoit_spsc_bytes);
}

static void mpmc(void)
{
    of_ring("mpmc", &quoit_mpmc);
}

static void lossless(void)
{
    of_ring("lossless", &quoit_broadcast_lossless);
}

static void lossy(void)
{
    of_ring("lossy", &quoit_broadcast_lossy);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"slots", slots},       {"spans", spans}, {"bytes", bytes}, {"mpmc", mpmc},
        {"lossless", lossless}, {"lossy", lossy}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
