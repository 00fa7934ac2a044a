/* SPDX-License-Identifier: MIT */
/* The names of "local:" memory: a table in this process. */
#ifndef QUOIT_OS_LOCAL_NAMES_H
#define QUOIT_OS_LOCAL_NAMES_H

#include "os.h"

enum { QUOIT_OS_LOCAL_TEXT_MAX = 200 };

/* As in struct quoit_os_shm_ops. shm->lock is the memory's descriptor or handle, and shm->identity
   a number that no other memory of this process has. */
quoit_status quoit_os_local_publish(struct quoit_os_shm *shm, const char *text);
bool quoit_os_local_is_named(const struct quoit_os_shm *shm, const char *text);
quoit_status quoit_os_local_unlink(struct quoit_os_shm *shm, const char *text);
/* Returns another descriptor or handle of the memory of that name, and its identity. NOT_FOUND. */
quoit_status quoit_os_local_find(const char *text, bool read_only, intptr_t *memory_out,
                                 uint64_t *identity_out);

/* The system's part, shm_local.c and shm_local_windows.c: makes another descriptor or handle of the
   same memory, with quoit_os_process_lock held; closes one. */
quoit_status quoit_os_local_share(intptr_t memory, bool read_only, const char *text,
                                  intptr_t *memory_out);
void quoit_os_local_drop(intptr_t memory);

#endif
