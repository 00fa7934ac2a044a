/* SPDX-License-Identifier: MIT */
/*
 * "sysv:products", "sysv:0x51a7": a System V segment. It has no descriptor to hold locks on, and
 * shmget shows it to others before it is filled; a lock file beside it, quoit.sysv.KEY, mends both.
 * The gate on that file is held from before shmget until publish, and a record in it says which
 * segment it belongs to and whether that one was finished, so that a creator's death in between is
 * seen and cleared up by the next one.
 */
#include "mapped_file.h"
#include "system_error.h"
#include "sysv.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lock file's content (FORMAT.md 6). */
enum { RECORD_CREATING = 1, RECORD_READY = 2 };
struct record {
    uint64_t state;
    int64_t shmid;    /* the kernel's identifier, which it does not soon use again; -1: not yet */
    uint64_t creator; /* PID */
};

struct lock_path {
    char text[QUOIT_OS_SYSV_LOCK_ROOM];
};

static struct lock_path lock_path_of(uint32_t key)
{
    struct lock_path path = {{0}};
    quoit_os_sysv_lock_path(key, path.text);
    return path;
}

static struct record read_record(const struct quoit_os_shm *shm)
{
    struct record record;
    if (pread((int)shm->lock, &record, sizeof record, 0) != (ssize_t)sizeof record)
        record = (struct record){.shmid = -1};
    return record;
}

static quoit_status write_record(const struct quoit_os_shm *shm, uint64_t state, const char *path)
{
    struct record record = {.state = state, .shmid = shm->id, .creator = quoit_os_process_id()};
    if (pwrite((int)shm->lock, &record, sizeof record, 0) != (ssize_t)sizeof record)
        return quoit_os_fail(errno ? errno : ENOSPC, "write", path);
    return QUOIT_OK;
}

static void close_lock(struct quoit_os_shm *shm)
{
    if (shm->lock >= 0)
        (void)close((int)shm->lock);
    shm->lock = -1;
}

/* Opens the lock file and takes its gate. NOT_FOUND: there is none. */
static quoit_status open_gate(const char *path, bool read_only, struct quoit_os_shm *shm)
{
    quoit_status status;
    shm->read_only = read_only;
    do {
        int mode = read_only ? O_RDONLY : O_RDWR;
        shm->lock = quoit_os_fd_above_stdio(
            open(path, mode | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
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
    shm->lock = quoit_os_fd_above_stdio(
        open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (shm->lock < 0)
        return quoit_os_fail(errno, "create", path);
    quoit_status status = QUOIT_OK;
    if (fchmod((int)shm->lock, (mode_t)permissions) != 0)
        status = quoit_os_fail(errno, "set the permissions of", path);
    if (status == QUOIT_OK)
        status = quoit_os_file_gate(shm, path);
    if (status != QUOIT_OK)
        close_lock(shm);
    return status == QUOIT_NOT_FOUND ? QUOIT_EXISTS : status;
}

/* With the gate held: is this the segment that a creator left who died before publish? */
static bool is_unfinished(const struct quoit_os_shm *shm, int shmid)
{
    struct record record = read_record(shm);
    struct shmid_ds segment;
    if (record.state != RECORD_CREATING || shmctl(shmid, IPC_STAT, &segment) != 0)
        return false;
    bool is_its = record.shmid == shmid ||
                  (record.shmid < 0 && (uint64_t)segment.shm_cpid == record.creator);
    return is_its && segment.shm_nattch == 0 && segment.shm_perm.cuid == quoit_os_user_id();
}

/*
 * With the gate of a lock file held that was there before: makes way for a new object, or says why
 * not. A segment that is there is not ours to replace, unless its creator died over it; without one
 * the file is a relic, whose permissions and locks are not those of the object to come.
 */
static quoit_status clear_relic(const char *path, const char *text, struct quoit_os_shm *shm)
{
    struct stat file;
    int shmid = shmget((key_t)shm->key, 0, 0);
    if (fstat((int)shm->lock, &file) != 0 || file.st_uid != quoit_os_user_id())
        return quoit_fail(QUOIT_OWNER, "the lock file '%s' belongs to another user", path);
    if (shmid >= 0 && is_unfinished(shm, shmid) && shmctl(shmid, IPC_RMID, NULL) == 0)
        shmid = -1;
    if (shmid >= 0 && read_record(shm).shmid == shmid)
        return quoit_fail(QUOIT_EXISTS, "'sysv:%s' exists already, with key 0x%08x", text,
                          (unsigned)shm->key);
    return unlink(path) == 0 ? QUOIT_OK : quoit_os_fail(errno, "remove", path);
}

/* The gate of a new lock file, for a key that has no segment. EXISTS: it has one. */
static quoit_status take_key(const char *path, const char *text, uint32_t permissions,
                             struct quoit_os_shm *shm)
{
    for (;;) {
        quoit_status status = open_gate(path, false, shm);
        if (status == QUOIT_OK)
            status = clear_relic(path, text, shm);
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
        if (shmget((key_t)shm->key, 0, 0) < 0 && errno == ENOENT)
            return QUOIT_OK;
        (void)unlink(path); /* a segment without a lock file, or another program's */
        close_lock(shm);
        return quoit_fail(QUOIT_EXISTS, "'sysv:%s' exists already, with key 0x%08x", text,
                          (unsigned)shm->key);
    }
}

static quoit_status make_segment(const char *text, uint64_t size_bytes, uint32_t permissions,
                                 struct quoit_os_shm *shm)
{
    int shmid = size_bytes > SIZE_MAX ? -1
                                      : shmget((key_t)shm->key, (size_t)size_bytes,
                                               IPC_CREAT | IPC_EXCL | (int)permissions);
    if (shmid < 0) {
        int error = size_bytes > SIZE_MAX ? EINVAL : errno;
        if (error == EINVAL || error == ENOMEM || error == ENOSPC)
            return quoit_fail(QUOIT_NOSPACE,
                              "cannot reserve %llu bytes for 'sysv:%s': %s (kernel.shmmax, "
                              "shmall and shmmni set limits)",
                              (unsigned long long)size_bytes, text, strerror(error));
        return quoit_os_fail(error, "create the System V segment", text);
    }
    shm->id = shmid;
    return QUOIT_OK;
}

static quoit_status attach(const char *text, struct quoit_os_shm *shm)
{
    struct shmid_ds segment;
    if (shmctl((int)shm->id, IPC_STAT, &segment) != 0)
        return quoit_os_sysv_fail("look at the System V segment", text);
    void *base = shmat((int)shm->id, NULL, shm->read_only ? SHM_RDONLY : 0);
    if ((intptr_t)base == -1)
        return quoit_os_sysv_fail("attach the System V segment", text);
    shm->base = base;
    shm->size_bytes = segment.shm_segsz;
    shm->owner = segment.shm_perm.uid;
    return QUOIT_OK;
}

/* Takes all pages now, so that a lack of memory shows here and not at a push. */
static quoit_status reserve(const char *text, struct quoit_os_shm *shm)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    quoit_status status = quoit_os_check_memory(shm->size_bytes, "sysv", text);
    if (status != QUOIT_OK)
        return status;
#ifdef MADV_POPULATE_WRITE
    if (madvise(shm->base, (size_t)shm->size_bytes, MADV_POPULATE_WRITE) == 0)
        return QUOIT_OK;
    if (errno == ENOMEM || errno == EFAULT)
        return quoit_fail(QUOIT_NOSPACE, "cannot reserve %llu bytes for 'sysv:%s': no memory",
                          (unsigned long long)shm->size_bytes, text);
#endif
    for (uint64_t offset = 0; offset < shm->size_bytes; offset += page)
        *(volatile uint8_t *)(shm->base + offset) = 0;
    return QUOIT_OK;
}

static void detach(struct quoit_os_shm *shm)
{
    if (shm->unpublished) { /* still behind the gate: nobody else has it */
        struct lock_path path = lock_path_of(shm->key);
        if (shm->id >= 0)
            (void)shmctl((int)shm->id, IPC_RMID, NULL);
        (void)unlink(path.text);
    }
    if (shm->base && shmdt(shm->base) != 0)
        (void)munmap(shm->base, (size_t)shm->size_bytes); /* a forked child's, see abandon */
    close_lock(shm);
    *shm = (struct quoit_os_shm){.lock = -1, .id = -1};
}

/* An shm that holds nothing yet but its key. */
static quoit_status begin(const char *text, struct quoit_os_shm *shm_out)
{
    *shm_out = (struct quoit_os_shm){.lock = -1, .id = -1};
    return quoit_os_sysv_key(text, &shm_out->key);
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    quoit_status status = begin(text, shm_out);
    if (status != QUOIT_OK)
        return status;
    struct lock_path path = lock_path_of(shm_out->key);
    status = take_key(path.text, text, permissions, shm_out);
    if (status != QUOIT_OK)
        return status;
    shm_out->unpublished = true;
    status = write_record(shm_out, RECORD_CREATING, path.text);
    if (status == QUOIT_OK)
        status = make_segment(text, size_bytes, permissions, shm_out);
    if (status == QUOIT_OK)
        status = write_record(shm_out, RECORD_CREATING, path.text);
    if (status == QUOIT_OK)
        status = attach(text, shm_out);
    if (status == QUOIT_OK)
        status = reserve(text, shm_out);
    if (status != QUOIT_OK)
        detach(shm_out);
    return status; /* OK: the gate stays shut until publish */
}

static quoit_status publish(struct quoit_os_shm *shm, const char *text)
{
    quoit_status status = write_record(shm, RECORD_READY, text);
    if (status != QUOIT_OK)
        return status;
    shm->unpublished = false;
    quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return QUOIT_OK;
}

/*
 * The segment of shm's key, with the gate of its lock file held; the segment alone, where there is
 * no lock file. A segment was made after its lock file and goes before it, so one that is there
 * before and after a look that finds no file has truly lost it.
 */
static quoit_status find_segment(const char *text, bool read_only, struct quoit_os_shm *shm)
{
    struct lock_path path = lock_path_of(shm->key);
    for (;;) {
        quoit_status status = open_gate(path.text, read_only, shm);
        if (status != QUOIT_OK && status != QUOIT_NOT_FOUND)
            return status;
        shm->id = shmget((key_t)shm->key, 0, 0);
        if (shm->id < 0)
            return quoit_os_fail(errno, "open the System V segment", text);
        bool lost = status == QUOIT_NOT_FOUND && access(path.text, F_OK) != 0 &&
                    shmget((key_t)shm->key, 0, 0) == (int)shm->id;
        if (status != QUOIT_NOT_FOUND || lost)
            return QUOIT_OK;
    }
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    quoit_status status = begin(text, shm_out);
    if (status != QUOIT_OK)
        return status;
    status = find_segment(text, read_only, shm_out);
    if (status != QUOIT_OK)
        goto detach;
    struct record record = {.shmid = -1};
    if (shm_out->lock >= 0)
        record = read_record(shm_out);
    if (record.state == RECORD_CREATING) {
        status = quoit_fail(QUOIT_NOT_FOUND, "'sysv:%s' was never finished by its creator", text);
        goto detach;
    }
    status = attach(text, shm_out);
    if (status != QUOIT_OK)
        goto detach;
    if (shm_out->lock >= 0)
        quoit_os_lock_release(shm_out, QUOIT_OS_LOCK_GATE);
    if (record.shmid != shm_out->id) {
        close_lock(shm_out);
        shm_out->locks_missing = true;
    }
    return QUOIT_OK;

detach:
    detach(shm_out);
    return status;
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *text)
{
    struct lock_path path = lock_path_of(shm->key);
    quoit_status status = QUOIT_OK;
    if (!shm->locks_missing) {
        status = quoit_os_file_gate(shm, path.text);
        if (status != QUOIT_OK)
            return status;
    }
    if (shmget((key_t)shm->key, 0, 0) != (int)shm->id)
        status = quoit_fail(QUOIT_NOT_FOUND, "'sysv:%s' is gone, or another object by now", text);
    else if (shmctl((int)shm->id, IPC_RMID, NULL) != 0)
        status = quoit_os_fail(errno, "remove the System V segment", text);
    else if (!shm->locks_missing)
        (void)unlink(path.text);
    if (!shm->locks_missing)
        quoit_os_lock_release(shm, QUOIT_OS_LOCK_GATE);
    return status;
}

const struct quoit_os_shm_ops quoit_os_shm_sysv = {
    .scheme = {.name = "sysv", .text_max = 200, .is_key = true},
    .create = create,
    .publish = publish,
    .open = open_existing,
    .unlink = unlink_name,
    .close = detach,
};
