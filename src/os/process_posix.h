/* SPDX-License-Identifier: MIT */
/* One lock for what this process keeps beside its handles; free in a forked child, whatever other
   threads did. */
#ifndef QUOIT_OS_PROCESS_POSIX_H
#define QUOIT_OS_PROCESS_POSIX_H

#include <quoit/status.h>

quoit_status quoit_os_process_lock(void);
void quoit_os_process_unlock(void);

#endif
