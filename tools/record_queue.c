/* SPDX-License-Identifier: MIT */
/*
 * Takes the messages of one queue for `quoit record`. A consumer releases them only after they are
 * in the file: from an SPSC queue it browses ahead of its head; from an MPMC queue, several handles
 * peek at one item each. A subscriber of a broadcast takes them at once, since its position is lost
 * in a crash anyway. An observer browses.
 */
#include "record.h"

#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <string.h>

enum { ROUND = 256 /* messages of one queue, before it is another one's turn */ };

int record_fail(struct record *record, enum mcap_status status)
{
    if (status == MCAP_OK)
        return TOOL_OK;
    record->broken = true;
    if (status == MCAP_SYSTEM)
        return tool_fail("cannot write to stdout: %s; the file has all messages before these, and "
                         "what a queue did not release stays in it",
                         strerror(errno));
    return tool_fail("out of memory: cannot hold the messages that were not written yet; the file "
                     "has all messages before these");
}

/* ---- Opening --------------------------------------------------------------------------------- */

static bool is_consumer(const struct record_queue *queue)
{
    return queue->mode == RECORDING_CONSUMER;
}

/* More handles of an MPMC queue, but no more than a quarter of its members. */
static void add_handles(const struct record *record, struct record_queue *queue)
{
    size_t most = queue->info.members / 4;
    if (most > RECORD_HANDLES_MOST)
        most = RECORD_HANDLES_MOST;
    queue->handles[0] = queue->queue;
    queue->handle_count = 1;
    while (queue->handle_count < most &&
           quoit_queue_again(queue->queue, QUOIT_CONSUMER | record->any_owner,
                             &queue->handles[queue->handle_count]) == QUOIT_OK)
        queue->handle_count++;
}

static uint64_t first_sequence(const struct record_queue *queue)
{
    if (is_consumer(queue) && queue->info.kind == QUOIT_SPSC)
        return queue->info.popped_messages; /* no other process pops */
    return 0;
}

static void prepare(const struct record *record, struct record_queue *queue)
{
    queue->handle_count = 0;
    queue->held_max = UINT64_MAX;
    if (!is_consumer(queue))
        return;
    queue->held_max = queue->info.capacity > 1 ? queue->info.capacity / 2 : 1;
    if (queue->info.kind != QUOIT_MPMC)
        return;
    add_handles(record, queue);
    if (queue->held_max > queue->handle_count)
        queue->held_max = queue->handle_count;
}

static quoit_status open_queue(const struct record *record, struct record_queue *queue)
{
    const unsigned flags = record->any_owner;
    if (record->observe)
        return quoit_queue_open(queue->name, QUOIT_OBSERVER | flags, &queue->queue);
    /* Of a broadcast that did not exist when this began, all messages are wanted. */
    const unsigned from = record->oldest || queue->awaited ? QUOIT_FROM_OLDEST : 0;
    return quoit_queue_open(queue->name, QUOIT_CONSUMER | from | flags, &queue->queue);
}

int record_open(struct record *record, struct record_queue *queue)
{
    quoit_status status = open_queue(record, queue);
    if (status == QUOIT_ERROR_NOT_FOUND) {
        queue->awaited = true;
        return TOOL_OK;
    }
    if (status == QUOIT_OK)
        status = quoit_queue_inspect(queue->queue, &queue->info);
    if (status != QUOIT_OK)
        return tool_fail_quoit(status);
    queue->mode = record->observe                       ? RECORDING_OBSERVER
                  : queue->info.kind == QUOIT_BROADCAST ? RECORDING_SUBSCRIBER
                                                        : RECORDING_CONSUMER;
    queue->browser = (struct quoit_browser){0};
    queue->next = first_sequence(queue);
    prepare(record, queue);
    return record_fail(record, recording_write_channel(&record->writer, queue->name,
                                                       record->encoding, queue->mode, &queue->info,
                                                       queue->next, &queue->channel));
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* Copies one peeked item of an MPMC queue, whose handle then keeps it. */
static quoit_status take_peeked(struct record_queue *queue, unsigned char *room, size_t *bytes_out)
{
    const void *data;
    quoit_status status = quoit_queue_peek(queue->handles[queue->held], &data, bytes_out,
                                           QUOIT_NOW);
    if (status == QUOIT_OK && *bytes_out > queue->info.item_bytes)
        return QUOIT_ERROR_CORRUPT;
    if (status == QUOIT_OK) {
        memcpy(room, data, *bytes_out);
        queue->held++;
    }
    return status;
}

static quoit_status take_browsed(struct record_queue *queue, unsigned char *room, size_t *bytes_out)
{
    uint64_t bytes = 0;
    const void *data;
    quoit_status status = QUOIT_OK;
    if (is_consumer(queue) && queue->held == 0) /* browse does not report that the producers left */
        status = quoit_queue_peek(queue->queue, &data, NULL, QUOIT_NOW);
    if (status == QUOIT_OK)
        status = quoit_queue_browse(queue->queue, &queue->browser, room, queue->info.item_bytes,
                                    &bytes);
    *bytes_out = (size_t)bytes;
    if (is_consumer(queue) && status == QUOIT_OK)
        queue->held++;
    else if (is_consumer(queue) && queue->held > 0 && status == QUOIT_FINISHED)
        queue->due = true; /* the end comes after their release */
    return status;
}

static quoit_status take(struct record_queue *queue, unsigned char *room, size_t *bytes_out)
{
    if (queue->mode == RECORDING_SUBSCRIBER)
        return quoit_queue_pop(queue->queue, room, (size_t)queue->info.item_bytes, bytes_out,
                               QUOIT_NOW);
    if (is_consumer(queue) && queue->info.kind == QUOIT_MPMC)
        return take_peeked(queue, room, bytes_out);
    return take_browsed(queue, room, bytes_out);
}

/* The number of the message that was taken last. Gaps in the numbers are missed messages. */
static uint32_t sequence_of(struct record_queue *queue)
{
    const bool counts_bytes = queue->info.kind == QUOIT_SPSC && queue->info.messages;
    const uint64_t before = queue->missed;
    if (queue->mode == RECORDING_SUBSCRIBER)
        queue->missed = quoit_queue_missed(queue->queue);
    else if (queue->mode == RECORDING_OBSERVER)
        queue->missed = queue->browser.missed;
    if (queue->mode == RECORDING_OBSERVER && !counts_bytes)
        return (uint32_t)(queue->browser.next - 1);
    queue->next += queue->missed - before;
    return (uint32_t)queue->next++;
}

static bool is_full(const struct record *record, const struct record_queue *queue)
{
    return queue->held >= queue->held_max || record->writer.chunk.count >= RECORD_CHUNK_BYTES;
}

int record_gather(struct record *record, struct record_queue *queue, bool *moved_out)
{
    quoit_status status = QUOIT_OK;
    for (int i = 0; i < ROUND && status == QUOIT_OK && !is_full(record, queue); i++) {
        size_t bytes = 0;
        unsigned char *room = mcap_write_room(&record->writer, queue->info.item_bytes);
        if (!room)
            return record_fail(record, MCAP_NO_MEMORY);
        status = take(queue, room, &bytes);
        if (status != QUOIT_OK)
            break;
        const uint64_t now = stream_now_ns();
        if (record->writer.chunk_messages == 0)
            record->chunk_begun_ns = now;
        mcap_write_message(&record->writer, queue->channel, sequence_of(queue),
                           now + record->clock_ns, bytes);
        queue->messages++;
        *moved_out = true;
    }
    if (status == QUOIT_ABANDONED)
        tool_hint("queue '%s': its last producer left before it finished the stream; waiting for "
                  "the next producer; Ctrl-C ends this",
                  queue->name);
    queue->finished = status == QUOIT_FINISHED && queue->held == 0;
    return status < 0 ? tool_fail_quoit(status) : TOOL_OK;
}

/* ---- Releasing ------------------------------------------------------------------------------- */

static quoit_status release_spsc(struct record_queue *queue)
{
    const void *data;
    quoit_status status = QUOIT_OK;
    while (status == QUOIT_OK && queue->held > 0) {
        size_t count = 1;
        status = queue->info.messages
                     ? quoit_queue_peek(queue->queue, &data, NULL, QUOIT_NOW)
                     : quoit_queue_peek_many(queue->queue, &data, &count, QUOIT_NOW);
        if (status != QUOIT_OK)
            break;
        if (count > queue->held)
            count = (size_t)queue->held;
        status = queue->info.messages ? quoit_queue_release(queue->queue)
                                      : quoit_queue_release_many(queue->queue, count);
        queue->held -= count;
    }
    return status;
}

int record_release(struct record_queue *queue)
{
    quoit_status status = QUOIT_OK;
    queue->due = false;
    if (queue->info.kind == QUOIT_SPSC)
        status = release_spsc(queue);
    for (size_t i = 0; queue->held > 0 && status == QUOIT_OK; i++) {
        status = quoit_queue_release(queue->handles[i]);
        queue->held--;
    }
    return status == QUOIT_OK ? TOOL_OK : tool_fail_quoit(status);
}

/* ---- Ending ---------------------------------------------------------------------------------- */

void record_close(struct record_queue *queue)
{
    for (size_t i = 1; i < queue->handle_count; i++)
        quoit_queue_close(queue->handles[i]);
    quoit_queue_close(queue->queue);
    queue->queue = NULL;
    queue->handle_count = 0;
}

int record_end(struct record *record, struct record_queue *queue)
{
    int code = record_fail(
        record, recording_write_counts(&record->writer, queue->channel, queue->name,
                                       queue->messages, queue->missed,
                                       queue->finished ? RECORDING_FINISHED : RECORDING_STOPPED));
    if (code == TOOL_OK && queue->finished && is_consumer(queue) && !record->keep) {
        quoit_status status = quoit_queue_unlink(queue->queue);
        if (status != QUOIT_OK && status != QUOIT_ERROR_REMOVED)
            code = tool_fail_quoit(status);
    }
    if (queue->missed > 0)
        (void)tool_fail("queue '%s': %llu %s", queue->name, (unsigned long long)queue->missed,
                        queue->mode == RECORDING_SUBSCRIBER
                            ? "messages were overwritten before they were recorded; use a larger "
                              "capacity, or a faster disk"
                        : queue->info.messages && queue->info.kind == QUOIT_SPSC
                            ? "times messages were popped before they were recorded"
                            : "messages were popped before they were recorded; record as a "
                              "consumer, or use a broadcast, if none may be missed");
    record_close(queue);
    queue->ended = true;
    return code;
}
