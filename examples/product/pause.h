/* SPDX-License-Identifier: MIT */
/* Functions that depend on the system: sleeping, requests to stop, and arguments. */
#ifndef PRODUCT_PAUSE_H
#define PRODUCT_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* From here on the system's request to end (Ctrl-C, SIGTERM, a closed console) makes stop_requested
   true. */
void stop_catch(void);
bool stop_requested(void);

/* Sleeps, or less if the end is requested. */
void pause_for(double seconds);

/* main's arguments, which stay to the end of the process. */
char **arguments_utf8(int argc, char **argv);

/* Returns a number that differs from run to run. */
uint64_t pause_seed(void);

#endif
