/* SPDX-License-Identifier: MIT */
/*
 * The threads that watch sides of queues for pollers (poller.h). Each thread watches up to
 * POLLERS_MOST sides, and sleeps on all of them and on its control word at once. The first poller
 * starts a thread; the last one that a thread watches ends it.
 *
 * A thread that has woken a wait on many sides rests: until a wait sleeps again, it watches only
 * the sides that have a descriptor. Otherwise each item for a wait that spins would wake it.
 *
 * The process lock protects the list of threads and their counts. A thread finds its pollers in an
 * array of atomic pointers, without the lock.
 */
#include "poller.h"

#include <stdlib.h>

enum { POLLERS_MOST = QUOIT_OS_WORDS_MOST - 1 };
static const int64_t second_ns = 1000000000;
static const uint64_t check_ns = 90000000; /* less than a slice of sleep */

typedef _Atomic(struct quoit_poller *) atomic_poller;

struct quoit_poll_thread {
    struct quoit_poll_thread *next; /* the lock's, as count */
    uint32_t count;
    bool forked; /* this is a forked child's copy: there is no thread */
    struct quoit_os_fork_guard guard;
    struct quoit_os_thread thread;
    quoit_atomic_u32 control; /* incremented when the thread is to check all states */
    quoit_atomic_u32 is_ending;
    quoit_atomic_u32 rests; /* 1: no wait sleeps, since the thread has woken all of them */
    uint64_t checked;       /* the thread's: when it last checked whether peers have left */
    atomic_poller pollers[POLLERS_MOST];
};

static struct quoit_poll_thread *threads;
static quoit_atomic_u32 notices; /* to waits on many sides */

static uint32_t load_control(struct quoit_poll_thread *thread)
{
    /* POLL-T1: the states that were changed before it are visible. Pairs with POLL-U1 and
       POLL-U3. */
    return atomic_load_explicit(&thread->control, memory_order_acquire);
}

void quoit_poll_thread_wake(struct quoit_poll_thread *thread)
{
    /* POLL-U3: what this thread changed before is visible. Pairs with POLL-T1. */
    uint32_t before = atomic_fetch_add_explicit(&thread->control, 1, memory_order_release);
    quoit_os_wake(NULL, 0, &thread->control, before);
}

bool quoit_poll_thread_end_rest(struct quoit_poll_thread *thread)
{
    /* Relaxed: if a 1 is not visible yet, POLL-N1 comes after POLL-N2, and the wait does not
       sleep. */
    if (atomic_load_explicit(&thread->rests, memory_order_relaxed) == 0)
        return false;
    /* Relaxed: POLL-U3 orders it. */
    atomic_store_explicit(&thread->rests, 0, memory_order_relaxed);
    return true;
}

/* ---- The thread ------------------------------------------------------------------------------ */

/* Have enough producers finished? The last of them may have been killed before it marked the end:
   the next call that finds nothing marks it (quoit_queue_found_nothing), so there is something to
   do. */
static bool has_ended(const quoit_queue *queue)
{
    const struct quoit_queue_view *view = &queue->handle->view;
    /* FINISH-C1: as in quoit_queue_end_stream. Pairs with FINISH-P1. */
    return atomic_load_explicit(&view->ring.shm->finishes, memory_order_acquire) >=
               view->finishes &&
           !view->ring.ops->is_finished(&view->ring);
}

/* Called by the thread, which must not read the private data of the side's own thread. */
static bool has_something(quoit_queue *queue, unsigned role)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    if (quoit_is_interrupted(quoit_waiter_of(queue, role)))
        return true;
    if (has_ended(queue))
        return true;
    return role == QUOIT_CONSUMER ? ring->ops->has_items(ring) || ring->ops->is_over(ring)
                                  : ring->ops->has_room(ring) || ring->ops->is_finished(ring);
}

/* Also true if the other side has left: the next call that finds nothing then reports it at
   once. */
static bool is_ready(struct quoit_poller *poller, bool asks)
{
    struct quoit_waiter *waiter = poller->waiter;
    uint32_t joined;
    bool was_woken = poller->was_woken;
    poller->was_woken = false;
    if (has_something(poller->queue, waiter->role))
        return true;
    if (!(asks || was_woken) || !quoit_peer_has_left(poller->queue, waiter, &joined))
        return false;
    /* Relaxed: POLL-T2 orders it before the notification. */
    atomic_store_explicit(&waiter->noticed, 1, memory_order_relaxed);
    return true;
}

static bool change_state(struct quoit_poller *poller, uint32_t from, uint32_t to)
{
    /* POLL-T2: what this thread did before is visible to a side that finds the new state. Pairs
       with POLL-U1 and POLL-U2. */
    return atomic_compare_exchange_strong_explicit(&poller->state, &from, to, memory_order_acq_rel,
                                                   memory_order_acquire);
}

/* Wakes all waits on many sides. They poll all of their sides. */
static void wake_waits(struct quoit_poll_thread *thread)
{
    /* Relaxed: POLL-N1 orders it. */
    atomic_store_explicit(&thread->rests, 1, memory_order_relaxed);
    /* POLL-N1: a wait that sees it also sees the pollers' states, and that the thread rests. Pairs
       with POLL-N2. */
    uint32_t before = atomic_fetch_add_explicit(&notices, 1, memory_order_release);
    quoit_os_wake(NULL, 0, &notices, before);
}

static void notify(struct quoit_poll_thread *thread, struct quoit_poller *poller)
{
    if (!change_state(poller, QUOIT_POLLER_ARMED, QUOIT_POLLER_SETTING))
        return;
    /* POLL-T5: the notifier of a target that is set is complete. Pairs with POLL-U6. */
    uint32_t targets = atomic_load_explicit(&poller->targets, memory_order_acquire);
    if (targets & QUOIT_SETS_DESCRIPTOR)
        quoit_os_notifier_set(&poller->notifier);
    if (!change_state(poller, QUOIT_POLLER_SETTING, QUOIT_POLLER_NOTIFIED)) {
        if (targets & QUOIT_SETS_DESCRIPTOR)
            quoit_os_notifier_clear(&poller->notifier);
        (void)change_state(poller, QUOIT_POLLER_UNDOING, QUOIT_POLLER_ARMED);
    }
    if (targets & QUOIT_WAKES_WAIT)
        wake_waits(thread);
}

static void end_poller(atomic_poller *at, struct quoit_poller *poller)
{
    /* Relaxed: POLL-T3 orders it. */
    atomic_store_explicit(at, NULL, memory_order_relaxed);
    /* POLL-T3: the last access to the poller; its memory may be freed. Pairs with POLL-U4. */
    atomic_store_explicit(&poller->state, QUOIT_POLLER_ENDED, memory_order_release);
    /* The address alone, which the system may find unused by now. */
    quoit_os_wake(NULL, 0, &poller->state, QUOIT_POLLER_ENDING);
}

static bool does_rest(const struct quoit_poll_thread *thread)
{
    /* Relaxed: POLL-T1 orders it. */
    return atomic_load_explicit(&thread->rests, memory_order_relaxed) != 0;
}

/* Returns whether the thread is to sleep on that side. */
static bool serve(struct quoit_poll_thread *thread, atomic_poller *at, bool asks)
{
    /* POLL-T4: the poller is complete. Pairs with POLL-U5. */
    struct quoit_poller *poller = atomic_load_explicit(at, memory_order_acquire);
    while (poller) {
        /* POLL-T1: what the side did before it changed the state is visible. Pairs with POLL-U1. */
        uint32_t state = atomic_load_explicit(&poller->state, memory_order_acquire);
        if (state == QUOIT_POLLER_ENDING)
            end_poller(at, poller);
        if (state != QUOIT_POLLER_ARMED)
            return false;
        if (does_rest(thread) && !quoit_poller_has(poller, QUOIT_SETS_DESCRIPTOR))
            return false;
        if (!is_ready(poller, asks))
            return true;
        notify(thread, poller); /* and check the state that it has now */
    }
    return false;
}

/* Serves all pollers. Sets the sides to sleep on, and returns their number. */
static uint32_t serve_all(struct quoit_poll_thread *thread, bool asks, struct quoit_sleep *sleeps)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < POLLERS_MOST; i++)
        if (serve(thread, &thread->pollers[i], asks)) {
            /* Relaxed: serve() has loaded it; only this thread clears it. */
            struct quoit_poller *poller = atomic_load_explicit(&thread->pollers[i],
                                                               memory_order_relaxed);
            sleeps[count++] = (struct quoit_sleep){.queue = poller->queue,
                                                   .waiter = poller->waiter};
        }
    return count;
}

static bool is_check_due(struct quoit_poll_thread *thread)
{
    uint64_t now = quoit_os_coarse_ns();
    if (now - thread->checked < check_ns)
        return false;
    thread->checked = now;
    return true;
}

/* Called after a sleep on these sides. If a waker has ended it, its side may have nothing any more:
   the wait does not sleep then, and has taken the item. */
static void after_sleep(struct quoit_poll_thread *thread, const struct quoit_sleep *sleeps,
                        uint32_t count)
{
    bool wakes = false;
    for (uint32_t i = 0; i < count; i++) { /* a poller lives until this thread has ended it */
        struct quoit_poller *poller = sleeps[i].waiter->poller;
        poller->was_woken = quoit_was_woken(&sleeps[i]);
        wakes = wakes || (poller->was_woken && quoit_poller_has(poller, QUOIT_WAKES_WAIT));
    }
    if (wakes)
        wake_waits(thread);
}

static void run(void *argument)
{
    struct quoit_poll_thread *thread = argument;
    for (;;) {
        struct quoit_sleep sleeps[POLLERS_MOST];
        struct quoit_os_word words[QUOIT_OS_WORDS_MOST];
        uint32_t count;
        words[0] = (struct quoit_os_word){.word = &thread->control, .value = load_control(thread)};
        /* Relaxed: POLL-T1 orders it. */
        if (atomic_load_explicit(&thread->is_ending, memory_order_relaxed))
            return;
        const bool rested = does_rest(thread);
        count = serve_all(thread, is_check_due(thread), sleeps);
        if (!rested && does_rest(thread)) /* the sides before the one that was ready: not these */
            count = serve_all(thread, false, sleeps);
        if (count > 0)
            quoit_sleep_unless_any(sleeps, count, words, 1, has_something, second_ns);
        else
            quoit_os_sleep_any(words, 1, second_ns);
        after_sleep(thread, sleeps, count);
    }
}

/* ---- The list of threads --------------------------------------------------------------------- */

static void drop_in_child(struct quoit_os_fork_guard *guard)
{
    struct quoit_poll_thread *thread =
        (struct quoit_poll_thread *)(void *)((char *)guard -
                                             offsetof(struct quoit_poll_thread, guard));
    thread->forked = true;
}

static void place(struct quoit_poll_thread *thread, struct quoit_poller *poller)
{
    uint32_t i = 0;
    /* Relaxed: only the lock's holder fills a place, and it may find one full that was emptied. */
    while (atomic_load_explicit(&thread->pollers[i], memory_order_relaxed))
        i++;
    poller->thread = thread;
    thread->count++;
    /* POLL-U5: the poller is complete. Pairs with POLL-T4. */
    atomic_store_explicit(&thread->pollers[i], poller, memory_order_release);
}

static bool place_in_old(struct quoit_poller *poller)
{
    struct quoit_poll_thread *thread = threads;
    while (thread && (thread->forked || thread->count == POLLERS_MOST))
        thread = thread->next;
    if (thread)
        place(thread, poller);
    return thread != NULL;
}

static quoit_status place_in_new(struct quoit_poller *poller)
{
    struct quoit_poll_thread *thread = calloc(1, sizeof *thread);
    if (!thread)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a thread");
    thread->guard.dropped = drop_in_child;
    thread->thread = (struct quoit_os_thread){.run = run, .argument = thread};
    place(thread, poller);
    quoit_status status = quoit_os_fork_guard_add(&thread->guard);
    if (status != QUOIT_OK)
        goto free_thread;
    status = quoit_os_thread_start(&thread->thread);
    if (status != QUOIT_OK)
        goto remove_guard;
    status = quoit_os_process_lock(); /* cannot fail: it has not in guard_add */
    if (status != QUOIT_OK)
        return QUOIT_OK;
    thread->next = threads;
    threads = thread;
    quoit_os_process_unlock();
    return QUOIT_OK;

remove_guard:
    quoit_os_fork_guard_remove(&thread->guard);
free_thread:
    free(thread);
    return status;
}

quoit_status quoit_poll_thread_add(struct quoit_poller *poller)
{
    quoit_status status = quoit_os_process_lock();
    if (status != QUOIT_OK)
        return status;
    bool placed = place_in_old(poller);
    quoit_os_process_unlock();
    if (!placed)
        return place_in_new(poller);
    quoit_poll_thread_wake(poller->thread);
    return QUOIT_OK;
}

/* Returns when the poller's thread does not use it any more. */
static void end_watch(struct quoit_poller *poller)
{
    /* POLL-U1: what this thread did before is visible. Pairs with POLL-T1 and POLL-T2. */
    atomic_store_explicit(&poller->state, QUOIT_POLLER_ENDING, memory_order_release);
    quoit_poll_thread_wake(poller->thread);
    /* POLL-U4: the poller is this thread's alone. Pairs with POLL-T3. */
    while (atomic_load_explicit(&poller->state, memory_order_acquire) != QUOIT_POLLER_ENDED)
        quoit_os_sleep(NULL, 0, &poller->state, QUOIT_POLLER_ENDING, second_ns);
}

/* Takes the thread off the list if it has no poller any more. */
static bool is_last(struct quoit_poll_thread *thread)
{
    if (quoit_os_process_lock() != QUOIT_OK)
        return false;
    bool last = --thread->count == 0;
    struct quoit_poll_thread **at = &threads;
    while (last && *at && *at != thread)
        at = &(*at)->next;
    if (last && *at)
        *at = thread->next;
    quoit_os_process_unlock();
    return last;
}

void quoit_poll_thread_remove(struct quoit_poller *poller, bool forked)
{
    struct quoit_poll_thread *thread = poller->thread;
    if (!forked)
        end_watch(poller);
    if (!is_last(thread))
        return;
    if (forked) {
        quoit_os_thread_drop(&thread->thread);
    } else {
        /* Relaxed: POLL-U3 orders it. */
        atomic_store_explicit(&thread->is_ending, 1, memory_order_relaxed);
        quoit_poll_thread_wake(thread);
        quoit_os_thread_join(&thread->thread);
    }
    quoit_os_fork_guard_remove(&thread->guard);
    free(thread);
}

struct quoit_os_word quoit_poller_notices(void)
{
    /* POLL-N2: the states of all pollers whose notices it counts are visible. Pairs with
       POLL-N1. */
    return (struct quoit_os_word){.word = &notices,
                                  .value = atomic_load_explicit(&notices, memory_order_acquire)};
}
