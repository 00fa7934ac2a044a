/* SPDX-License-Identifier: MIT */
/* Locks between processes. <quoit.h> explains names, errors and concurrency. */
#ifndef QUOIT_LOCK_H
#define QUOIT_LOCK_H

#include <quoit/status.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_lock quoit_lock;

struct quoit_lock_options { /* 64 bytes in every version; fields not needed are 0 */
    uint32_t permissions;   /* as for chmod; the umask has no effect; 0: 0600 */
    uint32_t memory;        /* reserved: 0 */
    uint64_t reserved[7];
};

/*
 * Create a lock, open one, or join it: open it, or create it if it does not exist. As for queues,
 * with names of every scheme. A lock has at most 64 handles (LIMIT).
 *   options    NULL means that all fields are 0
 *   flags      0 or QUOIT_ANY_OWNER; open also QUOIT_OBSERVER: only for quoit_lock_holder
 *   lock_out   the handle, to be closed by quoit_lock_close; NULL on failure
 * Concurrency: any thread, except close. After fork the child's copy is disabled (FORKED), and the
 * parent's handle keeps the lock. quoit_unlink removes the name; open handles stay usable.
 */
quoit_status quoit_lock_create(const char *name, const struct quoit_lock_options *options,
                               uint32_t flags, quoit_lock **lock_out);
quoit_status quoit_lock_open(const char *name, uint32_t flags, quoit_lock **lock_out);
quoit_status quoit_lock_join(const char *name, const struct quoit_lock_options *options,
                             uint32_t flags, quoit_lock **lock_out);
/* Leave the lock. If this handle has it, the next holder gets ABANDONED, as after a crash. NULL is
   allowed. */
void quoit_lock_close(quoit_lock *lock);

/*
 * Wait until no other handle has the lock, and take it. The lock belongs to the handle, not to a
 * thread: threads that share a handle exclude each other as well, and any of them may unlock it. It
 * is not recursive: a thread that locks twice waits for itself.
 *   timeout_ns   as for quoit_queue_push
 * It returns
 *   OK           this handle has the lock
 *   ABANDONED    this handle has the lock, and must unlock it. The last holder crashed, or closed
 *                its handle, while it had the lock. First repair what the lock protects: it may be
 *                half changed
 *   TIMEOUT      another handle still has the lock, and the time is over
 * It may also return CORRUPT, FORKED, WRONG_ROLE (an observer) or INVALID; then this handle does
 * not have the lock. A stopped holder keeps the lock. When a holder has crashed, a wait ends within
 * about a tenth of a second. Taking a free lock makes no system call. Processes that wait get the
 * lock in no particular order. A cancelled thread does not have the lock.
 */
quoit_status quoit_lock_lock(quoit_lock *lock, int64_t timeout_ns);

/* Unlock it, from any thread that uses the handle. Returns OK, NOT_YOURS (this handle does not have
   the lock), FORKED, WRONG_ROLE or INVALID. */
quoit_status quoit_lock_unlock(quoit_lock *lock);

/* Get the PID of the process that has the lock: a snapshot, for people.
     pid_out   a live holder, in its own PID namespace; 0 if no process has the lock
   Returns OK, CORRUPT, FORKED or INVALID. ABANDONED: the last holder crashed, or closed its handle,
   while it had the lock, and no other has taken it since. Any handle. Makes a system call if the
   lock is taken. */
quoit_status quoit_lock_holder(const quoit_lock *lock, uint32_t *pid_out);

#ifdef __cplusplus
}
#endif

#endif
