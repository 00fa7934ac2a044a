/* SPDX-License-Identifier: MIT */
/*
 * The end of <quoit.h>, which includes it: what compilers need and people do not, but for
 * QUOIT_DEFINE_QUEUE, which is at its end.
 */
#ifndef QUOIT_TYPED_H
#define QUOIT_TYPED_H

#include <quoit.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes with all below: a program compiled against another one gets QUOIT_ERROR_FORMAT at open.
   */
#define QUOIT_ABI 6u

QUOIT_ASSERT_ENUM(enum quoit_kind);
QUOIT_ASSERT_ENUM(enum quoit_tuning);
QUOIT_ASSERT_ENUM(enum quoit_broadcast);
QUOIT_ASSERT_ENUM(enum quoit_role);
QUOIT_ASSERT_ENUM(enum quoit_region_flags);
QUOIT_STATIC_ASSERT(sizeof(struct quoit_queue_options) % sizeof(uint32_t) == 0,
                    "Quoit: include <quoit.h> without -fpack-struct or '#pragma pack' in effect");

struct quoit_queue {
    struct quoit_ring_producer producer; /* each side's state on lines of its own */
    uint8_t pad1[320 - sizeof(struct quoit_ring_producer)];
    struct quoit_ring_consumer consumer;
    uint8_t pad2[320 - sizeof(struct quoit_ring_consumer)];
    struct quoit_queue_handle *handle;
};

quoit_status quoit_queue_create_abi(uint32_t abi, const char *name,
                                    const struct quoit_queue_options *options, unsigned roles,
                                    quoit_queue **queue_out);
quoit_status quoit_queue_open_abi(uint32_t abi, const char *name, unsigned roles,
                                  quoit_queue **queue_out);
quoit_status quoit_queue_join_abi(uint32_t abi, const char *name,
                                  const struct quoit_queue_options *options, unsigned roles,
                                  quoit_queue **queue_out);
/* Variadic, so that a compound literal's commas may stand in a call. */
#define quoit_queue_create(...) quoit_queue_create_abi(QUOIT_ABI, __VA_ARGS__)
#define quoit_queue_open(...)   quoit_queue_open_abi(QUOIT_ABI, __VA_ARGS__)
#define quoit_queue_join(...)   quoit_queue_join_abi(QUOIT_ABI, __VA_ARGS__)

/* What the inlined paths cannot do: whatever a push or a pop can come to. */
quoit_status quoit_queue_push_slow(quoit_queue *queue, const void *item, uint64_t item_bytes);
quoit_status quoit_queue_pop_slow(quoit_queue *queue, void *item_out, uint64_t item_bytes);
quoit_status quoit_queue_push_wait_slow(quoit_queue *queue, const void *item, uint64_t item_bytes,
                                        int64_t timeout_ns);
quoit_status quoit_queue_pop_wait_slow(quoit_queue *queue, void *item_out, uint64_t item_bytes,
                                       int64_t timeout_ns);
/* The rest of a batch of count, of which so many are done; returns how many are then. */
uint64_t quoit_queue_push_rest(quoit_queue *queue, const void *items, uint64_t count,
                               uint64_t pushed, uint64_t item_bytes);
uint64_t quoit_queue_pop_rest(quoit_queue *queue, void *items_out, uint64_t count, uint64_t popped,
                              uint64_t item_bytes);
/* Wakes the side of that role, if it sleeps. */
void quoit_queue_wake(quoit_queue *queue, unsigned role);

/* After a push: the consumer may sleep. */
static inline void quoit_queue_pushed(quoit_queue *queue)
{
    /* Relaxed: WAIT-S1's barrier orders it after the push. */
    if (atomic_load_explicit(queue->producer.waits, memory_order_relaxed) != 0)
        quoit_queue_wake(queue, QUOIT_CONSUMER);
}

/* After a pop: the producer may sleep. */
static inline void quoit_queue_popped(quoit_queue *queue)
{
    /* Relaxed: WAIT-S1's barrier orders it after the pop. */
    if (atomic_load_explicit(queue->consumer.waits, memory_order_relaxed) != 0)
        quoit_queue_wake(queue, QUOIT_PRODUCER);
}

#ifdef __cplusplus
}
#endif

/* Words of an item's copy on the stack. Larger items are not copied: their slow paths get the
   caller's own. */
#define QUOIT_IS_COPIED(type)  (sizeof(type) <= QUOIT_SPSC_LARGEST_IN_SLOTS)
#define QUOIT_COPY_WORDS(type) (QUOIT_IS_COPIED(type) ? (sizeof(type) + 7) / 8 : 1)
#define QUOIT_COPY_BYTES(type) (QUOIT_IS_COPIED(type) ? sizeof(type) : 0)

/*
 * Typed, inlined forms for one item type: QUOIT_DEFINE_QUEUE(product, struct product), without a
 * semicolon, defines
 *     quoit_status product_push(quoit_queue *, const struct product *);
 *     quoit_status product_pop(quoit_queue *, struct product *item_out);
 *     quoit_status product_push_wait(quoit_queue *, const struct product *, int64_t timeout_ns);
 *     quoit_status product_pop_wait(quoit_queue *, struct product *item_out, int64_t timeout_ns);
 *     uint64_t product_push_many(quoit_queue *, const struct product *, uint64_t count);
 *     uint64_t product_pop_many(quoit_queue *, struct product *items_out, uint64_t count);
 * Each returns what its untyped form does, and INVALID (0 for many) on a queue of another item
 * size. Use one type with a handle: the size is looked at when a handle's first item is
 * pushed or popped, not at each.
 * (The slow paths of items of up to 256 bytes have a copy of the item, so that yours may stay in
 * registers. Larger items are never copied to the stack.)
 */
/* clang-format off */
#define QUOIT_DEFINE_QUEUE(name, type) \
    _Pragma("GCC diagnostic push") \
    _Pragma("GCC diagnostic ignored \"-Wunused-function\"") \
    static inline quoit_status name##_push(quoit_queue *quoit_q, const type *quoit_in) \
    { \
        if (quoit_spsc_push(&quoit_q->producer, quoit_in, sizeof(type))) { \
            quoit_queue_pushed(quoit_q); \
            return QUOIT_OK; \
        } \
        if (!QUOIT_IS_COPIED(type)) \
            return quoit_queue_push_slow(quoit_q, quoit_in, sizeof(type)); \
        uint64_t quoit_copy[QUOIT_COPY_WORDS(type)]; \
        memcpy(quoit_copy, quoit_in, QUOIT_COPY_BYTES(type)); \
        return quoit_queue_push_slow(quoit_q, quoit_copy, sizeof(type)); \
    } \
    static inline quoit_status name##_pop(quoit_queue *quoit_q, type *quoit_out) \
    { \
        if (quoit_spsc_pop(&quoit_q->consumer, quoit_out, sizeof(type))) { \
            quoit_queue_popped(quoit_q); \
            return QUOIT_OK; \
        } \
        if (!QUOIT_IS_COPIED(type)) \
            return quoit_queue_pop_slow(quoit_q, quoit_out, sizeof(type)); \
        uint64_t quoit_copy[QUOIT_COPY_WORDS(type)]; \
        quoit_status quoit_s = quoit_queue_pop_slow(quoit_q, quoit_copy, sizeof(type)); \
        if (quoit_s == QUOIT_OK) \
            memcpy(quoit_out, quoit_copy, QUOIT_COPY_BYTES(type)); \
        return quoit_s; \
    } \
    static inline quoit_status name##_push_wait(quoit_queue *quoit_q, const type *quoit_in, \
                                                int64_t quoit_timeout_ns) \
    { \
        quoit_status quoit_s = name##_push(quoit_q, quoit_in); \
        if (quoit_s != QUOIT_FULL) \
            return quoit_s; \
        if (!QUOIT_IS_COPIED(type)) \
            return quoit_queue_push_wait_slow(quoit_q, quoit_in, sizeof(type), quoit_timeout_ns); \
        uint64_t quoit_copy[QUOIT_COPY_WORDS(type)]; \
        memcpy(quoit_copy, quoit_in, QUOIT_COPY_BYTES(type)); \
        return quoit_queue_push_wait_slow(quoit_q, quoit_copy, sizeof(type), quoit_timeout_ns); \
    } \
    static inline quoit_status name##_pop_wait(quoit_queue *quoit_q, type *quoit_out, \
                                               int64_t quoit_timeout_ns) \
    { \
        quoit_status quoit_s = name##_pop(quoit_q, quoit_out); \
        if (quoit_s != QUOIT_EMPTY) \
            return quoit_s; \
        if (!QUOIT_IS_COPIED(type)) \
            return quoit_queue_pop_wait_slow(quoit_q, quoit_out, sizeof(type), quoit_timeout_ns); \
        uint64_t quoit_copy[QUOIT_COPY_WORDS(type)]; \
        quoit_s = quoit_queue_pop_wait_slow(quoit_q, quoit_copy, sizeof(type), quoit_timeout_ns); \
        if (quoit_s == QUOIT_OK) \
            memcpy(quoit_out, quoit_copy, QUOIT_COPY_BYTES(type)); \
        return quoit_s; \
    } \
    static inline uint64_t name##_push_many(quoit_queue *quoit_q, const type *quoit_in, \
                                            uint64_t quoit_n) \
    { \
        uint64_t quoit_done = \
            quoit_spsc_push_some(&quoit_q->producer, quoit_in, quoit_n, sizeof(type)); \
        if (quoit_done < quoit_n || quoit_n == 0) \
            return quoit_queue_push_rest(quoit_q, quoit_in, quoit_n, quoit_done, sizeof(type)); \
        quoit_queue_pushed(quoit_q); \
        return quoit_n; \
    } \
    static inline uint64_t name##_pop_many(quoit_queue *quoit_q, type *quoit_out, \
                                           uint64_t quoit_n) \
    { \
        uint64_t quoit_done = \
            quoit_spsc_pop_some(&quoit_q->consumer, quoit_out, quoit_n, sizeof(type)); \
        if (quoit_done < quoit_n || quoit_n == 0) \
            return quoit_queue_pop_rest(quoit_q, quoit_out, quoit_n, quoit_done, sizeof(type)); \
        quoit_queue_popped(quoit_q); \
        return quoit_n; \
    } \
    _Pragma("GCC diagnostic pop")
/* clang-format on */

#endif
