/* SPDX-License-Identifier: MIT */
/* Names of processes, and the files that they have mapped, as the system shows them. */
#ifndef QUOIT_TOOLS_PROCESS_INFO_H
#define QUOIT_TOOLS_PROCESS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROCESS_NAME_ROOM = 260 };

/* "" if the system does not show it. The process chooses it, so print it by print_text. */
void process_name(uint32_t pid, char name_out[PROCESS_NAME_ROOM]);

/* Has a signal or a debugger stopped it? false if the system does not show it. */
bool process_is_stopped(uint32_t pid);

/* How many files in the directory of shared memory (posix:) this user may not read: queues of other
   users, or other files. 0 if the system does not list them. */
size_t process_count_unreadable(void);

/* Finds the processes that still use an object whose name was unlinked. Writes at most `most` PIDs,
   and returns how many. It finds only processes that this user may inspect. Returns 0 if the system
   does not show mappings, or if only the object's creator is left: its mapping has no name. */
size_t process_find_unlinked(const char *name, uint32_t *pids_out, size_t most);

#endif
