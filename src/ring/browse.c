/* SPDX-License-Identifier: MIT */
/*
 * Browsing: copies of a ring's items, which stay in the ring. A copy counts only if the ring shows
 * afterwards that no process can have overwritten the item meanwhile. This file moves the browser;
 * the knowledge of each layout stays in the other files.
 */
#include "broadcast.h"
#include "mpmc.h"

enum { TRIES = 64 };

/* Items older than `oldest` are no longer there: moves the browser past them. */
static void catch_up(struct quoit_ring_browser *browser, uint64_t oldest)
{
    if (browser->begun && !quoit_ring_is_before(browser->next, oldest))
        return;
    if (browser->begun)
        browser->missed += oldest - browser->next;
    browser->next = oldest;
    browser->begun = true;
}

static quoit_status nothing(bool finished)
{
    return finished ? QUOIT_FINISHED : QUOIT_EMPTY;
}

void quoit_snapshot_copy(struct quoit_snapshot *snapshot, const uint8_t *message, uint64_t bytes)
{
    snapshot->bytes = bytes;
    if (bytes <= snapshot->room_bytes)
        quoit_ring_load(snapshot->buffer, message, bytes);
}

void quoit_snapshot_item(struct quoit_snapshot *snapshot, const struct quoit_ring_view *view,
                         const uint8_t *item)
{
    if (view->ops->record_bytes == 0) {
        quoit_snapshot_copy(snapshot, item, view->item_bytes);
        return;
    }
    uint64_t most = view->item_bytes - QUOIT_RECORD_HEADER_BYTES, bytes = quoit_ring_item(item);
    quoit_snapshot_copy(snapshot, item + QUOIT_RECORD_HEADER_BYTES, bytes < most ? bytes : most);
}

void quoit_snapshot_fence(void)
{
    /* BROWSE-S1: the item is copied before the load that decides whether the copy counts. Pairs
       with BROWSE-P1, SPSC-C3, SPAN-C2, MPMC-C4, CAST-P5 and CAST-P6. */
    atomic_thread_fence(memory_order_acquire);
}

quoit_status quoit_snapshot_end(const struct quoit_snapshot *snapshot,
                                struct quoit_ring_browser *browser, uint64_t step)
{
    if (snapshot->bytes > snapshot->room_bytes)
        return QUOIT_ERROR_TOO_BIG;
    browser->next += step;
    return QUOIT_OK;
}

/* ---- One producer, one consumer -------------------------------------------------------------- */

quoit_status quoit_browse_spsc(const struct quoit_ring_view *view,
                               struct quoit_ring_browser *browser, struct quoit_snapshot *snapshot,
                               bool (*is_committed)(const struct quoit_ring_view *view,
                                                    uint8_t *slot, uint64_t position))
{
    for (int tries = 0; tries < TRIES; tries++) {
        bool finished = quoit_spsc_is_finished(view);
        uint64_t head = quoit_ring_head(view->shm), tail = quoit_ring_tail(view->shm);
        catch_up(browser, head);
        if (!quoit_ring_is_before(browser->next, tail))
            return nothing(finished);
        uint8_t *slot = view->slots + browser->next % view->capacity * view->stride;
        bool there = !is_committed || is_committed(view, slot, browser->next);
        if (there)
            quoit_snapshot_item(snapshot, view, slot);
        quoit_snapshot_fence();
        if (quoit_ring_is_before(browser->next, quoit_ring_head(view->shm)))
            continue; /* taken meanwhile */
        return there ? quoit_snapshot_end(snapshot, browser, 1) : nothing(finished);
    }
    return QUOIT_EMPTY;
}

/* ---- MPMC ------------------------------------------------------------------------------------ */

/* Has the producer that claimed the position crashed? Then no item will ever be there. */
static bool is_skippable(const struct quoit_ring_view *view, uint64_t position, uint8_t *slot,
                         uint64_t sequence)
{
    return !quoit_mpmc_is_owned(view, true, position, 0) && quoit_mpmc_load(slot) == sequence;
}

quoit_status quoit_browse_mpmc(const struct quoit_ring_view *view,
                               struct quoit_ring_browser *browser, struct quoit_snapshot *snapshot)
{
    for (uint64_t tries = 0; tries < view->capacity + TRIES; tries++) {
        bool finished = view->ops->is_finished(view);
        catch_up(browser, quoit_mpmc_head(view));
        if (!quoit_ring_is_before(browser->next, quoit_mpmc_position(quoit_mpmc_tail(view))))
            return nothing(finished);
        struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, browser->next);
        uint64_t sequence = quoit_mpmc_load(ref.slot);
        if (quoit_mpmc_is_full(sequence, ref.lap)) {
            quoit_snapshot_item(snapshot, view, ref.slot + QUOIT_MPMC_SEQUENCE_BYTES);
            quoit_snapshot_fence();
            if (quoit_mpmc_load(ref.slot) == sequence)
                return quoit_snapshot_end(snapshot, browser, 1);
        } else if (quoit_mpmc_is_later(sequence, ref.lap)) {
            browser->next++;
            browser->missed++;
        } else if (is_skippable(view, browser->next, ref.slot, sequence)) {
            browser->next++;
        } else {
            return QUOIT_EMPTY;
        }
    }
    return QUOIT_EMPTY;
}

/* ---- Broadcast ------------------------------------------------------------------------------- */

quoit_status quoit_browse_broadcast(const struct quoit_ring_view *view,
                                    struct quoit_ring_browser *browser,
                                    struct quoit_snapshot *snapshot)
{
    for (int tries = 0; tries < TRIES; tries++) {
        bool finished = quoit_spsc_is_finished(view);
        uint64_t tail = quoit_broadcast_tail(view);
        catch_up(browser, quoit_broadcast_oldest(view, tail));
        uint8_t *slot = quoit_broadcast_slot(view, browser->next);
        uint64_t sequence = quoit_broadcast_load(slot),
                 wanted = quoit_broadcast_whole(browser->next);
        if (sequence == wanted) {
            quoit_snapshot_item(snapshot, view, slot + QUOIT_BROADCAST_SEQUENCE_BYTES);
            quoit_snapshot_fence();
            if (quoit_broadcast_load(slot) == sequence &&
                !quoit_ring_is_before(browser->next, quoit_broadcast_oldest(view, tail)))
                return quoit_snapshot_end(snapshot, browser, 1);
        } else if (quoit_broadcast_is_later(sequence, wanted)) {
            catch_up(browser, browser->next + 1);
        } else {
            return nothing(finished);
        }
    }
    return QUOIT_EMPTY;
}
