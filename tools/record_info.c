/* SPDX-License-Identifier: MIT */
/* quoit record --info: reads an MCAP file from its beginning to its end, and prints a summary. */
#include "recording.h"

#include "print.h"
#include "stream.h"
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { LIBRARY_ROOM = 80, TIME_ROOM = 40 };

struct info {
    struct mcap_reader reader;
    struct recording_channels channels;
    char library[LIBRARY_ROOM];
};

static enum mcap_status take(struct info *info, const struct mcap_record *record)
{
    struct recording_channel *channel;
    struct mcap_message message;
    struct mcap_text library;
    bool is_new;
    switch (record->op) {
    case MCAP_HEADER:
        if (!mcap_read_header(&info->reader, record, &library))
            return MCAP_DAMAGED;
        mcap_text_copy(library, info->library, sizeof info->library);
        return MCAP_OK;
    case MCAP_CHANNEL:
        return recording_take_channel(&info->channels, &info->reader, record, &channel, &is_new);
    case MCAP_MESSAGE:
        return recording_take_message(&info->channels, &info->reader, record, &message, &channel);
    case MCAP_METADATA:
        return recording_take_metadata(&info->channels, &info->reader, record, &channel);
    default:
        return MCAP_OK;
    }
}

static void print_time(uint64_t unix_ns, char out[TIME_ROOM])
{
    const time_t seconds = (time_t)(unix_ns / 1000000000);
    const struct tm *utc = gmtime(&seconds);
    if (!utc || strftime(out, TIME_ROOM, "%Y-%m-%d %H:%M:%S UTC", utc) == 0)
        (void)snprintf(out, TIME_ROOM, "%" PRIu64 " ns", unix_ns);
}

static void print_channel(const struct recording_channel *channel)
{
    const struct quoit_queue_options *options = &channel->options;
    char first[TIME_ROOM];
    print_line(channel->topic);
    if (channel->is_quoit) {
        printf("  queue      %s%s of %" PRIu64 " %s of %s%" PRIu64 " bytes",
               options->kind == QUOIT_BROADCAST && options->when_full == QUOIT_DROP_OLDEST
                   ? "lossy "
                   : "",
               recording_kind_name(options->kind), options->capacity,
               options->messages ? "messages" : "items", options->messages ? "up to " : "",
               options->item_bytes);
        if (options->type[0] != '\0') {
            (void)fputs(", type ", stdout);
            print_text(stdout, options->type);
        }
        (void)fputs("\n  recorded   as ", stdout);
        print_text(stdout, channel->mode);
        (void)fputs(channel->end[0] != '\0' ? ", " : ", its end is not in the file", stdout);
        print_text(stdout, channel->end);
        (void)putchar('\n');
    } else {
        (void)puts("  queue      none: another program wrote this channel");
    }
    printf("  messages   %" PRIu64 ", %" PRIu64 " bytes", channel->messages, channel->bytes);
    if (channel->missed > 0)
        printf(", %" PRIu64 " missed", channel->missed);
    (void)putchar('\n');
    if (channel->messages == 0)
        return;
    print_time(channel->first, first);
    printf("  time       %s, %.3f s long\n", first, (double)(channel->last - channel->first) / 1e9);
}

static void print(const struct info *info, const char *path, enum mcap_status status)
{
    print_line(path);
    (void)fputs("  written by ", stdout);
    print_line(info->library);
    printf("  size       %" PRIu64 " bytes, %" PRIu64 " chunks, %s\n", info->reader.offset,
           info->reader.chunks, status == MCAP_END ? "complete" : "not complete");
    for (size_t i = 0; i < info->channels.count; i++)
        print_channel(info->channels.by_id[info->channels.order[i]]);
}

int recording_info(const char *path)
{
    struct info info = {.library = ""};
    struct mcap_record record;
    stream_binary();
    const int file = stream_open(path);
    enum mcap_status status = file < 0 ? MCAP_SYSTEM : mcap_read_begin(&info.reader, file);
    if (status == MCAP_OK && !recording_begin(&info.channels))
        status = MCAP_NO_MEMORY;
    while (status == MCAP_OK) {
        status = mcap_read_next(&info.reader, &record);
        if (status == MCAP_OK)
            status = take(&info, &record);
    }
    int code = TOOL_OK;
    if (status == MCAP_END || status == MCAP_CUT_OFF || status == MCAP_DAMAGED) {
        print(&info, path, status);
        code = print_end(TOOL_OK);
    }
    if (status != MCAP_END)
        code = mcap_read_fail(&info.reader, status, path,
                              "the counts are those of the records before that");
    recording_free(&info.channels);
    mcap_read_free(&info.reader);
    return code;
}
