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

/* ---- Steps of the calls on items, queue_items.c ---------------------------------------------- */

/* As check_handle, and WRONG_ROLE. */
quoit_status quoit_queue_check_role(const quoit_queue *queue, unsigned role);
/* After a pop of so many. */
void quoit_queue_note_popped(quoit_queue *queue, uint64_t count);
/* After a call that found no item, and one that found no room: what it is to return. */
quoit_status quoit_queue_found_empty(quoit_queue *queue);
quoit_status quoit_queue_found_full(quoit_queue *queue);

static inline bool quoit_queue_is_member(const quoit_queue *queue)
{
    return (queue->handle->roles & (QUOIT_PRODUCER | QUOIT_CONSUMER)) != 0;
}

/* Of a member. */
static inline struct quoit_member_shm *quoit_queue_own_row(const quoit_queue *queue)
{
    const struct quoit_members *members = &queue->handle->place.members;
    return &members->rows[members->own_row];
}

/* INVALID for NULL, FORKED in a child that inherited the handle. */
static inline quoit_status quoit_queue_check_handle(const quoit_queue *queue)
{
    if (!queue)
        return quoit_fail(QUOIT_ERROR_INVALID, "queue is NULL");
    if (queue->handle->forked)
        return quoit_fail(QUOIT_ERROR_FORKED, "the queue's handle belongs to the parent process");
    return QUOIT_OK;
}

#endif
