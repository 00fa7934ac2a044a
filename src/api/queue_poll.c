/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that is readable while a side of the queue has something to do. A thread of this
 * process sleeps on the queue for the event loop, and rings the bell once when there are items (or
 * room, or the end of the stream). The descriptor is then readable until a call on this side finds
 * nothing. That call silences the bell, and the thread sleeps again. The thread checks the queue
 * after it was armed, so it misses nothing that came in between.
 */
#include "queue_handle.h"

#include <stdlib.h>

enum { RINGING = 0, ARMED = 1, ENDING = 2 };

struct quoit_poller {
    quoit_queue *queue;
    struct quoit_waiter *waiter;
    struct quoit_os_bell bell;
    struct quoit_os_thread thread;
    quoit_atomic_u32 state;
};

static uint32_t load_state(struct quoit_poller *poller)
{
    /* POLL-T1: armed after the bell was silenced. Pairs with POLL-U1. */
    return atomic_load_explicit(&poller->state, memory_order_acquire);
}

/* Called by the poller's thread, which must not read the private data of the side's own thread. */
static bool has_something(quoit_queue *queue, unsigned role)
{
    const struct quoit_ring_place *ring = &queue->handle->place.ring;
    if (load_state(quoit_waiter_of(queue, role)->poller) == ENDING)
        return true;
    return role == QUOIT_CONSUMER ? ring->ops->has_items(ring) || ring->ops->is_over(ring)
                                  : ring->ops->has_room(ring) || ring->ops->is_finished(ring);
}

/* Also true if the other side is gone: the next call that finds nothing then reports it at once. */
static bool is_ready(struct quoit_poller *poller)
{
    struct quoit_waiter *waiter = poller->waiter;
    uint32_t joined;
    if (has_something(poller->queue, waiter->role))
        return true;
    if (!quoit_peer_is_gone(poller->queue, waiter, &joined))
        return false;
    /* Relaxed: POLL-T2 orders it before the bell rings. */
    atomic_store_explicit(&waiter->noticed, 1, memory_order_relaxed);
    return true;
}

static void run(void *argument)
{
    struct quoit_poller *poller = argument;
    const struct quoit_os_shm *shm = &poller->queue->handle->region->shm;
    uint32_t state;
    while ((state = load_state(poller)) != ENDING) {
        if (state == RINGING) {
            quoit_os_sleep(shm, 0, &poller->state, RINGING, INT64_C(1000000000));
            continue;
        }
        if (!is_ready(poller)) {
            quoit_sleep_unless(poller->queue, poller->waiter, has_something, INT64_C(1000000000));
            continue;
        }
        uint32_t armed = ARMED;
        /* POLL-T2: stored before the bell rings, so that a side that has seen the bell silences it.
           Pairs with POLL-U2. */
        if (atomic_compare_exchange_strong_explicit(&poller->state, &armed, RINGING,
                                                    memory_order_acq_rel, memory_order_acquire))
            quoit_os_bell_ring(&poller->bell);
    }
}

void quoit_poller_rearm(struct quoit_poller *poller)
{
    /* POLL-U2: nothing to do while it is armed. Pairs with POLL-T2. */
    if (atomic_load_explicit(&poller->state, memory_order_acquire) == ARMED)
        return;
    quoit_os_bell_silence(&poller->bell);
    /* POLL-U1: the bell is silent. Pairs with POLL-T1. */
    atomic_store_explicit(&poller->state, ARMED, memory_order_release);
    quoit_os_wake(&poller->queue->handle->region->shm, 0, &poller->state, RINGING);
}

void quoit_poller_end(struct quoit_poller *poller, bool forked)
{
    const struct quoit_os_shm *shm = &poller->queue->handle->region->shm;
    if (!forked) {
        /* POLL-U1: the thread ends when it sees this. Pairs with POLL-T1. */
        atomic_store_explicit(&poller->state, ENDING, memory_order_release);
        quoit_os_wake(shm, 0, &poller->state, RINGING);
        quoit_wake(poller->queue, poller->waiter);
        quoit_os_thread_join(&poller->thread);
    }
    quoit_os_bell_close(&poller->bell);
    free(poller);
}

static quoit_status poll_fd_held(quoit_queue *queue, uint32_t events, int *fd_out)
{
    if (!fd_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "fd_out is NULL");
    *fd_out = -1;
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    uint32_t role = events == QUOIT_ITEMS ? QUOIT_CONSUMER : QUOIT_PRODUCER;
    if (events != QUOIT_ITEMS && events != QUOIT_ROOM)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "events 0x%x are not valid; QUOIT_ITEMS or QUOIT_ROOM would be",
                          (unsigned)events);
    status = quoit_queue_check_role(queue, role);
    if (status != QUOIT_OK)
        return status;
    struct quoit_waiter *waiter = quoit_waiter_of(queue, role);
    if (waiter->poller) {
        *fd_out = waiter->poller->bell.fd;
        return QUOIT_OK;
    }

    struct quoit_poller *poller = calloc(1, sizeof *poller);
    if (!poller)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory for a descriptor's thread");
    poller->queue = queue;
    poller->waiter = waiter;
    /* Relaxed: starting the thread orders it. */
    atomic_store_explicit(&poller->state, ARMED, memory_order_relaxed);
    status = quoit_os_bell_make(&poller->bell);
    if (status != QUOIT_OK)
        goto free_poller;
    waiter->poller = poller; /* before its thread begins */
    poller->thread = (struct quoit_os_thread){.run = run, .argument = poller};
    status = quoit_os_thread_start(&poller->thread);
    if (status != QUOIT_OK)
        goto close_bell;
    *fd_out = poller->bell.fd;
    return QUOIT_OK;

close_bell:
    waiter->poller = NULL;
    quoit_os_bell_close(&poller->bell);
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
