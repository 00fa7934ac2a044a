/* SPDX-License-Identifier: MIT */
/* Reads back which items are in the stream: stored.h. */
#include "stored.h"

#include <inttypes.h>
#include <stdlib.h>

static bool add(struct stored *stored, uint64_t position)
{
    if (stored->count == stored->room) {
        size_t room = stored->room > 0 ? 2 * stored->room : 64;
        uint64_t *grown = realloc(stored->positions, room * sizeof *grown);
        if (!grown)
            return false;
        stored->positions = grown;
        stored->room = room;
    }
    stored->positions[stored->count++] = position;
    if (position > stored->highest)
        stored->highest = position;
    return true;
}

/* The last message may be of an older queue of that name, but not of a newer one, and not of
   another program: then it could not be known which items are in the stream. */
static enum link_result check_owner(struct link *link, const struct source *source,
                                    const struct link_message *last)
{
    const struct bridge_settings *settings = &link->route->settings;
    if (last->found && !last->has_id)
        (void)bridge_error(link->route,
                           "stream '%s': its last message, %" PRIu64
                           ", is not from a bridge; give the queue a stream of its own, or purge "
                           "this one",
                           settings->stream, last->sequence);
    else if (last->found && last->created_at > source->info.created_at_unix_ns)
        (void)bridge_error(link->route,
                           "stream '%s': its last message, %" PRIu64
                           ", is from a queue that is newer than '%s'; give each queue a stream of "
                           "its own, or purge this one",
                           settings->stream, last->sequence, settings->queue);
    else
        return LINK_OK;
    return link_failed(link);
}

/* Which position is the oldest that a crashed bridge may have published and not released? */
static bool find_oldest(struct source *source, uint64_t *position_out)
{
    struct source_item item = {.position = 0};
    source_rewind(source);
    bool found = source_next(source, &item) == QUOIT_OK;
    source_rewind(source);
    *position_out = item.position;
    return found;
}

/* Items of an MPMC queue can be in another order in the stream, but no more of them than there are
   handles were unreleased at any time. */
static bool is_enough(const struct stored *stored, const struct source *source, uint64_t oldest)
{
    if (source->info.kind == QUOIT_MPMC)
        return stored->count >= SOURCE_HANDLES;
    return stored->count > 0 && stored->positions[stored->count - 1] <= oldest;
}

static enum link_result read_back(struct stored *stored, struct link *link,
                                  const struct source *source, struct link_message message,
                                  uint64_t oldest)
{
    enum link_result result = LINK_OK;
    while (message.found && message.has_id &&
           message.created_at == source->info.created_at_unix_ns) {
        if (!add(stored, message.position)) {
            (void)bridge_error(link->route, "out of memory: cannot keep %zu ids", stored->count);
            return LINK_AGAIN;
        }
        if (message.sequence == 1 || is_enough(stored, source, oldest))
            return LINK_OK;
        result = link_message_at(link, message.sequence - 1, &message);
        if (result != LINK_OK)
            return result;
    }
    stored->removed_before = !message.found;
    return result;
}

enum link_result stored_read(struct stored *stored, struct link *link, struct source *source)
{
    struct link_stream stream;
    struct link_message last;
    uint64_t oldest;
    stored->count = 0;
    stored->highest = 0;
    stored->removed_before = false;
    /* First the stream's last sequence, then its last message: a message that arrives in between
       makes the next one that is published refused. */
    enum link_result result = link_find_stream(link, &stream);
    if (result == LINK_OK)
        result = link_last_message(link, &last);
    if (result == LINK_OK)
        result = check_owner(link, source, &last);
    if (result != LINK_OK)
        return result;
    stored->owned = last.found && last.created_at == source->info.created_at_unix_ns;
    stored->last_position = last.position;
    stored->last_sequence = last.found && last.sequence > stream.last_sequence
                                ? last.sequence
                                : stream.last_sequence;
    if (!find_oldest(source, &oldest))
        return LINK_OK; /* all is released, or the queue is empty */
    return read_back(stored, link, source, last, oldest);
}

bool stored_has(const struct stored *stored, uint64_t position)
{
    if (stored->count == 0 || position > stored->highest)
        return false;
    for (size_t i = stored->count; i > 0; i--)
        if (stored->positions[i - 1] == position)
            return true;
    /* The stream removes its oldest messages first, so older items were in it, too. */
    return stored->removed_before && position < stored->positions[stored->count - 1];
}

bool stored_is_hole(const struct stored *stored, uint64_t position)
{
    return stored->count > 0 && position < stored->highest && !stored_has(stored, position);
}

void stored_free(struct stored *stored)
{
    free(stored->positions);
    *stored = (struct stored){0};
}
