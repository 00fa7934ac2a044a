/* SPDX-License-Identifier: MIT */
/* Locks between processes. <quoit.h> explains names, errors and what may overlap. */
#ifndef QUOIT_LOCK_H
#define QUOIT_LOCK_H

#include <quoit/status.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_lock quoit_lock;

struct quoit_lock_options { /* 64 bytes in every version; what is not needed is 0 */
    uint32_t permissions;   /* as of chmod, exact, whatever the umask; 0: 0600 */
    uint32_t memory;        /* reserved: 0 */
    uint64_t reserved[7];
};

/*
 * Make a lock, open one, or (join) open it and make it if it does not exist. As for queues, and by
 * names of every scheme. At most 64 handles are members of a lock (LIMIT).
 *   options    NULL is as good as all 0
 *   flags      0 or QUOIT_ANY_OWNER; of open also QUOIT_OBSERVER: quoit_lock_holder only
 *   lock_out   the handle, to be closed by quoit_lock_close; NULL on failure
 * Concurrency: any thread, but for close. After fork the child's copy is disabled (FORKED); the
 * parent's handle keeps the lock. quoit_unlink removes the name; open handles go on.
 */
quoit_status quoit_lock_create(const char *name, const struct quoit_lock_options *options,
                               uint32_t flags, quoit_lock **lock_out);
quoit_status quoit_lock_open(const char *name, uint32_t flags, quoit_lock **lock_out);
quoit_status quoit_lock_join(const char *name, const struct quoit_lock_options *options,
                             uint32_t flags, quoit_lock **lock_out);
/* Leave. If this handle has the lock, it is abandoned, as by a crash. NULL is allowed. */
void quoit_lock_close(quoit_lock *lock);

/*
 * Wait until no other holder has the lock, and take it. The handle holds it, not a thread: threads
 * that share a handle exclude each other as well, and any of them may unlock it. It is not
 * recursive: a thread that locks twice waits for itself.
 *   timeout_ns   as of quoit_queue_push
 * Returns one of
 *   OK           this handle has the lock
 *   ABANDONED    this handle has the lock, and must unlock it. The last holder crashed, or closed
 *                its handle, with the lock: first repair what it protects, which may be half done
 *   TIMEOUT      another handle still has it, and the time is over
 * or CORRUPT FORKED WRONG_ROLE (an observer) INVALID: then this handle does not have it.
 * A holder that is stopped keeps the lock. A wait ends within a tenth of a second, or a little
 * more, after a holder has crashed. A free lock costs no system call; there is no order among
 * those that wait. A cancelled thread does not have the lock.
 */
quoit_status quoit_lock_lock(quoit_lock *lock, int64_t timeout_ns);

/* Give it back, from any thread of the handle. OK NOT_YOURS (this handle does not have it) FORKED
   WRONG_ROLE INVALID. */
quoit_status quoit_lock_unlock(quoit_lock *lock);

/* Which process has it: a snapshot, for people.
     pid_out   of a live holder, in its own PID namespace; 0 if no process has it
   OK; ABANDONED if its last holder crashed, or closed, with it and no other has taken it since;
   CORRUPT FORKED INVALID. By any handle. A system call if it is held. */
quoit_status quoit_lock_holder(const quoit_lock *lock, uint32_t *pid_out);

#ifdef __cplusplus
}
#endif

#endif
