/* SPDX-License-Identifier: MIT */
/*
 * A small queue, its users, and a ledger of what each of them has done, in memory that outlives the
 * victims. With the ledger the delivery contract is checked for each item, whenever the victims
 * were killed.
 */
#ifndef WORLD_H
#define WORLD_H

#include "stepper.h"
#include "test.h"

enum { WORLD_CAPACITY = 5, WORLD_MANY = 3, WORLD_VICTIMS = 2, WORLD_NUMBERS = 400 };
/* The number of an item shows its origin: it was there before, or a victim made it, or a
   survivor. */
enum { WORLD_BEFORE = 0, WORLD_OF_VICTIM = 100, WORLD_OF_SURVIVORS = 300 };

struct thing {
    uint64_t mark;            /* the word that distinguishes an item from an empty slot */
    uint64_t number, inverse; /* redundant, so that a torn item is detected */
};
QUOIT_DEFINE_QUEUE(thing, struct thing);
_Static_assert(sizeof(struct thing) <= QUOIT_SPSC_LARGEST_IN_SLOTS, "WORLD_SLOTS needs slots");

struct thing world_thing(uint64_t number);
bool world_is_whole(const struct thing *thing);

/* Pushes or pops one item, inlined, or one message, depending on the world's queue. */
quoit_status world_push_thing(quoit_queue *queue, const struct thing *thing, int64_t timeout_ns);
quoit_status world_pop_thing(quoit_queue *queue, struct thing *thing_out, int64_t timeout_ns);
extern bool world_has_messages;

/* Written by one victim, and read after it was killed or stopped. */
struct world_victim {
    uint64_t first; /* it pushes count numbers, beginning with this one */
    size_t count;
    bool takes;
    bool in_registers; /* its kill may lose an item that was not yet in its buffer */
    bool returned;     /* its call has returned, after so many items: */
    uint64_t done;
    struct thing buffer[WORLD_MANY]; /* items that it popped, or read before it released them */
};

/* WORLD_HIDDEN: all items begin with the word that marks an empty slot. */
enum world_kind { WORLD_SLOTS, WORLD_HIDDEN, WORLD_SPANS, WORLD_BYTES, WORLD_MPMC, WORLD_KINDS };
extern const char *const world_kind_names[];

/* One operation on a queue in one state. */
struct world_case {
    enum world_kind kind;
    uint64_t moved;  /* items that passed through it before, */
    uint64_t filled; /* and items that are in it now */
    const struct world_operation *operation;
};

/* An operation of a victim. The victim opens the queue in that role, calls ready, and is stepped
   through act. If act opens the queue itself, queue is NULL. */
struct world_operation {
    const char *name;
    unsigned role;
    size_t count;      /* the largest number of items, <= WORLD_MANY */
    bool in_registers; /* inlined pops: the compiler may keep the item there for a while */
    void (*ready)(quoit_queue *queue, struct world_victim *victim); /* NULL: nothing to do */
    void (*act)(quoit_queue *queue, struct world_victim *victim);
    void (*open)(const char *name); /* called instead of act */
};
extern const struct world_operation world_operations[]; /* ended by a NULL name */
const struct world_operation *world_operation(const char *name);

struct world {
    struct world_case at;
    const char *name;
    quoit_queue *taker, *filler; /* the survivors'; the same in MPMC. NULL: a victim has it */
    struct world_victim *victims;
    uint64_t pushed; /* by the survivors */
    uint64_t seen[WORLD_NUMBERS], last[WORLD_NUMBERS / 100];
    uint64_t abandoned; /* items that came out of order */
};

/* Returns WORLD_VICTIMS of them, zeroed, in memory that they share with this process. */
struct world_victim *world_victims(void);

/* Creates the queue in the state of the case, and opens its survivors. */
void world_begin(struct world *world, const struct world_case *at);
/* Starts a victim, which stops before the first instruction of the operation. */
struct stepper world_start(struct world *world, uint32_t victim,
                           const struct world_operation *operation);

/* Operations of the survivors, without waiting: pop all items that they can get; push one. */
void world_drain(struct world *world);
quoit_status world_push(struct world *world);

/* Call it when the victims were killed or have ended. Checks that each item is there, once and in
   order, and that the queue accepts and returns as many items as its capacity. Ends the world. */
void world_settle(struct world *world);

/* Starts a survivor in another process that waits, with a long time limit, for an item, for room,
   or for the end of the stream. The second function checks that it got that. */
int world_start_sleeper(const char *name, unsigned role);
/* The same in quoit_wait_any, together with another queue. */
int world_start_any_sleeper(const char *name, unsigned role);
void world_end_sleeper(int pid);

/* Steps the victim to its end, and kills it. Records its path, and the steps after which a
   shared-memory object has changed: at most WORLD_CHANGES, beginning with 0. Returns how many. */
enum { WORLD_CHANGES = 64 };
uint64_t world_find_changes(struct stepper *victim, struct stepper_path *path, uint64_t *steps_out);

#endif
