/* SPDX-License-Identifier: MIT */
/* Sleeping and signals on POSIX systems. */
#include "pause.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

void stop_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool stop_requested(void)
{
    return stopped != 0;
}

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void pause_for(double seconds)
{
    /* In slices: a signal that comes just before a sleep is then noticed soon, not at the end of
       the pause. */
    const double slice = 0.05;
    double deadline = now() + seconds;
    for (double left = seconds; left > 0 && !stopped; left = deadline - now()) {
        double part = left < slice ? left : slice;
        struct timespec time = {.tv_nsec = (long)(part * 1e9)};
        (void)nanosleep(&time, NULL);
    }
}

uint64_t pause_seed(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000000007u ^ (uint64_t)time.tv_nsec << 20 ^ (uint64_t)getpid();
}

char **arguments_utf8(int argc, char **argv)
{
    (void)argc;
    return argv;
}
