/* SPDX-License-Identifier: MIT */
/*
 * For genmc_*.c, which GenMC takes through all executions that C11 allows (check_genmc.py). GenMC
 * does not support memcpy of words that threads share. So memcpy copies relaxed atomic words here:
 * copying words that are being overwritten is then no race, and C11 defines the possible values.
 */
#ifndef GENMC_H
#define GENMC_H

#ifndef QUOIT_FENCES_FILLS
#define QUOIT_FENCES_FILLS 1 /* as on a processor whose properties are unknown */
#endif

#include <assert.h>
#include <pthread.h>
#include <quoit/ring.h>
#include <stdlib.h>
#include <string.h>

static inline void copy_words(void *to, const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 8)
        atomic_store_explicit(
            (quoit_atomic_u64 *)((char *)to + at),
            atomic_load_explicit((quoit_atomic_u64 *)((char *)from + at), memory_order_relaxed),
            memory_order_relaxed);
}

#undef memcpy
#define memcpy copy_words

/* quoit_relax executes an instruction that GenMC does not know. */
#define QUOIT_BASE_RELAX_H
static inline void quoit_relax(void)
{
}

#include "ring_ops.h"

enum { CAPACITY = 1, WORDS = 2, MEMBERS = 2 };

static struct quoit_ring_shm shm;
static struct quoit_claim_record_shm claim_records[MEMBERS];
static _Alignas(64) uint64_t slots[CAPACITY * 8];
static struct quoit_ring_producer producer_side;
static struct quoit_ring_consumer consumer_side;
static struct quoit_ring_producer_state producer_state;
static struct quoit_ring_consumer_state consumer_state;

static bool is_alive(const void *context, uint32_t entry)
{
    (void)context;
    (void)entry;
    return true;
}

void quoit_set_sentence(quoit_status status, const char *format, ...)
{
    (void)status;
    (void)format;
}

/* Fills in the ring's place for the member `own`. */
static inline void fill_view(struct quoit_ring_view *view, const struct quoit_ring_ops *ops,
                             uint32_t own)
{
    view->ops = ops;
    view->shm = &shm;
    view->slots = (uint8_t *)slots;
    view->capacity = CAPACITY;
    view->item_bytes = WORDS * 8;
    view->stride = quoit_ring_stride(ops, WORDS * 8, 8);
    view->empty = 3;
    view->members.claim_records = claim_records;
    view->members.count = MEMBERS;
    view->members.own = own;
    view->members.is_alive = is_alive;
}

static inline quoit_status push_item(const struct quoit_ring_view *view, uint64_t number)
{
    uint64_t item[WORDS];
    for (int i = 0; i < WORDS; i++)
        item[i] = number;
    return view->ops->push(&producer_side, view, item, view->item_bytes);
}

/* Browses one item, which must be whole. */
static inline void observe(const struct quoit_ring_view *view)
{
    static uint64_t item[WORDS];
    static struct quoit_ring_browser browser;
    static struct quoit_snapshot snapshot;
    snapshot.buffer = (uint8_t *)item;
    snapshot.room_bytes = sizeof item;
    if (view->ops->browse(view, &browser, &snapshot) == QUOIT_OK)
        assert(item[0] != 0 && item[0] == item[1]);
}

/* Opens both sides at the ring's beginning, without copies of structures. */
static inline void begin_sides(const struct quoit_ring_view *view)
{
    uint8_t *slot = view->slots;
    producer_side.begin = producer_side.next = producer_side.slot = slot;
    producer_side.end = slot + view->stride * CAPACITY;
    producer_side.empty = view->empty;
    producer_side.tail = &shm.tail;
    producer_side.state = &producer_state;
    producer_side.item_bytes = view->item_bytes;
    consumer_side.begin = consumer_side.next = consumer_side.slot = slot;
    consumer_side.end = producer_side.end;
    /* The ring seems so large that quoit_spsc_release does not own its cache lines: GenMC knows no
       single bytes of words. The consumer never goes around the ring's end here. */
    consumer_side.begin -= QUOIT_SPSC_LARGEST_TAKEN;
    consumer_side.empty = view->empty;
    consumer_side.head = &shm.head;
    consumer_side.state = &consumer_state;
    consumer_side.item_bytes = view->item_bytes;
}

#endif
