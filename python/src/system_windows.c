/* SPDX-License-Identifier: MIT */
/* The few calls of the system that the module makes itself: Windows, which has no fork. */
#include "core.h"

#include <windows.h>

unsigned core_generation;

void core_once(void (*call)(void))
{
    static bool is_done;
    if (!is_done)
        call();
    is_done = true;
}

void core_watch_forks(void)
{
}

bool core_signals_watch(void)
{
    return false;
}

void core_signals_unwatch(void)
{
}

unsigned core_signals_seen(void)
{
    return 0;
}

bool core_signals_announce(quoit_queue *queue, unsigned seen)
{
    (void)queue;
    (void)seen;
    return true;
}

void core_signals_withdraw(void)
{
}

int64_t core_now_ns(void)
{
    LARGE_INTEGER count = {.QuadPart = 0}, rate = {.QuadPart = 1};
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&rate);
    return count.QuadPart / rate.QuadPart * 1000000000 +
           count.QuadPart % rate.QuadPart * 1000000000 / rate.QuadPart;
}

void core_sleep_ns(int64_t ns)
{
    Sleep((DWORD)((ns + 999999) / 1000000));
}

bool core_dup(int fd, int *fd_out)
{
    (void)fd;
    *fd_out = -1;
    return false;
}
