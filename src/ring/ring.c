/* SPDX-License-Identifier: MIT */
/* Code that all rings share: the counters, how to disable the fast path. Code that the SPSC rings
   share: the end of the stream, the invariants. Ordering labels: docs/ORDERING.md. */
#include "ring_ops.h"

#include "fail.h"

void quoit_ring_init(const struct quoit_ring_view *view, uint64_t start)
{
    struct quoit_ring_shm *shm = view->shm;
    quoit_atomic_u64 *const counters[] = {&shm->tail, &shm->head, &shm->committed_below,
                                          &shm->pushed_messages};
    quoit_atomic_u32 *const zeros[] = {&shm->abandoned,
                                       &shm->entries_used,
                                       &shm->producers_joined,
                                       &shm->consumers_joined,
                                       &shm->finishes,
                                       &shm->consumer_sleepers,
                                       &shm->producer_sleepers,
                                       &shm->consumer_wake_needed,
                                       &shm->producer_wake_needed};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        /* Relaxed: no other process sees the ring yet; publishing the region orders it. */
        atomic_store_explicit(counters[i], start, memory_order_relaxed);
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++)
        /* Relaxed: publishing the region orders it. */
        atomic_store_explicit(zeros[i], 0, memory_order_relaxed);
    /* Relaxed: publishing the region orders it. */
    atomic_store_explicit(&shm->finished, 0, memory_order_relaxed);
}

quoit_status quoit_ring_counters_apart(uint64_t tail, uint64_t head, uint64_t capacity)
{
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "ring: tail %llu and head %llu are impossible with capacity %llu; the queue "
                      "is damaged: remove it with 'quoit rm'",
                      (unsigned long long)tail, (unsigned long long)head,
                      (unsigned long long)capacity);
}

uint64_t quoit_ring_head(struct quoit_ring_shm *shm)
{
    /* SPSC-P3: having seen this head, slots below it are read. Pairs with SPSC-C3 and SPAN-C2. */
    return atomic_load_explicit(&shm->head, memory_order_acquire);
}

uint64_t quoit_ring_tail(struct quoit_ring_shm *shm)
{
    /* SPAN-C1: in spans and bytes, after this load the consumer may read all below the tail. Pairs
       with SPAN-P1. */
    return atomic_load_explicit(&shm->tail, memory_order_acquire);
}

void quoit_ring_producer_begin(struct quoit_ring_producer *producer,
                               const struct quoit_ring_view *view, uint64_t position)
{
    uint8_t *slot = view->slots + position % view->capacity * view->stride;
    memset((void *)producer->state, 0, sizeof *producer->state);
    *producer = (struct quoit_ring_producer){
        .begin = view->slots,
        .end = view->slots + view->capacity * view->stride,
        .empty = view->empty,
        .state = producer->state,
        .tail = &view->shm->tail,
        .wake_needed = &view->shm->consumer_wake_needed,
        .next = slot,
        .position = position,
        .limit = position,
        .item_bytes = view->item_bytes,
    };
    quoit_ring_producer_disable(producer);
}

void quoit_ring_consumer_begin(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view, uint64_t position)
{
    uint8_t *slot = view->slots + position % view->capacity * view->stride;
    memset((void *)consumer->state, 0, sizeof *consumer->state);
    *consumer = (struct quoit_ring_consumer){
        .begin = view->slots,
        .end = view->slots + view->capacity * view->stride,
        .empty = view->empty,
        .state = consumer->state,
        .head = &view->shm->head,
        .wake_needed = &view->shm->producer_wake_needed,
        .next = slot,
        .position = position,
        .limit = position,
        .item_bytes = view->item_bytes,
    };
    quoit_ring_consumer_disable(consumer);
}

void quoit_ring_producer_disable(struct quoit_ring_producer *producer)
{
    /* Relaxed: private to this handle. */
    atomic_store_explicit(&producer->disabled, ~producer->empty, memory_order_relaxed);
    producer->slot = quoit_ring_producer_slot(producer);
    producer->next = quoit_ring_producer_disabled_slot(producer);
    producer->limit = producer->position;
}

void quoit_ring_consumer_disable(struct quoit_ring_consumer *consumer)
{
    /* Relaxed: private to this handle. */
    atomic_store_explicit(&consumer->disabled, consumer->empty, memory_order_relaxed);
    consumer->slot = quoit_ring_consumer_slot(consumer);
    consumer->next = quoit_ring_consumer_disabled_slot(consumer);
    consumer->limit = consumer->position;
}

quoit_status quoit_ring_check_room(uint64_t bytes, uint64_t room_bytes)
{
    if (bytes <= room_bytes)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_TOO_BIG,
                      "the next item has %llu bytes, but the buffer has %llu; pass a larger buffer",
                      (unsigned long long)bytes, (unsigned long long)room_bytes);
}

quoit_status quoit_ring_push_message(struct quoit_ring_producer *producer,
                                     const struct quoit_ring_view *view, const void *data,
                                     uint64_t bytes)
{
    void *message;
    uint64_t count;
    quoit_status status = view->ops->claim(producer, view, 1, bytes, &message, &count);
    if (status != QUOIT_OK)
        return status;
    if (bytes > 0)
        memcpy(message, data, (size_t)bytes);
    (void)view->ops->commit(producer, view, 1, bytes);
    return QUOIT_OK;
}

quoit_status quoit_ring_pop_message(struct quoit_ring_consumer *consumer,
                                    const struct quoit_ring_view *view, void *buffer,
                                    uint64_t *bytes_inout)
{
    const void *message;
    uint64_t count = 1, bytes, room_bytes = *bytes_inout;
    quoit_status status = view->ops->peek(consumer, view, &message, &count, &bytes);
    if (status != QUOIT_OK)
        return status;
    *bytes_inout = bytes;
    status = quoit_ring_check_room(bytes, room_bytes);
    if (status != QUOIT_OK)
        return status;
    if (bytes > 0)
        memcpy(buffer, message, (size_t)bytes);
    (void)view->ops->release(consumer, view, 1);
    return QUOIT_OK;
}

struct quoit_ring_totals quoit_ring_totals(const struct quoit_ring_view *view, uint64_t size)
{
    uint64_t popped = quoit_ring_head(view->shm);
    return (struct quoit_ring_totals){
        .pushed = popped + size, .popped = popped, .pushed_items = popped + size};
}

uint64_t quoit_spsc_pushes(const struct quoit_ring_producer *producer,
                           const struct quoit_ring_view *view)
{
    (void)producer;
    return quoit_ring_tail(view->shm);
}

uint64_t quoit_spsc_pops(const struct quoit_ring_consumer *consumer,
                         const struct quoit_ring_view *view)
{
    (void)consumer;
    return quoit_ring_head(view->shm);
}

void quoit_spsc_end(const struct quoit_ring_view *view)
{
    /* SPSC-P4: every push came before. Pairs with SPSC-C4. */
    atomic_store_explicit(&view->shm->finished, 1, memory_order_release);
}

bool quoit_spsc_is_finished(const struct quoit_ring_view *view)
{
    /* SPSC-C4: after this load has returned the end, every item that was pushed is visible. Pairs
       with SPSC-P4. */
    return atomic_load_explicit(&view->shm->finished, memory_order_acquire) != 0;
}

bool quoit_spsc_shows_items(const struct quoit_ring_view *view)
{
    return quoit_ring_tail(view->shm) != quoit_ring_head(view->shm);
}

bool quoit_spsc_is_over(const struct quoit_ring_view *view)
{
    return quoit_spsc_is_finished(view) && !view->ops->has_items(view);
}

void quoit_spsc_detach(struct quoit_ring_producer *producer, struct quoit_ring_consumer *consumer,
                       const struct quoit_ring_view *view)
{
    (void)producer; /* a claim is dropped, a peeked item stays queued */
    (void)consumer;
    (void)view;
}

quoit_status quoit_ring_check_finished(const struct quoit_ring_view *view)
{
    /* SPSC-C4: no member stores any value but 0 and 1. Pairs with SPSC-P4. */
    uint64_t finished = atomic_load_explicit(&view->shm->finished, memory_order_acquire);
    if (finished > 1)
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "ring: its end mark is %llu, but must be 0 or 1; the queue is damaged: "
                          "remove it with 'quoit rm'",
                          (unsigned long long)finished);
    return QUOIT_OK;
}

quoit_status quoit_spsc_check(const struct quoit_ring_view *view)
{
    /* Both sides may run meanwhile: when the tail was read, the head was between these two. */
    uint64_t head_before = quoit_ring_head(view->shm);
    uint64_t tail = quoit_ring_tail(view->shm);
    uint64_t head_after = quoit_ring_head(view->shm);
    bool behind = tail - head_before > INT64_MAX;
    bool beyond = tail - head_after <= INT64_MAX && tail - head_after > view->capacity;
    if (behind || beyond)
        return quoit_ring_counters_apart(tail, head_after, view->capacity);
    return quoit_ring_check_finished(view);
}
