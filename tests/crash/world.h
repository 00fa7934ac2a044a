/* SPDX-License-Identifier: MIT */
/*
 * A small queue, those who use it, and a ledger of what each of them has done, in memory that
 * outlives the victims: with it the delivery contract is checked to the item, whenever they died.
 */
#ifndef WORLD_H
#define WORLD_H

#include "stepper.h"
#include "test.h"

enum { WORLD_CAPACITY = 5, WORLD_MANY = 3, WORLD_VICTIMS = 2, WORLD_NUMBERS = 400 };
/* Numbers say who made them: those that were there before, each victim's, the survivors'. */
enum { WORLD_BEFORE = 0, WORLD_OF_VICTIM = 100, WORLD_OF_SURVIVORS = 300 };

struct thing {
    uint64_t mark;                   /* what slots tell an item by */
    uint64_t number, twice, inverse; /* torn ones show */
};
QUOIT_DEFINE_QUEUE(thing, struct thing);

struct thing world_thing(uint64_t number);
bool world_is_whole(const struct thing *thing);

/* One item, inlined, or one message, as the world's queue has them. */
quoit_status world_push_thing(quoit_queue *queue, const struct thing *thing, int64_t timeout_ns);
quoit_status world_pop_thing(quoit_queue *queue, struct thing *thing_out, int64_t timeout_ns);
extern bool world_is_sized;

/* Written by one victim, read when it is dead or stopped. */
struct world_victim {
    uint64_t first; /* it pushes count numbers, from this one on */
    size_t count;
    bool takes;
    bool in_registers; /* its death may take along an item that is in its buffer a moment later */
    bool returned;     /* its call has, and has done so much: */
    uint64_t done;
    struct thing buffer[WORLD_MANY]; /* what it popped, or saw before it released it */
};

/* In hidden slots all items begin as an empty slot does. */
enum world_kind { WORLD_SLOTS, WORLD_HIDDEN, WORLD_SPANS, WORLD_BYTES, WORLD_MPMC, WORLD_KINDS };
extern const char *const world_kind_names[];

/* One operation on a queue in one state. */
struct world_case {
    enum world_kind kind;
    uint64_t moved;  /* items that went through it before, */
    uint64_t filled; /* and that are in it */
    const struct world_operation *operation;
};

/* What a victim does. It opens the queue as role, makes ready, and is stepped through act; where
   act opens the queue itself, queue is NULL. */
struct world_operation {
    const char *name;
    unsigned role;
    size_t count;      /* items at most, <= WORLD_MANY */
    bool in_registers; /* inlined pops: the compiler may keep the item there for a while */
    void (*ready)(quoit_queue *queue, struct world_victim *victim); /* NULL: nothing to do */
    void (*act)(quoit_queue *queue, struct world_victim *victim);
    void (*open)(const char *name); /* in the place of act */
};
extern const struct world_operation world_operations[]; /* ended by a NULL name */
const struct world_operation *world_operation(const char *name);

struct world {
    struct world_case at;
    const char *name;
    quoit_queue *taker, *filler; /* the survivors'; MPMC: the same. NULL: a victim's side */
    struct world_victim *victims;
    uint64_t pushed; /* by the survivors */
    uint64_t seen[WORLD_NUMBERS], last[WORLD_NUMBERS / 100];
    uint64_t orphans; /* items that came late */
};

/* WORLD_VICTIMS of them, zeroed, in memory that they share with this process. */
struct world_victim *world_victims(void);

/* The queue as the case wants it, and its survivors. */
void world_begin(struct world *world, const struct world_case *at);
/* Starts one; it stops before the first instruction of the operation. */
struct stepper world_start(struct world *world, uint32_t victim,
                           const struct world_operation *operation);

/* What survivors do without waiting: all they can get; one push. */
void world_drain(struct world *world);
quoit_status world_push(struct world *world);

/* The victims are dead, or done: everything is there, once, and in order; the queue takes and gives
   its capacity. Ends the world. */
void world_settle(struct world *world);

/* A survivor in another process, that waits for long: for an item, for room, for the end. By its
   end it must have got that. */
int world_start_sleeper(const char *name, unsigned role);
void world_end_sleeper(int pid);

/* Steps the victim to its end, and kills it: notes its way, and the steps after which a
   shared-memory object is not what it was, at most WORLD_CHANGES, beginning with 0. Returns how
   many. */
enum { WORLD_CHANGES = 64 };
uint64_t world_find_changes(struct stepper *victim, struct stepper_path *path, uint64_t *steps_out);

#endif
