/* SPDX-License-Identifier: MIT */
/* Timed waits for semaphores by the monotonic clock, on all systems. */
#ifndef QUOIT_OS_SEM_TIMED_H
#define QUOIT_OS_SEM_TIMED_H

#include <semaphore.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/sem.h>

/* Both return 0, or -1 and errno: ETIMEDOUT or EAGAIN when the time has run out, EINTR after a
   signal. timeout_ns is above 0, and at most this: some systems' seconds have 31 bits. */
#define QUOIT_OS_SEM_LONGEST_NS INT64_C(1000000000000000000)
int quoit_os_sem_timed_wait(sem_t *sem, int64_t timeout_ns);
int quoit_os_sem_timed_operation(int id, struct sembuf *operation, int64_t timeout_ns);

#endif
