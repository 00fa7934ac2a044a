/* SPDX-License-Identifier: MIT */
/* quoit record: records the messages of queues in an MCAP file, which is written to stdout. */
#include "record.h"

#include "fault.h"
#include "options.h"
#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STDOUT = 1,
    AWAIT_MS = 10, /* between tries to open a queue that does not exist yet */
    WAIT_MS = 100, /* between checks for Ctrl-C */
    BROWSE_MS = 1  /* between looks at a queue that nothing wakes this process for */
};
static const int64_t ns_per_ms = 1000000;

static const char help[] =
    "Records the messages of the queues NAME... in an MCAP file (https://mcap.dev), which it\n"
    "writes to stdout. `quoit replay` pushes them again; Foxglove and other programs read such\n"
    "files. Waits for queues that do not exist yet. Ends with the streams, or by Ctrl-C; a second\n"
    "Ctrl-C ends it at once, without the end of the file. Use a new file for each recording: the\n"
    "shell empties a file that exists.\n"
    "\n"
    "From a broadcast, record gets all messages as a subscriber: nothing is lost if producers\n"
    "wait for subscribers; otherwise missed messages are counted. From other queues, record takes\n"
    "the messages as a consumer. It releases a message after it was written to the file. So a\n"
    "message that was committed is in the queue or in the file, also if record is killed or the\n"
    "disk is full. If record is killed between the two, the messages of the file's last chunk may\n"
    "be in the queue too: the next recording begins with them, under the same sequence numbers "
    "if\n"
    "the queue is SPSC. When the stream has ended and the queue is empty, record removes the "
    "queue\n"
    "(but not a broadcast).\n"
    "\n"
    "Messages are written in chunks: when a chunk has 1M, after --flush seconds, and when half of\n"
    "the queue is taken and not released. A chunk that is whole, with its checksum, is readable. "
    "So\n"
    "if record is killed while it writes, `quoit replay` and --info read the file up to the last\n"
    "whole chunk. From a broadcast, a killed record loses the messages of at most one chunk.\n"
    "\n"
    "  -o, --observe          take nothing: copy the messages beside the queues' consumers, and\n"
    "                         count those that were popped too early. Begins with the oldest\n"
    "                         queued message. Needs only read permission\n"
    "  -s, --sync             wait until a chunk is on the disk before its messages are released,\n"
    "                         so that they survive a power failure\n"
    "  -f, --flush SECONDS    write a chunk at least so often; default 0.2\n"
    "  -e, --encoding NAME    the encoding of the messages, such as json, for other programs that\n"
    "                         read the file; default quoit\n"
    "  -k, --keep             do not remove a queue when its stream has ended\n"
    "      --from-oldest      from a broadcast: begin with the oldest message that is kept, not\n"
    "                         with the next one\n"
    "      --any-owner        also record queues of other users; they can change the content\n"
    "  -i, --info             print what the file NAME contains, or stdin for -, and record "
    "nothing\n"
    "  -h, --help             print this help\n"
    "\n"
    "A message's log time is when record took it. Its sequence counts the messages of the queue,\n"
    "with those that were missed: from the queue's creation for a consumer of an SPSC queue and "
    "for\n"
    "an observer (from the start of the recording if an SPSC queue has variable-size messages),\n"
    "otherwise from the start of the recording.\n"
    "\n"
    "Exit codes: 0 the streams have ended, or Ctrl-C; 1 an error, which is on stderr, such as a\n"
    "full disk; with --info, a file that is cut off or damaged; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  quoit record readings frames > trip.mcap\n"
    "  quoit record --observe jobs > jobs.mcap     # workers still get all jobs\n"
    "  quoit record --info trip.mcap\n";

static const struct tool_option options[] = {{"observe", false, 'o'},   {"sync", false, 's'},
                                             {"flush", true, 'f'},      {"encoding", true, 'e'},
                                             {"keep", false, 'k'},      {"from-oldest", false, 'O'},
                                             {"any-owner", false, 'A'}, {"info", false, 'i'},
                                             {"help", false, 'h'},      {NULL, false, '\0'}};

/* -1 to go on, else an exit code. */
static int parse(struct record *record, bool *info_out, int argc, char **argv)
{
    int letter;
    while ((letter = tool_option_next(argc, argv, "osf:e:kih", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 'o':
            record->observe = true;
            break;
        case 's':
            record->sync = true;
            break;
        case 'f':
            if (!stream_seconds("--flush", tool_option_value, &record->flush_ns))
                return TOOL_USAGE;
            break;
        case 'e':
            record->encoding = tool_option_value;
            break;
        case 'k':
            record->keep = true;
            break;
        case 'O':
            record->oldest = true;
            break;
        case 'A':
            record->any_owner = QUOIT_ANY_OWNER;
            break;
        case 'i':
            *info_out = true;
            break;
        case 'h':
            return tool_help();
        default:
            return tool_option_refuse();
        }
    if (tool_operand == argc)
        return tool_usage("no NAME was given; pass the name of a queue%s",
                          *info_out ? "'s recording" : "");
    for (int i = tool_operand; i < argc; i++)
        for (int k = tool_operand; k < i && !*info_out; k++)
            if (strcmp(argv[i], argv[k]) == 0)
                return tool_usage("'%s' is given twice; pass each NAME once", argv[i]);
    return -1;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Writes the chunk, then releases its messages. */
static int flush(struct record *record)
{
    const bool sync = record->sync && record->writer.chunk_messages > 0;
    enum mcap_status status = mcap_write_chunk(&record->writer);
    if (status == MCAP_OK && sync && !stream_sync())
        status = MCAP_SYSTEM;
    int code = record_fail(record, status);
    for (size_t i = 0; i < record->count && !record->broken; i++) {
        struct record_queue *queue = &record->queues[i];
        const int released = queue->queue ? record_release(queue) : TOOL_OK;
        code = code == TOOL_OK ? released : code;
        if (queue->missed == queue->missed_written || record->broken)
            continue;
        queue->missed_written = queue->missed;
        status = recording_write_counts(&record->writer, queue->channel, queue->name,
                                        queue->messages, queue->missed, NULL);
        if (status != MCAP_OK)
            return record_fail(record, status);
    }
    return code;
}

static bool is_due(const struct record *record)
{
    if (record->writer.chunk.count >= RECORD_CHUNK_BYTES)
        return true;
    for (size_t i = 0; i < record->count; i++)
        if (record->queues[i].held >= record->queues[i].held_max || record->queues[i].due ||
            (record->queues[i].queue && record->queues[i].finished))
            return true;
    return record->writer.chunk_messages > 0 &&
           stream_now_ns() - record->chunk_begun_ns >= (uint64_t)record->flush_ns;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* Waits until there may be something to do. waits has room for all queues. */
static int wait_for_work(const struct record *record, struct quoit_wait *waits)
{
    size_t count = 0;
    int64_t most_ns = WAIT_MS * ns_per_ms;
    bool browses = record->observe;
    for (size_t i = 0; i < record->count; i++) {
        const struct record_queue *queue = &record->queues[i];
        if (!queue->queue && !queue->ended)
            most_ns = AWAIT_MS * ns_per_ms;
        if (!queue->queue)
            continue;
        const bool is_mpmc = queue->handle_count > 0;
        browses = browses || (queue->held > 0 && !is_mpmc); /* a wait would find the held ones */
        waits[count++] = (struct quoit_wait){
            .queue = is_mpmc ? queue->handles[queue->held] : queue->queue, .events = QUOIT_ITEMS};
    }
    if (record->writer.chunk_messages > 0) {
        const uint64_t passed = stream_now_ns() - record->chunk_begun_ns;
        const uint64_t limit = (uint64_t)record->flush_ns;
        const uint64_t left = passed < limit ? limit - passed : 0;
        most_ns = left < (uint64_t)most_ns ? (int64_t)left : most_ns;
    }
    if (browses || count == 0) {
        stream_sleep_ms(browses ? BROWSE_MS : AWAIT_MS);
        return TOOL_OK;
    }
    const quoit_status status = quoit_wait_any(waits, count, most_ns);
    return status < 0 ? tool_fail_quoit(status) : TOOL_OK;
}

/* On a terminal, prints which queues this waits for. */
static void hint(const struct record *record)
{
    for (size_t i = 0; i < record->count; i++)
        if (!record->queues[i].queue && !record->queues[i].ended)
            tool_hint("waiting for queue '%s', which does not exist yet; Ctrl-C ends this",
                      record->queues[i].name);
}

/* ---- The recording --------------------------------------------------------------------------- */

/* One turn of all queues. moved_out: there were messages. */
static int take_turn(struct record *record, bool *moved_out)
{
    int code = TOOL_OK;
    *moved_out = false;
    for (size_t i = 0; i < record->count && code == TOOL_OK; i++) {
        struct record_queue *queue = &record->queues[i];
        if (!queue->queue && !queue->ended)
            code = record_open(record, queue);
        if (code == TOOL_OK && queue->queue)
            code = record_gather(record, queue, moved_out);
    }
    if (code == TOOL_OK && is_due(record))
        code = flush(record);
    for (size_t i = 0; i < record->count && code == TOOL_OK; i++)
        if (record->queues[i].queue && record->queues[i].finished)
            code = record_end(record, &record->queues[i]);
    return code;
}

static bool has_ended(const struct record *record)
{
    for (size_t i = 0; i < record->count; i++)
        if (!record->queues[i].ended)
            return false;
    return true;
}

static int stream(struct record *record, struct quoit_wait *waits)
{
    const uint64_t begin = stream_now_ns();
    bool moved = false, hinted = false;
    int code = TOOL_OK;
    while (code == TOOL_OK && !recording_is_stopped() && !fault_seen() && !has_ended(record)) {
        code = take_turn(record, &moved);
        if (code == TOOL_OK && !moved && !has_ended(record))
            code = wait_for_work(record, waits);
        if (!hinted && stream_now_ns() - begin >= STREAM_HINT_MS * (uint64_t)ns_per_ms) {
            hint(record);
            hinted = true;
        }
    }
    return code;
}

/* Takes what is queued for a subscriber or an observer: it would be lost. At most as many messages
   as the queue holds, since producers may push more meanwhile. */
static int take_rest(struct record *record, struct record_queue *queue)
{
    int code = TOOL_OK;
    bool moved = queue->mode != RECORDING_CONSUMER && !fault_seen();
    const uint64_t end = queue->messages + queue->info.capacity;
    while (code == TOOL_OK && moved && queue->messages < end) {
        moved = false;
        code = record_gather(record, queue, &moved);
        if (code == TOOL_OK && is_due(record))
            code = flush(record);
    }
    return code;
}

/* Ends the file, also after an error of a queue, unless stdout cannot be written. */
static int end(struct record *record, int code)
{
    for (size_t i = 0; i < record->count && !record->broken && code == TOOL_OK; i++)
        if (record->queues[i].queue)
            code = take_rest(record, &record->queues[i]);
    if (!record->broken) {
        const int flushed = flush(record);
        code = code == TOOL_OK ? flushed : code;
    }
    for (size_t i = 0; i < record->count && !record->broken; i++) {
        struct record_queue *queue = &record->queues[i];
        const int ended = queue->queue ? record_end(record, queue) : TOOL_OK;
        code = code == TOOL_OK ? ended : code;
        if (!queue->ended && code == TOOL_OK)
            code = tool_fail("queue '%s' did not exist, so none of its messages is in the file",
                             queue->name);
    }
    if (!record->broken) {
        enum mcap_status status = mcap_write_end(&record->writer);
        if (status == MCAP_OK && record->sync && !stream_sync())
            status = MCAP_SYSTEM;
        const int ended = record_fail(record, status);
        code = code == TOOL_OK ? ended : code;
    }
    return code;
}

/* Is stdout the beginning of a file? A second recording behind another one could not be read. */
static int begin(struct record *record)
{
    if (stream_is_terminal(STDOUT))
        return tool_usage("stdout is a terminal; redirect it to a file, as in `quoit record %s > "
                          "FILE`",
                          record->queues[0].name);
    if (fseek(stdout, 0, SEEK_END) == 0 && ftell(stdout) > 0)
        return tool_fail("stdout is a file that contains %ld bytes; use a new file, or > and not "
                         ">>, since a file contains only one recording",
                         ftell(stdout));
    if (record->sync && !stream_sync())
        return tool_fail("cannot synchronize stdout: %s; --sync needs a file, so redirect stdout "
                         "to one, or omit --sync",
                         strerror(errno));
    const uint64_t now = stream_unix_ns();
    record->clock_ns = now - stream_now_ns();
    return record_fail(record, mcap_write_begin(&record->writer, "quoit " QUOIT_TOOL_VERSION));
}

static int run_in(struct record *record, struct quoit_wait *waits)
{
    int code = begin(record);
    if (code != TOOL_OK)
        return code;
    recording_catch_stop();
    fault_begin();
    code = end(record, stream(record, waits));
    if (fault_end())
        code = tool_fail("a queue was truncated while it was recorded; find it with `quoit check`, "
                         "and remove it with `quoit rm`");
    return code;
}

static int run(int argc, char **argv)
{
    struct record record = {.flush_ns = 200 * ns_per_ms, .encoding = "quoit"};
    bool info = false;
    int code = parse(&record, &info, argc, argv);
    if (code >= 0)
        return code;
    if (info)
        return tool_operand + 1 == argc ? recording_info(argv[tool_operand])
                                        : tool_usage("unexpected argument '%s'; pass only one file",
                                                     argv[tool_operand + 1]);
    stream_binary();
    record.count = (size_t)(argc - tool_operand);
    record.queues = calloc((size_t)argc, sizeof *record.queues);
    struct quoit_wait *waits = calloc((size_t)argc, sizeof *waits);
    for (size_t i = 0; i < record.count && record.queues; i++)
        record.queues[i].name = argv[(size_t)tool_operand + i];
    code = record.queues && waits
               ? run_in(&record, waits)
               : tool_fail("out of memory: cannot allocate %zu queues", record.count);
    for (size_t i = 0; i < record.count && record.queues; i++)
        record_close(&record.queues[i]);
    mcap_write_free(&record.writer);
    free(record.queues);
    free(waits);
    return code;
}

const struct tool_command tool_record = {
    .name = "record",
    .arguments = "[OPTION...] NAME...",
    .summary = "record queues in an MCAP file",
    .help = help,
    .any_owner = true,
    .run = run,
};
