/* SPDX-License-Identifier: MIT */
/*
 * A process that runs instruction by instruction, to be killed, or left stopped, at any of them.
 * Linux, by ptrace.
 */
#ifndef STEPPER_H
#define STEPPER_H

#include <stdbool.h>
#include <stdint.h>

struct stepper {
    int pid;
    uint64_t steps; /* instructions since stepper_begin */
};

/* Skips the test where nobody can be traced: under an emulator, a sanitizer, a strict container. */
void stepper_require(void);

/* Forks; the child calls run, which calls stepper_begin and stepper_end. Returns when it is at its
   beginning. */
struct stepper stepper_start(void (*run)(void *argument), void *argument);
void stepper_begin(void);
void stepper_end(void);

/* One instruction, or one system call. false: it is at its end. */
bool stepper_step(struct stepper *stepper);
/* So many. false: it was at its end before. */
bool stepper_advance(struct stepper *stepper, uint64_t steps);
/* The system calls of an operation, by the number of the instruction that makes each. */
enum { STEPPER_CALLS = 1000 };
struct stepper_map {
    uint64_t steps, calls;
    uint64_t call_at[STEPPER_CALLS];
};
/* Steps to the end, and notes the calls. */
void stepper_explore(struct stepper *stepper, struct stepper_map *map);
/* As stepper_advance, at full speed from call to call. */
void stepper_go_to(struct stepper *stepper, const struct stepper_map *map, uint64_t step);
/* On to the entrance of that system call, at full speed. false: it went by without one. */
bool stepper_run_to_call(struct stepper *stepper, long number);

/* Lets the call-th system call from here on (0: the next) fail with that error, in place of being
   made, if it is one that wanted(its number) says; it then stands behind it. false: the process
   came to its end before. Skips the test on processors for which this is not written. */
bool stepper_fail_call(struct stepper *stepper, uint64_t call, int error,
                       bool (*wanted)(long number));

/* kill -9, and away with it. */
void stepper_kill(struct stepper *stepper);
/* Lets it go on by itself to its end, at which it must arrive. */
void stepper_finish(struct stepper *stepper);

/* Which of 0 to steps an operation of so many steps is to be killed at: calls at(step, context) for
   each if they are not more than most, else for so many of them, others in each run; with
   QUOIT_CRASH_POINTS=all in the environment for each, with a number for at most that many. Returns
   how many. */
uint64_t stepper_points(uint64_t steps, uint64_t most, void (*at)(uint64_t step, void *context),
                        void *context);

#endif
