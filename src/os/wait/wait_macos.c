/* SPDX-License-Identifier: MIT */
/* Blocking on a shared word. macOS has a call for it since 14.4, which is looked up at run time.
   Older versions have none: there each call pauses for at most half a millisecond. No version has a
   call for several words, which are polled. */
#include "pauses.h"

#include "process_posix.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* <os/os_sync_wait_on_address.h>, which older SDKs lack. */
enum { SHARED = 1, CLOCK_MACH_ABSOLUTE_TIME = 32 };
typedef int wait_function(void *address, uint64_t value, size_t size, uint32_t flags,
                          uint32_t clock, uint64_t timeout_ns);
typedef int wake_function(void *address, size_t size, uint32_t flags);

/* NULL: not looked up, or missing. */
static _Atomic(wait_function *) wait_on_address;
static _Atomic(wake_function *) wake_by_address;

/* The word's address without its qualifiers, as the system's calls take it. */
static void *address_of(const _Atomic uint32_t *word)
{
    void *address;
    memcpy(&address, &word, sizeof address);
    return address;
}

/* Several threads may look them up at once, and find the same. */
void quoit_os_wake_begin(void)
{
    void *wait = dlsym(RTLD_DEFAULT, "os_sync_wait_on_address_with_timeout");
    void *wake = dlsym(RTLD_DEFAULT, "os_sync_wake_by_address_all");
    wait_function *wait_call;
    wake_function *wake_call;
    if (!wait || !wake)
        return;
    memcpy(&wait_call, &wait, sizeof wait);
    memcpy(&wake_call, &wake, sizeof wake);
    /* Relaxed: the functions are there before the program, and nothing else is published. */
    atomic_store_explicit(&wake_by_address, wake_call, memory_order_relaxed);
    /* Relaxed: as for the other function. */
    atomic_store_explicit(&wait_on_address, wait_call, memory_order_relaxed);
}

/* Returns false if it could not wait, for want of memory or because the kernel could not read the
   word: repeated at once, that would keep a processor busy. */
static bool wait_for_wake(const _Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    /* Relaxed: quoit_os_wake_begin publishes nothing else. */
    wait_function *wait = atomic_load_explicit(&wait_on_address, memory_order_relaxed);
    if (!wait)
        return false;
    return wait(address_of(word), value, sizeof *word, SHARED, CLOCK_MACH_ABSOLUTE_TIME,
                (uint64_t)timeout_ns) >= 0 ||
           errno == ETIMEDOUT || errno == EINTR;
}

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    const struct timespec pause = {.tv_nsec = timeout_ns < 500000 ? (long)timeout_ns : 500000};
    (void)shm;
    (void)number;
    if (timeout_ns <= 0)
        return;
    int cancel_state = quoit_os_cancel_disable(); /* a cancelled thread leaves shared state */
    if (!wait_for_wake(word, value, timeout_ns))
        (void)nanosleep(&pause, NULL);
    quoit_os_cancel_restore(cancel_state);
}

void quoit_os_sleep_any(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns)
{
    if (count == 1)
        quoit_os_sleep(words->shm, words->number, words->word, words->value, timeout_ns);
    else
        quoit_os_pause_while(words, count, timeout_ns);
}

bool quoit_os_can_sleep_any(void)
{
    return false;
}

void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value)
{
    (void)value;
    (void)shm;
    (void)number;
    /* Relaxed: quoit_os_wake_begin publishes nothing else. */
    wake_function *wake = atomic_load_explicit(&wake_by_address, memory_order_relaxed);
    int before = errno; /* it may run in a signal handler */
    if (wake)
        (void)wake(address_of(word), sizeof *word, SHARED);
    errno = before;
}
