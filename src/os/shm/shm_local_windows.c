/* SPDX-License-Identifier: MIT */
/* "local:products": a section without a name, for this process's threads. The table keeps it until
   it is unlinked. */
#include "win32.h"

#include "fail.h"
#include "system_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 200 };

struct entry {
    struct entry *next;
    HANDLE section;
    uint64_t identity; /* names the locks */
    char text[TEXT_MAX + 1];
};
static SRWLOCK entries_lock = SRWLOCK_INIT;
static struct entry *entries;

static struct entry **find(const char *text)
{
    struct entry **at = &entries;
    while (*at && strcmp((*at)->text, text) != 0)
        at = &(*at)->next;
    return at;
}

static quoit_status duplicate(HANDLE section, HANDLE *section_out)
{
    HANDLE process = GetCurrentProcess();
    if (DuplicateHandle(process, section, process, section_out, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return QUOIT_OK;
    return quoit_os_fail((int)GetLastError(), "open", "a second handle of local memory");
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    quoit_status status = quoit_os_section_create(NULL, size_bytes, permissions, text, shm_out);
    if (status == QUOIT_OK)
        shm_out->identity = quoit_os_new_identity();
    return status;
}

static quoit_status publish(struct quoit_os_shm *shm, const char *text)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                          "out of memory: cannot allocate the name of 'local:%s'", text);
    (void)snprintf(entry->text, sizeof entry->text, "%s", text);
    entry->identity = shm->identity;
    quoit_status status = duplicate((HANDLE)shm->lock, &entry->section);
    if (status != QUOIT_OK)
        goto free_entry;
    AcquireSRWLockExclusive(&entries_lock);
    bool is_free = !*find(text);
    if (is_free) {
        entry->next = entries;
        entries = entry;
    }
    ReleaseSRWLockExclusive(&entries_lock);
    if (is_free)
        return QUOIT_OK;
    status = quoit_fail(
        QUOIT_ERROR_EXISTS,
        "'local:%s' exists already in this process; open it or join it, or use another name", text);
    (void)CloseHandle(entry->section);
free_entry:
    free(entry);
    return status;
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    HANDLE section = NULL;
    uint64_t identity = 0;
    AcquireSRWLockShared(&entries_lock);
    const struct entry *entry = *find(text);
    quoit_status status =
        entry ? duplicate(entry->section, &section)
              : quoit_fail(QUOIT_ERROR_NOT_FOUND,
                           "'local:%s' does not exist in this process; create it first", text);
    if (entry)
        identity = entry->identity;
    ReleaseSRWLockShared(&entries_lock);
    if (status != QUOIT_OK)
        return status;
    status = quoit_os_section_map(section, read_only, text, shm_out);
    if (status != QUOIT_OK) {
        (void)CloseHandle(section);
        return status;
    }
    shm_out->identity = identity;
    shm_out->owner = quoit_os_user_id();
    shm_out->permissions = 0600; /* for its locks, which have names in the system */
    return QUOIT_OK;
}

static bool is_named(const struct quoit_os_shm *shm, const char *text)
{
    AcquireSRWLockShared(&entries_lock);
    const struct entry *entry = *find(text);
    bool is_it = entry && entry->identity == shm->identity;
    ReleaseSRWLockShared(&entries_lock);
    return is_it;
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *text)
{
    AcquireSRWLockExclusive(&entries_lock);
    struct entry **at = find(text), *entry = *at;
    bool is_ours = entry && entry->identity == shm->identity;
    if (is_ours) {
        *at = entry->next;
        (void)CloseHandle(entry->section);
        free(entry);
    }
    ReleaseSRWLockExclusive(&entries_lock);
    return is_ours ? QUOIT_OK
                   : quoit_fail(QUOIT_ERROR_NOT_FOUND,
                                "'local:%s': another thread removed or replaced it during this "
                                "call; open it again",
                                text);
}

const struct quoit_os_shm_ops quoit_os_shm_local = {
    .scheme = {.name = "local", .text_max = TEXT_MAX},
    .create = create,
    .publish = publish,
    .open = open_existing,
    .is_named = is_named,
    .unlink = unlink_name,
    .close = quoit_os_section_close,
};
