/* SPDX-License-Identifier: MIT */
/*
 * How far a stream was pushed into a queue: the last 64 bytes of the queue's user area. So it is
 * kept as long as the items.
 *
 * Before a push, the bridge notes the message's sequence and how many items were pushed before. A
 * bridge that starts after a crash compares that with the queue, and knows whether the item is in
 * it.
 */
#ifndef QUOIT_BRIDGE_NOTE_H
#define QUOIT_BRIDGE_NOTE_H

#include "bridge.h"

enum { NOTE_BYTES = 64 };

struct note_shm;

struct note {
    struct note_shm *shm;
    uint64_t done;   /* messages up to this sequence are in the queue */
    uint64_t pushed; /* items, as the queue counts them */
    bool fresh;      /* the queue has got no message of this stream yet */
};

/* Finds the note, and whether the last message was pushed. false: it was reported why not. */
bool note_open(struct note *note, struct bridge_route *route, const quoit_queue *queue);
/* The stream that the notes are about; another one of that name begins at 0. */
void note_use_stream(struct note *note, int64_t created);
void note_begin(struct note *note, uint64_t sequence);
void note_end(struct note *note, uint64_t sequence);

#endif
