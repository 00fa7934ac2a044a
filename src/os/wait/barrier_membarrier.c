/* SPDX-License-Identifier: MIT */
/* Barriers imposed on other processes: Linux's membarrier, since 4.16. */
#include "os.h"

#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's numbers: some C libraries have no header for them. */
enum { GLOBAL_EXPEDITED = 2, REGISTER_GLOBAL_EXPEDITED = 4 };

bool quoit_os_barrier_join(void)
{
    return syscall(SYS_membarrier, REGISTER_GLOBAL_EXPEDITED, 0) == 0;
}

bool quoit_os_barrier_impose(void)
{
    return syscall(SYS_membarrier, GLOBAL_EXPEDITED, 0) == 0;
}
