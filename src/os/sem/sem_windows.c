/* SPDX-License-Identifier: MIT */
/* "windows:products": a semaphore, found through an entry. It exists while a process has it open.
   The system does not return the count that a crashed process has taken. */
#include "win32.h"

#include "fail.h"
#include "system_error.h"

#include <limits.h>

enum { TEXT_MAX = 200 };
/* 1: the right to query. */
enum { SEMAPHORE_RIGHTS = 1 | SEMAPHORE_MODIFY_STATE | SYNCHRONIZE | READ_CONTROL };

static quoit_status make(const struct quoit_os_entry *entry, uint64_t identity, uint32_t value,
                         uint32_t permissions, HANDLE *semaphore_out)
{
    struct quoit_os_object_name name = quoit_os_entry_target(entry, identity);
    struct quoit_os_security security;
    quoit_status status = quoit_os_security_make(permissions, true, &security);
    if (status != QUOIT_OK)
        return status;
    *semaphore_out = CreateSemaphoreExW(&security.attributes, (LONG)value, LONG_MAX, name.text, 0,
                                        SEMAPHORE_RIGHTS);
    DWORD error = GetLastError();
    quoit_os_security_free(&security);
    if (!*semaphore_out)
        return quoit_os_fail((int)error, "create semaphore", entry->name);
    if (error != ERROR_ALREADY_EXISTS)
        return QUOIT_OK;
    (void)CloseHandle(*semaphore_out); /* another semaphore has the same identity */
    return quoit_fail(
        QUOIT_ERROR_EXISTS,
        "semaphore 'windows:%s' exists already; open it or join it, or use another name",
        entry->name);
}

static quoit_status create(const char *text, uint32_t value, uint32_t permissions, bool undo,
                           struct quoit_os_sem *sem_out)
{
    (void)undo; /* not available here */
    struct quoit_os_entry entry;
    HANDLE semaphore = NULL;
    uint64_t identity = quoit_os_new_identity();
    quoit_status status = quoit_os_entry_name(QUOIT_OS_ENTRY_SEMAPHORE, text, &entry);
    if (status == QUOIT_OK)
        status = make(&entry, identity, value, permissions, &semaphore);
    if (status != QUOIT_OK)
        return status;
    status = quoit_os_entry_make(&entry, permissions);
    if (status != QUOIT_OK)
        goto close_semaphore;
    status = quoit_os_entry_link(&entry, identity);
    if (status != QUOIT_OK)
        goto close_entry;
    *sem_out = (struct quoit_os_sem){.pointer = semaphore, .id = (intptr_t)entry.section};
    return QUOIT_OK;

close_entry:
    (void)CloseHandle(entry.section);
close_semaphore:
    (void)CloseHandle(semaphore);
    return status;
}

/* Opens the semaphore that an entry leads to, if any_owner is set or this user owns it. */
static quoit_status follow(const struct quoit_os_entry *entry, uint64_t identity, bool any_owner,
                           HANDLE *semaphore_out)
{
    struct quoit_os_object_name name = quoit_os_entry_target(entry, identity);
    struct quoit_os_shm object = {.owner = 0};
    HANDLE semaphore = NULL;
    SetLastError(ERROR_FILE_NOT_FOUND);
    if (identity != 0)
        semaphore = OpenSemaphoreW(SEMAPHORE_RIGHTS, FALSE, name.text);
    if (!semaphore)
        return quoit_os_fail((int)GetLastError(), "open semaphore", entry->name);
    quoit_status status = quoit_os_security_read(semaphore, false, entry->name, &object);
    if (status == QUOIT_OK && !any_owner && object.owner != quoit_os_user_id())
        status = quoit_fail(
            QUOIT_ERROR_OTHER_USER,
            "semaphore 'windows:%s': it belongs to another user; pass QUOIT_ANY_OWNER to accept it",
            entry->name);
    if (status != QUOIT_OK)
        (void)CloseHandle(semaphore);
    *semaphore_out = semaphore;
    return status;
}

/* Finds the entry of a name, the identity in the entry, and the semaphore. */
static quoit_status find(const char *text, bool any_owner, struct quoit_os_entry *entry_out,
                         uint64_t *identity_out, HANDLE *semaphore_out)
{
    quoit_status status = quoit_os_entry_name(QUOIT_OS_ENTRY_SEMAPHORE, text, entry_out);
    if (status == QUOIT_OK)
        status = quoit_os_entry_open(entry_out, false);
    if (status != QUOIT_OK)
        return status;
    uint64_t identity = 0, before;
    do {
        before = identity;
        identity = quoit_os_entry_read(entry_out);
        status = follow(entry_out, identity, any_owner, semaphore_out);
    } while (status == QUOIT_ERROR_NOT_FOUND && identity != before && /* replaced meanwhile? */
             quoit_os_hold_left_ns() > 0);
    *identity_out = identity;
    if (status != QUOIT_OK)
        (void)CloseHandle(entry_out->section);
    return status;
}

static quoit_status open_existing(const char *text, bool any_owner, struct quoit_os_sem *sem_out)
{
    struct quoit_os_entry entry;
    uint64_t identity = 0;
    HANDLE semaphore = NULL;
    quoit_status status = find(text, any_owner, &entry, &identity, &semaphore);
    if (status == QUOIT_OK)
        *sem_out = (struct quoit_os_sem){.pointer = semaphore, .id = (intptr_t)entry.section};
    return status;
}

static void close_sem(struct quoit_os_sem *sem)
{
    (void)CloseHandle(sem->pointer);
    (void)CloseHandle((HANDLE)sem->id);
}

static quoit_status unlink_name(const char *text, bool any_owner)
{
    struct quoit_os_entry entry;
    uint64_t identity = 0;
    HANDLE semaphore = NULL;
    quoit_status status;
    do {
        status = find(text, any_owner, &entry, &identity, &semaphore);
        if (status != QUOIT_OK)
            return status;
        status = quoit_os_entry_unlink(&entry, identity);
        (void)CloseHandle(semaphore);
        (void)CloseHandle(entry.section);
    } while (status == QUOIT_ERROR_NOT_FOUND &&
             quoit_os_hold_left_ns() > 0); /* replaced in between? */
    return status;
}

static quoit_status wait_sem(struct quoit_os_sem *sem, int64_t timeout_ns)
{
    const int64_t longest_ms = 86400000;
    uint64_t start = quoit_os_monotonic_ns();
    for (;;) {
        int64_t spent = timeout_ns > 0 ? (int64_t)(quoit_os_monotonic_ns() - start) : 0;
        int64_t left_ms = timeout_ns > spent ? (timeout_ns - spent - 1) / 1000000 + 1 : 0;
        DWORD wait = timeout_ns == QUOIT_OS_FOREVER
                         ? INFINITE
                         : (DWORD)(left_ms < longest_ms ? left_ms : longest_ms);
        DWORD answer = WaitForSingleObject(sem->pointer, wait);
        if (answer == WAIT_OBJECT_0)
            return QUOIT_OK;
        if (answer != WAIT_TIMEOUT)
            return quoit_os_fail((int)GetLastError(), "wait for", "a semaphore");
        if (left_ms == 0)
            return QUOIT_TIMEOUT;
    }
}

static quoit_status post(struct quoit_os_sem *sem)
{
    if (ReleaseSemaphore(sem->pointer, 1, NULL))
        return QUOIT_OK;
    if (GetLastError() == ERROR_TOO_MANY_POSTS)
        return quoit_fail(
            QUOIT_ERROR_LIMIT,
            "the semaphore's value is %ld, its maximum; wait on it before posting again", LONG_MAX);
    return quoit_os_fail((int)GetLastError(), "post", "a semaphore");
}

static quoit_status value_of(struct quoit_os_sem *sem, uint32_t *value_out)
{
    if (quoit_os_semaphore_count(sem->pointer, value_out))
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_SYSTEM, "the system does not return the semaphore's value");
}

const struct quoit_os_sem_ops quoit_os_sem_windows = {
    .scheme = {.name = "windows", .text_max = TEXT_MAX},
    .value_max = LONG_MAX,
    .create = create,
    .open = open_existing,
    .unlink = unlink_name,
    .close = close_sem,
    .wait = wait_sem,
    .post = post,
    .value = value_of,
};
