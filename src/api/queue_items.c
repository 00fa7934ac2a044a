/* SPDX-License-Identifier: MIT */
/* Copies items and messages in and out, one or many per call: the slow paths of the inlined
   functions, and the functions for sizes that are known at run time. Wrong calls and waiting:
   queue_again.c. In place: queue_in_place.c. */
#include "queue_handle.h"

#include "fail.h"
#include "mpmc.h"
#include "noinline.h"

/* ---- Wakes after a call ---------------------------------------------------------------------- */

/* Does a pop of count items make room? Not if other subscribers of a broadcast are behind this
   one. */
static bool makes_room(const quoit_queue *queue, uint64_t count)
{
    /* Relaxed: the barrier that a sleeper imposes (WAIT-F1) orders it after the pop. */
    return atomic_load_explicit(queue->consumer.wake_needed, memory_order_relaxed) != 0 &&
           quoit_queue_ring(queue)->ops->made_room(&queue->consumer, quoit_queue_ring(queue),
                                                   count);
}

/* With many consumers, some may wait for the end of the stream. It is reached when the last item is
   released. */
static inline void note_popped_of_many(quoit_queue *queue)
{
    quoit_queue_popped(queue);
    if (quoit_ring_is_ending(quoit_queue_ring(queue)))
        quoit_queue_wake(queue, QUOIT_CONSUMER);
}

static inline void note_popped(quoit_queue *queue, uint64_t count)
{
    const struct quoit_ring_ops *ops = quoit_queue_ring(queue)->ops;
    if (ops->many_producers)
        note_popped_of_many(queue);
    else if (!ops->made_room || makes_room(queue, count))
        quoit_queue_popped(queue);
}

void quoit_queue_note_popped(quoit_queue *queue, uint64_t count)
{
    note_popped(queue, count);
}

/* In an MPMC queue, a check for items may have made room. */
void quoit_queue_note_freed(quoit_queue *queue)
{
    const struct quoit_ring_ops *ops = quoit_queue_ring(queue)->ops;
    if (ops->has_freed && ops->has_freed(&queue->consumer))
        quoit_queue_popped(queue);
}

/* Is the call right: does the handle have this side, of items of this size? Most calls are. */
static inline bool is_right(const quoit_queue *queue, uint32_t role, size_t item_bytes)
{
    return item_bytes > 0 && item_bytes == (role == QUOIT_PRODUCER ? queue->producer.item_bytes
                                                                   : queue->consumer.item_bytes);
}

/* ---- One ------------------------------------------------------------------------------------- */

struct source {
    const void *data;
    size_t bytes;
};

static quoit_status push_once(quoit_queue *queue, void *context)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    const struct source *source = context;
    quoit_status status = ring->ops->push(&queue->producer, ring, source->data, source->bytes);
    if (status == QUOIT_OK)
        quoit_queue_pushed(queue);
    return status;
}

static QUOIT_NOINLINE quoit_status push_right(quoit_queue *queue, const void *data, size_t bytes,
                                              int64_t timeout_ns)
{
    struct source source = {data, bytes};
    return quoit_queue_try(queue, QUOIT_PRODUCER, push_once, &source, timeout_ns);
}

static QUOIT_NOINLINE quoit_status push_checked(quoit_queue *queue, const void *data, size_t bytes,
                                                int64_t timeout_ns)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK)
        status = quoit_queue_check_push(queue, data, bytes);
    return status == QUOIT_OK ? push_right(queue, data, bytes, timeout_ns) : status;
}

/* Most pushes that reach this function are into an MPMC queue. */
quoit_status quoit_queue_push_slow(quoit_queue *queue, const void *data, size_t bytes,
                                   int64_t timeout_ns)
{
    if (!queue || !data || !is_right(queue, QUOIT_PRODUCER, bytes))
        return push_checked(queue, data, bytes, timeout_ns);
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    if (!ring->ops->many_producers ||
        !quoit_mpmc_put(&queue->producer.state->mpmc, ring, data, bytes))
        return push_right(queue, data, bytes, timeout_ns);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

quoit_status quoit_queue_push(quoit_queue *queue, const void *data, size_t bytes,
                              int64_t timeout_ns)
{
    if (!queue || !data || bytes != queue->producer.item_bytes ||
        !quoit_spsc_push(&queue->producer, data, bytes))
        return quoit_queue_push_slow(queue, data, bytes, timeout_ns);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

struct target {
    void *buffer;
    size_t room;
    uint64_t bytes; /* the room; after the pop, the size of the item */
};

static quoit_status pop_once(quoit_queue *queue, void *context)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    struct target *target = context;
    target->bytes = target->room;
    quoit_status status = ring->ops->pop(&queue->consumer, ring, target->buffer, &target->bytes);
    if (status == QUOIT_OK)
        note_popped(queue, 1);
    return status;
}

static QUOIT_NOINLINE quoit_status pop_right(quoit_queue *queue, void *buffer, size_t room_bytes,
                                             size_t *bytes_out, int64_t timeout_ns)
{
    struct target target = {.buffer = buffer, .room = room_bytes};
    quoit_status status = quoit_queue_try(queue, QUOIT_CONSUMER, pop_once, &target, timeout_ns);
    if (bytes_out)
        *bytes_out = status == QUOIT_OK || status == QUOIT_ERROR_TOO_BIG ? (size_t)target.bytes : 0;
    return status;
}

static QUOIT_NOINLINE quoit_status pop_checked(quoit_queue *queue, void *buffer, size_t room_bytes,
                                               size_t *bytes_out, int64_t timeout_ns)
{
    uint64_t bytes = 0;
    quoit_status status = quoit_queue_check_handle(queue);
    if (status == QUOIT_OK)
        status = quoit_queue_check_pop(queue, buffer, room_bytes, &bytes);
    if (status == QUOIT_OK)
        return pop_right(queue, buffer, room_bytes, bytes_out, timeout_ns);
    if (bytes_out)
        *bytes_out = status == QUOIT_ERROR_TOO_BIG ? (size_t)bytes : 0;
    return status;
}

/* Most pops that reach this function are from an MPMC queue. */
quoit_status quoit_queue_pop_slow(quoit_queue *queue, void *buffer, size_t room_bytes,
                                  size_t *bytes_out, int64_t timeout_ns)
{
    if (!queue || !buffer || !is_right(queue, QUOIT_CONSUMER, room_bytes))
        return pop_checked(queue, buffer, room_bytes, bytes_out, timeout_ns);
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    if (!ring->ops->many_producers ||
        !quoit_mpmc_take(&queue->consumer.state->mpmc, ring, buffer, room_bytes))
        return pop_right(queue, buffer, room_bytes, bytes_out, timeout_ns);
    if (bytes_out)
        *bytes_out = room_bytes;
    note_popped_of_many(queue);
    return QUOIT_OK;
}

quoit_status quoit_queue_pop(quoit_queue *queue, void *buffer, size_t room_bytes, size_t *bytes_out,
                             int64_t timeout_ns)
{
    if (!queue || !buffer || room_bytes < queue->consumer.item_bytes ||
        !quoit_spsc_pop(&queue->consumer, buffer, queue->consumer.item_bytes))
        return quoit_queue_pop_slow(queue, buffer, room_bytes, bytes_out, timeout_ns);
    if (bytes_out)
        *bytes_out = (size_t)queue->consumer.item_bytes;
    quoit_queue_popped(queue);
    return QUOIT_OK;
}

/* ---- Many ------------------------------------------------------------------------------------ */

struct many {
    uint8_t *items; /* those that are not done yet */
    size_t count, done;
};

static quoit_status push_many_once(quoit_queue *queue, void *context)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    struct many *many = context;
    many->done = (size_t)ring->ops->push_many(&queue->producer, ring, many->items, many->count);
    if (many->done == 0)
        return ring->ops->poll_room(&queue->producer, ring);
    quoit_queue_pushed(queue);
    return QUOIT_OK;
}

static quoit_status pop_many_once(quoit_queue *queue, void *context)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    struct many *many = context;
    many->done = (size_t)ring->ops->pop_many(&queue->consumer, ring, many->items, many->count);
    if (many->done == 0)
        return ring->ops->poll_items(&queue->consumer, ring);
    quoit_member_note_high(quoit_queue_own_entry(queue), many->done);
    quoit_queue_note_popped(queue, many->done);
    return QUOIT_OK;
}

/* Checks a batch of count items, of which `done` are done already. */
static quoit_status check_many(const void *items, size_t count, size_t done)
{
    if (!items && count > 0)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "items is NULL, but count is %zu; pass an array of that many items",
                          count);
    if (done > count)
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "%zu items are done, but the batch has %zu; at most the whole batch can be done", done,
            count);
    return QUOIT_OK;
}

/* If room or items appear between a try and the check after it, tries again. */
static quoit_status move_many(quoit_queue *queue, uint32_t role, quoit_try *try_once,
                              struct many *many, int64_t timeout_ns)
{
    quoit_status status;
    do
        status = quoit_queue_try(queue, role, try_once, many, timeout_ns);
    while (status == QUOIT_OK && many->done == 0);
    return status;
}

/* Moves the rest of a batch, of which the first `done` items are done. */
static inline quoit_status move_rest(quoit_queue *queue, uint32_t role, quoit_try *try_once,
                                     void *items, size_t item_bytes, size_t count, size_t done,
                                     size_t *count_out, int64_t timeout_ns)
{
    if (!queue) {
        if (count_out)
            *count_out = 0;
        return quoit_queue_check_handle(queue);
    }
    quoit_status status = is_right(queue, role, item_bytes)
                              ? QUOIT_OK
                              : quoit_queue_check_items(queue, role, item_bytes);
    struct many many = {.count = count - done};
    if (status == QUOIT_OK)
        status = check_many(items, count, done);
    if (status == QUOIT_OK && many.count > 0) {
        many.items = (uint8_t *)items + done * item_bytes;
        if (done == 0) {
            status = move_many(queue, role, try_once, &many, timeout_ns);
        } else {
            (void)try_once(queue, &many);
            if (role == QUOIT_PRODUCER)
                quoit_queue_pushed(queue);
            else
                quoit_queue_note_popped(queue, done);
        }
    }
    if (count_out)
        *count_out = done + many.done;
    return status;
}

quoit_status quoit_queue_push_rest(quoit_queue *queue, const void *items, size_t item_bytes,
                                   size_t count, size_t pushed, size_t *count_out,
                                   int64_t timeout_ns)
{
    union {
        const void *read;
        void *pass;
    } all = {.read = items};
    return move_rest(queue, QUOIT_PRODUCER, push_many_once, all.pass, item_bytes, count, pushed,
                     count_out, timeout_ns);
}

quoit_status quoit_queue_pop_rest(quoit_queue *queue, void *items, size_t item_bytes, size_t count,
                                  size_t popped, size_t *count_out, int64_t timeout_ns)
{
    return move_rest(queue, QUOIT_CONSUMER, pop_many_once, items, item_bytes, count, popped,
                     count_out, timeout_ns);
}

quoit_status quoit_queue_push_many(quoit_queue *queue, const void *items, size_t item_bytes,
                                   size_t count, size_t *count_out, int64_t timeout_ns)
{
    return quoit_queue_push_rest(queue, items, item_bytes, count, 0, count_out, timeout_ns);
}

quoit_status quoit_queue_pop_many(quoit_queue *queue, void *items, size_t item_bytes, size_t count,
                                  size_t *count_out, int64_t timeout_ns)
{
    return quoit_queue_pop_rest(queue, items, item_bytes, count, 0, count_out, timeout_ns);
}
