/* SPDX-License-Identifier: MIT */
/*
 * The single-producer single-consumer ring over memory handed to it: set up, attach, refill,
 * finish, check. Plain C11, no system calls: it runs in an array as well as in a region. The
 * inlined puts and takes are in <quoit/spsc.h>.
 */
#ifndef QUOIT_RING_SPSC_H
#define QUOIT_RING_SPSC_H

#include <quoit/spsc.h>
#include <quoit/status.h>

#include <stdbool.h>
#include <stddef.h>

_Static_assert(offsetof(struct quoit_spsc_shm, tail) == 0, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, finished) == 8, "FORMAT.md 4");
_Static_assert(offsetof(struct quoit_spsc_shm, head) == 128, "FORMAT.md 4");
_Static_assert(sizeof(struct quoit_spsc_shm) == 256, "FORMAT.md 4");
_Static_assert(sizeof(quoit_atomic_u64) == 8, "counters are shared by 32-bit and 64-bit processes");

/* Where a ring is, as this process validated it. */
struct quoit_spsc_place {
    struct quoit_spsc_shm *shm; /* aligned to 64 */
    uint8_t *slots;             /* quoit_spsc_slots(capacity) * item_bytes bytes */
    uint64_t capacity;          /* exact; >= 1 */
};

/* Slots of storage that a ring of this capacity needs: a power of two. false: it does not fit 64
   bits. */
bool quoit_spsc_slots(uint64_t capacity, uint64_t *slots_out);

/* A new ring, empty. Both counters begin at start (0, but for tests of the wrap). */
void quoit_spsc_init(struct quoit_spsc_shm *shm, uint64_t start);

/* Takes up a side where its last holder left it. QUOIT_CORRUPT where the counters are further apart
   than the capacity. The caller sees to it that a side has one holder. */
quoit_status quoit_spsc_producer_attach(struct quoit_spsc_producer *producer,
                                        const struct quoit_spsc_place *place);
quoit_status quoit_spsc_consumer_attach(struct quoit_spsc_consumer *consumer,
                                        const struct quoit_spsc_place *place);

/* Looks at the other side's counter and moves the limit. OK FULL CLOSED CORRUPT / OK EMPTY CLOSED
   CORRUPT. */
quoit_status quoit_spsc_producer_refill(struct quoit_spsc_producer *producer);
quoit_status quoit_spsc_consumer_refill(struct quoit_spsc_consumer *consumer);

/* Closes the fast path: each later put or take has to refill first. */
void quoit_spsc_producer_shut(struct quoit_spsc_producer *producer);
void quoit_spsc_consumer_shut(struct quoit_spsc_consumer *consumer);

/* End of stream; by the producer. What is queued stays to be taken. */
void quoit_spsc_finish(struct quoit_spsc_shm *shm);

/* Snapshots, by anyone. */
struct quoit_spsc_counts {
    uint64_t pushed;
    uint64_t popped;
    uint64_t size; /* never above capacity */
    bool finished;
};
void quoit_spsc_count(const struct quoit_spsc_place *place, struct quoit_spsc_counts *counts_out);

/* The ring's invariants, over shared memory that nobody vouches for: OK, or CORRUPT with the error
   text. */
quoit_status quoit_spsc_check(const struct quoit_spsc_place *place);

#endif
