/* SPDX-License-Identifier: MIT */
/* Clocks and processes on POSIX systems. */
#include "platform.h"

#include "pin.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t bench_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int64_t bench_start(const char *program, const char *role, const char *name)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bench_unpin(); /* else it would inherit the one processor of this process */
        (void)execlp(program, program, role, name, (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    return child;
}

int bench_join(int64_t process)
{
    int status = -1;
    (void)waitpid((pid_t)process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void bench_yield(void)
{
    (void)sched_yield();
}
