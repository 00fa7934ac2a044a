/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that is readable while a side of the queue has something to do. A thread of this
 * process sleeps on the queue for the event loop, and sets the notifier once when there are items
 * (or room, or the end of the stream). The descriptor is then readable until a call on this side
 * finds nothing. That call clears the notifier, and the thread sleeps again. The thread checks the
 * queue after it was armed, so it misses nothing that came in between.
 */
#include "queue_handle.h"

#include <stdlib.h>

enum { NOTIFIED = 0, ARMED = 1, ENDING = 2 };

struct quoit_poller {
    quoit_queue *queue;
    struct quoit_waiter *waiter;
    struct quoit_os_notifier notifier;
    struct quoit_os_thread thread;
    quoit_atomic_u32 state;
};

static uint32_t load_state(struct quoit_poller *poller)
{
    /* POLL-T1: armed after the notifier was cleared. Pairs with POLL-U1. */
    return atomic_load_explicit(&poller->state, memory_order_acquire);
}

/* Called by the poller's thread, which must not read the private data of the side's own thread. */
static bool has_something(quoit_queue *queue, unsigned role)
{
    const struct quoit_ring_view *ring = &queue->handle->view.ring;
    const struct quoit_waiter *waiter = quoit_waiter_of(queue, role);
    if (load_state(waiter->poller) == ENDING || quoit_is_interrupted(waiter))
        return true;
    return role == QUOIT_CONSUMER ? ring->ops->has_items(ring) || ring->ops->is_over(ring)
                                  : ring->ops->has_room(ring) || ring->ops->is_finished(ring);
}

/* Also true if the other side has left: the next call that finds nothing then reports it at
   once. */
static bool is_ready(struct quoit_poller *poller)
{
    struct quoit_waiter *waiter = poller->waiter;
    uint32_t joined;
    if (has_something(poller->queue, waiter->role))
        return true;
    if (!quoit_peer_has_left(poller->queue, waiter, &joined))
        return false;
    /* Relaxed: POLL-T2 orders it before the notifier is set. */
    atomic_store_explicit(&waiter->noticed, 1, memory_order_relaxed);
    return true;
}

static void run(void *argument)
{
    struct quoit_poller *poller = argument;
    const struct quoit_os_shm *shm = &poller->queue->handle->region->shm;
    uint32_t state;
    while ((state = load_state(poller)) != ENDING) {
        if (state == NOTIFIED) {
            quoit_os_sleep(shm, 0, &poller->state, NOTIFIED, INT64_C(1000000000));
            continue;
        }
        if (!is_ready(poller)) {
            quoit_sleep_unless(poller->queue, poller->waiter, has_something, INT64_C(1000000000));
            continue;
        }
        uint32_t armed = ARMED;
        /* POLL-T2: stored before the notifier is set, so that a side that has seen the notifier
           clears it. Pairs with POLL-U2. */
        if (atomic_compare_exchange_strong_explicit(&poller->state, &armed, NOTIFIED,
                                                    memory_order_acq_rel, memory_order_acquire))
            quoit_os_notifier_set(&poller->notifier);
    }
}

void quoit_poller_rearm(struct quoit_poller *poller)
{
    /* POLL-U2: nothing to do while it is armed. Pairs with POLL-T2. */
    if (atomic_load_explicit(&poller->state, memory_order_acquire) == ARMED)
        return;
    quoit_os_notifier_clear(&poller->notifier);
    /* POLL-U1: the notifier is cleared. Pairs with POLL-T1. */
    atomic_store_explicit(&poller->state, ARMED, memory_order_release);
    quoit_os_wake(&poller->queue->handle->region->shm, 0, &poller->state, NOTIFIED);
}

void quoit_poller_end(struct quoit_poller *poller, bool forked)
{
    const struct quoit_os_shm *shm = &poller->queue->handle->region->shm;
    if (!forked) {
        /* POLL-U1: the thread ends when it sees this. Pairs with POLL-T1. */
        atomic_store_explicit(&poller->state, ENDING, memory_order_release);
        quoit_os_wake(shm, 0, &poller->state, NOTIFIED);
        quoit_wake(poller->queue, poller->waiter);
        quoit_os_thread_join(&poller->thread);
    }
    quoit_os_notifier_close(&poller->notifier);
    free(poller);
}

static quoit_status poll_fd_held(quoit_queue *queue, uint32_t events, int *fd_out)
{
    if (!fd_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "fd_out is NULL; pass the address of a variable");
    *fd_out = -1;
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    uint32_t role = events == QUOIT_ITEMS ? QUOIT_CONSUMER : QUOIT_PRODUCER;
    if (events != QUOIT_ITEMS && events != QUOIT_ROOM)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "events 0x%x are not valid; pass QUOIT_ITEMS or QUOIT_ROOM",
                          (unsigned)events);
    status = quoit_queue_check_role(queue, role);
    if (status != QUOIT_OK)
        return status;
    struct quoit_waiter *waiter = quoit_waiter_of(queue, role);
    if (waiter->poller) {
        *fd_out = waiter->poller->notifier.fd;
        return QUOIT_OK;
    }

    struct quoit_poller *poller = calloc(1, sizeof *poller);
    if (!poller)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                          "out of memory: cannot allocate the thread of a file descriptor");
    poller->queue = queue;
    poller->waiter = waiter;
    /* Relaxed: starting the thread orders it. */
    atomic_store_explicit(&poller->state, ARMED, memory_order_relaxed);
    status = quoit_os_notifier_make(&poller->notifier);
    if (status != QUOIT_OK)
        goto free_poller;
    waiter->poller = poller; /* before its thread begins */
    poller->thread = (struct quoit_os_thread){.run = run, .argument = poller};
    status = quoit_os_thread_start(&poller->thread);
    if (status != QUOIT_OK)
        goto close_bell;
    *fd_out = poller->notifier.fd;
    return QUOIT_OK;

close_bell:
    waiter->poller = NULL;
    quoit_os_notifier_close(&poller->notifier);
free_poller:
    free(poller);
    return status;
}

quoit_status quoit_queue_poll_fd(quoit_queue *queue, uint32_t events, int *fd_out)
{
    quoit_os_fork_hold();
    quoit_status status = poll_fd_held(queue, events, fd_out);
    quoit_os_fork_release();
    return status;
}
