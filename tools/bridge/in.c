/* SPDX-License-Identifier: MIT */
/*
 * From a stream into a queue.
 *
 * A durable pull consumer delivers the messages. The route requests at most as many as the queue
 * has room for, so a full queue stops the flow, and no message waits in the bridge until the server
 * delivers it again. A message is noted, pushed, and then acknowledged. If the notes say that the
 * queue has it, it is only acknowledged.
 *
 * The consumer delivers again in another order after a crash. So what was delivered to a route
 * before and is not in the queue is read from the stream directly, before new messages.
 */
#include "link.h"
#include "note.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 200, /* how often the route looks whether it is to stop */
    RETRY_MS = 250,
    EXPIRES_S = 5,          /* a request ends after that time */
    LOST_S = EXPIRES_S + 3, /* then the request itself was lost */
    MOST_REQUESTED = 512,
    ACK_WAIT_S = 30,
    MOST_UNACKNOWLEDGED = 65536
};

struct in {
    struct bridge_route *route;
    struct link link;
    quoit_queue *queue;
    struct quoit_queue_info info;
    struct note note;
    struct { /* of a queue of that name that was removed; its notes are gone */
        int64_t stream_created;
        uint64_t done;
    } removed;
    int64_t stream_created;
    natsSubscription *subscription;
    char inbox[128], next[512]; /* replies; the subject of requests */
    uint64_t request;           /* the number of the last request */
    uint64_t due[2];            /* messages due of the request before it, and of it */
    uint64_t heard_at;
    uint64_t looked_at;         /* whether the queue was removed */
    uint64_t consumer_sequence; /* of the last delivery */
    uint64_t breaks;
    bool attached;
};

/* How the route goes on after a push. */
enum push_result { PUSHED, PUSH_STOP, PUSH_REOPEN, PUSH_FATAL };

/* ---- The queue ------------------------------------------------------------------------------- */

static quoit_status open_queue(struct in *in)
{
    const struct bridge_settings *settings = &in->route->settings;
    const uint32_t flags = QUOIT_PRODUCER | (settings->any_owner ? QUOIT_ANY_OWNER : 0);
    const struct quoit_queue_options options = {.capacity = settings->capacity,
                                                .item_bytes = settings->item_bytes,
                                                .messages = settings->messages,
                                                .kind = settings->broadcast ? QUOIT_BROADCAST
                                                                            : QUOIT_SPSC,
                                                .user_bytes = NOTE_BYTES};
    return settings->capacity > 0 && settings->item_bytes > 0
               ? quoit_queue_join(settings->queue, &options, flags, &in->queue)
               : quoit_queue_open(settings->queue, flags, &in->queue);
}

/* Waits until the queue exists and has no producer. */
static quoit_status open_when_possible(struct in *in)
{
    quoit_status status;
    while ((status = open_queue(in)) != QUOIT_OK) {
        (void)bridge_error(in->route, "%s", quoit_describe(status));
        if (status != QUOIT_ERROR_NOT_FOUND && status != QUOIT_ERROR_ROLE_TAKEN &&
            status != QUOIT_ERROR_BUSY && status != QUOIT_ERROR_LIMIT)
            return status;
        bridge_sleep_ms(in->route, LOOK_MS);
        if (bridge_stopped(in->route))
            return QUOIT_INTERRUPTED;
    }
    status = quoit_queue_inspect(in->queue, &in->info);
    return status == QUOIT_OK && !note_open(&in->note, in->route, in->queue) ? QUOIT_ERROR_DIFFERENT
                                                                             : status;
}

static bool is_removed(const struct in *in)
{
    quoit_queue *again;
    quoit_status status = quoit_queue_again(in->queue, QUOIT_OBSERVER | QUOIT_ANY_OWNER, &again);
    quoit_queue_close(again);
    return status == QUOIT_ERROR_REMOVED;
}

static uint64_t room(const struct in *in)
{
    const uint64_t size = quoit_queue_size(in->queue);
    bridge_put(&in->route->counters.queued, size);
    if (in->info.when_full == QUOIT_DROP_OLDEST)
        return in->info.capacity;
    return size < in->info.capacity ? in->info.capacity - size : 0;
}

static bool fits(struct in *in, uint64_t sequence, size_t bytes)
{
    const uint64_t item_bytes = in->info.item_bytes;
    if (in->info.messages ? bytes <= item_bytes : bytes == item_bytes)
        return true;
    (void)bridge_error(in->route,
                       "stream '%s': the message with sequence %" PRIu64 " has %zu bytes, but %s "
                       "of queue '%s' has %s%" PRIu64 "; it stays in the stream",
                       in->route->settings.stream, sequence, bytes,
                       in->info.messages ? "a message" : "an item", in->route->settings.queue,
                       in->info.messages ? "at most " : "", item_bytes);
    return false;
}

/* Pushes a message, and waits while the queue is full. */
static enum push_result push(struct in *in, uint64_t sequence, const void *data, size_t bytes)
{
    struct bridge_counters *counters = &in->route->counters;
    quoit_status status;
    if (!fits(in, sequence, bytes))
        return PUSH_FATAL;
    note_begin(&in->note, sequence);
    while ((status = quoit_queue_push(in->queue, data, bytes, LOOK_MS * INT64_C(1000000))) !=
           QUOIT_OK) {
        if (status < QUOIT_OK || status == QUOIT_FINISHED) {
            (void)bridge_error(in->route, "%s", quoit_describe(status));
            return PUSH_FATAL;
        }
        bridge_put(&counters->blocked, 1);
        if (bridge_stopped(in->route))
            return PUSH_STOP;
        if (is_removed(in))
            return PUSH_REOPEN;
    }
    note_end(&in->note, sequence);
    bridge_put(&counters->blocked, 0);
    bridge_add(&counters->messages, 1);
    bridge_add(&counters->bytes, bytes);
    return PUSHED;
}

/* ---- Attaching to the consumer --------------------------------------------------------------- */

static enum link_result subscribe(struct in *in)
{
    char subject[160];
    natsInbox *inbox = NULL;
    const struct bridge_settings *settings = &in->route->settings;
    natsSubscription_Destroy(in->subscription);
    in->subscription = NULL;
    natsStatus status = natsInbox_Create(&inbox);
    if (status == NATS_OK) {
        (void)snprintf(in->inbox, sizeof in->inbox, "%.120s.", inbox);
        (void)snprintf(subject, sizeof subject, "%s>", in->inbox);
        (void)snprintf(in->next, sizeof in->next, "$JS.API.CONSUMER.MSG.NEXT.%.200s.%.200s",
                       settings->stream, settings->durable);
        status = natsConnection_SubscribeSync(&in->subscription, in->link.connection, subject);
    }
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(in->subscription, -1, -1);
    natsInbox_Destroy(inbox);
    if (status == NATS_OK)
        return LINK_OK;
    (void)bridge_error(in->route, "cannot subscribe to '%s': %s", in->inbox,
                       natsStatus_GetText(status));
    return LINK_AGAIN;
}

static natsStatus create_consumer(struct in *in, jsConsumerInfo **info_out, jsErrCode *code_out)
{
    const struct bridge_settings *settings = &in->route->settings;
    jsConsumerConfig config;
    (void)jsConsumerConfig_Init(&config);
    config.Durable = settings->durable;
    config.FilterSubject = settings->subject;
    config.AckPolicy = js_AckExplicit;
    config.AckWait = ACK_WAIT_S * INT64_C(1000000000);
    config.MaxAckPending = MOST_UNACKNOWLEDGED;
    if (in->note.done > 0) { /* the consumer was removed: begin where the queue is */
        config.DeliverPolicy = js_DeliverByStartSequence;
        config.OptStartSeq = in->note.done + 1;
    }
    natsStatus status = js_AddConsumer(info_out, in->link.js, settings->stream, &config, NULL,
                                       code_out);
    if (*code_out != JSConsumerWQConsumerNotDeliverAllErr)
        return status;
    config.DeliverPolicy = js_DeliverAll; /* the stream removes what was acknowledged */
    config.OptStartSeq = 0;
    return js_AddConsumer(info_out, in->link.js, settings->stream, &config, NULL, code_out);
}

static enum link_result check_consumer(struct in *in, const jsConsumerInfo *info)
{
    const struct bridge_settings *settings = &in->route->settings;
    const char *filter = info->Config->FilterSubject;
    if (info->Config->DeliverSubject || info->Config->AckPolicy != js_AckExplicit)
        (void)bridge_error(in->route,
                           "consumer '%s' of stream '%s': is no pull consumer with explicit "
                           "acknowledgements; pass another name with --durable",
                           settings->durable, settings->stream);
    else if (!filter || strcmp(filter, settings->subject) != 0)
        (void)bridge_error(in->route,
                           "consumer '%s' of stream '%s': its subject is '%s', but '%s' was "
                           "requested; pass another name with --durable",
                           settings->durable, settings->stream, filter ? filter : ">",
                           settings->subject);
    else
        return LINK_OK;
    return link_failed(&in->link);
}

static enum link_result find_consumer(struct in *in, jsConsumerInfo **info_out)
{
    const struct bridge_settings *settings = &in->route->settings;
    jsErrCode code = 0;
    natsStatus status = js_GetConsumerInfo(info_out, in->link.js, settings->stream,
                                           settings->durable, NULL, &code);
    if (status != NATS_OK && code == JSConsumerNotFoundErr) {
        code = 0;
        status = create_consumer(in, info_out, &code);
    }
    if (status == NATS_OK)
        return check_consumer(in, *info_out);
    const char *detail = nats_GetLastError(NULL);
    (void)bridge_error(in->route, "consumer '%s' of stream '%s': cannot be used (%s)",
                       settings->durable, settings->stream,
                       detail && *detail ? detail : natsStatus_GetText(status));
    return link_not_done(&in->link, status, code);
}

/* Reads the messages from the one behind the queue's last one up to `last` from the stream. */
static enum push_result fill(struct in *in, uint64_t last)
{
    const struct bridge_settings *settings = &in->route->settings;
    while (in->note.done < last) {
        const uint64_t sequence = in->note.done + 1;
        enum push_result result = PUSHED;
        natsMsg *message = NULL;
        jsErrCode code = 0;
        if (bridge_stopped(in->route)) /* millions of messages can be of other subjects */
            return PUSH_STOP;
        natsStatus status = js_GetMsg(&message, in->link.js, settings->stream, sequence, NULL,
                                      &code);
        if (code != JSNoMessageFoundErr && status != NATS_NOT_FOUND && status != NATS_OK) {
            in->attached = false;
            return PUSHED;
        }
        if (message && link_takes(settings->subject, natsMsg_GetSubject(message)))
            result = push(in, sequence, natsMsg_GetData(message),
                          (size_t)natsMsg_GetDataLength(message));
        natsMsg_Destroy(message);
        if (result != PUSHED)
            return result;
        in->note.done = sequence;
    }
    return PUSHED;
}

/* A queue without notes goes on behind an older queue of that name. The consumer knows what that
   one has got. But what was read from the stream directly is acknowledged only after a while, so
   this process knows better if it has filled that queue. */
static void begin_behind_older_queue(struct in *in, uint64_t acknowledged)
{
    if (!in->note.fresh)
        return;
    in->note.done = acknowledged;
    if (in->removed.stream_created == in->stream_created && in->removed.done > acknowledged)
        in->note.done = in->removed.done;
}

static enum link_result attach(struct in *in, enum push_result *pushed_out)
{
    struct link_stream stream;
    jsConsumerInfo *info = NULL;
    const uint64_t breaks = bridge_get(&in->link.breaks);
    enum link_result result = link_connect(&in->link, in->route);
    if (result == LINK_OK)
        result = link_find_stream(&in->link, &stream);
    if (result == LINK_OK)
        result = subscribe(in);
    if (result != LINK_OK)
        return result;
    note_use_stream(&in->note, stream.created);
    in->stream_created = stream.created;
    result = find_consumer(in, &info);
    if (result == LINK_OK) {
        begin_behind_older_queue(in, info->AckFloor.Stream);
        in->consumer_sequence = info->Delivered.Consumer;
        in->breaks = breaks;
        in->due[0] = in->due[1] = 0;
        in->heard_at = bridge_now_ns();
        in->attached = true;
        if (in->route->started)
            bridge_add(&in->route->counters.retries, 1);
        in->route->started = true;
        *pushed_out = fill(in, info->Delivered.Stream);
    }
    jsConsumerInfo_Destroy(info);
    return result;
}

/* ---- Requests and deliveries ----------------------------------------------------------------- */

/* Requests more messages if the queue has room for them. */
static void request(struct in *in)
{
    char json[96], reply[192];
    const uint64_t due = in->due[0] + in->due[1], free = room(in);
    if (in->due[0] > 0 || due > MOST_REQUESTED / 2 || free <= due)
        return;
    uint64_t batch = free - due;
    if (batch > MOST_REQUESTED)
        batch = MOST_REQUESTED;
    if (due > 0 && batch < MOST_REQUESTED / 4 && batch < in->info.capacity / 4)
        return; /* not many small requests */
    in->due[0] = in->due[1];
    in->due[1] = batch;
    in->heard_at = bridge_now_ns();
    (void)snprintf(json, sizeof json, "{\"batch\":%" PRIu64 ",\"expires\":%d000000000}", batch,
                   EXPIRES_S);
    (void)snprintf(reply, sizeof reply, "%s%" PRIu64, in->inbox, ++in->request);
    if (natsConnection_PublishRequestString(in->link.connection, in->next, reply, json) != NATS_OK)
        in->attached = false;
}

/* A status instead of a message: its request has ended. */
static void take_status(struct in *in, natsMsg *message, const char *status)
{
    const char *text = "";
    uint64_t number = 0;
    (void)natsMsgHeader_Get(message, "Description", &text);
    (void)sscanf(natsMsg_GetSubject(message) + strlen(in->inbox), "%" SCNu64, &number);
    if (strcmp(status, "100") == 0)
        return;
    if (number == in->request)
        in->due[1] = 0;
    if (number + 1 == in->request)
        in->due[0] = 0;
    if (strcmp(status, "404") == 0 || strcmp(status, "408") == 0)
        return;
    if (strstr(text, "MaxAckPending")) { /* what a crashed bridge got is delivered again later */
        bridge_sleep_ms(in->route, RETRY_MS);
        return;
    }
    (void)bridge_error(in->route, "consumer '%s' of stream '%s': %s %s; the bridge tries again",
                       in->route->settings.durable, in->route->settings.stream, status, text);
    in->attached = false;
    bridge_sleep_ms(in->route, RETRY_MS);
}

static enum push_result take_delivery(struct in *in, natsMsg *message, const jsMsgMetaData *meta)
{
    const uint64_t sequence = meta->Sequence.Stream;
    enum push_result result = PUSHED;
    bridge_put(&in->route->counters.pending, meta->NumPending);
    if (in->due[0] > 0)
        in->due[0]--;
    else if (in->due[1] > 0)
        in->due[1]--;
    if (sequence <= in->note.done) {
        bridge_add(&in->route->counters.duplicates, 1);
    } else {
        if (meta->Sequence.Consumer != in->consumer_sequence + 1)
            result = fill(in, sequence - 1); /* a delivery was lost */
        if (result == PUSHED && in->attached)
            result = push(in, sequence, natsMsg_GetData(message),
                          (size_t)natsMsg_GetDataLength(message));
    }
    in->consumer_sequence = meta->Sequence.Consumer;
    if (result == PUSHED && in->attached)
        (void)natsConnection_PublishString(in->link.connection, natsMsg_GetReply(message), "+ACK");
    return result;
}

static enum push_result take(struct in *in, natsMsg *message)
{
    const char *status = NULL;
    jsMsgMetaData *meta = NULL;
    enum push_result result = PUSHED;
    in->heard_at = bridge_now_ns();
    if (natsMsg_IsNoResponders(message))
        take_status(in, message, "503");
    else if (natsMsg_GetDataLength(message) == 0 && !natsMsg_GetReply(message) &&
             natsMsgHeader_Get(message, "Status", &status) == NATS_OK && status)
        take_status(in, message, status);
    else if (natsMsg_GetMetaData(&meta, message) == NATS_OK)
        result = take_delivery(in, message, meta);
    jsMsgMetaData_Destroy(meta);
    return result;
}

/* ---- The loop -------------------------------------------------------------------------------- */

static void check_link(struct in *in)
{
    const uint64_t silent_ns = bridge_now_ns() - in->heard_at;
    if (bridge_get(&in->link.breaks) != in->breaks || !link_is_up(&in->link))
        in->attached = false;
    if (in->due[0] + in->due[1] > 0 && silent_ns > LOST_S * UINT64_C(1000000000))
        in->attached = false;
    bridge_put(&in->route->counters.in_flight, in->due[0] + in->due[1]);
}

static enum push_result step(struct in *in)
{
    natsMsg *message = NULL;
    request(in);
    if (in->due[0] + in->due[1] == 0) { /* the queue is full */
        struct quoit_wait wait = {.queue = in->queue, .events = QUOIT_ROOM};
        bridge_put(&in->route->counters.blocked, 1);
        const quoit_status status = quoit_wait_any(&wait, 1, LOOK_MS * INT64_C(1000000));
        if (status < QUOIT_OK) {
            (void)bridge_error(in->route, "%s", quoit_describe(status));
            return PUSH_FATAL;
        }
        return is_removed(in) ? PUSH_REOPEN : PUSHED;
    }
    if (bridge_now_ns() - in->looked_at > LOOK_MS * UINT64_C(1000000)) {
        in->looked_at = bridge_now_ns();
        if (is_removed(in))
            return PUSH_REOPEN;
    }
    const natsStatus status = natsSubscription_NextMsg(&message, in->subscription, LOOK_MS);
    if (status == NATS_OK) {
        enum push_result result = take(in, message);
        natsMsg_Destroy(message);
        return result;
    }
    if (status != NATS_TIMEOUT)
        in->attached = false;
    return PUSHED;
}

/* Carries messages into one queue. -1: go on with the next queue of that name. */
static int carry(struct in *in)
{
    enum push_result result = PUSHED;
    in->attached = false;
    while (result == PUSHED && !bridge_stopped(in->route)) {
        if (in->attached) {
            result = step(in);
            check_link(in);
            continue;
        }
        enum link_result linked = attach(in, &result);
        if (linked == LINK_FATAL)
            return BRIDGE_FAILED;
        if (linked == LINK_AGAIN)
            bridge_sleep_ms(in->route, RETRY_MS);
    }
    return result == PUSH_FATAL ? BRIDGE_FAILED : result == PUSH_REOPEN ? -1 : BRIDGE_OK;
}

int bridge_run_in(struct bridge_route *route)
{
    struct in *in = calloc(1, sizeof *in);
    int code = -1;
    if (!in)
        return bridge_error(route, "out of memory");
    route->state = in;
    in->route = route;
    while (code < 0) {
        quoit_status status = open_when_possible(in);
        code = status == QUOIT_OK ? carry(in) : status == QUOIT_INTERRUPTED ? 0 : BRIDGE_FAILED;
        in->removed.stream_created = in->stream_created;
        in->removed.done = in->note.done;
        quoit_queue_close(in->queue);
        in->queue = NULL;
    }
    if (in->link.connection) /* the last acknowledgements */
        (void)natsConnection_FlushTimeout(in->link.connection, LOOK_MS);
    natsSubscription_Destroy(in->subscription);
    link_close(&in->link);
    return code;
}
