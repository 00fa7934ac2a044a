/* SPDX-License-Identifier: MIT */
/*
 * Timed waits. POSIX has only one, by the real-time clock, which users can set; System V has none.
 * If the system has no better call, this polls with pauses that grow to one millisecond. Such a
 * wait ends at most one millisecond late, and never early.
 */
#include "sem_timed.h"

#include "os.h"

#include <errno.h>
#include <time.h>

#if !defined(QUOIT_HAS_SEM_CLOCKWAIT) || !defined(QUOIT_HAS_SEMTIMEDOP)
static int keep_trying(int (*try_once)(void *argument), void *argument, int64_t timeout_ns)
{
    const long longest_ns = 1000000;
    uint64_t start = quoit_os_monotonic_ns();
    struct timespec pause = {.tv_nsec = 10000};
    for (;;) {
        if (try_once(argument) == 0)
            return 0;
        int64_t left = timeout_ns - (int64_t)(quoit_os_monotonic_ns() - start);
        if (errno != EAGAIN || left <= 0)
            return -1;
        if (pause.tv_nsec > left)
            pause.tv_nsec = (long)left;
        if (nanosleep(&pause, NULL) != 0)
            return -1;
        pause.tv_nsec = pause.tv_nsec * 2 < longest_ns ? pause.tv_nsec * 2 : longest_ns;
    }
}
#endif

#ifdef QUOIT_HAS_SEM_CLOCKWAIT
int quoit_os_sem_timed_wait(sem_t *sem, int64_t timeout_ns)
{
    uint64_t deadline = quoit_os_monotonic_ns() + (uint64_t)timeout_ns; /* both below 2^63 */
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                             .tv_nsec = (long)(deadline % 1000000000)};
    return sem_clockwait(sem, CLOCK_MONOTONIC, &until);
}
#else
static int try_wait(void *sem)
{
    return sem_trywait(sem);
}

int quoit_os_sem_timed_wait(sem_t *sem, int64_t timeout_ns)
{
    return keep_trying(try_wait, sem, timeout_ns);
}
#endif

#ifdef QUOIT_HAS_SEMTIMEDOP
int quoit_os_sem_timed_operation(int id, struct sembuf *operation, int64_t timeout_ns)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                               .tv_nsec = (long)(timeout_ns % 1000000000)};
    return semtimedop(id, operation, 1, &timeout);
}
#else
struct attempt {
    int id;
    struct sembuf operation;
};

static int try_operation(void *argument)
{
    struct attempt *attempt = argument;
    return semop(attempt->id, &attempt->operation, 1);
}

int quoit_os_sem_timed_operation(int id, struct sembuf *operation, int64_t timeout_ns)
{
    struct attempt attempt = {.id = id, .operation = *operation};
    attempt.operation.sem_flg |= IPC_NOWAIT;
    return keep_trying(try_operation, &attempt, timeout_ns);
}
#endif
