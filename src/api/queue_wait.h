/* SPDX-License-Identifier: MIT */
/* A queue's two sides, seen as one that waits and one that wakes it. */
#ifndef QUOIT_API_QUEUE_WAIT_H
#define QUOIT_API_QUEUE_WAIT_H

#include <quoit.h>
#include <quoit/ring.h>

#include "members.h"

/* How long a sleeper sleeps before it looks by itself. A test that a lost wake is to hang makes it
   long. */
extern int64_t quoit_wait_slice_ns;

/* For how long calls that do not wait have found nothing: queue_peers.c. */
struct quoit_idle {
    uint64_t progress; /* of the side, when it found nothing for the first time */
    uint64_t since;    /* and when that was; 0: it has not */
    uint64_t now;      /* the clock when it was read last */
    uint32_t skip;     /* so many calls need not read the clock */
};

/* When a side stays away from the ring: queue_pause.c. */
struct quoit_pace {
    uint64_t progress; /* of the side, when it found nothing for the last time */
    uint32_t pause_ns;
};

/* How a handle waits on one of its sides. */
struct quoit_waiter {
    unsigned role;            /* whose side this is */
    quoit_atomic_u32 *waits;  /* shared: wakers have to look at the next */
    quoit_atomic_u32 *asleep; /* shared: there is somebody to wake */
    quoit_atomic_u32 in_vain; /* looks of this handle, as a waker, that found nobody */
    uint32_t spins;           /* how many looks to take before sleeping, as it turned out lately */
    uint32_t failures;        /* spins in vain, ever */
    bool is_shared;           /* others may sleep on the same word */
    bool *spinning;           /* the ring's: a look that another will follow at once */
    bool ignores_peer;        /* the other side may come and go as it likes */
    quoit_atomic_u32 told;    /* peers up to this count are known, or their end was reported */
    quoit_atomic_u32 noticed; /* 1: the descriptor is readable since the peers are gone */
    struct quoit_idle idle;
    struct quoit_pace pace;
    struct quoit_poller *poller;
};

/* This side has found nothing, in a call that waits or in one that does not. true: it has stayed
   away from the ring for a moment, and is to look once more. */
bool quoit_queue_pause(quoit_queue *queue, struct quoit_waiter *waiter, bool waits);
/* How long that moment is, for a ring of that capacity. */
void quoit_pace_begin(struct quoit_pace *pace, uint64_t capacity);

/* Wakes who sleeps there, after something has been published that it waits for. */
void quoit_wake(quoit_queue *queue, struct quoit_waiter *sleeper);

struct quoit_waiter *quoit_waiter_of(quoit_queue *queue, unsigned role);

/* ---- The other side, queue_peers.c ----------------------------------------------------------- */

/* Is the other side gone, and is that still to be reported? Makes system calls. joined_out: the
   argument for quoit_peer_tell. */
bool quoit_peer_is_gone(const quoit_queue *queue, const struct quoit_waiter *waiter,
                        uint32_t *joined_out);
/* Notes that this end of the peers is reported, and returns ABANDONED. */
quoit_status quoit_peer_tell(struct quoit_waiter *waiter, uint32_t joined);
/* After a call that does not wait has found nothing: returns EMPTY or FULL, or ABANDONED. */
quoit_status quoit_peer_check(quoit_queue *queue, struct quoit_waiter *waiter);
/* The handle's waiters, and which words its inlined paths look at. */
void quoit_waiters_begin(quoit_queue *queue);
void quoit_waiters_end(quoit_queue *queue);

/* A sleep of at most timeout_ns that a waker ends: announces it, looks whether ready(queue) is true
   already, and sleeps. */
void quoit_sleep_unless(quoit_queue *queue, struct quoit_waiter *waiter,
                        bool (*ready)(quoit_queue *queue, unsigned role), int64_t timeout_ns);

/* How long a call waits. Begun with the call's time-out, and for the rest zeroed. */
struct quoit_patience {
    int64_t timeout_ns;
    uint64_t start;
    bool started;
};
/* The latest try found nothing: FULL or EMPTY, in status_inout. Spins, then sleeps, until there is
   something. true: try again, since others may be faster. false: status_inout is what the call
   returns. */
bool quoit_wait_more(quoit_queue *queue, struct quoit_waiter *waiter,
                     struct quoit_patience *patience, quoit_status *status_inout);

/* Notes which peers are not to be reported to this handle. Called after it has counted itself. */
void quoit_waiters_count(quoit_queue *queue);

/* ---- Descriptors, queue_poll.c --------------------------------------------------------------- */

/* This side has just found nothing: its descriptor stops being readable until there is something.
   */
void quoit_poller_rearm(struct quoit_poller *poller);
void quoit_poller_end(struct quoit_poller *poller, bool forked);

#endif
