/* SPDX-License-Identifier: MIT */
/*
 * The single-producer single-consumer ring over memory handed to it. Plain C11, no system calls: it
 * runs in an array as well as in a region. It has two layouts behind one table of functions:
 *     slots   each slot says itself whether it is filled: the fastest for one item at a time. The
 *             inlined puts and takes are in <quoit/spsc.h>, the rest in spsc_slots.c
 *     spans   the counters alone say it, slots hold nothing but items: the fastest for many at a
 *             time, and items can be made and read in place (spsc_spans.c)
 */
#ifndef QUOIT_RING_SPSC_H
#define QUOIT_RING_SPSC_H

#include <quoit/spsc.h>
#include <quoit/status.h>

#include <stddef.h>

_Static_assert(offsetof(struct quoit_spsc_shm, tail) == 0, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, consumer_waits) == 8, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, consumer_asleep) == 12, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, head) == 128, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, producer_waits) == 136, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, producer_asleep) == 140, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, finished) == 256, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, marked) == 264, "FORMAT.md 4");
_Static_assert(sizeof(struct quoit_spsc_shm) == 384, "FORMAT.md 4");
_Static_assert(sizeof(quoit_atomic_u64) == 8, "counters are shared by 32-bit and 64-bit processes");
_Static_assert(sizeof(quoit_atomic_u32) == 4, "likewise");

enum quoit_spsc_layout { QUOIT_SPSC_SLOTS = 0, QUOIT_SPSC_SPANS = 1 };

/* A slots ring hands claims out of a buffer of its own, this long: its slots cannot hold an item
   that is not committed yet. */
enum { QUOIT_SPSC_SCRATCH_BYTES = 4096 };

/* Where a ring is, as this process validated it. */
struct quoit_spsc_place {
    const struct quoit_spsc_ops *ops;
    struct quoit_spsc_shm *shm; /* aligned to 64 */
    uint8_t *slots;             /* aligned to 64; ops->stride(item_bytes) * capacity bytes */
    uint64_t capacity;          /* exact; >= 1 */
    uint64_t item_bytes;
    uint64_t empty;   /* slots: what a mark is where there is no item */
    uint8_t *scratch; /* slots: for claims, or NULL: none are given */
};

/* One layout. The caller sees to it that a side has one holder, and passes that side's own state.
   Statuses are those of <quoit.h>; FULL, EMPTY and CLOSED leave everything as it is. */
struct quoit_spsc_ops {
    uint64_t (*stride)(uint64_t item_bytes);
    /* A new ring, empty, its counters beginning at start (0, but for tests). */
    void (*init)(const struct quoit_spsc_place *place, uint64_t start);

    /* Takes a side up exactly where its last holder left it, dead or not, and shut. CORRUPT where
       the counters are further apart than the capacity. */
    quoit_status (*attach_producer)(struct quoit_spsc_producer *, const struct quoit_spsc_place *);
    quoit_status (*attach_consumer)(struct quoit_spsc_consumer *, const struct quoit_spsc_place *);

    /* OK FULL CLOSED CORRUPT / OK EMPTY CLOSED CORRUPT. Open the fast path where they can. */
    quoit_status (*push)(struct quoit_spsc_producer *, const struct quoit_spsc_place *,
                         const void *item);
    quoit_status (*pop)(struct quoit_spsc_consumer *, const struct quoit_spsc_place *,
                        void *item_out);
    uint64_t (*push_many)(struct quoit_spsc_producer *, const struct quoit_spsc_place *,
                          const void *items, uint64_t count);
    uint64_t (*pop_many)(struct quoit_spsc_consumer *, const struct quoit_spsc_place *,
                         void *items_out, uint64_t count);
    /* What a push or a pop would say now. */
    quoit_status (*look_for_room)(struct quoit_spsc_producer *, const struct quoit_spsc_place *);
    quoit_status (*look_for_items)(struct quoit_spsc_consumer *, const struct quoit_spsc_place *);

    /* At most wanted, which is not 0. */
    quoit_status (*claim)(struct quoit_spsc_producer *, const struct quoit_spsc_place *,
                          uint64_t wanted, void **items_out, uint64_t *count_out);
    /* false: count is more than is claimed, or there to be released. */
    bool (*commit)(struct quoit_spsc_producer *, const struct quoit_spsc_place *, uint64_t count);
    quoit_status (*peek)(struct quoit_spsc_consumer *, const struct quoit_spsc_place *,
                         const void **items_out, uint64_t *count_out);
    bool (*release)(struct quoit_spsc_consumer *, const struct quoit_spsc_place *, uint64_t count);

    /* Items that there are, at most capacity; by anyone. */
    uint64_t (*size)(const struct quoit_spsc_place *place);
};
extern const struct quoit_spsc_ops quoit_spsc_slots;
extern const struct quoit_spsc_ops quoit_spsc_spans;

/* ---- Both layouts (spsc.c) ------------------------------------------------------------------- */

/* Counters of a new ring. */
void quoit_spsc_init_counters(struct quoit_spsc_shm *shm, uint64_t start);

/* The sides' states on slot number position mod capacity, shut. */
void quoit_spsc_producer_begin(struct quoit_spsc_producer *producer,
                               const struct quoit_spsc_place *place, uint64_t position);
void quoit_spsc_consumer_begin(struct quoit_spsc_consumer *consumer,
                               const struct quoit_spsc_place *place, uint64_t position);

/* The slot that is next, though the fast path may be shut and lead elsewhere. */
static inline uint8_t *quoit_spsc_producer_shut_slot(struct quoit_spsc_producer *producer)
{
    return (uint8_t *)producer + offsetof(struct quoit_spsc_producer, shut);
}

static inline uint8_t *quoit_spsc_producer_slot(struct quoit_spsc_producer *producer)
{
    bool shut = producer->next == quoit_spsc_producer_shut_slot(producer);
    return shut ? producer->slot : producer->next;
}

static inline uint8_t *quoit_spsc_consumer_shut_slot(struct quoit_spsc_consumer *consumer)
{
    return (uint8_t *)consumer + offsetof(struct quoit_spsc_consumer, shut);
}

static inline uint8_t *quoit_spsc_consumer_slot(struct quoit_spsc_consumer *consumer)
{
    bool shut = consumer->next == quoit_spsc_consumer_shut_slot(consumer);
    return shut ? consumer->slot : consumer->next;
}

/* Close the fast path: each later put or take comes to the slow one. */
void quoit_spsc_producer_shut(struct quoit_spsc_producer *producer);
void quoit_spsc_consumer_shut(struct quoit_spsc_consumer *consumer);

/* End of stream; by the producer. What is queued stays to be taken. */
void quoit_spsc_finish(struct quoit_spsc_shm *shm);
bool quoit_spsc_is_finished(struct quoit_spsc_shm *shm);

uint64_t quoit_spsc_head(struct quoit_spsc_shm *shm);
uint64_t quoit_spsc_tail(struct quoit_spsc_shm *shm);

/* Sets the error text. */
quoit_status quoit_spsc_counters_apart(uint64_t tail, uint64_t head, uint64_t capacity);

/* The ring's invariants, over shared memory that nobody vouches for: OK, or CORRUPT with the error
   text. */
quoit_status quoit_spsc_check(const struct quoit_spsc_place *place);

#endif
