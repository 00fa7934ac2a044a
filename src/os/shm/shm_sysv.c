/* SPDX-License-Identifier: MIT */
/* "sysv:products", "sysv:0x51a7": a System V segment, beside its lock file, quoit.sysv.KEY. */
#include "fd.h"
#include "locked_object.h"
#include "system_error.h"
#include "sysv.h"

#include "fail.h"

#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static void lock_path(const struct quoit_os_shm *shm, const char *text, uint64_t owner,
                      char path[QUOIT_OS_LOCK_PATH_ROOM])
{
    char name[QUOIT_OS_SYSV_LOCK_ROOM];
    (void)text;
    quoit_os_sysv_lock_name(shm->key, shm->identity, name);
    quoit_os_lock_path("sysv", owner, name, path);
}

static int64_t find(const struct quoit_os_shm *shm, const char *text, uint64_t *owner_out)
{
    (void)text;
    struct shmid_ds segment;
    int id = shmget((key_t)shm->key, 0, 0);
    bool has_status = id >= 0 && shmctl(id, IPC_STAT, &segment) == 0;
    if (id >= 0 && !has_status && (errno == EIDRM || errno == EINVAL)) {
        errno = ENOENT; /* removed in between */
        return -1;
    }
    *owner_out = has_status ? segment.shm_perm.uid : QUOIT_OS_OWNER_UNKNOWN;
    return id;
}

static bool is_abandoned(const struct quoit_os_shm *shm, const char *text, int64_t number,
                         int64_t noted, uint64_t creator_pid)
{
    (void)shm;
    (void)text;
    struct shmid_ds segment;
    if (shmctl((int)number, IPC_STAT, &segment) != 0)
        return false;
    bool is_its = noted == number || (uint64_t)segment.shm_cpid == creator_pid;
    return is_its && segment.shm_nattch == 0 && segment.shm_perm.cuid == quoit_os_user_id();
}

static quoit_status make(struct quoit_os_shm *shm, const char *text, uint64_t size_bytes,
                         uint32_t permissions)
{
    int shmid = -1, error = EINVAL;
    if (size_bytes <= SIZE_MAX) {
        shmid = shmget((key_t)shm->key, (size_t)size_bytes,
                       IPC_CREAT | IPC_EXCL | (int)permissions);
        error = errno;
    }
    shm->id = shmid;
    if (shmid >= 0)
        return QUOIT_OK;
    if (error == EINVAL || error == ENOMEM || error == ENOSPC)
        return quoit_fail(QUOIT_ERROR_NO_SPACE,
                          "cannot reserve %llu bytes for 'sysv:%s': %s; use a smaller capacity, or "
                          "raise " QUOIT_SHM_LIMITS,
                          (unsigned long long)size_bytes, text, strerror(error));
    return quoit_os_fail(error, "create the System V segment", text);
}

static quoit_status attach(struct quoit_os_shm *shm, const char *text, uint64_t new_size_bytes)
{
    struct shmid_ds segment;
    if (shmctl((int)shm->id, IPC_STAT, &segment) != 0)
        return quoit_os_sysv_fail("query the System V segment", text);
    void *base = shmat((int)shm->id, NULL, shm->read_only ? SHM_RDONLY : 0);
    if ((intptr_t)base == -1)
        return quoit_os_sysv_fail("attach the System V segment", text);
    shm->base = base;
    shm->size_bytes = segment.shm_segsz;
    shm->owner = segment.shm_perm.uid;
    if (new_size_bytes == 0) {
        shm->has_holes = !quoit_os_segment_is_whole((int)shm->id);
        return QUOIT_OK;
    }
    quoit_status status = quoit_os_populate(shm, "sysv", text);
    /* An emulator of system calls may have ignored the advice, and returned success. */
    if (status == QUOIT_OK && !quoit_os_segment_is_whole((int)shm->id))
        quoit_os_touch_pages(shm);
    return status;
}

static int remove_segment(const struct quoit_os_shm *shm, const char *text)
{
    (void)text;
    int64_t number = shm->id >= 0 ? shm->id : shmget((key_t)shm->key, 0, 0);
    return shmctl((int)number, IPC_RMID, NULL);
}

static void detach(struct quoit_os_shm *shm)
{
    if (shmdt(shm->base) != 0)
        (void)munmap(shm->base, (size_t)shm->size_bytes); /* a forked child's zeros */
}

static const struct quoit_os_locked_ops locked = {
    .scheme = "sysv",
    .lock_path = lock_path,
    .find = find,
    .is_abandoned = is_abandoned,
    .make = make,
    .attach = attach,
    .remove = remove_segment,
    .detach = detach,
};

/* Sets shm_out to no object yet, with its key and, as its identity, its IPC namespace. */
static quoit_status begin(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    *shm_out = quoit_os_locked_begin(&locked, read_only, shm_out->any_owner);
    quoit_status status = quoit_os_sysv_key(text, &shm_out->key);
    return status == QUOIT_OK ? quoit_os_ipc_namespace(&shm_out->identity) : status;
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    quoit_status status = begin(text, false, shm_out);
    return status == QUOIT_OK ? quoit_os_locked_create(text, size_bytes, permissions, shm_out)
                              : status;
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    quoit_status status = begin(text, read_only, shm_out);
    return status == QUOIT_OK ? quoit_os_locked_open(text, shm_out) : status;
}

/* A segment cannot be truncated, so mapping it does no harm. */
static quoit_status peek(const char *text, void *bytes, uint64_t count)
{
    struct quoit_os_shm shm = {.lock = -1};
    struct shmid_ds segment;
    uint64_t owner;
    quoit_status status = begin(text, true, &shm);
    if (status != QUOIT_OK)
        return status;
    shm.id = (intptr_t)find(&shm, text, &owner);
    if (shm.id < 0 || shmctl((int)shm.id, IPC_STAT, &segment) != 0)
        return quoit_os_sysv_fail("query the System V segment", text);
    if (segment.shm_segsz < count)
        return quoit_fail(
            QUOIT_ERROR_NOT_QUOIT,
            "'sysv:%s': it has only %llu bytes, so Quoit did not create it; use another name", text,
            (unsigned long long)segment.shm_segsz);
    const void *base = shmat((int)shm.id, NULL, SHM_RDONLY);
    if ((intptr_t)base == -1)
        return quoit_os_sysv_fail("attach the System V segment", text);
    memcpy(bytes, base, (size_t)count);
    (void)shmdt(base);
    return QUOIT_OK;
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *text)
{
    uint64_t ipc_namespace;
    quoit_status status = quoit_os_ipc_namespace(&ipc_namespace);
    if (status != QUOIT_OK)
        return status;
    if (ipc_namespace != shm->identity) /* the number may be another segment's here */
        return quoit_fail(QUOIT_ERROR_NOT_FOUND,
                          "'sysv:%s': it belongs to an IPC namespace that this process has left; "
                          "remove it from that namespace",
                          text);
    return quoit_os_locked_unlink(shm, text);
}

const struct quoit_os_shm_ops quoit_os_shm_sysv = {
    .scheme = {.name = "sysv", .text_max = 200, .is_key = true},
    .create = create,
    .publish = quoit_os_locked_publish,
    .open = open_existing,
    .is_named = quoit_os_locked_is_named,
    .peek = peek,
    .unlink = unlink_name,
    .close = quoit_os_locked_close,
};
