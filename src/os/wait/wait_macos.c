/* SPDX-License-Identifier: MIT */
/* Blocking on a shared word. macOS has a call for it since 14.4, which is looked up at run time.
   Older versions have none: there each call pauses for at most half a millisecond. No version has a
   call for several words, which are polled. */
#include "pauses.h"

#include "process_posix.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* <os/os_sync_wait_on_address.h>, which older SDKs lack. */
enum { SHARED = 1, CLOCK_MACH_ABSOLUTE_TIME = 32 };
typedef int wait_function(void *address, uint64_t value, size_t size, uint32_t flags,
                          uint32_t clock, uint64_t timeout_ns);
typedef int wake_function(void *address, size_t size, uint32_t flags);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static wait_function *wait_on_address;
static wake_function *wake_by_address;

/* The word's address without its qualifiers, as the system's calls take it. */
static void *address_of(const _Atomic uint32_t *word)
{
    void *address;
    memcpy(&address, &word, sizeof address);
    return address;
}

static void find_calls(void)
{
    void *wait = dlsym(RTLD_DEFAULT, "os_sync_wait_on_address_with_timeout");
    void *wake = dlsym(RTLD_DEFAULT, "os_sync_wake_by_address_all");
    if (!wait || !wake)
        return;
    memcpy(&wait_on_address, &wait, sizeof wait);
    memcpy(&wake_by_address, &wake, sizeof wake);
}

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    const struct timespec pause = {.tv_nsec = timeout_ns < 500000 ? (long)timeout_ns : 500000};
    (void)shm;
    (void)number;
    (void)pthread_once(&once, find_calls);
    if (timeout_ns <= 0)
        return;
    int cancel_state = quoit_os_cancel_disable(); /* a cancelled thread leaves shared state */
    if (wait_on_address)
        (void)wait_on_address(address_of(word), value, sizeof *word, SHARED,
                              CLOCK_MACH_ABSOLUTE_TIME, (uint64_t)timeout_ns);
    else
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
    (void)pthread_once(&once, find_calls);
    if (wake_by_address)
        (void)wake_by_address(address_of(word), sizeof *word, SHARED);
}
