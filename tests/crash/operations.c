/* SPDX-License-Identifier: MIT */
/* The operations of the victims: each operation on items, in each of its forms. */
#include "world.h"

#include "queue_handle.h"

#include <string.h>

static void push(quoit_queue *queue, struct world_victim *victim)
{
    struct thing thing = world_thing(victim->first + victim->done);
    victim->done += world_push_thing(queue, &thing, QUOIT_NOW) == QUOIT_OK;
}

static void push_twin(quoit_queue *queue, struct world_victim *victim)
{
    struct thing thing = world_thing(victim->first);
    victim->done += (world_has_messages
                         ? world_push_thing(queue, &thing, QUOIT_NOW)
                         : quoit_queue_push(queue, &thing, sizeof thing, QUOIT_NOW)) == QUOIT_OK;
}

static void push_many(quoit_queue *queue, struct world_victim *victim)
{
    struct thing things[WORLD_MANY];
    for (uint64_t i = 0; i < WORLD_MANY; i++)
        things[i] = world_thing(victim->first + i);
    if (!world_has_messages)
        victim->done = test_push_many(queue, things, WORLD_MANY);
    while (world_has_messages && victim->done < WORLD_MANY &&
           world_push_thing(queue, &things[victim->done], QUOIT_NOW) == QUOIT_OK)
        victim->done++;
}

/* Claims room for up to so many items, or for one message of variable size. */
static quoit_status claim_items(quoit_queue *queue, size_t wanted, void **items_out,
                                size_t *count_out)
{
    *count_out = 1;
    return world_has_messages
               ? quoit_queue_claim(queue, sizeof(struct thing), items_out, QUOIT_NOW)
               : quoit_queue_claim_many(queue, wanted, items_out, count_out, QUOIT_NOW);
}

static quoit_status commit_items(quoit_queue *queue, size_t count)
{
    return world_has_messages && count > 0 ? quoit_queue_commit(queue, sizeof(struct thing))
                                           : quoit_queue_commit_many(queue, count);
}

static quoit_status peek_items(quoit_queue *queue, const void **items_out, size_t *count_out)
{
    size_t bytes;
    *count_out = 1;
    return world_has_messages ? quoit_queue_peek(queue, items_out, &bytes, QUOIT_NOW)
                              : quoit_queue_peek_many(queue, items_out, count_out, QUOIT_NOW);
}

static void claim_and_commit(quoit_queue *queue, struct world_victim *victim)
{
    void *items;
    size_t count;
    if (claim_items(queue, victim->count, &items, &count) != QUOIT_OK)
        return;
    for (uint64_t i = 0; i < count; i++) {
        struct thing thing = world_thing(victim->first + i);
        memcpy((char *)items + (size_t)i * sizeof thing, &thing, sizeof thing);
    }
    if (commit_items(queue, count) == QUOIT_OK)
        victim->done = count;
}

static void claim_and_give_up(quoit_queue *queue, struct world_victim *victim)
{
    void *items;
    size_t count;
    (void)victim;
    if (claim_items(queue, WORLD_MANY, &items, &count) == QUOIT_OK)
        (void)commit_items(queue, 0);
}

static void pop(quoit_queue *queue, struct world_victim *victim)
{
    victim->done += world_pop_thing(queue, victim->buffer + victim->done, QUOIT_NOW) == QUOIT_OK;
}

static void pop_twin(quoit_queue *queue, struct world_victim *victim)
{
    victim->done += (world_has_messages ? world_pop_thing(queue, victim->buffer, QUOIT_NOW)
                                        : quoit_queue_pop(queue, victim->buffer,
                                                          (size_t)quoit_queue_item_bytes(queue),
                                                          NULL, QUOIT_NOW)) == QUOIT_OK;
}

static void pop_many(quoit_queue *queue, struct world_victim *victim)
{
    if (!world_has_messages)
        victim->done = test_pop_many(queue, victim->buffer, WORLD_MANY);
    while (world_has_messages && victim->done < WORLD_MANY &&
           world_pop_thing(queue, &victim->buffer[victim->done], QUOIT_NOW) == QUOIT_OK)
        victim->done++;
}

static void peek_and_release(quoit_queue *queue, struct world_victim *victim)
{
    const void *items;
    size_t count;
    if (peek_items(queue, &items, &count) != QUOIT_OK)
        return;
    count = count < WORLD_MANY ? count : WORLD_MANY;
    memcpy(victim->buffer, items, (size_t)count * sizeof *victim->buffer);
    if (quoit_queue_release_many(queue, count) == QUOIT_OK)
        victim->done = count;
}

/* Reads items, and releases none. */
static void peek(quoit_queue *queue, struct world_victim *victim)
{
    const void *items;
    size_t count;
    (void)victim;
    (void)peek_items(queue, &items, &count);
}

static void close_queue(quoit_queue *queue, struct world_victim *victim)
{
    (void)victim;
    quoit_queue_close(queue);
}

static void claim(quoit_queue *queue, struct world_victim *victim)
{
    void *items;
    size_t count;
    (void)victim;
    (void)claim_items(queue, WORLD_MANY, &items, &count);
}

static void finish(quoit_queue *queue, struct world_victim *victim)
{
    (void)victim;
    (void)quoit_queue_finish(queue);
}

/* Both sides spin only once before they sleep: a spin repeats the same steps. */
static void spin_once(quoit_queue *queue, struct world_victim *victim)
{
    (void)victim;
    quoit_waiter_of(queue, QUOIT_CONSUMER)->spins = 1;
    quoit_waiter_of(queue, QUOIT_PRODUCER)->spins = 1;
}

/* Waits until its time limit: no process pushes meanwhile. */
static void pop_wait(quoit_queue *queue, struct world_victim *victim)
{
    victim->done = world_pop_thing(queue, victim->buffer, 1000000) == QUOIT_OK;
}

static void push_wait(quoit_queue *queue, struct world_victim *victim)
{
    struct thing thing = world_thing(victim->first);
    victim->done = world_push_thing(queue, &thing, 1000000) == QUOIT_OK;
}

/* The second queue of a victim that waits on two: its own, which stays empty and full. */
static quoit_queue *second;

static void make_second(quoit_queue *queue, struct world_victim *victim)
{
    const struct quoit_queue_options options = {.kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 1};
    if (quoit_queue_create("local:second", &options, QUOIT_CONSUMER | QUOIT_PRODUCER, &second) ==
        QUOIT_OK)
        spin_once(second, victim);
    spin_once(queue, victim);
}

static void make_full_second(quoit_queue *queue, struct world_victim *victim)
{
    make_second(queue, victim);
    (void)quoit_queue_push(second, &(uint64_t){1}, sizeof(uint64_t), QUOIT_NOW);
}

/* Wait on two queues until the time limit. */
static bool wait_on_both(quoit_queue *queue, uint32_t event)
{
    struct quoit_wait waits[] = {{second, event, 0}, {queue, event, 0}};
    return quoit_wait_any(waits, 2, 1000000) == QUOIT_OK && waits[1].ready != 0;
}

static void wait_any_pop(quoit_queue *queue, struct world_victim *victim)
{
    if (wait_on_both(queue, QUOIT_ITEMS))
        pop(queue, victim);
}

static void wait_any_push(quoit_queue *queue, struct world_victim *victim)
{
    if (wait_on_both(queue, QUOIT_ROOM))
        push(queue, victim);
}

static void open_as_producer(const char *name)
{
    quoit_queue *queue;
    (void)quoit_queue_open(name, QUOIT_PRODUCER, &queue);
}

static void open_as_consumer(const char *name)
{
    quoit_queue *queue;
    (void)quoit_queue_open(name, QUOIT_CONSUMER, &queue);
}

const struct world_operation world_operations[] = {
    {"push", QUOIT_PRODUCER, 1, false, NULL, push, NULL},
    {"push after a push", QUOIT_PRODUCER, 2, false, push, push, NULL},
    {"push, not inlined", QUOIT_PRODUCER, 1, false, NULL, push_twin, NULL},
    {"push_many", QUOIT_PRODUCER, WORLD_MANY, false, NULL, push_many, NULL},
    {"claim and commit", QUOIT_PRODUCER, 2, false, NULL, claim_and_commit, NULL},
    {"claim and commit nothing", QUOIT_PRODUCER, 0, false, NULL, claim_and_give_up, NULL},
    {"close with a claim", QUOIT_PRODUCER, 0, false, claim, close_queue, NULL},
    {"finish", QUOIT_PRODUCER, 0, false, NULL, finish, NULL},
    {"finish with a claim", QUOIT_PRODUCER, 0, false, claim, finish, NULL},
    {"pop", QUOIT_CONSUMER, 1, true, NULL, pop, NULL},
    {"pop after a pop", QUOIT_CONSUMER, 2, true, pop, pop, NULL},
    {"pop, not inlined", QUOIT_CONSUMER, 1, false, NULL, pop_twin, NULL},
    {"pop_many", QUOIT_CONSUMER, WORLD_MANY, false, NULL, pop_many, NULL},
    {"peek and release", QUOIT_CONSUMER, 1, false, NULL, peek_and_release, NULL},
    {"peek", QUOIT_CONSUMER, 0, false, NULL, peek, NULL},
    {"close while peeking", QUOIT_CONSUMER, 0, false, peek, close_queue, NULL},
    {"pop_wait", QUOIT_CONSUMER, 1, false, spin_once, pop_wait, NULL},
    {"push_wait", QUOIT_PRODUCER, 1, false, spin_once, push_wait, NULL},
    {"wait_any, pop", QUOIT_CONSUMER, 1, true, make_second, wait_any_pop, NULL},
    {"wait_any, push", QUOIT_PRODUCER, 1, false, make_full_second, wait_any_push, NULL},
    {"open as producer", QUOIT_PRODUCER, 0, false, NULL, NULL, open_as_producer},
    {"open as consumer", QUOIT_CONSUMER, 0, false, NULL, NULL, open_as_consumer},
    {NULL, 0, 0, false, NULL, NULL, NULL},
};

const struct world_operation *world_operation(const char *name)
{
    const struct world_operation *operation = world_operations;
    while (operation->name && strcmp(operation->name, name) != 0)
        operation++;
    CHECK(operation->name);
    return operation;
}
