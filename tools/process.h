/* SPDX-License-Identifier: MIT */
/* What processes are called, and what they have mapped, by the system. */
#ifndef QUOIT_TOOLS_PROCESS_H
#define QUOIT_TOOLS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROCESS_NAME_ROOM = 260 };

/* "" if the system does not tell it. The process chooses it: print_text prints it. */
void process_name(uint32_t pid, char name_out[PROCESS_NAME_ROOM]);

/* Has a signal stopped it, or a debugger? false if the system does not tell it. */
bool process_is_stopped(uint32_t pid);

/* How many files there are where the system keeps shared memory (posix:) that this user may not
   read: queues of others, or anything else. 0 where the system does not list them. */
size_t process_count_unreadable(void);

/* Who goes on with an object that has lost this name: writes at most so many PIDs, returns how
   many. Of those that we may look at; 0 where the system does not tell, or only who made it is
   left, whose mapping has no name. */
size_t process_find_unlinked(const char *name, uint32_t *pids_out, size_t most);

#endif
