/* SPDX-License-Identifier: MIT */
/*
 * What POSIX mechanisms need inside quoit_os_fork_hold, which disables cancellation and blocks
 * signals for the calling thread until quoit_os_fork_release: no handler finds, and no cancelled
 * thread leaves, a lock held or a descriptor open.
 */
#ifndef QUOIT_OS_PROCESS_POSIX_H
#define QUOIT_OS_PROCESS_POSIX_H

#include "os.h"

/* One lock for what this process keeps beside its handles; free in a forked child, whatever other
   threads did. It holds off forks as well. */
quoit_status quoit_os_process_lock(void);
void quoit_os_process_unlock(void);

/*
 * Within a hold: sleeps a millisecond at most, with the signals delivered that the caller's thread
 * takes, and forks allowed; shm has no lock. BUSY: the hold's time is over, what names the object.
 * FORKED: this is a child that a signal handler made meanwhile, and shm is let go of.
 */
quoit_status quoit_os_pause(struct quoit_os_shm *shm, const char *what);

/* Around a call that is a cancellation point while state is held: disable gives what restore
   takes. */
int quoit_os_cancel_disable(void);
void quoit_os_cancel_restore(int before);

#endif
