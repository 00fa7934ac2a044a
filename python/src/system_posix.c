/* SPDX-License-Identifier: MIT */
/* The few calls of the system that the module makes itself: POSIX. */
#include "core.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>

static unsigned generation; /* changes only in a child, before it has other threads */

static void count_fork(void)
{
    generation++;
}

void core_watch_forks(void)
{
    static bool is_watching;
    if (!is_watching)
        is_watching = pthread_atfork(NULL, NULL, count_fork) == 0;
}

unsigned core_fork_generation(void)
{
    return generation;
}

int64_t core_now_ns(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void core_sleep_ns(int64_t ns)
{
    const struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&time, NULL);
}

bool core_dup(int fd, int *fd_out)
{
    *fd_out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return *fd_out >= 0;
}
