/* SPDX-License-Identifier: MIT */
/* A signal handler leaves a call by siglongjmp, after each of the call's instructions in turn (the
   processor's trap flag sends SIGTRAP after each). The handle can then only be closed. After the
   close the state is the same as after a crash at that instruction: the ring is undamaged, its
   capacity exact, and other members can use it. */
#include "test.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { CAPACITY = 3, INSTRUCTIONS_MOST = 100000 };

/* ---- Leaving after so many instructions ------------------------------------------------------ */

static sigjmp_buf outside;
static volatile sig_atomic_t left;

#ifdef __x86_64__
enum { TRAP_FLAG = 0x100 };

static void on_trap(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    left--;
    if (left == 0)
        siglongjmp(outside, 1);
}

static void on_switch(int signal, siginfo_t *info, void *context)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
    (void)info;
    *flags = signal == SIGUSR1 ? *flags | TRAP_FLAG : *flags & ~(greg_t)TRAP_FLAG;
}

static void prepare(void)
{
    struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sigaction change = {.sa_sigaction = on_switch, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGTRAP, &trap, NULL) == 0 && sigaction(SIGUSR1, &change, NULL) == 0 &&
          sigaction(SIGUSR2, &change, NULL) == 0);
}
#else
static void prepare(void)
{
    test_skip("this processor's trap flag is not known here");
}
#endif

/* true: left after so many instructions; false: the call ended before. */
static bool leave_after(int instructions, void (*call)(void *argument), void *argument)
{
    left = instructions;
    if (sigsetjmp(outside, 1))
        return true;
    (void)kill(getpid(), SIGUSR1);
    call(argument);
    left = 0; /* no further traps */
    (void)kill(getpid(), SIGUSR2);
    return false;
}

/* ---- Queues ---------------------------------------------------------------------------------- */

struct layout {
    const char *name;
    struct quoit_queue_options options;
};

static const struct layout layouts[] = {
    {"slots", {.item_bytes = 8, .capacity = CAPACITY}},
    {"spans", {.item_bytes = 8, .capacity = CAPACITY}},
    {"bytes", {.item_bytes = 8, .capacity = CAPACITY, .messages = 1}},
    {"mpmc", {.item_bytes = 8, .capacity = CAPACITY, .kind = QUOIT_MPMC}},
    {"lossless", {.item_bytes = 8, .capacity = CAPACITY, .kind = QUOIT_BROADCAST}},
    {"lossy",
     {.item_bytes = 8,
      .capacity = CAPACITY,
      .kind = QUOIT_BROADCAST,
      .when_full = QUOIT_DROP_OLDEST}}};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };

struct side {
    const struct layout *layout;
    quoit_queue *queue;
    uint64_t item; /* to push, or popped */
    quoit_status status;
};

static void push(void *argument)
{
    struct side *side = argument;
    side->status = side->layout->options.messages
                       ? quoit_queue_push(side->queue, &side->item, 8, QUOIT_NOW)
                       : quoit_queue_push(side->queue, &side->item, sizeof side->item, QUOIT_NOW);
}

static void pop(void *argument)
{
    struct side *side = argument;
    size_t bytes;
    side->status = side->layout->options.messages
                       ? quoit_queue_pop(side->queue, &side->item, 8, &bytes, QUOIT_NOW)
                       : quoit_queue_pop(side->queue, &side->item, sizeof side->item, NULL,
                                         QUOIT_NOW);
}

static void push_in_place(void *argument)
{
    struct side *side = argument;
    void *room;
    size_t count;
    bool messages = side->layout->options.messages;
    side->status = messages ? quoit_queue_claim(side->queue, 8, &room, QUOIT_NOW)
                            : quoit_queue_claim_many(side->queue, 1, &room, &count, QUOIT_NOW);
    if (side->status != QUOIT_OK)
        return;
    memcpy(room, &side->item, 8);
    side->status = messages ? quoit_queue_commit(side->queue, 8)
                            : quoit_queue_commit_many(side->queue, 1);
}

static void discard(void *argument)
{
    struct side *side = argument;
    void *room;
    side->status = quoit_queue_claim(side->queue, 8, &room, QUOIT_NOW);
    if (side->status == QUOIT_OK)
        side->status = quoit_queue_discard(side->queue);
}

static void pop_in_place(void *argument)
{
    struct side *side = argument;
    const void *items;
    size_t count;
    side->status = side->layout->options.messages
                       ? quoit_queue_peek(side->queue, &items, &count, QUOIT_NOW)
                       : quoit_queue_peek_many(side->queue, &items, &count, QUOIT_NOW);
    if (side->status != QUOIT_OK)
        return;
    memcpy(&side->item, items, 8);
    side->status = quoit_queue_release(side->queue);
}

/* ---- The state after the call ---------------------------------------------------------------- */

static void enter(struct side *side, const char *name, unsigned role)
{
    const unsigned flags = role == QUOIT_CONSUMER ? role | QUOIT_FROM_OLDEST : role;
    CHECK_STATUS(quoit_queue_open(name, flags, &side->queue), QUOIT_OK);
}

static bool is_nothing(quoit_status status)
{
    return status == QUOIT_EMPTY || status == QUOIT_ABANDONED;
}

/* Pops all items, which are the next ones in order, from *next on. Returns their number. */
static uint64_t take_all(struct side *consumer, uint64_t *next)
{
    uint64_t count = 0;
    for (;; count++, ++*next) {
        pop(consumer);
        if (consumer->status != QUOIT_OK)
            break;
        CHECK_EQUAL(consumer->item, *next);
    }
    CHECK(is_nothing(consumer->status));
    return count;
}

static uint64_t fill(struct side *producer, uint64_t most, uint64_t *next)
{
    uint64_t count = 0;
    for (; count < most; count++, ++*next) {
        producer->item = *next;
        push(producer);
        if (producer->status != QUOIT_OK)
            break;
    }
    return count;
}

/* Both sides continue, for some laps, and up to the exact capacity. */
static void go_on(struct side *producer, struct side *consumer, uint64_t *next)
{
    uint64_t taken = *next;
    bool lossy = producer->layout->options.when_full == QUOIT_DROP_OLDEST;
    CHECK_STATUS(quoit_queue_check(producer->queue), QUOIT_OK);
    for (int round = 0; round < 3; round++) {
        CHECK_EQUAL(fill(producer, lossy ? CAPACITY : CAPACITY + 1, next), CAPACITY);
        CHECK_EQUAL(take_all(consumer, &taken), CAPACITY);
    }
    CHECK_STATUS(quoit_queue_check(producer->queue), QUOIT_OK);
}

struct world {
    const char *name;
    struct side producer, consumer;
    uint64_t next; /* item to push; all before it were popped */
    int slots;     /* tried after the same number of instructions */
    bool left_any; /* one of these calls was left */
};

/* For MPMC every instruction is tried, since its close does more than a crash does. For other rings
   a sample is tried, a different one in each run; tests/crash tries all. */
static int step_of(const struct layout *layout)
{
    return layout->options.kind == QUOIT_MPMC ? 1 : 5;
}

static void torn_push(struct world *world, void (*call)(void *argument), int *instructions)
{
    struct side *producer = &world->producer, *consumer = &world->consumer;
    uint64_t taken = world->next;
    CHECK_EQUAL(fill(producer, 1, &world->next), 1);
    producer->item = world->next;
    struct side other = *producer;
    bool left_it = leave_after(*instructions, call, producer);
    *instructions = left_it ? *instructions + step_of(producer->layout) : 0;
    uint64_t there = take_all(consumer, &taken);
    CHECK(there == 2 || (left_it && there == 1));
    world->next = taken;
    /* Others have reached the same slot, a lap later, before it closes. */
    bool many = producer->layout->options.kind == QUOIT_MPMC && there == 2;
    if (many) {
        enter(&other, world->name, QUOIT_PRODUCER);
        go_on(&other, consumer, &world->next);
        taken = world->next;
        CHECK_EQUAL(fill(&other, CAPACITY, &world->next), CAPACITY);
    }
    quoit_queue_close(producer->queue);
    if (many) {
        CHECK_EQUAL(take_all(consumer, &taken), CAPACITY);
        quoit_queue_close(other.queue);
    }
    enter(producer, world->name, QUOIT_PRODUCER);
    go_on(producer, consumer, &world->next);
}

/* For MPMC. If the slot was released, others reach it before the handle closes. Otherwise the claim
   holds back the next item until then. A call for the last slot has other instructions than one for
   the first, so each number of instructions is tried with each slot. */
static void torn_discard(struct world *world, void (*call)(void *argument), int *instructions)
{
    struct side *producer = &world->producer, *consumer = &world->consumer;
    uint64_t taken = world->next;
    bool left_it = leave_after(*instructions, call, producer);
    world->left_any |= left_it;
    if (++world->slots == CAPACITY) {
        *instructions = world->left_any ? *instructions + step_of(producer->layout) : 0;
        world->slots = 0;
        world->left_any = false;
    }
    struct side other = *producer;
    enter(&other, world->name, QUOIT_PRODUCER);
    CHECK_EQ(fill(&other, 1, &world->next), 1);
    bool is_given_back = take_all(consumer, &taken) == 1;
    CHECK(is_given_back || left_it);
    if (is_given_back) {
        go_on(&other, consumer, &world->next);
        taken = world->next;
        CHECK_EQ(fill(&other, CAPACITY, &world->next), CAPACITY);
    }
    quoit_queue_close(producer->queue);
    CHECK_EQ(take_all(consumer, &taken), is_given_back ? CAPACITY : 1);
    quoit_queue_close(other.queue);
    enter(producer, world->name, QUOIT_PRODUCER);
    go_on(producer, consumer, &world->next);
}

static void torn_pop(struct world *world, void (*call)(void *argument), int *instructions)
{
    struct side *producer = &world->producer, *consumer = &world->consumer;
    uint64_t taken = world->next;
    bool broadcast = producer->layout->options.kind == QUOIT_BROADCAST;
    CHECK_EQUAL(fill(producer, 2, &world->next), 2);
    bool left_it = leave_after(*instructions, call, consumer);
    *instructions = left_it ? *instructions + step_of(consumer->layout) : 0;
    quoit_queue_close(consumer->queue);
    enter(consumer, world->name, QUOIT_CONSUMER);
    if (broadcast) { /* it may start with any item that is kept */
        do
            pop(consumer);
        while (consumer->status == QUOIT_OK);
        taken = world->next;
    } else {
        pop(consumer); /* the first one, if the torn call did not take it; it may come later */
        CHECK_STATUS(consumer->status, QUOIT_OK);
        CHECK(consumer->item == taken || consumer->item == taken + 1);
        taken = consumer->item + 1;
        (void)take_all(consumer, &taken);
        CHECK_EQUAL(taken, world->next);
    }
    go_on(producer, consumer, &world->next);
}

typedef void torn_call(struct world *world, void (*call)(void *argument), int *instructions);

static void tear(const struct layout *layout, torn_call *torn, void (*call)(void *),
                 const char *what)
{
    struct world world = {.name = test_name(""), .next = 1};
    quoit_queue *queue;
    int instructions = 1 + (int)(test_random() % (uint64_t)step_of(layout)), most = 0;
    world.producer.layout = world.consumer.layout = layout;
    test_keep_spans(strcmp(layout->name, "spans") == 0);
    CHECK_STATUS(quoit_queue_create(world.name, &layout->options, QUOIT_OBSERVER, &queue),
                 QUOIT_OK);
    enter(&world.producer, world.name, QUOIT_PRODUCER);
    enter(&world.consumer, world.name, QUOIT_CONSUMER);
    do {
        most = instructions;
        (void)snprintf(test_context, sizeof test_context, "%s, %s, after %d instructions",
                       layout->name, what, most);
        torn(&world, call, &instructions);
    } while (instructions > 0 && instructions < INSTRUCTIONS_MOST);
    CHECK(instructions == 0 && most > 20);
    quoit_queue_close(world.producer.queue);
    quoit_queue_close(world.consumer.queue);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(world.name, 0), QUOIT_OK);
    test_context[0] = '\0';
}

static void tear_all(torn_call *torn, void (*call)(void *), const char *what)
{
    prepare();
    for (int i = 0; i < LAYOUTS; i++)
        tear(&layouts[i], torn, call, what);
}

static void pushes(void)
{
    tear_all(torn_push, push, "push");
}

static void pushes_in_place(void)
{
    tear_all(torn_push, push_in_place, "claim and commit");
}

static void discards(void)
{
    prepare();
    for (int i = 0; i < LAYOUTS; i++)
        if (layouts[i].options.kind == QUOIT_MPMC)
            tear(&layouts[i], torn_discard, discard, "claim and discard");
}

static void pops(void)
{
    tear_all(torn_pop, pop, "pop");
}

static void pops_in_place(void)
{
    tear_all(torn_pop, pop_in_place, "peek and release");
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"pushes", pushes}, {"pushes_in_place", pushes_in_place}, {"discards", discards},
        {"pops", pops},     {"pops_in_place", pops_in_place},     {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
