/* SPDX-License-Identifier: MIT */
/* The MPMC ring as a whole: its first state, snapshots, its table. How it works is in mpmc.h,
   ordering labels in docs/ORDERING.md. */
#include "mpmc.h"

#include "fail.h"

static void init(const struct quoit_ring_view *view, uint64_t start)
{
    quoit_ring_init(view, start);
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, start);
    for (uint64_t i = 0; i < view->capacity; i++, quoit_mpmc_step(&geometry, &ref))
        /* Relaxed: no other process sees the ring yet; publishing the region orders it. */
        atomic_store_explicit(quoit_mpmc_sequence(ref.slot), ref.lap, memory_order_relaxed);
    for (uint32_t i = 0; i < view->members.count; i++) {
        quoit_mpmc_publish_claim(&view->members.claim_records[i].pushing, 0, 0, 0);
        quoit_mpmc_publish_claim(&view->members.claim_records[i].popping, 0, 0, 0);
    }
}

/* Leaves an item that is peeked at to the other consumers, as if this one had crashed. The same
   holds for an item of a pop that a signal handler left by longjmp. */
static void detach(struct quoit_ring_producer *producer, struct quoit_ring_consumer *consumer,
                   const struct quoit_ring_view *view)
{
    quoit_mpmc_give_up(&producer->state->mpmc);
    if (producer->state->mpmc.claim)
        quoit_mpmc_publish_claim(producer->state->mpmc.claim, 0, 0, 0);
    if (consumer->state->mpmc.claim)
        quoit_mpmc_publish_claim(consumer->state->mpmc.claim, 0, 0, 0);
    if (consumer->state->mpmc.claim)
        quoit_mpmc_set_abandoned(view);
}

static bool is_finished(const struct quoit_ring_view *view)
{
    return (quoit_mpmc_tail(view) & QUOIT_MPMC_FINISHED) != 0;
}

/* Finished, and no item is left, not even one that another consumer gets if its reader crashes. */
static bool is_over(const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_mpmc_tail(view), head = quoit_mpmc_head(view);
    /* Relaxed: a hint at which position to start; the slots are checked from there. */
    uint64_t from = atomic_load_explicit(&view->shm->reclaimed_below, memory_order_relaxed);
    if (!(tail & QUOIT_MPMC_FINISHED) || quoit_mpmc_position(tail) != head)
        return false;
    struct quoit_mpmc_taken taken = quoit_mpmc_find_taken(view, &from, head);
    return !taken.abandoned && taken.being_read == 0;
}

static uint64_t size(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_mpmc_head(view); /* before the tail: the size is not negative */
    uint64_t items = quoit_mpmc_position(quoit_mpmc_tail(view)) - head;
    return items < view->capacity ? items : view->capacity;
}

static bool has_items(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_mpmc_head(view);
    /* Relaxed: a hint at which position to start; the slots are checked from there. */
    uint64_t from = atomic_load_explicit(&view->shm->reclaimed_below, memory_order_relaxed);
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, head);
    uint64_t sequence = quoit_mpmc_load(ref.slot);
    if (sequence == (ref.lap | QUOIT_MPMC_FULL) || quoit_mpmc_is_later(sequence, ref.lap))
        return true;
    bool claimed = sequence == ref.lap && quoit_mpmc_position(quoit_mpmc_tail(view)) != head;
    if (claimed && !quoit_mpmc_is_owned(view, true, head, 0))
        return true; /* what a pop will find behind it */
    return quoit_mpmc_find_taken(view, &from, head).abandoned;
}

static bool has_room(const struct quoit_ring_view *view)
{
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(view));
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, tail);
    uint64_t sequence = quoit_mpmc_load(ref.slot);
    if (sequence == ref.lap)
        return true;
    if (sequence != ref.lap - QUOIT_MPMC_LAP ||
        quoit_mpmc_is_owned(view, true, tail - view->capacity, 0))
        return false;
    uint64_t now = quoit_mpmc_load(ref.slot); /* its owner may have committed since */
    return now == sequence || now == ref.lap;
}

/* An item that is in the ring shows in its slot, whatever the counters are, also while a consumer
   reads it. */
static bool contains(const struct quoit_ring_view *view, uint64_t item)
{
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, 0);
    for (uint64_t i = 0; i < view->capacity; i++, quoit_mpmc_step(&geometry, &ref))
        if (quoit_mpmc_load(ref.slot) & QUOIT_MPMC_FULL &&
            quoit_ring_item(ref.slot + QUOIT_MPMC_SEQUENCE_BYTES) == item)
            return true;
    return false;
}

/* Checks that the slot of a position is not ahead of the tail. A slot makes two steps for each
   position: to an item, and on to the next lap. */
static quoit_status check_slot(const struct quoit_ring_view *view, uint64_t position)
{
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, position);
    uint64_t sequence = quoit_mpmc_load(ref.slot);
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(view)); /* since then */
    int64_t laps = (int64_t)(quoit_mpmc_lap_of(sequence) - ref.lap) / (int64_t)QUOIT_MPMC_LAP;
    int64_t steps = laps * 2 + (int64_t)(sequence & QUOIT_MPMC_FULL);
    uint64_t most = tail - position - 1 > INT64_MAX
                        ? 0
                        : ((tail - position - 1) / view->capacity + 1) * 2;
    bool is_word = (sequence & 0xfe) == 0 &&
                   (sequence & QUOIT_MPMC_FULL || quoit_mpmc_generation(sequence) == 0);
    if (is_word && steps >= -2 && (steps <= 0 || (uint64_t)steps <= most))
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "MPMC ring: slot %llu holds the sequence 0x%016llx, which no process writes "
                      "there; the queue is damaged: remove it with 'quoit rm'",
                      (unsigned long long)(position % view->capacity),
                      (unsigned long long)sequence);
}

static quoit_status check(const struct quoit_ring_view *view)
{
    uint64_t head = quoit_mpmc_head(view);
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(view));
    if (tail - head > INT64_MAX)
        return quoit_ring_counters_apart(tail, head, view->capacity);
    quoit_status status = QUOIT_OK;
    for (uint64_t i = 0; i < view->capacity && status == QUOIT_OK; i++)
        status = check_slot(view, tail + i);
    return status;
}

static uint64_t pushes(const struct quoit_ring_producer *producer,
                       const struct quoit_ring_view *view)
{
    (void)view;
    return producer->state->mpmc.position;
}

static uint64_t pops(const struct quoit_ring_consumer *consumer, const struct quoit_ring_view *view)
{
    (void)view;
    return consumer->state->mpmc.position;
}

/* The held item can be one that a crashed consumer had taken, far below the side's position. */
static bool peeked_at(const struct quoit_ring_consumer *consumer,
                      const struct quoit_ring_view *view, uint64_t *position_out)
{
    const struct quoit_mpmc_slot_ref *held = &consumer->state->mpmc.held;
    if (!held->slot)
        return false;
    uint64_t index = (uint64_t)(held->slot - view->slots) / view->stride;
    *position_out = held->lap / QUOIT_MPMC_LAP * view->capacity + index;
    return true;
}

static bool has_freed(struct quoit_ring_consumer *consumer)
{
    bool freed = consumer->state->mpmc.freed;
    consumer->state->mpmc.freed = false;
    return freed;
}

/* Items and messages share these. */
/* clang-format off */
#define MPMC                                      \
    .header_bytes = QUOIT_MPMC_SEQUENCE_BYTES,        \
    .unit_bytes = 8,                              \
    .many_producers = true,                       \
    .many_consumers = true,                       \
    .init = init,                                 \
    .attach_producer = quoit_mpmc_attach_producer,\
    .attach_consumer = quoit_mpmc_attach_consumer,\
    .detach = detach,                             \
    .poll_room = quoit_mpmc_poll_room,    \
    .poll_items = quoit_mpmc_poll_items,  \
    .release = quoit_mpmc_release,                \
    .end = quoit_mpmc_end,                        \
    .pushes = pushes,                             \
    .pops = pops,                                 \
    .peeked_at = peeked_at,                       \
    .has_freed = has_freed,                       \
    .is_finished = is_finished,                   \
    .is_over = is_over,                           \
    .size = size,                                 \
    .totals = quoit_ring_totals,                  \
    .has_items = has_items,                       \
    .has_room = has_room,                         \
    .browse = quoit_browse_mpmc,                      \
    .holds_up = quoit_mpmc_holds_up,              \
    .repair = quoit_mpmc_repair,                  \
    .check = check
/* clang-format on */

const struct quoit_ring_ops quoit_mpmc = {
    MPMC,
    .push = quoit_mpmc_push,
    .pop = quoit_mpmc_pop,
    .push_many = quoit_mpmc_push_many,
    .pop_many = quoit_mpmc_pop_many,
    .claim = quoit_mpmc_claim,
    .commit = quoit_mpmc_commit,
    .peek = quoit_mpmc_peek,
    .contains = contains,
};

const struct quoit_ring_ops quoit_mpmc_messages = {
    MPMC,
    QUOIT_RECORDS_OF(quoit_mpmc),
};

/* ---- Repair ---------------------------------------------------------------------------------- */

static uint64_t load_claim(const struct quoit_claim_record_shm *record, bool pushing)
{
    const quoit_atomic_u64 *claim = pushing ? &record->pushing : &record->popping;
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

bool quoit_mpmc_is_owned(const struct quoit_ring_view *view, bool pushing, uint64_t position,
                         uint64_t generation)
{
    const struct quoit_ring_members *members = &view->members;
    for (uint32_t entry = 0; entry < members->count; entry++)
        if (covers(load_claim(&members->claim_records[entry], pushing), position, generation) &&
            (entry == members->own || members->is_alive(members->context, entry)))
            return true;
    return false;
}

bool quoit_mpmc_skip(const struct quoit_ring_view *view, uint64_t position, uint8_t *slot,
                     uint64_t sequence)
{
    if (quoit_mpmc_is_owned(view, true, position, 0))
        return false;
    /* MPMC-R4: the next lap's, whether we do it or another did. If its owner had committed before
       this member found that it has crashed, this fails. Pairs with MPMC-C1. */
    if (atomic_compare_exchange_strong_explicit(quoit_mpmc_sequence(slot), &sequence,
                                                sequence + QUOIT_MPMC_LAP, memory_order_acq_rel,
                                                memory_order_acquire))
        quoit_ring_count_repair(view);
    return true;
}

struct quoit_mpmc_taken quoit_mpmc_find_taken(const struct quoit_ring_view *view,
                                              uint64_t *from_inout, uint64_t end)
{
    struct quoit_mpmc_taken taken = {.being_read = 0};
    uint64_t first = end;
    uint64_t position = *from_inout;
    if (end - position > view->capacity) /* too far back, or ahead */
        position = end < view->capacity ? 0 : end - view->capacity;
    const struct quoit_mpmc_geometry geometry = quoit_mpmc_geometry(view);
    struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, position);
    for (; position != end && !taken.abandoned; position++, quoit_mpmc_step(&geometry, &ref)) {
        uint64_t sequence = quoit_mpmc_load(ref.slot);
        if (!quoit_mpmc_is_full(sequence, ref.lap))
            continue;
        bool owned = quoit_mpmc_is_owned(view, false, position, quoit_mpmc_generation(sequence));
        uint64_t now = quoit_mpmc_load(ref.slot);
        if (!quoit_mpmc_is_full(now, ref.lap))
            continue; /* given back meanwhile */
        if (first == end)
            first = position;
        if (owned || now != sequence) /* or adopted meanwhile, by a member that may crash as well */
            taken.being_read++;
        else
            taken = (struct quoit_mpmc_taken){.being_read = taken.being_read,
                                              .abandoned = true,
                                              .ref = ref,
                                              .position = position,
                                              .sequence = sequence};
    }
    *from_inout = first;
    return taken;
}

void quoit_mpmc_set_abandoned(const struct quoit_ring_view *view)
{
    /* Relaxed: a hint; a consumer that follows it searches the slots itself. */
    atomic_store_explicit(&view->shm->abandoned, 1, memory_order_relaxed);
}

bool quoit_mpmc_test_and_clear_abandoned(const struct quoit_ring_view *view)
{
    if (!quoit_mpmc_is_abandoned_set(view))
        return false;
    /* Relaxed: a hint; the search that follows reads the slots themselves. */
    atomic_store_explicit(&view->shm->abandoned, 0, memory_order_relaxed);
    return true;
}

bool quoit_mpmc_holds_up(const struct quoit_ring_view *view, uint32_t entry, uint64_t *lag_out)
{
    const struct quoit_claim_record_shm *record = &view->members.claim_records[entry];
    uint64_t head = quoit_mpmc_head(view), tail = quoit_mpmc_position(quoit_mpmc_tail(view));
    struct quoit_mpmc_slot_ref next = quoit_mpmc_slot_ref(view, head);
    uint64_t sequence = quoit_mpmc_load(next.slot);
    *lag_out = 0;
    if (head != tail && sequence == next.lap)
        return covers(load_claim(record, true), head, 0);
    if (tail < view->capacity)
        return false;
    struct quoit_mpmc_slot_ref last = quoit_mpmc_slot_ref(view, tail - view->capacity);
    sequence = quoit_mpmc_load(last.slot);
    return quoit_mpmc_is_full(sequence, last.lap) &&
           covers(load_claim(record, false), tail - view->capacity,
                  quoit_mpmc_generation(sequence));
}

static uint64_t count_abandoned(const struct quoit_ring_view *view, uint64_t head)
{
    uint64_t abandoned = 0;
    uint64_t from = head < view->capacity ? 0 : head - view->capacity;
    while (from != head) {
        uint64_t first = from;
        struct quoit_mpmc_taken taken = quoit_mpmc_find_taken(view, &first, head);
        if (!taken.abandoned)
            break;
        abandoned++;
        from = taken.position + 1;
    }
    return abandoned;
}

/* No live member has the claim. Loads the slot again: its producer may have committed since. */
static bool is_left(const struct quoit_ring_view *view, uint64_t position,
                    struct quoit_mpmc_slot_ref ref)
{
    return !quoit_mpmc_is_owned(view, true, position, 0) && quoit_mpmc_load(ref.slot) == ref.lap;
}

/* An abandoned item needs a consumer, so `abandoned` makes the next consumer search for it. */
uint64_t quoit_mpmc_repair(const struct quoit_ring_view *view, bool count_only)
{
    uint64_t repairs = 0, head = quoit_mpmc_head(view);
    uint64_t tail = quoit_mpmc_position(quoit_mpmc_tail(view));
    if (tail - head > view->capacity)
        return 0; /* others are at work */
    for (uint64_t position = head; position != tail; position++) {
        struct quoit_mpmc_slot_ref ref = quoit_mpmc_slot_ref(view, position);
        if (quoit_mpmc_load(ref.slot) == ref.lap &&
            (count_only ? is_left(view, position, ref)
                        : quoit_mpmc_skip(view, position, ref.slot, ref.lap)))
            repairs++;
    }
    uint64_t abandoned = count_abandoned(view, head);
    if (abandoned > 0 && !count_only)
        quoit_mpmc_set_abandoned(view);
    return repairs + abandoned;
}

bool quoit_mpmc_adopt(quoit_atomic_u64 *claim, const struct quoit_mpmc_taken *taken)
{
    uint64_t sequence = taken->sequence, generation = (quoit_mpmc_generation(sequence) + 1) & 0xff;
    quoit_mpmc_publish_claim(claim, taken->position, generation, 1);
    /* MPMC-R5: the item is ours; what its producer published is too. Pairs with MPMC-P4. */
    if (atomic_compare_exchange_strong_explicit(quoit_mpmc_sequence(taken->ref.slot), &sequence,
                                                taken->ref.lap | generation << 8 | QUOIT_MPMC_FULL,
                                                memory_order_acq_rel, memory_order_acquire))
        return true;
    quoit_mpmc_publish_claim(claim, 0, 0, 0);
    return false;
}
