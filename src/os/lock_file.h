/* SPDX-License-Identifier: MIT */
/*
 * Lock files of files. Whoever may read a file can hold read locks on it, which keep others from
 * write locks. So where some may read an object and not write to it, its locks are on a second file
 * beside it, which only those that may write can open. The object's header says so, once and for
 * all: permissions can be changed later, the place of locks cannot.
 */
#ifndef QUOIT_OS_LOCK_FILE_H
#define QUOIT_OS_LOCK_FILE_H

#include "os.h"

/* Do these permissions let some read who may not write? */
bool quoit_os_has_readers(uint32_t permissions);
/* Those of its lock file: reading and writing for those who may write, and for the owner, who could
   grant it to himself; nothing for others. */
uint32_t quoit_os_lock_permissions(uint32_t permissions);

/* Makes the lock file of a new object for path, and has shm's locks there, with the gate held:
   shm->lock, its descriptor until now, becomes shm->id. EXISTS: an object has the path. On failure
   shm's locks are where they were. */
quoit_status quoit_os_lock_file_make(struct quoit_os_shm *shm, const char *path,
                                     uint32_t permissions);
/* After the object has its path: lets others past the gate. */
void quoit_os_lock_file_publish(struct quoit_os_shm *shm);
/* As open_locks and unlink in struct quoit_os_shm_ops. */
quoit_status quoit_os_lock_file_open(struct quoit_os_shm *shm, const char *path);
quoit_status quoit_os_lock_file_unlink(struct quoit_os_shm *shm, const char *path);
/* Before shm's other descriptor is closed. Removes the file of an object that was not published. */
void quoit_os_lock_file_close(struct quoit_os_shm *shm);

/* Notes for quoit_os_lock_is_held which file has the locks that this process may not look at. */
bool quoit_os_lock_hide(struct quoit_os_shm *shm, const char *lock_path, uint64_t owner);

#endif
