/* SPDX-License-Identifier: MIT */
/* A queue's two sides: one waits, and the other wakes it. */
#ifndef QUOIT_API_QUEUE_WAIT_H
#define QUOIT_API_QUEUE_WAIT_H

#include <quoit.h>
#include <quoit/ring.h>

#include "members.h"
#include "os.h"

/* How long a sleeper sleeps before it checks the queue by itself. A test that has to hang if a wake
   is lost sets a long time. */
extern int64_t quoit_wait_slice_ns;

/* For how long calls that do not wait have found nothing: queue_peers.c. */
struct quoit_idle {
    uint64_t progress; /* of the side, when it found nothing for the first time */
    uint64_t since;    /* when that was; 0: not yet */
    uint64_t now;      /* the clock when it was last read */
    uint32_t skip;     /* how many more calls need not read the clock */
};

/* When a side pauses: queue_pause.c. */
struct quoit_pace {
    uint64_t progress; /* of the side, when it last found nothing */
    uint32_t pause_ns;
};

/* How a handle waits on one of its sides. */
struct quoit_waiter {
    unsigned role;                    /* the role that has this side */
    quoit_atomic_u32 *wake_needed;    /* shared: 1: wakers have to check sleepers */
    quoit_atomic_u32 *sleepers;       /* shared: odd: a thread sleeps, or is about to */
    quoit_atomic_u32 needless_checks; /* checks by this handle, as a waker, that found no sleeper */
    uint32_t spins;                   /* how many checks before it sleeps; adapts to recent spins */
    uint32_t failed_spins;            /* spins that found nothing, ever */
    uint32_t short_sleeps;            /* since a spin last explored */
    uint32_t failed_explorations;     /* in a row: spins that explored and found nothing */
    bool explores;                    /* the next spin: it makes the most checks */
    bool is_shared;                   /* other handles may sleep on the same word */
    bool *spinning;            /* the ring's: true during a check that another follows at once */
    bool ignores_peer;         /* the other side may come and go; ABANDONED is not reported */
    quoit_atomic_u32 reported; /* peers up to this count are known, or their end was reported */
    quoit_atomic_u32 noticed;  /* 1: the peers have left: the next call that finds nothing checks */
    quoit_atomic_u32 interrupted; /* 1: the next wait returns QUOIT_INTERRUPTED */
    uint64_t checked; /* the first side of a quoit_wait_any: when all sides were asked for peers */
    bool was_woken;   /* during the latest sleep of a quoit_wait_any: a peer may have left */
    struct quoit_poller *poller;
    struct quoit_idle idle;
    struct quoit_pace pace;
};

/* Called when this side has found nothing. waits: in a call that waits. true: it has paused, away
   from the ring, and the caller is to try once more. */
bool quoit_queue_pause(quoit_queue *queue, struct quoit_waiter *waiter, bool waits);
/* Sets the length of that pause for a ring of that capacity. */
void quoit_pace_begin(struct quoit_pace *pace, uint64_t capacity);

/* Wakes the threads that sleep there. Called after something that they wait for was published. */
void quoit_wake(quoit_queue *queue, struct quoit_waiter *sleeper);

/* ---- The other side, queue_peers.c ----------------------------------------------------------- */

/* Has the other side left, and is that still to be reported? Makes system calls. joined_out: the
   argument for quoit_peer_report. */
bool quoit_peer_has_left(const quoit_queue *queue, const struct quoit_waiter *waiter,
                         uint32_t *joined_out);
/* Notes that the end of these peers is reported, and returns ABANDONED with a sentence. */
quoit_status quoit_peer_report(const quoit_queue *queue, struct quoit_waiter *waiter,
                               uint32_t joined);
/* Called after a call that does not wait has found nothing. Returns EMPTY, FULL or ABANDONED. */
quoit_status quoit_peer_check(quoit_queue *queue, struct quoit_waiter *waiter);
/* Set up, and end, the handle's waiters. begin also chooses which words the inlined paths check. */
void quoit_waiters_begin(quoit_queue *queue);
void quoit_waiters_end(quoit_queue *queue);

/* Has a check found that the peers have left, and no call has returned it yet? */
static inline bool quoit_is_noticed(const struct quoit_waiter *waiter)
{
    /* Relaxed: POLL-T2 orders it before the notifier is set. If it is not visible yet, a later call
       sees it. */
    return atomic_load_explicit(&waiter->noticed, memory_order_relaxed) != 0;
}
/* For quoit_wait_any: as quoit_peer_check, but nothing is reported. true: the next call on this
   side returns ABANDONED, or has something to do. asks: some time has passed since the last check
   of all sides; otherwise only a side is checked that was woken, or noticed already. */
bool quoit_peer_notice(quoit_queue *queue, struct quoit_waiter *waiter, bool asks);

/* ---- Sleeping -------------------------------------------------------------------------------- */

typedef bool quoit_is_ready(quoit_queue *queue, unsigned role);

/* A side that a thread sleeps on. The last two are set by the functions below. */
struct quoit_sleep {
    quoit_queue *queue;
    struct quoit_waiter *waiter;
    uint32_t word; /* of its sleepers, when the sleep was announced */
    bool imposes;  /* it has set wake_needed */
};

/* Sleeps for at most timeout_ns, or until a waker ends the sleep. Announces the sleep first, and
   does not sleep if ready() is true already. */
void quoit_sleep_unless(quoit_queue *queue, struct quoit_waiter *waiter, quoit_is_ready *ready,
                        int64_t timeout_ns);
/* The same on several sides at once: does not sleep if any of them is ready. The first `known` of
   words are the caller's, and the sleep also ends if one of them changes; behind them is room for
   one per side. */
void quoit_sleep_unless_any(struct quoit_sleep *sleeps, uint32_t count, struct quoit_os_word *words,
                            uint32_t known, quoit_is_ready *ready, int64_t timeout_ns);
/* Has a waker ended the sleep, whatever other sides did? Called after it. */
bool quoit_was_woken(const struct quoit_sleep *sleep);
/* Called after the last sleep on this side: makes its word even again if no other thread sleeps on
   it. */
void quoit_sleep_end(const struct quoit_waiter *waiter);

/* Returns the status that a push or a pop of that side would return now, without waiting. */
quoit_status quoit_poll_side(quoit_queue *queue, unsigned role);
quoit_is_ready quoit_is_ready_or_interrupted;

/* How many checks a spin makes at most; its result, which changes that number. */
uint32_t quoit_spin_checks(const struct quoit_waiter *waiter);
void quoit_spin_found(struct quoit_waiter *waiter, uint32_t checks);
void quoit_spin_failed(struct quoit_waiter *waiter, size_t sides);
/* Called after a sleep of so many ns, at whose end the side had something to do. */
void quoit_spin_slept(struct quoit_waiter *waiter, uint64_t ns);

static inline bool quoit_is_interrupted(const struct quoit_waiter *waiter)
{
    /* Relaxed: WAIT-F1 orders it after the announcement of a sleep. WAIT-I2 orders the rest. */
    return atomic_load_explicit(&waiter->interrupted, memory_order_relaxed) != 0;
}
/* true: the side's wait is to return QUOIT_INTERRUPTED, once. */
bool quoit_take_interrupt(struct quoit_waiter *waiter);

/* How long a call waits. Initialized with the call's time-out, and zeros for the rest. */
struct quoit_deadline {
    int64_t timeout_ns;
    uint64_t start;
    bool started;
};
/* Called if the latest try found nothing: FULL or EMPTY, in status_inout. Spins, then sleeps, until
   the side has something to do. true: try again, since others may be faster. false: status_inout is
   what the call returns. */
bool quoit_wait_more(quoit_queue *queue, struct quoit_waiter *waiter,
                     struct quoit_deadline *deadline, quoit_status *status_inout);

/* Notes which peers are not to be reported to this handle. Called after it has counted itself. */
void quoit_waiters_count(quoit_queue *queue);

/* ---- Descriptors, queue_poll.c --------------------------------------------------------------- */

/* Called when this side has found nothing: its descriptor stops being readable until the side has
   something to do. Does nothing for a poller without a descriptor. */
void quoit_poller_rearm(struct quoit_poller *poller);
/* false: no thread sleeps on the side for the poller, until this thread arms it. */
bool quoit_poller_is_armed(const struct quoit_poller *poller);
void quoit_poller_end(struct quoit_poller *poller, bool forked);

#endif
