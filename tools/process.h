/* SPDX-License-Identifier: MIT */
/* What processes are called, by the system. */
#ifndef QUOIT_TOOLS_PROCESS_H
#define QUOIT_TOOLS_PROCESS_H

#include <stdint.h>

enum { PROCESS_NAME_ROOM = 260 };

/* "" where the system does not say it. What would disturb a terminal is replaced. */
void process_name(uint32_t pid, char name_out[PROCESS_NAME_ROOM]);

#endif
