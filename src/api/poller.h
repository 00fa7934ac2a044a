/* SPDX-License-Identifier: MIT */
/*
 * A poller watches one side of a queue for a thread that sleeps on something else: on a descriptor
 * (queue_poll.c), or on more sides than the system can sleep on at once (wait_any.c). Threads of
 * this process sleep on the queues in its place (poll_thread.c).
 */
#ifndef QUOIT_API_POLLER_H
#define QUOIT_API_POLLER_H

#include "queue_handle.h"

#include "os.h"

/* A poller's actions when its side has something to do: bits of `targets`. */
enum { QUOIT_SETS_DESCRIPTOR = 1, QUOIT_WAKES_WAIT = 2 };

/* The states of a poller. */
enum {
    QUOIT_POLLER_ARMED,    /* a thread watches the side */
    QUOIT_POLLER_SETTING,  /* the side has something to do; the thread is about to notify */
    QUOIT_POLLER_UNDOING,  /* meanwhile a call found nothing: the thread clears the descriptor */
    QUOIT_POLLER_NOTIFIED, /* the descriptor is readable; no thread watches the side */
    QUOIT_POLLER_ENDING,   /* the handle is being closed */
    QUOIT_POLLER_ENDED     /* the thread does not use the poller any more */
};

struct quoit_poll_thread;

struct quoit_poller {
    quoit_queue *queue;
    struct quoit_waiter *waiter;
    struct quoit_poll_thread *thread;
    struct quoit_os_notifier notifier; /* with QUOIT_SETS_DESCRIPTOR */
    bool was_woken; /* the thread's: during its latest sleep, so a peer may have left */
    quoit_atomic_u32 targets;
    quoit_atomic_u32 state;
};

/* Gives this side a poller if it has none, and adds a target. A new descriptor is in
   waiter->poller->notifier. In a hold. */
quoit_status quoit_poller_add(quoit_queue *queue, struct quoit_waiter *waiter, uint32_t target);

/* Called when the side has nothing to do: arms the poller if it has one of these targets. Returns
   the thread that is to be woken, or NULL. */
struct quoit_poll_thread *quoit_poller_arm(struct quoit_poller *poller, uint32_t targets);
bool quoit_poller_has(const struct quoit_poller *poller, uint32_t targets); /* one of them */

/* The word that changes with each notice to waits, and its value now. */
struct quoit_os_word quoit_poller_notices(void);

/* ---- Threads, poll_thread.c ------------------------------------------------------------------ */

/* Lets a thread watch the poller, whose state is ARMED. In a hold. */
quoit_status quoit_poll_thread_add(struct quoit_poller *poller);
/* Returns when no thread uses the poller any more. */
void quoit_poll_thread_remove(struct quoit_poller *poller, bool forked);
/* Makes the poller's thread check its state. */
void quoit_poll_thread_wake(struct quoit_poll_thread *thread);
/* Called before a wait on many sides sleeps. true: the thread has rested, and is to be woken. */
bool quoit_poll_thread_end_rest(struct quoit_poll_thread *thread);

#endif
