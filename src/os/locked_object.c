/* SPDX-License-Identifier: MIT */
/* Creating, opening and removing objects behind the gate of a lock file. */
#include "locked_object.h"

#include "fail.h"
#include "liveness.h"
#include "mapped_file.h"
#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lock file's content (FORMAT.md 6). */
enum { RECORD_CREATING = 1, RECORD_READY = 2 };
struct record {
    uint64_t state;
    int64_t number;   /* the object's, which the kernel does not soon use again; -1: not yet */
    uint64_t creator; /* PID */
};

struct lock_path {
    char text[QUOIT_OS_LOCK_PATH_ROOM];
};

static struct lock_path lock_path_of(const struct quoit_os_locked_ops *ops,
                                     const struct quoit_os_shm *shm, const char *text)
{
    struct lock_path path = {{0}};
    ops->lock_path(shm, text, path.text);
    return path;
}

static struct record read_record(const struct quoit_os_shm *shm)
{
    struct record record;
    if (pread((int)shm->lock, &record, sizeof record, 0) != (ssize_t)sizeof record)
        record = (struct record){.number = -1};
    return record;
}

static quoit_status write_record(const struct quoit_os_shm *shm, uint64_t state, const char *path)
{
    struct record record = {.state = state, .number = shm->id, .creator = quoit_os_process_id()};
    if (pwrite((int)shm->lock, &record, sizeof record, 0) != (ssize_t)sizeof record)
        return quoit_os_fail(errno ? errno : ENOSPC, "write", path);
    return QUOIT_OK;
}

static void close_lock(struct quoit_os_shm *shm)
{
    quoit_os_fd_close((int)shm->lock, shm);
    shm->lock = -1;
}

/* Opens the lock file and takes its gate. NOT_FOUND: there is none. */
static quoit_status open_gate(const char *path, struct quoit_os_shm *shm)
{
    quoit_status status;
    do {
        int mode = shm->read_only ? O_RDONLY : O_RDWR;
        shm->lock = quoit_os_fd_open(path, mode | O_NONBLOCK | O_NOCTTY);
        if (shm->lock < 0)
            return quoit_os_fail(errno, "open", path);
        status = quoit_os_file_gate(shm, path);
        if (status != QUOIT_OK)
            close_lock(shm);
    } while (status == QUOIT_NOT_FOUND); /* removed while we waited: look again */
    return status;
}

/* A lock file of our own making, with the gate held. EXISTS: another was faster. */
static quoit_status make_gate(const char *path, uint32_t permissions, struct quoit_os_shm *shm)
{
    shm->lock = quoit_os_fd_open(path, O_RDWR | O_CREAT | O_EXCL);
    if (shm->lock < 0)
        return quoit_os_fail(errno, "create", path);
    quoit_status status = QUOIT_OK;
    /* BSD and macOS give a file its directory's group, and an object its maker's. */
    if (fchown((int)shm->lock, (uid_t)-1, getegid()) != 0 && errno != EPERM)
        status = quoit_os_fail(errno, "set the group of", path);
    if (status == QUOIT_OK && fchmod((int)shm->lock, (mode_t)permissions) != 0)
        status = quoit_os_fail(errno, "set the permissions of", path);
    if (status == QUOIT_OK)
        status = quoit_os_file_gate(shm, path);
    if (status != QUOIT_OK)
        close_lock(shm);
    return status == QUOIT_NOT_FOUND ? QUOIT_EXISTS : status;
}

/* The number of the object that has the name; -1: there is none. */
static quoit_status look(const struct quoit_os_locked_ops *ops, const struct quoit_os_shm *shm,
                         const char *text, int64_t *number_out)
{
    const int64_t unreadable = INT32_MAX; /* there, and not ours to look at */
    *number_out = ops->find(shm, text);
    if (*number_out >= 0 || errno == ENOENT)
        return QUOIT_OK;
    if (errno != EACCES)
        return quoit_os_fail(errno, "look for", text);
    *number_out = unreadable;
    return QUOIT_OK;
}

static quoit_status exists(const struct quoit_os_locked_ops *ops, const struct quoit_os_shm *shm,
                           const char *text)
{
    if (shm->key)
        return quoit_fail(QUOIT_EXISTS, "'%s:%s' exists already, with key 0x%08x", ops->scheme,
                          text, (unsigned)shm->key);
    return quoit_fail(QUOIT_EXISTS, "'%s:%s' exists already", ops->scheme, text);
}

/*
 * With the gate of a lock file held that was there before: makes way for a new object, or says why
 * not. An object that is there is not ours to replace, unless its creator died over it; without one
 * the file is a relic, whose permissions and locks are not those of the object to come.
 */
static quoit_status clear_relic(const struct quoit_os_locked_ops *ops, const char *path,
                                const char *text, struct quoit_os_shm *shm)
{
    struct stat file;
    struct record record = read_record(shm);
    int64_t number = -1;
    quoit_status status = look(ops, shm, text, &number);
    if (status != QUOIT_OK)
        return status;
    if (fstat((int)shm->lock, &file) != 0 || file.st_uid != quoit_os_user_id())
        return quoit_fail(QUOIT_OWNER, "the lock file '%s' belongs to another user", path);
    if (number >= 0 && record.state == RECORD_CREATING &&
        (record.number == number || record.number < 0) &&
        ops->is_abandoned(shm, text, number, record.number, record.creator) &&
        ops->remove(shm, text) == 0)
        number = -1;
    if (number >= 0 && record.number == number)
        return exists(ops, shm, text);
    return unlink(path) == 0 ? QUOIT_OK : quoit_os_fail(errno, "remove", path);
}

/* The gate of a new lock file, for a name that has no object. EXISTS: it has one. */
static quoit_status take_name(const struct quoit_os_locked_ops *ops, const char *path,
                              const char *text, uint32_t permissions, struct quoit_os_shm *shm)
{
    for (;;) {
        quoit_status status = open_gate(path, shm);
        if (status == QUOIT_OK)
            status = clear_relic(ops, path, text, shm);
        close_lock(shm);
        if (status == QUOIT_OK)
            continue;
        if (status != QUOIT_NOT_FOUND)
            return status;
        status = make_gate(path, permissions, shm);
        if (status == QUOIT_EXISTS)
            continue;
        if (status != QUOIT_OK)
            return status;
        int64_t number = -1;
        status = look(ops, shm, text, &number);
        if (status == QUOIT_OK && number < 0)
            return QUOIT_OK;
        (void)unlink(path);
        close_lock(shm);
        /* An object without a lock file, or another program's. */
        return status == QUOIT_OK ? exists(ops, shm, text) : status;
    }
}

/* Makes the object, noting each step for whoever comes after a death here. */
static quoit_status fill(const struct quoit_os_locked_ops *ops, const char *text,
                         uint64_t size_bytes, uint32_t permissions, const char *path,
                         struct quoit_os_shm *shm)
{
    quoit_status status = write_record(shm, RECORD_CREATING, path);
    if (status == QUOIT_OK)
        status = ops->make(shm, text, size_bytes, permissions);
    if (status == QUOIT_OK)
        status = write_record(shm, RECORD_CREATING, path);
    return status == QUOIT_OK ? ops->attach(shm, text, size_bytes) : status;
}

quoit_status quoit_os_locked_create(const struct quoit_os_locked_ops *ops, const char *text,
                                    uint64_t size_bytes, uint32_t permissions,
                                    struct quoit_os_shm *shm)
{
    struct lock_path path = lock_path_of(ops, shm, text);
    shm->temporary = strdup(text); /* what an early close clears up */
    if (!shm->temporary)
        return quoit_fail(QUOIT_NO_MEMORY, "out of memory for '%s:%s'", ops->scheme, text);
    quoit_status status = take_name(ops, path.text, text, permissions, shm);
    shm->unpublished = status == QUOIT_OK;
    if (status == QUOIT_OK)
        status = fill(ops, text, size_bytes, permissions, path.text, shm);
    if (status != QUOIT_OK)
        quoit_os_locked_close(ops, shm);
    return status; /* OK: the gate stays shut until publish */
}

quoit_status quoit_os_locked_publish(struct quoit_os_shm *shm, const char *text)
{
    quoit_status status = write_record(shm, RECORD_READY, text);
    if (status != QUOIT_OK)
        return status;
    shm->unpublished = false;
    free(shm->temporary);
    shm->temporary = NULL;
    quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return QUOIT_OK;
}

/*
 * The object of shm's name, with the gate of its lock file held; the object alone, where there is
 * no lock file. An object was made after its lock file and goes before it, so one that is there
 * before and after a look that finds no file has truly lost it.
 */
static quoit_status find_object(const struct quoit_os_locked_ops *ops, const char *text,
                                struct quoit_os_shm *shm)
{
    struct lock_path path = lock_path_of(ops, shm, text);
    for (;;) {
        quoit_status status = open_gate(path.text, shm);
        if (status != QUOIT_OK && status != QUOIT_NOT_FOUND)
            return status;
        int64_t number = -1;
        quoit_status looked = look(ops, shm, text, &number);
        shm->id = (intptr_t)number;
        if (looked != QUOIT_OK)
            return looked;
        if (number < 0)
            return quoit_fail(QUOIT_NOT_FOUND, "cannot open '%s:%s': %s", ops->scheme, text,
                              strerror(ENOENT));
        bool lost = status == QUOIT_NOT_FOUND && access(path.text, F_OK) != 0 &&
                    ops->find(shm, text) == shm->id;
        if (status != QUOIT_NOT_FOUND || lost)
            return QUOIT_OK;
    }
}

/* Everybody may make lock files there: one of another user's says nothing of this object. */
static bool is_owners(const struct quoit_os_shm *shm)
{
    struct stat file;
    return fstat((int)shm->lock, &file) == 0 && file.st_uid == shm->owner;
}

quoit_status quoit_os_locked_open(const struct quoit_os_locked_ops *ops, const char *text,
                                  struct quoit_os_shm *shm)
{
    quoit_status status = find_object(ops, text, shm);
    struct record record = {.number = -1};
    if (status == QUOIT_OK && shm->lock >= 0)
        record = read_record(shm);
    if (status == QUOIT_OK && record.state == RECORD_CREATING)
        status = quoit_fail(QUOIT_NOT_FOUND, "'%s:%s' was never finished by its creator",
                            ops->scheme, text);
    if (status == QUOIT_OK)
        status = ops->attach(shm, text, 0);
    if (status == QUOIT_OK && shm->lock >= 0 && !is_owners(shm))
        status = quoit_fail(QUOIT_OWNER, "the lock file of '%s:%s' is not its owner's", ops->scheme,
                            text);
    if (status != QUOIT_OK) {
        quoit_os_locked_close(ops, shm);
        return status;
    }
    if (shm->lock >= 0)
        quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    if (record.number != shm->id) {
        close_lock(shm);
        shm->locks_missing = true;
    }
    return QUOIT_OK;
}

quoit_status quoit_os_locked_unlink(const struct quoit_os_locked_ops *ops, struct quoit_os_shm *shm,
                                    const char *text)
{
    struct lock_path path = lock_path_of(ops, shm, text);
    quoit_status status = QUOIT_OK;
    if (!shm->locks_missing) {
        status = quoit_os_file_gate(shm, path.text);
        if (status != QUOIT_OK)
            return status;
    }
    int64_t number = -1;
    status = look(ops, shm, text, &number);
    if (status == QUOIT_OK && number != shm->id)
        status = quoit_fail(QUOIT_NOT_FOUND, "'%s:%s' is gone, or another object by now",
                            ops->scheme, text);
    else if (status == QUOIT_OK && ops->remove(shm, text) != 0)
        status = quoit_os_fail(errno, "remove", text);
    else if (status == QUOIT_OK && !shm->locks_missing)
        (void)unlink(path.text);
    if (!shm->locks_missing)
        quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return status;
}

void quoit_os_locked_close(const struct quoit_os_locked_ops *ops, struct quoit_os_shm *shm)
{
    if (shm->unpublished) { /* still behind the gate: nobody else has it */
        struct lock_path path = lock_path_of(ops, shm, shm->temporary);
        if (shm->id >= 0)
            (void)ops->remove(shm, shm->temporary);
        (void)unlink(path.text);
    }
    free(shm->temporary);
    if (shm->base)
        ops->detach(shm);
    close_lock(shm);
    *shm = (struct quoit_os_shm){.lock = -1, .id = -1};
}
