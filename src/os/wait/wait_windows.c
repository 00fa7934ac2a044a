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

/* NULL: the event could not be made. */
static HANDLE make_event(const struct quoit_os_word *word)
{
    struct quoit_os_object_name name = event_name(word->shm, word->number, word->value);
    struct quoit_os_security security;
    if (quoit_os_security_make(word->shm->permissions, true, &security) != QUOIT_OK)
        return NULL;
    /* CreateEventW asks for all rights of an event that exists, and is refused. */
    HANDLE event = CreateEventExW(&security.attributes, name.text, CREATE_EVENT_MANUAL_RESET,
                                  SYNCHRONIZE);
    quoit_os_security_free(&security);
    return event;
}

static bool are_unchanged(const struct quoit_os_word *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        /* WAIT-S2: either this load sees the changed word, or the process that changes it finds the
           event. Pairs with WAIT-W2. */
        if (atomic_load_explicit(words[i].word, memory_order_seq_cst) != words[i].value)
            return false;
    return true;
}

/* A wait takes at most 64 events. If there are more words, it lasts a millisecond, and the caller
   checks the others. */
void quoit_os_sleep_any(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns)
{
    HANDLE events[MAXIMUM_WAIT_OBJECTS];
    uint32_t most = count < MAXIMUM_WAIT_OBJECTS ? count : MAXIMUM_WAIT_OBJECTS, made = 0;
    while (made < most && (events[made] = make_event(&words[made])) != NULL)
        made++;
    int64_t longest_ns = made < count && timeout_ns > 1000000 ? 1000000 : timeout_ns;
    if (made == 0)
        Sleep(1);
    else if (are_unchanged(words, count))
        (void)WaitForMultipleObjects(made, events, FALSE, (DWORD)((longest_ns + 999999) / 1000000));
    while (made > 0)
        (void)CloseHandle(events[--made]);
}

bool quoit_os_can_sleep_any(void)
{
    return false;
}

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    quoit_os_sleep_any(
        &(struct quoit_os_word){.shm = shm, .word = word, .number = number, .value = value}, 1,
        timeout_ns);
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

void quoit_os_wake_begin(void)
{
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

void quoit_os_thread_drop(struct quoit_os_thread *thread)
{
    (void)thread;
}
