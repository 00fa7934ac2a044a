/* SPDX-License-Identifier: MIT */
/* Typed, inlined calls: QUOIT_DEFINE_QUEUE, at the end, and what these calls need. */
#ifndef QUOIT_TYPED_H
#define QUOIT_TYPED_H

#include <quoit.h>
#include <quoit/spsc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The number of the inlined layout below. The library checks it when a typed handle is made. */
#define QUOIT_INLINE_LAYOUT 2u

struct quoit_queue {
    struct quoit_ring_producer producer; /* each side on two cache lines of its own */
    uint8_t pad1[128 - sizeof(struct quoit_ring_producer)];
    struct quoit_ring_consumer consumer;
    uint8_t pad2[128 - sizeof(struct quoit_ring_consumer)];
    struct quoit_queue_handle *handle;
};

/* Checks whether the inlined calls below can use this handle for items of that size, alignment and
   type. Returns OK, DIFFERENT, INVALID or FORKED. */
quoit_status quoit_queue_check_typed(const quoit_queue *queue, uint32_t inline_layout,
                                     size_t item_bytes, size_t item_align, const char *type);

/* quoit_queue_push and quoit_queue_pop without their inlined paths. */
quoit_status quoit_queue_push_slow(quoit_queue *queue, const void *data, size_t bytes,
                                   int64_t timeout_ns);
quoit_status quoit_queue_pop_slow(quoit_queue *queue, void *buffer, size_t room_bytes,
                                  size_t *bytes_out, int64_t timeout_ns);
/* Push or pop the rest of a batch of count items; the first `pushed` or `popped` are done. */
quoit_status quoit_queue_push_rest(quoit_queue *queue, const void *items, size_t item_bytes,
                                   size_t count, size_t pushed, size_t *count_out,
                                   int64_t timeout_ns);
quoit_status quoit_queue_pop_rest(quoit_queue *queue, void *items, size_t item_bytes, size_t count,
                                  size_t popped, size_t *count_out, int64_t timeout_ns);
/* Wakes the side of that role if it is blocked in a wait. */
void quoit_queue_wake(quoit_queue *queue, uint32_t role);

/* After a push: the consumer may be blocked in a wait. */
static inline void quoit_queue_pushed(quoit_queue *queue)
{
    /* The load below comes after the push in this thread's program, where an imposed barrier
       (WAIT-S3) takes effect; without this, a compiler may move it before the push. */
    atomic_signal_fence(memory_order_seq_cst);
    /* Relaxed: WAIT-S3's imposed barrier orders it after the push. */
    if (atomic_load_explicit(queue->producer.wake_needed, memory_order_relaxed) != 0)
        quoit_queue_wake(queue, QUOIT_CONSUMER);
}

/* After a pop: the producer may be blocked in a wait. */
static inline void quoit_queue_popped(quoit_queue *queue)
{
    /* Keeps the load below after the pop, as in quoit_queue_pushed. */
    atomic_signal_fence(memory_order_seq_cst);
    /* Relaxed: WAIT-S3's imposed barrier orders it after the pop. */
    if (atomic_load_explicit(queue->consumer.wake_needed, memory_order_relaxed) != 0)
        quoit_queue_wake(queue, QUOIT_PRODUCER);
}

#ifdef __cplusplus
}
#endif

/* C++ warns of a NULL that is a number, and spells _Alignof differently. */
#ifdef __cplusplus
#define QUOIT_NULL           nullptr
#define QUOIT_ALIGN_OF(type) alignof(type)
#else
#define QUOIT_NULL           NULL
#define QUOIT_ALIGN_OF(type) _Alignof(type)
#endif

/* A program need not call every function that QUOIT_DEFINE_QUEUE defines. */
#if defined(__GNUC__) || defined(__clang__) /* clang is no GNUC where it stands in for MSVC */
#define QUOIT_BEGIN_UNUSED \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wunused-function\"")
#define QUOIT_END_UNUSED _Pragma("GCC diagnostic pop")
#else
#define QUOIT_BEGIN_UNUSED
#define QUOIT_END_UNUSED
#endif

/* Items of up to 24 bytes are copied to the stack for the slow path, so that the caller's item can
   stay in registers. Larger ones are not copied. */
static inline bool quoit_is_copied(size_t item_bytes) /* cl warns of a condition of constants */
{
    return item_bytes <= QUOIT_SPSC_LARGEST_IN_SLOTS;
}
#define QUOIT_COPY_BYTES(type) \
    (sizeof(type) * QUOIT_CAST(size_t, sizeof(type) <= QUOIT_SPSC_LARGEST_IN_SLOTS))
#define QUOIT_COPY_WORDS(type) ((QUOIT_COPY_BYTES(type) + 7) / 8 + (QUOIT_COPY_BYTES(type) == 0))

/*
 * Typed, inlined calls for one item type. QUOIT_DEFINE_QUEUE(reading, struct reading); defines a
 * handle type and its calls:
 *     struct reading_queue { quoit_queue *queue; }   a typed handle, passed by value. Its queue's
 *                                                    items have been checked: their size, alignment
 *                                                    and type
 *     reading_options(capacity)                      options for quoit_queue_create and _join
 *     reading_join(name, capacity, flags, &queue)    an SPSC queue, created if it does not exist
 *     reading_open(name, flags, &queue)              a queue that exists, of any kind
 *     reading_from(quoit_queue *, &queue)            from a handle that you have. DIFFERENT if the
 *                                                    queue's items have another size, alignment or
 *                                                    type. The handle stays yours to close
 *     reading_push(queue, &item, timeout_ns)         as quoit_queue_push, and so on
 *     reading_pop(queue, &item, timeout_ns)
 *     reading_push_many(queue, items, count, &done, timeout_ns)
 *     reading_pop_many(queue, items, count, &done, timeout_ns)
 *     reading_claim(queue, &item, timeout_ns), reading_commit(queue)
 *     reading_peek(queue, &item, timeout_ns), reading_release(queue)
 *     reading_latest(queue, &item)                   of a broadcast
 * All other calls take queue.queue; quoit_queue_close(queue.queue) closes it. If join, open or from
 * fails, queue.queue is NULL, and typed calls return INVALID (quoit.h, NULL). The first argument of
 * the macro is also options.type, at most 31 bytes.
 */
/* clang-format off */
#define QUOIT_DEFINE_QUEUE(name, type_) \
    struct name##_queue { \
        quoit_queue *queue; \
    }; \
    QUOIT_BEGIN_UNUSED \
    static inline struct quoit_queue_options name##_options(uint64_t quoit_capacity) \
    { \
        QUOIT_STATIC_ASSERT(sizeof #name <= 32, "Quoit: the type's name has at most 31 bytes"); \
        struct quoit_queue_options quoit_o; \
        memset(&quoit_o, 0, sizeof quoit_o); \
        quoit_o.capacity = quoit_capacity; \
        quoit_o.item_bytes = sizeof(type_); \
        quoit_o.item_align = QUOIT_ALIGN_OF(type_); \
        memcpy(quoit_o.type, #name, sizeof #name); \
        return quoit_o; \
    } \
    static inline quoit_status name##_from(quoit_queue *quoit_q, struct name##_queue *quoit_out) \
    { \
        quoit_status quoit_s = \
            quoit_queue_check_typed(quoit_out ? quoit_q : QUOIT_NULL, QUOIT_INLINE_LAYOUT, \
                                    sizeof(type_), QUOIT_ALIGN_OF(type_), #name); \
        if (quoit_out) \
            quoit_out->queue = quoit_s == QUOIT_OK ? quoit_q : QUOIT_NULL; \
        return quoit_s; \
    } \
    static inline quoit_status name##_join(const char *quoit_name, uint64_t quoit_capacity, \
                                           uint32_t quoit_flags, struct name##_queue *quoit_out) \
    { \
        struct quoit_queue_options quoit_o = name##_options(quoit_capacity); \
        quoit_queue *quoit_q = QUOIT_NULL; \
        quoit_status quoit_s = quoit_queue_join(quoit_name, &quoit_o, quoit_flags, \
                                                quoit_out ? &quoit_q : QUOIT_NULL); \
        if (quoit_out) \
            quoit_out->queue = QUOIT_NULL; \
        if (quoit_s == QUOIT_OK) \
            quoit_s = name##_from(quoit_q, quoit_out); \
        if (quoit_s != QUOIT_OK) \
            quoit_queue_close(quoit_q); \
        return quoit_s; \
    } \
    static inline quoit_status name##_open(const char *quoit_name, uint32_t quoit_flags, \
                                           struct name##_queue *quoit_out) \
    { \
        quoit_queue *quoit_q = QUOIT_NULL; \
        quoit_status quoit_s = quoit_queue_open(quoit_name, quoit_flags, \
                                                quoit_out ? &quoit_q : QUOIT_NULL); \
        if (quoit_out) \
            quoit_out->queue = QUOIT_NULL; \
        if (quoit_s == QUOIT_OK) \
            quoit_s = name##_from(quoit_q, quoit_out); \
        if (quoit_s != QUOIT_OK) \
            quoit_queue_close(quoit_q); \
        return quoit_s; \
    } \
    static inline quoit_status name##_push(struct name##_queue quoit_q, const type_ *quoit_in, \
                                           int64_t quoit_timeout_ns) \
    { \
        if (quoit_q.queue && quoit_in && \
            quoit_spsc_push(&quoit_q.queue->producer, quoit_in, sizeof(type_))) { \
            quoit_queue_pushed(quoit_q.queue); \
            return QUOIT_OK; \
        } \
        if (!quoit_is_copied(sizeof(type_)) || !quoit_in) \
            return quoit_queue_push_slow(quoit_q.queue, quoit_in, sizeof(type_), \
                                         quoit_timeout_ns); \
        uint64_t quoit_copy[QUOIT_COPY_WORDS(type_)]; \
        memcpy(quoit_copy, quoit_in, QUOIT_COPY_BYTES(type_)); \
        return quoit_queue_push_slow(quoit_q.queue, quoit_copy, sizeof(type_), quoit_timeout_ns); \
    } \
    static inline quoit_status name##_pop(struct name##_queue quoit_q, type_ *quoit_out, \
                                          int64_t quoit_timeout_ns) \
    { \
        if (quoit_q.queue && quoit_out && \
            quoit_spsc_pop(&quoit_q.queue->consumer, quoit_out, sizeof(type_))) { \
            quoit_queue_popped(quoit_q.queue); \
            return QUOIT_OK; \
        } \
        if (!quoit_is_copied(sizeof(type_)) || !quoit_out) \
            return quoit_queue_pop_slow(quoit_q.queue, quoit_out, sizeof(type_), QUOIT_NULL, \
                                        quoit_timeout_ns); \
        uint64_t quoit_copy[QUOIT_COPY_WORDS(type_)]; \
        quoit_status quoit_s = quoit_queue_pop_slow(quoit_q.queue, quoit_copy, sizeof(type_), \
                                                    QUOIT_NULL, quoit_timeout_ns); \
        if (quoit_s == QUOIT_OK) \
            memcpy(quoit_out, quoit_copy, QUOIT_COPY_BYTES(type_)); \
        return quoit_s; \
    } \
    static inline quoit_status name##_push_many(struct name##_queue quoit_q, \
                                                const type_ *quoit_in, size_t quoit_n, \
                                                size_t *quoit_done, int64_t quoit_timeout_ns) \
    { \
        size_t quoit_some = \
            quoit_q.queue && quoit_in \
                ? QUOIT_CAST(size_t, quoit_spsc_push_some(&quoit_q.queue->producer, quoit_in, \
                                                          quoit_n, sizeof(type_))) \
                : 0; \
        if (quoit_some < quoit_n || quoit_n == 0) \
            return quoit_queue_push_rest(quoit_q.queue, quoit_in, sizeof(type_), quoit_n, \
                                         quoit_some, quoit_done, quoit_timeout_ns); \
        quoit_queue_pushed(quoit_q.queue); \
        if (quoit_done) \
            *quoit_done = quoit_n; \
        return QUOIT_OK; \
    } \
    static inline quoit_status name##_pop_many(struct name##_queue quoit_q, type_ *quoit_out, \
                                               size_t quoit_n, size_t *quoit_done, \
                                               int64_t quoit_timeout_ns) \
    { \
        size_t quoit_some = \
            quoit_q.queue && quoit_out \
                ? QUOIT_CAST(size_t, quoit_spsc_pop_some(&quoit_q.queue->consumer, quoit_out, \
                                                         quoit_n, sizeof(type_))) \
                : 0; \
        if (quoit_some < quoit_n || quoit_n == 0) \
            return quoit_queue_pop_rest(quoit_q.queue, quoit_out, sizeof(type_), quoit_n, \
                                        quoit_some, quoit_done, quoit_timeout_ns); \
        quoit_queue_popped(quoit_q.queue); \
        if (quoit_done) \
            *quoit_done = quoit_n; \
        return QUOIT_OK; \
    } \
    static inline quoit_status name##_claim(struct name##_queue quoit_q, type_ **quoit_room, \
                                            int64_t quoit_timeout_ns) \
    { \
        void *quoit_at = QUOIT_NULL; \
        quoit_status quoit_s = \
            quoit_queue_claim(quoit_q.queue, sizeof(type_), quoit_room ? &quoit_at : QUOIT_NULL, \
                              quoit_timeout_ns); \
        if (quoit_room) \
            *quoit_room = QUOIT_CAST(type_ *, quoit_at); \
        return quoit_s; \
    } \
    static inline quoit_status name##_commit(struct name##_queue quoit_q) \
    { \
        return quoit_queue_commit(quoit_q.queue, sizeof(type_)); \
    } \
    static inline quoit_status name##_peek(struct name##_queue quoit_q, const type_ **quoit_item, \
                                           int64_t quoit_timeout_ns) \
    { \
        const void *quoit_at = QUOIT_NULL; \
        quoit_status quoit_s = \
            quoit_queue_peek(quoit_q.queue, quoit_item ? &quoit_at : QUOIT_NULL, QUOIT_NULL, \
                             quoit_timeout_ns); \
        if (quoit_item) \
            *quoit_item = QUOIT_CAST(const type_ *, quoit_at); \
        return quoit_s; \
    } \
    static inline quoit_status name##_release(struct name##_queue quoit_q) \
    { \
        return quoit_queue_release(quoit_q.queue); \
    } \
    static inline quoit_status name##_latest(struct name##_queue quoit_q, type_ *quoit_out) \
    { \
        return quoit_queue_latest(quoit_q.queue, quoit_out, sizeof(type_), QUOIT_NULL); \
    } \
    QUOIT_END_UNUSED \
    struct name##_queue
/* clang-format on */

#endif
