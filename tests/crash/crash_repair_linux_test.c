/* SPDX-License-Identifier: MIT */
/*
 * One victim dies wherever its operation has changed what others see. A second one, which mends
 * that on its way, or takes the dead one's place, is killed at each of its instructions. A third
 * goes on.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 12, CHANGES_MOST = 64, PATH_BYTES = 300 };

struct pair {
    struct world_case at; /* the first victim */
    uint64_t first_step;
    uint64_t between; /* then the survivors push so many */
    const struct world_operation *second;
};

/* ---- Where the first one changes something --------------------------------------------------- */

static uint64_t image_of(const struct world *world)
{
    char path[PATH_BYTES];
    uint64_t hash = UINT64_C(14695981039346656037);
    (void)snprintf(path, sizeof path, "/dev/shm/%s", world->name);
    FILE *file = fopen(path, "rb");
    CHECK(file);
    for (int byte; (byte = fgetc(file)) != EOF;)
        hash = (hash ^ (uint64_t)byte) * UINT64_C(1099511628211);
    (void)fclose(file);
    return hash;
}

/* The steps after which the queue's memory is not what it was, and 0. */
static uint64_t find_changes(const struct world_case *at, uint64_t *steps_out)
{
    struct world world;
    world_begin(&world, at);
    struct stepper victim = world_start(&world, 0, at->operation);
    uint64_t count = 0, image = image_of(&world);
    steps_out[count++] = 0;
    while (stepper_step(&victim)) {
        uint64_t next = image_of(&world);
        if (next != image && count < CHANGES_MOST)
            steps_out[count++] = victim.steps;
        image = next;
    }
    stepper_kill(&victim);
    world_settle(&world);
    return count;
}

/* ---- Two deaths ------------------------------------------------------------------------------ */

static struct stepper begin_pair(struct world *world, const struct pair *pair)
{
    world_begin(world, &pair->at);
    struct stepper first = world_start(world, 0, pair->at.operation);
    (void)stepper_advance(&first, pair->first_step);
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
    (void)stepper_advance(&second, step);
    stepper_kill(&second);
    world_settle(&world);
}

static uint64_t try_pair(struct pair *pair)
{
    struct world world;
    struct stepper second = begin_pair(&world, pair);
    while (stepper_step(&second))
        ;
    stepper_kill(&second);
    world_settle(&world);
    return stepper_points(second.steps, MOST, kill_second_at, pair);
}

static uint64_t try_all(enum world_kind kind, uint64_t filled, const char *first, uint64_t between,
                        const char *const *seconds)
{
    struct pair pair = {
        .at = {.kind = kind, .moved = 3, .filled = filled, .operation = world_operation(first)},
        .between = between};
    uint64_t changes[CHANGES_MOST], points = 0;
    uint64_t count = find_changes(&pair.at, changes);
    for (uint64_t i = 0; i < count; i++)
        for (int j = 0; seconds[j]; j++) {
            pair.first_step = changes[i];
            pair.second = world_operation(seconds[j]);
            points += try_pair(&pair);
        }
    printf("  %-16s dies at %2llu places: %llu points\n", first, (unsigned long long)count,
           (unsigned long long)points);
    return points;
}

static void dead_producer(void)
{
    const char *const consumers[] = {"pop, not inlined", "pop_many", "peek and release", NULL};
    const char *const producers[] = {"push", "push_many", "claim and commit", "finish", NULL};
    const char *const firsts[] = {"push", "push_many", "claim and commit", NULL};
    uint64_t points = 0;
    for (int i = 0; firsts[i]; i++) {
        points += try_all(WORLD_MPMC, 0, firsts[i], 0, consumers);
        points += try_all(WORLD_MPMC, 0, firsts[i], WORLD_CAPACITY - 1, producers);
    }
    CHECK(points > 20);
}

static void dead_consumer(void)
{
    const char *const seconds[] = {"pop, not inlined", "pop_many", "peek and release", "push",
                                   "finish",           NULL};
    const char *const firsts[] = {"pop, not inlined", "pop_many", "peek", NULL};
    uint64_t points = 0;
    for (int i = 0; firsts[i]; i++) {
        points += try_all(WORLD_MPMC, 1, firsts[i], 0, seconds);
        points += try_all(WORLD_MPMC, 4, firsts[i], 0, seconds);
    }
    CHECK(points > 20);
}

/* The one who comes after the dead finds out how far that one was, and dies at that. */
static void dead_predecessor(void)
{
    const char *const producers[] = {"open as producer", NULL};
    const char *const consumers[] = {"open as consumer", NULL};
    uint64_t points = 0;
    for (int kind = WORLD_SLOTS; kind <= WORLD_SPANS; kind++) {
        points += try_all((enum world_kind)kind, 2, "push", 0, producers);
        points += try_all((enum world_kind)kind, 1, "push_many", 0, producers);
        points += try_all((enum world_kind)kind, 3, "pop", 0, consumers);
        points += try_all((enum world_kind)kind, 4, "pop_many", 0, consumers);
    }
    CHECK(points > 20);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"steps can be taken", stepper_require},
        {"who repairs a dead producer's slot is killed at each instruction", dead_producer},
        {"who adopts a dead consumer's item is killed at each instruction", dead_consumer},
        {"who takes a dead one's place is killed at each instruction", dead_predecessor},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
