/* SPDX-License-Identifier: MIT */
/*
 * From a queue into a stream.
 *
 * Each message has an id, created_at:position of its queue, and names the stream's sequence before
 * it. The server refuses it if another message is there. So a message that was lost, or a second
 * bridge, makes all the messages after it refused, and nothing comes twice or in another order. The
 * route then synchronizes: it reads from the stream which items are there, and goes on behind them.
 *
 * An item is released after the server has acknowledged it, or after its id was read back.
 */
#include "acks.h"
#include "link.h"
#include "source.h"
#include "stored.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    FLUSH_MS = 1000,
    LARGE_WINDOW = 256,
    IDLE_MS = 500,
    RETRY_MS = 500, /* after a refusal that has a reason */
    ACK_TIMEOUT_MS = 5000,
    STOP_MS = 2000,         /* a stop waits so long for acknowledgements */
    ACK_WAIT_NS = 200000,   /* while some are due: how long until the queue is looked at again */
    FULL_WAIT_NS = 10000000 /* while the window is full: how long until the link is looked at */
};

struct out {
    struct bridge_route *route;
    struct link link;
    struct source source;
    struct stored stored;
    struct acks acks;
    uint64_t *indices;  /* for each item that was read: its number in the session; modulo window */
    uint64_t published; /* messages of this session */
    uint64_t acknowledged; /* of them, as the route has seen */
    uint64_t most;         /* so many may be in flight: 1 after a refusal with a reason */
    uint64_t progress_at;
    unsigned fruitless; /* sessions in a row without an acknowledgement */
    uint64_t breaks;    /* of the link, when the session began */
    bool synchronized, flushed, has_item;
    struct source_item item; /* read, but not published yet */
};

static const uint64_t already_stored = UINT64_MAX; /* in indices */

/* ---- Synchronizing --------------------------------------------------------------------------- */

static void begin_session(struct out *out)
{
    acks_begin(&out->acks, out->stored.last_sequence);
    out->published = out->acknowledged = 0;
    out->synchronized = true;
    out->flushed = true;
    out->breaks = bridge_get(&out->link.breaks);
    out->progress_at = bridge_now_ns();
}

/* Has the server lost what it had acknowledged? After a power failure, for example. */
static void check_loss(struct out *out, uint64_t base, uint64_t count)
{
    if (out->stored.last_sequence < base + count)
        (void)bridge_error(out->route,
                           "stream '%s': its last sequence is %" PRIu64 ", but %" PRIu64
                           " was acknowledged: the server has lost messages; use replicas, or "
                           "'sync' of nats-server",
                           out->route->settings.stream, out->stored.last_sequence, base + count);
}

/* If sessions end without an acknowledgement again and again, another program is the reason. */
static void slow_down(struct out *out)
{
    enum { SUSPICIOUS = 20, PAUSE_MS = 50 };
    out->fruitless = out->acknowledged > 0 || out->published == 0 ? 0 : out->fruitless + 1;
    if (out->fruitless == 0)
        return;
    bridge_sleep_ms(out->route, PAUSE_MS);
    if (out->fruitless % SUSPICIOUS == 0)
        (void)bridge_error(out->route,
                           "stream '%s': its sequence changes while the bridge publishes: another "
                           "program publishes to it; give the queue a stream of its own",
                           out->route->settings.stream);
}

/* Items that a bridge does not find: a broadcast dropped them, or another consumer took them. */
static void check_gap(struct out *out)
{
    const struct stored *stored = &out->stored;
    const struct source *source = &out->source;
    if (source->info.kind == QUOIT_BROADCAST && stored->owned && source->released == 0 &&
        source->browser.next > stored->last_position + 1)
        (void)bridge_error(out->route,
                           "queue '%s': the items from position %" PRIu64 " up to %" PRIu64
                           " are no longer in the queue, and not in stream '%s': a broadcast keeps "
                           "them only for a bridge that runs",
                           out->route->settings.queue, stored->last_position + 1,
                           source->browser.next - 1, out->route->settings.stream);
}

static enum link_result synchronize(struct out *out)
{
    uint64_t breaks = bridge_get(&out->link.breaks);
    enum link_result result = link_connect(&out->link, out->route);
    if (result != LINK_OK)
        return result;
    const natsStatus status = acks_listen(&out->acks, out->link.connection);
    if (status != NATS_OK) {
        (void)bridge_error(out->route, "cannot listen for acknowledgements: %s",
                           natsStatus_GetText(status));
        return LINK_AGAIN;
    }
    if (out->route->started)
        slow_down(out);
    out->has_item = false;
    result = stored_read(&out->stored, &out->link, &out->source);
    if (result != LINK_OK)
        return result;
    check_gap(out);
    if (out->route->started) {
        bridge_add(&out->route->counters.retries, 1);
        check_loss(out, out->acks.base, out->acknowledged);
    }
    begin_session(out);
    out->breaks = breaks;
    out->route->started = true;
    return LINK_OK;
}

/* ---- Publishing ------------------------------------------------------------------------------ */

/* Releases what was acknowledged or is stored. */
static quoit_status release(struct out *out)
{
    struct source *source = &out->source;
    uint64_t count = 0;
    while (source->released + count < source->read - out->has_item) {
        uint64_t index = out->indices[(source->released + count) % source->window];
        if (index != already_stored && index >= out->acknowledged)
            break;
        count++;
    }
    return count > 0 ? source_release(source, count) : QUOIT_OK;
}

/* Looks at the acknowledgements. true: there are new ones. */
static bool take_acks(struct out *out)
{
    struct bridge_counters *counters = &out->route->counters;
    const struct acks_state acks = acks_look(&out->acks);
    const uint64_t count = acks.count;
    const bool any = count > out->acknowledged;
    bridge_add(&counters->messages, count - out->acknowledged);
    out->acknowledged = count;
    bridge_put(&counters->duplicates, acks.duplicates);
    bridge_put(&counters->in_flight, out->published - count);
    if (any) {
        out->progress_at = bridge_now_ns();
        out->most = out->source.window;
        bridge_put(&counters->blocked, 0);
    }
    if (acks.refused)
        out->synchronized = false;
    return any;
}

/* The next item that is not in the stream. */
static quoit_status next_item(struct out *out)
{
    struct source *source = &out->source;
    while (!out->has_item) {
        quoit_status status = source_next(source, &out->item);
        if (status != QUOIT_OK)
            return status;
        const uint64_t position = out->item.position;
        if (stored_has(&out->stored, position)) {
            out->indices[(source->read - 1) % source->window] = already_stored;
            continue;
        }
        out->has_item = true;
        if (source->info.kind != QUOIT_MPMC && stored_is_hole(&out->stored, position)) {
            (void)bridge_error(out->route,
                               "stream '%s': has no message of position %" PRIu64
                               " of queue '%s', but later ones: another program has published to "
                               "the stream; nothing more is released",
                               out->route->settings.stream, position, out->route->settings.queue);
            return QUOIT_ERROR_CORRUPT;
        }
    }
    return QUOIT_OK;
}

/* Both return where the text ends. snprintf would take a fifth of the bridge's instructions. */
static char *put_text(char *at, const char *text)
{
    const size_t length = strlen(text);
    memcpy(at, text, length + 1);
    return at + length;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[24];
    size_t first = sizeof digits - 1;
    digits[first] = '\0';
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return put_text(at, digits + first);
}

static natsStatus make_message(struct out *out, natsMsg **message_out, size_t *bytes_out)
{
    char id[64], expected[32], reply[sizeof out->acks.inbox + 64];
    const struct source_item *item = &out->item;
    char *at = put_text(put_number(id, out->source.info.created_at_unix_ns), ":");
    const size_t id_bytes = (size_t)(put_number(at, item->position) - id);
    at = put_number(expected, out->acks.base + out->published);
    const size_t expected_bytes = (size_t)(at - expected);
    at = put_number(put_text(reply, out->acks.inbox), out->acks.session);
    (void)put_number(put_text(at, "."), out->published);
    natsStatus status = natsMsg_Create(message_out, out->route->settings.subject, reply, item->data,
                                       (int)item->bytes);
    if (status == NATS_OK)
        status = natsMsgHeader_Set(*message_out, "Nats-Msg-Id", id);
    if (status == NATS_OK)
        status = natsMsgHeader_Set(*message_out, "Nats-Expected-Last-Sequence", expected);
    *bytes_out = item->bytes + id_bytes + expected_bytes + sizeof "NATS/1.0\r\n" +
                 sizeof "Nats-Msg-Id: \r\n" + sizeof "Nats-Expected-Last-Sequence: \r\n" +
                 sizeof "\r\n" - 4;
    return status;
}

static bool is_too_large(struct out *out, size_t bytes)
{
    const int64_t most = natsConnection_GetMaxPayload(out->link.connection);
    if (most <= 0 || bytes <= (size_t)most)
        return false;
    (void)bridge_error(out->route,
                       "queue '%s': the message of position %" PRIu64
                       " has %zu bytes with its headers, but the server takes at most %" PRId64
                       "; raise max_payload of nats-server; the message stays in the queue",
                       out->route->settings.queue, out->item.position, bytes, most);
    bridge_put(&out->route->counters.blocked, 1);
    return true;
}

/* FULL: the message cannot be sent now. */
static quoit_status publish(struct out *out)
{
    struct source *source = &out->source;
    natsMsg *message = NULL;
    size_t bytes;
    natsStatus status = make_message(out, &message, &bytes);
    if (status == NATS_OK && is_too_large(out, bytes)) {
        natsMsg_Destroy(message);
        return QUOIT_FULL;
    }
    if (status == NATS_OK)
        status = natsConnection_PublishMsg(out->link.connection, message);
    natsMsg_Destroy(message);
    if (status != NATS_OK) {
        if (link_is_up(&out->link))
            (void)bridge_error(
                out->route, "queue '%s': the message of position %" PRIu64 " cannot be sent: %s",
                out->route->settings.queue, out->item.position, natsStatus_GetText(status));
        out->synchronized = false;
        return QUOIT_FULL;
    }
    out->indices[(source->read - 1) % source->window] = out->published++;
    out->has_item = out->flushed = false;
    bridge_add(&out->route->counters.bytes, out->item.bytes);
    return QUOIT_OK;
}

/* Publishes what there is room for. Returns the status that ended it. */
static quoit_status publish_some(struct out *out, bool *any_out)
{
    enum { AT_ONCE = 64 }; /* then acknowledgements are looked at again */
    for (int i = 0; i < AT_ONCE; i++) {
        if (out->published - out->acknowledged >= out->most)
            return QUOIT_EMPTY;
        quoit_status status = next_item(out);
        if (status == QUOIT_OK)
            status = publish(out);
        if (status != QUOIT_OK)
            return status;
        *any_out = true;
    }
    return QUOIT_OK;
}

/* ---- The loop -------------------------------------------------------------------------------- */

/* Why must the route synchronize again? */
static void report_lost(struct out *out)
{
    const struct acks_state acks = acks_look(&out->acks);
    if (!acks.has_reason)
        return;
    (void)bridge_error(out->route,
                       "stream '%s': refuses the message of queue '%s' (%s); the bridge tries "
                       "again, and the message stays in the queue",
                       out->route->settings.stream, out->route->settings.queue, acks.reason);
    bridge_put(&out->route->counters.blocked, 1);
    out->most = 1;
    bridge_sleep_ms(out->route, RETRY_MS);
}

static void check_link(struct out *out)
{
    if (bridge_get(&out->link.breaks) != out->breaks || !link_is_up(&out->link))
        out->synchronized = false;
    const uint64_t waited_ns = bridge_now_ns() - out->progress_at;
    if (out->published > out->acknowledged && waited_ns > ACK_TIMEOUT_MS * UINT64_C(1000000)) {
        (void)bridge_error(out->route,
                           "stream '%s': no acknowledgement for %d seconds; the bridge "
                           "tries again",
                           out->route->settings.stream, ACK_TIMEOUT_MS / 1000);
        out->synchronized = false;
    }
}

/* Waits until half of what is in flight is acknowledged. So the thread is not woken for each
   message, and the server always has the other half to work on. */
static void wait_for_half(struct out *out)
{
    const uint64_t in_flight = out->published - out->acknowledged;
    acks_wait(&out->acks, out->acknowledged + (in_flight + 1) / 2,
              in_flight >= out->most ? FULL_WAIT_NS : ACK_WAIT_NS);
}

/* There is nothing to publish now. Returns a status as source_next. */
static quoit_status idle(struct out *out)
{
    /* libnats would wait a millisecond for more. But a flush waits for the server's answer: with a
       large window that is full, it would only delay the next messages. */
    const bool is_full = out->most >= LARGE_WINDOW &&
                         out->published - out->acknowledged >= out->most;
    if (!out->flushed && !is_full)
        (void)natsConnection_FlushTimeout(out->link.connection, FLUSH_MS);
    out->flushed = out->flushed || !is_full;
    if (out->published > out->acknowledged)
        wait_for_half(out);
    else if (out->has_item)
        bridge_sleep_ms(out->route, RETRY_MS); /* it is too large */
    else if (out->source.read == out->source.released)
        return source_wait(&out->source, IDLE_MS * INT64_C(1000000));
    return QUOIT_OK;
}

/* One round. Returns what ends the route: FINISHED, REMOVED, or an error; else OK. */
static quoit_status step(struct out *out)
{
    bool any = take_acks(out);
    quoit_status status = release(out);
    if (status != QUOIT_OK || !out->synchronized)
        return status;
    status = publish_some(out, &any);
    const bool all = out->source.read == out->source.released;
    if (status == QUOIT_EMPTY || status == QUOIT_FULL || (status == QUOIT_FINISHED && !all))
        status = QUOIT_OK;
    if (status == QUOIT_OK && !any) {
        status = idle(out);
        if (status == QUOIT_FINISHED) /* the next round finds out whether all was read */
            status = QUOIT_OK;
    }
    if (status <= QUOIT_OK || status == QUOIT_FINISHED)
        return status;
    return all && source_is_removed(&out->source) ? QUOIT_ERROR_REMOVED : QUOIT_OK;
}

/* Waits for acknowledgements of what is in flight, so that the next bridge need not. */
static void settle(struct out *out)
{
    const uint64_t begin = bridge_now_ns();
    while (out->synchronized && out->published > out->acknowledged && link_is_up(&out->link) &&
           bridge_now_ns() - begin < STOP_MS * UINT64_C(1000000)) {
        (void)natsConnection_FlushTimeout(out->link.connection, FLUSH_MS);
        wait_for_half(out);
        (void)take_acks(out);
        (void)release(out);
    }
}

static int end(struct out *out, quoit_status status)
{
    if (status == QUOIT_FINISHED)
        bridge_note(out->route, "queue '%s': the stream of items has ended, and all are stored",
                    out->route->settings.queue);
    if (status >= QUOIT_OK)
        return BRIDGE_OK;
    if (status != QUOIT_ERROR_CORRUPT || !out->has_item)
        (void)bridge_error(out->route, "%s", quoit_describe(status));
    return BRIDGE_FAILED;
}

/* Carries one queue until it ends or is removed. -1: go on with the next queue of that name. */
static int carry(struct out *out)
{
    quoit_status status = QUOIT_OK;
    out->synchronized = out->has_item = false;
    out->most = out->source.window;
    while (status == QUOIT_OK && !bridge_stopped(out->route)) {
        if (!out->synchronized) {
            enum link_result result = synchronize(out);
            if (result == LINK_FATAL)
                return BRIDGE_FAILED;
            if (result == LINK_AGAIN)
                bridge_sleep_ms(out->route, RETRY_MS / 2);
            continue;
        }
        status = step(out);
        bridge_put(&out->route->counters.queued, quoit_queue_size(out->source.queue));
        check_link(out);
        if (!out->synchronized)
            report_lost(out);
    }
    settle(out);
    return status == QUOIT_ERROR_REMOVED ? -1 : end(out, status);
}

int bridge_run_out(struct bridge_route *route)
{
    struct out *out = calloc(1, sizeof *out);
    int code = -1;
    if (!out)
        return bridge_error(route, "out of memory");
    route->state = out;
    out->route = route;
    acks_init(&out->acks);
    while (code < 0) {
        quoit_status status = source_open(&out->source, route);
        if (status != QUOIT_OK) {
            code = status == QUOIT_INTERRUPTED ? BRIDGE_OK : BRIDGE_FAILED;
            break;
        }
        out->indices = calloc((size_t)out->source.window, sizeof *out->indices);
        code = out->indices ? carry(out) : bridge_error(route, "out of memory");
        free(out->indices);
        source_close(&out->source);
    }
    acks_close(&out->acks);
    link_close(&out->link);
    stored_free(&out->stored);
    return code;
}
