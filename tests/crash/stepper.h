/* SPDX-License-Identifier: MIT */
/*
 * Runs a process instruction by instruction, and kills it or leaves it stopped at any of them.
 * Linux, by ptrace.
 */
#ifndef STEPPER_H
#define STEPPER_H

#include <stdbool.h>
#include <stdint.h>

/* The path of an operation: at[i] is the address of its instruction after i steps, and at[steps]
   the address at its end. marks[i] has the properties below after i steps. */
enum { STEPPER_STEPS = 1 << 18 };
enum {
    STEPPER_FIRST = 1,   /* the path reaches this address for the first time */
    STEPPER_CHANGED = 2, /* the last step changed shared memory */
    STEPPER_OBJECT = 4,  /* it changed an object, not the test's own shared memory */
    STEPPER_TOUCHES = 8  /* the next instruction may read or change shared memory */
};
struct stepper_path {
    uint64_t steps;
    uintptr_t at[STEPPER_STEPS];
    uint8_t marks[STEPPER_STEPS];
};

struct stepper {
    int pid;
    uint64_t steps;   /* instructions since stepper_begin */
    bool has_company; /* another live process may change the memory between two steps */
};

/* Skips the test where no process can be traced: under an emulator, a sanitizer, a strict
   container. */
void stepper_require(void);

/* Forks. The child calls run, which calls stepper_begin and stepper_end. Returns when the child is
   in stepper_begin. */
struct stepper stepper_start(void (*run)(void *argument), void *argument);
void stepper_begin(void);
void stepper_end(void);

/* Runs one instruction, or one system call. Returns false at the end of the operation. */
bool stepper_step(struct stepper *stepper);
/* Runs so many steps. Returns false if the operation ends before that. */
bool stepper_advance(struct stepper *stepper, uint64_t steps);
/* Runs the operation from its beginning to its end by steps, records its path, and kills the
   process. */
void stepper_explore(struct stepper *stepper, struct stepper_path *path);
/* Runs from the beginning to the position after so many steps of a path that was recorded before.
   It runs at full speed, except in loops. */
void stepper_go_to(struct stepper *stepper, const struct stepper_path *path, uint64_t step);
/* Is the instruction that is next after so many steps one that enters the kernel? */
bool stepper_is_call(const struct stepper_path *path, uint64_t step);
/* Runs at full speed to the entrance of that system call. Returns false if the operation ended
   without one. */
bool stepper_run_to_call(struct stepper *stepper, long number);

/* Makes a system call fail with that error instead of being executed: number `call` (0: the next)
   of those for which wanted(its number) is true. The process then stands behind it. Returns false
   if the operation ended before. Skips the test on processors for which this is not written. */
bool stepper_fail_call(struct stepper *stepper, uint64_t call, int error,
                       bool (*wanted)(long number));

/* Kills the process as kill -9 does, and waits for its end. */
void stepper_kill(struct stepper *stepper);
/* Lets the process continue by itself to its end, which it must reach. */
void stepper_finish(struct stepper *stepper);

/*
 * Calls at(step, context) for the points at which an operation is to be killed or stopped, and
 * returns how many points there were.
 *   deaths  A killed process leaves its shared memory, and no locks. If an instruction changes
 *           neither, a kill after it leaves the same state as a kill before it. So one step of each
 *           such run is tried, chosen at random.
 *   stops   A stopped process later continues with the values that it has read. So it is stopped
 *           before each instruction that may touch shared memory.
 *   calls   Before and after each system call, for every value of QUOIT_CRASH_POINTS.
 *   points  Each step, for operations without a path.
 * At most `most` points are tried; each seed chooses others. QUOIT_CRASH_POINTS in the environment:
 * a number, for at most that many (default 4); "all", for all of them; "every", for every
 * instruction. --point tries one point alone.
 */
bool stepper_takes_all(void); /* "all", "every", or a full run */
/* Is case `number` tried? A short run tries a third of the cases, another third with each seed. */
bool stepper_wants_case(uint64_t number);
typedef void stepper_try(uint64_t step, void *context);
uint64_t stepper_crashes(const struct stepper_path *path, uint64_t most, stepper_try *at,
                         void *context);
uint64_t stepper_stops(const struct stepper_path *path, uint64_t most, stepper_try *at,
                       void *context);
uint64_t stepper_points(uint64_t steps, uint64_t most, stepper_try *at, void *context);
uint64_t stepper_calls(const struct stepper_path *path, stepper_try *at, void *context);

#endif
