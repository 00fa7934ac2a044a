/* SPDX-License-Identifier: MIT */
/* The producers' side of the MPMC ring. How it works is in mpmc.h, ordering labels in
   docs/ORDERING.md. */
#include "mpmc.h"

#include "noinline.h"

quoit_status quoit_mpmc_attach_producer(struct quoit_ring_producer *producer,
                                        const struct quoit_ring_place *place)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    quoit_ring_producer_begin(producer, place, 0);
    side->spinning = &producer->state->spinning;
    side->claim = &quoit_mpmc_enter(side, place)->pushing;
    quoit_mpmc_go_to(side, place, quoit_mpmc_position(quoit_mpmc_tail(place)));
    return QUOIT_OK;
}

/* Counts the free slots from the next position on, up to `most`. */
static uint64_t count_free(const struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                           uint64_t most)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    struct quoit_mpmc_spot spot = quoit_mpmc_here(side);
    uint64_t count = 0;
    /* A hostile peer may free slots for ever. */
    most = most < place->capacity ? most : place->capacity;
    for (; count < most && quoit_mpmc_load(spot.slot) == spot.lap; count++)
        quoit_mpmc_step(&geometry, &spot);
    return count;
}

/* The next slot has shown `word`, of the lap before, for a while. If a crashed producer holds it,
   skips its position. If a crashed consumer does, tells consumers: only they can take its item. */
static quoit_status ask_for_owner(struct quoit_mpmc_side *side,
                                  const struct quoit_ring_place *place, uint64_t word)
{
    uint64_t lap = side->lap - QUOIT_MPMC_LAP, before = side->position - place->capacity;
    if (word == lap)
        return quoit_mpmc_void(place, before, side->slot, word) ? QUOIT_OK : QUOIT_FULL;
    bool taken = quoit_mpmc_is_full(word, lap) && (int64_t)(quoit_mpmc_head(place) - before) > 0;
    if (taken && !quoit_mpmc_is_owned(place, false, before, quoit_mpmc_generation(word)))
        quoit_mpmc_tell_of_orphan(place);
    return QUOIT_FULL;
}

/* The next slot was not free. OK: something has changed, so look again. */
static quoit_status producer_blocked(struct quoit_mpmc_side *side,
                                     const struct quoit_ring_place *place)
{
    uint64_t tail = quoit_mpmc_tail(place);
    if (tail & QUOIT_MPMC_FINISHED)
        return QUOIT_FINISHED;
    if (tail != side->position) {
        quoit_mpmc_go_to(side, place, tail);
        return QUOIT_OK;
    }
    uint64_t word = quoit_mpmc_load(side->slot);
    if (word == side->lap)
        return QUOIT_OK;
    if (*side->spinning)
        return QUOIT_FULL;
    return quoit_mpmc_stays(side->slot, word) ? ask_for_owner(side, place, word) : QUOIT_OK;
}

quoit_status quoit_mpmc_look_for_room(struct quoit_ring_producer *producer,
                                      const struct quoit_ring_place *place)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    if (side->held.slot)
        return QUOIT_OK;
    for (uint64_t tries = quoit_mpmc_tries(side, place); tries > 0; tries--) {
        if (quoit_mpmc_load(side->slot) == side->lap) {
            uint64_t tail = quoit_mpmc_tail(place);
            if (tail == side->position)
                return QUOIT_OK;
        }
        quoit_status status = producer_blocked(side, place);
        if (status != QUOIT_OK)
            return status;
    }
    return QUOIT_FULL;
}

/* Claims the next count positions, whose slots are free; they begin at spot_out. false: tail_out is
   where the tail was instead. */
static bool try_claim(struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                      uint64_t count, struct quoit_mpmc_spot *spot_out, uint64_t *tail_out)
{
    if (!quoit_mpmc_claim_next(&place->shm->tail, side->claim, side->position, count, tail_out))
        return false;
    quoit_ring_before_fill();
    quoit_mpmc_pass(side, place, count, spot_out);
    return true;
}

/* Claims the next position, or as many as there are, up to most: OK FULL FINISHED. */
static quoit_status claim_positions(struct quoit_mpmc_side *side,
                                    const struct quoit_ring_place *place, uint64_t most,
                                    struct quoit_mpmc_spot *spot_out, uint64_t *count_out)
{
    quoit_status status = QUOIT_OK;
    for (uint64_t tries = quoit_mpmc_tries(side, place); tries > 0 && status == QUOIT_OK; tries--) {
        uint64_t tail, count = count_free(side, place, most);
        if (count == 0) {
            status = producer_blocked(side, place);
            continue;
        }
        *count_out = count;
        if (try_claim(side, place, count, spot_out, &tail))
            return QUOIT_OK;
        if (tail & QUOIT_MPMC_FINISHED)
            status = QUOIT_FINISHED;
        else
            quoit_mpmc_go_to(side, place, tail);
    }
    return status == QUOIT_OK ? QUOIT_FULL : status;
}

static inline void fill_and_commit(struct quoit_mpmc_spot spot, const void *item,
                                   uint64_t item_bytes)
{
    quoit_ring_copy_in(spot.slot + QUOIT_MPMC_WORD_BYTES, item, 0, item_bytes);
    quoit_mpmc_commit_slot(spot.slot, spot.lap);
}

static QUOIT_NOINLINE quoit_status push_slowly(struct quoit_mpmc_side *side,
                                               const struct quoit_ring_place *place,
                                               const void *item, uint64_t item_bytes)
{
    struct quoit_mpmc_spot spot = side->held;
    if (!spot.slot) {
        uint64_t count;
        quoit_status status = claim_positions(side, place, 1, &spot, &count);
        if (status != QUOIT_OK)
            return status;
    }
    side->held.slot = NULL;
    fill_and_commit(spot, item, item_bytes);
    return QUOIT_OK;
}

quoit_status quoit_mpmc_push(struct quoit_ring_producer *producer,
                             const struct quoit_ring_place *place, const void *item,
                             uint64_t item_bytes)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    return quoit_mpmc_put(side, place, item, item_bytes)
               ? QUOIT_OK
               : push_slowly(side, place, item, item_bytes);
}

uint64_t quoit_mpmc_push_many(struct quoit_ring_producer *producer,
                              const struct quoit_ring_place *place, const void *items,
                              uint64_t count)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    const uint64_t item_bytes = place->item_bytes;
    const uint8_t *item = items;
    uint64_t pushed = 0;
    if (side->held.slot && quoit_mpmc_push(producer, place, item, item_bytes) == QUOIT_OK)
        pushed = 1;
    while (pushed < count) {
        uint64_t left = count - pushed, got = 0;
        struct quoit_mpmc_spot spot;
        uint64_t most = left < QUOIT_MPMC_CLAIM_MOST ? left : QUOIT_MPMC_CLAIM_MOST;
        if (claim_positions(side, place, most, &spot, &got) != QUOIT_OK)
            break;
        for (uint64_t i = 0; i < got; i++, quoit_mpmc_step(&geometry, &spot))
            fill_and_commit(spot, item + (pushed + i) * item_bytes, item_bytes);
        pushed += got;
    }
    return pushed;
}

quoit_status quoit_mpmc_claim(struct quoit_ring_producer *producer,
                              const struct quoit_ring_place *place, uint64_t wanted,
                              uint64_t item_bytes, void **items_out, uint64_t *count_out)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    (void)wanted; /* items do not lie one behind the other */
    (void)item_bytes;
    struct quoit_mpmc_spot spot = side->held;
    if (!spot.slot) {
        quoit_status status = claim_positions(side, place, 1, &spot, count_out);
        if (status != QUOIT_OK)
            return status;
        quoit_mpmc_hold(side, spot);
    }
    *items_out = spot.slot + QUOIT_MPMC_WORD_BYTES;
    *count_out = 1;
    return QUOIT_OK;
}

bool quoit_mpmc_commit(struct quoit_ring_producer *producer, const struct quoit_ring_place *place,
                       uint64_t count, uint64_t item_bytes)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    (void)place;
    (void)item_bytes;
    struct quoit_mpmc_spot held = side->held;
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

void quoit_mpmc_end(const struct quoit_ring_place *place)
{
    /* MPMC-F1: no claim succeeds from here on, and those that did are seen. Pairs with MPMC-R2. */
    (void)atomic_fetch_or_explicit(&place->shm->tail, QUOIT_MPMC_FINISHED, memory_order_acq_rel);
    /* Relaxed: a hint, on a line that consumers may look at. */
    atomic_store_explicit(&place->shm->finished, 1, memory_order_relaxed);
}
