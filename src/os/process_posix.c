/* SPDX-License-Identifier: MIT */
/* Who and when on POSIX systems, and what a forked child must let go of. */
#include "process_posix.h"

#include "os.h"
#include "system_error.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t process_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_handlers_once = PTHREAD_ONCE_INIT;
static int fork_handlers_error;
static struct quoit_os_fork_guard *guards; /* as the next, under process_mutex */
static int openers;                        /* threads for whose end a fork waits */

/* By looking now and then: a condition variable would have to be mended in the child. */
static void before_fork(void)
{
    const struct timespec moment = {.tv_nsec = 100000};
    (void)pthread_mutex_lock(&process_mutex);
    while (openers > 0) {
        (void)pthread_mutex_unlock(&process_mutex);
        (void)nanosleep(&moment, NULL);
        (void)pthread_mutex_lock(&process_mutex);
    }
}

static void after_fork_in_parent(void)
{
    (void)pthread_mutex_unlock(&process_mutex);
}

static void after_fork_in_child(void)
{
    while (guards) {
        struct quoit_os_fork_guard *guard = guards;
        guards = guard->next;
        guard->next = guard->previous = NULL;
        guard->dropped(guard);
    }
    (void)pthread_mutex_unlock(&process_mutex);
}

static void install_fork_handlers(void)
{
    fork_handlers_error = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void quoit_os_fork_hold(void)
{
    (void)pthread_once(&fork_handlers_once, install_fork_handlers);
    (void)pthread_mutex_lock(&process_mutex);
    openers++;
    (void)pthread_mutex_unlock(&process_mutex);
}

void quoit_os_fork_release(void)
{
    (void)pthread_mutex_lock(&process_mutex);
    openers--;
    (void)pthread_mutex_unlock(&process_mutex);
}

quoit_status quoit_os_process_lock(void)
{
    (void)pthread_once(&fork_handlers_once, install_fork_handlers);
    if (fork_handlers_error != 0)
        return quoit_os_fail(fork_handlers_error, "prepare for fork in", "this process");
    (void)pthread_mutex_lock(&process_mutex);
    return QUOIT_OK;
}

void quoit_os_process_unlock(void)
{
    (void)pthread_mutex_unlock(&process_mutex);
}

quoit_status quoit_os_fork_guard_add(struct quoit_os_fork_guard *guard)
{
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        return status;
    guard->previous = NULL;
    guard->next = guards;
    if (guards)
        guards->previous = guard;
    guards = guard;
    quoit_os_process_unlock();
    return QUOIT_OK;
}

void quoit_os_fork_guard_remove(struct quoit_os_fork_guard *guard)
{
    if (quoit_os_process_lock() != QUOIT_OK)
        return;
    if (guard->previous)
        guard->previous->next = guard->next;
    else if (guards == guard)
        guards = guard->next;
    if (guard->next)
        guard->next->previous = guard->previous;
    guard->next = guard->previous = NULL;
    quoit_os_process_unlock();
}

uint32_t quoit_os_process_id(void)
{
    return (uint32_t)getpid();
}

uint64_t quoit_os_user_id(void)
{
    return geteuid();
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t quoit_os_monotonic_ns(void)
{
    return now_ns(CLOCK_MONOTONIC);
}

uint64_t quoit_os_coarse_ns(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    return now_ns(CLOCK_MONOTONIC_COARSE);
#else
    return now_ns(CLOCK_MONOTONIC);
#endif
}

uint64_t quoit_os_unix_time_ns(void)
{
    return now_ns(CLOCK_REALTIME);
}
