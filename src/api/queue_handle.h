/* SPDX-License-Identifier: MIT */
/* The contents of a queue's handle, beside the inlined halves in <quoit.h>. */
#ifndef QUOIT_API_QUEUE_HANDLE_H
#define QUOIT_API_QUEUE_HANDLE_H

#include <quoit.h>
#include <quoit/typed.h>

#include "queue_shm.h"
#include "queue_threads.h"
#include "queue_wait.h"

#include "fail.h"
#include "mark.h"

#include <stdbool.h>

/* The latest claim of a producer, or the latest peek of a consumer. */
struct quoit_in_place {
    size_t count; /* items that may be committed or released; 0: none */
    size_t bytes; /* of an item, or of a message as claimed */
    uint64_t at;  /* quoit_queue_pushes or _pops then; no longer valid if that has changed */
};

struct quoit_queue_handle {
    quoit_region *region;
    struct quoit_queue_view view;
    uint32_t roles;
    bool forked;       /* this is a forked child's copy of the handle */
    bool has_finished; /* its producer has called quoit_queue_finish */
    struct quoit_os_fork_guard guard;
    quoit_queue *queue;
    struct quoit_ring_producer_state producer_state;
    struct quoit_ring_consumer_state consumer_state;
    void *allocation; /* the memory in which queue is aligned */
    uint8_t *scratch; /* memory for view.ring's scratch and peeked; NULL: not needed */
    struct quoit_in_place claimed, peeked;
    struct quoit_waiter producer_waiter;
    struct quoit_waiter consumer_waiter;
};

/* ---- Steps of the calls on items and messages, queue_items.c and queue_again.c ------------- */

/* As quoit_queue_check_handle; WRONG_ROLE if the handle does not have that role. */
quoit_status quoit_queue_check_role(const quoit_queue *queue, uint32_t role);
/* As quoit_queue_check_role for a producer; FINISHED once this handle has finished. */
quoit_status quoit_queue_check_pusher(const quoit_queue *queue);
/* May an item, or a message, have that size? TOO_BIG INVALID. */
quoit_status quoit_queue_check_bytes(const quoit_queue *queue, size_t bytes);
/* As quoit_queue_check_role or quoit_queue_check_pusher; INVALID for a queue of messages, and for
   another size. */
quoit_status quoit_queue_check_items(const quoit_queue *queue, uint32_t role, size_t item_bytes);
/* Check all arguments of a push, and of a pop. bytes_out: with TOO_BIG, the size of an item. */
quoit_status quoit_queue_check_push(const quoit_queue *queue, const void *data, size_t bytes);
quoit_status quoit_queue_check_pop(const quoit_queue *queue, const void *buffer, size_t room_bytes,
                                   uint64_t *bytes_out);

/* One try of a call. Returns FULL or EMPTY if there is no room, or no item, yet. */
typedef quoit_status quoit_try(quoit_queue *queue, void *context);
/* Called after a try that found no room, or no item. Counts it, and returns FULL, EMPTY or
   ABANDONED. */
quoit_status quoit_queue_found_nothing(quoit_queue *queue, uint32_t role);
/* Called after a first try that returned `status`. If that is FULL or EMPTY, calls
   quoit_queue_found_nothing, waits, and tries again, until one of them returns something else, or
   the time is over. */
quoit_status quoit_queue_try_again(quoit_queue *queue, uint32_t role, quoit_status status,
                                   quoit_try *try_once, void *context, int64_t timeout_ns);
/* A whole call: the first try, and quoit_queue_try_again if it fails. Inlined, since most first
   tries succeed. */
static inline quoit_status quoit_queue_try(quoit_queue *queue, uint32_t role, quoit_try *try_once,
                                           void *context, int64_t timeout_ns)
{
    quoit_status status = try_once(queue, context);
    return status == QUOIT_OK
               ? QUOIT_OK
               : quoit_queue_try_again(queue, role, status, try_once, context, timeout_ns);
}

/* Called after a pop of count items. */
void quoit_queue_note_popped(quoit_queue *queue, uint64_t count);
/* Called after a check for items, which may have made room. */
void quoit_queue_note_freed(quoit_queue *queue);

/* Marks the end of the stream if enough producers have finished: queue.c. */
void quoit_queue_end_stream(quoit_queue *queue);
/* false: quoit_queue_end_stream would do nothing. */
static inline bool quoit_queue_can_end(const quoit_queue *queue)
{
    const struct quoit_queue_view *view = &queue->handle->view;
    /* Relaxed: a hint; quoit_queue_end_stream loads it again (FINISH-C1). */
    return atomic_load_explicit(&view->ring.shm->finishes, memory_order_relaxed) >= view->finishes;
}

/* Return a number that changes with each push, or pop, of this side: queue_peers.c. */
uint64_t quoit_queue_pushes(const quoit_queue *queue);
uint64_t quoit_queue_pops(const quoit_queue *queue);

/* For messages: the arguments of "queue '%s:%s'". */
#define QUOIT_QUEUE_NAME(queue) QUOIT_REGION_NAME((queue)->handle->region)

static inline bool quoit_queue_is_member(const quoit_queue *queue)
{
    return (queue->handle->roles & (QUOIT_PRODUCER | QUOIT_CONSUMER)) != 0;
}

static inline const struct quoit_ring_view *quoit_queue_ring(const quoit_queue *queue)
{
    return &queue->handle->view.ring;
}

static inline struct quoit_waiter *quoit_waiter_of(quoit_queue *queue, unsigned role)
{
    struct quoit_queue_handle *handle = queue->handle;
    return role == QUOIT_CONSUMER ? &handle->consumer_waiter : &handle->producer_waiter;
}

/* The mark of the next slot of a side. */
static inline struct quoit_mark quoit_queue_mark(quoit_queue *queue, unsigned role)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    return role == QUOIT_CONSUMER ? quoit_consumer_mark(&queue->consumer, ring)
                                  : quoit_producer_mark(&queue->producer, ring);
}

/* true: quoit_poll_side would find nothing. Of slots alone, without a call. */
static inline bool quoit_queue_is_idle(const quoit_queue *queue, unsigned role,
                                       struct quoit_mark mark)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    const bool pops = role == QUOIT_CONSUMER;
    return ring->ops->shows_items && quoit_mark_is_empty(mark) == pops &&
           !(pops && quoit_slots_hide_item(ring)) && !quoit_queue_can_end(queue);
}

/* true: quoit_poll_side would find an item. Of slots alone, without a call. */
static inline bool quoit_queue_shows_item(const quoit_queue *queue, unsigned role,
                                          struct quoit_mark mark)
{
    return role == QUOIT_CONSUMER && quoit_queue_ring(queue)->ops->shows_items &&
           !quoit_mark_is_empty(mark);
}

/* For a member: an observer has no entry. */
static inline struct quoit_member_shm *quoit_queue_own_entry(const quoit_queue *queue)
{
    const struct quoit_members *members = &queue->handle->view.members;
    return &members->entries[members->own_entry];
}

/* INVALID for NULL, FORKED in a child that inherited the handle. */
static inline quoit_status quoit_queue_check_handle(const quoit_queue *queue)
{
    if (!queue)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "queue is NULL; pass a handle from quoit_queue_create, open or join");
    if (queue->handle->forked)
        return quoit_fail(
            QUOIT_ERROR_FORKED,
            "this queue handle belongs to the parent process; open the queue again in the child");
    return QUOIT_OK;
}

#endif
