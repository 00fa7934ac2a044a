/* SPDX-License-Identifier: MIT */
/*
 * A process that creates, joins, opens, closes or unlinks a queue is killed at each instruction of
 * that. The next process that joins succeeds at once, and its queue is whole. When that queue is
 * unlinked, no object is left. A transient queue is left only until the next process joins and
 * closes it, and it stays as long as a live process has it open.
 */
#include "world.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

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
    bool transient; /* items go with the last member */
    bool kept;      /* transient, and another process has it open */
    quoit_queue *keeper;
};

static unsigned flags_of(const struct life *life)
{
    return both | (life->transient ? QUOIT_TRANSIENT : 0u);
}

static void live(void *argument)
{
    const struct life *life = argument;
    quoit_queue *queue = NULL;
    if (life->deed == LEAVE && life->transient)
        CHECK_STATUS(quoit_queue_join(life->name, life->options, flags_of(life), &queue), QUOIT_OK);
    else if (life->deed == LEAVE)
        CHECK_STATUS(quoit_queue_open(life->name, both, &queue), QUOIT_OK);
    stepper_begin();
    switch (life->deed) {
    case CREATE:
        (void)quoit_queue_create(life->name, life->options, flags_of(life), &queue);
        break;
    case JOIN:
        (void)quoit_queue_join(life->name, life->options, flags_of(life), &queue);
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

static quoit_queue *make(const struct life *life)
{
    quoit_queue *queue;
    struct thing thing = world_thing(1);
    CHECK_STATUS(quoit_queue_create(life->name, life->options, flags_of(life), &queue), QUOIT_OK);
    CHECK_STATUS(thing_push((struct thing_queue){queue}, &thing, QUOIT_NOW), QUOIT_OK);
    return queue;
}

/* A process that makes the queue crashes in it. */
static void make_and_crash(const struct life *life)
{
    int status, pid = fork();
    CHECK_NE(pid, -1);
    if (pid == 0) {
        (void)make(life);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

/* Creates a queue with an item in it, except for the deeds that create one themselves. */
static void prepare(struct life *life)
{
    if (life->kept)
        life->keeper = make(life);
    else if (life->transient && life->deed != LEAVE)
        make_and_crash(life); /* also before a create, and a join of a new one */
    else if (!life->transient && life->deed != CREATE && life->deed != JOIN)
        quoit_queue_close(make(life));
}

static void check_whole(quoit_queue *queue)
{
    struct thing thing;
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
}

static void check_removed(struct life *life)
{
    quoit_queue *observer;
    if (life->kept) {
        CHECK_STATUS(quoit_queue_open(life->name, QUOIT_OBSERVER, &observer), QUOIT_OK);
        quoit_queue_close(observer);
        quoit_queue_close(life->keeper);
    } else if (!life->transient) {
        CHECK_STATUS(quoit_unlink(life->name, 0), QUOIT_OK);
    }
    CHECK_STATUS(quoit_unlink(life->name, 0), QUOIT_ERROR_NOT_FOUND);
}

/* The next process joins the queue, and checks all that the contract promises. */
static void settle(struct life *life)
{
    quoit_queue *queue;
    struct thing thing;
    bool had_item = life->kept ||
                    (!life->transient && (life->deed == ENTER || life->deed == LEAVE));
    CHECK_STATUS(quoit_queue_join(life->name, life->options, flags_of(life), &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_status status = thing_pop((struct thing_queue){queue}, &thing, QUOIT_NOW);
    CHECK(status == (had_item ? QUOIT_OK : QUOIT_EMPTY) || life->deed == UNLINK);
    check_whole(queue);
    quoit_queue_close(queue);
    check_removed(life);
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

/* Of MPMC, since another process has the same roles. */
static void try_transient(const char *scheme)
{
    struct life life = {.options = &mpmc, .name = test_name(scheme), .transient = true};
    for (life.deed = CREATE; life.deed <= LEAVE; life.deed++)
        try_deed(&life);
    life.kept = true;
    for (life.deed = JOIN; life.deed <= LEAVE; life.deed++)
        try_deed(&life);
}

static void transient(void)
{
    static const char *const schemes[] = {"posix", "sysv", "file"};
    for (uint64_t i = 0; i < 3; i++)
        if (stepper_wants_case(i))
            try_transient(schemes[i]);
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
        {"killed inside create, join, enter, leave of transient ones", transient},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
