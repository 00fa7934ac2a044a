/* SPDX-License-Identifier: MIT */
/* Clocks, processes and processors on Linux. */
#include "bench.h"

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

int64_t bench_start(void (*side)(const char *name), const char *name)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        side(name);
        _exit(EXIT_SUCCESS);
    }
    return child;
}

int bench_join(int64_t process)
{
    int status = -1;
    (void)waitpid((pid_t)process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void bench_pin(int index)
{
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    int wanted = index % CPU_COUNT(&allowed), seen = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && seen++ == wanted)
            CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

void bench_yield(void)
{
    (void)sched_yield();
}
