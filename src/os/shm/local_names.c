/* SPDX-License-Identifier: MIT */
/* The names of "local:" memory. The table keeps each memory until it is unlinked. A forked child
   inherits the table as it was at the fork. */
#include "local_names.h"

#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    intptr_t memory; /* each open begins from it; never locked */
    uint64_t identity;
    char text[QUOIT_OS_LOCAL_TEXT_MAX + 1];
};
static struct entry *entries; /* under quoit_os_process_lock */

static struct entry **find(const char *text)
{
    struct entry **at = &entries;
    while (*at && strcmp((*at)->text, text) != 0)
        at = &(*at)->next;
    return at;
}

quoit_status quoit_os_local_publish(struct quoit_os_shm *shm, const char *text)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                          "out of memory: cannot allocate the name of 'local:%s'", text);
    (void)snprintf(entry->text, sizeof entry->text, "%s", text);
    entry->identity = shm->identity;
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        goto free_entry;
    if (*find(text))
        status = quoit_fail(
            QUOIT_ERROR_EXISTS,
            "'local:%s' exists already in this process; open it or join it, or use another name",
            text);
    else
        status = quoit_os_local_share(shm->lock, false, text, &entry->memory);
    if (status == QUOIT_OK) {
        entry->next = entries;
        entries = entry;
    }
    quoit_os_process_unlock();
    if (status == QUOIT_OK)
        return QUOIT_OK;
free_entry:
    free(entry);
    return status;
}

quoit_status quoit_os_local_find(const char *text, bool read_only, intptr_t *memory_out,
                                 uint64_t *identity_out)
{
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        return status;
    const struct entry *entry = *find(text);
    if (entry) {
        *identity_out = entry->identity;
        status = quoit_os_local_share(entry->memory, read_only, text, memory_out);
    } else {
        status = quoit_fail(QUOIT_ERROR_NOT_FOUND,
                            "'local:%s' does not exist in this process; create it first", text);
    }
    quoit_os_process_unlock();
    return status;
}

bool quoit_os_local_is_named(const struct quoit_os_shm *shm, const char *text)
{
    if (quoit_os_process_lock() != QUOIT_OK)
        return true;
    const struct entry *entry = *find(text);
    bool is_it = entry && entry->identity == shm->identity;
    quoit_os_process_unlock();
    return is_it;
}

quoit_status quoit_os_local_unlink(struct quoit_os_shm *shm, const char *text)
{
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        return status;
    struct entry **at = find(text), *entry = *at;
    bool is_ours = entry && entry->identity == shm->identity;
    if (is_ours)
        *at = entry->next;
    quoit_os_process_unlock();
    if (!is_ours)
        return quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'local:%s': another thread removed or replaced it during this call; open it again",
            text);
    quoit_os_local_drop(entry->memory);
    free(entry);
    return QUOIT_OK;
}
