/* SPDX-License-Identifier: MIT */
/* Starts and joins the threads behind descriptors for event loops. */
#include "process_posix.h"

#include "fail.h"
#include "system_error.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

static void *run(void *argument)
{
    const struct quoit_os_thread *thread = argument;
    thread->run(thread->argument);
    return NULL;
}

quoit_status quoit_os_thread_start(struct quoit_os_thread *thread)
{
    pthread_t *id = malloc(sizeof *id);
    sigset_t before;
    if (!id)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a thread");
    quoit_os_block_signals(&before); /* the new thread's mask */
    thread->system = id;
    int error = pthread_create(id, NULL, run, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return QUOIT_OK;
    free(id);
    return quoit_os_fail(error, "start", "a thread");
}

void quoit_os_thread_join(struct quoit_os_thread *thread)
{
    pthread_t *id = thread->system;
    (void)pthread_join(*id, NULL);
    free(id);
}

void quoit_os_thread_drop(struct quoit_os_thread *thread)
{
    free(thread->system);
}
