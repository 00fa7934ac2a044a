/* SPDX-License-Identifier: MIT */
/*
 * Blocking on a shared word. WaitOnAddress works only within one process. So a waiting thread makes
 * an event, named by the word and the value that it waits on, checks the word once more, and waits.
 * A process that has changed that value sets the event, if it exists. The event stays set until the
 * last waiting thread closes it. Also the functions for event loops, which are unsupported: Windows
 * has no descriptors for them.
 */
#include "win32.h"

#include "fail.h"

static struct quoit_os_object_name event_name(const struct quoit_os_shm *shm, uint32_t number,
                                              uint32_t value)
{
    return quoit_os_name_numbered(shm, L"wake", value * 4 + number);
}

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    struct quoit_os_object_name name = event_name(shm, number, value);
    struct quoit_os_security security;
    if (quoit_os_security_make(shm->permissions, true, &security) != QUOIT_OK)
        return;
    HANDLE event = CreateEventW(&security.attributes, TRUE, FALSE, name.text);
    quoit_os_security_free(&security);
    if (!event) {
        Sleep(1);
        return;
    }
    /* WAIT-S2: either this load sees the changed word, or the process that changes it finds the
       event. Pairs with WAIT-W2. */
    if (atomic_load_explicit(word, memory_order_seq_cst) == value)
        (void)WaitForSingleObject(event, (DWORD)((timeout_ns + 999999) / 1000000));
    (void)CloseHandle(event);
}

void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value)
{
    struct quoit_os_object_name name = event_name(shm, number, value);
    (void)word;
    HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE, name.text);
    if (!event)
        return;
    (void)SetEvent(event);
    (void)CloseHandle(event);
}

quoit_status quoit_os_notifier_make(struct quoit_os_notifier *notifier_out)
{
    *notifier_out = (struct quoit_os_notifier){-1, -1};
    return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                      "Windows has no file descriptors for event loops; wait in a thread instead");
}

void quoit_os_notifier_set(const struct quoit_os_notifier *notifier)
{
    (void)notifier;
}

void quoit_os_notifier_clear(const struct quoit_os_notifier *notifier)
{
    (void)notifier;
}

void quoit_os_notifier_close(const struct quoit_os_notifier *notifier)
{
    (void)notifier;
}

quoit_status quoit_os_thread_start(struct quoit_os_thread *thread)
{
    (void)thread;
    return quoit_fail(
        QUOIT_ERROR_UNSUPPORTED,
        "Windows has no file descriptors for event loops, so no thread is started for one");
}

void quoit_os_thread_join(struct quoit_os_thread *thread)
{
    (void)thread;
}
