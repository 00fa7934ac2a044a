/* SPDX-License-Identifier: MIT */
/* The second process of quoit bench, on POSIX systems. */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int64_t bench_start(const char *program, const char *row, const char *there, const char *back)
{
    pid_t child;
    const char *const words[] = {program, "bench", "--side", row, there, back, NULL};
    /* The prototype is older than const; nothing is written. */
    union {
        const char *const *words;
        char *const *argv;
    } arguments = {words};
    return posix_spawnp(&child, program, NULL, NULL, arguments.argv, environ) == 0 ? child : -1;
}

int bench_join(int64_t process)
{
    int status = -1;
    while (waitpid((pid_t)process, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

unsigned bench_id(void)
{
    return (unsigned)getpid();
}

void bench_yield(void)
{
    (void)sched_yield();
}
