/* SPDX-License-Identifier: MIT */
/*
 * Inspection, for tools and monitors: the objects of this machine, the members of a queue, its
 * counters, and its items without taking them. All these calls work on handles with any flags. An
 * observer (QUOIT_OBSERVER) needs only read permission, and no process waits for it.
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

/* Called for each object. name is a name for quoit_queue_open, quoit_pool_open or
   quoit_region_open. If it returns false, the list ends. */
typedef bool quoit_visit(void *context, const char *name);

/*
 * Call visit for each of Quoit's objects: queues, pools, locks and regions, but not semaphores.
 * Damaged objects are listed too, if they begin like an object.
 *   where     NULL: all objects; "sysv" or another scheme: the objects of that scheme; "file:" and
 *             a directory: the objects in it
 *   context   is passed to visit
 * Without a directory, it lists only those file: objects that a process has mapped, if this process
 * may see the mappings (on Linux; on other systems none). It does not list local: objects, which
 * belong to one process. It leaves out an object that this process may not read, or that is created
 * or removed meanwhile. On POSIX systems the thread is not cancelled during the call, also not
 * while visit runs.
 * Returns OK, NAME, INVALID, NOT_FOUND (no such directory), PERMISSION or SYSTEM. UNSUPPORTED: this
 * system does not list objects of that scheme (posix: on macOS). NULL leaves out such a scheme, and
 * one whose directory does not exist. Any thread.
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
    uint64_t pushed; /* items since creation; SPSC messages: bytes, with their headers; MPMC:
                        positions, some of which may have no item */
    uint64_t popped; /* counted as pushed is; broadcast: pushed - size */
    uint64_t pushed_messages; /* as pushed, but the number of SPSC messages. After a crash of the
                                producer it may be one too high until the next producer joins */
    uint64_t popped_messages; /* as popped, but the number of SPSC messages */
    uint64_t created_at_unix_ns;
    uint32_t created_by;   /* PID */
    uint32_t producer_pid; /* a live producer, in its own PID namespace; 0: there is none */
    uint32_t consumer_pid; /* a live consumer, in its own PID namespace; 0: there is none */
    uint32_t item_align;
    /* Counters since creation, of all members. After a crash one may be too low by 1. */
    uint64_t full;       /* pushes, batches and claims that found no room */
    uint64_t empty;      /* pops, batches and peeks that found nothing */
    uint64_t sleeps;     /* how often a side blocked in a wait */
    uint64_t wakes;      /* how often a side woke a blocked one, by a system call */
    uint64_t repairs;    /* claims, items and subscribers of crashed members that were repaired */
    uint64_t high_water; /* the most queued items that a member has seen at its checks */
    char type[32];       /* the item's type; "": the creator gave none */
    uint32_t finishes;   /* this many calls of finish end the stream */
    uint32_t members;    /* the most members at one time; a broadcast's producer does not count */
    uint32_t transient;  /* 1: its name is removed with its last member */
    uint32_t memory;     /* QUOIT_PREFAULT, ... */
    uint64_t reserved[7];
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_queue_info) == 256, "in every version");

/* Get the queue's properties and its counters. Returns OK, FORKED or INVALID. CORRUPT: a System V
   queue has lost its lock file; the PIDs are then 0. Makes a system call for each role. */
quoit_status quoit_queue_inspect(const quoit_queue *queue, struct quoit_queue_info *info_out);

/* Check the queue's shared memory, also while processes use it. Returns OK, FORKED, INVALID, or
   CORRUPT with a sentence. */
quoit_status quoit_queue_check(const quoit_queue *queue);

/* ---- Members --------------------------------------------------------------------------------- */

enum { QUOIT_MEMBERS_MAX = 4097 }; /* 4096 subscribers and a producer */

struct quoit_member_info { /* 64 bytes in every version */
    uint32_t pid;          /* in its own PID namespace */
    uint32_t roles; /* QUOIT_PRODUCER, QUOIT_CONSUMER or both; 0 for a member of a pool or a lock */
    uint64_t joined_at_unix_ns;
    /* 0: the member crashed, and no other has taken its entry since. To an observer without write
       permission, systems other than Linux do not show this: it is 1 then. */
    uint32_t alive;
    /* 1: the other members wait for it. MPMC: its claim is the oldest, or it has taken the oldest
       item and not released it. BROADCAST: it is the subscriber with the most items left to take.
       SPSC: it is the consumer, and the queue is full. A lock: it has the lock. */
    uint32_t holds_up;
    uint64_t lag; /* BROADCAST: items that this subscriber has not taken yet; else 0 */
    uint64_t reserved[4];
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_member_info) == 64, "in every version");

/*
 * List the members of a queue, a pool or a lock. A crashed member is listed until another one takes
 * its entry.
 *   members_out   an array of `room` elements; QUOIT_MEMBERS_MAX is always enough, and 65 if
 *                 options.members was 0; may be NULL if room is 0
 *   count_out     how many members there are; may be more than room
 * Returns OK, FORKED or INVALID. CORRUPT: a System V object has lost its lock file, so all members
 * look crashed. Makes a system call for each member. It is a snapshot: members may join and leave
 * meanwhile.
 */
quoit_status quoit_queue_members(const quoit_queue *queue, struct quoit_member_info *members_out,
                                 uint64_t room, uint64_t *count_out);
quoit_status quoit_pool_members(const quoit_pool *pool, struct quoit_member_info *members_out,
                                uint64_t room, uint64_t *count_out);
quoit_status quoit_lock_members(const quoit_lock *lock, struct quoit_member_info *members_out,
                                uint64_t room, uint64_t *count_out);

/* ---- Browsing: items without taking them ----------------------------------------------------- */

/* How far a process has browsed a queue. All zero: begin with the oldest item that is queued. */
struct quoit_browser { /* 32 bytes in every version */
    uint64_t next;     /* a position, as in quoit_queue_info.pushed and .popped */
    uint64_t missed;   /* items that were taken or overwritten before it read them; SPSC messages:
                          how often that happened */
    uint64_t begun;    /* 1: begin at next; for example at info.pushed, after the newest item */
    uint64_t reserved;
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_browser) == 32, "in every version");

/*
 * Copy the next queued item without taking it, and move the browser behind it.
 *   buffer      has room_bytes: enough for an item, or for the longest message
 *   bytes_out   the size of the item or message, also with TOO_BIG; may be NULL
 * Returns OK, EMPTY (no item yet), FINISHED (and none will come), TOO_BIG (the browser stays),
 * CORRUPT, FORKED or INVALID. It never waits, and makes no system call. It does not return an item
 * that a consumer has taken, except one that a consumer is taking at that moment. It returns items
 * of a broadcast as long as they are kept. An item that is being overwritten counts as missed; the
 * call never returns a torn one.
 */
quoit_status quoit_queue_browse(const quoit_queue *queue, struct quoit_browser *browser,
                                void *buffer, uint64_t room_bytes, uint64_t *bytes_out);

/* ---- Repair ---------------------------------------------------------------------------------- */

/*
 * Repair what crashed members left: skip claims that were never committed, mark items that a
 * crashed consumer had taken and not released for the next consumer, and clear the entries of
 * crashed members. Queues that are in use repair themselves; this call is for a queue that no
 * process uses.
 *   count_out   how many claims, items and entries were repaired; may be NULL
 * The handle must be a member's; join with QUOIT_FOR_REPAIR, so that other members do not take it
 * for a peer. For an observer the call only counts.
 * Returns OK, FORKED, INVALID or CORRUPT (as quoit_queue_check, or the lock file is missing).
 */
quoit_status quoit_queue_repair(quoit_queue *queue, uint64_t *count_out);

/*
 * Remove the queue, pool or lock of that name if it is abandoned: at least one member has crashed,
 * and no member is alive. A queue with QUOIT_TRANSIENT is abandoned if no member is alive. If a
 * process joins at the same time, either this call finds the process and the name stays, or the
 * process does not find the name (quoit_queue_join then creates a new object).
 *   flags   0, or QUOIT_ANY_OWNER, as for quoit_unlink
 * Returns OK, NOT_FOUND, PERMISSION, OTHER_USER, DIFFERENT (a region, which keeps no members),
 * CORRUPT, FORMAT or INVALID. BUSY: a member is alive, or no member has crashed. Waits at most 10
 * seconds. Any thread.
 */
quoit_status quoit_unlink_abandoned(const char *name, uint32_t flags);

#ifdef __cplusplus
}
#endif

#endif
