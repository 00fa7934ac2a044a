/* SPDX-License-Identifier: MIT */
/* Second processes on POSIX systems. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { ARGUMENTS_MAX = 6 };

test_process test_spawn(const char *role, const char *const *arguments)
{
    static char program[] = "/proc/self/exe";
    static char role_option[] = "--role";
    char role_text[64], texts[ARGUMENTS_MAX][256];
    char *argv[ARGUMENTS_MAX + 4] = {program, role_option, role_text};
    int count = 3;
    (void)snprintf(role_text, sizeof role_text, "%s", role);
    for (; *arguments && count < ARGUMENTS_MAX + 3; arguments++, count++) {
        (void)snprintf(texts[count - 3], sizeof texts[0], "%s", *arguments);
        argv[count] = texts[count - 3];
    }
    pid_t pid;
    int error = posix_spawn(&pid, program, NULL, NULL, argv, environ);
    if (error != 0)
        test_fail(__FILE__, __LINE__, "cannot start '%s': %s", role, strerror(error));
    return (test_process){.id = pid};
}

void test_kill(test_process process)
{
    (void)kill((pid_t)process.id, SIGKILL);
}

int test_wait(test_process process)
{
    int status;
    while (waitpid((pid_t)process.id, &status, 0) < 0)
        if (errno != EINTR)
            test_fail(__FILE__, __LINE__, "waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : TEST_KILLED;
}

bool test_is_running(test_process process)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)process.id, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

void test_sleep_ms(int milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

void test_idle(void)
{
    static _Thread_local unsigned calls;
    const struct timespec moment = {.tv_nsec = 20000};
    if (++calls % 64 == 0) /* a yield alone can leave the other waiting for a whole time slice */
        (void)nanosleep(&moment, NULL);
    else if (calls % 8 == 0)
        (void)sched_yield();
}

uint32_t test_own_pid(void)
{
    return (uint32_t)getpid();
}

int test_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    if (!directory)
        return 0;
    while (readdir(directory))
        count++;
    (void)closedir(directory);
    return count;
}
