/* SPDX-License-Identifier: MIT */
/* Barriers imposed on other processes: Linux's membarrier, since 4.16. */
#include "os.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

bool quoit_os_barrier_join(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0) == 0;
}

bool quoit_os_barrier_impose(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0) == 0;
}
