/* SPDX-License-Identifier: MIT */
/* The queue, the ledger, and the checks of the contract. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const world_kind_names[] = {"slots", "hidden", "spans", "bytes", "mpmc"};

static uint64_t mark = 1;
bool world_has_messages;

quoit_status world_push_thing(quoit_queue *queue, const struct thing *thing, int64_t timeout_ns)
{
    return world_has_messages ? quoit_queue_push(queue, thing, sizeof *thing, timeout_ns)
                              : thing_push((struct thing_queue){queue}, thing, timeout_ns);
}

quoit_status world_pop_thing(quoit_queue *queue, struct thing *thing_out, int64_t timeout_ns)
{
    size_t bytes;
    if (!world_has_messages)
        return thing_pop((struct thing_queue){queue}, thing_out, timeout_ns);
    quoit_status status = quoit_queue_pop(queue, thing_out, sizeof *thing_out, &bytes, timeout_ns);
    CHECK(status != QUOIT_OK || bytes == sizeof *thing_out);
    return status;
}

struct thing world_thing(uint64_t number)
{
    return (struct thing){.mark = mark, .number = number, .inverse = ~number};
}

bool world_is_whole(const struct thing *thing)
{
    return thing->mark == mark && thing->number > 0 && thing->number < WORLD_NUMBERS &&
           thing->inverse == ~thing->number;
}

static bool is_shared(const struct world *world)
{
    return world->at.kind == WORLD_MPMC;
}

/* ---- Beginning ------------------------------------------------------------------------------- */

static void push_numbers(quoit_queue *queue, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct thing thing = world_thing(first + i);
        CHECK_STATUS(world_push_thing(queue, &thing, QUOIT_NOW), QUOIT_OK);
    }
}

static void make_queue(const struct world *world)
{
    const struct world_case *at = &world->at;
    const struct quoit_queue_options options = {.kind = is_shared(world) ? QUOIT_MPMC : QUOIT_SPSC,
                                                .messages = at->kind == WORLD_BYTES,
                                                .item_bytes = sizeof(struct thing),
                                                .capacity = WORLD_CAPACITY};
    quoit_queue *queue;
    world_has_messages = options.messages;
    test_keep_spans(at->kind == WORLD_SPANS);
    CHECK_STATUS(quoit_queue_create(world->name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    mark = at->kind == WORLD_HIDDEN ? queue->producer.empty : 1;
    struct thing thing = world_thing(1);
    for (uint64_t i = 0; i < at->moved; i++) {
        CHECK_STATUS(world_push_thing(queue, &thing, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(world_pop_thing(queue, &thing, QUOIT_NOW), QUOIT_OK);
    }
    push_numbers(queue, WORLD_BEFORE + 1, at->filled);
    quoit_queue_close(queue);
}

static quoit_queue *open_as(const struct world *world, unsigned role)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(world->name, role, &queue), QUOIT_OK);
    return queue;
}

struct world_victim *world_victims(void)
{
    static struct world_victim *victims;
    if (!victims)
        victims = mmap(NULL, WORLD_VICTIMS * sizeof *victims, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_NE(victims, MAP_FAILED);
    memset(victims, 0, WORLD_VICTIMS * sizeof *victims);
    return victims;
}

void world_begin(struct world *world, const struct world_case *at)
{
    static const char *name;
    if (!name)
        name = test_name("");
    *world = (struct world){.at = *at, .name = name, .victims = world_victims()};
    (void)snprintf(test_context, sizeof test_context, "%s, %s, %llu items after %llu",
                   at->operation->name, world_kind_names[at->kind], (unsigned long long)at->filled,
                   (unsigned long long)at->moved);
    make_queue(world);
    if (is_shared(world))
        world->taker = world->filler = open_as(world, QUOIT_PRODUCER | QUOIT_CONSUMER);
    else if (at->operation->role & QUOIT_PRODUCER)
        world->taker = open_as(world, QUOIT_CONSUMER);
    else
        world->filler = open_as(world, QUOIT_PRODUCER);
}

struct start {
    const char *name;
    const struct world_operation *operation;
    struct world_victim *victim;
};

static void be_victim(void *argument)
{
    const struct start *start = argument;
    const struct world_operation *operation = start->operation;
    quoit_queue *queue = NULL;
    if (!operation->open)
        CHECK_STATUS(quoit_queue_open(start->name, operation->role, &queue), QUOIT_OK);
    if (operation->ready)
        operation->ready(queue, start->victim);
    stepper_begin();
    if (operation->open)
        operation->open(start->name);
    else
        operation->act(queue, start->victim);
    start->victim->returned = true;
    stepper_end();
}

struct stepper world_start(struct world *world, uint32_t number,
                           const struct world_operation *operation)
{
    struct world_victim *victim = &world->victims[number];
    *victim = (struct world_victim){.takes = (operation->role & QUOIT_CONSUMER) != 0,
                                    .in_registers = operation->in_registers,
                                    .first = WORLD_OF_VICTIM * (number + 1) + 1,
                                    .count = operation->count};
    struct start start = {.name = world->name, .operation = operation, .victim = victim};
    return stepper_start(be_victim, &start);
}

/* ---- Survivors ------------------------------------------------------------------------------- */

/* Had a victim taken the item? If the victim was killed, the item may be lost. */
static bool was_taken(const struct world *world, uint64_t number)
{
    for (uint32_t i = 0; i < WORLD_VICTIMS; i++)
        for (uint32_t j = 0; world->victims[i].takes && j < WORLD_MANY; j++)
            if (world->victims[i].buffer[j].number == number)
                return true;
    return false;
}

/* The number of items that kills may delay: all that the consumers among the victims can have
   taken. */
static uint64_t count_abandoned(const struct world *world)
{
    uint64_t most = 0;
    for (uint32_t i = 0; is_shared(world) && i < WORLD_VICTIMS; i++)
        most += world->victims[i].takes ? WORLD_MANY : 0;
    return most;
}

static void note_item(struct world *world, const struct thing *thing)
{
    CHECK(world_is_whole(thing));
    uint64_t *last = &world->last[thing->number / 100];
    if (thing->number >= *last)
        *last = thing->number;
    else
        CHECK_LE(++world->abandoned, count_abandoned(world));
    world->seen[thing->number]++;
}

void world_drain(struct world *world)
{
    struct thing thing;
    quoit_status status;
    do {
        while ((status = world_pop_thing(world->taker, &thing, QUOIT_NOW)) == QUOIT_OK)
            note_item(world, &thing);
    } while (status == QUOIT_ABANDONED); /* on a slow machine, after 50 ms without an item */
    CHECK_STATUS_ANY(status, QUOIT_EMPTY, QUOIT_FINISHED);
}

quoit_status world_push(struct world *world)
{
    struct thing thing = world_thing(WORLD_OF_SURVIVORS + 1 + world->pushed);
    quoit_status status = world_push_thing(world->filler, &thing, QUOIT_NOW);
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_FULL, QUOIT_FINISHED, QUOIT_ABANDONED);
    if (status == QUOIT_OK)
        world->pushed++;
    return status;
}

/* ---- The contract ---------------------------------------------------------------------------- */

/* No item came twice, counting survivors and victims. A committed item is missing only if a victim
   that was killed may have taken it. */
static void account_for(const struct world *world, uint64_t number, bool committed)
{
    bool has = false, had = false;
    for (uint32_t i = 0; i < WORLD_VICTIMS; i++) {
        const struct world_victim *victim = &world->victims[i];
        had |= victim->in_registers && !victim->returned && number <= victim->count;
        for (uint32_t j = 0; victim->takes && j < WORLD_MANY; j++) {
            bool is_it = victim->buffer[j].number == number && world_is_whole(&victim->buffer[j]);
            has |= is_it && j < victim->done;
            had |= is_it && j >= victim->done;
        }
    }
    uint64_t came = world->seen[number] + (has ? 1 : 0);
    if (came > 1 || (came == 0 && committed && !had))
        test_fail(__FILE__, __LINE__, "item %llu came %llu times, and %llu to a victim",
                  (unsigned long long)number, (unsigned long long)world->seen[number],
                  (unsigned long long)has);
}

/* Of the items that a killed victim was to push, the queue holds the first ones, all, or none. */
static void account_for_victim(const struct world *world, const struct world_victim *victim)
{
    if (victim->takes)
        return;
    bool ended = false;
    for (uint64_t i = 0; i < victim->count; i++) {
        uint64_t number = victim->first + i;
        bool is_there = world->seen[number] > 0 || was_taken(world, number);
        CHECK(!(ended && is_there));
        CHECK(!(victim->returned && i >= victim->done && is_there));
        ended |= !is_there;
        account_for(world, number, i < victim->done);
    }
}

static void check_ledger(const struct world *world)
{
    for (uint64_t i = 0; i < world->at.filled; i++)
        account_for(world, WORLD_BEFORE + 1 + i, true);
    for (uint64_t i = 0; i < world->pushed; i++)
        account_for(world, WORLD_OF_SURVIVORS + 1 + i, true);
    for (uint32_t i = 0; i < WORLD_VICTIMS; i++)
        account_for_victim(world, &world->victims[i]);
}

/* The queue accepts as many items as its capacity, and no more. */
static void check_capacity(struct world *world)
{
    uint64_t before = world->pushed;
    while (world_push(world) == QUOIT_OK)
        ;
    CHECK_EQUAL(world->pushed - before, test_is_finished(world->filler) ? 0 : WORLD_CAPACITY);
    CHECK_EQUAL(quoit_queue_size(world->taker), world->pushed - before);
    CHECK_STATUS(quoit_queue_check(world->taker), QUOIT_OK);
    uint64_t abandoned = world->abandoned;
    world_drain(world);
    CHECK_EQUAL(world->abandoned, abandoned);
    CHECK_EQUAL(quoit_queue_size(world->taker), 0);
}

void world_settle(struct world *world)
{
    quoit_queue *newcomer = NULL;
    if (!world->taker)
        world->taker = newcomer = open_as(world, QUOIT_CONSUMER);
    else if (!world->filler)
        world->filler = newcomer = open_as(world, QUOIT_PRODUCER);
    else
        newcomer = open_as(world, QUOIT_PRODUCER | QUOIT_CONSUMER);
    CHECK_STATUS(quoit_queue_check(world->taker), QUOIT_OK);
    world_drain(world);
    check_capacity(world);
    if (is_shared(world)) {
        world->filler = newcomer;
        check_capacity(world);
        world->filler = world->taker;
    }
    check_ledger(world);
    CHECK_STATUS(quoit_queue_check(world->taker), QUOIT_OK);
    if (newcomer != world->taker && newcomer != world->filler)
        quoit_queue_close(newcomer);
    quoit_queue_close(world->taker);
    if (world->filler != world->taker)
        quoit_queue_close(world->filler);
    CHECK_STATUS(quoit_unlink(world->name, 0), QUOIT_OK);
}

/* ---- Sleepers -------------------------------------------------------------------------------- */

/* Waits on the queue and on one that nothing happens in. */
static void wait_on_two(quoit_queue *queue, unsigned role, int64_t timeout_ns)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 1};
    quoit_queue *idle;
    if (quoit_queue_create("local:idle", &options, QUOIT_CONSUMER, &idle) != QUOIT_OK)
        _exit(EXIT_FAILURE);
    struct quoit_wait waits[] = {{idle, QUOIT_ITEMS, 0},
                                 {queue, role == QUOIT_CONSUMER ? QUOIT_ITEMS : QUOIT_ROOM, 0}};
    if (quoit_wait_any(waits, 2, timeout_ns) != QUOIT_OK || waits[1].ready == 0)
        _exit(EXIT_FAILURE);
    quoit_queue_close(idle);
}

static int start_sleeper(const char *name, unsigned role, bool any)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid > 0) {
        test_sleep_ms(2); /* long enough to block as a rule; no check depends on it */
        return pid;
    }
    const int64_t long_ns = INT64_C(20000000000);
    struct thing thing = world_thing(WORLD_OF_SURVIVORS + 90);
    quoit_queue *queue;
    if (quoit_queue_open(name, role, &queue) != QUOIT_OK)
        _exit(EXIT_FAILURE);
    quoit_status status = QUOIT_ABANDONED;
    if (any)
        wait_on_two(queue, role, long_ns);
    while (status == QUOIT_ABANDONED)
        status = role & QUOIT_CONSUMER ? world_pop_thing(queue, &thing, long_ns)
                                       : world_push_thing(queue, &thing, long_ns);
    if (status == QUOIT_OK && world_is_whole(&thing))
        _exit(EXIT_SUCCESS);
    _exit(status == QUOIT_FINISHED ? EXIT_SUCCESS : EXIT_FAILURE);
}

int world_start_sleeper(const char *name, unsigned role)
{
    return start_sleeper(name, role, false);
}

int world_start_any_sleeper(const char *name, unsigned role)
{
    return start_sleeper(name, role, true);
}

void world_end_sleeper(int pid)
{
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), EXIT_SUCCESS);
}

/* ---- Changes --------------------------------------------------------------------------------- */

uint64_t world_find_changes(struct stepper *victim, struct stepper_path *path, uint64_t *steps_out)
{
    uint64_t count = 0;
    stepper_explore(victim, path);
    for (uint64_t step = 0; step <= path->steps && count < WORLD_CHANGES; step++)
        if (path->marks[step] & STEPPER_OBJECT)
            steps_out[count++] = step;
    return count;
}
