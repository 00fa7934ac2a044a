/* SPDX-License-Identifier: MIT */
/* quoit replay: pushes the messages of an MCAP file into queues again, at the recorded times. */
#include "replay.h"

#include "options.h"
#include "stream.h"
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Pushes the messages of the MCAP file FILE into queues, in the order of the file. FILE is - "
    "for\n"
    "stdin. Creates each queue as it was when it was recorded, with the name that it had then. If "
    "a\n"
    "queue exists, replay joins it: its items must have the same size and type, but its kind and\n"
    "capacity may differ. Finishes a stream if the recording saw its end. A message waits while "
    "the\n"
    "queue is full.\n"
    "\n"
    "  -s, --speed N          1 (default): keep the distances between the log times; 2: replay in\n"
    "                         half the time; max: do not wait\n"
    "  -r, --rename A=B       push the messages of queue A into queue B; may be repeated\n"
    "  -w, --wait             begin when each queue has a consumer. Subscribers of a broadcast "
    "get\n"
    "                         only what is pushed after they joined\n"
    "  -F, --finish           finish the streams at the end of the file, even if the recording "
    "was\n"
    "                         stopped before their end\n"
    "      --any-owner        also push into queues of other users\n"
    "  -h, --help             print this help\n"
    "\n"
    "A file that is cut off, because its recorder or its machine crashed, is replayed up to its\n"
    "last whole chunk; the exit code is then 1. The same is true for a damaged file. A file names\n"
    "the queues that it is pushed into, so replay only files that you trust, or read the output\n"
    "of `quoit record --info` first. replay creates queues of at most 1G together. Files of other\n"
    "programs can be replayed into queues that exist, if their chunks are not compressed.\n"
    "\n"
    "Exit codes: 0 the whole file was replayed; 1 an error, which is on stderr; 2 wrong usage;\n"
    "3 Ctrl-C.\n"
    "\n"
    "Examples:\n"
    "  quoit replay trip.mcap\n"
    "  quoit replay --speed max --rename readings=test trip.mcap & quoit pop test --raw | od -t "
    "f8\n";

static const struct tool_option options[] = {
    {"speed", true, 's'},      {"rename", true, 'r'}, {"wait", false, 'w'}, {"finish", false, 'F'},
    {"any-owner", false, 'A'}, {"help", false, 'h'},  {NULL, false, '\0'}};

static bool parse_speed(struct replay *replay, const char *text)
{
    const double slowest = 1e-6, fastest = 1e6;
    char *end = NULL;
    const bool is_max = strcmp(text, "max") == 0;
    replay->speed = is_max ? 0 : strtod(text, &end);
    if (is_max ||
        (end != text && *end == '\0' && replay->speed >= slowest && replay->speed <= fastest))
        return true;
    (void)tool_usage("--speed is '%s'; it must be a number such as 2 or 0.5, or max", text);
    return false;
}

/* Splits A=B, in the argument itself. */
static bool parse_rename(struct replay *replay, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0') {
        (void)tool_usage("--rename is '%s'; it must be the recorded name, =, and another name",
                         text);
        return false;
    }
    *equals = '\0';
    replay->renames[replay->rename_count++] = (struct replay_rename){text, equals + 1, false};
    return true;
}

/* -1 to go on, else an exit code. */
static int parse(struct replay *replay, int argc, char **argv)
{
    int letter;
    while ((letter = tool_option_next(argc, argv, "s:r:wFh", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 's':
            if (!parse_speed(replay, tool_option_value))
                return TOOL_USAGE;
            break;
        case 'r':
            if (!parse_rename(replay, tool_option_value))
                return TOOL_USAGE;
            break;
        case 'w':
            replay->wait = true;
            break;
        case 'F':
            replay->finish = true;
            break;
        case 'A':
            replay->any_owner = QUOIT_ANY_OWNER;
            break;
        case 'h':
            return tool_help();
        default:
            return tool_option_refuse();
        }
    if (tool_operand == argc)
        return tool_usage("no FILE was given; pass a file that `quoit record` has written");
    if (tool_operand + 1 < argc)
        return tool_usage("unexpected argument '%s'; pass only one FILE", argv[tool_operand + 1]);
    replay->path = argv[tool_operand];
    return -1;
}

/* ---- Time ------------------------------------------------------------------------------------ */

/* Waits until a message of that log time is due. Messages of a file may be out of order: an earlier
   one is due at once. */
static void wait_until_due(const struct replay *replay, uint64_t log_time)
{
    const double slice_ns = 1e8; /* between checks for Ctrl-C */
    if (replay->speed <= 0 || log_time <= replay->first_ns)
        return;
    const double due = (double)(log_time - replay->first_ns) / replay->speed;
    while (!recording_is_stopped()) {
        const double left = due - (double)(stream_now_ns() - replay->begin_ns);
        if (left < 1)
            return;
        stream_sleep_ns((uint64_t)(left < slice_ns ? left : slice_ns));
    }
}

/* ---- The file -------------------------------------------------------------------------------- */

/* An exit code in `code`, or a status of the file: at most one of them is not 0. */
struct step {
    int code;
    enum mcap_status status;
};

static struct step take_channel(struct replay *replay, struct recording_channels *channels,
                                struct mcap_reader *reader, const struct mcap_record *record)
{
    struct recording_channel *channel;
    bool is_new;
    struct step step = {TOOL_OK,
                        recording_take_channel(channels, reader, record, &channel, &is_new)};
    if (step.status == MCAP_OK && is_new)
        step.code = replay_enter(replay, channel);
    return step;
}

static struct step take_message(struct replay *replay, struct recording_channels *channels,
                                struct mcap_reader *reader, const struct mcap_record *record)
{
    struct recording_channel *channel;
    struct mcap_message message;
    struct step step = {TOOL_OK,
                        recording_take_message(channels, reader, record, &message, &channel)};
    if (step.status != MCAP_OK)
        return step;
    if (!replay->begun) {
        step.code = replay->wait ? replay_wait(replay) : TOOL_OK;
        replay->begun = true;
        replay->begin_ns = stream_now_ns();
        replay->first_ns = message.log_time;
    }
    wait_until_due(replay, message.log_time);
    if (step.code == TOOL_OK)
        step.code = recording_is_stopped() ? TOOL_NOTHING : replay_push(replay, channel, &message);
    return step;
}

static struct step take(struct replay *replay, struct recording_channels *channels,
                        struct mcap_reader *reader, const struct mcap_record *record)
{
    struct recording_channel *channel;
    struct step step = {TOOL_OK, MCAP_OK};
    if (record->op == MCAP_CHANNEL)
        return take_channel(replay, channels, reader, record);
    if (record->op == MCAP_MESSAGE)
        return take_message(replay, channels, reader, record);
    if (record->op == MCAP_METADATA) {
        step.status = recording_take_metadata(channels, reader, record, &channel);
        if (step.status == MCAP_OK && channel && strcmp(channel->end, RECORDING_FINISHED) == 0)
            step.code = replay_finish(channel);
    }
    return step;
}

static int check_renames(const struct replay *replay)
{
    for (size_t i = 0; i < replay->rename_count; i++)
        if (!replay->renames[i].used)
            return tool_fail("--rename: '%s' has no recording of a queue '%s'; `quoit record "
                             "--info %s` lists those that it has",
                             replay->path, replay->renames[i].from, replay->path);
    return TOOL_OK;
}

static int fail(const struct replay *replay, const struct mcap_reader *reader,
                enum mcap_status status)
{
    enum { DONE_ROOM = 80 };
    char done[DONE_ROOM];
    (void)snprintf(done, sizeof done, "the %" PRIu64 " messages before that were replayed",
                   replay->messages);
    return mcap_read_fail(reader, status, replay->path, done);
}

static int stream(struct replay *replay, struct mcap_reader *reader,
                  struct recording_channels *channels)
{
    struct mcap_record record;
    const int file = stream_open(replay->path);
    struct step step = {TOOL_OK, file < 0 ? MCAP_SYSTEM : mcap_read_begin(reader, file)};
    if (step.status == MCAP_OK && !recording_begin(channels))
        step.status = MCAP_NO_MEMORY;
    while (step.status == MCAP_OK && step.code == TOOL_OK) {
        step.status = mcap_read_next(reader, &record);
        if (step.status == MCAP_OK)
            step = take(replay, channels, reader, &record);
    }
    if (step.code != TOOL_OK)
        return step.code;
    const int code = step.status == MCAP_END ? check_renames(replay)
                                             : fail(replay, reader, step.status);
    const int finished = replay->finish ? replay_finish_all(replay) : TOOL_OK;
    return code == TOOL_OK ? finished : code;
}

static int run(int argc, char **argv)
{
    struct replay replay = {.speed = 1};
    struct mcap_reader reader = {.file = -1};
    struct recording_channels channels = {0};
    replay.renames = calloc((size_t)argc, sizeof *replay.renames);
    int code = replay.renames ? parse(&replay, argc, argv)
                              : tool_fail("out of memory: cannot allocate %d names", argc);
    if (code < 0) {
        stream_binary();
        recording_catch_stop();
        code = stream(&replay, &reader, &channels);
    }
    replay_close(&replay);
    recording_free(&channels);
    mcap_read_free(&reader);
    free(replay.renames);
    return code;
}

const struct tool_command tool_replay = {
    .name = "replay",
    .arguments = "[OPTION...] FILE",
    .summary = "push the messages of a recording again",
    .help = help,
    .any_owner = true,
    .run = run,
};
