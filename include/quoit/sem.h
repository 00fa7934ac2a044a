/* SPDX-License-Identifier: MIT */
/* Semaphores. <quoit.h> explains names, errors and concurrency. */
#ifndef QUOIT_SEM_H
#define QUOIT_SEM_H

#include <quoit/status.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_sem quoit_sem;

struct quoit_sem_options { /* 64 bytes in every version; fields not needed are 0 */
    uint32_t value;        /* at creation; at most 32767 for sysv */
    uint32_t permissions;  /* 0: 0600 */
    /* 1: the process that waits also posts, as with a lock. If it crashes in between, the system
       restores its count, and no other count. UNSUPPORTED except for sysv. LIMIT: a process may be
       at most 32767 waits ahead of its posts, or posts ahead of its waits. */
    uint32_t give_back;
    uint32_t reserved_word;
    uint64_t reserved[6];
};

/* Create a semaphore, open one, or join it (either), as for queues. The schemes are posix, sysv and
   windows. flags: 0 or QUOIT_ANY_OWNER. join does not compare the value. After unlink, calls on
   open handles of a System V semaphore return REMOVED; handles of other semaphores stay usable. A
   posix semaphore belongs to the C library. Each user with write permission can change its memory,
   and glibc aborts a process that finds impossible values there. Give write permission only to
   users that you trust this far. */
quoit_status quoit_sem_create(const char *name, const struct quoit_sem_options *options,
                              uint32_t flags, quoit_sem **sem_out);
quoit_status quoit_sem_open(const char *name, uint32_t flags, quoit_sem **sem_out);
quoit_status quoit_sem_join(const char *name, const struct quoit_sem_options *options,
                            uint32_t flags, quoit_sem **sem_out);
/* Close the handle. The semaphore stays, with its value. NULL is allowed. */
void quoit_sem_close(quoit_sem *sem);
/* Remove the name of a semaphore. quoit_unlink does not do that, since a region or a queue may have
   the same name. flags and statuses are those of quoit_unlink. */
quoit_status quoit_sem_unlink(const char *name, uint32_t flags);

/* Wait until the value is above 0, and decrement it. timeout_ns as for quoit_queue_push. Returns
   OK, REMOVED, or TIMEOUT when the time is over. LIMIT: see give_back, or the system has no room to
   record the count. The clock is monotonic, and signals do not end the wait. */
quoit_status quoit_sem_wait(quoit_sem *sem, int64_t timeout_ns);
/* Increment the value. Returns OK or REMOVED. LIMIT: the value is at its maximum, or as for
   wait. */
quoit_status quoit_sem_post(quoit_sem *sem);
/* Get the value, a snapshot. Returns OK or REMOVED; UNSUPPORTED for a posix semaphore on macOS. */
quoit_status quoit_sem_value(quoit_sem *sem, uint32_t *value_out);

#ifdef __cplusplus
}
#endif

#endif
