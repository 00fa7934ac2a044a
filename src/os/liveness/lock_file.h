/* SPDX-License-Identifier: MIT */
/*
 * Lock files of files. A user with read permission on a file can hold read locks on it, and these
 * keep others from write locks. If an object's permissions let some users read but not write, its
 * locks are therefore on a second file beside it. Only users with write permission can open that
 * file. The object's header names it for ever, since permissions can change later.
 */
#ifndef QUOIT_OS_LOCK_FILE_H
#define QUOIT_OS_LOCK_FILE_H

#include "os.h"

/* The content of a lock file, FORMAT.md 6. */
enum { QUOIT_OS_RECORD_CREATING = 1, QUOIT_OS_RECORD_READY = 2 };
struct quoit_os_lock_record {
    uint64_t state;
    int64_t number;   /* the object's, which the kernel does not reuse soon; -1: none yet */
    uint64_t creator; /* PID */
};
/* false: the file has no record; the number is then -1. */
bool quoit_os_lock_record_read(int fd, struct quoit_os_lock_record *record_out);
/* By the creator. path: of the lock file, for messages. */
quoit_status quoit_os_lock_record_write(int fd, uint64_t state, int64_t number, const char *path);

/* Do these permissions let some users read but not write? */
bool quoit_os_has_readers(uint32_t permissions);
/* The permissions of the lock file: read and write for the users that may write to the object, and
   for its owner, which could grant it to itself; nothing for others. */
uint32_t quoit_os_lock_permissions(uint32_t permissions);

/* Makes the lock file of a new object for path, moves shm's locks there, and holds the gate. The
   object's descriptor moves from shm->lock to shm->id. EXISTS: an object has the path. On failure
   shm's locks stay where they were. */
quoit_status quoit_os_lock_file_make(struct quoit_os_shm *shm, const char *path,
                                     uint32_t permissions);
/* Called after the object has got its path: releases the gate. */
void quoit_os_lock_file_publish(struct quoit_os_shm *shm);
/* As open_locks and unlink in struct quoit_os_shm_ops. */
quoit_status quoit_os_lock_file_open(struct quoit_os_shm *shm, const char *path);
quoit_status quoit_os_lock_file_unlink(struct quoit_os_shm *shm, const char *path);
/* Called before shm's other descriptor is closed. Removes the file of an object that was not
   published. */
void quoit_os_lock_file_close(struct quoit_os_shm *shm);

/* Records for quoit_os_lock_is_held which file holds the locks, if this process may not open it. */
bool quoit_os_lock_hide(struct quoit_os_shm *shm, const char *lock_path, uint64_t owner);

#endif
