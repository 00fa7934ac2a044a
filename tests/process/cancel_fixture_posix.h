/* SPDX-License-Identifier: MIT */
/* For the tests that cancel threads. A thread that was cancelled with a mutex hangs all others,
   even those that would end the test. */
#ifndef CANCEL_FIXTURE_POSIX_H
#define CANCEL_FIXTURE_POSIX_H

#include "test.h"

#include <signal.h>
#include <unistd.h>

static inline _Noreturn void on_alarm(int number)
{
    static const char text[] = "a call hangs: given up after 120 s\n";
    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(1);
}

/* The process ends, with a message, if the part takes longer. */
static inline void limit_time(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    (void)alarm(120);
}

#endif
