/* SPDX-License-Identifier: MIT */
/* What a queue's handle holds beside the inlined halves that <quoit.h> shows. */
#ifndef QUOIT_API_QUEUE_HANDLE_H
#define QUOIT_API_QUEUE_HANDLE_H

#include <quoit.h>

#include "queue_shm.h"
#include "queue_wait.h"

#include "fail.h"

#include <stdbool.h>

struct quoit_queue_handle {
    quoit_region *region;
    struct quoit_queue_place place;
    unsigned roles;
    bool forked; /* made before a fork, seen in the child */
    struct quoit_os_fork_guard guard;
    quoit_queue *queue;
    void *allocation; /* what queue was aligned in */
    uint8_t *scratch; /* place.ring's; NULL if it gives none of it out */
    struct quoit_waiter producer_waiter;
    struct quoit_waiter consumer_waiter;
};

/* INVALID for NULL, FORKED in a child that inherited the handle. */
static inline quoit_status quoit_queue_check_handle(const quoit_queue *queue)
{
    if (!queue)
        return quoit_fail(QUOIT_INVALID, "queue is NULL");
    if (queue->handle->forked)
        return quoit_fail(QUOIT_FORKED, "the queue's handle belongs to the parent process");
    return QUOIT_OK;
}

#endif
