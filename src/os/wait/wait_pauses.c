/* SPDX-License-Identifier: MIT */
/* Blocking on a shared word where the system has no such call: each thread polls, so no thread has
   to be woken. */
#include "pauses.h"

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    quoit_os_pause_while(
        &(struct quoit_os_word){.shm = shm, .word = word, .number = number, .value = value}, 1,
        timeout_ns);
}

void quoit_os_sleep_any(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns)
{
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
    (void)word;
}

void quoit_os_wake_begin(void)
{
}
