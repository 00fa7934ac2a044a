/* SPDX-License-Identifier: MIT */
/* The producers' side of the MPMC ring. How it works is in mpmc.h, ordering labels in
   docs/ORDERING.md. */
#include "mpmc.h"

#include "noinline.h"

quoit_status quoit_mpmc_attach_producer(struct quoit_ring_producer *producer,
                                        const struct quoit_ring_view *view)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    quoit_ring_producer_begin(producer, view, 0);
    side->spinning = &producer->state->spinning;
    side->claim = &quoit_mpmc_enter(side, view)->pushing;
    quoit_mpmc_go_to(side, view, quoit_mpmc_position(quoit_mpmc_tail(view)));
    return QUOIT_OK;
}

/* Counts the free slots from the next position on, up to `most`. */
static uint64_t count_free(const struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                           uint64_t most)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_next_slot_ref(side);
    uint64_t count = 0;
    /* A hostile peer may free slots for ever. */
    most = most < view->capacity ? most : view->capacity;
    for (; count < most && quoit_mpmc_load(ref.slot) == ref.lap; count++)
        quoit_mpmc_step(&geometry, &ref);
    return count;
}

/* The next slot has shown `sequence`, of the lap before, for a while. If a crashed producer holds
   it, skips its position. If a crashed consumer does, notifies consumers: only they can take its
   item. */
static quoit_status ask_for_owner(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                                  uint64_t sequence)
{
    uint64_t lap = side->lap - QUOIT_MPMC_LAP, before = side->position - view->capacity;
    if (sequence == lap)
        return quoit_mpmc_skip(view, before, side->slot, sequence) ? QUOIT_OK : QUOIT_FULL;
    bool taken = quoit_mpmc_is_full(sequence, lap) && (int64_t)(quoit_mpmc_head(view) - before) > 0;
    if (taken && !quoit_mpmc_is_owned(view, false, before, quoit_mpmc_generation(sequence)))
        quoit_mpmc_set_abandoned(view);
    return QUOIT_FULL;
}

/* The next slot was not free. OK: something has changed, so try again. */
static quoit_status producer_blocked(struct quoit_mpmc_side *side,
                                     const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_mpmc_tail(view);
    if (tail & QUOIT_MPMC_FINISHED)
        return QUOIT_FINISHED;
    if (tail != side->position) {
        quoit_mpmc_go_to(side, view, tail);
        return QUOIT_OK;
    }
    uint64_t sequence = quoit_mpmc_load(side->slot);
    if (sequence == side->lap)
        return QUOIT_OK;
    if (*side->spinning)
        return QUOIT_FULL;
    return quoit_mpmc_stays(side->slot, sequence) ? ask_for_owner(side, view, sequence) : QUOIT_OK;
}

quoit_status quoit_mpmc_poll_room(struct quoit_ring_producer *producer,
                                  const struct quoit_ring_view *view)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    if (side->held.slot)
        return QUOIT_OK;
    for (uint64_t tries = quoit_mpmc_tries(side, view); tries > 0; tries--) {
        if (quoit_mpmc_load(side->slot) == side->lap) {
            uint64_t tail = quoit_mpmc_tail(view);
            if (tail == side->position)
                return QUOIT_OK;
        }
        quoit_status status = producer_blocked(side, view);
        if (status != QUOIT_OK)
            return status;
    }
    return QUOIT_FULL;
}

/* Claims the next count positions, whose slots are free; they begin at ref_out. false: tail_out is
   where the tail was instead. */
static bool try_claim(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                      uint64_t count, struct quoit_mpmc_slot_ref *ref_out, uint64_t *tail_out)
{
    if (!quoit_mpmc_claim_next(&view->shm->tail, side->claim, side->position, count, tail_out))
        return false;
    quoit_ring_before_fill();
    quoit_mpmc_pass(side, view, count, ref_out);
    return true;
}

/* Claims the next position, or as many as there are, up to most: OK FULL FINISHED. */
static quoit_status claim_positions(struct quoit_mpmc_side *side,
                                    const struct quoit_ring_view *view, uint64_t most,
                                    struct quoit_mpmc_slot_ref *ref_out, uint64_t *count_out)
{
    quoit_status status = QUOIT_OK;
    for (uint64_t tries = quoit_mpmc_tries(side, view); tries > 0 && status == QUOIT_OK; tries--) {
        uint64_t tail, count = count_free(side, view, most);
        if (count == 0) {
            status = producer_blocked(side, view);
            continue;
        }
        *count_out = count;
        if (try_claim(side, view, count, ref_out, &tail))
            return QUOIT_OK;
        if (tail & QUOIT_MPMC_FINISHED)
            status = QUOIT_FINISHED;
        else
            quoit_mpmc_go_to(side, view, tail);
    }
    return status == QUOIT_OK ? QUOIT_FULL : status;
}

static inline void fill_and_commit(struct quoit_mpmc_slot_ref ref, const void *item,
                                   uint64_t item_bytes)
{
    quoit_ring_copy_in(ref.slot + QUOIT_MPMC_SEQUENCE_BYTES, item, 0, item_bytes);
    quoit_mpmc_commit_slot(ref.slot, ref.lap);
}

static QUOIT_NOINLINE quoit_status push_slowly(struct quoit_mpmc_side *side,
                                               const struct quoit_ring_view *view, const void *item,
                                               uint64_t item_bytes)
{
    struct quoit_mpmc_slot_ref ref = side->held;
    if (!ref.slot) {
        uint64_t count;
        quoit_status status = claim_positions(side, view, 1, &ref, &count);
        if (status != QUOIT_OK)
            return status;
    }
    side->held.slot = NULL;
    fill_and_commit(ref, item, item_bytes);
    return QUOIT_OK;
}

quoit_status quoit_mpmc_push(struct quoit_ring_producer *producer,
                             const struct quoit_ring_view *view, const void *item,
                             uint64_t item_bytes)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    return quoit_mpmc_put(side, view, item, item_bytes) ? QUOIT_OK
                                                        : push_slowly(side, view, item, item_bytes);
}

uint64_t quoit_mpmc_push_many(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view, const void *items, uint64_t count)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    const uint64_t item_bytes = view->item_bytes;
    const uint8_t *item = items;
    uint64_t pushed = 0;
    if (side->held.slot && quoit_mpmc_push(producer, view, item, item_bytes) == QUOIT_OK)
        pushed = 1;
    while (pushed < count) {
        uint64_t left = count - pushed, got = 0;
        struct quoit_mpmc_slot_ref ref;
        uint64_t most = left < QUOIT_MPMC_CLAIM_MOST ? left : QUOIT_MPMC_CLAIM_MOST;
        if (claim_positions(side, view, most, &ref, &got) != QUOIT_OK)
            break;
        for (uint64_t i = 0; i < got; i++, quoit_mpmc_step(&geometry, &ref))
            fill_and_commit(ref, item + (pushed + i) * item_bytes, item_bytes);
        pushed += got;
    }
    return pushed;
}

quoit_status quoit_mpmc_claim(struct quoit_ring_producer *producer,
                              const struct quoit_ring_view *view, uint64_t wanted,
                              uint64_t item_bytes, void **items_out, uint64_t *count_out)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    (void)wanted; /* items do not lie one behind the other */
    (void)item_bytes;
    struct quoit_mpmc_slot_ref ref = side->held;
    if (!ref.slot) {
        quoit_status status = claim_positions(side, view, 1, &ref, count_out);
        if (status != QUOIT_OK)
            return status;
        quoit_mpmc_hold(side, ref);
    }
    *items_out = ref.slot + QUOIT_MPMC_SEQUENCE_BYTES;
    *count_out = 1;
    return QUOIT_OK;
}

bool quoit_mpmc_commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                       uint64_t count, uint64_t item_bytes)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    (void)view;
    (void)item_bytes;
    struct quoit_mpmc_slot_ref held = side->held;
    if (count > (held.slot ? 1u : 0u))
        return false;
    if (count == 1) {
        side->held.slot = NULL; /* first, as in quoit_mpmc_give_up */
        quoit_mpmc_commit_slot(held.slot, held.lap);
    } else {
        quoit_mpmc_give_up(side);
    }
    return true;
}

void quoit_mpmc_end(const struct quoit_ring_view *view)
{
    /* MPMC-F1: no claim succeeds from here on, and those that did are seen. Pairs with MPMC-R2. */
    (void)atomic_fetch_or_explicit(&view->shm->tail, QUOIT_MPMC_FINISHED, memory_order_acq_rel);
    /* Relaxed: a hint, so that pops need not load the producers' line; MPMC-F1 is the mark. */
    atomic_store_explicit(&view->shm->finished, 1, memory_order_relaxed);
}
