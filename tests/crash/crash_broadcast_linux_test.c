/* SPDX-License-Identifier: MIT */
/*
 * A broadcast's producer, or a subscriber, is killed at each instruction of each operation, or
 * stopped there. It is tried beside a subscriber that was killed before, while it wakes others, and
 * while it is blocked in a wait. Two other subscribers receive each committed item once and in
 * order; in a lossy queue they know how many they missed. A producer, the next one or the same,
 * finds room at once.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

enum { SURVIVORS = 2, MOST = 60, MOST_OF_OPENING = 30 };
enum { OF_VICTIM = WORLD_OF_VICTIM, OF_NEXT = 2 * WORLD_OF_VICTIM };

struct scene {
    uint32_t when_full;
    uint64_t moved, filled;
    bool held_up; /* a killed subscriber took none; the others took all */
    struct world_operation operation;
};
/* The queue holds no item, some, all but one, or all; some states go around the array's end. */
static const struct scene states[] = {{.moved = 0, .filled = 0},
                                      {.moved = 1, .filled = 4},
                                      {.moved = 3, .filled = 3},
                                      {.moved = 7, .filled = 5},
                                      {.moved = 3, .filled = 5, .held_up = true}};
enum { STATES = sizeof states / sizeof states[0] };

struct stage {
    const struct scene *scene;
    struct world world; /* the name and the victim */
    quoit_queue *producer, *subscribers[SURVIVORS];
    uint64_t before;         /* items pushed at the beginning, numbered from 1 */
    uint64_t committed;      /* by a victim, numbered from OF_VICTIM + 1 */
    uint64_t after;          /* by the next producer, numbered from OF_NEXT + 1 */
    uint64_t got[SURVIVORS]; /* since it joined */
};

/* ---- Beginning ------------------------------------------------------------------------------- */

static quoit_queue *open_as(const struct stage *stage, unsigned roles)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(stage->world.name, roles, &queue), QUOIT_OK);
    return queue;
}

static void push_before(struct stage *stage)
{
    struct thing thing = world_thing(++stage->before);
    CHECK_STATUS(thing_push((struct thing_queue){stage->producer}, &thing, QUOIT_NOW), QUOIT_OK);
}

static void drain_all(struct stage *stage);

static void begin(struct stage *stage, const struct scene *scene)
{
    static const char *name;
    const struct quoit_queue_options options = {.kind = QUOIT_BROADCAST,
                                                .item_bytes = sizeof(struct thing),
                                                .capacity = WORLD_CAPACITY,
                                                .when_full = scene->when_full};
    if (!name)
        name = test_name("");
    *stage = (struct stage){.scene = scene, .world = {.name = name, .victims = world_victims()}};
    (void)snprintf(test_context, sizeof test_context, "%s, lossy %d, %llu items after %llu%s",
                   scene->operation.name, (int)scene->when_full, (unsigned long long)scene->filled,
                   (unsigned long long)scene->moved, scene->held_up ? ", held up" : "");
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &stage->producer), QUOIT_OK);
    for (int i = 0; i < SURVIVORS; i++)
        stage->subscribers[i] = open_as(stage, QUOIT_CONSUMER);
    for (uint64_t i = 0; i < scene->moved; i++) {
        struct thing thing;
        push_before(stage);
        for (int j = 0; j < SURVIVORS; j++) {
            CHECK_STATUS(thing_pop((struct thing_queue){stage->subscribers[j]}, &thing, QUOIT_NOW),
                         QUOIT_OK);
            stage->got[j]++;
        }
    }
    struct stepper holder = {0};
    if (scene->held_up)
        holder = world_start(&stage->world, 1, world_operation("peek"));
    for (uint64_t i = 0; i < scene->filled; i++)
        push_before(stage);
    if (scene->held_up) {
        stepper_kill(&holder);
        drain_all(stage);
    }
    if (scene->operation.role & QUOIT_PRODUCER) {
        quoit_queue_close(stage->producer);
        stage->producer = NULL;
    }
}

/* ---- The survivors' checks ------------------------------------------------------------------- */

/* The item's index among all items that were pushed. */
static uint64_t index_of(const struct stage *stage, uint64_t number)
{
    if (number > OF_NEXT)
        return stage->before + stage->committed + number - OF_NEXT;
    return number > OF_VICTIM ? stage->before + number - OF_VICTIM : number;
}

static quoit_status drain(struct stage *stage, int who)
{
    quoit_queue *queue = stage->subscribers[who];
    struct thing thing;
    quoit_status status;
    bool had_finished;
    do {
        had_finished = test_is_finished(queue);
        while ((status = thing_pop((struct thing_queue){queue}, &thing, QUOIT_NOW)) == QUOIT_OK) {
            CHECK(world_is_whole(&thing));
            CHECK_EQUAL(index_of(stage, thing.number),
                        ++stage->got[who] + quoit_queue_missed(queue));
        }
        /* ABANDONED: on a slow machine, after 50 ms without an item. EMPTY: this call has marked
           the end, on behalf of a producer that crashed just before it did; the next call returns
           FINISHED. */
    } while (status == QUOIT_ABANDONED ||
             (status == QUOIT_EMPTY && !had_finished && test_is_finished(queue)));
    CHECK_STATUS(status, test_is_finished(queue) ? QUOIT_FINISHED : QUOIT_EMPTY);
    CHECK(stage->scene->when_full == QUOIT_DROP_OLDEST || quoit_queue_missed(queue) == 0);
    return status;
}

static uint64_t came_to(const struct stage *stage, int who)
{
    return stage->got[who] + quoit_queue_missed(stage->subscribers[who]);
}

static void drain_all(struct stage *stage)
{
    for (int i = 0; i < SURVIVORS; i++)
        (void)drain(stage, i);
    CHECK_EQUAL(came_to(stage, 0), came_to(stage, 1));
}

static bool push_next(struct stage *stage)
{
    struct thing thing = world_thing(OF_NEXT + stage->after + 1);
    quoit_status status = thing_push((struct thing_queue){stage->producer}, &thing, QUOIT_NOW);
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_FULL, QUOIT_FINISHED);
    stage->after += status == QUOIT_OK;
    return status == QUOIT_OK;
}

/* Checks that the newest item is whole, also while a victim is stopped at any instruction, and not
   older than the newest item that was pushed before the victim began. Returns its index, 0 if there
   never was an item. */
static uint64_t find_latest(const struct stage *stage)
{
    struct thing thing;
    quoit_status status = thing_latest((struct thing_queue){stage->subscribers[0]}, &thing);
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_EMPTY);
    CHECK(status == QUOIT_OK || stage->before == 0);
    if (status == QUOIT_EMPTY)
        return 0;
    CHECK(world_is_whole(&thing));
    CHECK_GE(index_of(stage, thing.number), stage->before);
    return index_of(stage, thing.number);
}

/* Pushes as many items as fit: exactly the capacity, or more if the queue is lossy. Each subscriber
   accounts for all of them. */
static void fill_and_drain(struct stage *stage)
{
    bool lossy = stage->scene->when_full == QUOIT_DROP_OLDEST;
    bool finished = test_is_finished(stage->producer);
    uint64_t before = stage->after;
    for (int i = 0; i < 2 * WORLD_CAPACITY && push_next(stage); i++)
        ;
    uint64_t fit = lossy ? 2 * WORLD_CAPACITY : WORLD_CAPACITY;
    CHECK_EQUAL(stage->after - before, finished ? 0 : fit);
    CHECK_STATUS(quoit_queue_check(stage->producer), QUOIT_OK);
    drain_all(stage);
    CHECK_EQUAL(came_to(stage, 0), stage->before + stage->committed + stage->after);
    CHECK_EQUAL(quoit_queue_size(stage->producer), 0);
    CHECK_EQ(find_latest(stage), stage->before + stage->committed + stage->after);
}

/* The items that a killed subscriber had received are whole, and in order. */
static void check_victim(const struct world_victim *victim, bool lossy)
{
    for (uint64_t i = 0; victim->takes && i < victim->done; i++) {
        CHECK(victim->in_registers || world_is_whole(&victim->buffer[i]));
        CHECK(i == 0 || victim->in_registers || lossy ||
              victim->buffer[i].number == victim->buffer[i - 1].number + 1);
    }
}

static void end(struct stage *stage)
{
    quoit_queue_close(stage->producer);
    for (int i = 0; i < SURVIVORS; i++)
        quoit_queue_close(stage->subscribers[i]);
    CHECK_STATUS(quoit_unlink(stage->world.name, 0), QUOIT_OK);
}

/* Checks the queue after the victim was killed. */
static void settle(struct stage *stage)
{
    const struct world_victim *victim = stage->world.victims;
    bool produced = (stage->scene->operation.role & QUOIT_PRODUCER) != 0;
    drain_all(stage);
    if (produced) {
        stage->committed = came_to(stage, 0) - stage->before;
        CHECK_LE(stage->committed, victim->count);
        CHECK_GE(stage->committed, victim->done);
        CHECK(!victim->returned || stage->committed == victim->done);
        CHECK_EQ(find_latest(stage), stage->before + stage->committed);
        stage->producer = open_as(stage, QUOIT_PRODUCER);
    }
    CHECK_EQUAL(came_to(stage, 0), stage->before + stage->committed + stage->after);
    CHECK_EQ(find_latest(stage), stage->before + stage->committed + stage->after);
    check_victim(victim, stage->scene->when_full == QUOIT_DROP_OLDEST);
    fill_and_drain(stage);
    fill_and_drain(stage);
    end(stage);
}

/* ---- Kills and stops ------------------------------------------------------------------------- */

static struct stepper_path path; /* of the operation that is tried now */

static void explore(const struct scene *scene)
{
    struct stage stage;
    begin(&stage, scene);
    struct stepper victim = world_start(&stage.world, 0, &scene->operation);
    stepper_explore(&victim, &path);
    settle(&stage);
}

static void kill_at(uint64_t step, void *context)
{
    struct stage stage;
    begin(&stage, context);
    struct stepper victim = world_start(&stage.world, 0, &stage.scene->operation);
    stepper_go_to(&victim, &path, step);
    (void)find_latest(&stage);
    stepper_kill(&victim);
    settle(&stage);
}

/* A stopped process is not treated as crashed: it goes on, and its operation returns. */
static void stop_at(uint64_t step, void *context)
{
    struct stage stage;
    begin(&stage, context);
    struct stepper victim = world_start(&stage.world, 0, &stage.scene->operation);
    stepper_go_to(&victim, &path, step);
    (void)find_latest(&stage);
    drain_all(&stage);
    for (int i = 0; i < 2 * WORLD_CAPACITY && stage.producer && push_next(&stage); i++)
        ;
    drain_all(&stage);
    stepper_finish(&victim);
    CHECK(stage.world.victims->returned);
    settle(&stage);
}

static void try_operation(const struct world_operation *operation, unsigned flags,
                          void (*at_step)(uint64_t, void *), uint64_t most, uint64_t *points)
{
    for (int kind = 0; kind < 2; kind++)
        for (int i = 0; i < STATES; i++) {
            struct scene scene = states[i];
            scene.when_full = (uint32_t)kind;
            scene.operation = *operation;
            scene.operation.role |= flags;
            if (at_step == stop_at && !stepper_wants_case((uint64_t)(kind + i)))
                continue;
            explore(&scene);
            *points += at_step == kill_at ? stepper_crashes(&path, most, at_step, &scene)
                                          : stepper_stops(&path, most, at_step, &scene);
        }
}

static void try_role(unsigned role, const char *opening, void (*at_step)(uint64_t, void *),
                     uint64_t most)
{
    uint64_t points = 0;
    unsigned flags = role == QUOIT_CONSUMER ? QUOIT_FROM_OLDEST : 0;
    for (const struct world_operation *operation = world_operations;
         operation != world_operation("pop_wait"); operation++)
        if (operation->role == role)
            try_operation(operation, flags, at_step, most, &points);
    if (opening)
        try_operation(world_operation(opening), 0, at_step, MOST_OF_OPENING, &points);
    printf("  %llu points\n", (unsigned long long)points);
}

static void producer_killed(void)
{
    try_role(QUOIT_PRODUCER, "open as producer", kill_at, MOST);
}

static void subscriber_killed(void)
{
    try_role(QUOIT_CONSUMER, "open as consumer", kill_at, MOST);
}

static void producer_stopped(void)
{
    try_role(QUOIT_PRODUCER, NULL, stop_at, MOST / 10);
}

static void subscriber_stopped(void)
{
    try_role(QUOIT_CONSUMER, NULL, stop_at, MOST / 10);
}

/* ---- The next producer is killed too --------------------------------------------------------- */

static struct stepper_path next_path;
static uint64_t died_at; /* the step at which the first producer is killed */

static struct stepper begin_pair(struct stage *stage, const struct scene *scene)
{
    begin(stage, scene);
    struct stepper first = world_start(&stage->world, 0, &scene->operation);
    stepper_go_to(&first, &path, died_at);
    stepper_kill(&first);
    return world_start(&stage->world, 1, world_operation("open as producer"));
}

static void kill_next_at(uint64_t step, void *context)
{
    struct stage stage;
    struct stepper next = begin_pair(&stage, context);
    stepper_go_to(&next, &next_path, step);
    stepper_kill(&next);
    settle(&stage);
}

static uint64_t try_changes(struct scene *scene)
{
    uint64_t changes[WORLD_CHANGES], points = 0;
    struct stage stage;
    begin(&stage, scene);
    struct stepper first = world_start(&stage.world, 0, &scene->operation);
    uint64_t count = world_find_changes(&first, &path, changes);
    settle(&stage);
    CHECK_GT(count, 1);
    for (uint64_t i = 0; i < count; i++) {
        if (!stepper_wants_case(i))
            continue;
        died_at = changes[i];
        struct stepper next = begin_pair(&stage, scene);
        stepper_explore(&next, &next_path);
        settle(&stage);
        points += stepper_crashes(&next_path, MOST_OF_OPENING, kill_next_at, scene);
    }
    return points;
}

static void next_producer_killed(void)
{
    const char *const firsts[] = {"push", "push_many", "claim and commit", "finish", NULL};
    for (int i = 0; firsts[i]; i++) {
        uint64_t points = 0;
        for (int kind = 0; kind < 2; kind++) {
            struct scene scene = states[2];
            scene.when_full = (uint32_t)kind;
            scene.operation = *world_operation(firsts[i]);
            points += try_changes(&scene);
        }
        printf("  %-16s %llu points\n", firsts[i], (unsigned long long)points);
    }
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* Starts a process that is blocked in a wait: a subscriber, until there is an item; or the
   producer, which only the victim holds up, until the victim makes room or is killed. */
static struct stepper begin_to_wake(struct stage *stage, const struct scene *scene,
                                    int *sleeper_out)
{
    bool gives = (scene->operation.role & QUOIT_PRODUCER) != 0;
    begin(stage, scene);
    struct stepper victim = world_start(&stage->world, 0, &scene->operation);
    while (!gives && push_next(stage))
        ;
    drain_all(stage);
    quoit_queue_close(stage->producer);
    stage->producer = NULL;
    *sleeper_out = world_start_sleeper(stage->world.name, gives ? QUOIT_CONSUMER | QUOIT_FROM_OLDEST
                                                                : (unsigned)QUOIT_PRODUCER);
    victim.has_company = true;
    return victim;
}

static void end_wake(struct stage *stage, int sleeper, bool done)
{
    if ((stage->scene->operation.role & QUOIT_PRODUCER) && !done) {
        stage->producer = open_as(stage, QUOIT_PRODUCER);
        (void)push_next(stage);
    }
    world_end_sleeper(sleeper);
    end(stage);
}

static void kill_waker_at(uint64_t step, void *context)
{
    struct stage stage;
    int sleeper;
    struct stepper victim = begin_to_wake(&stage, context, &sleeper);
    stepper_go_to(&victim, &path, step);
    stepper_kill(&victim);
    end_wake(&stage, sleeper, stage.world.victims->done > 0 || stage.world.victims->returned);
}

static uint64_t try_waker(const char *operation, uint32_t when_full)
{
    struct scene scene = {.when_full = when_full, .operation = *world_operation(operation)};
    struct stage stage;
    int sleeper;
    if (scene.operation.role == QUOIT_CONSUMER)
        scene.operation.role |= QUOIT_FROM_OLDEST;
    struct stepper victim = begin_to_wake(&stage, &scene, &sleeper);
    stepper_explore(&victim, &path);
    end_wake(&stage, sleeper, true);
    return stepper_crashes(&path, MOST, kill_waker_at, &scene);
}

static void waker_killed(void)
{
    const char *const givers[] = {"push", "push_many", "claim and commit", "finish", NULL};
    const char *const takers[] = {"pop", "pop_many", "peek and release", NULL};
    uint64_t points = 0;
    for (int i = 0; givers[i]; i++)
        points += try_waker(givers[i], QUOIT_WAIT_FOR_SLOWEST) +
                  try_waker(givers[i], QUOIT_DROP_OLDEST);
    for (int i = 0; takers[i]; i++)
        points += try_waker(takers[i], QUOIT_WAIT_FOR_SLOWEST);
    printf("  %llu points\n", (unsigned long long)points);
}

/* Runs the victim to its first futex call. From there on it blocks, and wakes at its time limit,
   since no item and no room has come. */
static struct stepper begin_to_sleep(struct stage *stage, const struct scene *scene)
{
    begin(stage, scene);
    struct stepper victim = world_start(&stage->world, 0, &scene->operation);
    CHECK(stepper_run_to_call(&victim, SYS_futex));
    return victim;
}

static void kill_sleeper_at(uint64_t step, void *context)
{
    struct stage stage;
    struct stepper victim = begin_to_sleep(&stage, context);
    (void)stepper_advance(&victim, step);
    stepper_kill(&victim);
    settle(&stage);
}

static void sleeper_killed(void)
{
    struct scene scenes[] = {
        {.when_full = QUOIT_WAIT_FOR_SLOWEST, .operation = *world_operation("pop_wait")},
        {.when_full = QUOIT_DROP_OLDEST, .operation = *world_operation("pop_wait")},
        {.when_full = QUOIT_WAIT_FOR_SLOWEST,
         .filled = WORLD_CAPACITY,
         .operation = *world_operation("push_wait")}};
    uint64_t points = 0;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        struct stage stage;
        struct stepper victim = begin_to_sleep(&stage, &scenes[i]);
        while (stepper_step(&victim))
            ;
        stepper_kill(&victim);
        settle(&stage);
        points += stepper_points(victim.steps, MOST, kill_sleeper_at, &scenes[i]);
    }
    printf("  %llu points\n", (unsigned long long)points);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"steps can be taken", stepper_require},
        {"a producer killed at each instruction", producer_killed},
        {"a subscriber killed at each instruction", subscriber_killed},
        {"a producer stopped at an instruction, and going on", producer_stopped},
        {"a subscriber stopped at an instruction, and going on", subscriber_stopped},
        {"the next producer killed as it finds the position of the crashed one",
         next_producer_killed},
        {"a waker killed at each instruction", waker_killed},
        {"a sleeper killed before, during and after its wait", sleeper_killed},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
