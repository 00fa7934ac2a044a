/* SPDX-License-Identifier: MIT */
/* Keys and errors of System V segments and semaphores. */
#ifndef QUOIT_OS_SYSV_H
#define QUOIT_OS_SYSV_H

#include <quoit/status.h>

#include <stdint.h>

/* The key of a name: "0x51a7" is that key, any other text is hashed (FORMAT.md 6). It is never 0,
   which System V reserves. QUOIT_ERROR_NAME: 0x is not followed by a key. */
quoit_status quoit_os_sysv_key(const char *text, uint32_t *key_out);

/* As quoit_os_fail with errno; NOT_FOUND if the object was removed meanwhile. */
quoit_status quoit_os_sysv_fail(const char *doing, const char *text);

enum { QUOIT_OS_SYSV_LOCK_ROOM = 40 };

/* The name for quoit_os_lock_path of a segment with that key in that IPC namespace. System V
   objects belong to one namespace, but several may share the directory of the lock files. */
void quoit_os_sysv_lock_name(uint32_t key, uint64_t ipc_namespace,
                             char name[QUOIT_OS_SYSV_LOCK_ROOM]);

/* This process's IPC namespace, 0 for the system's first one; namespace_linux.c, namespace_none.c.
   UNSUPPORTED: there may be several, and the system does not show which one this is. */
quoit_status quoit_os_ipc_namespace(uint64_t *namespace_out);

#endif
