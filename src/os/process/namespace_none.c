/* SPDX-License-Identifier: MIT */
/* For systems with one IPC namespace, and for plain POSIX, which cannot distinguish namespaces. */
#include "sysv.h"

quoit_status quoit_os_ipc_namespace(uint64_t *namespace_out)
{
    *namespace_out = 0;
    return QUOIT_OK;
}
