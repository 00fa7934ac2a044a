/* SPDX-License-Identifier: MIT */
/* The newest item of a broadcast ring, copied without being taken. Its slot is never the one that
   the producer writes next (broadcast.h). So it stays readable if the producer crashes or stops, at
   any instruction. Ordering labels: docs/ORDERING.md. */
#include "broadcast.h"

/* Was an item of that position ever committed? It may be overwritten by now. */
static bool was_committed(const struct quoit_ring_view *view, uint64_t position)
{
    uint64_t sequence = quoit_broadcast_load(quoit_broadcast_slot(view, position));
    return !quoit_broadcast_is_later(quoit_broadcast_whole(position), sequence);
}

/* The first position that is not committed. The producer stores the tail after the commit, and for
   a batch once at its end. So the sequences from the tail on decide: all positions before that one
   are committed, no later one is. The step doubles until it is too large, and is then halved. */
static uint64_t find_end(const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_broadcast_tail(view), newest = tail, step = 1;
    if (!was_committed(view, tail))
        return tail;
    for (; step < quoit_broadcast_slots(view) && was_committed(view, newest + step); step *= 2)
        newest += step;
    while ((step /= 2) > 0)
        if (was_committed(view, newest + step))
            newest += step;
    return newest + 1;
}

/*
 * Is the copy whole? A lossy producer changes the sequence before it writes the slot again. A
 * lossless one raises the floor before that: it may write this position's slot again when its limit
 * is beyond position + capacity + 1, and the floor is at least the limit less the capacity.
 */
static bool is_kept(const struct quoit_ring_view *view, uint8_t *slot, uint64_t sequence,
                    uint64_t position)
{
    return quoit_broadcast_load(slot) == sequence &&
           (view->ops->drops_oldest ||
            !quoit_ring_is_before(position + 1, quoit_broadcast_floor(view)));
}

quoit_status quoit_broadcast_latest(const struct quoit_ring_view *view,
                                    struct quoit_snapshot *snapshot)
{
    for (int tries = 0; tries < QUOIT_BROADCAST_TRIES; tries++) {
        uint64_t end = find_end(view), wanted = quoit_broadcast_whole(end - 1);
        uint8_t *slot = quoit_broadcast_previous(view, quoit_broadcast_slot(view, end));
        uint64_t sequence = quoit_broadcast_load(slot);
        if (sequence == quoit_broadcast_torn(end - 1))
            return QUOIT_EMPTY; /* no item was ever committed */
        if (quoit_broadcast_is_later(wanted, sequence))
            return quoit_ring_counters_apart(quoit_broadcast_tail(view), end, view->capacity);
        if ((sequence - wanted) % 2 != 0)
            continue; /* the producer is one lap further, writing this slot */
        quoit_snapshot_item(snapshot, view, slot + QUOIT_BROADCAST_SEQUENCE_BYTES);
        quoit_snapshot_fence();
        uint64_t position = end - 1 + (sequence - wanted) / 2; /* this item's, or a newer one's */
        if (is_kept(view, slot, sequence, position))
            return snapshot->bytes > snapshot->room_bytes ? QUOIT_ERROR_TOO_BIG : QUOIT_OK;
    }
    return QUOIT_ERROR_BUSY;
}
