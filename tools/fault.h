/* SPDX-License-Identifier: MIT */
/* Looking at memory that others can cut off meanwhile. */
#ifndef QUOIT_TOOLS_FAULT_H
#define QUOIT_TOOLS_FAULT_H

#include <stdbool.h>

/* Between these two, what is read of a file's mapping beyond the file's end is zeros, where else
   SIGBUS would end the process. fault_end: has that happened? Not to be nested. */
void fault_begin(void);
bool fault_end(void);

#endif
