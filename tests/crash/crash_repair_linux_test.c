/* SPDX-License-Identifier: MIT */
/*
 * One victim is killed at each point where its operation has changed shared memory. A second
 * process, which repairs that on its way or succeeds the victim, is killed at each of its
 * instructions, and a third continues. Or the second one is stopped there, the third repairs at the
 * same time, and both continue.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 12 };

struct pair {
    struct world_case at; /* the first victim */
    uint64_t first_step;
    uint64_t between; /* then the survivors push so many items */
    const struct world_operation *second;
};

/* ---- The changes of the first victim --------------------------------------------------------- */

static struct stepper_path first_path, second_path; /* of the operations that are tried now */

static uint64_t find_changes(const struct world_case *at, uint64_t *steps_out)
{
    struct world world;
    world_begin(&world, at);
    struct stepper victim = world_start(&world, 0, at->operation);
    uint64_t count = world_find_changes(&victim, &first_path, steps_out);
    world_settle(&world);
    return count;
}

/* ---- Two kills ------------------------------------------------------------------------------- */

static struct stepper begin_pair(struct world *world, const struct pair *pair)
{
    world_begin(world, &pair->at);
    struct stepper first = world_start(world, 0, pair->at.operation);
    stepper_go_to(&first, &first_path, pair->first_step);
    stepper_kill(&first);
    for (uint64_t i = 0; i < pair->between; i++)
        (void)world_push(world);
    (void)snprintf(test_context + strlen(test_context), sizeof test_context - strlen(test_context),
                   "; killed after %llu, then %s", (unsigned long long)pair->first_step,
                   pair->second->name);
    return world_start(world, 1, pair->second);
}

static void kill_second_at(uint64_t step, void *context)
{
    struct world world;
    struct stepper second = begin_pair(&world, context);
    stepper_go_to(&second, &second_path, step);
    stepper_kill(&second);
    world_settle(&world);
}

/* The survivors repair at the same time as the second process. */
static void overtake_second_at(uint64_t step, void *context)
{
    struct world world;
    struct stepper second = begin_pair(&world, context);
    stepper_go_to(&second, &second_path, step);
    world_drain(&world);
    (void)world_push(&world);
    stepper_finish(&second);
    CHECK(world.victims[1].returned);
    world_settle(&world);
}

/* Is called for each instruction of the second process: kills it, or lets the survivors repair
   while it is stopped. */
typedef void (*interruption)(uint64_t step, void *pair);

static uint64_t try_pair(struct pair *pair, interruption at_step)
{
    struct world world;
    struct stepper second = begin_pair(&world, pair);
    stepper_explore(&second, &second_path);
    world_settle(&world);
    return at_step == kill_second_at ? stepper_crashes(&second_path, MOST, at_step, pair)
                                     : stepper_stops(&second_path, MOST, at_step, pair);
}

static void try_all(struct pair pair, const char *const *seconds, interruption at_step)
{
    uint64_t changes[WORLD_CHANGES], points = 0;
    uint64_t count = find_changes(&pair.at, changes);
    CHECK_GT(count, 1);
    for (uint64_t i = 0; i < count; i++)
        for (int j = 0; seconds[j]; j++) {
            if (!stepper_wants_case(i + (uint64_t)j))
                continue;
            pair.first_step = changes[i];
            pair.second = world_operation(seconds[j]);
            points += try_pair(&pair, at_step);
        }
    printf("  %-16s dies at %2llu places: %llu points\n", pair.at.operation->name,
           (unsigned long long)count, (unsigned long long)points);
}

/* The first victim is killed in the operation `first`, in a queue with so many items. Then the
   survivors push `between` more. */
static struct pair dying(enum world_kind kind, uint64_t filled, const char *first, uint64_t between)
{
    return (struct pair){
        .at = {.kind = kind, .moved = 3, .filled = filled, .operation = world_operation(first)},
        .between = between};
}

static void after_a_producer(interruption at_step)
{
    const char *const consumers[] = {"pop, not inlined", "pop_many", "peek and release", NULL};
    const char *const producers[] = {"push", "push_many", "claim and commit", "finish", NULL};
    const char *const firsts[] = {"push", "push_many", "claim and commit", NULL};
    for (int i = 0; firsts[i]; i++) {
        try_all(dying(WORLD_MPMC, 0, firsts[i], 0), consumers, at_step);
        try_all(dying(WORLD_MPMC, 0, firsts[i], WORLD_CAPACITY - 1), producers, at_step);
    }
}

static void after_a_consumer(interruption at_step)
{
    const char *const seconds[] = {"pop, not inlined", "pop_many", "peek and release", "push",
                                   "finish",           NULL};
    const char *const firsts[] = {"pop, not inlined", "pop_many", "peek", NULL};
    for (int i = 0; firsts[i]; i++) {
        try_all(dying(WORLD_MPMC, 1, firsts[i], 0), seconds, at_step);
        try_all(dying(WORLD_MPMC, 4, firsts[i], 0), seconds, at_step);
    }
}

static void crashed_producer(void)
{
    after_a_producer(kill_second_at);
}

static void crashed_consumer(void)
{
    after_a_consumer(kill_second_at);
}

static void two_at_once(void)
{
    after_a_producer(overtake_second_at);
    after_a_consumer(overtake_second_at);
}

/* The successor of a crashed process finds out how far that one had come, and is killed
   meanwhile. */
static void crashed_predecessor(void)
{
    const char *const producers[] = {"open as producer", NULL};
    const char *const consumers[] = {"open as consumer", NULL};
    for (int i = WORLD_SLOTS; i <= WORLD_SPANS; i++) {
        enum world_kind kind = (enum world_kind)i;
        try_all(dying(kind, 2, "push", 0), producers, kill_second_at);
        try_all(dying(kind, 1, "push_many", 0), producers, kill_second_at);
        try_all(dying(kind, 3, "pop", 0), consumers, kill_second_at);
        try_all(dying(kind, 4, "pop_many", 0), consumers, kill_second_at);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"steps can be taken", stepper_require},
        {"a process that repairs a crashed producer's slot is killed at each instruction",
         crashed_producer},
        {"a process that adopts a crashed consumer's item is killed at each instruction",
         crashed_consumer},
        {"two repair at once", two_at_once},
        {"a process that takes a crashed member's entry is killed at each instruction",
         crashed_predecessor},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
