/* SPDX-License-Identifier: MIT */
/* The consumers' side of the MPMC ring. How it works is in mpmc.h, ordering labels in
   docs/ORDERING.md. */
#include "mpmc.h"

#include "noinline.h"

quoit_status quoit_mpmc_attach_consumer(struct quoit_ring_consumer *consumer,
                                        const struct quoit_ring_place *place)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    quoit_ring_consumer_begin(consumer, place, 0);
    side->spinning = &consumer->state->spinning;
    side->claim = &quoit_mpmc_enter(side, place)->popping;
    quoit_mpmc_go_to(side, place, quoit_mpmc_head(place));
    /* Relaxed: says where to begin to look, and is checked before. */
    side->reclaimed_below = atomic_load_explicit(&place->shm->reclaimed_below,
                                                 memory_order_relaxed);
    quoit_mpmc_tell_of_orphan(place); /* a crashed predecessor's items come first */
    return QUOIT_OK;
}

/* Counts the items from the next position on, up to `most`. */
static uint64_t count_filled(const struct quoit_mpmc_side *side,
                             const struct quoit_ring_place *place, uint64_t most)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    struct quoit_mpmc_spot spot = quoit_mpmc_here(side);
    uint64_t count = 0;
    /* A hostile peer may fill slots for ever. */
    most = most < place->capacity ? most : place->capacity;
    for (; count < most && quoit_mpmc_load(spot.slot) == (spot.lap | QUOIT_MPMC_FULL); count++)
        quoit_mpmc_step(&geometry, &spot);
    return count;
}

/* The slot at the head shows no item yet. */
static quoit_status wait_for_producer(struct quoit_mpmc_side *side,
                                      const struct quoit_ring_place *place, uint64_t word)
{
    if (!quoit_mpmc_stays(side->slot, word))
        return QUOIT_OK;
    uint64_t tail = quoit_mpmc_tail(place);
    if (quoit_mpmc_position(tail) == side->position)
        return tail & QUOIT_MPMC_FINISHED ? QUOIT_FINISHED : QUOIT_EMPTY;
    if (word != side->lap || *side->spinning ||
        !quoit_mpmc_void(place, side->position, side->slot, word))
        return QUOIT_EMPTY;
    side->freed = true;
    return QUOIT_OK;
}

/* false: head_inout is where the head is instead. */
static bool skip_head(const struct quoit_ring_place *place, uint64_t *head_inout)
{
    uint64_t head = *head_inout;
    /* MPMC-C3: past a position without an item. Pairs with MPMC-R3. */
    bool ours = atomic_compare_exchange_strong_explicit(&place->shm->head, &head, head + 1,
                                                        memory_order_acq_rel, memory_order_acquire);
    *head_inout = head;
    return ours;
}

/* The next slot had no item. OK: something has changed, so look again. */
static quoit_status consumer_blocked(struct quoit_mpmc_side *side,
                                     const struct quoit_ring_place *place)
{
    uint64_t head = quoit_mpmc_head(place);
    if (head != side->position) {
        quoit_mpmc_go_to(side, place, head);
        return QUOIT_OK;
    }
    uint64_t word = quoit_mpmc_load(side->slot);
    if (word == (side->lap | QUOIT_MPMC_FULL))
        return QUOIT_OK;
    if (!quoit_mpmc_is_later(word, side->lap))
        return wait_for_producer(side, place, word);
    /* A skipped position. */
    if (skip_head(place, &head))
        head = side->position + 1;
    quoit_mpmc_go_to(side, place, head);
    return QUOIT_OK;
}

/* Searches for items of crashed consumers. The stream is not over while a live consumer has an
   item, since that consumer may crash and leave it. */
static quoit_status look_for_orphan(struct quoit_mpmc_side *side,
                                    const struct quoit_ring_place *place, quoit_status status,
                                    struct quoit_mpmc_taken *taken_out)
{
    taken_out->orphan = false;
    if (*side->spinning)
        return status == QUOIT_FINISHED ? QUOIT_EMPTY : status;
    uint64_t from = side->reclaimed_below;
    *taken_out = quoit_mpmc_find_taken(place, &from, side->position);
    if (from != side->reclaimed_below) {
        side->reclaimed_below = from;
        /* Relaxed: a hint for the searches to come. */
        atomic_store_explicit(&place->shm->reclaimed_below, from, memory_order_relaxed);
    }
    if (taken_out->orphan)
        return QUOIT_OK;
    return taken_out->being_read > 0 ? QUOIT_EMPTY : status;
}

quoit_status quoit_mpmc_look_for_items(struct quoit_ring_consumer *consumer,
                                       const struct quoit_ring_place *place)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    if (side->held.slot)
        return QUOIT_OK;
    quoit_status status = QUOIT_OK;
    for (uint64_t tries = quoit_mpmc_tries(side, place); tries > 0 && status == QUOIT_OK; tries--) {
        if (quoit_mpmc_load(side->slot) == (side->lap | QUOIT_MPMC_FULL) &&
            quoit_mpmc_head(place) == side->position)
            return QUOIT_OK;
        status = consumer_blocked(side, place);
    }
    struct quoit_mpmc_taken taken;
    return look_for_orphan(side, place, status == QUOIT_OK ? QUOIT_EMPTY : status, &taken);
}

/* OK: a crashed consumer's item was found; count_out is 1 if this member has adopted it. Otherwise
   the status that a pop returns. */
static quoit_status adopt_orphan(struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                                 quoit_status status, struct quoit_mpmc_spot *spot_out,
                                 uint64_t *count_out)
{
    struct quoit_mpmc_taken taken;
    *count_out = 0;
    status = look_for_orphan(side, place, status, &taken);
    if (status == QUOIT_OK && quoit_mpmc_adopt(side->claim, &taken)) {
        quoit_ring_count_repair(place);
        *spot_out = taken.spot;
        *count_out = 1;
    }
    return status;
}

/* Takes the next count items; they begin at spot_out. false: head_out is where the head was
   instead. */
static bool try_take(struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                     uint64_t count, struct quoit_mpmc_spot *spot_out, uint64_t *head_out)
{
    if (!quoit_mpmc_claim_next(&place->shm->head, side->claim, side->position, count, head_out))
        return false;
    quoit_mpmc_pass(side, place, count, spot_out);
    return true;
}

/* Takes the next items, up to `most`, or one of a crashed consumer. They begin at spot_out and are
   this member's until it frees their slots. OK EMPTY FINISHED. */
static quoit_status take(struct quoit_mpmc_side *side, const struct quoit_ring_place *place,
                         uint64_t most, struct quoit_mpmc_spot *spot_out, uint64_t *count_out)
{
    quoit_status status = QUOIT_OK;
    *count_out = 0;
    if (quoit_mpmc_was_told_of_orphan(place)) {
        quoit_mpmc_go_to(side, place, quoit_mpmc_head(place));
        (void)adopt_orphan(side, place, QUOIT_EMPTY, spot_out, count_out);
    }
    for (uint64_t tries = quoit_mpmc_tries(side, place); tries > 0 && *count_out == 0; tries--) {
        uint64_t head, count = count_filled(side, place, most);
        if (count > 0) {
            if (try_take(side, place, count, spot_out, &head))
                *count_out = count;
            else
                quoit_mpmc_go_to(side, place, head);
            continue;
        }
        status = consumer_blocked(side, place);
        if (status == QUOIT_OK)
            continue;
        status = adopt_orphan(side, place, status, spot_out, count_out);
        if (status != QUOIT_OK)
            return status;
    }
    return *count_out > 0 ? QUOIT_OK : QUOIT_EMPTY;
}

/* The item that is peeked at, or any other. */
static QUOIT_NOINLINE quoit_status pop_slowly(struct quoit_mpmc_side *side,
                                              const struct quoit_ring_place *place, void *item_out)
{
    struct quoit_mpmc_spot spot = side->held;
    if (!spot.slot) {
        uint64_t count;
        quoit_status status = take(side, place, 1, &spot, &count);
        if (status != QUOIT_OK)
            return status;
    }
    side->held.slot = NULL;
    quoit_ring_copy_out(item_out, spot.slot + QUOIT_MPMC_WORD_BYTES, 0, place->item_bytes);
    quoit_mpmc_give_back(spot.slot, spot.lap);
    return QUOIT_OK;
}

quoit_status quoit_mpmc_pop(struct quoit_ring_consumer *consumer,
                            const struct quoit_ring_place *place, void *item_out,
                            uint64_t *bytes_inout)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    *bytes_inout = place->item_bytes;
    return quoit_mpmc_take(side, place, item_out, place->item_bytes)
               ? QUOIT_OK
               : pop_slowly(side, place, item_out);
}

static void copy_out(const struct quoit_ring_place *place, struct quoit_mpmc_spot spot,
                     uint64_t count, uint8_t *items_out)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    const uint64_t item_bytes = place->item_bytes;
    for (uint64_t i = 0; i < count; i++, quoit_mpmc_step(&geometry, &spot))
        quoit_ring_copy_out(items_out + i * item_bytes, spot.slot + QUOIT_MPMC_WORD_BYTES, 0,
                            item_bytes);
}

static void give_back(const struct quoit_ring_place *place, struct quoit_mpmc_spot spot,
                      uint64_t count)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    for (uint64_t i = 0; i < count; i++, quoit_mpmc_step(&geometry, &spot))
        quoit_mpmc_give_back(spot.slot, spot.lap);
}

uint64_t quoit_mpmc_pop_many(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_place *place, void *items_out, uint64_t count)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    uint8_t *item = items_out;
    uint64_t popped = 0, bytes;
    if (side->held.slot && quoit_mpmc_pop(consumer, place, item, &bytes) == QUOIT_OK)
        popped = 1;
    while (popped < count) {
        uint64_t left = count - popped, got = 0;
        struct quoit_mpmc_spot spot;
        uint64_t most = left < QUOIT_MPMC_CLAIM_MOST ? left : QUOIT_MPMC_CLAIM_MOST;
        if (take(side, place, most, &spot, &got) != QUOIT_OK)
            break;
        copy_out(place, spot, got, item + popped * place->item_bytes);
        give_back(place, spot, got); /* all at the end: a crash before loses none */
        popped += got;
    }
    return popped;
}

quoit_status quoit_mpmc_peek(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_place *place, const void **items_out,
                             uint64_t *count_out, uint64_t *bytes_out)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    struct quoit_mpmc_spot spot = side->held;
    if (!spot.slot) {
        quoit_status status = take(side, place, 1, &spot, count_out);
        if (status != QUOIT_OK)
            return status;
        quoit_mpmc_hold(side, spot);
    }
    *items_out = spot.slot + QUOIT_MPMC_WORD_BYTES;
    *count_out = 1;
    *bytes_out = place->item_bytes;
    return QUOIT_OK;
}

bool quoit_mpmc_release(struct quoit_ring_consumer *consumer, const struct quoit_ring_place *place,
                        uint64_t count)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    (void)place;
    struct quoit_mpmc_spot held = side->held;
    if (count > (held.slot ? 1u : 0u))
        return false;
    if (count == 1) {
        side->held.slot = NULL; /* first, as in quoit_mpmc_give_up */
        quoit_mpmc_give_back(held.slot, held.lap);
    }
    return true;
}
