/* SPDX-License-Identifier: MIT */
/* Blocking on a shared word: Linux's futex, which works between processes wherever the word is
   mapped. */
#include "os.h"

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
enum { WAIT = 0, WAKE = 1 };

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                               .tv_nsec = (long)(timeout_ns % 1000000000)};
    (void)shm;
    (void)number;
    (void)syscall(FUTEX_CALL, word, WAIT, value, &timeout, NULL, 0);
}

void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value)
{
    (void)value;
    (void)shm;
    (void)number;
    (void)syscall(FUTEX_CALL, word, WAKE, INT32_MAX, NULL, NULL, 0);
}
