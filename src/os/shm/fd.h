/* SPDX-License-Identifier: MIT */
/* Functions for descriptors and mappings that several POSIX mechanisms share. */
#ifndef QUOIT_OS_FD_H
#define QUOIT_OS_FD_H

#include "os.h"

/* Returns fd, or in its place a duplicate that is not standard input, output or error. Returns -1
   for -1, and keeps errno. */
int quoit_os_fd_above_stdio(int fd);

/* Returns a descriptor of memory that has no name, or -1 and errno. */
int quoit_os_memory_fd(const char *text);

/* Creates a file. path ends in XXXXXX, which is replaced so that no file has that name. Returns a
   descriptor, or -1 and errno. Unlike mkstemp, no child of another thread inherits the descriptor
   over exec. */
int quoit_os_fd_temporary(char *path);

/* Returns an addition to a message about error: a hint at RLIMIT_FSIZE, or "". */
const char *quoit_os_fd_limit_hint(int error);

/* Grows the file to that size and reserves all of its storage. Returns 0, ENOTSUP if the system has
   no call for it, or another error number. */
int quoit_os_fd_reserve(int fd, uint64_t size_bytes);

/* Does the file have memory, or storage, for all of its size? */
bool quoit_os_fd_is_whole(int fd);

/* Reads the file's first bytes. NOT_QUOIT if it is not an ordinary file, or has fewer bytes. */
quoit_status quoit_os_fd_peek(int fd, const char *what, void *bytes, uint64_t count);

/* Does the System V segment have memory for all of its size? True also if the system does not
   report it. */
bool quoit_os_segment_is_whole(int id);

/* Maps the whole file: sets base, size_bytes and owner, and no lock. NOT_QUOIT if it is empty. */
quoit_status quoit_os_fd_map(int fd, bool read_only, const char *what,
                             struct quoit_os_shm *shm_out);

/* In a forked child: replaces the mapping by private zeros. */
void quoit_os_map_zeros(struct quoit_os_shm *shm);

/* NO_SPACE if the machine has less memory: reserving that much would make the kernel kill
   processes. */
quoit_status quoit_os_check_memory(uint64_t size_bytes, const char *scheme, const char *text);

/* Writes a 0 to each page of a new mapping. */
void quoit_os_touch_pages(const struct quoit_os_shm *shm);

/* Allocates all pages of a mapping now, so that a lack of memory shows here and not at a push. */
quoit_status quoit_os_populate(const struct quoit_os_shm *shm, const char *scheme,
                               const char *text);

#endif
