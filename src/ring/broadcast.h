/* SPDX-License-Identifier: MIT */
/*
 * The insides of the broadcast rings, for broadcast*.c: one producer, and subscribers that each see
 * every item. A slot is a sequence and an item. The sequence shows which position's item is in the
 * slot, and whether that item is whole.
 *
 * Lossless: each subscriber publishes its position in its entry. The producer may fill positions up
 * to its limit, which is at most the slowest subscriber's position plus the capacity. Only at the
 * limit does it read the entries again, and it asks the kernel only about subscribers that block
 * it. A subscriber may join while the producer moves its limit. The subscriber publishes where it
 * begins, the producer publishes which items it no longer keeps. Each does so before it reads what
 * the other has published, so at least one of them sees the other.
 *
 * Lossy: the producer never waits. It marks the slot's sequence before it overwrites the item. A
 * subscriber reads the sequence before and after it copies the item. If the sequence has changed,
 * the subscriber drops the copy and catches up.
 *
 * Both have one slot more than the capacity. So the newest item is never in the slot that the
 * producer writes next, and stays readable meanwhile (broadcast_latest.c).
 */
#ifndef QUOIT_RING_BROADCAST_H
#define QUOIT_RING_BROADCAST_H

#include "ring_ops.h"

enum { QUOIT_BROADCAST_SEQUENCE_BYTES = 8 };

/* How often a call tries again because the producer has moved on meanwhile. Without a limit, a
   hostile peer could keep the call busy for ever. */
enum { QUOIT_BROADCAST_TRIES = 1000 };

static inline uint64_t quoit_broadcast_slots(const struct quoit_ring_view *view)
{
    return view->capacity + 1;
}

static inline uint8_t *quoit_broadcast_slot(const struct quoit_ring_view *view, uint64_t position)
{
    return view->slots + position % quoit_broadcast_slots(view) * view->stride;
}

static inline quoit_atomic_u64 *quoit_broadcast_sequence(uint8_t *at)
{
    return (quoit_atomic_u64 *)(void *)at;
}

/* ---- Sequences: 2 to the power of 63 positions have different sequences ---------------------- */

static inline uint64_t quoit_broadcast_whole(uint64_t position)
{
    return 2 * position + 2;
}

static inline uint64_t quoit_broadcast_torn(uint64_t position)
{
    return 2 * position + 1;
}

static inline bool quoit_broadcast_is_later(uint64_t sequence, uint64_t than)
{
    return (int64_t)(sequence - than) > 0;
}

static inline uint64_t quoit_broadcast_load(uint8_t *slot)
{
    /* CAST-S1: a load that returns a position's sequence also makes its item visible. Pairs with
       CAST-P1. */
    return atomic_load_explicit(quoit_broadcast_sequence(slot), memory_order_acquire);
}

static inline void quoit_broadcast_commit(uint8_t *slot, uint64_t position)
{
    /* CAST-P1: the commit; publishes the item. Pairs with CAST-S1. */
    atomic_store_explicit(quoit_broadcast_sequence(slot), quoit_broadcast_whole(position),
                          memory_order_release);
}

/* ---- Counters -------------------------------------------------------------------------------- */

static inline uint64_t quoit_broadcast_tail(const struct quoit_ring_view *view)
{
    /* CAST-S3: positions below it are committed. Pairs with CAST-P3. */
    return atomic_load_explicit(&view->shm->tail, memory_order_acquire);
}

static inline void quoit_broadcast_set_tail(struct quoit_ring_shm *shm, uint64_t tail)
{
    /* CAST-P3: after the commit. If the producer crashes between the two, its successor finds the
       item by its sequence. Pairs with CAST-S3. */
    atomic_store_explicit(&shm->tail, tail, memory_order_release);
}

static inline uint64_t quoit_broadcast_floor(const struct quoit_ring_view *view)
{
    /* CAST-S5: items below are not kept. Pairs with CAST-P5. */
    return atomic_load_explicit(&view->shm->retained_from, memory_order_acquire);
}

/* The oldest item that is kept, at which a subscriber that joins now may begin. */
static inline uint64_t quoit_broadcast_oldest(const struct quoit_ring_view *view, uint64_t tail)
{
    uint64_t floor = quoit_broadcast_floor(view);
    bool kept = !view->ops->drops_oldest || tail - floor <= view->capacity;
    return kept ? floor : tail - view->capacity;
}

/* ---- Records --------------------------------------------------------------------------------- */

/* The record of a subscriber, from the lowest bit: 1 if there is a subscriber, 15 bits that differ
   from one holder of the entry to the next, 48 of its position (FORMAT.md 4). */

#define QUOIT_BROADCAST_THERE UINT64_C(1)
#define QUOIT_BROADCAST_TAG   UINT64_C(0xffff)

static inline uint64_t quoit_broadcast_load_record(const struct quoit_ring_view *view,
                                                   uint32_t entry)
{
    /* CAST-P2: items below that position are read. Pairs with CAST-S2. */
    return atomic_load_explicit(&view->members.claim_records[entry].subscriber,
                                memory_order_acquire);
}

static inline void quoit_broadcast_publish_position(quoit_atomic_u64 *record, uint64_t position,
                                                    uint64_t tag)
{
    /* CAST-S2: items below are read, their slots may be filled again. Pairs with CAST-P2. */
    atomic_store_explicit(record, position << 16 | tag, memory_order_release);
}

/* How many positions the record is behind `position`; negative if it is ahead. */
static inline int64_t quoit_broadcast_lag(uint64_t record, uint64_t position)
{
    return (int64_t)((position << 16) - (record & ~QUOIT_BROADCAST_TAG)) / 0x10000;
}

/* Does the record hold back a producer that is at `position`? One that is further behind than the
   capacity is ignored: a subscriber that is still joining reads the floor and moves on, and any
   other has crashed. */
static inline bool quoit_broadcast_counts(const struct quoit_ring_view *view, uint64_t record,
                                          uint64_t position)
{
    int64_t lag = quoit_broadcast_lag(record, position);
    return (record & QUOIT_BROADCAST_THERE) != 0 && lag >= 0 && (uint64_t)lag <= view->capacity;
}

static inline uint32_t quoit_broadcast_entries(const struct quoit_ring_view *view)
{
    /* Relaxed: the fence CAST-F1 orders it where a subscriber that joins must be seen. */
    uint32_t entries = atomic_load_explicit(&view->shm->entries_used, memory_order_relaxed);
    return entries < view->members.count ? entries : view->members.count;
}

static inline void quoit_broadcast_full_barrier(void)
{
    /* CAST-F1: between this side's store and its load of what the other side has stored. Pairs
       with CAST-F1. */
    atomic_thread_fence(memory_order_seq_cst);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static inline uint8_t *quoit_broadcast_next(const struct quoit_ring_view *view, uint8_t *slot)
{
    slot += view->stride;
    return slot == view->slots + quoit_broadcast_slots(view) * view->stride ? view->slots : slot;
}

static inline uint8_t *quoit_broadcast_previous(const struct quoit_ring_view *view, uint8_t *slot)
{
    return slot == view->slots ? slot + view->capacity * view->stride : slot - view->stride;
}

/* Moves a side to the next position. */
static inline void quoit_broadcast_step(uint64_t *position, uint8_t **slot,
                                        const struct quoit_ring_view *view)
{
    ++*position;
    *slot = quoit_broadcast_next(view, *slot);
}

/* ---- Of the table: both, broadcast.c; lossless, broadcast_push.c and broadcast_pop.c --------- */

quoit_status quoit_broadcast_attach_producer(struct quoit_ring_producer *producer,
                                             const struct quoit_ring_view *view);
quoit_status quoit_broadcast_push(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_view *view, const void *item,
                                  uint64_t item_bytes);
uint64_t quoit_broadcast_push_many(struct quoit_ring_producer *producer,
                                   const struct quoit_ring_view *view, const void *items,
                                   uint64_t count);
quoit_status quoit_broadcast_poll_room(struct quoit_ring_producer *producer,
                                       const struct quoit_ring_view *view);
quoit_status quoit_broadcast_claim(struct quoit_ring_producer *producer,
                                   const struct quoit_ring_view *view, uint64_t wanted,
                                   uint64_t item_bytes, void **items_out, uint64_t *count_out);
bool quoit_broadcast_commit_claim(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_view *view, uint64_t count,
                                  uint64_t item_bytes);
bool quoit_broadcast_holds_up(const struct quoit_ring_view *view, uint32_t entry,
                              uint64_t *lag_out);
uint64_t quoit_broadcast_repair(const struct quoit_ring_view *view, bool count_only);
bool quoit_broadcast_has_room(const struct quoit_ring_view *view);

quoit_status quoit_broadcast_attach_consumer(struct quoit_ring_consumer *consumer,
                                             const struct quoit_ring_view *view);
quoit_status quoit_broadcast_pop(struct quoit_ring_consumer *consumer,
                                 const struct quoit_ring_view *view, void *item_out,
                                 uint64_t *bytes_inout);
uint64_t quoit_broadcast_pop_many(struct quoit_ring_consumer *consumer,
                                  const struct quoit_ring_view *view, void *items_out,
                                  uint64_t count);
quoit_status quoit_broadcast_poll_items(struct quoit_ring_consumer *consumer,
                                        const struct quoit_ring_view *view);
quoit_status quoit_broadcast_peek(struct quoit_ring_consumer *consumer,
                                  const struct quoit_ring_view *view, const void **items_out,
                                  uint64_t *count_out, uint64_t *bytes_out);
bool quoit_broadcast_release(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_view *view, uint64_t count);

void quoit_broadcast_init(const struct quoit_ring_view *view, uint64_t start);
void quoit_broadcast_detach(struct quoit_ring_producer *producer,
                            struct quoit_ring_consumer *consumer,
                            const struct quoit_ring_view *view);
uint64_t quoit_broadcast_pops(const struct quoit_ring_consumer *consumer,
                              const struct quoit_ring_view *view);
bool quoit_broadcast_made_room(const struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view, uint64_t count);
struct quoit_ring_totals quoit_broadcast_totals(const struct quoit_ring_view *view, uint64_t size);
uint64_t quoit_broadcast_size(const struct quoit_ring_view *view);
bool quoit_broadcast_has_items(const struct quoit_ring_view *view);
quoit_status quoit_broadcast_check(const struct quoit_ring_view *view);

/* The entries that all broadcast rings share. */
/* clang-format off */
#define QUOIT_BROADCAST_OPS                            \
    .header_bytes = QUOIT_BROADCAST_SEQUENCE_BYTES,        \
    .unit_bytes = 8,                                   \
    .spare_slots = 1, /* the newest item stays while the next is written */ \
    .many_consumers = true,                            \
    .init = quoit_broadcast_init,                      \
    .attach_consumer = quoit_broadcast_attach_consumer,\
    .detach = quoit_broadcast_detach,                  \
    .end = quoit_spsc_end,                             \
    .pushes = quoit_spsc_pushes,                       \
    .pops = quoit_broadcast_pops,                      \
    .is_finished = quoit_spsc_is_finished,             \
    .is_over = quoit_spsc_is_finished, /* no pop returns EMPTY any more */ \
    .size = quoit_broadcast_size,                      \
    .totals = quoit_broadcast_totals,                  \
    .has_items = quoit_broadcast_has_items,            \
    .browse = quoit_browse_broadcast,                      \
    .latest = quoit_broadcast_latest,                  \
    .holds_up = quoit_broadcast_holds_up,              \
    .repair = quoit_broadcast_repair,                  \
    .check = quoit_broadcast_check
/* clang-format on */

#endif
