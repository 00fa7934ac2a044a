/* SPDX-License-Identifier: MIT */
/*
 * Sleepers are killed while they begin to wait, while they are blocked, and while they wake. Wakers
 * are killed at each instruction of an operation that wakes a sleeper. Every other sleeper wakes in
 * bounded time.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST = 150, ROUNDS = 20 };
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* The sleepers of waker_killed wait on two queues. */
static bool any_sleeps;

static int start_sleeper(const char *name, unsigned role)
{
    return any_sleeps ? world_start_any_sleeper(name, role) : world_start_sleeper(name, role);
}

static void unlink_world(const struct world *world)
{
    quoit_queue_close(world->taker);
    if (world->filler != world->taker)
        quoit_queue_close(world->filler);
    CHECK_STATUS(quoit_unlink(world->name, 0), QUOIT_OK);
}

/* ---- Wakers ---------------------------------------------------------------------------------- */

/* A survivor does what the killed victim did not complete: it pushes an item, or makes room. In an
   SPSC queue it first opens the victim's side. */
static void give(struct world *world)
{
    const struct world_operation *operation = world->at.operation;
    struct thing thing;
    if (operation->role == QUOIT_PRODUCER && !world->filler)
        CHECK_STATUS(quoit_queue_open(world->name, QUOIT_PRODUCER, &world->filler), QUOIT_OK);
    if (operation->role == QUOIT_CONSUMER && !world->taker)
        CHECK_STATUS(quoit_queue_open(world->name, QUOIT_CONSUMER, &world->taker), QUOIT_OK);
    if (operation->role == QUOIT_PRODUCER)
        (void)world_push(world);
    else
        (void)world_pop_thing(world->taker, &thing, QUOIT_NOW);
}

/* Kills a waker at that step. If the waker completed nothing, a survivor pushes or pops in its
   place. So the sleeper must have got an item, or room. */
static void kill_waker_at(uint64_t step, void *context)
{
    const struct world_case *at = context;
    unsigned sleeps = QUOIT_PRODUCER + QUOIT_CONSUMER - at->operation->role;
    struct world world;
    world_begin(&world, at);
    if (at->kind != WORLD_MPMC) { /* the sleeper takes the survivor's side */
        quoit_queue_close(world.taker);
        quoit_queue_close(world.filler);
        world.taker = world.filler = NULL;
    }
    struct stepper victim = world_start(&world, 0, at->operation);
    pid_t sleeper = start_sleeper(world.name, sleeps);
    (void)stepper_advance(&victim, step);
    bool done = world.victims[0].done > 0 || world.victims[0].returned;
    stepper_kill(&victim);
    if (!done)
        give(&world);
    /* The next slot may hold the item that the killed consumer had taken. A consumer that continues
       adopts it after the sleeper has found that its owner crashed. */
    while (!done && at->kind == WORLD_MPMC && at->operation->role == QUOIT_CONSUMER &&
           test_is_running((test_process){.id = sleeper})) {
        test_sleep_ms(1);
        give(&world);
    }
    world_end_sleeper(sleeper);
    unlink_world(&world);
}

static uint64_t count_steps(const struct world_case *at)
{
    struct world world;
    world_begin(&world, at);
    struct stepper victim = world_start(&world, 0, at->operation);
    pid_t sleeper = 0;
    if (at->kind == WORLD_MPMC)
        sleeper = start_sleeper(world.name, QUOIT_PRODUCER + QUOIT_CONSUMER - at->operation->role);
    while (stepper_step(&victim))
        ;
    stepper_kill(&victim);
    if (sleeper > 0)
        world_end_sleeper(sleeper);
    unlink_world(&world);
    return victim.steps + (sleeper > 0 ? 0 : 120); /* about the steps of one wake */
}

static void kill_wakers(void)
{
    const char *const wakers[] = {"push", "push_many", "finish", "pop", "peek and release", NULL};
    uint64_t points = 0;
    for (int kind = 0; kind < WORLD_KINDS; kind++)
        for (int i = 0; wakers[i]; i++) {
            const struct world_operation *operation = world_operation(wakers[i]);
            struct world_case at = {.kind = (enum world_kind)kind,
                                    .filled = operation->role == QUOIT_CONSUMER ? WORLD_CAPACITY
                                                                                : 0,
                                    .operation = operation};
            points += stepper_points(count_steps(&at), MOST, kill_waker_at, &at);
        }
    printf("  %llu points\n", (unsigned long long)points);
}

static void waker_killed(void)
{
    for (int any = 0; TEST_LOOP(any < 2, 0, "wait_any", any); any++) {
        any_sleeps = any == 1;
        kill_wakers();
    }
}

/* ---- Sleepers -------------------------------------------------------------------------------- */

/* Runs the victim to its first futex call. From there on it blocks, and wakes at its time limit,
   since no item and no room has come. */
static struct stepper start_to_sleep(struct world *world, const struct world_case *at)
{
    world_begin(world, at);
    struct stepper victim = world_start(world, 0, at->operation);
    bool any = strncmp(at->operation->name, "wait_any", strlen("wait_any")) == 0;
    CHECK(stepper_run_to_call(&victim, any ? SYS_futex_waitv : SYS_futex));
    return victim;
}

/* Kills it so many steps later, and checks what it leaves. */
static void kill_after(struct world world, struct stepper victim, uint64_t step)
{
    const struct world_case *at = &world.at;
    pid_t other = 0;
    if (at->kind == WORLD_MPMC) /* waits on the same word as the victim */
        other = world_start_sleeper(world.name, at->operation->role);
    (void)stepper_advance(&victim, step);
    stepper_kill(&victim);
    if (other > 0) {
        give(&(struct world){.at = {.operation = world_operation(
                                        at->operation->role == QUOIT_PRODUCER ? "pop" : "push")},
                             .taker = world.taker,
                             .filler = world.filler});
        world_end_sleeper(other);
        world_drain(&world);
        unlink_world(&world);
        return;
    }
    world_settle(&world);
}

static void kill_sleeper_at(uint64_t step, void *context)
{
    struct world world;
    struct stepper victim = start_to_sleep(&world, context);
    kill_after(world, victim, step);
}

/* On its way to the sleep, and through the rest of the call. */
static void kill_waiter_at(uint64_t step, void *context)
{
    const struct world_case *at = context;
    struct world world;
    world_begin(&world, at);
    kill_after(world, world_start(&world, 0, at->operation), step);
}

static const char *const sleepers[] = {"pop_wait", "push_wait", "wait_any, pop", "wait_any, push",
                                       NULL};

/* The queue is full for a producer, and empty for a consumer. */
static struct world_case blocked_case(int kind, const char *name)
{
    const struct world_operation *operation = world_operation(name);
    return (struct world_case){.kind = (enum world_kind)kind,
                               .filled = operation->role == QUOIT_PRODUCER ? WORLD_CAPACITY : 0,
                               .operation = operation};
}

/* The points are those at which the victim has changed shared memory. A call takes another path if
   its time runs out in another place, so a victim is stepped to its point, and not sent along the
   recorded path. */
static void waiter_killed(void)
{
    static struct stepper_path path;
    uint64_t points = 0, steps = 0;
    for (int kind = 0; kind < WORLD_KINDS; kind++)
        for (int i = 0; sleepers[i]; i++) {
            struct world_case at = blocked_case(kind, sleepers[i]);
            struct world world;
            world_begin(&world, &at);
            struct stepper victim = world_start(&world, 0, at.operation);
            stepper_explore(&victim, &path);
            world_settle(&world);
            steps += path.steps;
            points += stepper_crashes(&path, MOST, kill_waiter_at, &at);
        }
    printf("  %llu points in %llu steps\n", (unsigned long long)points, (unsigned long long)steps);
}

static void sleeper_killed(void)
{
    uint64_t points = 0;
    for (int kind = 0; kind < WORLD_KINDS; kind++)
        for (int i = 0; sleepers[i]; i++) {
            struct world_case at = blocked_case(kind, sleepers[i]);
            struct world world;
            struct stepper victim = start_to_sleep(&world, &at);
            while (stepper_step(&victim))
                ;
            stepper_kill(&victim);
            world_settle(&world);
            points += stepper_points(victim.steps, MOST, kill_sleeper_at, &at);
        }
    printf("  %llu points\n", (unsigned long long)points);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"steps can be taken", stepper_require},
        {"a waker killed between publishing and waking", waker_killed},
        {"a waiter killed on its way to the sleep", waiter_killed},
        {"a sleeper killed before, during and after its wait", sleeper_killed},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
