/* SPDX-License-Identifier: MIT */
/* The part of <quoit.h>, which includes it, about semaphores; <quoit.h> explains names, errors and
   what may overlap. */
#ifndef QUOIT_SEM_H
#define QUOIT_SEM_H

#include <quoit.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_sem quoit_sem;

enum quoit_sem_use {
    /* The process that waits also posts, as with a lock. If it crashes in between, its count is
       given back, if the system can: System V, not POSIX and not Windows. With System V a process
       can be at most 32767 waits ahead of its posts, or posts ahead of its waits: then LIMIT. */
    QUOIT_SEM_HOLD = 0,
    QUOIT_SEM_SIGNAL = 1 /* some processes post and others wait; a crash changes nothing */
};
QUOIT_ASSERT_ENUM(enum quoit_sem_use);

struct quoit_sem_options {
    uint32_t value; /* at first; at most 32767 for sysv */
    enum quoit_sem_use use;
    uint32_t permissions; /* 0 = 0600 */
};

/* As for queues. Schemes: posix, sysv, windows. flags: 0 or QUOIT_ANY_OWNER. join does not compare
   the value. After unlink, calls on open handles of a System V semaphore return REMOVED; handles of
   other semaphores go on.
   A posix semaphore is the C library's, in memory that every user with write permission can change;
   glibc aborts a process that finds values there that cannot be. Give write permission only to
   users whom you trust that far. */
quoit_status quoit_sem_create(const char *name, const struct quoit_sem_options *options,
                              quoit_sem **sem_out);
quoit_status quoit_sem_open(const char *name, uint32_t flags, quoit_sem **sem_out);
quoit_status quoit_sem_join(const char *name, const struct quoit_sem_options *options,
                            quoit_sem **sem_out);
void quoit_sem_close(quoit_sem *sem);
quoit_status quoit_sem_unlink(const char *name);

/* Take one. OK REMOVED, and TIMEOUT when the time is over; timeout_ns as of quoit_queue_push; the
   clock is monotonic, and a signal does not end the wait. try_wait is wait with QUOIT_NOW. LIMIT:
   the system has no room to note an undo, or see QUOIT_SEM_HOLD. */
quoit_status quoit_sem_wait(quoit_sem *sem, int64_t timeout_ns);
quoit_status quoit_sem_try_wait(quoit_sem *sem);
/* Give one. OK REMOVED; LIMIT if the value is at its largest, and as for wait. */
quoit_status quoit_sem_post(quoit_sem *sem);
/* How many there are, a snapshot. OK REMOVED; UNSUPPORTED for a posix one on macOS. */
quoit_status quoit_sem_value(quoit_sem *sem, uint32_t *value_out);

#ifdef __cplusplus
}
#endif

#endif
