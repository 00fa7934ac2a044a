/* SPDX-License-Identifier: MIT */
/* Blocking on a shared word where the system has no such call: polls with pauses that grow to one
   millisecond. So no thread has to be woken, and a wait ends at most one millisecond late. */
#include "process_posix.h"

#include <time.h>

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    const long longest_ns = 1000000;
    uint64_t start = quoit_os_monotonic_ns();
    struct timespec pause = {.tv_nsec = 10000};
    (void)shm;
    (void)number;
    /* Relaxed: only ends the pauses; the caller checks its condition with its own ordering. */
    while (atomic_load_explicit(word, memory_order_relaxed) == value) {
        int64_t left = timeout_ns - (int64_t)(quoit_os_monotonic_ns() - start);
        if (left <= 0)
            return;
        if (pause.tv_nsec > left)
            pause.tv_nsec = (long)left;
        int cancel_state = quoit_os_cancel_disable(); /* a cancelled thread leaves shared state */
        int result = nanosleep(&pause, NULL);
        quoit_os_cancel_restore(cancel_state);
        if (result != 0)
            return;
        pause.tv_nsec = pause.tv_nsec * 2 < longest_ns ? pause.tv_nsec * 2 : longest_ns;
    }
}

void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value)
{
    (void)value;
    (void)shm;
    (void)number;
    (void)word;
}
