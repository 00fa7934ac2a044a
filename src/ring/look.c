/* SPDX-License-Identifier: MIT */
/*
 * Browsing: copies of a ring's items, which stay in the ring. A copy counts only if the ring shows
 * afterwards that no process can have overwritten the item meanwhile. This file moves the cursor;
 * the knowledge of each layout stays in the other files.
 */
#include "broadcast.h"
#include "mpmc.h"

enum { TRIES = 64 };

/* Items older than `oldest` are gone: moves the cursor past them. */
static void catch_up(struct quoit_ring_cursor *cursor, uint64_t oldest)
{
    if (cursor->begun && !quoit_ring_is_before(cursor->next, oldest))
        return;
    if (cursor->begun)
        cursor->missed += oldest - cursor->next;
    cursor->next = oldest;
    cursor->begun = true;
}

static quoit_status nothing(bool finished)
{
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

void quoit_glance_copy(struct quoit_glance *glance, const uint8_t *message, uint64_t bytes)
{
    glance->bytes = bytes;
    if (bytes <= glance->room_bytes)
        quoit_ring_load(glance->buffer, message, bytes);
}

void quoit_glance_item(struct quoit_glance *glance, const struct quoit_ring_place *place,
                       const uint8_t *item)
{
    if (place->ops->record_bytes == 0) {
        quoit_glance_copy(glance, item, place->item_bytes);
        return;
    }
    uint64_t most = place->item_bytes - QUOIT_RECORD_HEADER_BYTES, bytes = quoit_ring_item(item);
    quoit_glance_copy(glance, item + QUOIT_RECORD_HEADER_BYTES, bytes < most ? bytes : most);
}

void quoit_glance_fence(void)
{
    /* LOOK-S1: the item is copied before the load that decides whether the copy counts. Pairs with
       LOOK-P1, SPSC-C3, SPAN-C2, MPMC-C4, CAST-P5 and CAST-P6. */
    atomic_thread_fence(memory_order_acquire);
}

quoit_status quoit_glance_end(const struct quoit_glance *glance, struct quoit_ring_cursor *cursor,
                              uint64_t step)
{
    if (glance->bytes > glance->room_bytes)
        return QUOIT_ERROR_TOO_BIG;
    cursor->next += step;
    return QUOIT_OK;
}

/* ---- One producer, one consumer -------------------------------------------------------------- */

quoit_status quoit_look_spsc(const struct quoit_ring_place *place, struct quoit_ring_cursor *cursor,
                             struct quoit_glance *glance,
                             bool (*is_committed)(const struct quoit_ring_place *place,
                                                  uint8_t *slot, uint64_t position))
{
    for (int tries = 0; tries < TRIES; tries++) {
        bool finished = quoit_spsc_is_finished(place);
        uint64_t head = quoit_ring_head(place->shm), tail = quoit_ring_tail(place->shm);
        catch_up(cursor, head);
        if (!quoit_ring_is_before(cursor->next, tail))
            return nothing(finished);
        uint8_t *slot = place->slots + cursor->next % place->capacity * place->stride;
        bool there = !is_committed || is_committed(place, slot, cursor->next);
        if (there)
            quoit_glance_item(glance, place, slot);
        quoit_glance_fence();
        if (quoit_ring_is_before(cursor->next, quoit_ring_head(place->shm)))
            continue; /* taken meanwhile */
        return there ? quoit_glance_end(glance, cursor, 1) : nothing(finished);
    }
    return QUOIT_EMPTY;
}

/* ---- MPMC ------------------------------------------------------------------------------------ */

/* Has the producer that claimed the position crashed? Then no item will ever be there. */
static bool is_void(const struct quoit_ring_place *place, uint64_t position, uint8_t *slot,
                    uint64_t word)
{
    return !quoit_mpmc_is_owned(place, true, position, 0) && quoit_mpmc_load(slot) == word;
}

quoit_status quoit_look_mpmc(const struct quoit_ring_place *place, struct quoit_ring_cursor *cursor,
                             struct quoit_glance *glance)
{
    for (uint64_t tries = 0; tries < place->capacity + TRIES; tries++) {
        bool finished = place->ops->is_finished(place);
        catch_up(cursor, quoit_mpmc_head(place));
        if (!quoit_ring_is_before(cursor->next, quoit_mpmc_position(quoit_mpmc_tail(place))))
            return nothing(finished);
        struct quoit_mpmc_spot spot = quoit_mpmc_spot(place, cursor->next);
        uint64_t word = quoit_mpmc_load(spot.slot);
        if (quoit_mpmc_is_full(word, spot.lap)) {
            quoit_glance_item(glance, place, spot.slot + QUOIT_MPMC_WORD_BYTES);
            quoit_glance_fence();
            if (quoit_mpmc_load(spot.slot) == word)
                return quoit_glance_end(glance, cursor, 1);
        } else if (quoit_mpmc_is_later(word, spot.lap)) {
            cursor->next++;
            cursor->missed++;
        } else if (is_void(place, cursor->next, spot.slot, word)) {
            cursor->next++;
        } else {
            return QUOIT_EMPTY;
        }
    }
    return QUOIT_EMPTY;
}

/* ---- Broadcast ------------------------------------------------------------------------------- */

quoit_status quoit_look_broadcast(const struct quoit_ring_place *place,
                                  struct quoit_ring_cursor *cursor, struct quoit_glance *glance)
{
    for (int tries = 0; tries < TRIES; tries++) {
        bool finished = quoit_spsc_is_finished(place);
        uint64_t tail = quoit_broadcast_tail(place);
        catch_up(cursor, quoit_broadcast_oldest(place, tail));
        uint8_t *slot = quoit_broadcast_slot(place, cursor->next);
        uint64_t word = quoit_broadcast_load(slot), wanted = quoit_broadcast_whole(cursor->next);
        if (word == wanted) {
            quoit_glance_item(glance, place, slot + QUOIT_BROADCAST_WORD_BYTES);
            quoit_glance_fence();
            if (quoit_broadcast_load(slot) == word &&
                !quoit_ring_is_before(cursor->next, quoit_broadcast_oldest(place, tail)))
                return quoit_glance_end(glance, cursor, 1);
        } else if (quoit_broadcast_is_later(word, wanted)) {
            catch_up(cursor, cursor->next + 1);
        } else {
            return nothing(finished);
        }
    }
    return QUOIT_EMPTY;
}
