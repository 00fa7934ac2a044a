/* SPDX-License-Identifier: MIT */
/*
 * Inspection, for tools and monitors: which objects this machine has, which members a queue has,
 * what has happened to it, and its items without taking them. All of these calls work on handles
 * with any flags. An observer (QUOIT_OBSERVER) needs read permission only, and no process waits for
 * it.
 */
#ifndef QUOIT_INSPECT_H
#define QUOIT_INSPECT_H

#include <quoit.h>
#include <quoit/lock.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Lists of objects ------------------------------------------------------------------------ */

/* Called for each object. name: for quoit_queue_open, quoit_pool_open or quoit_region_open. The
   listing ends if it returns false. */
typedef bool quoit_visit(void *context, const char *name);

/*
 * Call visit for each of Quoit's objects: queues, pools, locks and regions. Damaged ones are
 * listed, too, if their first bytes are those of an object. Semaphores are not listed.
 *   where     NULL: all objects; a scheme, "sysv"; "file:" and a directory: the objects in it
 *   context   is passed on to visit
 * Without a directory, the file: objects are those that a process has mapped, as far as this
 * process may see its mappings (Linux; elsewhere none are found). local: objects belong to one
 * process, and are not listed. An object is left out if this process may not read it, or if it is
 * made or removed meanwhile. On POSIX systems quoit_list disables cancellation of the thread, also
 * while visit runs.
 * OK NAME INVALID NOT_FOUND (no such directory) PERMISSION SYSTEM; UNSUPPORTED for a scheme whose
 * objects this system does not list (posix: on macOS); NULL leaves out such a scheme, and one whose
 * directory does not exist. Any thread.
 */
quoit_status quoit_list(const char *where, quoit_visit *visit, void *context);

/* ---- Description and counters of a queue ----------------------------------------------------- */

struct quoit_queue_info { /* 256 bytes in every version */
    uint32_t kind;        /* QUOIT_SPSC, ... */
    uint32_t when_full;   /* of a broadcast: QUOIT_WAIT_FOR_SLOWEST, ... */
    uint32_t messages;    /* 1: every message has its own size */
    uint32_t finished;    /* 1: the stream has ended */
    uint64_t item_bytes;
    uint64_t capacity;
    uint64_t user_bytes;
    uint64_t size;
    uint64_t pushed; /* items ever; MPMC: positions, of which some may have no item */
    uint64_t popped; /* likewise; broadcast: pushed - size; SPSC messages: bytes, with headers */
    uint64_t pushed_messages; /* as pushed, but of SPSC messages their number, too; after a crash of
                                the producer it may be one too high until the next one joins */
    uint64_t popped_messages; /* likewise */
    uint64_t created_at_unix_ns;
    uint32_t created_by;   /* PID */
    uint32_t producer_pid; /* of a live one, in its own PID namespace; 0: there is none */
    uint32_t consumer_pid; /* likewise */
    uint32_t item_align;
    /* Counters since creation, of all members, for people: a crash may leave one too low by 1. */
    uint64_t full;       /* pushes, batches and claims that found no room */
    uint64_t empty;      /* pops, batches and peeks that found nothing */
    uint64_t sleeps;     /* how often a side blocked in a wait */
    uint64_t wakes;      /* how often a side woke a blocked one, by a system call */
    uint64_t repairs;    /* claims, items and subscribers left by a crash, since repaired */
    uint64_t high_water; /* the most queued items that a member has seen at its checks */
    char type[32];       /* what an item is; "": the maker gave no type */
    uint32_t finishes;   /* this many finishes end the stream */
    uint32_t reserved_word;
    uint64_t reserved[8];
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_queue_info) == 256, "in every version");

/* The queue's properties and its counters. OK FORKED INVALID, and CORRUPT if a System V queue has
   lost its lock file: the PIDs are then 0. Makes a system call for each role. */
quoit_status quoit_queue_inspect(const quoit_queue *queue, struct quoit_queue_info *info_out);

/* Check the invariants of the queue's shared memory, also while processes use it. OK, or CORRUPT
   with a sentence; FORKED INVALID. */
quoit_status quoit_queue_check(const quoit_queue *queue);

/* ---- Members --------------------------------------------------------------------------------- */

enum { QUOIT_MEMBERS_MAX = 65 };

struct quoit_member_info { /* 64 bytes in every version */
    uint32_t pid;          /* in its own PID namespace */
    uint32_t roles; /* QUOIT_PRODUCER, QUOIT_CONSUMER or both; of a pool's or a lock's member 0 */
    uint64_t joined_at_unix_ns;
    /* 0: it crashed, and no member has taken its entry since. An observer without write permission
       on the object learns this on Linux only; elsewhere it is then 1. */
    uint32_t alive;
    /* 1: the queue's next step waits for it. MPMC: its claim is the oldest, or it has taken and not
       released the oldest item. BROADCAST: it is the subscriber with the most items left to take.
       SPSC: the consumer while the queue is full. A lock: it has the lock. */
    uint32_t holds_up;
    uint64_t lag; /* BROADCAST: items that this subscriber has yet to take; else 0 */
    uint64_t reserved[4];
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_member_info) == 64, "in every version");

/*
 * The members of a queue, a pool or a lock. A crashed member is listed until another one takes its
 * entry.
 *   members_out   for at most `room` members; QUOIT_MEMBERS_MAX is always enough; may be NULL if
 *                 room is 0
 *   count_out     how many there are, which may be more
 * OK FORKED INVALID, and CORRUPT if a System V object has lost its lock file: then no member seems
 * to be alive. Makes a system call for each member. A snapshot: members join and leave meanwhile.
 */
quoit_status quoit_queue_members(const quoit_queue *queue, struct quoit_member_info *members_out,
                                 uint64_t room, uint64_t *count_out);
quoit_status quoit_pool_members(const quoit_pool *pool, struct quoit_member_info *members_out,
                                uint64_t room, uint64_t *count_out);
quoit_status quoit_lock_members(const quoit_lock *lock, struct quoit_member_info *members_out,
                                uint64_t room, uint64_t *count_out);

/* ---- Browsing: items without taking them ----------------------------------------------------- */

/* How far a process has browsed a queue. All zero: before the oldest item that is queued. */
struct quoit_browser { /* 32 bytes in every version */
    uint64_t next;     /* a position, as in quoit_queue_info.pushed and .popped */
    uint64_t missed;   /* items that were gone before it came to them; SPSC messages: how often some
                        were gone */
    uint64_t begun;    /* 1: begin at next; e.g. at info.pushed, behind the newest item */
    uint64_t reserved;
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_browser) == 32, "in every version");

/*
 * Copy the next item that is still there, without taking it, and move the browser behind it.
 *   buffer      room for room_bytes: of an item, or of the longest message
 *   bytes_out   the size of the item or message, also with TOO_BIG; may be NULL
 * OK EMPTY (no item yet) FINISHED (and none will come) TOO_BIG (the browser stays) CORRUPT FORKED
 * INVALID. It never waits, and makes no system call. It does not return an item that a consumer has
 * taken, except one that a consumer is taking at that moment. It returns the items of a broadcast
 * as long as they are kept. It counts an item that is being overwritten as missed, and never
 * returns a torn one.
 */
quoit_status quoit_queue_browse(const quoit_queue *queue, struct quoit_browser *browser,
                                void *buffer, uint64_t room_bytes, uint64_t *bytes_out);

/* ---- Repair ---------------------------------------------------------------------------------- */

/*
 * Repair what crashed members left, as every member does that finds it: skip claims that were
 * never committed, pass on items that a crashed consumer had taken and not released, and clear
 * the entries of crashed members.
 *   count_out   how many claims, items and entries these were; may be NULL
 * Called by a member; join with QUOIT_FOR_REPAIR, so that other members do not take it for a peer.
 * An observer only counts them. A queue works without this call, which is for a queue that no
 * process uses.
 * OK FORKED INVALID CORRUPT (as of quoit_queue_check, or a lost lock file).
 */
quoit_status quoit_queue_repair(quoit_queue *queue, uint64_t *count_out);

/*
 * Remove the queue, pool or lock of that name if it is abandoned: at least one member crashed in
 * it, and none is alive. If a process joins at the same time, either this call finds it and the
 * name stays, or that process finds no name (quoit_queue_join then creates a new object).
 *   flags   0, or QUOIT_ANY_OWNER, as of quoit_unlink
 * OK NOT_FOUND PERMISSION OTHER_USER, DIFFERENT (a region, which keeps no members), CORRUPT FORMAT,
 * and BUSY: it has a live member, or no member crashed in it; INVALID. Waits at most 10 seconds.
 * Any thread.
 */
quoit_status quoit_unlink_abandoned(const char *name, uint32_t flags);

#ifdef __cplusplus
}
#endif

#endif
