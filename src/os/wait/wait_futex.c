/* SPDX-License-Identifier: MIT */
/* Blocking on shared words: Linux's futex, which works between processes wherever the word is
   mapped. On several words: futex_waitv, since 5.16. Where it is missing (older kernels, qemu), and
   where a sandbox refuses it, the words are polled. */
#include "pauses.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == 4, "a futex is a plain 32-bit word");

/* A 32-bit system with 64-bit time needs the futex call that takes such a time. */
#if !defined(SYS_futex) || (defined(SYS_futex_time64) && defined(__USE_TIME_BITS64))
#define FUTEX_CALL SYS_futex_time64
#else
#define FUTEX_CALL SYS_futex
#endif

/* The kernel's numbers: some C libraries have no header for them. */
enum { WAIT = 0, WAKE = 1, SIZE_32 = 2 };
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* The kernel's struct futex_waitv and struct __kernel_timespec. */
struct kernel_word {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};
struct kernel_time {
    int64_t seconds;
    int64_t nanoseconds;
};

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                               .tv_nsec = (long)(timeout_ns % 1000000000)};
    (void)shm;
    (void)number;
    (void)syscall(FUTEX_CALL, word, WAIT, value, &timeout, NULL, 0);
}

/* false: the kernel has no such call for this process. */
static bool sleep_by_kernel(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns)
{
    struct kernel_word waits[QUOIT_OS_WORDS_MOST];
    uint64_t end = quoit_os_monotonic_ns() + (uint64_t)timeout_ns;
    struct kernel_time until = {(int64_t)(end / 1000000000), (int64_t)(end % 1000000000)};
    for (uint32_t i = 0; i < count; i++)
        waits[i] = (struct kernel_word){
            .value = words[i].value, .address = (uintptr_t)words[i].word, .flags = SIZE_32};
    return syscall(SYS_futex_waitv, waits, count, 0, &until, CLOCK_MONOTONIC) >= 0 ||
           (errno != ENOSYS && errno != EPERM && errno != EINVAL);
}

static _Atomic bool is_missing; /* known after the first call */

bool quoit_os_can_sleep_any(void)
{
    /* Relaxed: publishes no other data; a caller that misses it makes a needless thread. */
    return !atomic_load_explicit(&is_missing, memory_order_relaxed);
}

void quoit_os_sleep_any(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns)
{
    if (count == 1) {
        quoit_os_sleep(words->shm, words->number, words->word, words->value, timeout_ns);
        return;
    }
    /* Relaxed: publishes no other data; a thread that misses it asks the kernel itself. */
    if (!atomic_load_explicit(&is_missing, memory_order_relaxed)) {
        if (sleep_by_kernel(words, count, timeout_ns))
            return;
        /* Relaxed: publishes no other data. */
        atomic_store_explicit(&is_missing, true, memory_order_relaxed);
    }
    quoit_os_pause_while(words, count, timeout_ns);
}

void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value)
{
    (void)value;
    (void)shm;
    (void)number;
    int before = errno; /* it may run in a signal handler */
    (void)syscall(FUTEX_CALL, word, WAKE, INT32_MAX, NULL, NULL, 0);
    errno = before;
}

void quoit_os_wake_begin(void)
{
}
