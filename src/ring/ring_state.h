/* SPDX-License-Identifier: MIT */
/* What a handle keeps of either side of a ring, behind a pointer of the public struct: for each
   layout a struct of its own. */
#ifndef QUOIT_RING_STATE_H
#define QUOIT_RING_STATE_H

#include <quoit/ring.h>

#include <stdbool.h>

/* Slots and spans, the producer. */
struct quoit_spsc_claim {
    uint64_t count; /* items that a commit may publish, ... */
    uint64_t at;    /* spans: as long as this is the position */
};

/* Bytes. */
struct quoit_bytes_producer {
    uint64_t position;      /* bytes ever pushed */
    uint64_t number;        /* messages ever pushed, and so the number of the next one */
    uint64_t limit;         /* messages below this number may be pushed */
    uint8_t *slot;          /* where the next message goes */
    uint64_t claimed_bytes; /* that the message may have */
    bool is_claimed;
};

struct quoit_bytes_consumer {
    uint64_t position;     /* bytes ever popped */
    uint64_t limit;        /* bytes below this are known to be filled */
    uint8_t *slot;         /* where the next message is */
    uint64_t peeked_bytes; /* of the message that may be released, with its header; 0: none */
};

/* A message as an item of one size: the claimed record, beside the state of the ring of items. */
struct quoit_record_claim {
    uint8_t *record;        /* NULL: none is claimed */
    uint64_t claimed_bytes; /* that the message may have */
};

/* MPMC: where a position of the ring is, and what its slot's word says of the lap. */
struct quoit_mpmc_spot {
    uint8_t *slot;
    uint64_t lap;
};

/* MPMC, either side. */
struct quoit_mpmc_side {
    uint8_t *slot;               /* of the next position, and ... */
    uint64_t lap;                /* ... what its word is while it is free for that position */
    uint64_t position;           /* at most the tail (producer), the head (consumer) */
    const uint8_t *end;          /* of the slots */
    quoit_atomic_u64 *claim;     /* where this member says what it takes; NULL: no such side */
    struct quoit_mpmc_spot held; /* claimed, or peeked at; NULL: nothing is */
    uint64_t reclaimed_below;    /* consumer: items below this are given back */
    const bool *spinning;        /* the state's */
    bool freed;                  /* consumer: a look for items has made room */
};

/* Broadcast. */
struct quoit_broadcast_producer {
    uint64_t position;      /* the next item's, ... */
    uint8_t *slot;          /* and where it will lie */
    uint64_t limit;         /* positions below this may be filled */
    uint64_t retained_from; /* items below this are not kept, as it has said */
    uint64_t claimed;       /* items that a commit may publish, ... */
    uint64_t claimed_at;    /* lossless: as long as this is the position */
    uint32_t slowest;       /* whose row held it back last */
};

struct quoit_broadcast_consumer {
    uint64_t position;       /* the next item's, ... */
    uint8_t *slot;           /* and where it lies */
    quoit_atomic_u64 *row;   /* where it says how far it is; NULL: it is no subscriber */
    uint64_t tag;            /* of the member that writes the row */
    quoit_atomic_u64 missed; /* items that were gone before it came to them */
    bool held;               /* lossy: the next item is in this handle already */
};

struct quoit_ring_producer_state {
    bool spinning; /* it looks again at once: skip the check for crashed members, a system call */
    struct quoit_record_claim record;
    union {
        struct quoit_spsc_claim claim;
        struct quoit_bytes_producer bytes;
        struct quoit_mpmc_side mpmc;
        struct quoit_broadcast_producer broadcast;
    };
};

struct quoit_ring_consumer_state {
    bool spinning; /* likewise */
    union {
        struct quoit_bytes_consumer bytes;
        struct quoit_mpmc_side mpmc;
        struct quoit_broadcast_consumer broadcast;
    };
};

#endif
