/* SPDX-License-Identifier: MIT */
/* Creating, opening and removing objects behind the gate of a lock file. */
#include "locked_object.h"

#include "fail.h"
#include "liveness.h"
#include "lock_file.h"
#include "mapped_file.h"
#include "owner.h"
#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lock_path {
    char text[QUOIT_OS_LOCK_PATH_ROOM];
};

void quoit_os_lock_path(const char *scheme, uint64_t owner, const char *name,
                        char path[QUOIT_OS_LOCK_PATH_ROOM])
{
    char user[24] = "";
#ifdef QUOIT_LOCKS_OUTLIVE_OBJECTS
    (void)snprintf(user, sizeof user, "%llu.", (unsigned long long)owner);
#else
    (void)owner;
#endif
    (void)snprintf(path, QUOIT_OS_LOCK_PATH_ROOM, "%s/quoit.%s.%s%s", QUOIT_LOCK_DIRECTORY, scheme,
                   user, name);
}

static struct lock_path lock_path_of(const struct quoit_os_shm *shm, const char *text,
                                     uint64_t owner)
{
    struct lock_path path = {{0}};
    shm->kind->lock_path(shm, text, owner, path.text);
    return path;
}

static quoit_status write_record(const struct quoit_os_shm *shm, uint64_t state, const char *path)
{
    return quoit_os_lock_record_write((int)shm->lock, state, shm->id, path);
}

static void close_lock(struct quoit_os_shm *shm)
{
    quoit_os_fd_close((int)shm->lock, shm);
    shm->lock = -1;
}

/* Finds the number and the owner of the object that has the name; -1: there is none. */
static quoit_status find_number(const struct quoit_os_shm *shm, const char *text,
                                int64_t *number_out, uint64_t *owner_out)
{
    const int64_t unreadable = INT32_MAX; /* it exists, but this process may not read it */
    *owner_out = QUOIT_OS_OWNER_UNKNOWN;
    *number_out = shm->kind->find(shm, text, owner_out);
    if (*number_out >= 0 || errno == ENOENT)
        return QUOIT_OK;
    if (errno != EACCES)
        return quoit_os_fail(errno, "find", text);
    *number_out = unreadable;
    return QUOIT_OK;
}

static quoit_status fail_not_found(const struct quoit_os_shm *shm, const char *text)
{
    bool in_namespace = strcmp(shm->kind->scheme, "sysv") == 0;
    return quoit_fail(QUOIT_ERROR_NOT_FOUND, "cannot open '%s:%s': %s; check the name%s",
                      shm->kind->scheme, text, strerror(ENOENT),
                      in_namespace ? "; a container must share the IPC namespace and /dev/shm with "
                                     "the other process"
                                   : "");
}

/* Finds the owner of the object that has the name. NOT_FOUND: there is none. */
static quoit_status find_owner(const char *text, const struct quoit_os_shm *shm,
                               uint64_t *owner_out)
{
    int64_t number;
    quoit_status status = find_number(shm, text, &number, owner_out);
    if (status == QUOIT_OK && number < 0)
        return fail_not_found(shm, text);
    if (status == QUOIT_OK && *owner_out == QUOIT_OS_OWNER_UNKNOWN)
        return quoit_os_fail(EACCES, "open", text);
    return status;
}

static quoit_status fail_others_lock(const struct quoit_os_shm *shm, const char *text)
{
    return quoit_fail(QUOIT_ERROR_OTHER_USER,
                      "'%s:%s': its lock file belongs to a user that does not own the object; let "
                      "that user remove the lock file",
                      shm->kind->scheme, text);
}

/* Every retry below follows a change by another process. BUSY: such changes went on until the
   hold's time was over. */
static quoit_status check_retry(const char *path)
{
    if (quoit_os_hold_left_ns() > 0)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "'%s': other processes keep creating and removing it; try again later", path);
}

/* NOT_FOUND: there is no lock file. */
static quoit_status open_lock(const char *path, struct quoit_os_shm *shm, uint64_t *owner_out)
{
    int mode = shm->read_only ? O_RDONLY : O_RDWR;
    struct stat file;
    shm->lock = quoit_os_fd_open(path, mode | O_NONBLOCK | O_NOCTTY);
    if (shm->lock < 0)
        return quoit_os_fail(errno, "open", path);
    if (fstat((int)shm->lock, &file) != 0) {
        quoit_status status = quoit_os_fail(errno, "read the attributes of", path);
        close_lock(shm);
        return status;
    }
    *owner_out = file.st_uid;
    return QUOIT_OK;
}

/*
 * May this process wait for the gate? Any user can make a lock file, hold its gate, and replace it
 * by another one. So this process waits at another user's gate only to open an object of the same
 * user, and only with any_owner. NOT_FOUND: there is no object.
 */
static quoit_status check_lock_owner(const char *path, const char *text, uint64_t lock_owner,
                                     bool creates, const struct quoit_os_shm *shm)
{
    uint64_t owner;
    if (quoit_os_owner_of(lock_owner, (int)shm->lock) == quoit_os_user_id())
        return QUOIT_OK;
    if (creates)
        return quoit_fail(QUOIT_ERROR_OTHER_USER,
                          "lock file '%s': it belongs to user %llu, but this process runs as user "
                          "%llu; use another name, or let its owner remove it",
                          path, (unsigned long long)lock_owner,
                          (unsigned long long)quoit_os_user_id());
    quoit_status status = find_owner(text, shm, &owner);
    if (status == QUOIT_OK && owner != lock_owner)
        return fail_others_lock(shm, text);
    if (status == QUOIT_OK && !shm->any_owner)
        return quoit_os_fail_owner("", shm->kind->scheme, text, owner);
    return status;
}

/* Opens the lock file and takes its gate. NOT_FOUND: there is no lock file, or no object. */
static quoit_status open_gate(const char *path, const char *text, bool creates,
                              struct quoit_os_shm *shm)
{
    quoit_status retry = QUOIT_OK;
    while (retry == QUOIT_OK) {
        uint64_t owner = 0;
        quoit_status status = open_lock(path, shm, &owner);
        if (status == QUOIT_OK)
            status = check_lock_owner(path, text, owner, creates, shm);
        if (status != QUOIT_OK) {
            close_lock(shm);
            return status;
        }
        status = quoit_os_file_gate(shm, path);
        if (status == QUOIT_OK)
            return QUOIT_OK;
        close_lock(shm);
        if (status != QUOIT_ERROR_NOT_FOUND)
            return status;
        retry = check_retry(path); /* removed during the wait */
    }
    return retry;
}

/* Makes a lock file and takes its gate. EXISTS: another process made one first. */
static quoit_status make_gate(const char *path, uint32_t permissions, struct quoit_os_shm *shm)
{
    shm->lock = quoit_os_fd_open(path, O_RDWR | O_CREAT | O_EXCL);
    if (shm->lock < 0)
        return quoit_os_fail(errno, "create", path);
    quoit_status status = QUOIT_OK;
    /* BSD and macOS give a file its directory's group, but an object its creator's group. */
    if (fchown((int)shm->lock, (uid_t)-1, getegid()) != 0 && errno != EPERM)
        status = quoit_os_fail(errno, "set the group of", path);
    if (status == QUOIT_OK &&
        fchmod((int)shm->lock, (mode_t)quoit_os_lock_permissions(permissions)) != 0)
        status = quoit_os_fail(errno, "set the permissions of", path);
    if (status == QUOIT_OK)
        status = quoit_os_file_gate(shm, path);
    if (status != QUOIT_OK)
        close_lock(shm);
    return status == QUOIT_ERROR_NOT_FOUND ? QUOIT_ERROR_EXISTS : status;
}

static quoit_status exists(const struct quoit_os_shm *shm, const char *text)
{
    if (shm->key)
        return quoit_fail(
            QUOIT_ERROR_EXISTS,
            "'%s:%s' exists already, with key 0x%08x; open it or join it, or use another name",
            shm->kind->scheme, text, (unsigned)shm->key);
    return quoit_fail(QUOIT_ERROR_EXISTS,
                      "'%s:%s' exists already; open it or join it, or use another name",
                      shm->kind->scheme, text);
}

/*
 * Called with the gate of an existing lock file held. Removes an object that its creator left
 * incomplete in a crash. Then removes the lock file, since a new object needs a new one with its
 * own permissions and locks. Returns EXISTS instead if the lock file's object exists.
 */
static quoit_status clear_stale_object(const char *path, const char *text, struct quoit_os_shm *shm)
{
    struct quoit_os_lock_record record;
    int64_t number = -1;
    uint64_t owner;
    (void)quoit_os_lock_record_read((int)shm->lock, &record);
    quoit_status status = find_number(shm, text, &number, &owner);
    if (status != QUOIT_OK)
        return status;
    if (number >= 0 && record.state == QUOIT_OS_RECORD_CREATING &&
        (record.number == number || record.number < 0) &&
        shm->kind->is_abandoned(shm, text, number, record.number, record.creator) &&
        shm->kind->remove(shm, text) == 0)
        number = -1;
    if (number >= 0 && record.number == number)
        return exists(shm, text);
    return unlink(path) == 0 ? QUOIT_OK : quoit_os_fail(errno, "remove", path);
}

/* Called with the gate of a new lock file held. EXISTS: the name has an object without a lock file,
   or an object of another program. */
static quoit_status check_no_object(const char *path, const char *text, struct quoit_os_shm *shm)
{
    int64_t number = -1;
    uint64_t owner;
    quoit_status status = find_number(shm, text, &number, &owner);
    if (status == QUOIT_OK && number < 0)
        return QUOIT_OK;
    (void)unlink(path);
    close_lock(shm);
    return status == QUOIT_OK ? exists(shm, text) : status;
}

/* Makes a lock file for a name that has no object, and takes its gate. EXISTS: it has one. */
static quoit_status take_name(const char *path, const char *text, uint32_t permissions,
                              struct quoit_os_shm *shm)
{
    quoit_status retry = QUOIT_OK;
    while (retry == QUOIT_OK) {
        quoit_status status = open_gate(path, text, true, shm);
        if (status == QUOIT_OK)
            status = clear_stale_object(path, text, shm);
        close_lock(shm);
        if (status != QUOIT_OK && status != QUOIT_ERROR_NOT_FOUND)
            return status;
        if (status == QUOIT_ERROR_NOT_FOUND)
            status = make_gate(path, permissions, shm);
        else
            status = QUOIT_ERROR_EXISTS; /* removed: make one in the next round */
        if (status == QUOIT_OK)
            return check_no_object(path, text, shm);
        if (status != QUOIT_ERROR_EXISTS)
            return status;
        retry = check_retry(path);
    }
    return retry;
}

/* Makes the object. Records each step, so that the next creator can clean up after a crash. */
static quoit_status fill(const char *text, uint64_t size_bytes, uint32_t permissions,
                         const char *path, struct quoit_os_shm *shm)
{
    quoit_status status = write_record(shm, QUOIT_OS_RECORD_CREATING, path);
    if (status == QUOIT_OK)
        status = shm->kind->make(shm, text, size_bytes, permissions);
    if (status == QUOIT_OK)
        status = write_record(shm, QUOIT_OS_RECORD_CREATING, path);
    return status == QUOIT_OK ? shm->kind->attach(shm, text, size_bytes) : status;
}

quoit_status quoit_os_locked_create(const char *text, uint64_t size_bytes, uint32_t permissions,
                                    struct quoit_os_shm *shm)
{
    struct lock_path path = lock_path_of(shm, text, quoit_os_user_id());
    shm->temporary = strdup(text); /* quoit_os_locked_close removes this object */
    if (!shm->temporary)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                          "out of memory: cannot allocate the name of '%s:%s'", shm->kind->scheme,
                          text);
    quoit_status status = take_name(path.text, text, permissions, shm);
    shm->unpublished = status == QUOIT_OK;
    if (status == QUOIT_OK)
        status = fill(text, size_bytes, permissions, path.text, shm);
    if (status != QUOIT_OK)
        quoit_os_locked_close(shm);
    return status; /* OK: the gate is held until publish */
}

quoit_status quoit_os_locked_publish(struct quoit_os_shm *shm, const char *text)
{
    quoit_status status = write_record(shm, QUOIT_OS_RECORD_READY, text);
    if (status != QUOIT_OK)
        return status;
    shm->unpublished = false;
    free(shm->temporary);
    shm->temporary = NULL;
    quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return QUOIT_OK;
}

/*
 * Finds the object of shm's name, and takes the gate of its lock file if there is one. A lock file
 * is made before its object and removed after it. So if the same object exists before and after a
 * check that finds no lock file, the lock file is lost.
 */
static quoit_status find_object(const char *text, struct quoit_os_shm *shm)
{
    quoit_status retry = QUOIT_OK;
    while (retry == QUOIT_OK) {
        uint64_t lock_owner;
        quoit_status status = find_owner(text, shm, &lock_owner);
        if (status != QUOIT_OK)
            return status;
        struct lock_path path = lock_path_of(shm, text, lock_owner);
        status = open_gate(path.text, text, false, shm);
        /* A process that may only read the object takes none of its locks. */
        bool hidden = status == QUOIT_ERROR_PERMISSION && shm->read_only;
        if (status != QUOIT_OK && status != QUOIT_ERROR_NOT_FOUND && !hidden)
            return status;
        int64_t number = -1;
        uint64_t owner = lock_owner;
        quoit_status found = find_number(shm, text, &number, &owner);
        shm->id = (intptr_t)number;
        if (found != QUOIT_OK)
            return found;
        if (number < 0)
            return fail_not_found(shm, text);
        if (owner != lock_owner) { /* another user's object has replaced it */
            close_lock(shm);
            retry = check_retry(path.text);
            continue;
        }
        bool lost = status == QUOIT_ERROR_NOT_FOUND && access(path.text, F_OK) != 0 &&
                    shm->kind->find(shm, text, &owner) == shm->id;
        if (status != QUOIT_ERROR_NOT_FOUND ||
            lost) /* the caller checks a hidden lock file again */
            return QUOIT_OK;
        retry = check_retry(path.text);
    }
    return retry;
}

/* Any user can make lock files there, so a lock file of another user than the object's owner does
   not count. */
static bool is_owners(const struct quoit_os_shm *shm)
{
    struct stat file;
    return fstat((int)shm->lock, &file) == 0 && file.st_uid == shm->owner;
}

/* Is the object complete? For an object whose gate this process cannot take, because it may not
   open the lock file. The creator writes the first word last. */
static bool is_finished(const struct quoit_os_shm *shm)
{
    return *(const volatile uint64_t *)(const void *)shm->base != 0;
}

quoit_status quoit_os_locked_open(const char *text, struct quoit_os_shm *shm)
{
    quoit_status status = find_object(text, shm);
    struct quoit_os_lock_record record = {.number = -1};
    if (status == QUOIT_OK && shm->lock >= 0)
        (void)quoit_os_lock_record_read((int)shm->lock, &record);
    if (status == QUOIT_OK && record.state == QUOIT_OS_RECORD_CREATING)
        status = quoit_fail(QUOIT_ERROR_NOT_FOUND,
                            "'%s:%s': its creator crashed before it was complete; create it again",
                            shm->kind->scheme, text);
    if (status == QUOIT_OK)
        status = shm->kind->attach(shm, text, 0);
    if (status == QUOIT_OK && shm->lock >= 0 && !is_owners(shm))
        status = fail_others_lock(shm, text);
    bool hidden = status == QUOIT_OK && shm->lock < 0 &&
                  quoit_os_lock_hide(shm, lock_path_of(shm, text, shm->owner).text, shm->owner);
    if (hidden && !is_finished(shm))
        status = quoit_fail(QUOIT_ERROR_NOT_FOUND,
                            "'%s:%s': its creator has not completed it; try again later",
                            shm->kind->scheme, text);
    if (status != QUOIT_OK) {
        quoit_os_locked_close(shm);
        return status;
    }
    if (shm->lock >= 0)
        quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    shm->owner = quoit_os_owner_of(shm->owner, (int)shm->lock);
    if (record.number != shm->id && !hidden) {
        close_lock(shm);
        shm->locks_missing = true;
    }
    return QUOIT_OK;
}

bool quoit_os_locked_is_named(const struct quoit_os_shm *shm, const char *text)
{
    uint64_t owner;
    return shm->kind->find(shm, text, &owner) == shm->id;
}

quoit_status quoit_os_locked_unlink(struct quoit_os_shm *shm, const char *text)
{
    struct lock_path path = lock_path_of(shm, text, shm->owner);
    quoit_status status = QUOIT_OK;
    if (!shm->locks_missing) {
        status = quoit_os_file_gate(shm, path.text);
        if (status != QUOIT_OK)
            return status;
    }
    int64_t number = -1;
    uint64_t owner;
    status = find_number(shm, text, &number, &owner);
    if (status == QUOIT_OK && number != shm->id)
        status = quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'%s:%s': another process removed or replaced it during this call; open it again",
            shm->kind->scheme, text);
    else if (status == QUOIT_OK && shm->kind->remove(shm, text) != 0)
        status = quoit_os_fail(errno, "remove", text);
    else if (status == QUOIT_OK && !shm->locks_missing)
        (void)unlink(path.text);
    if (!shm->locks_missing)
        quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return status;
}

void quoit_os_locked_close(struct quoit_os_shm *shm)
{
    if (shm->unpublished) { /* the gate is still held: no other process has it */
        struct lock_path path = lock_path_of(shm, shm->temporary, quoit_os_user_id());
        bool is_gone = shm->id < 0 || shm->kind->remove(shm, shm->temporary) == 0 ||
                       errno == ENOENT || errno == EIDRM || errno == EINVAL;
        if (is_gone) /* else it must stay: the next creator finds the unfinished object by it */
            (void)unlink(path.text);
    }
    free(shm->temporary);
    if (shm->base)
        shm->kind->detach(shm);
    close_lock(shm);
    *shm = (struct quoit_os_shm){.lock = -1, .id = -1};
}
