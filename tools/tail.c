/* SPDX-License-Identifier: MIT */
/* quoit tail: shows the messages in a queue, and new ones, and takes none of them. */
#include "fault.h"
#include "options.h"
#include "print.h"
#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 10, HEX_WIDTH = 16, STDOUT = 1 };

struct tail {
    const char *name;
    bool raw, hex, follow, limited;
    unsigned any_owner; /* 0 or QUOIT_ANY_OWNER */
    uint64_t lines;     /* of --lines */
    quoit_queue *queue;
    struct quoit_queue_info info;
    struct quoit_browser browser;
    unsigned char *buffer;
};

static const char help[] =
    "Prints the messages in the queue NAME, oldest first, and leaves all of them in the queue. It\n"
    "affects no member, and needs only read permission. Text is printed as lines; a message with\n"
    "other bytes is printed as a dump of offset, hexadecimal bytes and characters. On a terminal,\n"
    "format characters and bytes that are not UTF-8 are printed as escapes, \"\\u202e\".\n"
    "\n"
    "  -f, --follow     continue with new messages until the stream ends; wait until the queue\n"
    "                   exists. Messages that are popped before tail reads them are counted on\n"
    "                   stderr\n"
    "  -n, --lines N    start with the last N messages; 0: with the next message\n"
    "  -x, --hex        print text as a dump too\n"
    "  -r, --raw        write only the bytes of the messages\n"
    "      --any-owner  also print a queue of another user, if its permissions let you read it\n"
    "  -h, --help       print this help\n"
    "\n"
    "Exit codes: 0 printed; 1 an error, which is on stderr; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  quoit tail q\n"
    "  quoit tail q --follow --lines 0 | grep error\n"
    "  quoit tail readings --hex\n";

static const struct tool_option options[] = {
    {"follow", false, 'f'},    {"lines", true, 'n'}, {"hex", false, 'x'}, {"raw", false, 'r'},
    {"any-owner", false, 'A'}, {"help", false, 'h'}, {NULL, false, '\0'}};

/* -1 to go on, else an exit code. */
static int parse(struct tail *tail, int argc, char **argv)
{
    int letter;
    while ((letter = tool_option_next(argc, argv, "fn:xrh", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 'f':
            tail->follow = true;
            break;
        case 'n':
            tail->limited = true;
            if (!stream_number("--lines", tool_option_value, &tail->lines))
                return TOOL_USAGE;
            break;
        case 'x':
            tail->hex = true;
            break;
        case 'r':
            tail->raw = true;
            break;
        case 'A':
            tail->any_owner = QUOIT_ANY_OWNER;
            break;
        case 'h':
            return tool_help();
        default:
            return tool_option_refuse();
        }
    tail->name = stream_name(argc, argv, tool_operand);
    if (!tail->name)
        return TOOL_USAGE;
    if (tail->hex && tail->raw)
        return tool_usage("--hex cannot be combined with --raw; omit one of them");
    return -1;
}

static int enter(struct tail *tail)
{
    quoit_status status;
    const unsigned roles = QUOIT_OBSERVER | tail->any_owner;
    const uint64_t begin = stream_now_ns();
    bool hinted = false;
    while ((status = quoit_queue_open(tail->name, roles, &tail->queue)) == QUOIT_ERROR_NOT_FOUND &&
           tail->follow) {
        if (!hinted && stream_now_ns() - begin >= STREAM_HINT_MS * UINT64_C(1000000)) {
            tool_hint("waiting for queue '%s', which does not exist yet; Ctrl-C ends this",
                      tail->name);
            hinted = true;
        }
        stream_sleep_ms(POLL_MS);
    }
    if (status == QUOIT_OK)
        status = quoit_queue_inspect(tail->queue, &tail->info);
    if (status != QUOIT_OK)
        return tool_fail_quoit(status);
    tail->buffer = malloc((size_t)tail->info.item_bytes);
    return tail->buffer ? TOOL_OK
                        : tool_fail("out of memory: cannot allocate %llu bytes for an item",
                                    (unsigned long long)tail->info.item_bytes);
}

static quoit_status browse(struct tail *tail, struct quoit_browser *browser, uint64_t *bytes_out)
{
    return quoit_queue_browse(tail->queue, browser, tail->buffer, tail->info.item_bytes, bytes_out);
}

/* Counts the queued messages, and skips all but the last ones (--lines). */
static quoit_status skip(struct tail *tail)
{
    struct quoit_browser ahead = {0};
    uint64_t bytes, there = 0;
    quoit_status status;
    while ((status = browse(tail, &ahead, &bytes)) == QUOIT_OK && !fault_seen())
        there++;
    for (; there > tail->lines && status >= 0 && !fault_seen(); there--)
        status = browse(tail, &tail->browser, &bytes);
    tail->browser.missed = 0;
    return status < 0 ? status : QUOIT_OK;
}

static bool is_text(const unsigned char *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if ((bytes[i] < ' ' && bytes[i] != '\n' && bytes[i] != '\t' && bytes[i] != '\r') ||
            bytes[i] == 0x7f)
            return false;
    return true;
}

static void dump_line(const unsigned char *bytes, uint64_t offset, uint64_t count)
{
    (void)printf("%08llx ", (unsigned long long)offset);
    for (uint64_t i = 0; i < HEX_WIDTH; i++)
        (void)(i < count ? printf(" %02x", bytes[offset + i]) : printf("   "));
    (void)fputs("  |", stdout);
    for (uint64_t i = 0; i < count; i++) {
        unsigned char byte = bytes[offset + i];
        (void)putchar(byte >= ' ' && byte < 0x7f ? byte : '.');
    }
    (void)fputs("|\n", stdout);
}

static void show(const struct tail *tail, uint64_t bytes)
{
    if (!tail->raw && (tail->hex || !is_text(tail->buffer, bytes))) {
        for (uint64_t at = 0; at < bytes; at += HEX_WIDTH)
            dump_line(tail->buffer, at, bytes - at < HEX_WIDTH ? bytes - at : HEX_WIDTH);
        return;
    }
    if (!tail->raw && stream_is_terminal(STDOUT)) {
        (void)fflush(stdout);
        (void)stream_write_printable((const char *)tail->buffer, (size_t)bytes);
    } else {
        (void)fwrite(tail->buffer, 1, (size_t)bytes, stdout);
    }
    if (!tail->raw && (bytes == 0 || tail->buffer[bytes - 1] != '\n'))
        (void)putchar('\n');
}

static quoit_status show_all(struct tail *tail)
{
    uint64_t bytes;
    quoit_status status = tail->limited ? skip(tail) : QUOIT_OK;
    while (status == QUOIT_OK && !ferror(stdout) && !fault_seen()) {
        status = browse(tail, &tail->browser, &bytes);
        if (status == QUOIT_OK && !fault_seen())
            show(tail, bytes);
        if (status == QUOIT_EMPTY && tail->follow) {
            (void)fflush(stdout);
            stream_sleep_ms(POLL_MS);
            status = QUOIT_OK;
        }
    }
    return status;
}

static int run_in(struct tail *tail)
{
    quoit_status status = show_all(tail);
    if (fflush(stdout) != 0 || ferror(stdout))
        return tool_fail("cannot write to stdout: %s", strerror(errno));
    if (tail->browser.missed > 0 && tail->follow)
        (void)tool_fail(
            "%llu %s before they could be printed", (unsigned long long)tail->browser.missed,
            tail->info.messages && tail->info.kind == QUOIT_SPSC ? "times messages were popped"
                                                                 : "messages were popped");
    return status < 0 && !fault_seen() ? tool_fail_quoit(status) : TOOL_OK;
}

static int run(int argc, char **argv)
{
    struct tail tail = {0};
    int code = parse(&tail, argc, argv);
    if (code >= 0)
        return code;
    stream_binary();
    fault_begin();
    code = enter(&tail);
    if (code == TOOL_OK)
        code = run_in(&tail);
    quoit_queue_close(tail.queue);
    if (fault_end())
        code = tool_fail("'%s' was truncated while it was read; remove it with `quoit rm`",
                         tail.name);
    free(tail.buffer);
    return code;
}

const struct tool_command tool_tail = {
    .name = "tail",
    .arguments = "[OPTION...] NAME",
    .summary = "print a queue's messages, and leave them in it",
    .help = help,
    .any_owner = true,
    .run = run,
};
