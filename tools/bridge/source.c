/* SPDX-License-Identifier: MIT */
/* Reads a queue ahead of what is released: source.h. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_EVERY_MS = 200 };
static const uint64_t most_bytes_ahead = UINT64_C(16) * 1024 * 1024;

static bool is_mpmc(const struct source *source)
{
    return source->info.kind == QUOIT_MPMC;
}

/* Has a live process with that PID consumers of the queue? */
static bool is_consuming(const struct source *source, uint32_t pid)
{
    uint64_t count = 0;
    bool found = false;
    struct quoit_member_info *members = calloc(QUOIT_MEMBERS_MAX, sizeof *members);
    if (members &&
        quoit_queue_members(source->queue, members, QUOIT_MEMBERS_MAX, &count) == QUOIT_OK)
        for (uint64_t i = 0; i < count && i < QUOIT_MEMBERS_MAX && !found; i++)
            found = members[i].pid == pid && members[i].alive && members[i].roles & QUOIT_CONSUMER;
    free(members);
    return found;
}

/* The items of a crashed bridge come first. A handle finds them only if it is made after the crash.
   When a process is killed, the lock may be free before its consumers have left. */
static quoit_status follow(struct source *source, uint32_t pid)
{
    enum { TRIES = 100, PAUSE_MS = 50 };
    const uint32_t any_owner = source->route->settings.any_owner ? QUOIT_ANY_OWNER : 0;
    quoit_queue *queue;
    for (int i = 0; i < TRIES && pid != 0 && is_consuming(source, pid); i++)
        bridge_sleep_ms(source->route, PAUSE_MS);
    quoit_status status = quoit_queue_again(source->queue, QUOIT_CONSUMER | any_owner, &queue);
    if (status == QUOIT_ERROR_REMOVED) /* what is left of it is drained with the older handle */
        return QUOIT_OK;
    if (status != QUOIT_OK) {
        (void)bridge_error(source->route, "%s", quoit_describe(status));
        return status;
    }
    quoit_queue_close(source->queue);
    source->queue = queue;
    return QUOIT_OK;
}

/* Only one bridge drains an MPMC queue. The roles of the queue do not ensure that. */
static quoit_status lock_mpmc(struct source *source)
{
    const struct bridge_settings *settings = &source->route->settings;
    const uint32_t any_owner = settings->any_owner ? QUOIT_ANY_OWNER : 0;
    char name[QUOIT_PATH_MAX + 16];
    (void)snprintf(name, sizeof name, "%s.bridge", settings->queue);
    quoit_status status = quoit_lock_join(name, NULL, any_owner, &source->lock);
    if (status != QUOIT_OK) {
        (void)bridge_error(source->route, "%s", quoit_describe(status));
        return status;
    }
    uint32_t pid = 0;
    (void)quoit_lock_holder(source->lock, &pid);
    while ((status = quoit_lock_lock(source->lock, OPEN_EVERY_MS * INT64_C(1000000))) ==
           QUOIT_TIMEOUT) {
        (void)quoit_lock_holder(source->lock, &pid);
        (void)bridge_error(source->route,
                           "queue '%s': the bridge with PID %u drains it; this one waits until "
                           "that one ends",
                           settings->queue, pid);
        if (bridge_stopped(source->route))
            return QUOIT_INTERRUPTED;
    }
    return status == QUOIT_OK || status == QUOIT_ABANDONED ? follow(source, pid) : status;
}

/* A crashed bridge's items come to the next peeks of new handles, one to each. So each handle peeks
   before the next one is made, and the items are held in their order. */
static quoit_status hold_one(struct source *source)
{
    const struct bridge_settings *settings = &source->route->settings;
    const uint32_t flags = QUOIT_CONSUMER | (settings->any_owner ? QUOIT_ANY_OWNER : 0);
    const uint64_t at = source->held % source->window;
    if (!source->handles[at]) {
        quoit_status status = quoit_queue_again(source->queue, flags, &source->handles[at]);
        if (status == QUOIT_ERROR_LIMIT || status == QUOIT_ERROR_REMOVED) {
            source->window = source->held; /* in the first lap: as many as there are handles */
            return QUOIT_EMPTY;
        }
        if (status != QUOIT_OK)
            return status;
    }
    quoit_status status = quoit_queue_peek(source->handles[at], &source->peeked[at],
                                           &source->peeked_bytes[at], QUOIT_NOW);
    if (status == QUOIT_OK)
        status = quoit_queue_position(source->handles[at], &source->positions[at]);
    if (status == QUOIT_OK)
        source->held++;
    return status;
}

static quoit_status next_held(struct source *source, struct source_item *item_out)
{
    if (source->read == source->held) {
        quoit_status status = hold_one(source);
        if (status != QUOIT_OK)
            return status;
    }
    const uint64_t at = source->read++ % source->window;
    *item_out = (struct source_item){.position = source->positions[at],
                                     .data = source->peeked[at],
                                     .bytes = source->peeked_bytes[at]};
    return QUOIT_OK;
}

static quoit_status next_browsed(struct source *source, struct source_item *item_out)
{
    const uint64_t missed = source->browser.missed;
    uint64_t bytes, position = source->browser.next;
    quoit_status status = quoit_queue_browse(source->queue, &source->browser, source->buffer,
                                             source->info.item_bytes, &bytes);
    if (source->browser.missed != missed) /* a lossy broadcast has moved this slow reader on */
        position = source->browser.next - 1;
    bridge_put(&source->route->counters.missed, source->browser.missed);
    if (status != QUOIT_OK)
        return status;
    source->positions[source->read++ % source->window] = position;
    source->held = source->read;
    *item_out = (struct source_item){
        .position = position, .data = source->buffer, .bytes = (size_t)bytes};
    return QUOIT_OK;
}

quoit_status source_next(struct source *source, struct source_item *item_out)
{
    if (source->read - source->released == source->window)
        return QUOIT_EMPTY;
    return is_mpmc(source) ? next_held(source, item_out) : next_browsed(source, item_out);
}

/* The subscriber of a lossy broadcast only shows how far the bridge is. It may have been moved
   on. */
static quoit_status advance_lossy(struct source *source)
{
    const uint64_t to = source->released == source->read
                            ? source->browser.next
                            : source->positions[source->released % source->window];
    struct quoit_queue_info now;
    const void *item;
    while (quoit_queue_inspect(source->queue, &now) == QUOIT_OK && now.popped < to)
        if (quoit_queue_peek(source->queue, &item, NULL, QUOIT_NOW) != QUOIT_OK ||
            quoit_queue_release(source->queue) != QUOIT_OK)
            break;
    return QUOIT_OK;
}

static quoit_status release_browsed(struct source *source, uint64_t count)
{
    quoit_status status = QUOIT_OK;
    const void *items;
    size_t found = 1;
    if (source->info.when_full == QUOIT_DROP_OLDEST)
        return advance_lossy(source);
    while (status == QUOIT_OK && count > 0) {
        status = source->info.messages
                     ? quoit_queue_peek(source->queue, &items, NULL, QUOIT_NOW)
                     : quoit_queue_peek_many(source->queue, &items, &found, QUOIT_NOW);
        if (status != QUOIT_OK)
            break;
        if (found > count)
            found = (size_t)count;
        status = source->info.messages ? quoit_queue_release(source->queue)
                                       : quoit_queue_release_many(source->queue, found);
        count -= found;
    }
    return status;
}

quoit_status source_release(struct source *source, uint64_t count)
{
    const uint64_t from = source->released;
    quoit_status status = QUOIT_OK;
    source->released += count;
    if (!is_mpmc(source))
        return count > 0 ? release_browsed(source, count) : QUOIT_OK;
    for (uint64_t i = from; i < source->released && status == QUOIT_OK; i++)
        status = quoit_queue_release(source->handles[i % source->window]);
    return status;
}

void source_rewind(struct source *source)
{
    if (!is_mpmc(source) && source->read > source->released) {
        source->browser.next = source->positions[source->released % source->window];
        source->held = source->released;
    }
    source->read = source->released;
}

quoit_status source_wait(struct source *source, int64_t timeout_ns)
{
    const void *item;
    quoit_queue *queue = source->queue;
    if (is_mpmc(source)) {
        if (source->held > source->read)
            return QUOIT_OK;
        queue = source->handles[source->held % source->window];
        if (!queue)
            queue = source->queue;
    }
    struct quoit_wait wait = {.queue = queue, .events = QUOIT_ITEMS};
    quoit_status status = quoit_wait_any(&wait, 1, timeout_ns);
    if (status != QUOIT_OK)
        return status;
    /* A peek returns the statuses that a wait does not, and takes nothing but a handle's own item,
       which next_held takes over. */
    return is_mpmc(source) ? QUOIT_OK : quoit_queue_peek(queue, &item, NULL, QUOIT_NOW);
}

bool source_is_removed(const struct source *source)
{
    quoit_queue *again;
    quoit_status status = quoit_queue_again(source->queue, QUOIT_OBSERVER | QUOIT_ANY_OWNER,
                                            &again);
    quoit_queue_close(again);
    return status == QUOIT_ERROR_REMOVED;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static quoit_status open_once(struct source *source)
{
    const struct bridge_settings *settings = &source->route->settings;
    const uint32_t any_owner = settings->any_owner ? QUOIT_ANY_OWNER : 0;
    quoit_queue *observer;
    quoit_status status = quoit_queue_open(settings->queue, QUOIT_OBSERVER | any_owner, &observer);
    if (status != QUOIT_OK)
        return status;
    status = quoit_queue_inspect(observer, &source->info);
    quoit_queue_close(observer);
    if (status != QUOIT_OK)
        return status;
    const uint32_t oldest = source->info.kind == QUOIT_BROADCAST ? QUOIT_FROM_OLDEST : 0;
    status = quoit_queue_open(settings->queue, QUOIT_CONSUMER | oldest | any_owner, &source->queue);
    if (status == QUOIT_OK)
        status = quoit_queue_inspect(source->queue, &source->info);
    return status;
}

/* Reports why the queue cannot be opened yet. */
static void report_waiting(struct source *source, quoit_status status)
{
    (void)bridge_error(source->route, "%s; the bridge waits until that changes",
                       quoit_describe(status));
}

static bool is_worth_waiting(quoit_status status)
{
    return status == QUOIT_ERROR_NOT_FOUND || status == QUOIT_ERROR_ROLE_TAKEN ||
           status == QUOIT_ERROR_BUSY || status == QUOIT_ERROR_LIMIT;
}

static quoit_status prepare(struct source *source)
{
    const uint64_t item_bytes = source->info.item_bytes;
    source->window = is_mpmc(source) ? SOURCE_HANDLES : source->route->settings.window;
    while (source->window > 1 && source->window > most_bytes_ahead / item_bytes)
        source->window /= 2;
    source->positions = calloc((size_t)source->window, sizeof *source->positions);
    source->buffer = malloc((size_t)item_bytes);
    if (!source->positions || !source->buffer) {
        (void)bridge_error(source->route, "out of memory: cannot allocate %llu bytes for an item",
                           (unsigned long long)item_bytes);
        return QUOIT_ERROR_NO_MEMORY;
    }
    source->browser = (struct quoit_browser){.next = source->info.popped, .begun = 1};
    if (!is_mpmc(source))
        return QUOIT_OK;
    const quoit_status status = lock_mpmc(source);
    source->handles[0] = source->queue;
    return status;
}

quoit_status source_open(struct source *source, struct bridge_route *route)
{
    *source = (struct source){.route = route};
    quoit_status status;
    while ((status = open_once(source)) != QUOIT_OK && is_worth_waiting(status)) {
        report_waiting(source, status);
        quoit_queue_close(source->queue);
        source->queue = NULL;
        if (bridge_stopped(route))
            return QUOIT_INTERRUPTED;
        bridge_sleep_ms(route, OPEN_EVERY_MS);
    }
    if (status != QUOIT_OK) {
        (void)bridge_error(route, "%s", quoit_describe(status));
        source_close(source);
        return status;
    }
    status = prepare(source);
    if (status != QUOIT_OK)
        source_close(source);
    return status;
}

void source_close(struct source *source)
{
    for (size_t i = 1; i < SOURCE_HANDLES; i++)
        quoit_queue_close(source->handles[i]);
    quoit_queue_close(source->queue);
    if (source->lock) {
        (void)quoit_lock_unlock(source->lock);
        quoit_lock_close(source->lock);
    }
    free(source->positions);
    free(source->buffer);
    *source = (struct source){.route = source->route};
}
