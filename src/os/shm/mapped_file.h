/* SPDX-License-Identifier: MIT */
/* Shared memory that is a file with a path: the base of shm_file.c and shm_posix_linux.c. */
#ifndef QUOIT_OS_MAPPED_FILE_H
#define QUOIT_OS_MAPPED_FILE_H

#include "os.h"

quoit_status quoit_os_file_create(const char *path, uint64_t size_bytes, uint32_t permissions,
                                  struct quoit_os_shm *shm_out);
quoit_status quoit_os_file_publish(struct quoit_os_shm *shm, const char *path);
quoit_status quoit_os_file_open(const char *path, bool read_only, struct quoit_os_shm *shm_out);
bool quoit_os_file_is_named(const struct quoit_os_shm *shm, const char *path);
quoit_status quoit_os_file_peek(const char *path, void *bytes, uint64_t count);
quoit_status quoit_os_file_unlink(struct quoit_os_shm *shm, const char *path);
void quoit_os_file_close(struct quoit_os_shm *shm);

/* Functions for other descriptors too. `what` names the object in errors. */
quoit_status quoit_os_file_reserve(int fd, uint64_t size_bytes, uint32_t permissions,
                                   const char *what);
quoit_status quoit_os_file_map(int fd, bool read_only, const char *what,
                               struct quoit_os_shm *shm_out);

/* Takes the gate of an object whose path is to be changed, and checks that path still leads to it.
   OK: the gate is held. NOT_FOUND: the path leads elsewhere. BUSY: another process holds the gate,
   and the hold's time is over. FORKED: this is a child that a signal handler made meanwhile. */
quoit_status quoit_os_file_gate(struct quoit_os_shm *shm, const char *path);

#endif
