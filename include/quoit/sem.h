/* SPDX-License-Identifier: MIT */
/* Semaphores. <quoit.h> explains names, errors and what may overlap. */
#ifndef QUOIT_SEM_H
#define QUOIT_SEM_H

#include <quoit/status.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_sem quoit_sem;

struct quoit_sem_options { /* 64 bytes in every version; what is not needed is 0 */
    uint32_t value;        /* at first; at most 32767 for sysv */
    uint32_t permissions;  /* 0: 0600 */
    /* 1: the process that waits also posts, as with a lock. If it crashes in between, the system
       gives its count back, and that of no other. UNSUPPORTED except for sysv. A process can then
       be at most 32767 waits ahead of its posts, or posts ahead of its waits: then LIMIT. */
    uint32_t give_back;
    uint32_t reserved_word;
    uint64_t reserved[6];
};

/* As for queues. Schemes: posix, sysv, windows. flags: 0 or QUOIT_ANY_OWNER. join does not compare
   the value. After unlink, calls on open handles of a System V semaphore return REMOVED; handles of
   other semaphores stay usable.
   A posix semaphore is the C library's, in memory that every user with write permission can change;
   glibc aborts a process that finds impossible values there. Give write permission only to
   users whom you trust that far. */
quoit_status quoit_sem_create(const char *name, const struct quoit_sem_options *options,
                              uint32_t flags, quoit_sem **sem_out);
quoit_status quoit_sem_open(const char *name, uint32_t flags, quoit_sem **sem_out);
quoit_status quoit_sem_join(const char *name, const struct quoit_sem_options *options,
                            uint32_t flags, quoit_sem **sem_out);
/* Leave. The semaphore, with its value, stays. NULL is allowed. */
void quoit_sem_close(quoit_sem *sem);
/* Remove the name of a semaphore. It is apart from quoit_unlink, since a region or a queue may have
   the same name. flags, and statuses, as of quoit_unlink. */
quoit_status quoit_sem_unlink(const char *name, uint32_t flags);

/* Take one. OK REMOVED, and TIMEOUT when the time is over; timeout_ns as of quoit_queue_push; the
   clock is monotonic, and a signal does not end the wait. LIMIT: the system has no room to note
   what to give back, or see give_back. */
quoit_status quoit_sem_wait(quoit_sem *sem, int64_t timeout_ns);
/* Give one. OK REMOVED; LIMIT if the value is at its largest, and as for wait. */
quoit_status quoit_sem_post(quoit_sem *sem);
/* How many there are, a snapshot. OK REMOVED; UNSUPPORTED for a posix one on macOS. */
quoit_status quoit_sem_value(quoit_sem *sem, uint32_t *value_out);

#ifdef __cplusplus
}
#endif

#endif
