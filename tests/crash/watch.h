/* SPDX-License-Identifier: MIT */
/*
 * Watches the shared memory of a process that runs step by step. Other processes can see nothing
 * else of it. Between two changes of that memory, and without a system call, all kill points are
 * equivalent: the others find the same bytes and the same locks.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { WATCH_OBJECT = 1, WATCH_ANONYMOUS = 2 }; /* a shared-memory object; the tests' own memory */

/* Finds the shared memory of the process. Call it at the process's beginning, and after each of its
   system calls. Returns WATCH_OBJECT if the mappings have changed. */
unsigned watch_map(int pid);
/* Which kinds of shared memory have changed since the last call. */
unsigned watch_changes(int pid);
/* May the next instruction of the process read or write shared memory, or enter the kernel? Returns
   true if that is not known. */
bool watch_may_touch(int pid);

#endif
