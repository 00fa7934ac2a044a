/* SPDX-License-Identifier: MIT */
/* Blocking on words where the system has no such call: polls with pauses that grow to one
   millisecond. So a wait ends at most one millisecond late. */
#include "pauses.h"

#include "process_posix.h"

#include <time.h>

static bool are_unchanged(const struct quoit_os_word *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        /* Relaxed: only ends the pauses; the caller checks its condition with its own ordering. */
        if (atomic_load_explicit(words[i].word, memory_order_relaxed) != words[i].value)
            return false;
    return true;
}

void quoit_os_pause_while(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns)
{
    const long longest_ns = 1000000;
    uint64_t start = quoit_os_monotonic_ns();
    struct timespec pause = {.tv_nsec = 10000};
    while (are_unchanged(words, count)) {
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
