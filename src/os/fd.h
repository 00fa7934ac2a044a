/* SPDX-License-Identifier: MIT */
/* Steps with descriptors and mappings that several POSIX mechanisms take. */
#ifndef QUOIT_OS_FD_H
#define QUOIT_OS_FD_H

#include "os.h"

/* fd, or in its place one that is not standard input, output or error. -1 stays, with its errno. */
int quoit_os_fd_above_stdio(int fd);

/* A descriptor of memory that has no name; -1 and errno. */
int quoit_os_memory_fd(const char *text);

/* A new file: path ends in XXXXXX, which is replaced so that no file has that name. -1 and errno.
   As mkstemp, but for children of other threads, which never inherit the descriptor over exec. */
int quoit_os_fd_temporary(char *path);

/* An addition to a message about error: a hint at RLIMIT_FSIZE, or "". */
const char *quoit_os_fd_limit_hint(int error);

/* Gives the file that size, with all of its storage, where the system can do that at once: 0, or
   ENOTSUP, or another error number. */
int quoit_os_fd_reserve(int fd, uint64_t size_bytes);

/* Has the file memory, or storage, for all of its size? */
bool quoit_os_fd_is_whole(int fd);

/* Its first bytes. NOT_QUOIT where it is no ordinary file, or has fewer. */
quoit_status quoit_os_fd_peek(int fd, const char *what, void *bytes, uint64_t count);

/* Has the System V segment memory for all of its size? True also if the system does not show it. */
bool quoit_os_segment_is_whole(int id);

/* Maps all of it: base, size_bytes, owner; without a lock. NOT_QUOIT where it is empty. */
quoit_status quoit_os_fd_map(int fd, bool read_only, const char *what,
                             struct quoit_os_shm *shm_out);

/* In a forked child: zeros of its own in the place of the mapping. */
void quoit_os_map_zeros(struct quoit_os_shm *shm);

/* NO_SPACE for more than the machine has: reserving that much would end in others being killed. */
quoit_status quoit_os_check_memory(uint64_t size_bytes, const char *scheme, const char *text);

/* Writes a 0 to each page of a new mapping. */
void quoit_os_touch_pages(const struct quoit_os_shm *shm);

/* Takes all pages of a mapping now, so that a lack of memory shows here and not at a push. */
quoit_status quoit_os_populate(const struct quoit_os_shm *shm, const char *scheme,
                               const char *text);

#endif
