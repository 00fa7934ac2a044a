/* SPDX-License-Identifier: MIT */
/* Reading memory of a file that another process can truncate meanwhile. */
#ifndef QUOIT_TOOLS_FAULT_H
#define QUOIT_TOOLS_FAULT_H

#include <stdbool.h>

/* Between fault_begin and fault_end, reading a mapping beyond the file's end returns zeros instead
   of ending the process by SIGBUS. fault_seen, called between them, and fault_end return whether
   that has happened. They must not be nested. */
void fault_begin(void);
bool fault_seen(void);
bool fault_end(void);

#endif
