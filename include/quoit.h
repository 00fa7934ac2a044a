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
 * READ THIS FIRST
 *   - A queue outlives the processes that use it. It stays until it is unlinked. All but file:
 *     objects also end with the next boot. QUOIT_TRANSIENT ends a queue with its last member. On
 *     Windows, a windows: object ends when its last handle is closed, by close or by a crash.
 *   - A process that may write to a queue can spoil its data. It cannot make your process read or
 *     write outside the queue. There is one exception: if it truncates the object while your
 *     process has it mapped, the system sends SIGBUS. Queues without a name cannot be truncated.
 *   - After fork, the child's copies of queue, pool and lock handles are disabled: calls return
 *     QUOIT_ERROR_FORKED, or what they return for an empty queue. Open the object again in the
 *     child. Regions and semaphores stay usable. This needs fork() itself, not a bare clone()
 *     system call. A fork waits while another thread opens or creates an object. Fork handlers of
 *     your own (pthread_atfork) must not call Quoit, nor take a lock that a thread holds in a call
 *     of Quoit.
 *   - Items are copied as bytes, so they must not contain pointers.
 *   - Do not close descriptors that you did not open (closefrom). Quoit uses its descriptors to ask
 *     which processes are alive.
 *
 * NAMES are [scheme:]text.
 *     products            the native scheme: windows on Windows, posix elsewhere
 *     posix:products      POSIX shared memory, as shm_open("/products"); no slashes
 *     sysv:products       System V, the key derived from the text; sysv:0x51a7 is the key itself
 *     windows:products    Windows, in this logon session; windows:Global\products, in all of them;
 *                         no other backslash
 *     file:/var/tmp/p     a file, which survives a reboot
 *     local:products      this process, its threads, and children it forks later; on Linux needs
 *                         /proc
 * A text is UTF-8 of at most QUOIT_NAME_MAX bytes, a path of at most QUOIT_PATH_MAX. On macOS a
 * posix: text has at most 30. docs/PLATFORMS.md lists the differences between systems.
 *
 * CONCURRENCY
 *     different handles                       everything, in any processes and threads
 *     one queue handle: push, claim, commit,  one thread at a time (the producer's), also while it
 *         discard, finish                     waits
 *     one queue handle: pop, peek, release    one thread at a time (the consumer's), beside the
 *                                             producer's
 *     one queue handle: poll_fd               as the calls of that side
 *     one queue handle: interrupt, size, ...  any thread, at any time
 *     one queue handle: close                 no other call
 *     pool, region, lock, semaphore handles   any thread, except close
 * Two threads that synchronize may pass a handle on. quoit_queue_again makes another handle, for
 * another thread. A library that was built for debugging (CMake's build type Debug) aborts with a
 * sentence if two threads use one side of a handle at the same time.
 *
 * LIFECYCLE of queues, pools, regions, locks and semaphores (THING):
 *     quoit_THING_create(name, &options, flags, &handle)   it must not exist
 *     quoit_THING_open(name, flags, &handle)               it must exist
 *     quoit_THING_join(name, &options, flags, &handle)     opens it, or creates it; without a race
 *     quoit_THING_close(handle)                            leaves it; the object stays
 *     quoit_unlink(name, flags)                            removes it; semaphore: quoit_sem_unlink
 * Options have a fixed size. Set the struct to zero, then set the fields that you need. flags are 0
 * or QUOIT_... values; a flag that does not apply is INVALID.
 *
 * NULL is refused. A call returns INVALID if a handle, or a pointer that it needs, is NULL. A call
 * that returns no status then returns 0 or NULL; close does nothing. Comments say which pointers
 * may be NULL. A buffer may be NULL if its size is 0, and an array if its count is 0. This is also
 * true for typed handles (<quoit/typed.h>): one is empty if its member `queue` is NULL, as after
 * `{0}` or a failed join. If a call fails, it sets the handle that it would have made to NULL. All
 * other pointers must be valid, and a handle must not be used after close: both are undefined
 * behaviour otherwise.
 *
 * SIGNALS AND CANCELLATION, on POSIX systems. Calls that create, open, join, remove or close, and
 * poll_fd, block the signals of this thread while they work, but not while they wait for another
 * process. Signals of the thread's own faults are never blocked. If a file would exceed ulimit -f,
 * the call returns NO_SPACE, and no SIGXFSZ is sent. A signal handler may call only
 * quoit_queue_interrupt, quoit_sem_post and quoit_status_name. It must not longjmp out of a call;
 * if it does, only close the handle; other members see a crash. It may fork; the child must then
 * call exec or _exit (in the child, a call that waited may return FORKED). Cancellation points:
 * create, open, join and unlink when they begin; a wait that finds nothing, then and every tenth of
 * a second; a wait for a semaphore when it begins, for a posix: one all the time. A cancelled
 * thread has changed nothing, and another thread may use its handle.
 *
 * ERRORS are a quoit_status (<quoit/status.h>); quoit_describe returns a sentence about it.
 * Comments write INVALID for QUOIT_ERROR_INVALID. No call prints, exits, or sets errno on purpose.
 * Push and pop do not allocate.
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
    /* Many producers and consumers; each item goes to one consumer. Items of one producer arrive in
       the order in which it pushed them. An item costs several times as much as with SPSC. */
    QUOIT_MPMC = 1,
    /* One producer. Each consumer (subscriber) gets each item that is pushed after it joined. */
    QUOIT_BROADCAST = 2
};

/* when_full, of QUOIT_BROADCAST only */
enum {
    /* A push waits, or returns FULL, while a live subscriber is `capacity` items behind. Without
       subscribers there is always room. */
    QUOIT_WAIT_FOR_SLOWEST = 0,
    /* A push always succeeds. A subscriber that is too slow continues with newer items;
       quoit_queue_missed returns how many it missed. */
    QUOIT_DROP_OLDEST = 1
};

/*
 * memory, of queues, pools and regions: how their pages are kept. The object remembers it: each
 * handle, except an observer's, has its own mapping, and does the same with it. A join may add
 * PREFAULT and LOCK_MEMORY for its own handle.
 */
enum {
    /* Touch every page when the object is created or opened, so that later pushes and pops cause no
       page fault. On every system. (The memory itself is always reserved at creation.) */
    QUOIT_PREFAULT = 1,
    /* Keep the pages in memory, never in swap: mlock, on Windows VirtualLock. LIMIT: the process
       may not lock that much. quoit_describe then returns RLIMIT_MEMLOCK. Each handle counts. */
    QUOIT_LOCK_MEMORY = 2,
    /* Use huge pages (2 MiB on x86-64), and round the size up to them. No effect on an object that
       is smaller than one. UNSUPPORTED: the system is not Linux 6.1 or later, or the object is a
       file on a disk. NO_SPACE: no huge page is free. The system may split them again later. */
    QUOIT_HUGE_PAGES = 4
};

/* 128 bytes in every version. Fields that you do not need are 0. */
struct quoit_queue_options {
    uint64_t capacity;   /* items or messages, exactly; at least 1 */
    uint64_t item_bytes; /* size of every item, or of the longest message; 1 to 2^32 - 1 */
    uint64_t user_bytes; /* zeroed memory of your own beside the queue: quoit_queue_user_area */
    uint32_t kind;       /* QUOIT_SPSC, ... */
    uint32_t when_full;  /* QUOIT_WAIT_FOR_SLOWEST, ... */
    uint32_t messages;   /* 1: every message has its own size, up to item_bytes */
    /* A claimed or peeked item is at a multiple of this. A power of two up to 4096 that divides
       item_bytes; 0: the largest one up to 16 that does. Messages: any power of two up to 4096; 0:
       8. join accepts a queue with a larger one. */
    uint32_t item_align;
    uint32_t permissions; /* as for chmod; the umask has no effect; 0: 0600 */
    uint32_t finishes;    /* this many handles must call finish to end the stream; 0: one */
    /* The most handles at one time: producers and consumers. Observers do not count. A broadcast
       has room for so many subscribers and a producer. 0: 64; at most 4096, SPSC 64. Each entry
       takes 64 bytes, of MPMC and broadcast 192. join accepts a queue with more. */
    uint32_t members;
    uint32_t memory; /* QUOIT_PREFAULT, ...; 0: none of them */
    char type[32];   /* the item's type, such as "reading"; compared if both sides give one */
    uint64_t reserved[5];
};

struct quoit_is_padded { /* fails the check below if structs are packed */
    uint8_t first;
    uint64_t second;
};
QUOIT_STATIC_ASSERT(sizeof(struct quoit_is_padded) > 9 && sizeof(struct quoit_queue_options) == 128,
                    "Quoit: include <quoit.h> without -fpack-struct or '#pragma pack' in effect");

/* flags, the same for all kinds of objects; one that does not apply is INVALID */
enum {
    QUOIT_PRODUCER = 0x1,
    QUOIT_CONSUMER = 0x2,
    QUOIT_OBSERVER = 0x4,    /* only reads; read permission is enough; also pools, regions, locks */
    QUOIT_ANY_OWNER = 0x100, /* accept an object of another user */
    /* A subscriber begins with the oldest item that is kept, not with the first one that is pushed
       after it joined. At least three quarters of the capacity are kept; with DROP_OLDEST all of
       it. With CONSUMER only; other kinds of queues are always read from the oldest item. */
    QUOIT_FROM_OLDEST = 0x200,
    /* create, join, of a queue, with PRODUCER or CONSUMER: if the call creates the queue, its name
       is removed when the last producer or consumer closes, and its items are lost. Observers do
       not count. No effect on a queue that exists. The name stays if the last one is another user's
       and the directory (/dev/shm, say) lets only the owner remove it. INVALID for pools, locks and
       regions: a queue may still hold blocks of the pool, and the next holder of a lock has to
       learn that the last one crashed. */
    QUOIT_TRANSIENT = 0x400,
    /* With PRODUCER or CONSUMER: joins to repair the queue, and is not counted as a peer of any
       other handle (QUOIT_ABANDONED). */
    QUOIT_FOR_REPAIR = 0x800
};

/*
 * Create a queue, open one, or join it: open it, or create it if it does not exist.
 *   name        see NAMES; create: NULL, with TRANSIENT, for a queue without a name
 *   options     the queue to create; join compares them with an existing queue, except
 *               permissions and memory
 *   flags       PRODUCER, CONSUMER or both; or OBSERVER; with ANY_OWNER, FROM_OLDEST,
 *               TRANSIENT
 *   queue_out   the handle, to be closed by quoit_queue_close; NULL on failure
 * create returns OK, EXISTS or NO_SPACE. open returns OK, NOT_FOUND, NOT_QUOIT, FORMAT, CORRUPT or
 * OTHER_USER, and DIFFERENT if the object is no queue. join returns any of these, and DIFFERENT if
 * the queue is not as options ask. All may return INVALID, NAME, UNSUPPORTED, PERMISSION, LIMIT,
 * NO_MEMORY, SYSTEM or BUSY.
 * ROLE_TAKEN: a live process has the role; SPSC has one producer and one consumer, a broadcast one
 * producer. The role of a crashed process is free at once. LIMIT: the queue has options.members
 * handles already; a handle makes a system call for each of them when it joins. UNSUPPORTED: a
 * sysv: name on Linux without /proc.
 * Creation is atomic: other processes find no queue or the whole one, with its memory reserved.
 * Concurrency: any thread. Waits only for a process that is creating or removing a System V object
 * of that name, at most 10 s in all (then BUSY); for another user's process only with
 * QUOIT_ANY_OWNER, and if the object belongs to that user. Format: FORMAT.md.
 */
quoit_status quoit_queue_create(const char *name, const struct quoit_queue_options *options,
                                uint32_t flags, quoit_queue **queue_out);
quoit_status quoit_queue_open(const char *name, uint32_t flags, quoit_queue **queue_out);
quoit_status quoit_queue_join(const char *name, const struct quoit_queue_options *options,
                              uint32_t flags, quoit_queue **queue_out);

/* Make another handle of the same queue, for another thread. flags and statuses are those of
   quoit_queue_open. REMOVED: the queue's name was removed, or leads to another object. Any
   thread. */
quoit_status quoit_queue_again(const quoit_queue *queue, uint32_t flags, quoit_queue **queue_out);

/*
 * Queues without a name. A process passes them to others as a descriptor: over a UNIX socket
 * (SCM_RIGHTS), through fork, or through exec after it has cleared the close-on-exec flag.
 *   fd_out   belongs to the handle, which closes it, in a forked child, too. Any thread
 *   fd       a descriptor of quoit_queue_fd, which stays the caller's; or one of the file of a
 *            queue with a name, which is then opened by its path
 *   flags    as for quoit_queue_open
 * quoit_queue_fd returns OK, or UNSUPPORTED for a queue with a name. quoit_queue_open_fd returns
 * what quoit_queue_open returns. INVALID: fd is not open. NOT_QUOIT: fd is of another kind.
 * UNSUPPORTED: the system is not Linux, or /proc is not mounted.
 * The memory of a queue without a name cannot be truncated, so no process with the descriptor can
 * crash the others by that. It is freed when the last handle and the last descriptor are closed.
 * options.permissions apply to each process that has the descriptor. INVALID: they let some users
 * only read.
 */
quoit_status quoit_queue_fd(const quoit_queue *queue, int *fd_out);
quoit_status quoit_queue_open_fd(int fd, uint32_t flags, quoit_queue **queue_out);

/* Leave the queue. It stays, with its items, unless it has TRANSIENT and no other member. The roles
   of this handle are free. NULL is allowed. */
void quoit_queue_close(quoit_queue *queue);

/* Report that this producer sends no more: its pushes return FINISHED from now on. When
   options.finishes handles have called it, the stream ends: each push returns FINISHED, and each
   pop after the last item. Items that were claimed before can still be committed. Each handle
   counts once. A handle that crashed, or closed without finish, does not count. WRONG_ROLE: the
   handle is not a producer's. It cannot be undone: unlink the queue and create another one. */
quoit_status quoit_queue_finish(quoit_queue *queue);

/* Remove the queue's name. REMOVED: it has none, or the name leads to another object now.
   PERMISSION: the handle is an observer's. Processes that have the queue open can still use it.
   They share nothing with a later queue of that name. To remove a queue by its name:
   quoit_unlink. */
quoit_status quoit_queue_unlink(quoit_queue *queue);

/*
 * Remove the name of a queue, a pool, a region or a lock, even if the object is damaged.
 *   flags   0, or QUOIT_ANY_OWNER: also an object of another user. The system decides: root may,
 *           and so may users with write permission on the directory of a file
 * Returns OK, NOT_FOUND, NOT_QUOIT (not removed), OTHER_USER, PERMISSION, BUSY or INVALID.
 */
quoit_status quoit_unlink(const char *name, uint32_t flags);

/*
 * Copy one item or message into the queue, or out of it. No byte beyond the given sizes is read or
 * written, whatever the queue contains.
 *   bytes        size of data: item_bytes exactly (else INVALID); a message has up to item_bytes
 *                (else TOO_BIG)
 *   room_bytes   size of buffer: at least the size of the item or message. Otherwise TOO_BIG;
 *                bytes_out is then the size that is needed, and it stays
 *   bytes_out    the size of the item or message; may be NULL
 *   timeout_ns   how long to wait while the queue is full (push) or empty (pop): QUOIT_NOW does not
 *                wait, QUOIT_FOREVER waits without a limit
 * push returns OK, FULL or FINISHED; pop returns OK, EMPTY or FINISHED. FULL and EMPTY are also
 * returned when the time is over. Both may return ABANDONED (the last peer has left, see
 * <quoit/status.h>), INTERRUPTED (quoit_queue_interrupt), WRONG_ROLE, FORKED, CORRUPT.
 *
 * After a push has returned OK, the consumer can see the item, and the item survives a crash of the
 * producer. If pop does not return OK, the contents of buffer are unspecified.
 * Cost: the typed forms (<quoit/typed.h>) are much faster. No call allocates. A call makes a system
 * call only to block, to wake a blocked side, and to ask the kernel which members are alive (for
 * ABANDONED, or if a claim or a subscriber blocks it). A wait spins for some microseconds before it
 * blocks; the time follows what was useful lately. Signals do not end a wait. The clock is
 * monotonic. If a call finds nothing after a run of at least 16 items, it first pauses for up to a
 * microsecond, so that the other side proceeds, and checks once more. With QUOIT_NOW it does so
 * only if this thread's latest call that found nothing was on the same side of the same handle.
 * MPMC: positions are claimed and taken in order. A producer that is stopped between claim and
 * commit blocks the positions behind it. A crashed one does not: the blocked process asks the
 * kernel, and skips the claim. An item that a crashed consumer had taken and not released goes,
 * late, to a consumer that finds no other item. FINISHED is returned when no item can arrive any
 * more: not while a live consumer still reads one.
 * BROADCAST: a push commits the item for all subscribers at once. If the ring is full, a push that
 * waits for the slowest subscriber asks the kernel whether it is alive. It drops a crashed
 * subscriber, but not a stopped one. With DROP_OLDEST a pop never returns a torn item.
 */
quoit_status quoit_queue_push(quoit_queue *queue, const void *data, size_t bytes,
                              int64_t timeout_ns);
quoit_status quoit_queue_pop(quoit_queue *queue, void *buffer, size_t room_bytes, size_t *bytes_out,
                             int64_t timeout_ns);

/*
 * Copy many items in, or out. Wait for the first one, then move as many as possible at once.
 *   count_out   how many were moved; valid with every status; may be NULL
 * Returns OK if at least one was moved, or count is 0; otherwise as push and pop. INVALID for
 * messages. If a producer crashes in the call, the first items of the batch, or all, are in the
 * queue. SPSC items of more than 24 bytes are published together: all or none. If a consumer
 * crashes in the call, the items that it had already taken are lost; use peek if that matters.
 */
quoit_status quoit_queue_push_many(quoit_queue *queue, const void *items, size_t item_bytes,
                                   size_t count, size_t *count_out, int64_t timeout_ns);
quoit_status quoit_queue_pop_many(quoit_queue *queue, void *items, size_t item_bytes, size_t count,
                                  size_t *count_out, int64_t timeout_ns);

/*
 * Use an item in place. To send: claim room in the queue, write the item there, then commit or
 * discard it. To receive: peek at the item, read it there, then release it. If the process crashes
 * in between, a claimed item is not in the queue, and a peeked item goes to the next consumer. Each
 * side of a handle has one claim or one peek at a time. A second claim, or a push, drops the first
 * claim. A second peek returns the same item, and pop takes it.
 *   bytes       as for push; commit: item_bytes, or for a message at most the claimed size
 *   room_out    NULL unless the call returns OK
 * claim returns what push returns, and peek what pop returns. commit and release return OK, INVALID
 * (there is no claim or peek, or not of that size), WRONG_ROLE or FORKED. discard is also OK
 * without a claim.
 *
 * The _many calls are for items only. They claim or peek at up to `wanted` items, at least one,
 * which lie one behind the other. commit_many publishes the first `count` of them and drops the
 * rest; after a crash in it, the queue has as many as after one in push_many. release_many takes
 * the first `count`; the others stay peeked. If several items are claimed, commit returns INVALID,
 * and the claim stays. If several are peeked, release takes the first.
 *
 * MPMC and broadcast: one item per call. SPSC items of up to 24 bytes whose size is not a multiple
 * of 8: peek_many returns one item, since slots are padded; pop_many takes many.
 * SPSC items of up to 24 bytes, and items of a broadcast with DROP_OLDEST, are claimed in memory
 * of the handle, and commit copies them.
 * MPMC: a claim has its position in the order, and the items behind it wait. So commit or discard
 * it soon. A peeked item belongs to this consumer; the others take those behind it, and close
 * leaves it to them.
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

/* Get the position of the item that is peeked at; of several, of the first one. It is the item's
   number since the queue was created, as in quoit_queue_info.popped, so for SPSC messages the byte
   where it begins. After a crash of this consumer, the item has the same position for the next one.
   With created_at_unix_ns (quoit_queue_inspect), it is an id that no other item has. Returns OK,
   INVALID (no item is peeked at), WRONG_ROLE or FORKED. */
quoit_status quoit_queue_position(quoit_queue *queue, uint64_t *position_out);

/*
 * Snapshots of a queue: how many items or messages it has, and its options. Any flags, any thread.
 * They return 0 for NULL. In a forked child the size is 0. MPMC: an item counts from its claim
 * until it is taken. So a peeked item, which still uses room, is not counted, and an abandoned
 * claim is counted until it is repaired. Broadcast: the size is what this handle's subscriber has
 * not taken yet; without a subscriber, what the slowest live one has not taken, with a system call
 * for each.
 */
uint64_t quoit_queue_size(const quoit_queue *queue);
uint64_t quoit_queue_capacity(const quoit_queue *queue);
uint64_t quoit_queue_item_bytes(const quoit_queue *queue);

/* Return how many items of a broadcast with DROP_OLDEST were overwritten before this handle's
   subscriber had read them; otherwise 0. When the subscriber gets FINISHED (or EMPTY, and no item
   is pushed), these and the items that it got are all that were pushed since it joined. Any
   thread. */
uint64_t quoit_queue_missed(const quoit_queue *queue);

/*
 * Copy the newest item of a broadcast. The item stays, and the call returns it again until there is
 * a newer one.
 *   room_bytes, bytes_out   as for quoit_queue_pop; bytes_out may be NULL
 * Returns OK, EMPTY (there never was an item), TOO_BIG, UNSUPPORTED (another kind), CORRUPT,
 * INVALID or FORKED. BUSY: the producer has overwritten the newest item during each of 1000 copies;
 * call again, or use a larger capacity. If the call does not return OK, the contents of buffer are
 * unspecified. The item is never torn, and never older than an item that this process knows to be
 * committed. It stays after the end of the stream, and while the next one is written, even if the
 * producer crashes or stops in that. Any flags, any thread. Takes nothing from a subscriber, never
 * waits, makes no system call.
 */
quoit_status quoit_queue_latest(const quoit_queue *queue, void *buffer, size_t room_bytes,
                                size_t *bytes_out);

/* Return the memory of options.user_bytes, aligned to 64; NULL if there is none. Observers can only
   read it. You decide what it contains, and how access to it is synchronized. In a forked child it
   is NULL, and a pointer from before the fork leads to zeros. */
void *quoit_queue_user_area(const quoit_queue *queue);

#ifdef __cplusplus
}
#endif

#include <quoit/pool.h>
#include <quoit/region.h>
#include <quoit/wait.h>

/*
 * More:
 *   <quoit/typed.h>     QUOIT_DEFINE_QUEUE(reading, struct reading); defines struct reading_queue,
 *                       reading_join, reading_push, reading_pop, ...: inlined, much faster
 *   <quoit/inspect.h>   quoit_list, quoit_queue_members, quoit_queue_browse, ...
 *   <quoit/pool.h>      pools: quoit_pool_join, quoit_pool_alloc, ... (included here)
 *   <quoit/wait.h>      quoit_wait_any, quoit_queue_interrupt, quoit_queue_poll_fd (included here)
 *   <quoit/region.h>    regions: quoit_region_join, quoit_region_data, ... (included here)
 *   <quoit/lock.h>      locks: quoit_lock_join, quoit_lock_lock, quoit_lock_unlock, ...
 *   <quoit/sem.h>       semaphores: quoit_sem_join, quoit_sem_wait, quoit_sem_post, ...
 */
#endif
