/* SPDX-License-Identifier: MIT */
/* For programs that run until they are stopped: Ctrl-C and SIGTERM set `stopped`, and the program
   ends cleanly. */
#ifndef EXAMPLES_STOP_H
#define EXAMPLES_STOP_H

#include <quoit.h>

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped;
static quoit_queue *volatile stop_queue; /* the program waits on it; NULL: on none */

/* If the program is in a wait, or about to begin one, that wait returns QUOIT_INTERRUPTED. */
static inline void stop(int signal_number)
{
    (void)signal(signal_number, stop); /* some systems handle only the first signal otherwise */
    stopped = 1;
    if (stop_queue)
        (void)quoit_queue_interrupt(stop_queue); /* may be called in a handler. NOLINT */
}

/* Call it after joining the queue. It prints a line, which means that the program is ready. */
static inline void stop_on_signals(quoit_queue *queue)
{
    stop_queue = queue;
    (void)signal(SIGINT, stop);
    (void)signal(SIGTERM, stop);
    (void)fputs("running; Ctrl-C ends it\n", stderr);
    (void)fflush(stderr); /* Wine keeps it in a buffer */
}

/* Call it before closing the queue. */
static inline void stop_ends(void)
{
    stop_queue = NULL;
}

#endif
