/* SPDX-License-Identifier: MIT */
/*
 * quoit push: pushes stdin into a queue. In a queue that push itself has made, a message may be a
 * block of lines, as many as are available. In any other queue, a message is a line.
 */
#include "options.h"
#include "print.h"
#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCKS = 16,           /* of STREAM_BLOCK_BYTES, in a queue that push makes */
    RECORD_MORE_BYTES = 16 /* a slot's, beside the record, at the most */
};

struct push {
    const char *name;
    struct quoit_queue_options make; /* options that are not given are 0 */
    bool raw, each, blocks, keep;
    unsigned any_owner; /* 0 or QUOIT_ANY_OWNER */
    bool hinted;        /* the hint about what this waits for is printed */
    bool counted;
    uint64_t left; /* of --count */
    int64_t timeout_ns;
    quoit_queue *queue;
    struct quoit_queue_info info;
    char *buffer; /* `filled` bytes that were read and not sent yet */
    size_t room, filled;
    uint64_t lines; /* sent */
};

static const char help[] =
    "Reads lines from stdin and pushes them into the queue NAME, for `quoit pop` or any program\n"
    "that uses the queue. Waits while the queue is full. Creates the queue if it does not exist;\n"
    "replaces a queue that is finished and empty with a new one. At the end of its input, push\n"
    "finishes the stream: a consumer gets the remaining items, and then the end.\n"
    "\n"
    "  -c, --count N          end after N lines (with --raw: N records)\n"
    "  -r, --raw              push records of exactly the queue's item size, not lines\n"
    "  -e, --each             push one message per line, without its newline (the default, except\n"
    "                         for an SPSC queue that push creates)\n"
    "  -b, --blocks           push as many complete lines as were read in one message, with their\n"
    "                         newlines. This is as fast as a pipe, and never waits for more "
    "lines.\n"
    "                         `quoit pop` writes the same text in both cases\n"
    "  -k, --keep             do not finish the stream: other producers continue it, now or later\n"
    "  -t, --timeout SECONDS  end if the queue stays full for that long\n"
    "      --any-owner        also push into a queue of another user; that user can change its\n"
    "                         content\n"
    "  -h, --help             print this help\n"
    "\n"
    "For a queue that push creates (if the queue exists, each given value must match it):\n"
    "      --kind KIND        spsc (default); mpmc: one of many consumers gets each message;\n"
    "                         broadcast: every consumer gets all messages\n"
    "      --capacity N       messages; default 64, or 16 for blocks of lines (spsc without\n"
    "                         --each); for records about as many as fit into 1M, at least 16\n"
    "      --item-bytes N     the length of the longest line, or the size of a record (required\n"
    "                         with --raw); N may end in K, M or G; default 64K\n"
    "      --permissions MODE octal, as for chmod; default 600\n"
    "\n"
    "Exit codes: 0 all input was pushed; 1 an error, which is on stderr, after the messages "
    "before\n"
    "it were pushed; 2 wrong usage; 3 the timeout expired.\n"
    "\n"
    "Examples:\n"
    "  producer_program | quoit push q &  quoit pop q | consumer_program\n"
    "  find . | quoit push jobs --kind mpmc     # each `quoit pop jobs` gets some of the lines\n"
    "  date | quoit push log --keep             # append one line\n"
    "  sensor | quoit push readings --raw --item-bytes 16\n";

static bool parse_kind(const char *text, struct quoit_queue_options *make)
{
    static const char *const names[] = {"spsc", "mpmc", "broadcast"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            make->kind = (uint32_t)i;
            return true;
        }
    (void)tool_usage("--kind is '%s'; it must be spsc, mpmc or broadcast", text);
    return false;
}

static bool parse_bytes(const char *text, struct quoit_queue_options *make)
{
    uint64_t bytes;
    if (!stream_number("--item-bytes", text, &bytes))
        return false;
    if (bytes == 0 || bytes > UINT32_MAX) {
        (void)tool_usage("--item-bytes is '%s'; it must be 1 to 4294967295", text);
        return false;
    }
    make->item_bytes = (uint32_t)bytes;
    return true;
}

static bool parse_permissions(const char *text, struct quoit_queue_options *make)
{
    char *end;
    unsigned long mode = strtoul(text, &end, 8);
    if (end == text || *end != '\0' || mode == 0 || mode > 0777) {
        (void)tool_usage("--permissions is '%s'; it must be octal digits up to 777, such as 600",
                         text);
        return false;
    }
    make->permissions = (uint32_t)mode;
    return true;
}

static bool parse_capacity(const char *text, struct quoit_queue_options *make)
{
    if (!stream_number("--capacity", text, &make->capacity))
        return false;
    if (make->capacity == 0)
        (void)tool_usage("--capacity is 0; it must be at least 1");
    return make->capacity != 0;
}

/* -1 to go on, else an exit code. */
static int parse_option(struct push *push, int letter, bool *kind_given)
{
    switch (letter) {
    case 'c':
        push->counted = true;
        return stream_number("--count", tool_option_value, &push->left) ? -1 : TOOL_USAGE;
    case 'r':
        push->raw = true;
        return -1;
    case 'e':
        push->each = true;
        return -1;
    case 'b':
        push->blocks = true;
        return -1;
    case 'k':
        push->keep = true;
        return -1;
    case 't':
        return stream_seconds("--timeout", tool_option_value, &push->timeout_ns) ? -1 : TOOL_USAGE;
    case 'K':
        *kind_given = true;
        return parse_kind(tool_option_value, &push->make) ? -1 : TOOL_USAGE;
    case 'C':
        return parse_capacity(tool_option_value, &push->make) ? -1 : TOOL_USAGE;
    case 'I':
        return parse_bytes(tool_option_value, &push->make) ? -1 : TOOL_USAGE;
    case 'P':
        return parse_permissions(tool_option_value, &push->make) ? -1 : TOOL_USAGE;
    case 'A':
        push->any_owner = QUOIT_ANY_OWNER;
        return -1;
    case 'h':
        return tool_help();
    default:
        return tool_option_refuse();
    }
}

static int parse(struct push *push, int argc, char **argv, bool *kind_given)
{
    static const struct tool_option options[] = {
        {"count", true, 'c'},      {"raw", false, 'r'},     {"each", false, 'e'},
        {"blocks", false, 'b'},    {"keep", false, 'k'},    {"timeout", true, 't'},
        {"kind", true, 'K'},       {"capacity", true, 'C'}, {"item-bytes", true, 'I'},
        {"any-owner", false, 'A'}, {"help", false, 'h'},    {"permissions", true, 'P'},
        {NULL, false, '\0'}};
    int letter;
    while ((letter = tool_option_next(argc, argv, "c:rebkt:h", options)) != TOOL_OPTIONS_END) {
        int code = parse_option(push, letter, kind_given);
        if (code >= 0)
            return code;
    }
    push->name = stream_name(argc, argv, tool_operand);
    if (!push->name)
        return TOOL_USAGE;
    if (push->raw + push->each + push->blocks > 1)
        return tool_usage("--raw, --each and --blocks cannot be combined; use one of them");
    return -1;
}

/* As many records as take about the bytes of BLOCKS blocks, but at least BLOCKS. */
static uint64_t default_records(uint64_t bytes)
{
    const uint64_t all = (uint64_t)BLOCKS * STREAM_BLOCK_BYTES;
    uint64_t count = all / (bytes + RECORD_MORE_BYTES);
    return count > BLOCKS ? count : BLOCKS;
}

static int make(struct push *push)
{
    struct quoit_queue_options options = push->make;
    if (push->raw && options.item_bytes == 0)
        return tool_usage(
            "queue '%s' does not exist; pass the size of a record with --item-bytes to create it",
            push->name);
    bool blocks = !push->raw && !push->each && (push->blocks || options.kind == QUOIT_SPSC);
    options.messages = !push->raw;
    options.user_bytes = blocks ? sizeof(struct stream_mark) : 0;
    if (options.item_bytes == 0)
        options.item_bytes = STREAM_BLOCK_BYTES;
    if (options.capacity == 0)
        options.capacity = push->raw ? default_records(options.item_bytes)
                           : blocks  ? BLOCKS
                                     : 4 * BLOCKS;
    quoit_status status = quoit_queue_create(push->name, &options, QUOIT_PRODUCER, &push->queue);
    if (status == QUOIT_ERROR_EXISTS) /* another process was faster */
        return -1;
    if (status != QUOIT_OK)
        return tool_fail_quoit(status);
    if (blocks)
        *(struct stream_mark *)quoit_queue_user_area(push->queue) = (struct stream_mark){
            .text = STREAM_MARK};
    return TOOL_OK;
}

/* Fails if the existing queue differs from the options that were given. */
static int compare(const struct push *push, bool kind_given)
{
    static const char *const kinds[] = {"spsc", "mpmc", "broadcast"};
    const struct quoit_queue_info *info = &push->info;
    if (kind_given && push->make.kind != info->kind)
        return tool_fail(
            "queue '%s': its kind is %s, but %s was requested; omit --kind, or use another name",
            push->name, kinds[info->kind], kinds[push->make.kind]);
    if (push->make.capacity && push->make.capacity != info->capacity)
        return tool_fail("queue '%s': its capacity is %llu, but %llu was requested; omit "
                         "--capacity, or use another name",
                         push->name, (unsigned long long)info->capacity,
                         (unsigned long long)push->make.capacity);
    if (push->make.item_bytes && push->make.item_bytes != info->item_bytes)
        return tool_fail("queue '%s': its items have %llu bytes, but %llu was requested; omit "
                         "--item-bytes, or use another name",
                         push->name, (unsigned long long)info->item_bytes,
                         (unsigned long long)push->make.item_bytes);
    if (push->raw || info->messages)
        return TOOL_OK;
    return tool_fail("queue '%s': its items have exactly %llu bytes, but lines have any length; "
                     "use --raw to push records",
                     push->name, (unsigned long long)info->item_bytes);
}

/* -1: try again. */
static int replace_finished(struct push *push)
{
    if (quoit_queue_size(push->queue) > 0)
        return tool_fail("queue '%s': its stream is finished, but the queue is not empty; pop the "
                         "remaining items, or remove it with `quoit rm %s`",
                         push->name, push->name);
    quoit_status status = quoit_queue_unlink(push->queue);
    if (status != QUOIT_OK && status != QUOIT_ERROR_REMOVED)
        return tool_fail_quoit(status);
    quoit_queue_close(push->queue);
    push->queue = NULL;
    return -1;
}

static int enter(struct push *push, bool kind_given)
{
    const unsigned roles = QUOIT_PRODUCER | push->any_owner;
    int code = -1;
    while (code < 0) {
        quoit_status status = quoit_queue_open(push->name, roles, &push->queue);
        if (status == QUOIT_ERROR_NOT_FOUND) {
            code = make(push);
            continue;
        }
        if (status != QUOIT_OK)
            return tool_fail_quoit(status);
        status = quoit_queue_inspect(push->queue, &push->info);
        if (status != QUOIT_OK)
            return tool_fail_quoit(status);
        if (!push->info.finished)
            break;
        code = replace_finished(push);
    }
    if (code > 0)
        return code;
    quoit_status status = quoit_queue_inspect(push->queue, &push->info);
    if (status != QUOIT_OK)
        return tool_fail_quoit(status);
    if (!push->each && !push->raw && stream_mark(push->queue, &push->info))
        push->blocks = true;
    return compare(push, kind_given);
}

/* Waits at most timeout_ns for room. If the consumers are gone, it waits for a successor. */
static quoit_status push_waiting(struct push *push, const char *bytes, size_t count,
                                 int64_t timeout_ns)
{
    quoit_status status = quoit_queue_push(push->queue, bytes, count,
                                           QUOIT_NOW); /* asks for no time */
    if (status != QUOIT_FULL && status != QUOIT_ABANDONED)
        return status;
    const uint64_t begin = stream_now_ns();
    for (int64_t left = timeout_ns; left > 0; left = stream_left_ns(timeout_ns, begin)) {
        status = quoit_queue_push(push->queue, bytes, count, left);
        if (status != QUOIT_ABANDONED)
            return status;
    }
    return QUOIT_FULL;
}

/* If the wait takes long, prints on a terminal what it waits for. */
static quoit_status push_one(struct push *push, const char *bytes, size_t count)
{
    const int64_t hint_ns = STREAM_HINT_MS * INT64_C(1000000), timeout_ns = push->timeout_ns;
    if (push->hinted || timeout_ns <= hint_ns)
        return push_waiting(push, bytes, count, timeout_ns);
    quoit_status status = push_waiting(push, bytes, count, hint_ns);
    if (status != QUOIT_FULL)
        return status;
    push->hinted = true;
    tool_hint("waiting for a free slot in queue '%s', which is full; `quoit pop %s` frees some, "
              "Ctrl-C ends this",
              push->name, push->name);
    return push_waiting(push, bytes, count,
                        timeout_ns == QUOIT_FOREVER ? timeout_ns : timeout_ns - hint_ns);
}

static int failed(const struct push *push, quoit_status status)
{
    if (status == QUOIT_FULL)
        return TOOL_NOTHING;
    if (status == QUOIT_FINISHED)
        return tool_fail("queue '%s': another producer finished the stream; pop the remaining "
                         "items, and push again",
                         push->name);
    return tool_fail_quoit(status);
}

static int too_long(const struct push *push)
{
    return tool_fail("line %llu is longer than the %llu bytes that a message of queue '%s' can "
                     "have; the lines before it were pushed",
                     (unsigned long long)push->lines + 1, (unsigned long long)push->info.item_bytes,
                     push->name);
}

/* Returns the length of the next message in text, and in taken_out that of its input, which may
   have a newline more. If taken_out is 0, text has no whole message. */
static size_t next_message(const struct push *push, const char *text, size_t count,
                           size_t *taken_out)
{
    const size_t most = (size_t)push->info.item_bytes;
    uint64_t lines = push->counted ? push->left : UINT64_MAX;
    if (push->blocks) {
        *taken_out = stream_whole_lines(text, count < most ? count : most, lines);
        if (*taken_out > 0)
            return *taken_out;
    }
    const char *newline = memchr(text, '\n', count < most ? count : most + 1);
    *taken_out = newline ? (size_t)(newline - text) + 1 : 0;
    return newline ? (size_t)(newline - text) : 0;
}

/* Counts lines for `quoit stat`; only in an SPSC queue, where this is the only producer. */
static void note_lines(struct push *push, uint64_t lines)
{
    struct stream_mark *mark = stream_mark(push->queue, &push->info);
    if (mark && push->info.kind == QUOIT_SPSC)
        mark->pushed_lines += lines;
}

/* Pushes the whole lines that were read. */
static int send_lines(struct push *push)
{
    size_t sent = 0, taken;
    while (!push->counted || push->left > 0) {
        const char *text = push->buffer + sent;
        size_t bytes = next_message(push, text, push->filled - sent, &taken);
        if (taken == 0)
            break;
        quoit_status status = push_one(push, text, bytes);
        if (status != QUOIT_OK)
            return failed(push, status);
        uint64_t lines = push->blocks ? stream_count_lines(text, taken) : 1;
        push->lines += lines;
        push->left -= push->counted ? lines : 0;
        note_lines(push, lines);
        sent += taken;
    }
    push->filled -= sent;
    memmove(push->buffer, push->buffer + sent, push->filled);
    if (push->filled > push->info.item_bytes && (!push->counted || push->left > 0))
        return too_long(push);
    return TOOL_OK;
}

/* Pushes the whole records that were read, as many at once as there is room for. */
static int send_records(struct push *push)
{
    size_t sent = 0, bytes = (size_t)push->info.item_bytes, count = push->filled / bytes;
    if (push->counted && count > push->left)
        count = (size_t)push->left;
    push->left -= push->counted ? count : 0;
    while (count > 0) {
        size_t pushed;
        quoit_status status = quoit_queue_push_many(push->queue, push->buffer + sent, bytes, count,
                                                    &pushed, QUOIT_NOW);
        if (status != QUOIT_OK) {
            status = push_one(push, push->buffer + sent, bytes);
            pushed = 1;
        }
        if (status != QUOIT_OK)
            return failed(push, status);
        sent += pushed * bytes;
        count -= pushed;
    }
    push->filled -= sent;
    memmove(push->buffer, push->buffer + sent, push->filled);
    return TOOL_OK;
}

/* Pushes the rest when the input has ended: a line without a newline. */
static int send_rest(struct push *push)
{
    if (push->filled == 0 || (push->counted && push->left == 0))
        return TOOL_OK;
    if (push->raw)
        return tool_fail(
            "the input ends with %llu bytes of a record of %llu; the records before it were pushed",
            (unsigned long long)push->filled, (unsigned long long)push->info.item_bytes);
    quoit_status status = push_one(push, push->buffer, push->filled);
    if (status != QUOIT_OK)
        return failed(push, status);
    note_lines(push, 1);
    return TOOL_OK;
}

static int stream(struct push *push)
{
    while (!push->counted || push->left > 0) {
        int64_t count = stream_read(push->buffer + push->filled, push->room - push->filled);
        if (count < 0)
            return tool_fail("cannot read stdin: %s", strerror(errno));
        if (count == 0)
            return send_rest(push);
        push->filled += (size_t)count;
        int code = push->raw ? send_records(push) : send_lines(push);
        if (code != TOOL_OK)
            return code;
    }
    return TOOL_OK;
}

static int run_in(struct push *push)
{
    /* Room for the longest line with its newline, and for all that a pipe holds by default. */
    push->room = (size_t)push->info.item_bytes + 1;
    if (push->room < STREAM_BLOCK_BYTES)
        push->room = STREAM_BLOCK_BYTES;
    push->buffer = malloc(push->room);
    if (!push->buffer)
        return tool_fail("out of memory: cannot allocate %llu bytes for an item",
                         (unsigned long long)push->info.item_bytes);
    if (push->blocks || push->raw)
        stream_widen_stdin();
    int code = stream(push);
    if (code == TOOL_OK && !push->keep) {
        quoit_status status = quoit_queue_finish(push->queue);
        code = status == QUOIT_OK ? TOOL_OK : tool_fail_quoit(status);
    }
    free(push->buffer);
    return code;
}

static int run(int argc, char **argv)
{
    struct push push = {.timeout_ns = QUOIT_FOREVER};
    bool kind_given = false;
    int code = parse(&push, argc, argv, &kind_given);
    if (code >= 0)
        return code;
    stream_binary();
    code = enter(&push, kind_given);
    if (code == TOOL_OK)
        code = run_in(&push);
    quoit_queue_close(push.queue);
    return code;
}

const struct tool_command tool_push = {
    .name = "push",
    .arguments = "[OPTION...] NAME",
    .summary = "push lines or records from stdin into a queue",
    .help = help,
    .any_owner = true,
    .run = run,
};
