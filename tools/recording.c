/* SPDX-License-Identifier: MIT */
/* A queue's description in an MCAP file: written by record, read by replay and --info. */
#include "recording.h"

#include "stream.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"spsc", "mpmc", "broadcast"};
static const char *const modes[] = {"consumer", "subscriber", "observer"};
enum { KINDS = sizeof kinds / sizeof *kinds, NUMBER_ROOM = 24 };

/* The numbers of a channel's metadata, each a field of the options. */
static const struct number {
    const char *key;
    size_t offset;
    bool is_wide; /* uint64_t */
} numbers[] = {
    {"quoit.capacity", offsetof(struct quoit_queue_options, capacity), true},
    {"quoit.item_bytes", offsetof(struct quoit_queue_options, item_bytes), true},
    {"quoit.user_bytes", offsetof(struct quoit_queue_options, user_bytes), true},
    {"quoit.when_full", offsetof(struct quoit_queue_options, when_full), false},
    {"quoit.messages", offsetof(struct quoit_queue_options, messages), false},
    {"quoit.item_align", offsetof(struct quoit_queue_options, item_align), false},
    {"quoit.members", offsetof(struct quoit_queue_options, members), false},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

const char *recording_mode_name(enum recording_mode mode)
{
    return modes[mode];
}

const char *recording_kind_name(uint32_t kind)
{
    return kind < KINDS ? kinds[kind] : "?";
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void print_number(char out[NUMBER_ROOM], uint64_t value)
{
    (void)snprintf(out, NUMBER_ROOM, "%" PRIu64, value);
}

static uint64_t get_number(const struct quoit_queue_options *options, const struct number *number)
{
    uint64_t wide;
    uint32_t narrow;
    const char *at = (const char *)options + number->offset;
    memcpy(&wide, at, number->is_wide ? sizeof wide : 0);
    memcpy(&narrow, at, number->is_wide ? 0 : sizeof narrow);
    return number->is_wide ? wide : narrow;
}

enum mcap_status recording_write_channel(struct mcap_writer *writer, const char *name,
                                         const char *encoding, enum recording_mode mode,
                                         const struct quoit_queue_info *info, uint64_t sequence,
                                         uint16_t *channel_out)
{
    const struct quoit_queue_options options = {
        .capacity = info->capacity,
        .item_bytes = info->item_bytes,
        .user_bytes = info->user_bytes,
        .when_full = info->when_full,
        .messages = info->messages,
        .item_align = info->item_align,
        .members = info->members,
    };
    char type[sizeof info->type + 1] = "", text[NUMBERS + 2][NUMBER_ROOM];
    struct mcap_pair pairs[NUMBERS + 5];
    size_t count = 0;
    memcpy(type, info->type, sizeof info->type);
    for (; count < NUMBERS; count++) {
        print_number(text[count], get_number(&options, &numbers[count]));
        pairs[count] = (struct mcap_pair){numbers[count].key, text[count]};
    }
    print_number(text[NUMBERS], info->created_at_unix_ns);
    print_number(text[NUMBERS + 1], sequence);
    pairs[count++] = (struct mcap_pair){"quoit.kind", recording_kind_name(info->kind)};
    pairs[count++] = (struct mcap_pair){"quoit.type", type};
    pairs[count++] = (struct mcap_pair){"quoit.created_at_unix_ns", text[NUMBERS]};
    pairs[count++] = (struct mcap_pair){"quoit.first_sequence", text[NUMBERS + 1]};
    pairs[count++] = (struct mcap_pair){"quoit.recorded_as", recording_mode_name(mode)};
    return mcap_write_channel(writer, name, encoding, type, pairs, count, channel_out);
}

enum mcap_status recording_write_counts(struct mcap_writer *writer, uint16_t channel,
                                        const char *name, uint64_t messages, uint64_t missed,
                                        const char *end)
{
    char text[3][NUMBER_ROOM];
    print_number(text[0], channel);
    print_number(text[1], messages);
    print_number(text[2], missed);
    const struct mcap_pair pairs[] = {{"channel", text[0]},
                                      {"topic", name},
                                      {"messages", text[1]},
                                      {"missed", text[2]},
                                      {"end", end}};
    const size_t count = sizeof pairs / sizeof *pairs;
    return mcap_write_metadata(writer, end ? RECORDING_END : RECORDING_MISSED, pairs,
                               end ? count : count - 1);
}

/* ---- Reading --------------------------------------------------------------------------------- */

#define problem(reader, ...) \
    ((void)snprintf((reader)->problem, sizeof(reader)->problem, __VA_ARGS__))

bool recording_begin(struct recording_channels *channels)
{
    *channels = (struct recording_channels){0};
    channels->by_id = calloc(RECORDING_CHANNELS_MOST, sizeof(struct recording_channel *));
    channels->order = calloc(RECORDING_CHANNELS_MOST, sizeof *channels->order);
    return channels->by_id && channels->order;
}

void recording_free(struct recording_channels *channels)
{
    for (size_t i = 0; i < channels->count; i++)
        free(channels->by_id[channels->order[i]]);
    free(channels->by_id);
    free(channels->order);
    *channels = (struct recording_channels){0};
}

static bool set_number(struct quoit_queue_options *options, const struct number *number,
                       uint64_t value)
{
    char *at = (char *)options + number->offset;
    const uint32_t narrow = (uint32_t)value;
    if (!number->is_wide && value > UINT32_MAX)
        return false;
    memcpy(at, number->is_wide ? (const void *)&value : (const void *)&narrow,
           number->is_wide ? sizeof value : sizeof narrow);
    return true;
}

/* Reads the queue's description. Without "quoit.kind" another program has written the channel.
   quoit_queue_create checks the values together. */
static bool read_options(struct mcap_text map, struct recording_channel *channel)
{
    struct mcap_text text;
    uint64_t value;
    channel->is_quoit = mcap_find(map, "quoit.kind", &text);
    if (!channel->is_quoit)
        return true;
    while (channel->options.kind < KINDS && !mcap_text_is(text, kinds[channel->options.kind]))
        channel->options.kind++;
    if (channel->options.kind == KINDS)
        return false;
    for (size_t i = 0; i < NUMBERS; i++)
        if (!mcap_find(map, numbers[i].key, &text) || !mcap_text_number(text, &value) ||
            !set_number(&channel->options, &numbers[i], value))
            return false;
    if (mcap_find(map, "quoit.type", &text))
        mcap_text_copy(text, channel->options.type, sizeof channel->options.type);
    if (mcap_find(map, "quoit.recorded_as", &text))
        mcap_text_copy(text, channel->mode, sizeof channel->mode);
    return true;
}

static bool has_topic(const struct recording_channel *channel, struct mcap_text topic)
{
    return mcap_text_is(topic, channel->topic);
}

enum mcap_status recording_take_channel(struct recording_channels *channels,
                                        struct mcap_reader *reader,
                                        const struct mcap_record *record,
                                        struct recording_channel **channel_out, bool *is_new_out)
{
    struct mcap_channel read;
    if (!mcap_read_channel(reader, record, &read))
        return MCAP_DAMAGED;
    struct recording_channel *channel = channels->by_id[read.id];
    *channel_out = channel;
    *is_new_out = !channel;
    if (channel && has_topic(channel, read.topic))
        return MCAP_OK;
    if (channel || read.topic.bytes >= RECORDING_TOPIC_ROOM || read.topic.bytes == 0 ||
        memchr(read.topic.text, 0, read.topic.bytes)) {
        problem(reader, "channel %u before byte %llu %s", (unsigned)read.id,
                (unsigned long long)reader->offset,
                channel ? "has two topics" : "has a topic that is empty or too long");
        return MCAP_DAMAGED;
    }
    channel = calloc(1, sizeof *channel + read.topic.bytes + 1);
    if (!channel)
        return MCAP_NO_MEMORY;
    channel->id = read.id;
    mcap_text_copy(read.topic, channel->topic, read.topic.bytes + 1);
    if (!read_options(read.metadata, channel)) {
        problem(reader, "channel %u before byte %llu does not describe a queue completely",
                (unsigned)read.id, (unsigned long long)reader->offset);
        free(channel);
        return MCAP_DAMAGED;
    }
    channels->by_id[read.id] = channel;
    channels->order[channels->count++] = read.id;
    *channel_out = channel;
    return MCAP_OK;
}

enum mcap_status recording_take_message(struct recording_channels *channels,
                                        struct mcap_reader *reader,
                                        const struct mcap_record *record,
                                        struct mcap_message *message_out,
                                        struct recording_channel **channel_out)
{
    if (!mcap_read_message(reader, record, message_out))
        return MCAP_DAMAGED;
    struct recording_channel *channel = channels->by_id[message_out->channel];
    if (!channel) {
        problem(reader, "a message before byte %llu belongs to channel %u, which the file lacks",
                (unsigned long long)reader->offset, (unsigned)message_out->channel);
        return MCAP_DAMAGED;
    }
    if (channel->messages++ == 0 || message_out->log_time < channel->first)
        channel->first = message_out->log_time;
    if (message_out->log_time > channel->last)
        channel->last = message_out->log_time;
    channel->bytes += message_out->bytes;
    *channel_out = channel;
    return MCAP_OK;
}

enum mcap_status recording_take_metadata(struct recording_channels *channels,
                                         struct mcap_reader *reader,
                                         const struct mcap_record *record,
                                         struct recording_channel **channel_out)
{
    struct mcap_text name, map, text;
    uint64_t id, missed;
    *channel_out = NULL;
    if (!mcap_read_metadata(reader, record, &name, &map))
        return MCAP_DAMAGED;
    const bool is_end = mcap_text_is(name, RECORDING_END);
    if ((!is_end && !mcap_text_is(name, RECORDING_MISSED)) || !mcap_find(map, "channel", &text) ||
        !mcap_text_number(text, &id) || id >= RECORDING_CHANNELS_MOST || !channels->by_id[id])
        return MCAP_OK; /* it is about something else */
    struct recording_channel *channel = channels->by_id[id];
    if (mcap_find(map, "missed", &text) && mcap_text_number(text, &missed))
        channel->missed = missed;
    if (is_end && mcap_find(map, "end", &text)) {
        mcap_text_copy(text, channel->end, sizeof channel->end);
        *channel_out = channel;
    }
    return MCAP_OK;
}

/* ---- Signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)signal(number, SIG_DFL);
    stopped = 1;
}

void recording_catch_stop(void)
{
    stream_catch(on_stop);
}

bool recording_is_stopped(void)
{
    return stopped != 0;
}
