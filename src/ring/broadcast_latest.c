/* SPDX-License-Identifier: MIT */
/* The newest item of a broadcast ring, copied without being taken. Its slot is never the one that
   the producer writes next (broadcast.h). So it stays readable if the producer crashes or stops, at
   any instruction. Ordering labels: docs/ORDERING.md. */
#include "broadcast.h"

#include "fail.h"

/* Was an item of that position ever committed? It may be overwritten by now. */
static bool was_committed(const struct quoit_ring_place *place, uint64_t position)
{
    uint64_t word = quoit_broadcast_load(quoit_broadcast_slot(place, position));
    return !quoit_broadcast_is_later(quoit_broadcast_whole(position), word);
}

/* The first position that is not committed. The producer stores the tail after the commit, and for
   a batch once at its end. So the words from the tail on decide: all positions before that one are
   committed, no later one is. The step doubles until it is too large, and is then halved. */
static uint64_t find_end(const struct quoit_ring_place *place)
{
    uint64_t tail = quoit_broadcast_tail(place), newest = tail, step = 1;
    if (!was_committed(place, tail))
        return tail;
    for (; step < quoit_broadcast_slots(place) && was_committed(place, newest + step); step *= 2)
        newest += step;
    while ((step /= 2) > 0)
        if (was_committed(place, newest + step))
            newest += step;
    return newest + 1;
}

/*
 * Is the copy whole? A lossy producer changes the word before it writes the slot again. A lossless
 * one raises the floor before that: it may write this position's slot again when its limit is
 * beyond position + capacity + 1, and the floor is at least the limit less the capacity.
 */
static bool is_kept(const struct quoit_ring_place *place, uint8_t *slot, uint64_t word,
                    uint64_t position)
{
    return quoit_broadcast_load(slot) == word &&
           (place->ops->drops_oldest ||
            !quoit_ring_is_before(position + 1, quoit_broadcast_floor(place)));
}

quoit_status quoit_broadcast_latest(const struct quoit_ring_place *place,
                                    struct quoit_glance *glance)
{
    for (int tries = 0; tries < QUOIT_BROADCAST_TRIES; tries++) {
        uint64_t end = find_end(place), wanted = quoit_broadcast_whole(end - 1);
        uint8_t *slot = quoit_broadcast_previous(place, quoit_broadcast_slot(place, end));
        uint64_t word = quoit_broadcast_load(slot);
        if (word == quoit_broadcast_torn(end - 1))
            return QUOIT_EMPTY; /* no item was ever committed */
        if (quoit_broadcast_is_later(wanted, word))
            return quoit_ring_counters_apart(quoit_broadcast_tail(place), end, place->capacity);
        if ((word - wanted) % 2 != 0)
            continue; /* the producer is one lap further, writing this slot */
        quoit_glance_item(glance, place, slot + QUOIT_BROADCAST_WORD_BYTES);
        quoit_glance_fence();
        uint64_t position = end - 1 + (word - wanted) / 2; /* this item's, or a newer one's */
        if (is_kept(place, slot, word, position))
            return glance->bytes > glance->room_bytes ? QUOIT_ERROR_TOO_BIG : QUOIT_OK;
    }
    return QUOIT_ERROR_BUSY;
}
