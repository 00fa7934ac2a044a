/* SPDX-License-Identifier: MIT */
/*
 * A queue that is read ahead of what is released. An item that was read and not released is still
 * in the queue, and comes to the next consumer after a crash.
 *
 * SPSC, broadcast: the bridge is the only consumer, or a subscriber, and browses.
 * MPMC: each item that was read is peeked at by a handle of its own, so that no other consumer
 * takes it.
 */
#ifndef QUOIT_BRIDGE_SOURCE_H
#define QUOIT_BRIDGE_SOURCE_H

#include "bridge.h"

enum { SOURCE_HANDLES = 32 };

struct source_item {
    uint64_t position;
    const void *data; /* valid until the next call */
    size_t bytes;
};

struct source {
    struct bridge_route *route;
    quoit_queue *queue; /* of MPMC: the first of the handles */
    quoit_lock *lock;   /* MPMC: which bridge may drain the queue */
    struct quoit_queue_info info;
    uint64_t window;               /* the most items between released and read */
    uint64_t released, held, read; /* items since the queue was opened */
    uint64_t *positions;           /* of the items from released to held, modulo window */
    struct quoit_browser browser;
    void *buffer;
    quoit_queue *handles[SOURCE_HANDLES];
    const void *peeked[SOURCE_HANDLES];
    size_t peeked_bytes[SOURCE_HANDLES];
};

/* Waits until the queue exists and its role is free. INTERRUPTED: the bridge is to stop. Other
   failures were reported. */
quoit_status source_open(struct source *source, struct bridge_route *route);
void source_close(struct source *source);
/* The next item. Never waits. EMPTY: none, or the window is full. FINISHED: none will come. */
quoit_status source_next(struct source *source, struct source_item *item_out);
/* Waits for an item. Only if all that was read is released. */
quoit_status source_wait(struct source *source, int64_t timeout_ns);
/* Releases the oldest count items that were read. */
quoit_status source_release(struct source *source, uint64_t count);
/* Begins again at the oldest item that is not released. */
void source_rewind(struct source *source);
/* Was the queue's name removed, or does it lead to another queue? */
bool source_is_removed(const struct source *source);

#endif
