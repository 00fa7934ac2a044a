/* SPDX-License-Identifier: MIT */
/*
 * The insides of the MPMC ring, for the files mpmc*.c.
 *
 * A member claims a position by moving a counter on, tail or head, by compare-and-exchange. Before
 * that it publishes in its claim record which position it is about to take. The record names the
 * position until the member claims the next one. So a claimed position whose slot is not done has
 * the owner whose record names it. If no live member's record does, the owner has crashed, and
 *     a position without an item    was claimed by a producer that never committed. The member that
 *                                   is blocked by it moves the slot on to the next lap
 *     an item before the head       was being read by a consumer. Another consumer adopts it and
 *                                   increments the item's generation, so that only one succeeds
 * Each repair is one compare-and-exchange of the slot's sequence. A sequence occurs again only
 * after 256 adoptions of one item.
 */
#ifndef QUOIT_RING_MPMC_H
#define QUOIT_RING_MPMC_H

#include "relax.h"
#include "ring_ops.h"

/* A slot is a sequence and an item. The sequence, from the lowest bit on: 1 if there is an item, 7
   bits of 0, 8 bits of generation, 48 of lap (FORMAT.md 4). A variable `lap` is the sequence of
   an empty slot in that lap. */
#define QUOIT_MPMC_LAP  UINT64_C(0x10000)
#define QUOIT_MPMC_FULL UINT64_C(1)

/* The tail's highest bit: the stream has ended, and no position can be claimed. */
#define QUOIT_MPMC_FINISHED (UINT64_C(1) << 63)

enum { QUOIT_MPMC_SEQUENCE_BYTES = 8, QUOIT_MPMC_CLAIM_MOST = 2047 };

/* How often a call tries again because something has changed: enough to pass what many crashed
   members left, in a crowd. Without a limit, a hostile peer could keep the call busy for ever. A
   caller that spins calls again anyway. */
static inline uint64_t quoit_mpmc_tries(const struct quoit_mpmc_side *side,
                                        const struct quoit_ring_view *view)
{
    return *side->spinning ? 64 : 3 * view->capacity + 1000;
}

static inline quoit_atomic_u64 *quoit_mpmc_sequence(uint8_t *slot)
{
    return (quoit_atomic_u64 *)(void *)slot;
}

/* Publishes in a claim record which positions the member is about to take: count of them, 0 for
   none, of items of that generation. A record has 1 bit that is set unless it is empty, 11 bits of
   count, 8 of generation, 44 of position (FORMAT.md 4). */
static inline void quoit_mpmc_publish_claim(quoit_atomic_u64 *claim, uint64_t position,
                                            uint64_t generation, uint64_t count)
{
    uint64_t record = count == 0 ? 0 : position << 20 | (generation & 0xff) << 12 | count << 1 | 1;
    /* MPMC-P2: stored before the position is claimed, and after the last store to the slot of the
       position before. Pairs with MPMC-R1. */
    atomic_store_explicit(claim, record, memory_order_release);
}

/* Claims count positions by moving a counter, tail or head, on from `position`. false: another
   member was faster, and counter_out is the counter's value. */
static inline bool quoit_mpmc_claim_next(quoit_atomic_u64 *counter, quoit_atomic_u64 *claim,
                                         uint64_t position, uint64_t count, uint64_t *counter_out)
{
    *counter_out = position;
    quoit_mpmc_publish_claim(claim, position, 0, count);
    /* MPMC-P3: a member that sees that the positions are claimed also sees the claim record. Pairs
       with MPMC-R2 and MPMC-R3. */
    if (atomic_compare_exchange_strong_explicit(counter, counter_out, position + count,
                                                memory_order_acq_rel, memory_order_acquire))
        return true;
    /* Another member has the position. If it crashes, this record would make the position look
       owned. */
    quoit_mpmc_publish_claim(claim, 0, 0, 0);
    return false;
}

static inline uint64_t quoit_mpmc_load(uint8_t *slot)
{
    /* MPMC-C1: after this load, the owner of the position may read the item that the sequence
       shows, or fill the slot if the sequence shows that it is free. Pairs with MPMC-P4, MPMC-C4
       and MPMC-R4. */
    return atomic_load_explicit(quoit_spsc_word(slot), memory_order_acquire);
}

static inline void quoit_mpmc_commit_slot(uint8_t *slot, uint64_t lap)
{
    /* MPMC-P4: the commit; publishes the item. Pairs with MPMC-C1, MPMC-R5 and RING-S1. */
    atomic_store_explicit(quoit_spsc_word(slot), lap | QUOIT_MPMC_FULL, memory_order_release);
}

/* Frees a slot whose item is read, or that gets none. By the owner of the position. */
static inline void quoit_mpmc_give_back(uint8_t *slot, uint64_t lap)
{
    /* MPMC-C4: after all reads of the item; the slot is free for the next lap. Pairs with MPMC-C1
       and BROWSE-S1. */
    atomic_store_explicit(quoit_spsc_word(slot), lap + QUOIT_MPMC_LAP, memory_order_release);
}

/* Does a slot that is not ready stay as it is? Looks a few times more, since the next steps cost
   more: they read the other side's counter, whose cache line the other side needs, and ask the
   kernel which members are alive. */
static inline bool quoit_mpmc_stays(uint8_t *slot, uint64_t sequence)
{
    for (int tries = 0; tries < 8; tries++) {
        quoit_relax();
        if (quoit_mpmc_load(slot) != sequence)
            return false;
    }
    return true;
}

static inline uint64_t quoit_mpmc_lap_of(uint64_t sequence)
{
    return sequence & ~(QUOIT_MPMC_LAP - 1);
}

static inline uint64_t quoit_mpmc_generation(uint64_t sequence)
{
    return sequence >> 8 & 0xff;
}

/* Does the sequence show an item of that lap, of any generation? */
static inline bool quoit_mpmc_is_full(uint64_t sequence, uint64_t lap)
{
    return (sequence & ~UINT64_C(0xff00)) == (lap | QUOIT_MPMC_FULL);
}

static inline bool quoit_mpmc_is_later(uint64_t sequence, uint64_t lap)
{
    return (int64_t)(quoit_mpmc_lap_of(sequence) - lap) > 0;
}

static inline uint64_t quoit_mpmc_tail(const struct quoit_ring_view *view)
{
    /* MPMC-R2: after this load, the claim records of all positions below are visible. Pairs with
       MPMC-P3 and MPMC-F1. */
    return atomic_load_explicit(&view->shm->tail, memory_order_acquire);
}

static inline uint64_t quoit_mpmc_position(uint64_t tail)
{
    return tail & ~QUOIT_MPMC_FINISHED;
}

static inline uint64_t quoit_mpmc_head(const struct quoit_ring_view *view)
{
    /* MPMC-R3: as MPMC-R2, for consumers. Pairs with MPMC-P3 and MPMC-C3. */
    return atomic_load_explicit(&view->shm->head, memory_order_acquire);
}

static inline struct quoit_mpmc_slot_ref quoit_mpmc_slot_ref(const struct quoit_ring_view *view,
                                                             uint64_t position)
{
    uint64_t lap = position / view->capacity, index = position - lap * view->capacity;
    return (struct quoit_mpmc_slot_ref){.slot = view->slots + index * view->stride,
                                        .lap = lap * QUOIT_MPMC_LAP};
}

/* The constants for a step to the next slot. Keep them in a local variable: otherwise a compiler
   loads them again after each store into a slot. */
struct quoit_mpmc_geometry {
    uint8_t *begin;
    const uint8_t *end;
    uint64_t stride;
};

static inline struct quoit_mpmc_geometry quoit_mpmc_geometry(const struct quoit_ring_view *view)
{
    return (struct quoit_mpmc_geometry){.begin = view->slots,
                                        .end = view->slots + view->capacity * view->stride,
                                        .stride = view->stride};
}

/* The slot after this one. It never leads to the end, not even for a moment. */
static inline void quoit_mpmc_step(const struct quoit_mpmc_geometry *geometry,
                                   struct quoit_mpmc_slot_ref *ref)
{
    uint8_t *slot = ref->slot + geometry->stride;
    if (slot == geometry->end) {
        slot = geometry->begin;
        ref->lap += QUOIT_MPMC_LAP;
    }
    ref->slot = slot;
}

/* The next position's slot. Not for the fast paths, which load slot and lap one by one: a processor
   waits where it loads sixteen bytes at once that have just been stored as eight and eight. */
static inline struct quoit_mpmc_slot_ref
quoit_mpmc_next_slot_ref(const struct quoit_mpmc_side *side)
{
    return (struct quoit_mpmc_slot_ref){.slot = side->slot, .lap = side->lap};
}

static inline void quoit_mpmc_go_to(struct quoit_mpmc_side *side,
                                    const struct quoit_ring_view *view, uint64_t position)
{
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, position);
    side->position = position;
    side->slot = ref.slot;
    side->lap = ref.lap;
}

/* Past the next count positions, at most the capacity, which begin at ref_out. */
static inline void quoit_mpmc_pass(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                                   uint64_t count, struct quoit_mpmc_slot_ref *ref_out)
{
    *ref_out = quoit_mpmc_next_slot_ref(side);
    uint64_t bytes = count * view->stride;
    uint64_t to_end = view->capacity * view->stride - (uint64_t)(ref_out->slot - view->slots);
    side->position += count;
    if (bytes < to_end) {
        side->slot += bytes;
    } else {
        side->lap += QUOIT_MPMC_LAP;
        side->slot = view->slots + (bytes - to_end);
    }
}

/* Keeps a position that is claimed or peeked at. The slot is stored last: a signal handler that
   leaves the call in between, and closes the handle, then finds no claim instead of one with the
   lap of another. */
static inline void quoit_mpmc_hold(struct quoit_mpmc_side *side, struct quoit_mpmc_slot_ref ref)
{
    side->held.lap = ref.lap;
    atomic_signal_fence(memory_order_release);
    side->held.slot = ref.slot;
}

/* Gives up the position that is held, if there is one; its slot gets no item. The handle forgets it
   before it frees the slot: a signal handler may leave the call in between and close the handle,
   and close must not free a slot that another member has by then. If the slot was not freed yet,
   other members find it like a crashed member's. */
static inline void quoit_mpmc_give_up(struct quoit_mpmc_side *side)
{
    struct quoit_mpmc_slot_ref held = side->held;
    if (!held.slot)
        return;
    side->held.slot = NULL;
    quoit_mpmc_give_back(held.slot, held.lap);
}

/* Begins a side. Returns the claim records of this member's entry, emptied: its last holder may
   have left something there. */
static inline struct quoit_claim_record_shm *quoit_mpmc_enter(struct quoit_mpmc_side *side,
                                                              const struct quoit_ring_view *view)
{
    side->end = quoit_mpmc_geometry(view).end;
    struct quoit_claim_record_shm *record = &view->members.claim_records[view->members.own];
    quoit_mpmc_publish_claim(&record->pushing, 0, 0, 0);
    quoit_mpmc_publish_claim(&record->popping, 0, 0, 0);
    return record;
}

/* Has quoit_mpmc_set_abandoned been called, and no consumer searched since? */
static inline bool quoit_mpmc_is_abandoned_set(const struct quoit_ring_view *view)
{
    /* Relaxed: a hint; a consumer that follows it searches the slots itself. */
    return atomic_load_explicit(&view->shm->abandoned, memory_order_relaxed) != 0;
}

/* ---- Fast paths: one position, whose slot is ready, and no other member is faster ------------ */

/* Only for items that are copied word by word: a call of memcpy would make each caller save
   registers. */
static inline bool quoit_mpmc_is_quick(const struct quoit_mpmc_side *side, uint64_t item_bytes)
{
    return !side->held.slot && item_bytes <= QUOIT_SPSC_WORDS_BYTES && item_bytes % 8 == 0;
}

static inline void quoit_mpmc_advance(struct quoit_mpmc_side *side,
                                      const struct quoit_ring_view *view)
{
    uint8_t *slot = side->slot + view->stride;
    side->position++;
    if (slot == side->end) {
        side->lap += QUOIT_MPMC_LAP;
        slot = view->slots;
    }
    side->slot = slot;
}

/* Pushes an item; false: nothing was done. */
static inline bool quoit_mpmc_put(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                                  const void *item, uint64_t item_bytes)
{
    uint8_t *slot = side->slot;
    const uint64_t lap = side->lap;
    uint64_t tail;
    if (!quoit_mpmc_is_quick(side, item_bytes) || quoit_mpmc_load(slot) != lap ||
        !quoit_mpmc_claim_next(&view->shm->tail, side->claim, side->position, 1, &tail))
        return false;
    quoit_ring_before_fill();
    quoit_mpmc_advance(side, view);
    for (uint64_t at = 0; at < item_bytes; at += 8) {
        uint64_t word;
        /* Private: the caller's item. */
        memcpy(&word, (const uint8_t *)item + at, 8);
        /* Relaxed: MPMC-P4 orders it before the commit. */
        atomic_store_explicit(quoit_spsc_word(slot + QUOIT_MPMC_SEQUENCE_BYTES + at), word,
                              memory_order_relaxed);
    }
    quoit_mpmc_commit_slot(slot, lap);
    return true;
}

/* Pops an item; false: nothing was done. */
static inline bool quoit_mpmc_take(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                                   void *item_out, uint64_t item_bytes)
{
    uint8_t *slot = side->slot;
    const uint64_t lap = side->lap;
    uint64_t head;
    if (!quoit_mpmc_is_quick(side, item_bytes) ||
        quoit_mpmc_load(slot) != (lap | QUOIT_MPMC_FULL) || quoit_mpmc_is_abandoned_set(view) ||
        !quoit_mpmc_claim_next(&view->shm->head, side->claim, side->position, 1, &head))
        return false;
    quoit_mpmc_advance(side, view);
    for (uint64_t at = 0; at < item_bytes; at += 8) {
        /* Relaxed: MPMC-C1 came before it. */
        uint64_t word = atomic_load_explicit(quoit_spsc_word(slot + QUOIT_MPMC_SEQUENCE_BYTES + at),
                                             memory_order_relaxed);
        memcpy((uint8_t *)item_out + at, &word, 8);
    }
    quoit_mpmc_give_back(slot, lap);
    return true;
}

/* ---- Both sides, mpmc_push.c and mpmc_pop.c: of the table ------------------------------------ */

quoit_status quoit_mpmc_attach_producer(struct quoit_ring_producer *producer,
                                        const struct quoit_ring_view *view);
quoit_status quoit_mpmc_push(struct quoit_ring_producer *producer,
                             const struct quoit_ring_view *view, const void *item,
                             uint64_t item_bytes);
uint64_t quoit_mpmc_push_many(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view, const void *items,
                              uint64_t count);
quoit_status quoit_mpmc_poll_room(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_view *view);
quoit_status quoit_mpmc_claim(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view, uint64_t wanted,
                              uint64_t item_bytes, void **items_out, uint64_t *count_out);
bool quoit_mpmc_commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                       uint64_t count, uint64_t item_bytes);
void quoit_mpmc_end(const struct quoit_ring_view *view);

quoit_status quoit_mpmc_attach_consumer(struct quoit_ring_consumer *consumer,
                                        const struct quoit_ring_view *view);
quoit_status quoit_mpmc_pop(struct quoit_ring_consumer *consumer,
                            const struct quoit_ring_view *view, void *item_out,
                            uint64_t *bytes_inout);
uint64_t quoit_mpmc_pop_many(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_view *view, void *items_out, uint64_t count);
quoit_status quoit_mpmc_poll_items(struct quoit_ring_consumer *consumer,
                                   const struct quoit_ring_view *view);
quoit_status quoit_mpmc_peek(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_view *view, const void **items_out,
                             uint64_t *count_out, uint64_t *bytes_out);
bool quoit_mpmc_release(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                        uint64_t count);

/* ---- Repair, mpmc.c -------------------------------------------------------------------------- */

/* Skips a claimed position whose slot has shown `sequence`, and no item, if its producer has
   crashed: moves the slot on to the next lap. true: something has changed, so try again. */
bool quoit_mpmc_skip(const struct quoit_ring_view *view, uint64_t position, uint8_t *slot,
                     uint64_t sequence);

/* Does a live member's record name this position: of a producer (pushing), or of a consumer? */
bool quoit_mpmc_is_owned(const struct quoit_ring_view *view, bool pushing, uint64_t position,
                         uint64_t generation);

/* Searches the positions from from_inout to end for items that were taken and not released. Moves
   from_inout to the first of them, or to end. */
struct quoit_mpmc_taken {
    uint64_t being_read; /* items of live consumers */
    bool abandoned;      /* an item of a crashed consumer was found; the rest describes it */
    struct quoit_mpmc_slot_ref ref;
    uint64_t position, sequence;
};
struct quoit_mpmc_taken quoit_mpmc_find_taken(const struct quoit_ring_view *view,
                                              uint64_t *from_inout, uint64_t end);

/* Makes the next consumer search for items of crashed consumers before it takes another. */
void quoit_mpmc_set_abandoned(const struct quoit_ring_view *view);
/* Also resets it, so that one consumer searches. A member that is still blocked sets it again. */
bool quoit_mpmc_test_and_clear_abandoned(const struct quoit_ring_view *view);

/* Does the next pop, or the next push, wait for the member of this entry: for an item that it has
   claimed and not committed, or for a slot whose item it has taken and not released? */
bool quoit_mpmc_holds_up(const struct quoit_ring_view *view, uint32_t entry, uint64_t *lag_out);
uint64_t quoit_mpmc_repair(const struct quoit_ring_view *view, bool count_only);

/* Makes an item of a crashed consumer this member's. false: another member was faster. */
bool quoit_mpmc_adopt(quoit_atomic_u64 *claim, const struct quoit_mpmc_taken *taken);

#endif
