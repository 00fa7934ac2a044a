/* SPDX-License-Identifier: MIT */
/*
 * Quoit: messages between the processes of one machine, through shared memory.
 *
 *     struct reading { uint64_t sensor; double celsius; };
 *     QUOIT_DEFINE_QUEUE(reading, struct reading);        once for each type that you send
 *
 *     struct reading_queue queue;
 *     quoit_status status = reading_join("readings", 64, QUOIT_PRODUCER, &queue);
 *     if (status == QUOIT_OK)
 *         status = reading_push(queue, &reading, QUOIT_FOREVER);
 *     if (status != QUOIT_OK)
 *         fprintf(stderr, "%s\n", quoit_describe(status));
 *     quoit_queue_close(queue.queue);
 *
 * CAVEATS, FIRST
 *   - A queue outlives the processes that use it: it stays until it is unlinked (or, except for
 *     file: names, until the next boot). Not on Windows: a windows: object, and its content, is
 *     gone when its last handle is closed, by a crash or by close.
 *   - A process that may write to a queue can spoil its data. It cannot make you read or write
 *     outside it. Truncating the object behind a live mapping (a file, say) is the exception: the
 *     system then sends SIGBUS.
 *   - After fork, the child's copies of queue, pool and lock handles are disabled: calls return
 *     QUOIT_ERROR_FORKED, or the answer of an empty queue. Open anew. This needs fork() itself; a
 *     bare clone() system call is not seen. A fork waits while another thread opens or creates.
 *     Regions and semaphores go on. Fork handlers of your own (pthread_atfork) must not call Quoit,
 *     nor take a lock that any thread holds while it calls Quoit.
 *   - Items are copied as bytes: no pointers in them.
 *   - Leave the library's descriptors open (no closefrom): it asks through them which processes
 *     are alive.
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
 *         discard, finish                     included
 *     one queue handle: pop, peek, release    one thread at a time (the consumer's), beside it
 *     one queue handle: poll_fd               as the side's own calls
 *     one queue handle: size, latest, …       any thread, beside both
 *     one queue handle: close                 nothing else
 *     pool, region, lock, semaphore handles   any thread, but for close
 * A handle may be handed on to another thread if the two threads synchronize. quoit_queue_again
 * makes a handle for another thread. A library that was built for debugging (CMake's build type
 * Debug) aborts with a sentence if two threads use one side of a handle at the same time.
 *
 * LIFECYCLE, one for queues, pools, regions, locks and semaphores (THING):
 *     quoit_THING_create(name, &options, flags, &handle)   it must not exist
 *     quoit_THING_open(name, flags, &handle)               it must exist
 *     quoit_THING_join(name, &options, flags, &handle)     either; no race and no wait for a maker
 *     quoit_THING_close(handle)                            leave; the object stays
 *     quoit_unlink(name, flags)                            remove it; a semaphore: quoit_sem_unlink
 * Options have a fixed size: zero the struct, and set what you need. flags are 0 or QUOIT_...; one
 * that does not apply is INVALID.
 *
 * NULL is refused. A call returns INVALID if a handle, or a pointer that it needs, is NULL. A call
 * that returns no status then returns 0 or NULL; close does nothing. Comments say which pointers
 * may be NULL. A buffer may be NULL if its size is 0, and so may an array if its count is 0. This
 * is also true for typed handles (<quoit/typed.h>): one is empty if its member `queue` is NULL, as
 * after `{0}` or a failed join. If a call fails, the handle that it would have made is NULL. Any
 * other pointer that does not lead to what the call needs is undefined behaviour; so is a handle
 * after close.
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
 * FORMAT.md numbers refer to docs/FORMAT.md, the layout of the shared memory.
 */
#ifndef QUOIT_H
#define QUOIT_H

#include <quoit/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUOIT_NAME_MAX 200
#define QUOIT_PATH_MAX 4000
#define QUOIT_NOW      INT64_C(0) /* timeout_ns: do not wait; any negative value means the same */
#define QUOIT_FOREVER  INT64_MAX  /* timeout_ns: wait until done, or until it cannot be done */

/* ---- Queues ---------------------------------------------------------------------------------- */

typedef struct quoit_queue quoit_queue;

/* kind */
enum {
    QUOIT_SPSC = 0, /* one producer, one consumer: the fastest */
    /* Many of each; an item goes to one consumer. Items of one producer come in its order. All
       claim positions from one counter, so an item costs several times what it does with SPSC. */
    QUOIT_MPMC = 1,
    /* One producer; every consumer, a subscriber here, gets every item from where it joined. */
    QUOIT_BROADCAST = 2
};

/* when_full, of QUOIT_BROADCAST only */
enum {
    /* A push finds no room while a live subscriber is capacity items behind. Without subscribers
       there is always room. */
    QUOIT_WAIT_FOR_SLOWEST = 0,
    /* A push always succeeds. A subscriber that the producer overtakes goes on with newer items,
       and knows how many it missed: quoit_queue_missed. */
    QUOIT_DROP_OLDEST = 1
};

/* 128 bytes in every version. What is not needed is 0. */
struct quoit_queue_options {
    uint64_t capacity;   /* items or messages, exactly; at least 1 */
    uint64_t item_bytes; /* size of every item, or of the longest message; 1 to 2^32 - 1 */
    uint64_t user_bytes; /* memory of your own beside the queue, zeroed: quoit_queue_user_area */
    uint32_t kind;       /* QUOIT_SPSC, ... */
    uint32_t when_full;  /* QUOIT_WAIT_FOR_SLOWEST, ... */
    uint32_t messages;   /* 1: every message has its own size, up to item_bytes */
    /* A power of two up to 4096 that divides item_bytes; 0: the largest one up to 16 that does.
       Of messages: any power of two up to 4096; 0: 8. An item or a message that is claimed or
       peeked lies at a multiple of it. join accepts more. */
    uint32_t item_align;
    uint32_t permissions; /* as of chmod, exact, whatever the umask; 0: 0600 */
    uint32_t finishes;    /* this many handles must call finish to end the stream; 0: one */
    uint32_t members;     /* reserved: 0 */
    uint32_t memory;      /* reserved: 0 */
    char type[32];        /* what an item is, "reading"; empty: not checked. Compared if both sides
                             give one */
    uint64_t reserved[5];
};

struct quoit_is_padded { /* unless the structs here are packed */
    uint8_t first;
    uint64_t second;
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_is_padded) > 9 && sizeof(struct quoit_queue_options) == 128,
                    "Quoit: include <quoit.h> without -fpack-struct or '#pragma pack' in effect");

/* flags: one set for queues, pools, regions and semaphores; one that does not apply is INVALID */
enum {
    QUOIT_PRODUCER = 0x1,
    QUOIT_CONSUMER = 0x2,
    QUOIT_OBSERVER = 0x4,    /* only looks; needs read permission only; also for pools, regions */
    QUOIT_ANY_OWNER = 0x100, /* accept an object of another user */
    /* A subscriber begins with the oldest item that is kept, and not with the first one that is
       pushed after it joined. At least three quarters of the capacity are kept; with DROP_OLDEST
       all of it. With CONSUMER only; other kinds of queues are always read from the oldest item. */
    QUOIT_FROM_OLDEST = 0x200,
    /* Joins to repair, with PRODUCER or CONSUMER: no other handle takes it for a peer
       (QUOIT_ABANDONED). */
    QUOIT_FOR_REPAIR = 0x800
};

/*
 * Make a queue, open one, or (join) open it and make it if it does not exist.
 *   name        see NAMES
 *   options     what to make; join compares all but permissions with what is there
 *   flags       PRODUCER, CONSUMER or both; or OBSERVER; with ANY_OWNER, FROM_OLDEST
 *   queue_out   the handle, to be closed by quoit_queue_close; NULL on failure
 * create returns OK EXISTS NO_SPACE. open returns OK NOT_FOUND NOT_QUOIT FORMAT CORRUPT OTHER_USER,
 * and DIFFERENT if the object is no queue. join returns any of these, and DIFFERENT if the queue is
 * not as the options ask. All: INVALID NAME UNSUPPORTED PERMISSION LIMIT NO_MEMORY SYSTEM BUSY, and
 * ROLE_TAKEN if a live process has the role: SPSC has one producer and one consumer, a broadcast
 * one producer. The place of a crashed process is taken over. LIMIT if 64 handles are in it
 * already, of a broadcast 64 subscribers and a producer.
 * Creation is atomic: others find nothing or the whole queue, with its memory reserved. Any thread.
 * Blocks only behind another process that is creating or removing a System V object of that name,
 * at most 10 s in all (then BUSY), and behind another user's only with QUOIT_ANY_OWNER and if the
 * object is that user's. UNSUPPORTED: a sysv: name, without /proc on Linux. Format: FORMAT.md.
 */
quoit_status quoit_queue_create(const char *name, const struct quoit_queue_options *options,
                                uint32_t flags, quoit_queue **queue_out);
quoit_status quoit_queue_open(const char *name, uint32_t flags, quoit_queue **queue_out);
quoit_status quoit_queue_join(const char *name, const struct quoit_queue_options *options,
                              uint32_t flags, quoit_queue **queue_out);

/* Another handle of the same queue, for another thread: one side of a handle is for one thread.
   flags as of quoit_queue_open, and its statuses; REMOVED if the queue's name is gone or leads to
   another one. Any thread. */
quoit_status quoit_queue_again(const quoit_queue *queue, uint32_t flags, quoit_queue **queue_out);

/* Leave. The queue, with what is in it, stays; the roles are free from here. NULL is allowed. */
void quoit_queue_close(quoit_queue *queue);

/* This producer sends no more: its pushes return FINISHED from here on. When options.finishes
   handles have called it, the stream ends: every push returns FINISHED, and a pop after the last
   item.
   Items that others have claimed by then they still commit. Each handle counts once; one that
   crashed, or closed without finish, does not count. WRONG_ROLE if the handle is no producer's. It
   cannot be undone: unlink the queue and create another. */
quoit_status quoit_queue_finish(quoit_queue *queue);

/* Remove the queue's name if it still leads to this queue, else REMOVED; not by an observer
   (PERMISSION). Processes that have the queue open go on with it, and share nothing with a later
   one of that name. By name: quoit_unlink. */
quoit_status quoit_queue_unlink(quoit_queue *queue);

/*
 * Remove the name of a queue, a pool, a region or a lock, also of a damaged one, whatever it is.
 *   flags   0, or QUOIT_ANY_OWNER: also an object of another user. The system's permissions
 *           decide: root may, and so may users with write permission on a file's directory
 * OK NOT_FOUND NOT_QUOIT (not removed) OTHER_USER PERMISSION BUSY INVALID.
 */
quoit_status quoit_unlink(const char *name, uint32_t flags);

/*
 * Copy one item or message in; copy one out. Whatever the queue contains, no byte beyond these
 * sizes is read or written.
 *   bytes        of an item, item_bytes exactly (else INVALID); of a message, up to item_bytes
 *                (else TOO_BIG)
 *   room_bytes   at least the size of the item or message (else TOO_BIG: bytes_out has its size,
 *                and it stays)
 *   bytes_out    its size; may be NULL
 *   timeout_ns   how long to wait, by the monotonic clock, if the queue is full, or empty:
 *                QUOIT_NOW does not wait, QUOIT_FOREVER waits until it is done or cannot be done
 * push: OK FULL FINISHED; pop: OK EMPTY FINISHED. FULL and EMPTY are also returned when the time is
 * over. Both: ABANDONED (the last peer is gone, see <quoit/status.h>), WRONG_ROLE FORKED CORRUPT.
 * A push that returned OK is visible to the consumer and survives a crash of its producer. A call
 * with QUOIT_NOW never blocks. It makes a system call only to wake a sleeping side, and to ask the
 * kernel which members are alive: for ABANDONED, or if a claim (MPMC) or a subscriber blocks. A
 * wait first spins for some microseconds, as many as paid lately, then sleeps; a signal does not
 * end it. A call that finds nothing after a run of at least 16 items leaves the queue alone for up
 * to a microsecond, so that the other side gets on, and looks once more; not with QUOIT_NOW in a
 * thread whose latest such call was on another queue. No call allocates. The typed forms
 * (<quoit/typed.h>) are much faster.
 * MPMC: positions are claimed in order and taken in order. A producer that is stopped between claim
 * and commit blocks the positions behind it. One that crashed there does not: a blocked process
 * asks the kernel and goes on. An item that a crashed consumer had taken and not released goes,
 * late, to a consumer that finds no other item. FINISHED is returned once no item can come any
 * more: not while a live consumer still reads one.
 * BROADCAST: an item is committed for all subscribers at once. If the ring is full, a push that
 * waits for the slowest asks the kernel whether the subscriber that blocks it is alive. It drops
 * one that crashed, but not one that is stopped. With DROP_OLDEST a pop never returns a torn item;
 * unless it returns OK, the contents of buffer are unspecified.
 */
quoit_status quoit_queue_push(quoit_queue *queue, const void *data, size_t bytes,
                              int64_t timeout_ns);
quoit_status quoit_queue_pop(quoit_queue *queue, void *buffer, size_t room_bytes, size_t *bytes_out,
                             int64_t timeout_ns);

/*
 * Copy many items in, or out. Wait for the first, then take as many as possible at once. INVALID
 * for messages.
 *   count_out   how many; valid with every status; may be NULL
 * OK: at least one, or count is 0. Otherwise as push and pop. Items of more than 24 bytes are
 * published at once: after a crash there are all or none; of others the first ones, or all. Items
 * that pop_many has taken when its process crashes in it are lost: peek where that matters.
 */
quoit_status quoit_queue_push_many(quoit_queue *queue, const void *items, size_t item_bytes,
                                   size_t count, size_t *count_out, int64_t timeout_ns);
quoit_status quoit_queue_pop_many(quoit_queue *queue, void *items, size_t item_bytes, size_t count,
                                  size_t *count_out, int64_t timeout_ns);

/*
 * Write an item where it will lie, then commit or discard it; read one where it lies, then release
 * it. If the process crashes in between, an uncommitted claim leaves nothing, and a peeked
 * item goes to the next consumer. One at a time for each side of a handle: a second claim, and a
 * push, drop the first; peeking again returns the same item, and pop takes it.
 *   bytes       as of push; commit: of an item item_bytes, of a message at most what was claimed
 *   room_out    NULL unless OK
 * claim: as push; peek: as pop. commit, release: OK, or INVALID without a claim, without a peek, or
 * for more than that; WRONG_ROLE FORKED. discard: OK also without a claim.
 * claim_many, commit_many, peek_many, release_many: items only, one behind the other; up to
 * `wanted`, at least one. commit_many publishes the first count of them and drops the rest,
 * release_many takes the first count, and the others stay peeked. commit returns INVALID if several
 * items are claimed, and the claim stays; release takes the first of several. After a crash in
 * commit_many there are as many as after one in push_many.
 * MPMC and broadcast: one item per call. SPSC, up to 24 bytes and no multiple of 8: peek_many
 * returns one item per call, since slots are padded to multiples of 8; pop_many takes many.
 * Items of up to 24 bytes (SPSC), and those of a broadcast with DROP_OLDEST, are claimed in the
 * handle's memory, and commit copies. MPMC: from the claim on it has its place in the order, and
 * those behind it wait: commit or discard it soon. A peeked item is this consumer's; others take
 * those behind it, and close leaves it to them.
 */
quoit_status quoit_queue_claim(quoit_queue *queue, size_t bytes, void **room_out,
                               int64_t timeout_ns);
quoit_status quoit_queue_commit(quoit_queue *queue, size_t bytes);
quoit_status quoit_queue_discard(quoit_queue *queue);
quoit_status quoit_queue_peek(quoit_queue *queue, const void **data_out, size_t *bytes_out,
                              int64_t timeout_ns);
quoit_status quoit_queue_release(quoit_queue *queue);
quoit_status quoit_queue_claim_many(quoit_queue *queue, size_t wanted, void **items_out,
                                    size_t *count_out, int64_t timeout_ns);
quoit_status quoit_queue_commit_many(quoit_queue *queue, size_t count);
quoit_status quoit_queue_peek_many(quoit_queue *queue, const void **items_out, size_t *count_out,
                                   int64_t timeout_ns);
quoit_status quoit_queue_release_many(quoit_queue *queue, size_t count);

/* Events; the end of the stream and a crash are both. No flag has these numbers. */
enum { QUOIT_ITEMS = 0x10, QUOIT_ROOM = 0x20 };

/*
 * A descriptor for event loops (poll, epoll, libuv ...): readable while a side of the queue has
 * something to do. Level-triggered: it stays readable until a call has found nothing, so go on
 * until EMPTY (or FULL) and nothing is missed; it may be readable once without a reason.
 *   events   QUOIT_ITEMS, of a consumer, or QUOIT_ROOM, of a producer
 *   fd_out   the queue's own, closed with it; only wait on it, never read it
 * OK WRONG_ROLE FORKED INVALID LIMIT NO_MEMORY; UNSUPPORTED on Windows. Starts a thread, which
 * sleeps on the queue in your place and blocks all signals. By the side's own thread.
 */
quoit_status quoit_queue_poll_fd(quoit_queue *queue, uint32_t events, int *fd_out);

/*
 * Snapshots: any flags, any thread; on a handle from before a fork, those of an empty queue; 0 of
 * NULL. MPMC: an item counts from its claim to its being taken. So peeked items, which still take
 * up room, are not in the size, and abandoned claims are until they are repaired. The size of a
 * broadcast is what this handle's subscriber has yet to take; without one, what the slowest live
 * one has, which costs a system call for each.
 */
uint64_t quoit_queue_size(const quoit_queue *queue);
uint64_t quoit_queue_capacity(const quoit_queue *queue);
uint64_t quoit_queue_item_bytes(const quoit_queue *queue);

/* Of a broadcast with DROP_OLDEST: items that were overwritten before this handle's subscriber came
   to them; else 0. Once the subscriber gets FINISHED (or EMPTY, and none is pushed), these and the
   items that it got are exactly as many as were pushed since it joined. Any thread. */
uint64_t quoit_queue_missed(const quoit_queue *queue);

/*
 * Copy the newest item of a broadcast, which stays: the same one again, until there is a newer one.
 *   room_bytes, bytes_out   as of quoit_queue_pop; bytes_out may be NULL
 * OK EMPTY (there never was an item) TOO_BIG UNSUPPORTED (another kind) CORRUPT INVALID FORKED, and
 * BUSY if the producer has overwritten the newest item during each of 1000 copies; call again, or
 * use a larger capacity. Unless OK, the contents of buffer are unspecified. Never torn, and never
 * older than an item that this process knows to be committed. While the next item is written, also
 * by a producer that crashes or stops in it, and after the end of the stream, the newest committed
 * one stays. Any flags, any thread; takes nothing from a subscriber, never waits, no system call.
 */
quoit_status quoit_queue_latest(const quoit_queue *queue, void *buffer, size_t room_bytes,
                                size_t *bytes_out);

/* The memory that options.user_bytes asked for, aligned to 64, NULL if none; for observers
   read-only. Its content, and the atomicity of access, is yours. In a forked child NULL, and a
   pointer from before the fork leads to zeros. */
void *quoit_queue_user_area(const quoit_queue *queue);

/* ---- Pools: blocks of one size that change hands --------------------------------------------- */

typedef struct quoit_pool quoit_pool;

/* A block, by a number that means the same in every process; never 0. Its generation is in it: once
   the block is freed, the number leads to no block. (After 2^32 frees of one block its numbers come
   again.) */
typedef uint64_t quoit_block;

struct quoit_pool_options { /* 64 bytes in every version; what is not needed is 0 */
    uint64_t block_bytes;   /* size of a block; at least 1 */
    uint64_t blocks;        /* how many, exactly; at least 1 */
    uint32_t permissions;   /* as of chmod, exact, whatever the umask; 0: 0600 */
    uint32_t members;       /* reserved: 0 */
    uint32_t memory;        /* reserved: 0 */
    uint32_t reserved_word; /* 0 */
    uint64_t reserved[4];
};

/*
 * Make a pool, open one, or (join) either; as for queues, and with the same statuses. At
 * most 2^32 - 2 blocks (INVALID), and 64 handles that are members (LIMIT).
 *   options    join: DIFFERENT unless block_bytes and blocks are what is there
 *   flags      0 or QUOIT_ANY_OWNER; of open also QUOIT_OBSERVER: an observer, no member
 *   pool_out   the handle, to be closed by quoit_pool_close; NULL on failure
 * What a handle has allocated or popped is this handle's: no other one's of the same process.
 * Concurrency: any thread, and so for all calls on one pool, but for close; push and pop are also
 * those of their queue. One block is one thread's at a time. After fork the child's copy is
 * disabled: QUOIT_ERROR_FORKED, NULL, 0.
 */
quoit_status quoit_pool_create(const char *name, const struct quoit_pool_options *options,
                               uint32_t flags, quoit_pool **pool_out);
quoit_status quoit_pool_open(const char *name, uint32_t flags, quoit_pool **pool_out);
quoit_status quoit_pool_join(const char *name, const struct quoit_pool_options *options,
                             uint32_t flags, quoit_pool **pool_out);
/* Leave. quoit_pool_reclaim frees the blocks that are still this handle's, as those of a crashed
   process. NULL is allowed. */
void quoit_pool_close(quoit_pool *pool);

/*
 * Take a block, which is then this handle's, and give one back. What is in a new one is what its
 * last owner left there.
 *   block_out   0 unless OK
 * alloc: OK EXHAUSTED (none is free; those of crashed processes are not before quoit_pool_reclaim).
 * free: OK NOT_YOURS (not this handle's: freed already, sent, of another handle or pool, or no
 * block at all; nothing was done). Both: INVALID FORKED WRONG_ROLE (an observer). Lock-free, no
 * system call. Before EXHAUSTED it has looked at each block; while others allocate and free, it may
 * be returned although one was free at each moment.
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
 * of this pool alone. The process that pops it sees what was written to it before.
 * push: as quoit_queue_push, and NOT_YOURS. Unless OK the block is still this handle's.
 * pop: as quoit_queue_pop, and
 *   NOT_YOURS   what was next was no block that was pushed here; it is taken off
 *   BUSY        another consumer crashed, or is about to, between peek and release of the next
 *               block; it stays queued, and a moment later it is this one's
 * Both: INVALID if the queue's items are not of 8 bytes; WRONG_ROLE for an observer of the pool.
 * If a process crashes, at any instruction, a block is in the queue or a member's. One that was
 * pushed is not lost with its producer; one that was popped is with its consumer, until reclaimed.
 */
quoit_status quoit_pool_push(quoit_pool *pool, quoit_queue *queue, quoit_block block,
                             int64_t timeout_ns);
quoit_status quoit_pool_pop(quoit_pool *pool, quoit_queue *queue, quoit_block *block_out,
                            int64_t timeout_ns);

/*
 * Free the blocks of members that crashed, or closed without freeing.
 *   queues      queues that blocks are sent through, any flags; queue_count of them, NULL if none
 *   count_out   blocks freed; may be NULL
 * A block that was on its way through a queue is freed if it is not in it any more, or never came
 * to be; if the queue is not among these, it is left alone. So pop what is in a queue before you
 * unlink it. (If an SPSC consumer crashed, the queue's next one may have to open it first.)
 * By any member, at any time, by several at once. OK INVALID FORKED WRONG_ROLE. A look at each
 * block, a system call for each owner, and a look through the queue for each block that a crashed
 * one sent.
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

#ifdef __cplusplus
}
#endif

#include <quoit/region.h>

/*
 * More:
 *   <quoit/typed.h>     QUOIT_DEFINE_QUEUE(reading, struct reading); defines struct reading_queue,
 *                       reading_join, reading_push, reading_pop, ...: typed, inlined, much faster
 *   <quoit/inspect.h>   quoit_list, quoit_queue_members, quoit_queue_browse, ...
 *   <quoit/region.h>    regions: quoit_region_join, quoit_region_data, ... (included here)
 *   <quoit/lock.h>      locks: quoit_lock_join, quoit_lock_lock, quoit_lock_unlock, ...
 *   <quoit/sem.h>       semaphores: quoit_sem_join, quoit_sem_wait, quoit_sem_post, ...
 */
#endif
