/* SPDX-License-Identifier: MIT */
/* Process and clocks on Windows, which has no fork to guard against. */
#include "win32.h"

#include "fail.h"

uint32_t quoit_os_process_id(void)
{
    return (uint32_t)GetCurrentProcessId();
}

uint64_t quoit_os_monotonic_ns(void)
{
    LARGE_INTEGER ticks = {.QuadPart = 0}, per_second = {.QuadPart = 1};
    (void)QueryPerformanceCounter(&ticks);
    (void)QueryPerformanceFrequency(&per_second);
    uint64_t count = (uint64_t)ticks.QuadPart, rate = (uint64_t)per_second.QuadPart;
    return count / rate * 1000000000 + count % rate * 1000000000 / rate;
}

uint64_t quoit_os_coarse_ns(void)
{
    return GetTickCount64() * 1000000;
}

uint64_t quoit_os_unix_time_ns(void)
{
    const uint64_t from_1601_to_1970 = UINT64_C(11644473600) * 10000000; /* in 100 ns */
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return (((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - from_1601_to_1970) * 100;
}

/* A hold only limits the waits for other processes. */
static _Thread_local struct {
    unsigned depth;
    uint64_t give_up_ns; /* 0: it has not waited for others yet */
} hold;

void quoit_os_fork_hold(void)
{
    if (hold.depth++ == 0)
        hold.give_up_ns = 0;
}

void quoit_os_fork_release(void)
{
    hold.depth--;
}

int64_t quoit_os_hold_ns = INT64_C(10000000000);

int64_t quoit_os_hold_left_ns(void)
{
    uint64_t now = quoit_os_monotonic_ns();
    if (hold.give_up_ns == 0)
        hold.give_up_ns = now + (uint64_t)quoit_os_hold_ns;
    return now < hold.give_up_ns ? (int64_t)(hold.give_up_ns - now) : 0;
}

quoit_status quoit_os_pause(struct quoit_os_shm *shm, const char *what)
{
    (void)shm;
    if (quoit_os_hold_left_ns() == 0)
        return quoit_fail(QUOIT_ERROR_BUSY,
                          "'%s': another process keeps it locked and makes no progress; continue "
                          "or kill that process if it is stopped",
                          what);
    Sleep(1);
    return QUOIT_OK;
}

void quoit_os_cancel_point(void)
{
}

static SRWLOCK process_lock = SRWLOCK_INIT;

quoit_status quoit_os_process_lock(void)
{
    AcquireSRWLockExclusive(&process_lock);
    return QUOIT_OK;
}

void quoit_os_process_unlock(void)
{
    ReleaseSRWLockExclusive(&process_lock);
}

quoit_status quoit_os_fork_guard_add(struct quoit_os_fork_guard *guard)
{
    (void)guard;
    return QUOIT_OK;
}

void quoit_os_fork_guard_remove(struct quoit_os_fork_guard *guard)
{
    (void)guard;
}

void quoit_os_shm_abandon(struct quoit_os_shm *shm)
{
    (void)shm;
}
