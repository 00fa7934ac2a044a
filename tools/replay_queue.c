/* SPDX-License-Identifier: MIT */
/* The queues of `quoit replay`: made as the file describes them, or joined if they exist. */
#include "replay.h"

#include "stream.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 10 };
static const int64_t slice_ns = 100000000; /* between checks for Ctrl-C */
/* A file of a few bytes could ask for all memory of the machine. */
static const uint64_t most_bytes = UINT64_C(1) << 30;

static const char *name_of(struct replay *replay, const struct recording_channel *channel)
{
    const char *name = channel->topic;
    for (size_t i = 0; i < replay->rename_count; i++)
        if (strcmp(replay->renames[i].from, channel->topic) == 0) {
            replay->renames[i].used = true;
            name = replay->renames[i].to;
        }
    return name;
}

/* Is the queue that exists able to take the channel's messages? */
static int compare(const struct replay_queue *queue, const struct recording_channel *channel)
{
    const struct quoit_queue_options *wanted = &channel->options;
    const struct quoit_queue_info *info = &queue->info;
    if (!channel->is_quoit || info->messages) {
        if (!channel->is_quoit || wanted->item_bytes <= info->item_bytes)
            return TOOL_OK;
    } else if (!wanted->messages && wanted->item_bytes == info->item_bytes) {
        if (wanted->type[0] == '\0' || info->type[0] == '\0' ||
            memcmp(wanted->type, info->type, sizeof info->type) == 0)
            return TOOL_OK;
        return tool_fail("queue '%s': its type is %.32s, but the recording's is %.32s; use another "
                         "name by --rename, or remove it with `quoit rm %s`",
                         queue->name, info->type, wanted->type, queue->name);
    }
    return tool_fail("queue '%s': it has %s of %llu bytes, but the recording has %s of %llu bytes; "
                     "use another name by --rename, or remove it with `quoit rm %s`",
                     queue->name, info->messages ? "messages" : "items",
                     (unsigned long long)info->item_bytes, wanted->messages ? "messages" : "items",
                     (unsigned long long)wanted->item_bytes, queue->name);
}

/* The bytes of all queues that replay creates must fit into most_bytes. */
static bool count_bytes(struct replay *replay, const struct quoit_queue_options *wanted)
{
    uint64_t left = most_bytes - replay->made_bytes;
    if (wanted->item_bytes == 0 || wanted->user_bytes > left)
        return false;
    left -= wanted->user_bytes;
    if (wanted->capacity > left / wanted->item_bytes)
        return false;
    replay->made_bytes = most_bytes - (left - wanted->capacity * wanted->item_bytes);
    return true;
}

static int refuse_large(const struct replay_queue *queue, const struct quoit_queue_options *wanted)
{
    return tool_fail("queue '%s': the file asks for %llu items of %llu bytes and a user area of "
                     "%llu bytes, so its queues have more than 1G; if that is intended, create the "
                     "queue before, and replay joins it",
                     queue->name, (unsigned long long)wanted->capacity,
                     (unsigned long long)wanted->item_bytes,
                     (unsigned long long)wanted->user_bytes);
}

/* Joins the queue, or creates it. replay finishes the stream by itself, so one call of finish ends
   it, whatever the recorded queue needed. */
static int join(struct replay *replay, struct replay_queue *queue,
                const struct recording_channel *channel)
{
    const struct quoit_queue_options *wanted = &channel->options;
    const unsigned flags = QUOIT_PRODUCER | replay->any_owner;
    quoit_status status;
    do {
        status = quoit_queue_open(queue->name, flags, &queue->queue);
        if (status != QUOIT_ERROR_NOT_FOUND)
            break;
        if (!channel->is_quoit)
            return tool_fail("queue '%s' does not exist, and the file does not describe it, since "
                             "another program wrote it; create the queue before, or pass an "
                             "existing one by --rename",
                             queue->name);
        if (!count_bytes(replay, wanted))
            return refuse_large(queue, wanted);
        status = quoit_queue_create(queue->name, wanted, QUOIT_PRODUCER, &queue->queue);
    } while (status == QUOIT_ERROR_EXISTS); /* another process was faster */
    if (status == QUOIT_OK)
        status = quoit_queue_inspect(queue->queue, &queue->info);
    if (status != QUOIT_OK)
        return tool_fail_quoit(status);
    if (queue->info.finished)
        return tool_fail("queue '%s': its stream is finished, so nothing can be pushed; pop the "
                         "remaining items, or remove it with `quoit rm %s`",
                         queue->name, queue->name);
    return TOOL_OK;
}

int replay_enter(struct replay *replay, struct recording_channel *channel)
{
    const char *name = name_of(replay, channel);
    struct replay_queue *queue = replay->queues;
    while (queue && strcmp(queue->name, name) != 0)
        queue = queue->next;
    if (!queue) {
        queue = calloc(1, sizeof *queue);
        if (!queue)
            return tool_fail("out of memory: cannot allocate a queue");
        queue->name = name;
        int code = join(replay, queue, channel);
        if (code != TOOL_OK) {
            quoit_queue_close(queue->queue);
            free(queue);
            return code;
        }
        queue->next = replay->queues;
        replay->queues = queue;
    }
    queue->unfinished++;
    channel->user = queue;
    return compare(queue, channel);
}

int replay_wait(const struct replay *replay)
{
    const uint64_t begin = stream_now_ns();
    bool hinted = false;
    for (const struct replay_queue *queue = replay->queues; queue; queue = queue->next) {
        struct quoit_queue_info now;
        quoit_status status;
        while ((status = quoit_queue_inspect(queue->queue, &now)) == QUOIT_OK &&
               now.consumer_pid == 0 && !recording_is_stopped()) {
            if (!hinted && stream_now_ns() - begin >= STREAM_HINT_MS * UINT64_C(1000000)) {
                tool_hint("waiting for a consumer of queue '%s'; Ctrl-C ends this", queue->name);
                hinted = true;
            }
            stream_sleep_ms(POLL_MS);
        }
        if (status != QUOIT_OK)
            return tool_fail_quoit(status);
    }
    return recording_is_stopped() ? TOOL_NOTHING : TOOL_OK;
}

/* ---- Pushing --------------------------------------------------------------------------------- */

static int failed(const struct replay_queue *queue, const struct mcap_message *message,
                  quoit_status status)
{
    if (status == QUOIT_FINISHED)
        return tool_fail("queue '%s': another producer finished the stream; remove it with `quoit "
                         "rm %s`, and replay again",
                         queue->name, queue->name);
    if (status != QUOIT_ERROR_INVALID && status != QUOIT_ERROR_TOO_BIG)
        return tool_fail_quoit(status);
    return tool_fail("queue '%s': a message of the file has %llu bytes, but %s of the queue have "
                     "%llu bytes; use another queue by --rename",
                     queue->name, (unsigned long long)message->bytes,
                     queue->info.messages ? "the longest messages" : "items",
                     (unsigned long long)queue->info.item_bytes);
}

int replay_push(struct replay *replay, const struct recording_channel *channel,
                const struct mcap_message *message)
{
    struct replay_queue *queue = channel->user;
    const int64_t hint_ns = STREAM_HINT_MS * INT64_C(1000000);
    quoit_status status = quoit_queue_push(queue->queue, message->data, message->bytes, QUOIT_NOW);
    int64_t waited_ns = 0;
    while ((status == QUOIT_FULL || status == QUOIT_ABANDONED) && !recording_is_stopped()) {
        status = quoit_queue_push(queue->queue, message->data, message->bytes, slice_ns);
        waited_ns += slice_ns;
        if (status == QUOIT_FULL && !replay->hinted && waited_ns >= hint_ns) {
            tool_hint("waiting for a free slot in queue '%s', which is full; `quoit pop %s` frees "
                      "some, Ctrl-C ends this",
                      queue->name, queue->name);
            replay->hinted = true;
        }
    }
    if (status == QUOIT_FULL || status == QUOIT_ABANDONED)
        return TOOL_NOTHING;
    replay->messages += status == QUOIT_OK;
    return status == QUOIT_OK ? TOOL_OK : failed(queue, message, status);
}

/* ---- Ending ---------------------------------------------------------------------------------- */

static int finish(struct replay_queue *queue)
{
    if (queue->finished)
        return TOOL_OK;
    queue->finished = true;
    const quoit_status status = quoit_queue_finish(queue->queue);
    return status == QUOIT_OK ? TOOL_OK : tool_fail_quoit(status);
}

int replay_finish(struct recording_channel *channel)
{
    struct replay_queue *queue = channel->user;
    channel->end[0] = '\0'; /* a file could note the end twice */
    if (queue->unfinished > 0)
        queue->unfinished--;
    return queue->unfinished == 0 ? finish(queue) : TOOL_OK;
}

int replay_finish_all(struct replay *replay)
{
    int code = TOOL_OK;
    for (struct replay_queue *queue = replay->queues; queue; queue = queue->next) {
        const int finished = finish(queue);
        code = code == TOOL_OK ? finished : code;
    }
    return code;
}

void replay_close(struct replay *replay)
{
    while (replay->queues) {
        struct replay_queue *queue = replay->queues;
        replay->queues = queue->next;
        quoit_queue_close(queue->queue);
        free(queue);
    }
}
