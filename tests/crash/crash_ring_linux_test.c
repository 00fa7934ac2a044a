/* SPDX-License-Identifier: MIT */
/*
 * A producer or a consumer is killed at each instruction of each operation on items, or stopped
 * there, in every layout and at several fill levels. Each committed item reaches the survivors once
 * and in order, and the survivors wait for nothing.
 */
#include "world.h"

#include <stdio.h>

/* How many items have passed through the queue before, and how many are in it: none, some, all but
   one, or all. Some batches end with the array, others go around its end. */
static const uint64_t states[][2] = {{0, 0}, {1, 4}, {3, 3}, {7, 5}};
enum { STATES = sizeof states / sizeof states[0], MOST = 250 };

static struct stepper_path path; /* of the operation that is tried now */

static void explore(const struct world_case *at)
{
    struct world world;
    world_begin(&world, at);
    struct stepper victim = world_start(&world, 0, at->operation);
    stepper_explore(&victim, &path);
    world_settle(&world);
}

static void kill_at(uint64_t step, void *context)
{
    const struct world_case *at = context;
    struct world world;
    world_begin(&world, at);
    struct stepper victim = world_start(&world, 0, at->operation);
    stepper_go_to(&victim, &path, step);
    stepper_kill(&victim);
    world_settle(&world);
}

/* A stopped process is not treated as crashed: the others continue as far as they can, and repair
   nothing of what it holds. */
static void stop_at(uint64_t step, void *context)
{
    const struct world_case *at = context;
    struct world world;
    world_begin(&world, at);
    struct stepper victim = world_start(&world, 0, at->operation);
    stepper_go_to(&victim, &path, step);
    if (world.taker)
        world_drain(&world);
    if (world.filler)
        for (int i = 0; i < 2; i++)
            (void)world_push(&world);
    stepper_finish(&victim);
    CHECK(world.victims[0].returned);
    world_settle(&world);
}

static void try_role(unsigned role, void (*at_step)(uint64_t, void *), uint64_t most)
{
    uint64_t points = 0;
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        uint64_t of_kind = 0, cases = 0;
        for (const struct world_operation *operation = world_operations;
             operation != world_operation("pop_wait"); operation++) {
            for (int i = 0; operation->role == role && i < STATES; i++) {
                struct world_case at = {.kind = (enum world_kind)kind,
                                        .moved = states[i][0],
                                        .filled = states[i][1],
                                        .operation = operation};
                if (at_step == stop_at && !stepper_wants_case(cases++))
                    continue;
                explore(&at);
                of_kind += at_step == kill_at ? stepper_crashes(&path, most, at_step, &at)
                                              : stepper_stops(&path, most, at_step, &at);
            }
        }
        printf("  %-6s %llu points\n", world_kind_names[kind], (unsigned long long)of_kind);
        points += of_kind;
    }
    printf("  %llu points in all\n", (unsigned long long)points);
}

static void producer_killed(void)
{
    try_role(QUOIT_PRODUCER, kill_at, MOST);
}

static void consumer_killed(void)
{
    try_role(QUOIT_CONSUMER, kill_at, MOST);
}

static void producer_stopped(void)
{
    try_role(QUOIT_PRODUCER, stop_at, MOST / 5);
}

static void consumer_stopped(void)
{
    try_role(QUOIT_CONSUMER, stop_at, MOST / 5);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"steps can be taken", stepper_require},
        {"a producer killed at each instruction", producer_killed},
        {"a consumer killed at each instruction", consumer_killed},
        {"a producer stopped at an instruction, and going on", producer_stopped},
        {"a consumer stopped at an instruction, and going on", consumer_stopped},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
