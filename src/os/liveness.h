/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that locks are taken on. Whatever may carry locks is opened and closed through these:
 * where locks are plain POSIX ones (liveness_fcntl.c), closing any descriptor of a file drops all
 * the locks that this process has on it. None of them is ever standard input, output or error: a
 * program that was started with one of those closed would otherwise print into shared memory.
 */
#ifndef QUOIT_OS_LIVENESS_H
#define QUOIT_OS_LIVENESS_H

#include "os.h"

/* As open, close-on-exec and without following a symbolic link; -1 and errno. */
int quoit_os_fd_open(const char *path, int flags);
/* For a descriptor that was made otherwise, and that nobody else has opened; -1 and errno, closed,
   on failure. -1 stays -1. */
int quoit_os_fd_adopt(int fd);
/* The same object for another handle, with quoit_os_process_lock held; -1 and errno. */
int quoit_os_fd_share(int fd, bool read_only);
/* Drops what owner (NULL: nobody) still has locked; -1 is allowed. */
void quoit_os_fd_close(int fd, const struct quoit_os_shm *owner);
/* In a fork handler of the child: closes shm's descriptor, which nothing is mapped from. */
void quoit_os_fd_drop(struct quoit_os_shm *shm);

#endif
