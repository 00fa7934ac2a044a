/* SPDX-License-Identifier: MIT */
/* Repairs what crashed members left in an MPMC ring. The reasoning is in mpmc.h, ordering labels in
   docs/ORDERING.md. */
#include "mpmc.h"

static uint64_t load_claim(const struct quoit_claims_shm *claims, bool pushing)
{
    const quoit_atomic_u64 *claim = pushing ? &claims->pushing : &claims->popping;
    /* MPMC-R1: if the record names another position by now, the slot of the one before shows that
       its owner is done with it. Pairs with MPMC-P2. */
    return atomic_load_explicit(claim, memory_order_acquire);
}

static bool covers(uint64_t claim, uint64_t position, uint64_t generation)
{
    const uint64_t positions = (UINT64_C(1) << 44) - 1;
    uint64_t count = claim >> 1 & QUOIT_MPMC_CLAIM_MOST;
    return (claim & 1) != 0 && (claim >> 12 & 0xff) == (generation & 0xff) &&
           ((position - (claim >> 20)) & positions) < count;
}

bool quoit_mpmc_is_owned(const struct quoit_ring_place *place, bool pushing, uint64_t position,
                         uint64_t generation)
{
    const struct quoit_ring_members *members = &place->members;
    for (uint32_t row = 0; row < members->count; row++)
        if (covers(load_claim(&members->claims[row], pushing), position, generation) &&
            (row == members->own || members->is_alive(members->context, row)))
            return true;
    return false;
}

bool quoit_mpmc_void(const struct quoit_ring_place *place, uint64_t position, uint8_t *slot,
                     uint64_t word)
{
    if (quoit_mpmc_is_owned(place, true, position, 0))
        return false;
    /* MPMC-R4: the next lap's, whether we do it or another did. If its owner had committed before
       we found it gone, this fails. Pairs with MPMC-C1. */
    if (atomic_compare_exchange_strong_explicit(quoit_mpmc_word(slot), &word, word + QUOIT_MPMC_LAP,
                                                memory_order_acq_rel, memory_order_acquire))
        quoit_ring_count_repair(place);
    return true;
}

struct quoit_mpmc_taken quoit_mpmc_find_taken(const struct quoit_ring_place *place,
                                              uint64_t *from_inout, uint64_t end)
{
    struct quoit_mpmc_taken taken = {.being_read = 0};
    uint64_t first = end;
    uint64_t position = *from_inout;
    if (end - position > place->capacity) /* too far back, or ahead */
        position = end < place->capacity ? 0 : end - place->capacity;
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(place);
    struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, position);
    for (; position != end && !taken.orphan; position++, quoit_mpmc_step(&geometry, &spot)) {
        uint64_t word = quoit_mpmc_load(spot.slot);
        if (!quoit_mpmc_is_full(word, spot.lap))
            continue;
        bool owned = quoit_mpmc_is_owned(place, false, position, quoit_mpmc_generation(word));
        uint64_t now = quoit_mpmc_load(spot.slot);
        if (!quoit_mpmc_is_full(now, spot.lap))
            continue; /* given back meanwhile */
        if (first == end)
            first = position;
        if (owned || now != word) /* or adopted meanwhile, by a member that may crash as well */
            taken.being_read++;
        else
            taken = (struct quoit_mpmc_taken){.being_read = taken.being_read,
                                              .orphan = true,
                                              .spot = spot,
                                              .position = position,
                                              .word = word};
    }
    *from_inout = first;
    return taken;
}

void quoit_mpmc_tell_of_orphan(const struct quoit_ring_place *place)
{
    /* Relaxed: a hint; a consumer that follows it searches the slots itself. */
    atomic_store_explicit(&place->shm->orphaned, 1, memory_order_relaxed);
}

bool quoit_mpmc_was_told_of_orphan(const struct quoit_ring_place *place)
{
    if (!quoit_mpmc_is_told_of_orphan(place))
        return false;
    /* Relaxed: a hint; the search that follows reads the slots themselves. */
    atomic_store_explicit(&place->shm->orphaned, 0, memory_order_relaxed);
    return true;
}

bool quoit_mpmc_holds_up(const struct quoit_ring_place *place, uint32_t row, uint64_t *lag_out)
{
    const struct quoit_claims_shm *claims = &place->members.claims[row];
    uint64_t head = quoit_mpmc_head(place), tail = quoit_mpmc_position(quoit_mpmc_tail(place));
    struct quoit_mpmc_spot next = quoit_mpmc_spot(place, head);
    uint64_t word = quoit_mpmc_load(next.slot);
    *lag_out = 0;
    if (head != tail && word == next.lap)
        return covers(load_claim(claims, true), head, 0);
    if (tail < place->capacity)
        return false;
    struct quoit_mpmc_spot last = quoit_mpmc_spot(place, tail - place->capacity);
    word = quoit_mpmc_load(last.slot);
    return quoit_mpmc_is_full(word, last.lap) &&
           covers(load_claim(claims, false), tail - place->capacity, quoit_mpmc_generation(word));
}

static uint64_t count_orphans(const struct quoit_ring_place *place, uint64_t head)
{
    uint64_t orphans = 0;
    uint64_t from = head < place->capacity ? 0 : head - place->capacity;
    while (from != head) {
        uint64_t first = from;
        struct quoit_mpmc_taken taken = quoit_mpmc_find_taken(place, &first, head);
        if (!taken.orphan)
            break;
        orphans++;
        from = taken.position + 1;
    }
    return orphans;
}

/* No live member has the claim. Loads the slot again: its producer may have committed since. */
static bool is_left(const struct quoit_ring_place *place, uint64_t position,
                    struct quoit_mpmc_spot spot)
{
    return !quoit_mpmc_is_owned(place, true, position, 0) && quoit_mpmc_load(spot.slot) == spot.lap;
}

/* An orphaned item needs a consumer, so `orphaned` makes the next consumer search for it. */
uint64_t quoit_mpmc_repair(const struct quoit_ring_place *place, bool only_look)
{
    uint64_t repairs = 0, head = quoit_mpmc_head(place);
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(place));
    if (tail - head > place->capacity)
        return 0; /* others are at work */
    for (uint64_t position = head; position != tail; position++) {
        struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, position);
        if (quoit_mpmc_load(spot.slot) == spot.lap &&
            (only_look ? is_left(place, position, spot)
                       : quoit_mpmc_void(place, position, spot.slot, spot.lap)))
            repairs++;
    }
    uint64_t orphans = count_orphans(place, head);
    if (orphans > 0 && !only_look)
        quoit_mpmc_tell_of_orphan(place);
    return repairs + orphans;
}

bool quoit_mpmc_adopt(quoit_atomic_u64 *claim, const struct quoit_mpmc_taken *taken)
{
    uint64_t word = taken->word, generation = (quoit_mpmc_generation(word) + 1) & 0xff;
    quoit_mpmc_say(claim, taken->position, generation, 1);
    /* MPMC-R5: the item is ours; what its producer published is too. Pairs with MPMC-P4. */
    if (atomic_compare_exchange_strong_explicit(quoit_mpmc_word(taken->spot.slot), &word,
                                                taken->spot.lap | generation << 8 | QUOIT_MPMC_FULL,
                                                memory_order_acq_rel, memory_order_acquire))
        return true;
    quoit_mpmc_say(claim, 0, 0, 0);
    return false;
}
