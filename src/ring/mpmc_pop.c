/* SPDX-License-Identifier: MIT */
/* The consumers' side of the MPMC ring. How it works is in mpmc.h, ordering labels in
   docs/ORDERING.md. */
#include "mpmc.h"

#include "noinline.h"

quoit_status quoit_mpmc_attach_consumer(struct quoit_ring_consumer *consumer,
                                        const struct quoit_ring_view *view)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    quoit_ring_consumer_begin(consumer, view, 0);
    side->spinning = &consumer->state->spinning;
    side->claim = &quoit_mpmc_enter(side, view)->popping;
    quoit_mpmc_go_to(side, view, quoit_mpmc_head(view));
    /* Relaxed: a hint at which position to start; the slots are checked from there. */
    side->reclaimed_below = atomic_load_explicit(&view->shm->reclaimed_below, memory_order_relaxed);
    quoit_mpmc_set_abandoned(view); /* the first pop searches for items of crashed consumers */
    return QUOIT_OK;
}

/* Counts the items from the next position on, up to `most`, and up to the capacity: a peer that
   writes garbage could make every slot look filled for ever. */
static uint64_t count_filled(const struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                             uint64_t most)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_next_slot_ref(side);
    uint64_t count = 0;
    most = most < view->capacity ? most : view->capacity;
    for (; count < most && quoit_mpmc_load(ref.slot) == (ref.lap | QUOIT_MPMC_FULL); count++)
        quoit_mpmc_step(&geometry, &ref);
    return count;
}

/*
 * The slot at the head shows no item. Either no producer has claimed the position, and the queue is
 * empty. Or one has, and has not committed: if it has crashed, the position is skipped. Or the slot
 * still shows the lap before, whose item another consumer is reading: find_abandoned handles that.
 * OK: something has changed, so try again. A caller that spins asks the kernel nothing.
 */
static quoit_status no_item_yet(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                                uint64_t sequence)
{
    if (!quoit_mpmc_stays(side->slot, sequence))
        return QUOIT_OK;
    uint64_t tail = quoit_mpmc_tail(view);
    if (quoit_mpmc_position(tail) == side->position)
        return tail & QUOIT_MPMC_FINISHED ? QUOIT_FINISHED : QUOIT_EMPTY;
    if (sequence != side->lap || *side->spinning ||
        !quoit_mpmc_skip(view, side->position, side->slot, sequence))
        return QUOIT_EMPTY;
    side->freed = true;
    return QUOIT_OK;
}

/* false: head_inout is where the head is instead. */
static bool skip_head(const struct quoit_ring_view *view, uint64_t *head_inout)
{
    uint64_t head = *head_inout;
    /* MPMC-C3: past a position without an item. Pairs with MPMC-R3. */
    bool ours = atomic_compare_exchange_strong_explicit(&view->shm->head, &head, head + 1,
                                                        memory_order_acq_rel, memory_order_acquire);
    *head_inout = head;
    return ours;
}

/* The slot at this side's position had no item. OK: another consumer has moved the head on, the
   item has come, or the position was skipped, so try again. Otherwise EMPTY or FINISHED. */
static quoit_status consumer_blocked(struct quoit_mpmc_side *side,
                                     const struct quoit_ring_view *view)
{
    uint64_t head = quoit_mpmc_head(view);
    if (head != side->position) {
        quoit_mpmc_go_to(side, view, head);
        return QUOIT_OK;
    }
    uint64_t sequence = quoit_mpmc_load(side->slot);
    if (sequence == (side->lap | QUOIT_MPMC_FULL))
        return QUOIT_OK;
    if (!quoit_mpmc_is_later(sequence, side->lap))
        return no_item_yet(side, view, sequence);
    /* The slot is in a later lap, so the position was skipped. */
    if (skip_head(view, &head))
        head = side->position + 1;
    quoit_mpmc_go_to(side, view, head);
    return QUOIT_OK;
}

/* Searches below the head for items of crashed consumers, unless the caller spins. OK: taken_out is
   one. Otherwise returns `status`, but EMPTY in place of FINISHED while a live consumer may still
   be reading an item: it may crash and leave that item to this one. */
static quoit_status find_abandoned(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                                   quoit_status status, struct quoit_mpmc_taken *taken_out)
{
    taken_out->abandoned = false;
    if (*side->spinning)
        return status == QUOIT_FINISHED ? QUOIT_EMPTY : status;
    uint64_t from = side->reclaimed_below;
    if (from == side->position)
        return status; /* each item below is given back */
    *taken_out = quoit_mpmc_find_taken(view, &from, side->position);
    if (from != side->reclaimed_below) {
        side->reclaimed_below = from;
        /* Relaxed: a hint for the searches to come. */
        atomic_store_explicit(&view->shm->reclaimed_below, from, memory_order_relaxed);
    }
    if (taken_out->abandoned)
        return QUOIT_OK;
    return taken_out->being_read > 0 ? QUOIT_EMPTY : status;
}

/* Is no position claimed from the head on? A spin does not load the tail, whose cache line the
   producers need, and leaves out claims without an item. If the slot has no item yet, the head is
   at its position. */
static bool is_empty(const struct quoit_mpmc_side *side, const struct quoit_ring_view *view)
{
    return quoit_mpmc_load(side->slot) == side->lap &&
           (*side->spinning || quoit_mpmc_tail(view) == side->position);
}

quoit_status quoit_mpmc_poll_items(struct quoit_ring_consumer *consumer,
                                   const struct quoit_ring_view *view)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    if (side->held.slot)
        return QUOIT_OK;
    quoit_status status = is_empty(side, view) ? QUOIT_EMPTY : QUOIT_OK;
    for (uint64_t tries = quoit_mpmc_tries(side, view); tries > 0 && status == QUOIT_OK; tries--) {
        if (quoit_mpmc_load(side->slot) == (side->lap | QUOIT_MPMC_FULL) &&
            quoit_mpmc_head(view) == side->position)
            return QUOIT_OK;
        status = consumer_blocked(side, view);
    }
    struct quoit_mpmc_taken taken;
    return find_abandoned(side, view, status == QUOIT_OK ? QUOIT_EMPTY : status, &taken);
}

/* Returns OK if an item of a crashed consumer was found: count_out is 1, or 0 if another consumer
   adopted it first. Otherwise returns the status that the pop returns. */
static quoit_status adopt_abandoned(struct quoit_mpmc_side *side,
                                    const struct quoit_ring_view *view, quoit_status status,
                                    struct quoit_mpmc_slot_ref *ref_out, uint64_t *count_out)
{
    struct quoit_mpmc_taken taken;
    *count_out = 0;
    status = find_abandoned(side, view, status, &taken);
    if (status == QUOIT_OK && quoit_mpmc_adopt(side->claim, &taken)) {
        quoit_ring_count_repair(view);
        *ref_out = taken.ref;
        *count_out = 1;
    }
    return status;
}

/* Takes the next count items; they begin at ref_out. false: head_out is where the head was
   instead. */
static bool try_take(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                     uint64_t count, struct quoit_mpmc_slot_ref *ref_out, uint64_t *head_out)
{
    if (!quoit_mpmc_claim_next(&view->shm->head, side->claim, side->position, count, head_out))
        return false;
    quoit_mpmc_pass(side, view, count, ref_out);
    return true;
}

/* Takes the next items, up to `most`, or one of a crashed consumer. They begin at ref_out and are
   this member's until it frees their slots. If another consumer has set `abandoned`, its item comes
   first. OK EMPTY FINISHED. */
static quoit_status take(struct quoit_mpmc_side *side, const struct quoit_ring_view *view,
                         uint64_t most, struct quoit_mpmc_slot_ref *ref_out, uint64_t *count_out)
{
    quoit_status status = QUOIT_OK;
    *count_out = 0;
    if (quoit_mpmc_test_and_clear_abandoned(view)) {
        quoit_mpmc_go_to(side, view, quoit_mpmc_head(view));
        (void)adopt_abandoned(side, view, QUOIT_EMPTY, ref_out, count_out);
    }
    for (uint64_t tries = quoit_mpmc_tries(side, view); tries > 0 && *count_out == 0; tries--) {
        uint64_t head, count = count_filled(side, view, most);
        if (count > 0) {
            if (try_take(side, view, count, ref_out, &head))
                *count_out = count;
            else
                quoit_mpmc_go_to(side, view, head);
            continue;
        }
        status = consumer_blocked(side, view);
        if (status == QUOIT_OK)
            continue;
        status = adopt_abandoned(side, view, status, ref_out, count_out);
        if (status != QUOIT_OK)
            return status;
    }
    return *count_out > 0 ? QUOIT_OK : QUOIT_EMPTY;
}

/* The slow path of a pop. An item that this handle has peeked at comes first. */
static QUOIT_NOINLINE quoit_status pop_slowly(struct quoit_mpmc_side *side,
                                              const struct quoit_ring_view *view, void *item_out)
{
    struct quoit_mpmc_slot_ref ref = side->held;
    if (!ref.slot) {
        uint64_t count;
        quoit_status status = take(side, view, 1, &ref, &count);
        if (status != QUOIT_OK)
            return status;
    }
    side->held.slot = NULL;
    quoit_ring_copy_out(item_out, ref.slot + QUOIT_MPMC_SEQUENCE_BYTES, 0, view->item_bytes);
    quoit_mpmc_give_back(ref.slot, ref.lap);
    return QUOIT_OK;
}

quoit_status quoit_mpmc_pop(struct quoit_ring_consumer *consumer,
                            const struct quoit_ring_view *view, void *item_out,
                            uint64_t *bytes_inout)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    *bytes_inout = view->item_bytes;
    return quoit_mpmc_take(side, view, item_out, view->item_bytes)
               ? QUOIT_OK
               : pop_slowly(side, view, item_out);
}

static void copy_out(const struct quoit_ring_view *view, struct quoit_mpmc_slot_ref ref,
                     uint64_t count, uint8_t *items_out)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    const uint64_t item_bytes = view->item_bytes;
    for (uint64_t i = 0; i < count; i++, quoit_mpmc_step(&geometry, &ref))
        quoit_ring_copy_out(items_out + i * item_bytes, ref.slot + QUOIT_MPMC_SEQUENCE_BYTES, 0,
                            item_bytes);
}

static void give_back(const struct quoit_ring_view *view, struct quoit_mpmc_slot_ref ref,
                      uint64_t count)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    for (uint64_t i = 0; i < count; i++, quoit_mpmc_step(&geometry, &ref))
        quoit_mpmc_give_back(ref.slot, ref.lap);
}

uint64_t quoit_mpmc_pop_many(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_view *view, void *items_out, uint64_t count)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    uint8_t *item = items_out;
    uint64_t popped = 0, bytes;
    if (side->held.slot && quoit_mpmc_pop(consumer, view, item, &bytes) == QUOIT_OK)
        popped = 1;
    while (popped < count) {
        uint64_t left = count - popped, got = 0;
        struct quoit_mpmc_slot_ref ref;
        uint64_t most = left < QUOIT_MPMC_CLAIM_MOST ? left : QUOIT_MPMC_CLAIM_MOST;
        if (take(side, view, most, &ref, &got) != QUOIT_OK)
            break;
        copy_out(view, ref, got, item + popped * view->item_bytes);
        give_back(view, ref, got); /* after all copies: a crash before leaves all items to others */
        popped += got;
    }
    return popped;
}

quoit_status quoit_mpmc_peek(struct quoit_ring_consumer *consumer,
                             const struct quoit_ring_view *view, const void **items_out,
                             uint64_t *count_out, uint64_t *bytes_out)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    struct quoit_mpmc_slot_ref ref = side->held;
    if (!ref.slot) {
        quoit_status status = take(side, view, 1, &ref, count_out);
        if (status != QUOIT_OK)
            return status;
        quoit_mpmc_hold(side, ref);
    }
    *items_out = ref.slot + QUOIT_MPMC_SEQUENCE_BYTES;
    *count_out = 1;
    *bytes_out = view->item_bytes;
    return QUOIT_OK;
}

bool quoit_mpmc_release(struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view,
                        uint64_t count)
{
    struct quoit_mpmc_side *side = &consumer->state->mpmc;
    (void)view;
    struct quoit_mpmc_slot_ref held = side->held;
    if (count > (held.slot ? 1u : 0u))
        return false;
    if (count == 1) {
        side->held.slot = NULL; /* first, as in quoit_mpmc_give_up */
        quoit_mpmc_give_back(held.slot, held.lap);
    }
    return true;
}
