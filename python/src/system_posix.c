/* SPDX-License-Identifier: MIT */
/* The few calls of the system that the module makes itself: POSIX. */
#include "core.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* ---- Signals ---------------------------------------------------------------------------------
 *
 * Python's own handler notes that a signal came; Python code runs when its main thread asks for it.
 * The system may run the handler in any thread, and a wait of the C library goes on. So while the
 * main thread is in a long wait, each handler is replaced by one that calls it, and then interrupts
 * the wait. Only Python's main thread changes handlers by signal.signal, and it is in the wait. */

enum { SIGNALS = 65 };

unsigned core_generation; /* changes only in a child, before it has other threads */
static struct sigaction previous[SIGNALS];
static bool is_replaced[SIGNALS];
static atomic_bool is_watching;
static atomic_uint seen, running; /* handlers: that have run, that run now */
static _Atomic(quoit_queue *) announced;

static void handle_signal(int number, siginfo_t *info, void *context)
{
    const struct sigaction *was = &previous[number];
    unsigned begun_in = core_generation;
    int error = errno;
    atomic_fetch_add(&running, 1);
    if (was->sa_flags & SA_SIGINFO)
        was->sa_sigaction(number, info, context);
    else
        was->sa_handler(number);
    atomic_fetch_add(&seen, 1);
    quoit_queue *queue = atomic_load(&announced);
    if (queue)
        (void)quoit_queue_interrupt(queue);
    if (core_generation == begun_in) /* otherwise it has forked */
        atomic_fetch_sub(&running, 1);
    errno = error;
}

/* One of the thread's own faults, or one that has no handler: it is left alone. */
static bool is_left_alone(int number, const struct sigaction *action)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (number == faults[i])
            return true;
    if (!(action->sa_flags & SA_SIGINFO) &&
        (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN))
        return true;
    return (action->sa_flags & (int)SA_RESETHAND) != 0;
}

static bool is_mine(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == handle_signal;
}

bool core_signals_watch(void)
{
    bool others_watch = false;
    if (!atomic_compare_exchange_strong(&is_watching, &others_watch, true))
        return false;
    for (int i = 1; i < SIGNALS; i++) {
        struct sigaction now;
        is_replaced[i] = false;
        if (sigaction(i, NULL, &now) != 0 || is_left_alone(i, &now) || is_mine(&now))
            continue; /* mine: of the parent, at a fork in a wait; it calls the right one */
        previous[i] = now;
        now.sa_sigaction = handle_signal;
        now.sa_flags |= SA_SIGINFO;
        is_replaced[i] = sigaction(i, &now, NULL) == 0;
    }
    return true;
}

void core_signals_unwatch(void)
{
    for (int i = 1; i < SIGNALS; i++) {
        struct sigaction now;
        if (is_replaced[i] && sigaction(i, NULL, &now) == 0 && is_mine(&now))
            (void)sigaction(i, &previous[i], NULL);
    }
    atomic_store(&is_watching, false);
}

unsigned core_signals_seen(void)
{
    return atomic_load(&seen);
}

/* The handler counts and then reads `announced`; this stores `announced` and then reads the count:
   one of the two sees the other. */
bool core_signals_announce(quoit_queue *queue, unsigned before)
{
    atomic_store(&announced, queue);
    return atomic_load(&seen) == before;
}

void core_signals_withdraw(void)
{
    atomic_store(&announced, NULL);
    while (atomic_load(&running) > 0) /* in other threads */
        core_sleep_ns(1000);
}

/* In a forked child: the thread that watched, and handlers of other threads, are not here. */
static void forget_signals(void)
{
    atomic_store(&announced, NULL);
    atomic_store(&running, 0);
    atomic_store(&is_watching, false);
}

/* ---- Forks ----------------------------------------------------------------------------------- */

void core_once(void (*call)(void))
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, call);
}

static void begin_child(void)
{
    core_generation++;
    forget_signals();
}

void core_watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, begin_child);
}

/* ---- Others ---------------------------------------------------------------------------------- */

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
