/* SPDX-License-Identifier: MIT */
/*
 * Quoit: messages between the processes of one machine, through shared memory.
 *
 *     QUOIT_DEFINE_QUEUE(product, struct product)             one line for each type that you send
 *
 *     struct quoit_queue_options options = {.item_bytes = sizeof(struct product), .capacity = 5};
 *     quoit_queue *queue;
 *     quoit_status status = quoit_queue_join("products", &options, QUOIT_PRODUCER, &queue);
 *     if (status != QUOIT_OK) fprintf(stderr, "%s\n", quoit_describe(status));
 *     product_push(queue, &item);                             QUOIT_OK or QUOIT_FULL; never blocks
 *
 * CAVEATS, FIRST
 *   - A queue outlives the processes that use it: it is there until quoit_queue_unlink (or, but for
 *     file: names, the next boot). Not on Windows: a windows: object, and what is in it, is gone
 *     when its last handle is closed, by a death or by close.
 *   - Everybody who may write to a queue can spoil its data. They cannot make you read or write
 *     outside it. Truncating the object behind a live mapping (a file, say) is the exception: the
 *     system then sends SIGBUS.
 *   - After fork, the child's copies of queue and pool handles are dead: calls give
 *     QUOIT_ERROR_FORKED, or what an empty queue would. Open anew. This needs fork() itself; a bare
 *     clone() system call is not seen. A fork waits while another thread opens or creates. Regions
 *     and semaphores go on. Fork handlers of your own (pthread_atfork) must not call Quoit, nor
 *     take a lock that any thread holds while it calls Quoit.
 *   - Items are copied as bytes: no pointers in them.
 *   - Leave the library's descriptors open (no closefrom): who lives is asked through them.
 *
 * NAMES are [scheme:]text.
 *     products            the system's native kind (Windows: windows, elsewhere: posix)
 *     posix:products      POSIX shared memory, as shm_open("/products"); no slashes
 *     sysv:products       System V, the key derived from the text; sysv:0x51a7 names a key outright
 *     windows:products    Windows, in this logon session; windows:Global\products, in all of them;
 *                         no other backslash
 *     file:/var/tmp/p     an ordinary file, which survives a reboot
 *     local:products      this process, its threads, and children it forks later; on Linux needs
 *                         /proc
 * Texts are UTF-8 of at most QUOIT_NAME_MAX bytes, of a file QUOIT_PATH_MAX; on macOS those of
 * posix: are of at most 30. docs/PLATFORMS.md has what differs between systems.
 *
 * WHAT MAY OVERLAP WITH WHAT
 *     different handles                       everything, in any processes and threads
 *     one queue handle: push, claim, commit,  one thread at a time (the producer's), their waits
 *         finish                              included
 *     one queue handle: pop, peek, release    one thread at a time (the consumer's), beside it
 *     one queue handle: poll_fd               as the side's own calls
 *     one queue handle: size, inspect, …      any thread, beside both
 *     one queue handle: close                 nothing else
 *     pool, region, semaphore handles         any thread, but for close
 *
 * SIGNALS AND CANCELLATION, on POSIX systems. Calls that create, open, join, remove or close, and
 * poll_fd, block this thread's signals while they work, but not while they wait for another
 * process. Signals of the thread's own faults are never blocked. Beyond ulimit -f a call returns
 * NO_SPACE; no SIGXFSZ comes. In a signal handler call only quoit_sem_post and quoit_status_name.
 * Do not longjmp out of a call: afterwards the handle can only be closed, and other members see a
 * crash. A handler may fork; the child must end with exec or _exit (there a call that waited may
 * return FORKED). Cancellation points: create, open, join and unlink as they begin; a wait that
 * finds nothing, then and each tenth of a second; a semaphore's as it begins, a posix one's all the
 * time. A cancelled thread has changed nothing; another may use its handle.
 *
 * ERRORS are a quoit_status (<quoit/status.h>); quoit_describe returns a sentence about it.
 * Comments write INVALID for QUOIT_ERROR_INVALID. Nothing here sets errno on purpose, prints, or
 * exits; push and pop do not allocate.
 *
 * FORMAT.md numbers refer to docs/FORMAT.md, the layout of what is shared.
 */
#ifndef QUOIT_H
#define QUOIT_H

#include <quoit/spsc.h>
#include <quoit/status.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUOIT_NAME_MAX 200
#define QUOIT_PATH_MAX 4000
#define QUOIT_FOREVER  INT64_MAX /* as a timeout_ns */

/* ---- Queues ---------------------------------------------------------------------------------- */

typedef struct quoit_queue quoit_queue;

enum quoit_kind {
    QUOIT_SPSC = 0, /* one producer, one consumer: the fastest */
    /* Many of each; an item goes to one consumer. Items of one producer come in its order. Many
       claim one counter, so an item costs several times what it does with QUOIT_SPSC. */
    QUOIT_MPMC = 1,
    /* One producer, and consumers, subscribers here, that each see every item from where they came
       in; they come and go as they like. */
    QUOIT_BROADCAST = 2
};

/* What a queue is to be fastest at. Both do everything. MPMC has one way, and takes either. */
enum quoit_tuning {
    /* One item at a time, seen by the other side at once: each is handed over in the cache line
       that carries it. (Items of more than 256 bytes are kept as spans.) */
    QUOIT_FOR_ITEMS = 0,
    /* Many at a time: batches are copied as one piece and published at once, and claims are made in
       place. */
    QUOIT_FOR_SPANS = 1
};

/* What becomes of a subscriber that is slower than the producer. */
enum quoit_broadcast {
    /* The producer waits for the slowest living subscriber: FULL where that has capacity items to
       take yet. Without subscribers there is always room. */
    QUOIT_LOSSLESS = 0,
    /* The producer waits for nobody. A subscriber that it overtakes goes on with newer items, and
       knows how many it missed: quoit_queue_missed. */
    QUOIT_LOSSY = 1
};

/* All zero, but for item_bytes and capacity, is a good start. */
struct quoit_queue_options {
    enum quoit_kind kind;
    uint32_t item_bytes;  /* size of an item; QUOIT_ERROR_INVALID if 0 */
    uint64_t capacity;    /* items, exactly; QUOIT_ERROR_INVALID if 0 */
    uint32_t permissions; /* as of chmod, whatever the umask; 0 = 0600 */
    bool sized; /* messages with lengths of their own, up to item_bytes: push_sized, … */
    enum quoit_tuning tuning;
    uint32_t user_bytes; /* room of your own beside the queue, zeroed: quoit_queue_user_area */
    enum quoit_broadcast broadcast; /* of QUOIT_BROADCAST alone */
};

/* What a handle is for; may be or-ed. 0 is not valid. */
enum quoit_role {
    QUOIT_PRODUCER = 1,      /* but for MPMC: one living holder; a dead one's place is taken over */
    QUOIT_CONSUMER = 2,      /* SPSC: likewise */
    QUOIT_OBSERVER = 4,      /* looks, and needs only read permission */
    QUOIT_ANY_OWNER = 0x100, /* not a role: accept an object that belongs to another user */
    /* Not a role: a subscriber (QUOIT_BROADCAST) begins with the oldest item that is kept, and not
       with the first one that is pushed after it came. At least three quarters of the capacity are
       kept, lossy: all of it. */
    QUOIT_FROM_OLDEST = 0x200,
    /* Not a role: joins to repair; no other handle takes it for a peer (QUOIT_ABANDONED). */
    QUOIT_FOR_REPAIR = 0x400
};

/*
 * Make a queue, open one, or do whichever it takes.
 *   name         see NAMES
 *   options      what to make; join compares all but permissions with what is there
 *   roles        of enum quoit_role
 *   queue_out    the handle, to be closed by quoit_queue_close; NULL on failure
 * create returns OK EXISTS NO_SPACE. open returns OK NOT_FOUND NOT_QUOIT FORMAT CORRUPT OTHER_USER,
 * and DIFFERENT if the object is no queue. join returns any of these, and DIFFERENT if the queue is
 * not as the options ask. All: INVALID NAME UNSUPPORTED PERMISSION LIMIT NO_MEMORY SYSTEM, and
 * ROLE_TAKEN if a live process has the role (see enum quoit_role). LIMIT if 64 handles are in it
 * already, of a broadcast 64 subscribers and a producer.
 * Creation is atomic: others find nothing or the whole queue, with its memory reserved. Any thread.
 * Blocks only behind another process that is creating or removing a System V object of that name,
 * at most 10 s in all (then BUSY), and behind another user's only with QUOIT_ANY_OWNER and if the
 * object is that user's. UNSUPPORTED: a sysv: name, without /proc on Linux. Format: FORMAT.md.
 */
quoit_status quoit_queue_create(const char *name, const struct quoit_queue_options *options,
                                unsigned roles, quoit_queue **queue_out);
quoit_status quoit_queue_open(const char *name, unsigned roles, quoit_queue **queue_out);
quoit_status quoit_queue_join(const char *name, const struct quoit_queue_options *options,
                              unsigned roles, quoit_queue **queue_out);

/* Leave. The queue, with what is in it, stays; the roles are free from here. NULL is allowed. */
void quoit_queue_close(quoit_queue *queue);

/* End of stream: pushes get FINISHED, pops too once they have drained the queue. By a producer, for
   all of them, else WRONG_ROLE; may be repeated. What others have claimed by then they still
   commit. It cannot be undone: unlink the queue and create another. */
quoit_status quoit_queue_finish(quoit_queue *queue);

/*
 * Remove a queue's name. Who has it open goes on with it, and shares nothing with a later one of
 * that name. unlink_self does so only if the name still leads to this handle's queue, else
 * REMOVED; not by an observer (PERMISSION). A damaged queue can be unlinked like any other, if it
 * can still be told to be Quoit's.
 * OK NOT_FOUND NOT_QUOIT (left alone) DIFFERENT (no queue) OTHER_USER PERMISSION BUSY.
 */
quoit_status quoit_queue_unlink(const char *name);
quoit_status quoit_queue_unlink_self(quoit_queue *queue);

/*
 * Push a copy of one item, pop one into item_out.
 * push: OK FULL FINISHED (finished); pop: OK EMPTY FINISHED (finished, and drained).
 * Both: ABANDONED (the other side is gone, see <quoit/status.h>), WRONG_ROLE FORKED CORRUPT.
 * A push that returned OK is visible to the consumer and survives a crash of its producer.
 * MPMC: positions are claimed in order and taken in order. A producer that is stopped between claim
 * and commit blocks the positions behind it. One that crashed there does not: a blocked process
 * asks the kernel and goes on. An item that a crashed consumer had taken and not released goes,
 * late, to a consumer that finds no other item. A pop returns FINISHED once no item can come any
 * more: not while a live consumer still reads one.
 * BROADCAST: an item is committed for all subscribers at once. If the ring is full, a lossless push
 * asks the kernel whether the subscriber that blocks it is alive. It drops one that crashed, but
 * not one that is stopped. A lossy pop never returns a torn item; unless it returns OK, the
 * contents of item_out are unspecified. These calls never block and never allocate. They make a
 * system call only to wake a sleeping side, and to ask the kernel which members are alive: for
 * ABANDONED, or if a claim (MPMC) or a subscriber blocks. The typed forms are much faster.
 */
quoit_status quoit_queue_push(quoit_queue *queue, const void *item);
quoit_status quoit_queue_pop(quoit_queue *queue, void *item_out);

/*
 * The same, but where a push finds the queue full, or a pop finds it empty, they wait for the other
 * side: first by looking again and again for some microseconds, as many as paid lately, then
 * asleep.
 *   timeout_ns   0 or less does not wait; QUOIT_FOREVER has no end; by the monotonic clock
 * Beside push's and pop's, but never FULL or EMPTY:
 *   TIMEOUT      nothing came, and nothing was done
 *   ABANDONED    as push and pop; the next wait waits for a successor
 * A signal does not end a wait. Where nobody sleeps, nobody makes a system call: push and pop look
 * at one word that they have at hand.
 */
quoit_status quoit_queue_push_wait(quoit_queue *queue, const void *item, int64_t timeout_ns);
quoit_status quoit_queue_pop_wait(quoit_queue *queue, void *item_out, int64_t timeout_ns);

/* Only the waiting, before a batch, a claim or a peek: OK when there is room, when there are items.
   FINISHED TIMEOUT ABANDONED WRONG_ROLE FORKED CORRUPT. */
quoit_status quoit_queue_wait_for_room(quoit_queue *queue, int64_t timeout_ns);
quoit_status quoit_queue_wait_for_items(quoit_queue *queue, int64_t timeout_ns);

/*
 * A descriptor for event loops (poll, epoll, libuv …): readable while a side of the queue has
 * something to do. Level-triggered: it stays readable until a call has found nothing, so go on
 * until EMPTY (or FULL) and nothing is missed; it may be readable once in vain.
 *   role     QUOIT_CONSUMER: there are items, QUOIT_PRODUCER: room; or the end, or ABANDONED
 *   fd_out   the queue's own, closed with it; only wait on it, never read it
 * OK WRONG_ROLE FORKED INVALID LIMIT NO_MEMORY; UNSUPPORTED on Windows. Starts a thread, which
 * sleeps on the queue in your place and blocks all signals. By the side's own thread.
 */
quoit_status quoit_queue_poll_fd(quoit_queue *queue, unsigned role, int *fd_out);

/* As many of count as there is room for, or as are there; returns how many. 0 also stands for all
   that a push or pop would report as a status: ask it for the reason. With QUOIT_FOR_SPANS they are
   published at once: after a death there are all or none; else the first ones, or all. What a
   pop_many has given back when its process dies in it is gone: peek where that matters. */
uint64_t quoit_queue_push_many(quoit_queue *queue, const void *items, uint64_t count);
uint64_t quoit_queue_pop_many(quoit_queue *queue, void *items_out, uint64_t count);

/*
 * Make items where they will lie: claim gives room for up to `wanted` items, one after the other,
 * at least one; commit pushes the first count of them, which may be fewer, or 0. A claim that is
 * not committed never was: claim again, push, or die. Nobody sees the items before. With
 * QUOIT_FOR_SPANS the room is the queue itself; else it is the handle's, and commit copies.
 * MPMC: one item at a time, in the queue itself. From the claim on it has its place in the order,
 * and those behind it wait: commit it soon, or give it up by committing 0. Claiming again gives the
 * same room, and push fills it.
 * BROADCAST: lossless, one item at a time, in the queue itself; lossy, the room is the handle's.
 * claim: as push, and INVALID for 0; NULL and 0 unless OK. commit: OK, or INVALID if count is more
 * than is claimed.
 */
quoit_status quoit_queue_claim(quoit_queue *queue, uint64_t wanted, void **items_out,
                               uint64_t *count_out);
quoit_status quoit_queue_commit(quoit_queue *queue, uint64_t count);

/*
 * Messages, of a queue that was made .sized: each as long as it is, from 0 to item_bytes. The calls
 * for items of one size return INVALID there, these do elsewhere; release(1), commit(0), finish and
 * the waits are for both.
 *   SPSC            a ring of bytes, in which capacity of the longest fit, and more of shorter ones
 *   MPMC, BROADCAST capacity of any length
 * push_sized: as push, and TOO_BIG beyond item_bytes. pop_sized: as pop, and TOO_BIG where buffer
 * has no room for it: bytes_out says how long it is, and it stays. claim_sized gives room for so
 * many bytes in place, of which commit_sized may use fewer (else INVALID); peek_sized shows the
 * next message in place, until release(1). A lossy broadcast makes and shows it in the handle's
 * memory.
 */
quoit_status quoit_queue_push_sized(quoit_queue *queue, const void *message, uint64_t bytes);
quoit_status quoit_queue_pop_sized(quoit_queue *queue, void *buffer, uint64_t room_bytes,
                                   uint64_t *bytes_out);
quoit_status quoit_queue_push_sized_wait(quoit_queue *queue, const void *message, uint64_t bytes,
                                         int64_t timeout_ns);
quoit_status quoit_queue_pop_sized_wait(quoit_queue *queue, void *buffer, uint64_t room_bytes,
                                        uint64_t *bytes_out, int64_t timeout_ns);
quoit_status quoit_queue_claim_sized(quoit_queue *queue, uint64_t bytes, void **message_out);
quoit_status quoit_queue_commit_sized(quoit_queue *queue, uint64_t bytes);
quoit_status quoit_queue_peek_sized(quoit_queue *queue, const void **message_out,
                                    uint64_t *bytes_out);

/*
 * Look at what is next without taking it: count_out items at items_out, in place, one after the
 * other, at least one. They stay valid, and queued, until they are released, all or the first of
 * them; a consumer that dies before leaves them to the next.
 * MPMC: one item at a time, which is this consumer's from then on; others take those behind it.
 * Peeking again gives the same one, pop takes it. close leaves it to the others.
 * BROADCAST: one item at a time; lossless in place, and the producer waits for its release; lossy a
 * copy in the handle, which nobody overwrites.
 * peek: as pop; NULL and 0 unless OK. release: OK, or INVALID if count is more than is there.
 */
quoit_status quoit_queue_peek(quoit_queue *queue, const void **items_out, uint64_t *count_out);
quoit_status quoit_queue_release(quoit_queue *queue, uint64_t count);

/* Snapshots, any role, any thread; on a handle from before a fork, those of an empty queue. MPMC:
   an item counts from its claim to its being taken, so peeked ones, which still take up room, are
   not in the size, and claims that came to nothing are for a while. The size of a broadcast is what
   this handle's subscriber has yet to take; without one, what the slowest living one has, which
   costs a system call for each. */
uint64_t quoit_queue_size(const quoit_queue *queue);
uint64_t quoit_queue_capacity(const quoit_queue *queue);
bool quoit_queue_is_empty(const quoit_queue *queue);
bool quoit_queue_is_full(const quoit_queue *queue);
bool quoit_queue_is_finished(const quoit_queue *queue);

/* Of a lossy broadcast: items that were overwritten before this handle's subscriber came to them.
   With those that it got it makes as many as were pushed since it came in, to the item, once it
   gets FINISHED (or EMPTY, and none is pushed). Any thread; else 0. */
uint64_t quoit_queue_missed(const quoit_queue *queue);

struct quoit_queue_info {
    enum quoit_kind kind;
    uint32_t item_bytes;
    uint64_t capacity;
    enum quoit_tuning tuning;
    enum quoit_broadcast broadcast;
    bool sized;
    uint64_t user_bytes;
    uint64_t pushed; /* items ever; MPMC: positions, and some may have come to nothing */
    uint64_t popped; /* likewise; broadcast: pushed - size; sized SPSC: bytes, headers too */
    uint64_t size;
    bool finished;
    uint32_t producer_pid; /* of a living one, in its own PID namespace; 0: there is none */
    uint32_t consumer_pid; /* likewise */
    uint32_t created_by;   /* PID */
    uint64_t created_at_unix_ns;
    /* Counters since creation, over all members, for people: a crash may leave them one short. */
    uint64_t full;            /* pushes, batches and claims that found no room */
    uint64_t empty;           /* pops, batches and peeks that found nothing */
    uint64_t sleeps;          /* how often a side went to sleep */
    uint64_t wakes;           /* how often a side woke sleepers, a system call each */
    uint64_t repairs;         /* claims, items and subscribers left by a crash, since repaired */
    uint64_t high_water;      /* the most queued items that a member has seen at its checks */
    uint64_t pushed_messages; /* as pushed, but of a sized SPSC queue messages too */
    uint64_t popped_messages; /* likewise */
};
/* OK FORKED INVALID, and CORRUPT where a System V queue has lost its lock file: the PIDs are then
   0. A system call for each role. */
quoit_status quoit_queue_inspect(const quoit_queue *queue, struct quoit_queue_info *info_out);

/* The invariants of the queue's shared memory: OK, or CORRUPT with a sentence. Any role, while
   in use. */
quoit_status quoit_queue_check(const quoit_queue *queue);

/* The room that options.user_bytes asked for, aligned to 64, NULL if none; for observers read-only.
   What is in it, and its atomicity, is yours. In a forked child NULL, and a pointer from before the
   fork leads to zeros. */
void *quoit_queue_user_area(const quoit_queue *queue);

/* ---- Pools: blocks of one size that change hands --------------------------------------------- */

typedef struct quoit_pool quoit_pool;

/* A block, by a number that means the same in every process; never 0. It tells its generation too:
   once a block is freed, whoever still has its number has the number of nothing. (After 2^32 frees
   of one block its numbers come again.) */
typedef uint64_t quoit_block;

struct quoit_pool_options {
    uint64_t block_bytes; /* size of a block; QUOIT_ERROR_INVALID if 0 */
    uint64_t blocks;      /* how many, exactly; QUOIT_ERROR_INVALID if 0 */
    uint32_t permissions; /* 0 = 0600 */
};

/*
 * Make a pool, open one, or do whichever it takes; as for queues, and with the same statuses. At
 * most 2^32 - 2 blocks (INVALID), and 64 handles that are members (LIMIT).
 *   flags      0 or QUOIT_ANY_OWNER; of open also QUOIT_READ_ONLY: an observer, no member
 *   pool_out   the handle, to be closed by quoit_pool_close; NULL on failure
 * What a handle has allocated or popped is this handle's: no other one's of the same process.
 * Concurrency: any thread, and so for all calls on one pool, but for close; push and pop are also
 * those of their queue. One block is one thread's at a time. After fork the child's copy is dead:
 * QUOIT_ERROR_FORKED, NULL, 0.
 */
quoit_status quoit_pool_create(const char *name, const struct quoit_pool_options *options,
                               unsigned flags, quoit_pool **pool_out);
quoit_status quoit_pool_open(const char *name, unsigned flags, quoit_pool **pool_out);
quoit_status quoit_pool_join(const char *name, const struct quoit_pool_options *options,
                             unsigned flags, quoit_pool **pool_out);
/* Leave. Blocks that are still this handle's are as those of the dead: quoit_pool_reclaim frees
   them. NULL is allowed. */
void quoit_pool_close(quoit_pool *pool);
quoit_status quoit_pool_unlink(const char *name); /* as quoit_queue_unlink */

/*
 * Take a block, which is then this handle's, and give one back. What is in a new one is what its
 * last owner left there.
 *   block_out   0 unless OK
 * alloc: OK EXHAUSTED (none is free; what the dead had is not, before quoit_pool_reclaim).
 * free: OK NOT_YOURS (not this handle's: freed already, sent, of another handle or pool, or no
 * block at all; nothing was done). Both: INVALID FORKED WRONG_ROLE (an observer). Lock-free, no
 * system call; EXHAUSTED has looked at each block, and while others allocate and free it may be
 * told although one was free at each moment.
 */
quoit_status quoit_pool_alloc(quoit_pool *pool, quoit_block *block_out);
quoit_status quoit_pool_free(quoit_pool *pool, quoit_block block);

/*
 * Where a block is in this process, aligned to 64; NULL unless it is this handle's. The pointer is
 * good until the block is freed or pushed. For an observer: any block that is not free, which it
 * may read, while its owner may write it.
 */
void *quoit_pool_at(const quoit_pool *pool, quoit_block block);

/*
 * Hand a block on through a queue of items of 8 bytes, any kind of queue, which is used for blocks
 * of this pool alone. What was written to it before is seen by who pops it.
 * push: what quoit_queue_push tells, and NOT_YOURS. Unless OK the block is still this handle's.
 * pop: what quoit_queue_pop tells, and
 *   NOT_YOURS   what was next was no block that was pushed here; it is taken off
 *   BUSY        another consumer crashed, or is about to, between peek and release of the next
 *               block; it stays queued, and a moment later it is this one's
 * Both: INVALID if the queue's items are not of 8 bytes; WRONG_ROLE for an observer of the pool.
 * Whoever dies at whatever instruction: a block is in the queue or a member's. One that was pushed
 * is not lost with its producer; one that was popped is with its consumer, until reclaimed.
 */
quoit_status quoit_pool_push(quoit_pool *pool, quoit_queue *queue, quoit_block block);
quoit_status quoit_pool_pop(quoit_pool *pool, quoit_queue *queue, quoit_block *block_out);
/* The same, but they wait as quoit_queue_push_wait and quoit_queue_pop_wait do. */
quoit_status quoit_pool_push_wait(quoit_pool *pool, quoit_queue *queue, quoit_block block,
                                  int64_t timeout_ns);
quoit_status quoit_pool_pop_wait(quoit_pool *pool, quoit_queue *queue, quoit_block *block_out,
                                 int64_t timeout_ns);

/*
 * Free the blocks of those who died, or closed without freeing.
 *   queues      queues that blocks are sent through, any role; queue_count of them, NULL if none
 *   count_out   blocks freed; may be NULL
 * A block that was on its way through a queue is freed if it is not in it any more, or never came
 * to be; if the queue is not among these, it is left alone. So pop what is in a queue before you
 * unlink it. (Where an SPSC consumer died, the queue's next one may have to open it first.)
 * By any member, at any time, by several at once. OK INVALID FORKED WRONG_ROLE. A look at each
 * block, a system call for each owner, and a look through the queue for each block that a dead one
 * sent.
 */
quoit_status quoit_pool_reclaim(quoit_pool *pool, quoit_queue *const *queues, uint64_t queue_count,
                                uint64_t *count_out);

/* What the pool was made with, and how many blocks are free: a snapshot, which looks at each. Any
   handle, any thread; in a forked child 0. */
uint64_t quoit_pool_block_bytes(const quoit_pool *pool);
uint64_t quoit_pool_blocks(const quoit_pool *pool);
uint64_t quoit_pool_free_count(const quoit_pool *pool);

/* The invariants of the pool's shared memory: OK, or CORRUPT with a sentence. While in use. */
quoit_status quoit_pool_check(const quoit_pool *pool);

/* ---- Regions: named memory, handed out by offset --------------------------------------------- */

typedef struct quoit_region quoit_region;

enum quoit_region_flags { QUOIT_READ_ONLY = 1 /* and QUOIT_ANY_OWNER */ };

struct quoit_region_options {
    uint64_t size_bytes;  /* room for pieces; the region's own header comes on top */
    uint32_t permissions; /* 0 = 0600 */
};

/* As for queues, but without roles: a region keeps no members. open takes flags; any region may be
   opened, a queue's or a pool's for reading only. */
quoit_status quoit_region_create(const char *name, const struct quoit_region_options *options,
                                 quoit_region **region_out);
quoit_status quoit_region_open(const char *name, unsigned flags, quoit_region **region_out);
void quoit_region_close(quoit_region *region);
quoit_status quoit_region_unlink(const char *name);

/*
 * Take a piece of the region, for good; the offset means the same to everybody. Pieces are zeroed,
 * lie one behind the other, and are not given back.
 *   align_bytes   a power of two up to 4096
 * OK NO_SPACE INVALID PERMISSION (opened read-only) CORRUPT. Lock-free; a caller that dies may lose
 * its piece.
 */
quoit_status quoit_region_allocate(quoit_region *region, uint64_t size_bytes, uint64_t align_bytes,
                                   uint64_t *offset_out);

/* Where [offset, offset + size_bytes) is in this process; NULL if any of it is outside. */
void *quoit_region_at(const quoit_region *region, uint64_t offset, uint64_t size_bytes);

/* One offset for others to begin from, 0 before it is set: set it when what it leads to is
   complete. */
quoit_status quoit_region_set_root(quoit_region *region, uint64_t offset);
uint64_t quoit_region_root(const quoit_region *region);

uint64_t quoit_region_size(const quoit_region *region); /* bytes, all of it */
uint64_t quoit_region_free(const quoit_region *region); /* bytes not yet handed out */

#ifdef __cplusplus
}
#endif

/* The typed, inlined forms: QUOIT_DEFINE_QUEUE(product, struct product) defines product_push,
   product_pop, ... */
#include <quoit/typed.h>

/* Looking inside: quoit_list, quoit_queue_members, quoit_queue_look, ... */
#include <quoit/inspect.h>

/* Semaphores: quoit_sem_create, quoit_sem_wait, quoit_sem_post, ... */
#include <quoit/sem.h>

#endif
