/* SPDX-License-Identifier: MIT */
/*
 * A process that creates, joins, opens, closes or unlinks a queue is killed at each instruction of
 * that. The next process that joins succeeds at once, and its queue is whole. When that queue is
 * unlinked, no object is left.
 */
#include "world.h"

#include <stdio.h>

enum { MOST = 60 };

static const struct quoit_queue_options spsc = {.item_bytes = sizeof(struct thing), .capacity = 5};
static const struct quoit_queue_options mpmc = {
    .kind = QUOIT_MPMC, .item_bytes = sizeof(struct thing), .capacity = 5};
static const struct quoit_queue_options broadcast = {
    .kind = QUOIT_BROADCAST, .item_bytes = sizeof(struct thing), .capacity = 5};
static const struct quoit_queue_options *const kinds[] = {&spsc, &mpmc, &broadcast};

/* QUOIT_FROM_OLDEST: a subscriber receives the items that were pushed before it joined. */
static const unsigned both = QUOIT_PRODUCER | QUOIT_CONSUMER | QUOIT_FROM_OLDEST;

enum deed { CREATE, JOIN, ENTER, LEAVE, UNLINK };
static const char *const deeds[] = {"create", "join a new one", "enter", "leave", "unlink"};

struct life {
    enum deed deed;
    const struct quoit_queue_options *options;
    const char *name;
};

static void live(void *argument)
{
    const struct life *life = argument;
    quoit_queue *queue = NULL;
    if (life->deed == LEAVE)
        CHECK_STATUS(quoit_queue_open(life->name, both, &queue), QUOIT_OK);
    stepper_begin();
    switch (life->deed) {
    case CREATE:
        (void)quoit_queue_create(life->name, life->options, both, &queue);
        break;
    case JOIN:
        (void)quoit_queue_join(life->name, life->options, both, &queue);
        break;
    case ENTER:
        (void)quoit_queue_open(life->name, both, &queue);
        break;
    case LEAVE:
        quoit_queue_close(queue);
        break;
    case UNLINK:
        (void)quoit_unlink(life->name, 0);
        break;
    }
    stepper_end();
}

/* Creates a queue with an item in it, except for the deeds that create one themselves. */
static void prepare(const struct life *life)
{
    if (life->deed == CREATE || life->deed == JOIN)
        return;
    quoit_queue *queue;
    struct thing thing = world_thing(1);
    CHECK_STATUS(quoit_queue_create(life->name, life->options, both, &queue), QUOIT_OK);
    CHECK_STATUS(thing_push((struct thing_queue){queue}, &thing, QUOIT_NOW), QUOIT_OK);
    quoit_queue_close(queue);
}

/* The next process joins the queue, and checks all that the contract promises. */
static void settle(const struct life *life)
{
    quoit_queue *queue;
    struct thing thing;
    bool had_item = life->deed == ENTER || life->deed == LEAVE;
    CHECK_STATUS(quoit_queue_join(life->name, life->options, both, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_status status = thing_pop((struct thing_queue){queue}, &thing, QUOIT_NOW);
    CHECK(status == (had_item ? QUOIT_OK : QUOIT_EMPTY) || life->deed == UNLINK);
    for (uint64_t i = 1; i <= 5; i++) {
        thing = world_thing(i);
        CHECK_STATUS(thing_push((struct thing_queue){queue}, &thing, QUOIT_NOW), QUOIT_OK);
    }
    CHECK_STATUS(thing_push((struct thing_queue){queue}, &thing, QUOIT_NOW), QUOIT_FULL);
    for (uint64_t i = 1; i <= 5; i++) {
        CHECK_STATUS(thing_pop((struct thing_queue){queue}, &thing, QUOIT_NOW), QUOIT_OK);
        CHECK_EQUAL(thing.number, i);
    }
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(life->name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_unlink(life->name, 0), QUOIT_ERROR_NOT_FOUND);
}

static struct stepper_path path; /* of the deed that is tried now */

static void kill_at(uint64_t step, void *context)
{
    struct life *life = context;
    prepare(life);
    struct stepper victim = stepper_start(live, life);
    stepper_go_to(&victim, &path, step);
    stepper_kill(&victim);
    settle(life);
}

static void try_deed(struct life *life)
{
    (void)snprintf(test_context, sizeof test_context, "%s %s", deeds[life->deed], life->name);
    prepare(life);
    struct stepper victim = stepper_start(live, life);
    stepper_explore(&victim, &path);
    settle(life);
    uint64_t calls = stepper_calls(&path, kill_at, life);
    uint64_t points = calls + stepper_crashes(&path, MOST, kill_at, life);
    printf("  %-16s %6llu instructions, %3llu points at calls, %3llu in all\n", deeds[life->deed],
           (unsigned long long)path.steps, (unsigned long long)calls, (unsigned long long)points);
}

static void try_scheme(const char *scheme)
{
    for (int i = 0; i < 3; i++) {
        if (!stepper_wants_case((uint64_t)i))
            continue;
        struct life life = {.options = kinds[i], .name = test_name(scheme)};
        for (life.deed = CREATE; life.deed <= UNLINK; life.deed++)
            try_deed(&life);
    }
}

static void posix(void)
{
    try_scheme("posix");
}

static void sysv(void)
{
    try_scheme("sysv");
}

static void file(void)
{
    try_scheme("file");
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"steps can be taken", stepper_require},
        {"killed inside create, join, enter, leave, unlink: posix", posix},
        {"killed inside create, join, enter, leave, unlink: sysv", sysv},
        {"killed inside create, join, enter, leave, unlink: file", file},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
