/* SPDX-License-Identifier: MIT */
/*
 * What other processes can see of a process that runs step by step: the memory that it shares.
 * Between two changes of that, and without a system call, all moments to be killed at are one:
 * the others find the same bytes and the same locks.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { WATCH_OBJECT = 1, WATCH_ANONYMOUS = 2 }; /* a shared-memory object; the tests' own memory */

/* Finds what the process shares: at its beginning, and after each of its system calls. Returns
   WATCH_OBJECT if that is not what it was. */
unsigned watch_map(int pid);
/* Which kinds of shared memory have changed since the last call. */
unsigned watch_changes(int pid);
/* May the instruction that the process runs next read or write memory that it shares, or enter the
   kernel? Where this is not known, the answer is yes. */
bool watch_may_touch(int pid);

#endif
