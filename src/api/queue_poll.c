/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that is readable while a side of the queue has something to do. A thread of this
 * process sleeps on the queue for the event loop (poll_thread.c), and sets the notifier once when
 * there are items (or room, or the end of the stream). The descriptor is then readable until a call
 * on this side finds nothing. That call clears the notifier, and the thread watches the side again.
 * It checks the queue after it was armed, so it misses nothing that came in between.
 *
 * A call may find nothing while the thread is about to set the notifier. Then the thread clears it
 * afterwards: only the thread knows when it is set. So a descriptor is readable without a reason
 * for a moment at most.
 */
#include "poller.h"

#include <stdlib.h>

static uint32_t load_state(const struct quoit_poller *poller)
{
    /* POLL-U2: nothing to do while it is armed. Pairs with POLL-T2. */
    return atomic_load_explicit(&poller->state, memory_order_acquire);
}

static bool change_state(struct quoit_poller *poller, uint32_t from, uint32_t to)
{
    /* POLL-U1: the thread sees what this thread did before. Pairs with POLL-T1 and POLL-T2. */
    return atomic_compare_exchange_strong_explicit(&poller->state, &from, to, memory_order_acq_rel,
                                                   memory_order_acquire);
}

bool quoit_poller_has(const struct quoit_poller *poller, uint32_t targets)
{
    /* Relaxed: only this side's thread changes it. For others, POLL-U1 and POLL-U3 order it. */
    return (atomic_load_explicit(&poller->targets, memory_order_relaxed) & targets) != 0;
}

static bool has_descriptor(const struct quoit_poller *poller)
{
    return quoit_poller_has(poller, QUOIT_SETS_DESCRIPTOR);
}

bool quoit_poller_is_armed(const struct quoit_poller *poller)
{
    return load_state(poller) != QUOIT_POLLER_NOTIFIED;
}

static struct quoit_poll_thread *arm(struct quoit_poller *poller)
{
    if (load_state(poller) == QUOIT_POLLER_SETTING) {
        /* Clears the notifier before the exchange, but not after it: the thread may then have set
           it for another item. If the thread sets it only now, it clears it itself. */
        if (has_descriptor(poller))
            quoit_os_notifier_clear(&poller->notifier);
        if (change_state(poller, QUOIT_POLLER_SETTING, QUOIT_POLLER_UNDOING))
            return NULL;
    }
    if (load_state(poller) != QUOIT_POLLER_NOTIFIED)
        return NULL;
    if (has_descriptor(poller))
        quoit_os_notifier_clear(&poller->notifier);
    (void)change_state(poller, QUOIT_POLLER_NOTIFIED, QUOIT_POLLER_ARMED);
    return poller->thread;
}

struct quoit_poll_thread *quoit_poller_arm(struct quoit_poller *poller, uint32_t targets)
{
    if (!quoit_poller_has(poller, targets))
        return NULL;
    struct quoit_poll_thread *thread = arm(poller);
    if (quoit_poller_has(poller, targets & QUOIT_WAKES_WAIT) &&
        quoit_poll_thread_end_rest(poller->thread))
        thread = poller->thread;
    return thread;
}

/* A poller for waits alone stays as it is: only waits have to pay for it. */
void quoit_poller_rearm(struct quoit_poller *poller)
{
    struct quoit_poll_thread *thread = quoit_poller_arm(poller, QUOIT_SETS_DESCRIPTOR);
    if (thread)
        quoit_poll_thread_wake(thread);
}

/* From here on each notification also has that target. */
static void add_target(struct quoit_poller *poller, uint32_t target)
{
    /* POLL-U6: the notifier is complete. Pairs with POLL-T5. */
    (void)atomic_fetch_or_explicit(&poller->targets, target, memory_order_release);
    for (;;) {
        uint32_t state = load_state(poller);
        if (state == QUOIT_POLLER_NOTIFIED) {
            if (target == QUOIT_SETS_DESCRIPTOR)
                quoit_os_notifier_set(&poller->notifier);
            return;
        }
        uint32_t next = state == QUOIT_POLLER_SETTING ? QUOIT_POLLER_UNDOING : state;
        if (change_state(poller, state, next))
            break;
    }
    if (target == QUOIT_SETS_DESCRIPTOR)
        quoit_poll_thread_wake(poller->thread); /* it may rest */
}

static quoit_status make_poller(quoit_queue *queue, struct quoit_waiter *waiter)
{
    struct quoit_poller *poller = calloc(1, sizeof *poller);
    if (!poller)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a poller");
    poller->queue = queue;
    poller->waiter = waiter;
    poller->notifier = (struct quoit_os_notifier){-1, -1};
    waiter->poller = poller; /* before a thread watches the side */
    quoit_status status = quoit_poll_thread_add(poller);
    if (status != QUOIT_OK) {
        waiter->poller = NULL;
        free(poller);
    }
    return status;
}

quoit_status quoit_poller_add(quoit_queue *queue, struct quoit_waiter *waiter, uint32_t target)
{
    struct quoit_os_notifier notifier = {-1, -1};
    quoit_status status = QUOIT_OK;
    if (waiter->poller && quoit_poller_has(waiter->poller, target))
        return QUOIT_OK;
    if (target == QUOIT_SETS_DESCRIPTOR)
        status = quoit_os_notifier_make(&notifier);
    if (status != QUOIT_OK)
        return status;
    if (!waiter->poller)
        status = make_poller(queue, waiter);
    if (status != QUOIT_OK) {
        if (target == QUOIT_SETS_DESCRIPTOR)
            quoit_os_notifier_close(&notifier);
        return status;
    }
    if (target == QUOIT_SETS_DESCRIPTOR)
        waiter->poller->notifier = notifier;
    add_target(waiter->poller, target);
    return QUOIT_OK;
}

void quoit_poller_end(struct quoit_poller *poller, bool forked)
{
    quoit_poll_thread_remove(poller, forked);
    if (has_descriptor(poller))
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
    status = quoit_poller_add(queue, waiter, QUOIT_SETS_DESCRIPTOR);
    if (status == QUOIT_OK)
        *fd_out = waiter->poller->notifier.fd;
    return status;
}

quoit_status quoit_queue_poll_fd(quoit_queue *queue, uint32_t events, int *fd_out)
{
    quoit_os_fork_hold();
    quoit_status status = poll_fd_held(queue, events, fd_out);
    quoit_os_fork_release();
    return status;
}
