/* SPDX-License-Identifier: MIT */
/*
 * Waiting for items and for room. A thread announces that it is about to sleep, then checks the
 * queue once more, and then sleeps. A thread that publishes checks for sleepers afterwards. Both
 * need a full barrier just before their check. Pushes and pops should not pay for one while no
 * thread sleeps, so there are two words:
 *     wake_needed  while it is 0, wakers do not check for sleepers. The thread that sets it imposes
 *                  a barrier on all members (membarrier), in place of the one that wakers do not
 *                  have
 *     sleepers     while wake_needed is 1, a waker has a barrier of its own and checks this word:
 *                  odd while a thread sleeps, or is about to. A side that sleeps again and again
 *                  finds wake_needed set already, and imposes nothing
 * A waker increments sleepers and wakes all sleepers. A thread that is about to sleep on the old
 * number then does not sleep. A waker that has found no sleeper many times in a row clears
 * wake_needed. If the system cannot impose barriers, each push and pop works as if wake_needed were
 * 1.
 *
 * A thread can sleep on several sides at once, of any queues (wait_any.c). It takes each step on
 * all of them before the next step, with one full barrier and at most one imposed barrier for all.
 *
 * quoit_queue_interrupt ends a sleep as a waker does. Other threads that sleep on the same word
 * wake up, find nothing, and sleep again.
 */
#include "queue_wait.h"

#include "queue_handle.h"
#include "relax.h"

enum { SPINS_LEAST = 1, SPINS_MORE = 400, SPINS_MOST = 2000, EXPLORE_EVERY = 1024 };
enum { SHORT_SLEEP_NS = 100000, EXPLORATIONS_MOST = 10 };
enum { NEEDLESS_CHECKS_MOST = 16 };

/* If a waker is killed between publishing and waking, no process wakes the sleeper. So a sleeper
   checks the queue by itself this often. Without imposed barriers a wake can be missed, and it
   checks more often. */
int64_t quoit_wait_slice_ns = 100000000;
static const int64_t short_slice_ns = 1000000;

static const quoit_atomic_u32 always = 1;

/* ---- Waking ---------------------------------------------------------------------------------- */

static void full_barrier(void)
{
    /* WAIT-F1: between a sleeper's announcement and its check, and between a waker's publishing and
       its check: one of them sees the other. Pairs with WAIT-F1 and WAIT-S3. */
    atomic_thread_fence(memory_order_seq_cst);
}

static uint32_t load_sleepers(const struct quoit_waiter *sleeper)
{
    /* Relaxed: WAIT-F1 came before it. */
    return atomic_load_explicit(sleeper->sleepers, memory_order_relaxed);
}

static bool has_sleepers(uint32_t word)
{
    return word % 2 == 1;
}

static void set_wake_needed(const struct quoit_waiter *sleeper, uint32_t value)
{
    /* Relaxed: a full barrier follows: WAIT-F1, or the one that this thread imposes. */
    atomic_store_explicit(sleeper->wake_needed, value, memory_order_relaxed);
}

static void wake_all(const quoit_queue *queue, const struct quoit_waiter *sleeper, uint32_t word)
{
    uint32_t seen = word;
    /* WAIT-W2: only one waker succeeds, and the word changes before a sleeper is woken. Pairs with
       WAIT-S2. */
    if (atomic_compare_exchange_strong_explicit(sleeper->sleepers, &seen, word + 1,
                                                memory_order_seq_cst, memory_order_relaxed)) {
        quoit_member_count(&quoit_queue_own_entry(queue)->wakes);
        quoit_os_wake(&queue->handle->region->shm, sleeper->role, sleeper->sleepers, word);
    }
}

/* Counts the checks that found no sleeper. true: there were many in a row. */
static bool is_enough(struct quoit_waiter *sleeper)
{
    /* Relaxed: a rough count. If two threads of a handle wake at once, one may be lost. */
    uint32_t tries = atomic_load_explicit(&sleeper->needless_checks, memory_order_relaxed) + 1;
    bool enough = tries >= NEEDLESS_CHECKS_MOST;
    /* Relaxed: a rough count, which orders nothing. */
    atomic_store_explicit(&sleeper->needless_checks, enough ? 0 : tries, memory_order_relaxed);
    return enough;
}

void quoit_wake(quoit_queue *queue, struct quoit_waiter *sleeper)
{
    full_barrier();
    uint32_t word = load_sleepers(sleeper);
    if (!has_sleepers(word)) {
        if (!is_enough(sleeper))
            return;
        set_wake_needed(sleeper, 0);
        full_barrier();
        word = load_sleepers(sleeper);
        if (!has_sleepers(word))
            return; /* a thread that sleeps from here on sees that wake_needed is 0 */
        /* wake_needed stays 0: other wakers may have read 0 and have no barrier, and only a sleeper
           imposes one on them. */
    }
    /* Relaxed: a rough count, which orders nothing. */
    atomic_store_explicit(&sleeper->needless_checks, 0, memory_order_relaxed);
    wake_all(queue, sleeper, word);
}

void quoit_queue_wake(quoit_queue *queue, unsigned role)
{
    if (queue && !queue->handle->forked && quoit_queue_is_member(queue))
        quoit_wake(queue, quoit_waiter_of(queue, role));
}

/* ---- Interrupting ---------------------------------------------------------------------------- */

bool quoit_take_interrupt(struct quoit_waiter *waiter)
{
    if (!quoit_is_interrupted(waiter))
        return false;
    /* WAIT-I2: what the interrupting thread stored before is visible. Pairs with WAIT-I1. */
    return atomic_exchange_explicit(&waiter->interrupted, 0, memory_order_acquire) != 0;
}

static void interrupt_side(const quoit_queue *queue, struct quoit_waiter *waiter)
{
    /* WAIT-I1: the interrupted call sees what this thread stored before. Pairs with WAIT-I2. */
    atomic_store_explicit(&waiter->interrupted, 1, memory_order_release);
    full_barrier();
    uint32_t word = load_sleepers(waiter);
    if (has_sleepers(word))
        wake_all(queue, waiter, word);
}

/* May run in a signal handler: only atomic operations, and the system call that wakes. It sets no
   sentence: that would overwrite the one of the interrupted call, and formatting is not safe
   there. */
quoit_status quoit_queue_interrupt(quoit_queue *queue)
{
    if (!queue)
        return QUOIT_ERROR_INVALID;
    if (queue->handle->forked)
        return QUOIT_ERROR_FORKED;
    if (!quoit_queue_is_member(queue))
        return QUOIT_ERROR_WRONG_ROLE;
    if (queue->handle->roles & QUOIT_CONSUMER)
        interrupt_side(queue, &queue->handle->consumer_waiter);
    if (queue->handle->roles & QUOIT_PRODUCER)
        interrupt_side(queue, &queue->handle->producer_waiter);
    return QUOIT_OK;
}

/* ---- Sleeping -------------------------------------------------------------------------------- */

/* Does a descriptor's thread watch this side? Then the subscriber's own thread may take an item
   after the barrier, before the descriptor's thread polls. Other subscribers may have missed that
   item, so they are woken even if that poll finds nothing. */
static bool has_own_taker(const struct quoit_waiter *waiter)
{
    return waiter->is_shared && waiter->poller && quoit_poller_is_armed(waiter->poller);
}

/* Wakes the other sleepers of that side. Called if this thread has stored wake_needed, has imposed
   the barrier for it, and then does not sleep. In between, another sleeper may have found
   wake_needed set, so it imposed nothing, polled, and went to sleep. If it polled before this
   thread's barrier, it may have missed an item of a waker that still read 0 and woke no sleeper. */
static void pass_on(const struct quoit_sleep *side)
{
    full_barrier();
    uint32_t word = load_sleepers(side->waiter);
    if (has_sleepers(word))
        wake_all(side->queue, side->waiter, word);
}

/* Announces the sleep on all sides, and sets wake_needed. After that either a waker sees the
   announcement, or the poll that follows sees the waker's item. most_ns_out: the longest sleep. */
static void announce(struct quoit_sleep *sleeps, uint32_t count, int64_t *most_ns_out)
{
    bool imposes = false;
    for (uint32_t i = 0; i < count; i++)
        /* WAIT-S2: stored before the system compares the word. Pairs with WAIT-W2. */
        sleeps[i].word =
            atomic_fetch_or_explicit(sleeps[i].waiter->sleepers, 1, memory_order_seq_cst) | 1;
    full_barrier();
    for (uint32_t i = 0; i < count; i++) {
        /* WAIT-S3: if this returns 1, another sleeper stored it, and passed a full fence before.
           Items that it had taken from a broadcast are visible to ready(). Pairs with WAIT-F1. */
        sleeps[i].imposes = atomic_load_explicit(sleeps[i].waiter->wake_needed,
                                                 memory_order_acquire) == 0;
        if (sleeps[i].imposes)
            set_wake_needed(sleeps[i].waiter, 1);
        imposes = imposes || sleeps[i].imposes;
    }
    *most_ns_out = quoit_wait_slice_ns;
    if (imposes && !quoit_os_barrier_impose()) {
        full_barrier();
        *most_ns_out = short_slice_ns;
    }
}

/* Announces the sleep, and polls all sides once more. false: a side is ready, do not sleep. */
static bool prepare_sleep(struct quoit_sleep *sleeps, uint32_t count, quoit_is_ready *ready,
                          int64_t *timeout_ns_inout)
{
    bool sleeps_now = true;
    int64_t most_ns;
    announce(sleeps, count, &most_ns);
    if (*timeout_ns_inout > most_ns)
        *timeout_ns_inout = most_ns;
    for (uint32_t i = 0; i < count; i++) {
        bool is_ready_now = ready(sleeps[i].queue, sleeps[i].waiter->role);
        bool passes_on = sleeps[i].imposes && (is_ready_now || has_own_taker(sleeps[i].waiter));
        if (passes_on)
            pass_on(&sleeps[i]);
        sleeps_now = sleeps_now && !is_ready_now && !passes_on;
    }
    for (uint32_t i = 0; sleeps_now && i < count; i++)
        quoit_member_count(&quoit_queue_own_entry(sleeps[i].queue)->sleeps);
    return sleeps_now;
}

void quoit_sleep_unless(quoit_queue *queue, struct quoit_waiter *waiter, quoit_is_ready *ready,
                        int64_t timeout_ns)
{
    struct quoit_sleep side = {.queue = queue, .waiter = waiter};
    if (prepare_sleep(&side, 1, ready, &timeout_ns))
        quoit_os_sleep(&queue->handle->region->shm, waiter->role, waiter->sleepers, side.word,
                       timeout_ns);
}

void quoit_sleep_unless_any(struct quoit_sleep *sleeps, uint32_t count, struct quoit_os_word *words,
                            uint32_t known, quoit_is_ready *ready, int64_t timeout_ns)
{
    if (!prepare_sleep(sleeps, count, ready, &timeout_ns))
        return;
    for (uint32_t i = 0; i < count; i++)
        words[known + i] = (struct quoit_os_word){.shm = &sleeps[i].queue->handle->region->shm,
                                                  .number = sleeps[i].waiter->role,
                                                  .word = sleeps[i].waiter->sleepers,
                                                  .value = sleeps[i].word};
    quoit_os_sleep_any(words, known + count, timeout_ns);
}

bool quoit_was_woken(const struct quoit_sleep *sleep)
{
    return load_sleepers(sleep->waiter) != sleep->word;
}

/* Otherwise a waker that sees the odd word makes a needless system call. */
void quoit_sleep_end(const struct quoit_waiter *waiter)
{
    uint32_t word = load_sleepers(waiter);
    bool others_sleep = waiter->is_shared ||
                        (waiter->poller && quoit_poller_is_armed(waiter->poller));
    if (!others_sleep && has_sleepers(word))
        /* Relaxed: it orders nothing; no other thread sleeps on the word. */
        (void)atomic_compare_exchange_strong_explicit(waiter->sleepers, &word, word + 1,
                                                      memory_order_relaxed, memory_order_relaxed);
}

quoit_status quoit_poll_side(quoit_queue *queue, unsigned role)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    return role == QUOIT_CONSUMER ? ring->ops->poll_items(&queue->consumer, ring)
                                  : ring->ops->poll_room(&queue->producer, ring);
}

bool quoit_is_ready_or_interrupted(quoit_queue *queue, unsigned role)
{
    const struct quoit_mark mark = quoit_queue_mark(queue, role);
    if (quoit_is_interrupted(quoit_waiter_of(queue, role)))
        return true;
    return !quoit_queue_is_idle(queue, role, mark) &&
           quoit_poll_side(queue, role) != (role == QUOIT_CONSUMER ? QUOIT_EMPTY : QUOIT_FULL);
}

/* Short spins that never succeed do not show how long a spin would have to be. So some explore:
   they make SPINS_MOST checks. One does after every EXPLORE_EVERY failures, and one after a short
   sleep. If both sides sleep between two messages, each waits for the wake of the other. Only a
   long spin ends that. */
uint32_t quoit_spin_checks(const struct quoit_waiter *waiter)
{
    return waiter->explores || waiter->failed_spins % EXPLORE_EVERY == EXPLORE_EVERY - 1
               ? SPINS_MOST
               : waiter->spins;
}

void quoit_spin_found(struct quoit_waiter *waiter, uint32_t checks)
{
    uint32_t wanted = 4 * checks + SPINS_MORE;
    uint32_t enough = wanted < SPINS_MOST ? wanted : SPINS_MOST;
    if (checks >= waiter->spins) {
        waiter->spins = enough; /* it has explored, and the others were too short */
        waiter->failed_explorations = 0;
    } else {
        waiter->spins += enough / 8 - waiter->spins / 8;
    }
    waiter->explores = false;
}

/* A sleep on more sides costs more, so a spin that fails there makes the next ones shorter by
   less. */
void quoit_spin_failed(struct quoit_waiter *waiter, size_t sides)
{
    const uint32_t part = sides < SPINS_MOST ? 4 + (uint32_t)sides / 8 : SPINS_MOST;
    waiter->failed_spins++;
    waiter->spins -= (waiter->spins - SPINS_LEAST + part - 1) / part;
    if (waiter->explores && waiter->failed_explorations < EXPLORATIONS_MOST)
        waiter->failed_explorations++;
    waiter->explores = false;
}

/* After each exploration without success, the next one takes twice as many short sleeps. If both
   sides share a processor, spinning only keeps the other side from running. */
void quoit_spin_slept(struct quoit_waiter *waiter, uint64_t ns)
{
    if (ns >= SHORT_SLEEP_NS || ++waiter->short_sleeps < 1u << waiter->failed_explorations)
        return;
    waiter->short_sleeps = 0;
    waiter->explores = true;
}

/* Checks the queue some times: as many as were needed lately. Ends early if interrupted. */
static quoit_status spin(quoit_queue *queue, struct quoit_waiter *waiter, quoit_status nothing)
{
    uint32_t most = quoit_spin_checks(waiter);
    for (uint32_t i = 0; i < most; i++) {
        quoit_status status = quoit_poll_side(queue, waiter->role);
        if (status != nothing) {
            quoit_spin_found(waiter, i);
            return status;
        }
        if (quoit_is_interrupted(waiter))
            return nothing;
        quoit_relax();
    }
    quoit_spin_failed(waiter, 1);
    return nothing;
}

static void cancel_point(quoit_queue *queue, const struct quoit_waiter *waiter)
{
    quoit_threads_pause(queue, waiter->role);
    quoit_os_cancel_point();
    quoit_threads_resume(queue, waiter->role);
}

/* The wait ends because the time is over, the peer has left, or it was interrupted: the descriptor,
   too, stops being readable. */
static quoit_status end_wait(const struct quoit_waiter *waiter, quoit_status status)
{
    if (waiter->poller)
        quoit_poller_rearm(waiter->poller);
    return status;
}

/* Sleeps repeatedly, until the side has something to do, or the peer has left, or the wait is
   interrupted, or the time is over. */
static quoit_status sleep_until_ready(quoit_queue *queue, struct quoit_waiter *waiter,
                                      quoit_status nothing, int64_t timeout_ns)
{
    uint64_t start = quoit_os_monotonic_ns();
    int64_t left = timeout_ns;
    for (;;) {
        quoit_sleep_unless(queue, waiter, quoit_is_ready_or_interrupted, left);
        /* A thread that is cancelled here loses no item. sleepers may stay odd, as after a kill:
           one needless wake. */
        cancel_point(queue, waiter);
        quoit_queue_end_stream(queue);
        quoit_status status = quoit_poll_side(queue, waiter->role);
        if (status != nothing) {
            quoit_spin_slept(waiter, quoit_os_monotonic_ns() - start);
            return status;
        }
        uint32_t joined = 0;
        bool has_left = quoit_peer_has_left(queue, waiter, &joined);
        status = quoit_poll_side(queue, waiter->role); /* what came before the peer left */
        if (status != nothing)
            return status;
        if (has_left)
            return end_wait(waiter, quoit_peer_report(queue, waiter, joined));
        if (quoit_take_interrupt(waiter))
            return end_wait(waiter, QUOIT_INTERRUPTED);
        if (timeout_ns != QUOIT_FOREVER)
            left = timeout_ns - (int64_t)(quoit_os_monotonic_ns() - start);
        if (left <= 0)
            return end_wait(waiter, nothing);
    }
}

static quoit_status wait_until_ready(quoit_queue *queue, struct quoit_waiter *waiter,
                                     quoit_status nothing, int64_t timeout_ns)
{
    cancel_point(queue, waiter);
    if (quoit_take_interrupt(waiter))
        return end_wait(waiter, QUOIT_INTERRUPTED);
    *waiter->spinning = true;
    quoit_status status = spin(queue, waiter, nothing);
    *waiter->spinning = false;
    if (status != nothing)
        return status;
    status = sleep_until_ready(queue, waiter, nothing, timeout_ns);
    quoit_sleep_end(waiter);
    return status;
}

/* Returns how much of the time is left: all of it at the first wait. */
static int64_t time_left(struct quoit_deadline *deadline)
{
    if (deadline->timeout_ns <= 0 || deadline->timeout_ns == QUOIT_FOREVER)
        return deadline->timeout_ns;
    uint64_t now = quoit_os_monotonic_ns();
    if (!deadline->started)
        *deadline = (struct quoit_deadline){deadline->timeout_ns, now, true};
    return deadline->timeout_ns - (int64_t)(now - deadline->start);
}

bool quoit_wait_more(quoit_queue *queue, struct quoit_waiter *waiter,
                     struct quoit_deadline *deadline, quoit_status *status_inout)
{
    int64_t left = time_left(deadline);
    if (left <= 0)
        return false;
    *status_inout = wait_until_ready(queue, waiter, *status_inout, left);
    if (waiter->role == QUOIT_CONSUMER)
        quoit_queue_note_freed(queue);
    return *status_inout == QUOIT_OK;
}

/* ---- The handle's two sides ------------------------------------------------------------------ */

void quoit_waiters_begin(quoit_queue *queue)
{
    struct quoit_queue_handle *handle = queue->handle;
    struct quoit_ring_shm *shm = handle->view.ring.shm;
    const struct quoit_ring_ops *ops = handle->view.ring.ops;
    handle->consumer_waiter = (struct quoit_waiter){.role = QUOIT_CONSUMER,
                                                    .wake_needed = &shm->consumer_wake_needed,
                                                    .sleepers = &shm->consumer_sleepers,
                                                    .is_shared = ops->many_consumers,
                                                    .spinning = &handle->consumer_state.spinning,
                                                    .spins = SPINS_MOST};
    handle->producer_waiter = (struct quoit_waiter){.role = QUOIT_PRODUCER,
                                                    .wake_needed = &shm->producer_wake_needed,
                                                    .sleepers = &shm->producer_sleepers,
                                                    .is_shared = ops->many_producers,
                                                    .ignores_peer = quoit_ring_has_subscribers(ops),
                                                    .spinning = &handle->producer_state.spinning,
                                                    .spins = SPINS_MOST};
    quoit_pace_begin(&handle->consumer_waiter.pace, handle->view.ring.capacity);
    quoit_pace_begin(&handle->producer_waiter.pace, handle->view.ring.capacity);
    if (!quoit_os_barrier_join()) {
        queue->producer.wake_needed = &always;
        queue->consumer.wake_needed = &always;
    }
}

void quoit_waiters_end(quoit_queue *queue)
{
    struct quoit_queue_handle *handle = queue->handle;
    if (handle->consumer_waiter.poller)
        quoit_poller_end(handle->consumer_waiter.poller, handle->forked);
    if (handle->producer_waiter.poller)
        quoit_poller_end(handle->producer_waiter.poller, handle->forked);
}
