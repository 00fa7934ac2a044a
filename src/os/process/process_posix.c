/* SPDX-License-Identifier: MIT */
/* Process, user and clock on POSIX systems; the guards of what a forked child must release; and the
   state of a thread inside a call that signals, cancellation and fork must not interrupt. */
#include "process_posix.h"

#include "fail.h"
#include "liveness.h"
#include "system_error.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t process_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_handlers_once = PTHREAD_ONCE_INIT;
static int fork_handlers_error;
static struct quoit_os_fork_guard *guards; /* under process_mutex, like openers */
static int openers;                        /* threads in a hold: a fork waits for them */
static sigset_t forker_mask;               /* of the thread that forks, before it forked */

/* This thread's outermost quoit_os_fork_hold. */
static _Thread_local struct {
    unsigned depth;
    bool is_counted; /* in openers: not while it sleeps in quoit_os_pause */
    bool had_file_signal;
    int cancel_state;
    uint64_t give_up_ns; /* 0: it has not waited for others yet */
    sigset_t mask;
} hold;

/* ---- Signals --------------------------------------------------------------------------------- */

void quoit_os_block_signals(sigset_t *before_out)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked;
    (void)sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        (void)sigdelset(&blocked, faults[i]);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, before_out);
}

static bool has_file_signal(void)
{
    sigset_t pending;
    (void)sigemptyset(&pending);
    return sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
}

/* Growing a file beyond RLIMIT_FSIZE sends SIGXFSZ, whose default action ends the process. The
   failed call reports EFBIG; the signal is blocked, and this function removes it. If it was
   sent to the whole process, another thread may take it between sigpending and sigwait. */
static void consume_file_signal(void)
{
    sigset_t file_signal;
    if (hold.had_file_signal)
        return;
    (void)sigemptyset(&file_signal);
    (void)sigaddset(&file_signal, SIGXFSZ);
#ifdef QUOIT_HAS_SIGTIMEDWAIT
    (void)sigtimedwait(&file_signal, NULL, &(const struct timespec){.tv_sec = 0});
#else
    int taken;
    if (has_file_signal())
        (void)sigwait(&file_signal, &taken);
#endif
}

/* ---- Fork ------------------------------------------------------------------------------------ */

/*
 * Waits by polling, since a condition variable would have to be repaired in the child. The forking
 * thread's own hold does not count: a signal handler that interrupted it would wait for itself.
 * Signals stay blocked until fork ends, so that no handler forks again while the mutex is held.
 */
static void before_fork(void)
{
    const struct timespec moment = {.tv_nsec = 100000};
    sigset_t mask;
    int cancel_state = quoit_os_cancel_disable();
    quoit_os_block_signals(&mask);
    (void)pthread_mutex_lock(&process_mutex);
    while (openers > (hold.is_counted ? 1 : 0)) {
        (void)pthread_mutex_unlock(&process_mutex);
        (void)nanosleep(&moment, NULL);
        (void)pthread_mutex_lock(&process_mutex);
    }
    forker_mask = mask;
    quoit_os_cancel_restore(cancel_state);
}

static void unlock_after_fork(void)
{
    sigset_t mask = forker_mask;
    (void)pthread_mutex_unlock(&process_mutex);
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void after_fork_in_child(void)
{
    while (guards) {
        struct quoit_os_fork_guard *guard = guards;
        guards = guard->next;
        guard->next = guard->previous = NULL;
        guard->dropped(guard);
    }
    unlock_after_fork();
}

static void install_fork_handlers(void)
{
    fork_handlers_error = pthread_atfork(before_fork, unlock_after_fork, after_fork_in_child);
}

static void count_opener(bool counts)
{
    (void)pthread_mutex_lock(&process_mutex);
    openers += counts ? 1 : -1;
    hold.is_counted = counts;
    (void)pthread_mutex_unlock(&process_mutex);
}

void quoit_os_fork_hold(void)
{
    if (hold.depth > 0) {
        hold.depth++;
        return;
    }
    int cancel_state = quoit_os_cancel_disable();
    sigset_t mask;
    (void)pthread_once(&fork_handlers_once, install_fork_handlers);
    quoit_os_block_signals(&mask);
    hold.depth = 1;
    hold.cancel_state = cancel_state;
    hold.mask = mask;
    hold.give_up_ns = 0;
    hold.had_file_signal = sigismember(&mask, SIGXFSZ) == 1 && has_file_signal();
    count_opener(true);
}

void quoit_os_fork_release(void)
{
    if (hold.depth > 1) {
        hold.depth--;
        return;
    }
    sigset_t mask = hold.mask;
    int cancel_state = hold.cancel_state;
    count_opener(false);
    consume_file_signal();
    hold.depth = 0;
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
    quoit_os_cancel_restore(cancel_state);
}

int64_t quoit_os_hold_ns = INT64_C(10000000000);

int64_t quoit_os_hold_left_ns(void)
{
    uint64_t now = quoit_os_monotonic_ns();
    if (hold.give_up_ns == 0)
        hold.give_up_ns = now + (uint64_t)quoit_os_hold_ns;
    return now < hold.give_up_ns ? (int64_t)(hold.give_up_ns - now) : 0;
}

/* ---- Pauses ---------------------------------------------------------------------------------- */

struct pause_guard {
    struct quoit_os_fork_guard guard;
    struct quoit_os_shm *shm;
    bool forked;
};

/* Called in a child that a signal handler forked during the pause. The temporary name belongs to
   the parent, so shm must not remove it. */
static void drop_paused(struct quoit_os_fork_guard *guard)
{
    struct pause_guard *paused =
        (struct pause_guard *)(void *)((char *)guard - offsetof(struct pause_guard, guard));
    paused->forked = true;
    if (paused->shm->base)
        quoit_os_shm_abandon(paused->shm);
    else
        quoit_os_fd_drop(paused->shm);
    paused->shm->temporary = NULL;
    paused->shm->unpublished = false;
}

quoit_status quoit_os_pause(struct quoit_os_shm *shm, const char *what)
{
    const int64_t longest_ns = 1000000, left_ns = quoit_os_hold_left_ns();
    const struct timespec pause = {.tv_nsec = (long)(left_ns < longest_ns ? left_ns : longest_ns)};
    struct pause_guard paused = {.guard.dropped = drop_paused, .shm = shm};
    sigset_t blocked;
    if (left_ns == 0)
        return quoit_fail(QUOIT_ERROR_BUSY,
                          "'%s': another process keeps it locked and makes no progress; continue "
                          "or kill that process if it is stopped",
                          what);
    quoit_status status = quoit_os_fork_guard_add(&paused.guard);
    if (status != QUOIT_OK)
        return status;
    count_opener(false);
    consume_file_signal();
    (void)pthread_sigmask(SIG_SETMASK, &hold.mask, &blocked);
    (void)nanosleep(&pause, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &blocked, NULL);
    count_opener(true);
    quoit_os_fork_guard_remove(&paused.guard);
    if (paused.forked)
        return quoit_fail(QUOIT_ERROR_FORKED,
                          "'%s': this process is a child that was forked during the call; call "
                          "again in the child",
                          what);
    return QUOIT_OK;
}

/* ---- Cancellation and this process's own lock ------------------------------------------------ */

int quoit_os_cancel_disable(void)
{
    int before = PTHREAD_CANCEL_ENABLE;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void quoit_os_cancel_restore(int before)
{
    int disabled;
    (void)pthread_setcancelstate(before, &disabled);
}

void quoit_os_cancel_point(void)
{
    pthread_testcancel();
}

quoit_status quoit_os_process_lock(void)
{
    quoit_os_fork_hold();
    if (fork_handlers_error != 0) {
        quoit_os_fork_release();
        return quoit_os_fail(fork_handlers_error, "install the fork handlers of", "this process");
    }
    (void)pthread_mutex_lock(&process_mutex);
    return QUOIT_OK;
}

void quoit_os_process_unlock(void)
{
    (void)pthread_mutex_unlock(&process_mutex);
    quoit_os_fork_release();
}

/* ---- Guards of what a forked child releases -------------------------------------------------- */

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

/* ---- Process, user, clocks ------------------------------------------------------------------- */

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

#ifndef QUOIT_CLOCK
#define QUOIT_CLOCK CLOCK_MONOTONIC
#ifdef CLOCK_MONOTONIC_COARSE
#define QUOIT_COARSE_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define QUOIT_COARSE_CLOCK CLOCK_MONOTONIC
#endif
#endif

uint64_t quoit_os_monotonic_ns(void)
{
    return now_ns(QUOIT_CLOCK);
}

uint64_t quoit_os_coarse_ns(void)
{
    return now_ns(QUOIT_COARSE_CLOCK);
}

uint64_t quoit_os_unix_time_ns(void)
{
    return now_ns(CLOCK_REALTIME);
}
