/* SPDX-License-Identifier: MIT */
/*
 * The hot path of the single-producer single-consumer ring, inlined into callers. Not an API of its
 * own: include <quoit.h> and call its functions. The slow path is in src/ring; docs/ORDERING.md
 * explains why each memory order is enough.
 *
 * A slot shows itself whether it is filled. Its first word, the mark, is the item's own first eight
 * bytes, or the queue's `empty` word while there is no item. One store hands an item over, in the
 * cache line that carries it, and one store frees the slot. Neither side reads the other's counter.
 * An item whose first bytes equal `empty` takes the slow path (SPSC-P5).
 *
 * Before it writes a slot, each side stores in `tail` (or `head`) the highest position that it may
 * have reached. After a crash the successor reads both to find the slot in doubt.
 */
#ifndef QUOIT_SPSC_H
#define QUOIT_SPSC_H

#include <quoit/ring.h>

#include <string.h>

/* Bytes from one slot to the next. */
static inline uint64_t quoit_spsc_stride(uint64_t item_bytes)
{
    return (item_bytes + 7) & ~UINT64_C(7);
}

static inline quoit_atomic_u64 *quoit_spsc_word(uint8_t *at)
{
    return QUOIT_CAST(quoit_atomic_u64 *, QUOIT_CAST(void *, at));
}

/* The item's first eight bytes, with zeros after a shorter one. */
static inline uint64_t quoit_spsc_first(const uint8_t *item, uint64_t item_bytes)
{
    uint64_t word = 0;
    if (item_bytes >= 8) /* a size that compilers copy without a call */
        memcpy(&word, item, 8);
    else
        memcpy(&word, item, QUOIT_CAST(size_t, item_bytes));
    return word;
}

/* Items up to this size are copied word by word. A compiler then keeps them in registers, and does
   not load sixteen bytes that were just stored as eight and eight: processors wait for that. */
enum { QUOIT_SPSC_WORDS_BYTES = 64 };

/*
 * Does a producer need a fence between the load that finds a slot free and the stores into it? The
 * consumer does not need one, but observers do. An observer that copies any byte of the new item
 * must find, at its second check, that the old item was taken (docs/ORDERING.md, BROWSE-P1). C11
 * requires a fence for that. On these processors the acquire load is enough: their stores reach
 * all processors at once, or (32-bit ARM) an acquire load ends in a full barrier.
 */
#ifndef QUOIT_FENCES_FILLS
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86) ||   \
    defined(__aarch64__) || defined(_M_ARM64) || defined(__arm__) || defined(__riscv) || \
    defined(__s390__) || defined(__sparc__)
#define QUOIT_FENCES_FILLS 0
#else
#define QUOIT_FENCES_FILLS 1
#endif
#endif

static inline void quoit_ring_before_fill(void)
{
#if QUOIT_FENCES_FILLS
    /* BROWSE-P1: an observer that reads the new bytes also sees that the slot was free before.
       Pairs with BROWSE-S1. */
    atomic_thread_fence(memory_order_release);
#endif
}

/* Copies an item in, from byte `at` on, a multiple of 8. */
static inline void quoit_ring_copy_in(uint8_t *slot, const uint8_t *item, uint64_t at,
                                      uint64_t item_bytes)
{
    if (item_bytes <= QUOIT_SPSC_WORDS_BYTES)
        for (; at + 8 <= item_bytes; at += 8) {
            uint64_t word;
            memcpy(&word, item + at, 8);
            /* Relaxed: SPSC-P2 or MPMC-P4 orders it before the commit. */
            atomic_store_explicit(quoit_spsc_word(slot + at), word, memory_order_relaxed);
        }
    if (at < item_bytes)
        memcpy(slot + at, item + at, QUOIT_CAST(size_t, item_bytes - at));
}

/* Copies an item out, from byte `at` on, a multiple of 8. */
static inline void quoit_ring_copy_out(uint8_t *item_out, uint8_t *slot, uint64_t at,
                                       uint64_t item_bytes)
{
    if (item_bytes <= QUOIT_SPSC_WORDS_BYTES)
        for (; at + 8 <= item_bytes; at += 8) {
            /* Relaxed: SPSC-C1 or MPMC-C1 orders it after the commit. */
            uint64_t word = atomic_load_explicit(quoit_spsc_word(slot + at), memory_order_relaxed);
            memcpy(item_out + at, &word, 8);
        }
    if (at < item_bytes)
        memcpy(item_out + at, slot + at, QUOIT_CAST(size_t, item_bytes - at));
}

/* Copies an item out whose first word is known already. */
static inline void quoit_spsc_copy_out(uint8_t *item_out, uint64_t first, uint8_t *slot,
                                       uint64_t item_bytes)
{
    if (item_bytes >= 8)
        memcpy(item_out, &first, 8);
    else
        memcpy(item_out, &first, QUOIT_CAST(size_t, item_bytes));
    quoit_ring_copy_out(item_out, slot, 8, item_bytes);
}

/* Counts one more item that is pushed, or about to be. */
static inline void quoit_spsc_count_push(quoit_atomic_u64 *tail)
{
    /* Relaxed: only this side writes it. */
    uint64_t count = atomic_load_explicit(tail, memory_order_relaxed);
    /* Relaxed: SPSC-P2 and SPSC-P5 order it before the commit. */
    atomic_store_explicit(tail, count + 1, memory_order_relaxed);
}

/* Counts so many more items that are popped: they have been read. */
static inline void quoit_spsc_count_pop(quoit_atomic_u64 *head, uint64_t items)
{
    /* Relaxed: only this side writes it. */
    uint64_t count = atomic_load_explicit(head, memory_order_relaxed);
    /* SPSC-C3: the slots' bytes are read, but the slots are not freed yet. Pairs with SPSC-P3 and
       BROWSE-S1. */
    atomic_store_explicit(head, count + items, memory_order_release);
}

/* Pushes one item if its slot is free and the item does not begin with `empty`. false: nothing was
   done. */
static inline bool quoit_spsc_put(struct quoit_ring_producer *producer, const void *item,
                                  uint64_t item_bytes)
{
    uint8_t *slot = producer->next;
    const uint8_t *bytes = QUOIT_CAST(const uint8_t *, item);
    uint64_t first = quoit_spsc_first(bytes, item_bytes);

    /* SPSC-P1: if the mark is empty, the producer may fill the slot. Pairs with SPSC-C2. */
    if (atomic_load_explicit(quoit_spsc_word(slot), memory_order_acquire) != producer->empty ||
        first == producer->empty)
        return false;
    quoit_ring_before_fill();
    quoit_spsc_count_push(producer->tail);
    quoit_ring_copy_in(slot, bytes, 8, item_bytes);
    /* SPSC-P2: the commit; publishes the slot's bytes. Pairs with SPSC-C1. */
    atomic_store_explicit(quoit_spsc_word(slot), first, memory_order_release);
    slot += quoit_spsc_stride(item_bytes);
    producer->next = slot == producer->end ? producer->begin : slot;
    return true;
}

/* Pops one item if its slot shows one; false: nothing was done. */
static inline bool quoit_spsc_take(struct quoit_ring_consumer *consumer, void *item_out,
                                   uint64_t item_bytes)
{
    uint8_t *slot = consumer->next;
    uint64_t empty = consumer->empty;
    /* SPSC-C1: if this returns a mark, the consumer may read the slot. Pairs with SPSC-P2. */
    uint64_t first = atomic_load_explicit(quoit_spsc_word(slot), memory_order_acquire);

    if (first == empty)
        return false;
    quoit_spsc_copy_out(QUOIT_CAST(uint8_t *, item_out), first, slot, item_bytes);
    quoit_spsc_count_pop(consumer->head, 1);
    /* SPSC-C2: the slot may be filled again. Pairs with SPSC-P1. */
    atomic_store_explicit(quoit_spsc_word(slot), empty, memory_order_release);
    slot += quoit_spsc_stride(item_bytes);
    consumer->next = slot == consumer->end ? consumer->begin : slot;
    return true;
}

/*
 * ---- Runs: several items in slots, popped at once -----------------------------------------------
 *
 * A consumer that pops a batch counts a run of items once, and then frees their slots. After a
 * crash the slots that were counted but not freed are the last ones of the run. A successor finds
 * them by checking at most QUOIT_SPSC_RUN_MOST slots. A producer has no runs: it is faster if each
 * item is committed as soon as it is copied.
 */
enum { QUOIT_SPSC_RUN_MOST = 32 };

/* Pops the first of count items as one run, as many as there are; returns how many. */
static inline uint64_t quoit_spsc_take_run(struct quoit_ring_consumer *consumer, uint8_t *items_out,
                                           uint64_t count, uint64_t item_bytes)
{
    const uint64_t stride = quoit_spsc_stride(item_bytes), empty = consumer->empty;
    uint8_t *const begin = consumer->next, *slot = begin;
    const uint8_t *const end = consumer->end;
    uint64_t taken = 0;

    while (taken < count && taken < QUOIT_SPSC_RUN_MOST && slot != end) {
        /* SPSC-C1: if this returns a mark, the consumer may read the slot. Pairs with SPSC-P2. */
        uint64_t first = atomic_load_explicit(quoit_spsc_word(slot), memory_order_acquire);
        if (first == empty)
            break;
        quoit_spsc_copy_out(items_out + taken * item_bytes, first, slot, item_bytes);
        slot += stride;
        taken++;
    }
    if (taken == 0)
        return 0; /* also if the fast path is disabled: there is no run at that address */
    quoit_spsc_count_pop(consumer->head, taken);
    for (uint8_t *at = begin; at != slot; at += stride)
        /* SPSC-C2: the slot may be filled again. Pairs with SPSC-P1. */
        atomic_store_explicit(quoit_spsc_word(at), empty, memory_order_release);
    consumer->next = slot == end ? consumer->begin : slot;
    return taken;
}

/*
 * ---- Spans: batches that need no counter of the other side, and stay before the ring's end ------
 *
 * A limit comes from a counter that another process writes. So it bounds only how many items there
 * are; the ring's end bounds where bytes are written. Each function reads the side's slot once, so
 * that the slot that it checks is the one that it uses.
 */

/* Bytes from here to the ring's end. */
static inline uint64_t quoit_spsc_to_end(const uint8_t *slot, const uint8_t *end)
{
    return QUOIT_CAST(uint64_t, end - slot);
}

/* Publishes the items in the next count slots; count is at most the capacity. */
static inline void quoit_spsc_publish(struct quoit_ring_producer *producer, uint64_t count,
                                      uint64_t bytes)
{
    uint8_t *slot = producer->slot;
    uint64_t to_end = quoit_spsc_to_end(slot, producer->end);
    producer->slot = bytes < to_end ? slot + bytes : producer->begin + (bytes - to_end);
    producer->position += count;
    /* SPAN-P1: publishes all these slots' bytes at once. Pairs with SPAN-C1 and RING-S1. */
    atomic_store_explicit(producer->tail, producer->position, memory_order_release);
}

/* A larger ring leaves the caches before it wraps around: owning its cache lines then costs time
   and gains nothing. */
enum { QUOIT_SPSC_LARGEST_TAKEN = 1024 * 1024 };

/*
 * Writes a byte in each cache line of a span back as it is. This processor then owns the lines, and
 * the producer gets each one by one transfer. Otherwise it would have to ask two caches for a line
 * that both have read. A gain of up to 2 times (docs/PERFORMANCE.md).
 */
static inline void quoit_spsc_own_cache_lines(uint8_t *bytes, uint64_t count)
{
    const uint64_t line = 64;
    for (uint64_t at = (line - QUOIT_ADDRESS(bytes) % line) % line; at < count; at += line) {
        quoit_atomic_u8 *byte = QUOIT_CAST(quoit_atomic_u8 *, QUOIT_CAST(void *, bytes + at));
        /* Relaxed: the slot belongs to this side until SPAN-C2; browsers only read it. */
        uint8_t value = atomic_load_explicit(byte, memory_order_relaxed);
        /* Relaxed: SPAN-C2, which follows, orders it; a browser reads the same value. */
        atomic_store_explicit(byte, value, memory_order_relaxed);
    }
}

/* Frees the next count slots; count is at most the capacity. */
static inline void quoit_spsc_release(struct quoit_ring_consumer *consumer, uint64_t count,
                                      uint64_t bytes)
{
    uint8_t *slot = consumer->slot;
    uint64_t to_end = quoit_spsc_to_end(slot, consumer->end);
    uint64_t first = bytes < to_end ? bytes : to_end;
    if (consumer->end - consumer->begin <= QUOIT_SPSC_LARGEST_TAKEN) {
        quoit_spsc_own_cache_lines(slot, first);
        quoit_spsc_own_cache_lines(consumer->begin, bytes - first);
    }
    consumer->slot = bytes < to_end ? slot + bytes : consumer->begin + (bytes - to_end);
    consumer->position += count;
    /* SPAN-C2: the slots' bytes are read, they may be filled again. Pairs with SPSC-P3, BYTES-S1
       and BROWSE-S1. */
    atomic_store_explicit(consumer->head, consumer->position, memory_order_release);
}

/* Pushes count items as one span. false: nothing was done. Always false for slots, whose limit
   equals their position. */
static inline bool quoit_spsc_put_span(struct quoit_ring_producer *producer, const void *items,
                                       uint64_t count, uint64_t item_bytes)
{
    uint8_t *slot = producer->slot;
    uint64_t bytes = count * item_bytes; /* at most the ring's, if count is within the limit */
    if (count > producer->limit - producer->position || item_bytes != producer->item_bytes ||
        bytes > quoit_spsc_to_end(slot, producer->end))
        return false;
    memcpy(slot, items, QUOIT_CAST(size_t, bytes));
    quoit_spsc_publish(producer, count, bytes);
    return true;
}

static inline bool quoit_spsc_take_span(struct quoit_ring_consumer *consumer, void *items_out,
                                        uint64_t count, uint64_t item_bytes)
{
    const uint8_t *slot = consumer->slot;
    uint64_t bytes = count * item_bytes;
    if (count > consumer->limit - consumer->position || item_bytes != consumer->item_bytes ||
        bytes > quoit_spsc_to_end(slot, consumer->end))
        return false;
    memcpy(items_out, slot, QUOIT_CAST(size_t, bytes));
    quoit_spsc_release(consumer, count, bytes);
    return true;
}

/* ---- Either: if the compiler knows the size, it keeps one of the two branches ---------------- */

/* Larger items are always in spans, which are then faster both one item per call and batched
   (docs/PERFORMANCE.md). */
enum { QUOIT_SPSC_LARGEST_IN_SLOTS = 24 };

/* Pushes one item. false: nothing was done. */
static inline bool quoit_spsc_push(struct quoit_ring_producer *producer, const void *item,
                                   uint64_t item_bytes)
{
    return item_bytes <= QUOIT_SPSC_LARGEST_IN_SLOTS
               ? quoit_spsc_put(producer, item, item_bytes)
               : quoit_spsc_put_span(producer, item, 1, item_bytes);
}

static inline bool quoit_spsc_pop(struct quoit_ring_consumer *consumer, void *item_out,
                                  uint64_t item_bytes)
{
    return item_bytes <= QUOIT_SPSC_LARGEST_IN_SLOTS
               ? quoit_spsc_take(consumer, item_out, item_bytes)
               : quoit_spsc_take_span(consumer, item_out, 1, item_bytes);
}

/* Pushes as many of count items as the fast path can; returns how many. */
static inline uint64_t quoit_spsc_push_some(struct quoit_ring_producer *producer, const void *items,
                                            uint64_t count, uint64_t item_bytes)
{
    const uint8_t *item = QUOIT_CAST(const uint8_t *, items);
    uint64_t pushed = 0;
    if (item_bytes > QUOIT_SPSC_LARGEST_IN_SLOTS)
        return count > 0 && quoit_spsc_put_span(producer, items, count, item_bytes) ? count : 0;
    while (pushed < count && quoit_spsc_put(producer, item, item_bytes)) {
        pushed++;
        item += item_bytes;
    }
    return pushed;
}

static inline uint64_t quoit_spsc_pop_some(struct quoit_ring_consumer *consumer, void *items_out,
                                           uint64_t count, uint64_t item_bytes)
{
    uint8_t *item = QUOIT_CAST(uint8_t *, items_out);
    uint64_t popped = 0, run = 1;
    if (item_bytes > QUOIT_SPSC_LARGEST_IN_SLOTS)
        return count > 0 && quoit_spsc_take_span(consumer, items_out, count, item_bytes) ? count
                                                                                         : 0;
    while (run > 0 && popped < count) {
        run = quoit_spsc_take_run(consumer, item + popped * item_bytes, count - popped, item_bytes);
        popped += run;
    }
    return popped;
}

#endif
