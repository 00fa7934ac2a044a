/* SPDX-License-Identifier: MIT */
/*
 * The rings, over memory that the caller passes. Plain C11, no system calls: they run in an array
 * as well as in a region. There are six, behind one table of functions:
 *     slots   one producer, one consumer. Each slot shows itself whether it is filled. The fastest
 *             for one item per call. The inlined puts and takes are in <quoit/spsc.h>, the rest is
 *             in spsc_slots.c
 *     spans   one producer, one consumer. Only the counters show which slots are filled, and slots
 *             hold only items. The fastest for batches; items can be made and read in place
 *             (spsc_spans.c)
 *     bytes   as spans, for variable-size messages: the counters count bytes (spsc_bytes.c)
 *     mpmc    many producers, many consumers. Positions are claimed from counters, and each slot
 *             shows itself whether it is filled (mpmc.c)
 *     lossless, lossy
 *             broadcast: one producer, and many consumers that each see every item. The producer
 *             waits for the slowest consumer, or never (broadcast.c)
 */
#ifndef QUOIT_RING_OPS_H
#define QUOIT_RING_OPS_H

#include <quoit/spsc.h>
#include <quoit/status.h>

#include "ring_shm.h"
#include "ring_state.h"

#include <stddef.h>

enum quoit_ring_layout {
    QUOIT_LAYOUT_SLOTS = 0,
    QUOIT_LAYOUT_SPANS = 1,
    QUOIT_LAYOUT_MPMC = 2,
    QUOIT_LAYOUT_LOSSLESS = 3,
    QUOIT_LAYOUT_LOSSY = 4,
    QUOIT_LAYOUT_BYTES = 5,
    QUOIT_LAYOUTS
};

/* The size of the buffer in which a slots ring places claims: its slots cannot hold an item that is
   not committed yet. */
enum { QUOIT_RING_SCRATCH_BYTES = 4096 };

/* mpmc, broadcast: the members that share the ring. */
struct quoit_ring_members {
    struct quoit_claim_record_shm *claim_records; /* count of them */
    uint32_t count;
    uint32_t own;
    /* Does a live process hold that entry? Not called for the own entry. */
    bool (*is_alive)(const void *context, uint32_t entry);
    const void *context;
    quoit_atomic_u64 *repairs; /* incremented at each repair; NULL: repairs are not counted */
};

/* How far an observer has come. All zero: before the oldest item. */
struct quoit_ring_browser {
    uint64_t next,
        missed; /* a position; items that were overwritten or taken before it reached them */
    bool begun; /* begin at next */
};

/* The caller's room for a copy of an item that stays in the ring. */
struct quoit_snapshot {
    uint8_t *buffer;
    uint64_t room_bytes;
    uint64_t bytes; /* the size of the item or message, even if larger than the room */
};

/* Where a ring is in this process, after validation. */
struct quoit_ring_view {
    const struct quoit_ring_ops *ops;
    struct quoit_ring_shm *shm; /* aligned to 64 */
    uint8_t *slots;             /* aligned to 8; stride * (capacity + ops->spare_slots) bytes */
    uint64_t capacity;          /* exact; >= 1 */
    uint64_t item_bytes;
    uint64_t stride;  /* from one slot to the next: quoit_ring_stride */
    uint64_t align;   /* bytes: records are rounded up to a multiple of it; at least 8 */
    uint64_t empty;   /* slots: the mark of a slot without an item */
    uint8_t *scratch; /* slots, lossy: for claims, at least one item; NULL: no claims */
    uint8_t *peeked;  /* lossy: for one peeked item */
    bool from_oldest; /* broadcast: a subscriber begins with the oldest item, not behind the last */
    struct quoit_ring_members members;
};

/* Statistics of a ring, for people; pushed and popped are positions. */
struct quoit_ring_totals {
    uint64_t pushed, popped; /* bytes: bytes, with headers */
    uint64_t pushed_items;
};

/*
 * One layout. All differences between the layouts are here, and no other file checks which one a
 * ring has. The caller ensures that a side of an SPSC ring has one holder, and that only one thread
 * uses a side of a handle, and it passes that side's own state. Statuses are those of
 * <quoit/status.h>; FULL, EMPTY and FINISHED leave everything as it is. A ring holds items of one
 * size, item_bytes, or messages of at most that. No call waits.
 */
struct quoit_ring_ops {
    /* Bytes of a slot before its item; bytes of an item before a message in it; the unit that a
       slot is rounded up to, 1 or 8, or the items' alignment if larger; slots beyond the
       capacity. */
    uint64_t header_bytes, record_bytes, unit_bytes, spare_slots;
    uint64_t most_capacity; /* 0: any */
    /* May several members have that side at a time? Many consumers of one producer are
       subscribers: each gets every item, and the producer also runs without any. */
    bool many_producers, many_consumers;
    bool shows_items;                   /* slots: the first word of each is its mark (mark.h) */
    bool drops_oldest;                  /* when full */
    bool copies_claims;                 /* claims are in view->scratch */
    bool copies_peeks;                  /* peeked items are in view->peeked */
    const struct quoit_ring_ops *items; /* of messages that are items of one size (record.c): the
                                           ring of these items; else NULL */

    /* Makes a new, empty ring, whose counters begin at start (0, except in tests). */
    void (*init)(const struct quoit_ring_view *view, uint64_t start);

    /* Continues a side exactly where its last holder left it, by a crash or not, with the fast path
       disabled. The caller has set `state`. CORRUPT if the counters are further apart than the
       capacity. */
    quoit_status (*attach_producer)(struct quoit_ring_producer *, const struct quoit_ring_view *);
    quoit_status (*attach_consumer)(struct quoit_ring_consumer *, const struct quoit_ring_view *);
    /* Gives up all that the sides hold. A side that was not attached stays as it is. */
    void (*detach)(struct quoit_ring_producer *, struct quoit_ring_consumer *,
                   const struct quoit_ring_view *);

    /* OK FULL FINISHED CORRUPT. Enables the fast path if possible. bytes: the message's size;
       item_bytes for an item. */
    quoit_status (*push)(struct quoit_ring_producer *, const struct quoit_ring_view *,
                         const void *data, uint64_t bytes);
    /* OK EMPTY FINISHED CORRUPT; TOO_BIG only for a message, which stays. bytes_inout: in, the
       room, at least item_bytes for an item; out, the size, also with TOO_BIG. */
    quoit_status (*pop)(struct quoit_ring_consumer *, const struct quoit_ring_view *, void *buffer,
                        uint64_t *bytes_inout);
    /* Items only, else NULL. Return how many were pushed, or popped. */
    uint64_t (*push_many)(struct quoit_ring_producer *, const struct quoit_ring_view *,
                          const void *items, uint64_t count);
    uint64_t (*pop_many)(struct quoit_ring_consumer *, const struct quoit_ring_view *,
                         void *items_out, uint64_t count);
    /* Return the status that a push or a pop would return now. */
    quoit_status (*poll_room)(struct quoit_ring_producer *, const struct quoit_ring_view *);
    quoit_status (*poll_items)(struct quoit_ring_consumer *, const struct quoit_ring_view *);

    /* Claims room in place for at most wanted items, which is not 0, or for one message of up to
       bytes. Statuses as of push. */
    quoit_status (*claim)(struct quoit_ring_producer *, const struct quoit_ring_view *,
                          uint64_t wanted, uint64_t bytes, void **room_out, uint64_t *count_out);
    /* Publishes the first count items, or one message of bytes, and drops the rest; count 0 drops
       all. false: more than was claimed. */
    bool (*commit)(struct quoit_ring_producer *, const struct quoit_ring_view *, uint64_t count,
                   uint64_t bytes);
    /* Shows items, or one message, in place. count_inout: in, how many are wanted, at least 1; out,
       how many there are, which may be more. bytes_out: the size of each. Statuses as of pop. */
    quoit_status (*peek)(struct quoit_ring_consumer *, const struct quoit_ring_view *,
                         const void **data_out, uint64_t *count_inout, uint64_t *bytes_out);
    /* Takes the first count items, or one message. false: count is more than there are. */
    bool (*release)(struct quoit_ring_consumer *, const struct quoit_ring_view *, uint64_t count);

    /* Marks the end of the stream. Any member may call it, so it does not touch the sides. Queued
       items stay. A producer that has found room before may push until it looks for room again; of
       many producers, each may commit its claims. */
    void (*end)(const struct quoit_ring_view *view);

    /* Counters that grow with each step of this side: by 1 for an item, or by the bytes of a
       message if bytes_per_step is not 0. bytes_per_step: the bytes of a short message. */
    uint64_t bytes_per_step;
    uint64_t (*pushes)(const struct quoit_ring_producer *, const struct quoit_ring_view *);
    uint64_t (*pops)(const struct quoit_ring_consumer *, const struct quoit_ring_view *);
    /* The position of the item that is peeked at; false: none is. NULL: it is `pops`. */
    bool (*peeked_at)(const struct quoit_ring_consumer *, const struct quoit_ring_view *,
                      uint64_t *position_out);
    /* Have this side's last pops, of count items, made room that the producer may wait for? Has a
       full barrier between these pops and the answer. NULL: each pop makes room. */
    bool (*made_room)(const struct quoit_ring_consumer *, const struct quoit_ring_view *,
                      uint64_t count);
    /* How many items this subscriber missed; any thread. NULL: it cannot miss one. */
    uint64_t (*missed)(const struct quoit_ring_consumer *);
    /* Has poll_items made room since the last call? NULL: it never does. */
    bool (*has_freed)(struct quoit_ring_consumer *);

    /* By any process, at any time. */
    bool (*is_finished)(const struct quoit_ring_view *view);
    bool (*is_over)(const struct quoit_ring_view *view);  /* finished, and no pop finds more */
    uint64_t (*size)(const struct quoit_ring_view *view); /* queued items, <= capacity */
    struct quoit_ring_totals (*totals)(const struct quoit_ring_view *view, uint64_t size);
    /* Would a pop find an item, a push room? As poll_items and poll_room, but without
       reading a side's private state. Damage counts as true, so that the call reports it. */
    bool (*has_items)(const struct quoit_ring_view *view);
    bool (*has_room)(const struct quoit_ring_view *view);
    /* Of items of 8 bytes: is this one committed and not released? Finds an item that is queued
       during the whole call; otherwise either answer is possible. Reads every slot. NULL: several
       consumers take each item, or it is a message. */
    bool (*contains)(const struct quoit_ring_view *view, uint64_t item);
    /* Copies the item at the browser, or the next later one that is queued: OK EMPTY FINISHED
       TOO_BIG CORRUPT. */
    quoit_status (*browse)(const struct quoit_ring_view *view, struct quoit_ring_browser *browser,
                           struct quoit_snapshot *snapshot);
    /* Copies the newest committed item, which stays: OK EMPTY TOO_BIG CORRUPT, and BUSY if it
       was overwritten during each of many copies. NULL: an item is taken once. */
    quoit_status (*latest)(const struct quoit_ring_view *view, struct quoit_snapshot *snapshot);
    /* Does the next push or pop wait for this member? lag_out: how far a subscriber is behind.
       NULL: of SPSC rings. */
    bool (*holds_up)(const struct quoit_ring_view *view, uint32_t entry, uint64_t *lag_out);
    /* Repairs what crashed members left, and returns how many claims and items that were;
       count_only: only counts them. NULL: of SPSC rings, where a successor repairs at its join. */
    uint64_t (*repair)(const struct quoit_ring_view *view, bool count_only);
    /* Checks the ring's invariants in untrusted shared memory: OK, or CORRUPT with the error
       text. */
    quoit_status (*check)(const struct quoit_ring_view *view);
};
extern const struct quoit_ring_ops quoit_spsc_slots;
extern const struct quoit_ring_ops quoit_spsc_spans;
extern const struct quoit_ring_ops quoit_spsc_bytes;
extern const struct quoit_ring_ops quoit_mpmc;
extern const struct quoit_ring_ops quoit_broadcast_lossless;
extern const struct quoit_ring_ops quoit_broadcast_lossy;
/* The same, for messages. */
extern const struct quoit_ring_ops quoit_mpmc_messages;
extern const struct quoit_ring_ops quoit_broadcast_lossless_messages;
extern const struct quoit_ring_ops quoit_broadcast_lossy_messages;

static inline bool quoit_ring_has_subscribers(const struct quoit_ring_ops *ops)
{
    return ops->many_consumers && !ops->many_producers;
}

static inline uint64_t quoit_ring_round_up(uint64_t bytes, uint64_t align)
{
    return (bytes + align - 1) & ~(align - 1);
}

/* Bytes from one slot to the next, for items that are aligned to a power of two that divides the
   stride: header and item, rounded up. Where items have no header between them and no padding
   behind them, the alignment divides item_bytes already. */
static inline uint64_t quoit_ring_stride(const struct quoit_ring_ops *ops, uint64_t item_bytes,
                                         uint64_t align)
{
    uint64_t unit = ops->unit_bytes > 1 && align > ops->unit_bytes ? align : ops->unit_bytes;
    return quoit_ring_round_up(ops->header_bytes + item_bytes, unit);
}

/* ---- Browsing (browse.c) --------------------------------------------------------------------- */

/* Of the table. is_committed: for slots; NULL: all positions below the tail are committed. */
quoit_status quoit_browse_spsc(const struct quoit_ring_view *view,
                               struct quoit_ring_browser *browser, struct quoit_snapshot *snapshot,
                               bool (*is_committed)(const struct quoit_ring_view *view,
                                                    uint8_t *slot, uint64_t position));
quoit_status quoit_browse_mpmc(const struct quoit_ring_view *view,
                               struct quoit_ring_browser *browser, struct quoit_snapshot *snapshot);
quoit_status quoit_browse_broadcast(const struct quoit_ring_view *view,
                                    struct quoit_ring_browser *browser,
                                    struct quoit_snapshot *snapshot);

/* Of the table (broadcast_latest.c). */
quoit_status quoit_broadcast_latest(const struct quoit_ring_view *view,
                                    struct quoit_snapshot *snapshot);

/* The steps of browsing: copy, fence, check whether the copy counts, end. */
void quoit_snapshot_item(struct quoit_snapshot *snapshot, const struct quoit_ring_view *view,
                         const uint8_t *item);
void quoit_snapshot_copy(struct quoit_snapshot *snapshot, const uint8_t *message, uint64_t bytes);
void quoit_snapshot_fence(void);
quoit_status quoit_snapshot_end(const struct quoit_snapshot *snapshot,
                                struct quoit_ring_browser *browser, uint64_t step);

/* ---- Shared by all rings (ring.c) ------------------------------------------------------------ */

/* Of the table, for messages that are items of one size, that is, records (record.c). */
enum { QUOIT_RECORD_HEADER_BYTES = 8 };
quoit_status quoit_record_claim(struct quoit_ring_producer *producer,
                                const struct quoit_ring_view *view, uint64_t wanted, uint64_t bytes,
                                void **message_out, uint64_t *count_out);
bool quoit_record_commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                         uint64_t count, uint64_t bytes);
quoit_status quoit_record_peek(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view, const void **message_out,
                               uint64_t *count_inout, uint64_t *bytes_out);

/* clang-format off */
#define QUOIT_RECORDS_OF(ring)                 \
    .record_bytes = QUOIT_RECORD_HEADER_BYTES, \
    .items = &(ring),                          \
    .push = quoit_ring_push_message,           \
    .pop = quoit_ring_pop_message,             \
    .claim = quoit_record_claim,               \
    .commit = quoit_record_commit,             \
    .peek = quoit_record_peek
/* clang-format on */

/* Of the table, for messages: claim, copy and commit; peek, copy and release. */
quoit_status quoit_ring_push_message(struct quoit_ring_producer *producer,
                                     const struct quoit_ring_view *view, const void *data,
                                     uint64_t bytes);
quoit_status quoit_ring_pop_message(struct quoit_ring_consumer *consumer,
                                    const struct quoit_ring_view *view, void *buffer,
                                    uint64_t *bytes_inout);
/* OK, or TOO_BIG with the error text. */
quoit_status quoit_ring_check_room(uint64_t bytes, uint64_t room_bytes);

/* Of the table, where counters count items. */
struct quoit_ring_totals quoit_ring_totals(const struct quoit_ring_view *view, uint64_t size);

/* Reads the word at `at`, a multiple of 8, that the other side may be overwriting: see contains. */
static inline uint64_t quoit_ring_item(const uint8_t *at)
{
    /* RING-S1: later loads stay after this load. Pairs with SPAN-P1 and
       MPMC-P4. */
    return atomic_load_explicit((const quoit_atomic_u64 *)(const void *)at, memory_order_acquire);
}

/* Reads a length or a block id, at a multiple of 8, that the peer may change at any time. It
   is read once, so that the checked value is the value that is used. */
static inline uint64_t quoit_ring_load_once(const void *at)
{
    /* Relaxed: the load that found the commit came before it (SPSC-C1, SPAN-C1, MPMC-C1, CAST-S1).
       A later change by a hostile peer needs no order. */
    return atomic_load_explicit((const quoit_atomic_u64 *)at, memory_order_relaxed);
}

/* The counterpart of quoit_ring_load_once, for a length. */
static inline void quoit_ring_store_once(void *at, uint64_t word)
{
    /* Relaxed: the commit that follows (SPAN-P1, MPMC-P4, CAST-P1) orders it. */
    atomic_store_explicit((quoit_atomic_u64 *)at, word, memory_order_relaxed);
}

/* How far a side may go before it must load the other side's counter again: limit - position, or 0
   if that is not possible. A limit is derived from a word that another process writes, so it is
   bounded at each use, even if it was valid before. */
static inline uint64_t quoit_ring_span(uint64_t limit, uint64_t position, uint64_t most)
{
    uint64_t span = limit - position;
    return span <= most ? span : 0;
}

/* A fence for the slow path: between a producer's load of the head and its stores below the limit
   that follows from it. It is compiled in on every processor, since it runs seldom. */
static inline void quoit_ring_before_fills(void)
{
    /* BROWSE-P1: a process that reads bytes stored after this fence also sees that head. Pairs with
       BROWSE-S1 and BYTES-S1. */
    atomic_thread_fence(memory_order_release);
}

/* Is the position before the other one? They are less than half of all positions apart. */
static inline bool quoit_ring_is_before(uint64_t position, uint64_t other)
{
    return other - position - 1 < INT64_MAX;
}

/* Counts one repair by this member. */
static inline void quoit_ring_count_repair(const struct quoit_ring_view *view)
{
    if (view->members.repairs)
        /* Relaxed: a number for people. */
        (void)atomic_fetch_add_explicit(view->members.repairs, 1, memory_order_relaxed);
}

/* Copies bytes that another process may be overwriting. Each access has at most 8 bytes, is aligned
   to its size, and stays inside the item. In spans an item can begin at any address, and the last
   one can end where the mapping ends. */
static inline void quoit_ring_load(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
    uint64_t at = 0;
    if ((uintptr_t)from % 8 == 0)
        for (; bytes - at >= 8; at += 8) {
            /* Relaxed: BROWSE-S1 or CAST-S6, which follow in the caller, order it before the check
               whether the copy is whole. */
            uint64_t word = atomic_load_explicit(
                (const quoit_atomic_u64 *)(const void *)(from + at), memory_order_relaxed);
            memcpy(to + at, &word, 8);
        }
    if ((uintptr_t)from % 4 == 0)
        for (; bytes - at >= 4; at += 4) {
            /* Relaxed: BROWSE-S1 or CAST-S6 order it before the check. */
            uint32_t word = atomic_load_explicit(
                (const quoit_atomic_u32 *)(const void *)(from + at), memory_order_relaxed);
            memcpy(to + at, &word, 4);
        }
    for (; at < bytes; at++)
        /* Relaxed: BROWSE-S1 or CAST-S6 order it before the check. */
        to[at] = atomic_load_explicit((const quoit_atomic_u8 *)(const void *)(from + at),
                                      memory_order_relaxed);
}

/* Of the table, for rings whose slots need no first value: sets the counters of a new ring. */
void quoit_ring_init(const struct quoit_ring_view *view, uint64_t start);

/* Set a side's state to slot number position mod capacity, with the fast path disabled. */
void quoit_ring_producer_begin(struct quoit_ring_producer *producer,
                               const struct quoit_ring_view *view, uint64_t position);
void quoit_ring_consumer_begin(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view, uint64_t position);

/* The next slot, also while the fast path is disabled and `next` leads elsewhere. */
static inline uint8_t *quoit_ring_producer_disabled_slot(struct quoit_ring_producer *producer)
{
    return (uint8_t *)producer + offsetof(struct quoit_ring_producer, disabled);
}

static inline uint8_t *quoit_ring_producer_slot(struct quoit_ring_producer *producer)
{
    uint8_t *next = producer->next; /* read once: another thread may disable the fast path */
    return next == quoit_ring_producer_disabled_slot(producer) ? producer->slot : next;
}

static inline uint8_t *quoit_ring_consumer_disabled_slot(struct quoit_ring_consumer *consumer)
{
    return (uint8_t *)consumer + offsetof(struct quoit_ring_consumer, disabled);
}

static inline uint8_t *quoit_ring_consumer_slot(struct quoit_ring_consumer *consumer)
{
    uint8_t *next = consumer->next; /* read once, as the producer's */
    return next == quoit_ring_consumer_disabled_slot(consumer) ? consumer->slot : next;
}

/* Disable the fast path: each later put or take uses the slow path. */
void quoit_ring_producer_disable(struct quoit_ring_producer *producer);
void quoit_ring_consumer_disable(struct quoit_ring_consumer *consumer);

uint64_t quoit_ring_head(struct quoit_ring_shm *shm);
uint64_t quoit_ring_tail(struct quoit_ring_shm *shm);

/* mpmc: is the end marked? Then the release of the last item wakes consumers that wait for one. */
static inline bool quoit_ring_is_ending(const struct quoit_ring_view *view)
{
    /* Relaxed: a hint; a waiting consumer finds the end by itself a moment later. */
    return atomic_load_explicit(&view->shm->finished, memory_order_relaxed) != 0;
}

/* Returns CORRUPT, and sets the error text. */
quoit_status quoit_ring_counters_apart(uint64_t tail, uint64_t head, uint64_t capacity);

/* Of the table, for SPSC rings. */
uint64_t quoit_spsc_pushes(const struct quoit_ring_producer *producer,
                           const struct quoit_ring_view *view);
uint64_t quoit_spsc_pops(const struct quoit_ring_consumer *consumer,
                         const struct quoit_ring_view *view);
void quoit_spsc_detach(struct quoit_ring_producer *producer, struct quoit_ring_consumer *consumer,
                       const struct quoit_ring_view *view);
void quoit_spsc_end(const struct quoit_ring_view *view);
bool quoit_spsc_is_finished(const struct quoit_ring_view *view);
bool quoit_spsc_is_over(const struct quoit_ring_view *view);
/* Of spans and bytes. Also true if the counters are impossible: the call then returns CORRUPT. */
bool quoit_spsc_shows_items(const struct quoit_ring_view *view);
quoit_status quoit_spsc_check(const struct quoit_ring_view *view);
/* Checks the end mark. */
quoit_status quoit_ring_check_finished(const struct quoit_ring_view *view);

/* The entries that all SPSC rings share. */
/* clang-format off */
#define QUOIT_SPSC_OPS                     \
    .detach = quoit_spsc_detach,           \
    .end = quoit_spsc_end,                 \
    .pushes = quoit_spsc_pushes,           \
    .pops = quoit_spsc_pops,               \
    .is_finished = quoit_spsc_is_finished, \
    .is_over = quoit_spsc_is_over
/* clang-format on */

#endif
