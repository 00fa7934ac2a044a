/* SPDX-License-Identifier: MIT */
/*
 * Which items of the queue are in the stream already: found by the ids of the stream's last
 * messages, so that no state file is needed.
 */
#ifndef QUOIT_BRIDGE_STORED_H
#define QUOIT_BRIDGE_STORED_H

#include "link.h"
#include "source.h"

struct stored {
    uint64_t *positions; /* of the queue, newest first, as read from the stream */
    size_t count, room;
    bool owned;             /* the stream's last message is of this queue, */
    uint64_t last_position; /* of this position */
    uint64_t highest;       /* of positions */
    uint64_t last_sequence; /* of the stream */
    bool removed_before;    /* the message before the oldest of them was removed from the stream */
};

/* Reads the ids down to the oldest item of the source that is not released. Rewinds the source. */
enum link_result stored_read(struct stored *stored, struct link *link, struct source *source);
/* Is the item with this position in the stream? */
bool stored_has(const struct stored *stored, uint64_t position);
/* Is an item that the stream does not have below one that it has? Then another program has
   published to the stream. */
bool stored_is_hole(const struct stored *stored, uint64_t position);
void stored_free(struct stored *stored);

#endif
