/* SPDX-License-Identifier: MIT */
/* Sleeping, and being told to stop. */
#ifndef PRODUCT_PAUSE_H
#define PRODUCT_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* From here on the system's request to end (Ctrl-C, SIGTERM) makes stop_requested true. */
void stop_catch(void);
bool stop_requested(void);

/* Sleeps, or less if the end is requested. */
void pause_for(double seconds);

/* Something that differs from run to run. */
uint64_t pause_seed(void);

#endif
