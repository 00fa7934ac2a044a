/* SPDX-License-Identifier: MIT */
/*
 * A process that runs instruction by instruction, to be killed, or left stopped, at any of them.
 * Linux, by ptrace.
 */
#ifndef STEPPER_H
#define STEPPER_H

#include <stdbool.h>
#include <stdint.h>

/* An operation's way: where each of its instructions is, and where it is at its end, at[steps]. */
enum { STEPPER_STEPS = 1 << 17 };
struct stepper_path {
    uint64_t steps;
    uintptr_t at[STEPPER_STEPS];
};

struct stepper {
    int pid;
    uint64_t steps;            /* instructions since stepper_begin */
    struct stepper_path *path; /* NULL, or what stepper_step notes its way in */
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
/* To its end, by steps, and notes its way there; kills it. */
void stepper_explore(struct stepper *stepper, struct stepper_path *path);
/* From its beginning to where it was after so many steps on a way that an earlier one went: at full
   speed, but for loops. */
void stepper_go_to(struct stepper *stepper, const struct stepper_path *path, uint64_t step);
/* Is the instruction that is next after so many steps one that enters the kernel? */
bool stepper_is_call(const struct stepper_path *path, uint64_t step);
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
