/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that can carry locks. Open and close each such file through these functions only:
 * with plain POSIX locks (liveness_fcntl.c), closing any descriptor of a file drops all locks that
 * this process has on it. None of these descriptors is standard input, output or error. Otherwise a
 * program that was started with one of those closed would print into shared memory.
 */
#ifndef QUOIT_OS_LIVENESS_H
#define QUOIT_OS_LIVENESS_H

#include "os.h"

/* As open, close-on-exec and without following a symbolic link; -1 and errno. */
int quoit_os_fd_open(const char *path, int flags);
/* For a descriptor that was made in another way, of a file that is not open elsewhere. On failure
   closes it and returns -1 and errno. Returns -1 for -1. is_inherited: forked children go on using
   it. */
int quoit_os_fd_adopt(int fd, bool is_inherited);
/* Returns a descriptor of the same object for another handle, or -1 and errno. Called with
   quoit_os_process_lock held. */
int quoit_os_fd_share(int fd, bool read_only);
/* Closes fd, which may be -1, and drops the locks that owner (NULL: no owner) still has on it. */
void quoit_os_fd_close(int fd, const struct quoit_os_shm *owner);
/* In a fork handler of the child: closes shm's descriptors. No memory may be mapped from them any
   more. */
void quoit_os_fd_drop(struct quoit_os_shm *shm);

#endif
