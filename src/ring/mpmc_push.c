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
    side->claim =
        &quoit_mpmc_enter(side, place, quoit_mpmc_position(quoit_mpmc_tail(place)))->pushing;
    return QUOIT_OK;
}

/* Free slots from the position on, at most `most`. */
static uint64_t count_free(const struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                           uint64_t most)
{
    struct quoit_mpmc_spot spot = side->next;
    uint64_t count = 0;
    most = most < place->capacity ? most : place->capacity; /* words may change behind this look */
    for (; count < most && quoit_mpmc_load(spot.slot) == spot.lap; count++)
        quoit_mpmc_step(place, &spot);
    return count;
}

/* The slot that is next has been in this state, of the lap before, for a while: do the dead hold
   it? A producer's position is voided; a consumer's item only a consumer can take. */
static quoit_status ask_for_owner(struct quoit_mpmc_side *side,
                                  const struct quoit_ring_place *place, uint64_t word)
{
    uint64_t lap = side->next.lap - QUOIT_MPMC_LAP, before = side->position - place->capacity;
    if (word == lap)
        return quoit_mpmc_void(place, before, side->next.slot, word) ? QUOIT_OK : QUOIT_FULL;
    bool taken = quoit_mpmc_is_full(word, lap) && (int64_t)(quoit_mpmc_head(place) - before) > 0;
    if (taken && !quoit_mpmc_is_owned(place, false, before, quoit_mpmc_generation(word)))
        quoit_mpmc_tell_of_orphan(place);
    return QUOIT_FULL;
}

/* The slot that is next was not free. OK: look again. */
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
    uint64_t word = quoit_mpmc_load(side->next.slot);
    if (word == side->next.lap)
        return QUOIT_OK;
    if (*side->spinning)
        return QUOIT_FULL;
    return quoit_mpmc_stays(side->next.slot, word) ? ask_for_owner(side, place, word) : QUOIT_OK;
}

quoit_status quoit_mpmc_look_for_room(struct quoit_ring_producer *producer,
                                      const struct quoit_ring_place *place)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    if (side->held.slot)
        return QUOIT_OK;
    for (uint64_t tries = quoit_mpmc_tries(side, place); tries > 0; tries--) {
        if (quoit_mpmc_load(side->next.slot) == side->next.lap) {
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

/* Claims count positions from the side's own on, whose slots are free. false: tail_out is where the
   tail was instead. */
static inline bool claim_tail(struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                              uint64_t count, uint64_t *tail_out)
{
    uint64_t position = side->position;
    *tail_out = position;
    quoit_mpmc_say(side->claim, position, 0, count);
    /* MPMC-P3: the positions are ours, and who sees that sees that we said so. Pairs with
       MPMC-R2. */
    if (!atomic_compare_exchange_strong_explicit(&place->shm->tail, tail_out, position + count,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        quoit_mpmc_say(side->claim, 0, 0, 0); /* another's: what the living say is believed */
        return false;
    }
    quoit_ring_before_fill();
    return true;
}

/* As claim_tail; the positions begin at spot_out, and the side has gone on to behind them. */
static bool try_claim(struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                      uint64_t count, struct quoit_mpmc_spot *spot_out, uint64_t *tail_out)
{
    if (!claim_tail(side, place, count, tail_out))
        return false;
    *spot_out = side->next;
    for (uint64_t i = 0; i < count; i++)
        quoit_mpmc_advance(side, place);
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

static inline void commit_slot(uint8_t *slot, uint64_t lap)
{
    /* MPMC-P4: the commit; publishes the item. Pairs with MPMC-C1, MPMC-R5 and RING-S1. */
    atomic_store_explicit(quoit_mpmc_word(slot), lap | QUOIT_MPMC_FULL, memory_order_release);
}

static inline void fill_and_commit(struct quoit_mpmc_spot spot, const void *item,
                                   uint64_t item_bytes)
{
    quoit_ring_copy_in(spot.slot + QUOIT_MPMC_WORD_BYTES, item, item_bytes);
    commit_slot(spot.slot, spot.lap);
}

static QUOIT_NOINLINE quoit_status push_into(struct quoit_mpmc_spot spot, const void *item,
                                             uint64_t item_bytes)
{
    fill_and_commit(spot, item, item_bytes);
    return QUOIT_OK;
}

/* Of a claimed position, or of one that is not the next any more. */
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
    return push_into(spot, item, item_bytes);
}

/* Slot and lap are read one by one: see quoit_ring_copy_in. */
quoit_status quoit_mpmc_push(struct quoit_ring_producer *producer,
                             const struct quoit_ring_place *place, const void *item,
                             uint64_t item_bytes)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    uint8_t *slot = side->next.slot;
    const uint64_t lap = side->next.lap;
    uint64_t tail;
    if (side->held.slot || quoit_mpmc_load(slot) != lap || !claim_tail(side, place, 1, &tail))
        return push_slowly(side, place, item, item_bytes);
    quoit_mpmc_advance(side, place);
    if (!quoit_ring_copies_words(item_bytes))
        return push_into((struct quoit_mpmc_spot){slot, lap}, item, item_bytes);
    quoit_ring_words_in(slot + QUOIT_MPMC_WORD_BYTES, item, item_bytes);
    commit_slot(slot, lap);
    return QUOIT_OK;
}

uint64_t quoit_mpmc_push_many(struct quoit_ring_producer *producer,
                              const struct quoit_ring_place *place, const void *items,
                              uint64_t count)
{
    struct quoit_mpmc_side *side = &producer->state->mpmc;
    const uint8_t *item = items;
    uint64_t pushed = 0;
    if (side->held.slot && quoit_mpmc_push(producer, place, item, place->item_bytes) == QUOIT_OK)
        pushed = 1;
    while (pushed < count) {
        uint64_t left = count - pushed, got = 0;
        struct quoit_mpmc_spot spot;
        uint64_t most = left < QUOIT_MPMC_CLAIM_MOST ? left : QUOIT_MPMC_CLAIM_MOST;
        if (claim_positions(side, place, most, &spot, &got) != QUOIT_OK)
            break;
        for (uint64_t i = 0; i < got; i++, quoit_mpmc_step(place, &spot))
            fill_and_commit(spot, item + (pushed + i) * place->item_bytes, place->item_bytes);
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
        commit_slot(held.slot, held.lap);
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
