/* SPDX-License-Identifier: MIT */
/*
 * Functions for POSIX mechanisms inside quoit_os_fork_hold. A hold disables cancellation and blocks
 * signals for the calling thread until quoit_os_fork_release. So no signal handler finds a lock
 * held or a descriptor open, and no cancelled thread leaves one behind.
 */
#ifndef QUOIT_OS_PROCESS_POSIX_H
#define QUOIT_OS_PROCESS_POSIX_H

#include "os.h"

#include <signal.h>

/* Blocks all signals of this thread except those of its own faults: a blocked fault would end the
   process without its handler. */
void quoit_os_block_signals(sigset_t *before_out);

/* Around a call that is a cancellation point while state is held: disable returns the argument of
   restore. */
int quoit_os_cancel_disable(void);
void quoit_os_cancel_restore(int before);

#endif
