/* SPDX-License-Identifier: MIT */
/* The private state of a handle for either side of a ring, behind a pointer of the public struct.
   Each layout has a struct of its own. */
#ifndef QUOIT_RING_STATE_H
#define QUOIT_RING_STATE_H

#include <quoit/ring.h>

#include <stdbool.h>

/* Slots and spans, the producer. */
struct quoit_spsc_claim {
    uint64_t count; /* items that a commit may publish */
    uint64_t at;    /* spans: the position at the claim; a commit needs the same one */
    uint64_t head;  /* slots: the consumer's counter, when it was last loaded */
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

/* MPMC: the slot of a position, and the lap's part of the slot's sequence. */
struct quoit_mpmc_slot_ref {
    uint8_t *slot;
    uint64_t lap;
};

/* MPMC, either side. */
struct quoit_mpmc_side {
    uint8_t *slot;                   /* of the next position */
    uint64_t lap;                    /* the slot's sequence while it is free for that position */
    uint64_t position;               /* at most the tail (producer), the head (consumer) */
    const uint8_t *end;              /* of the slots */
    quoit_atomic_u64 *claim;         /* this member's claim record; NULL: no such side */
    struct quoit_mpmc_slot_ref held; /* claimed, or peeked at; NULL: nothing is */
    uint64_t reclaimed_below;        /* consumer: items below this are given back */
    const bool *spinning;            /* the state's */
    bool freed;                      /* consumer: poll_items has made room */
};

/* Broadcast. */
struct quoit_broadcast_producer {
    uint64_t position;      /* of the next item */
    uint8_t *slot;          /* of the next item */
    uint64_t limit;         /* positions below this may be filled */
    uint64_t retained_from; /* items below this are not kept, as is published */
    uint64_t claimed;       /* items that a commit may publish */
    uint64_t claimed_at;    /* lossless: the position at the claim; a commit needs the same one */
    uint32_t slowest;       /* the entry that blocked it last */
};

struct quoit_broadcast_consumer {
    uint64_t position;        /* of the next item */
    uint8_t *slot;            /* of the next item */
    quoit_atomic_u64 *record; /* publishes the position; NULL: it is no subscriber */
    uint64_t tag;             /* of the member that writes the entry */
    quoit_atomic_u64 missed;  /* items overwritten before it came to them */
    bool held;                /* lossy: the next item is in this handle already */
};

struct quoit_ring_producer_state {
    bool spinning; /* the call is repeated at once: skip the check for crashed members */
    struct quoit_record_claim record;
    union {
        struct quoit_spsc_claim claim;
        struct quoit_bytes_producer bytes;
        struct quoit_mpmc_side mpmc;
        struct quoit_broadcast_producer broadcast;
    };
};

struct quoit_ring_consumer_state {
    bool spinning; /* as the producer's */
    union {
        struct quoit_bytes_consumer bytes;
        struct quoit_mpmc_side mpmc;
        struct quoit_broadcast_consumer broadcast;
    };
};

#endif
