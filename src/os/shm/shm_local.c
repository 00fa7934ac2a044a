/* SPDX-License-Identifier: MIT */
/*
 * "local:products": memory without a name in the system, for this process's threads, and for the
 * children that it forks. A child inherits the table of names as it was at the fork.
 */
#include "fd.h"
#include "liveness.h"
#include "mapped_file.h"
#include "process_posix.h"
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_MAX = 200 };

struct entry {
    struct entry *next;
    int fd; /* keeps the memory; each open begins from it; never locked */
    char text[TEXT_MAX + 1];
};
static struct entry *entries; /* under quoit_os_process_lock */

static struct entry **find(const char *text)
{
    struct entry **at = &entries;
    while (*at && strcmp((*at)->text, text) != 0)
        at = &(*at)->next;
    return at;
}

/* Makes a descriptor of the same memory for another handle. */
static quoit_status share(int fd, bool read_only, const char *text, int *fd_out)
{
    *fd_out = quoit_os_fd_share(fd, read_only);
    if (*fd_out >= 0)
        return QUOIT_OK;
    if (errno == ENOENT)
        return quoit_fail(
            QUOIT_ERROR_UNSUPPORTED,
            "'local:%s': the scheme 'local:' needs /proc, which is not mounted; mount it", text);
    return quoit_os_fail(errno, "open", text);
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    quoit_status status = quoit_os_check_memory(size_bytes, "local", text);
    if (status != QUOIT_OK)
        return status;
    int fd = quoit_os_fd_adopt(quoit_os_memory_fd(text), true);
    if (fd < 0)
        return quoit_os_fail(errno, "create", text);
    status = quoit_os_file_reserve(fd, size_bytes, permissions, text);
    if (status == QUOIT_OK)
        status = quoit_os_file_map(fd, false, text, shm_out);
    if (status != QUOIT_OK)
        quoit_os_fd_close(fd, NULL);
    return status;
}

static quoit_status publish(struct quoit_os_shm *shm, const char *text)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                          "out of memory: cannot allocate the name of 'local:%s'", text);
    (void)snprintf(entry->text, sizeof entry->text, "%s", text);
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        goto free_entry;
    if (*find(text))
        status = quoit_fail(
            QUOIT_ERROR_EXISTS,
            "'local:%s' exists already in this process; open it or join it, or use another name",
            text);
    else
        status = share((int)shm->lock, false, text, &entry->fd);
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

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    int fd = -1;
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        return status;
    struct entry *entry = *find(text);
    if (entry)
        status = share(entry->fd, read_only, text, &fd);
    else
        status = quoit_fail(QUOIT_ERROR_NOT_FOUND,
                            "'local:%s' does not exist in this process; create it first", text);
    quoit_os_process_unlock();
    if (status != QUOIT_OK)
        return status;
    status = quoit_os_file_map(fd, read_only, text, shm_out);
    if (status != QUOIT_OK)
        quoit_os_fd_close(fd, NULL);
    return status;
}

static bool is_same(int a, int b)
{
    struct stat file_a, file_b;
    return fstat(a, &file_a) == 0 && fstat(b, &file_b) == 0 && file_a.st_dev == file_b.st_dev &&
           file_a.st_ino == file_b.st_ino;
}

static bool is_named(const struct quoit_os_shm *shm, const char *text)
{
    if (quoit_os_process_lock() != QUOIT_OK)
        return true;
    struct entry *entry = *find(text);
    bool is_it = entry && is_same(entry->fd, (int)shm->lock);
    quoit_os_process_unlock();
    return is_it;
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *text)
{
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        return status;
    struct entry **at = find(text);
    struct entry *entry = *at;
    bool is_ours = entry && is_same(entry->fd, (int)shm->lock);
    if (is_ours)
        *at = entry->next;
    quoit_os_process_unlock();
    if (!is_ours)
        return quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'local:%s': another thread removed or replaced it during this call; open it again",
            text);
    quoit_os_fd_close(entry->fd, NULL);
    free(entry);
    return QUOIT_OK;
}

const struct quoit_os_shm_ops quoit_os_shm_local = {
    .scheme = {.name = "local", .text_max = TEXT_MAX},
    .create = create,
    .publish = publish,
    .open = open_existing,
    .is_named = is_named,
    .unlink = unlink_name,
    .close = quoit_os_file_close,
};
