/* SPDX-License-Identifier: MIT */
/*
 * Objects that other processes can see before they are complete, and that have no descriptor to
 * hold locks on. A lock file beside each object solves both. The creator holds the gate of that
 * file from before it makes the object until it publishes it. A record in the file identifies the
 * object and shows whether it is complete. So if the creator crashes in between, the next creator
 * sees this and removes the object.
 */
#ifndef QUOIT_OS_LOCKED_OBJECT_H
#define QUOIT_OS_LOCKED_OBJECT_H

#include "os.h"

enum { QUOIT_OS_LOCK_PATH_ROOM = 320 };
#define QUOIT_OS_OWNER_UNKNOWN UINT64_MAX

/* The operations that differ between the kinds of object; shm->kind leads to them. shm->key and
   text identify the object. */
struct quoit_os_locked_ops {
    const char *scheme;
    void (*lock_path)(const struct quoit_os_shm *shm, const char *text, uint64_t owner,
                      char path[QUOIT_OS_LOCK_PATH_ROOM]);
    /* Returns the number of the object that has the name now, below INT32_MAX; -1 and errno. Also
       returns its owner, if this process may read that. */
    int64_t (*find)(const struct quoit_os_shm *shm, const char *text, uint64_t *owner_out);
    /* Did a crashed creator of this user leave the object of that number? noted: the number that
       the creator recorded; -1: it crashed before that. */
    bool (*is_abandoned)(const struct quoit_os_shm *shm, const char *text, int64_t number,
                         int64_t noted, uint64_t creator_pid);
    /* Makes it, and sets shm->id, its number. EXISTS, NO_SPACE and others. */
    quoit_status (*make)(struct quoit_os_shm *shm, const char *text, uint64_t size_bytes,
                         uint32_t permissions);
    /* Maps it: sets base, size_bytes, owner. new_size_bytes above 0: the object is new; first gives
       it that size, reserved. */
    quoit_status (*attach)(struct quoit_os_shm *shm, const char *text, uint64_t new_size_bytes);
    /* Removes it; 0, or -1 and errno. */
    int (*remove)(const struct quoit_os_shm *shm, const char *text);
    void (*detach)(struct quoit_os_shm *shm);
};

/* The path of a lock file, "quoit.SCHEME.NAME". Where the directory of the lock files outlives the
   objects, which a restart of the system removes, it is "quoit.SCHEME.OWNER.NAME": one user's file
   from before the restart must not keep the name from another user. */
void quoit_os_lock_path(const char *scheme, uint64_t owner, const char *name,
                        char path[QUOIT_OS_LOCK_PATH_ROOM]);

/* The fields of shm before it is created or opened. */
static inline struct quoit_os_shm quoit_os_locked_begin(const struct quoit_os_locked_ops *kind,
                                                        bool read_only, bool any_owner)
{
    return (struct quoit_os_shm){
        .kind = kind, .lock = -1, .id = -1, .read_only = read_only, .any_owner = any_owner};
}

/* As in struct quoit_os_shm_ops. The caller has set kind and key. */
quoit_status quoit_os_locked_create(const char *text, uint64_t size_bytes, uint32_t permissions,
                                    struct quoit_os_shm *shm);
quoit_status quoit_os_locked_publish(struct quoit_os_shm *shm, const char *text);
quoit_status quoit_os_locked_open(const char *text, struct quoit_os_shm *shm);
bool quoit_os_locked_is_named(const struct quoit_os_shm *shm, const char *text);
quoit_status quoit_os_locked_unlink(struct quoit_os_shm *shm, const char *text);
void quoit_os_locked_close(struct quoit_os_shm *shm);

#endif
