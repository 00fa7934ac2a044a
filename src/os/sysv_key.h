/* SPDX-License-Identifier: MIT */
/* System V keys from names: "0x51a7" is that key, any other text is hashed (FORMAT.md 6). */
#ifndef QUOIT_OS_SYSV_KEY_H
#define QUOIT_OS_SYSV_KEY_H

#include <quoit/status.h>

#include <stdint.h>

/* key_out is never 0, which System V reserves. QUOIT_NAME_CHARACTER: 0x and then no key. */
quoit_status quoit_os_sysv_key(const char *text, uint32_t *key_out);

enum { QUOIT_OS_SYSV_LOCK_ROOM = 128 };

/* The path of the lock file for a segment with that key in this process's IPC namespace: System V
   objects belong to one, and another may share the directory. */
void quoit_os_sysv_lock_path(uint32_t key, char path[QUOIT_OS_SYSV_LOCK_ROOM]);

#endif
