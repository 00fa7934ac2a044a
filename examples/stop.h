/* SPDX-License-Identifier: MIT */
/* For programs that run until they are stopped: Ctrl-C and SIGTERM set `stopped`, and the program
   ends cleanly. */
#ifndef EXAMPLES_STOP_H
#define EXAMPLES_STOP_H

#include <signal.h>
#include <stdio.h>

/* A signal does not end a wait. So these programs wait for a tenth of a second at most, in
   nanoseconds, and then check `stopped`. */
enum { A_MOMENT = 100 * 1000 * 1000 };

static volatile sig_atomic_t stopped;

static inline void stop(int signal_number)
{
    (void)signal(signal_number, stop); /* some systems handle only the first signal otherwise */
    stopped = 1;
}

/* Call it after joining the queue. It prints a line, which means that the program is ready. */
static inline void stop_on_signals(void)
{
    (void)signal(SIGINT, stop);
    (void)signal(SIGTERM, stop);
    (void)fputs("running; Ctrl-C ends it\n", stderr);
    (void)fflush(stderr); /* Wine keeps it in a buffer */
}

#endif
