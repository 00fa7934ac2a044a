/* SPDX-License-Identifier: MIT */
/*
 * quoit pop: writes a queue's messages to stdout. A message is released only after its bytes are
 * written: if pop is killed in between, the next pop gets it.
 */
#include "print.h"
#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 10, STDOUT = 1 }; /* between tries to open a queue that does not exist yet */

struct crashed {
    uint64_t joined_at[QUOIT_MEMBERS_MAX];
    uint64_t count;
};

struct pop {
    const char *name;
    bool raw, follow, no_wait, keep, counted, oldest;
    bool printable;         /* stdout is a terminal */
    bool hinted;            /* the hint about what this waits for is printed */
    struct crashed crashed; /* producers that had crashed before this began */
    unsigned any_owner;     /* 0 or QUOIT_ANY_OWNER */
    uint64_t left;          /* of --count */
    uint64_t written;
    int64_t timeout_ns;
    quoit_queue *queue;
    struct quoit_queue_info info;
    struct stream_mark *mark; /* of an SPSC queue: --count counts the lines in its blocks */
    size_t joined;            /* most bytes of several messages in one write */
    char *text;               /* to be written: room for them, and for an item and a newline */
};

static const char help[] =
    "Pops messages from the queue NAME and writes each to stdout. Adds a newline to a message "
    "that\n"
    "does not end with one. Waits until the queue exists, waits while it is empty, and ends with\n"
    "the stream. A message leaves the queue after it was written. If pop is killed, the next pop\n"
    "starts with the messages that were being written: it may write them twice, but loses none.\n"
    "That is one message; for an SPSC queue, from which no other process pops, as many as were\n"
    "queued, up to 64K. When the stream has ended and the queue is empty, pop removes the queue\n"
    "(but not a broadcast).\n"
    "\n"
    "If a producer crashes while pop runs, pop ends with an error. If a producer leaves without\n"
    "finishing the stream (push --keep), or left before pop started, pop waits for the next\n"
    "producer. It also waits if another process joins the queue, or `quoit check --repair` runs,\n"
    "within a tenth of a second after the crash, because that removes the traces of the crash.\n"
    "On a terminal, control characters (except newlines and tabs), format characters and bytes "
    "that\n"
    "are not UTF-8 are printed as escapes, \"\\x1b\". With --raw, and into a pipe or a file, the\n"
    "bytes are written unchanged.\n"
    "\n"
    "  -c, --count N          end after N messages; after N lines if `quoit push` created the "
    "SPSC\n"
    "                         queue for blocks of lines\n"
    "  -r, --raw              write only the bytes of the messages, without added newlines\n"
    "  -n, --no-wait          write the messages that are queued, and end\n"
    "  -t, --timeout SECONDS  end if no message arrives for that long\n"
    "  -f, --follow           do not end with the stream: wait for the next producer, and for the\n"
    "                         next queue of that name\n"
    "  -k, --keep             do not remove the queue when its stream has ended\n"
    "      --from-oldest      for a broadcast: start with the oldest message that is kept, not "
    "with\n"
    "                         the next one\n"
    "      --any-owner        also read a queue of another user; that user can change its content\n"
    "  -h, --help             print this help\n"
    "\n"
    "Exit codes: 0 the stream has ended, --count messages were written, or --no-wait found some;\n"
    "1 an error, which is on stderr, such as a producer that crashed without finishing, or a "
    "stdout\n"
    "that cannot be written; 2 wrong usage; 3 the timeout expired, or --no-wait found no message,\n"
    "or fewer than --count.\n"
    "\n"
    "Examples:\n"
    "  quoit pop q | consumer_program\n"
    "  quoit pop jobs --count 1 --timeout 5    # one job, if one arrives within 5 s\n"
    "  quoit pop readings --raw | od -t f8     # records of 8 bytes\n"
    "  quoit pop log --follow >> log.txt\n";

static const struct option options[] = {
    {"count", required_argument, NULL, 'c'}, {"raw", no_argument, NULL, 'r'},
    {"no-wait", no_argument, NULL, 'n'},     {"timeout", required_argument, NULL, 't'},
    {"follow", no_argument, NULL, 'f'},      {"keep", no_argument, NULL, 'k'},
    {"from-oldest", no_argument, NULL, 'O'}, {"any-owner", no_argument, NULL, 'A'},
    {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};

/* -1 to go on, else an exit code. */
static int parse(struct pop *pop, int argc, char **argv)
{
    int letter;
    while ((letter = getopt_long(argc, argv, ":c:rnt:fkh", options, NULL)) != -1)
        switch (letter) {
        case 'c':
            pop->counted = true;
            if (!stream_number("--count", optarg, &pop->left))
                return TOOL_USAGE;
            break;
        case 'r':
            pop->raw = true;
            break;
        case 'n':
            pop->no_wait = true;
            break;
        case 't':
            if (!stream_seconds("--timeout", optarg, &pop->timeout_ns))
                return TOOL_USAGE;
            break;
        case 'f':
            pop->follow = true;
            break;
        case 'k':
            pop->keep = true;
            break;
        case 'O':
            pop->oldest = true;
            break;
        case 'A':
            pop->any_owner = QUOIT_ANY_OWNER;
            break;
        case 'h':
            return tool_help();
        default:
            return print_bad_option(argv, letter);
        }
    pop->name = stream_name(argc, argv, optind);
    if (!pop->name)
        return TOOL_USAGE;
    if (pop->no_wait && pop->follow)
        return tool_usage("--no-wait cannot be combined with --follow; omit one of them");
    return -1;
}

/* Finds producers that crashed and whose member entries no other member has taken since. */
static void find_crashed(const quoit_queue *queue, struct crashed *crashed_out)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t count;
    crashed_out->count = 0;
    if (quoit_queue_members(queue, members, QUOIT_MEMBERS_MAX, &count) != QUOIT_OK)
        return;
    for (uint64_t i = 0; i < count && i < QUOIT_MEMBERS_MAX; i++)
        if (!members[i].alive && (members[i].roles & QUOIT_PRODUCER))
            crashed_out->joined_at[crashed_out->count++] = members[i].joined_at_unix_ns;
}

/* Has one crashed since this began? */
static bool has_crashed(const struct pop *pop)
{
    struct crashed now;
    find_crashed(pop->queue, &now);
    for (uint64_t i = 0; i < now.count; i++) {
        bool known = false;
        for (uint64_t j = 0; j < pop->crashed.count && !known; j++)
            known = pop->crashed.joined_at[j] == now.joined_at[i];
        if (!known)
            return true;
    }
    return false;
}

/* Notes the producers that have crashed already, then joins: a producer that crashes later is not
   among them. */
static quoit_status join(struct pop *pop)
{
    const unsigned roles = QUOIT_CONSUMER | (pop->oldest ? QUOIT_FROM_OLDEST : 0u) | pop->any_owner;
    quoit_queue *observer;
    quoit_status status = quoit_queue_open(pop->name, QUOIT_OBSERVER | pop->any_owner, &observer);
    if (status != QUOIT_OK)
        return status;
    find_crashed(observer, &pop->crashed);
    quoit_queue_close(observer);
    return quoit_queue_open(pop->name, roles, &pop->queue);
}

/* Waits until the queue exists, and joins it. */
static int enter(struct pop *pop)
{
    const uint64_t begin = stream_now_ns();
    quoit_status status;
    while ((status = join(pop)) == QUOIT_ERROR_NOT_FOUND) {
        if (pop->no_wait)
            break;
        const uint64_t waited_ns = stream_now_ns() - begin;
        if (waited_ns >= (uint64_t)pop->timeout_ns)
            return TOOL_NOTHING;
        if (!pop->hinted && waited_ns >= STREAM_HINT_MS * UINT64_C(1000000)) {
            tool_hint("waiting for queue '%s', which does not exist yet; Ctrl-C ends this, `quoit "
                      "ls` lists the objects",
                      pop->name);
            pop->hinted = true;
        }
        stream_sleep_ms(POLL_MS);
    }
    if (status != QUOIT_OK || quoit_queue_inspect(pop->queue, &pop->info) != QUOIT_OK)
        return tool_fail_quoit(status);
    if (pop->info.kind == QUOIT_SPSC)
        pop->mark = stream_mark(pop->queue, &pop->info);
    if (pop->mark || (pop->raw && pop->info.kind == QUOIT_SPSC))
        stream_widen_stdout();
    pop->printable = !pop->raw && stream_is_terminal(STDOUT);
    pop->joined = pop->printable ? 0 : stream_joined_bytes();
    pop->text = malloc(pop->joined + (size_t)pop->info.item_bytes + 1);
    return pop->text ? TOOL_OK
                     : tool_fail("out of memory: cannot allocate %llu bytes for an item",
                                 (unsigned long long)pop->info.item_bytes);
}

static bool write_text(struct pop *pop, const char *text, size_t count)
{
    if (pop->printable)
        return stream_write_printable(text, count) &&
               ((count > 0 && text[count - 1] == '\n') || stream_write("\n", 1));
    if (pop->raw || (count > 0 && text[count - 1] == '\n'))
        return stream_write(text, count);
    memcpy(pop->text, text, count);
    pop->text[count] = '\n';
    return stream_write(pop->text, count + 1);
}

/* Returns the end of the first `most` lines, and in lines_out how many there are. */
static size_t cut_lines(const char *text, size_t count, uint64_t most, uint64_t *lines_out)
{
    size_t end = 0;
    for (*lines_out = 0; *lines_out < most && end < count; ++*lines_out) {
        const char *newline = memchr(text + end, '\n', count - end);
        end = newline ? (size_t)(newline - text) + 1 : count;
    }
    return end;
}

/* Takes a block, or as many of its lines as --count still allows. The rest stays in the queue, and
   the mark names where it begins. */
static quoit_status take_block(struct pop *pop, const char *text, size_t count, bool *written_out)
{
    struct quoit_queue_info now;
    quoit_status status = quoit_queue_inspect(pop->queue, &now);
    if (status != QUOIT_OK)
        return status;
    const volatile struct stream_mark *mark = pop->mark; /* shared: read once, then bounded */
    uint64_t begin_at = mark->position == now.popped ? mark->offset : 0, lines = 0;
    size_t begin = begin_at < count ? (size_t)begin_at : 0;
    size_t end = begin + cut_lines(text + begin, count - begin,
                                   pop->counted ? pop->left : UINT64_MAX, &lines);
    *written_out = write_text(pop, text + begin, end - begin);
    if (!*written_out)
        return QUOIT_OK;
    pop->left -= pop->counted ? lines : 0;
    if (end == count)
        return quoit_queue_release(pop->queue);
    pop->mark->offset = end;
    pop->mark->position = now.popped;
    return QUOIT_OK;
}

static quoit_status take_message(struct pop *pop, bool *written_out)
{
    const void *message;
    size_t bytes;
    quoit_status status = quoit_queue_peek(pop->queue, &message, &bytes, QUOIT_NOW);
    if (status != QUOIT_OK)
        return status;
    if (pop->mark && (pop->counted || pop->mark->offset > 0))
        return take_block(pop, message, bytes, written_out);
    *written_out = write_text(pop, message, bytes);
    if (!*written_out)
        return QUOIT_OK;
    pop->left -= pop->counted;
    return quoit_queue_release(pop->queue);
}

/* Releases the first count messages or items, which are in the queue. */
static quoit_status release(struct pop *pop, uint64_t count)
{
    const void *message;
    quoit_status status = QUOIT_OK;
    for (; status == QUOIT_OK && count > 0; count--) {
        status = quoit_queue_peek(pop->queue, &message, NULL, QUOIT_NOW);
        if (status == QUOIT_OK)
            status = quoit_queue_release(pop->queue);
    }
    return status;
}

/* Takes one record, or with --raw all that are contiguous in memory. */
static quoit_status take_records(struct pop *pop, bool *written_out)
{
    const void *items;
    size_t count;
    quoit_status status = quoit_queue_peek_many(pop->queue, &items, &count, QUOIT_NOW);
    if (status != QUOIT_OK)
        return status;
    if (!pop->raw)
        count = 1;
    if (pop->counted && count > pop->left)
        count = (size_t)pop->left;
    *written_out = write_text(pop, items, count * (size_t)pop->info.item_bytes);
    if (!*written_out)
        return QUOIT_OK;
    pop->left -= pop->counted ? count : 0;
    return quoit_queue_release_many(pop->queue, count);
}

/* Copies queued messages one after another into text, as many as one write may join. Returns the
   number of bytes, and in count_out the number of messages. */
static size_t gather(struct pop *pop, uint64_t *count_out)
{
    struct quoit_browser ahead = {0};
    const uint64_t most = pop->counted ? pop->left : UINT64_MAX;
    size_t filled = 0;
    for (*count_out = 0; *count_out < most && filled < pop->joined; ++*count_out) {
        char *text = pop->text + filled;
        uint64_t bytes;
        if (quoit_queue_browse(pop->queue, &ahead, text, pop->info.item_bytes, &bytes) != QUOIT_OK)
            break;
        if (!pop->raw && (bytes == 0 || text[bytes - 1] != '\n'))
            text[bytes++] = '\n';
        if (*count_out > 0 && filled + bytes > pop->joined)
            break;
        filled += (size_t)bytes;
    }
    return filled;
}

static quoit_status take(struct pop *pop, bool *written_out)
{
    /* No other process takes items of an SPSC queue that this one has browsed. */
    if (pop->info.kind == QUOIT_SPSC && !pop->mark && (pop->info.messages || !pop->raw)) {
        uint64_t count;
        size_t bytes = gather(pop, &count);
        if (count > 1) {
            *written_out = stream_write(pop->text, bytes);
            pop->left -= pop->counted && *written_out ? count : 0;
            return *written_out ? release(pop, count) : QUOIT_OK;
        }
    }
    return pop->info.messages ? take_message(pop, written_out) : take_records(pop, written_out);
}

/* Does pop wait for another producer? If the last one closed without finishing, the stream is to
   continue (push --keep). A crash is an error unless --follow is given. */
static bool may_go_on(const struct pop *pop)
{
    return !pop->no_wait && (pop->follow || !has_crashed(pop));
}

/* Waits for at most timeout_ns, even if producers come and go meanwhile. */
static quoit_status wait_within(const struct pop *pop, int64_t timeout_ns)
{
    const uint64_t begin = stream_now_ns();
    for (int64_t left = timeout_ns;;) {
        const void *next;
        quoit_status status = quoit_queue_peek(pop->queue, &next, NULL, left);
        if (status != QUOIT_ABANDONED || !may_go_on(pop))
            return status;
        left = stream_left_ns(timeout_ns, begin);
    }
}

/* If the wait takes long, prints on a terminal what it waits for. */
static quoit_status wait_for_items(struct pop *pop)
{
    const int64_t hint_ns = STREAM_HINT_MS * INT64_C(1000000);
    if (pop->hinted || pop->timeout_ns <= hint_ns)
        return wait_within(pop, pop->timeout_ns);
    quoit_status status = wait_within(pop, hint_ns);
    if (status != QUOIT_EMPTY)
        return status;
    if (pop->written == 0)
        tool_hint("waiting for a message in queue '%s', which is empty; Ctrl-C ends this",
                  pop->name);
    pop->hinted = true;
    return wait_within(pop, pop->timeout_ns == QUOIT_FOREVER ? pop->timeout_ns
                                                             : pop->timeout_ns - hint_ns);
}

/* Writes messages until the stream ends; returns the status that ended it. */
static quoit_status drain(struct pop *pop, bool *written_out)
{
    while (!pop->counted || pop->left > 0) {
        quoit_status status = take(pop, written_out);
        if (status == QUOIT_OK && !*written_out)
            return QUOIT_OK;
        if (status == QUOIT_OK) {
            pop->written++;
            continue;
        }
        if (status == QUOIT_EMPTY && !pop->no_wait) {
            status = wait_for_items(pop);
            if (status == QUOIT_EMPTY)
                return QUOIT_TIMEOUT;
        }
        if (status == QUOIT_ABANDONED && may_go_on(pop))
            continue;
        if (status != QUOIT_OK)
            return status;
    }
    return QUOIT_OK;
}

/* -1: continue with the next queue of that name. */
static int end_stream(struct pop *pop)
{
    if (!pop->keep && pop->info.kind != QUOIT_BROADCAST) {
        quoit_status status = quoit_queue_unlink(pop->queue);
        if (status != QUOIT_OK && status != QUOIT_ERROR_REMOVED)
            return tool_fail_quoit(status);
    }
    return pop->follow ? -1 : TOOL_OK;
}

static int result(struct pop *pop, quoit_status status)
{
    switch (status) {
    case QUOIT_OK:
        return TOOL_OK;
    case QUOIT_FINISHED:
        return end_stream(pop);
    case QUOIT_EMPTY:
        return pop->written > 0 && !pop->counted ? TOOL_OK : TOOL_NOTHING;
    case QUOIT_TIMEOUT:
        return TOOL_NOTHING;
    case QUOIT_ABANDONED:
        return tool_fail("queue '%s': its producer crashed before it finished the stream; use "
                         "--follow to wait for the next producer",
                         pop->name);
    default:
        return tool_fail_quoit(status);
    }
}

static void leave(struct pop *pop)
{
    uint64_t missed = pop->queue ? quoit_queue_missed(pop->queue) : 0;
    if (missed > 0)
        (void)tool_fail("%llu messages were overwritten before they were popped",
                        (unsigned long long)missed);
    quoit_queue_close(pop->queue);
    free(pop->text);
    pop->queue = NULL;
    pop->text = NULL;
    pop->mark = NULL;
}

static int run_once(struct pop *pop)
{
    int code = enter(pop);
    if (code == TOOL_OK) {
        bool written = true;
        quoit_status status = drain(pop, &written);
        code = written ? result(pop, status)
                       : tool_fail("cannot write to stdout: %s; the messages that were being "
                                   "written stay in the queue",
                                   strerror(errno));
    }
    leave(pop);
    return code;
}

static int run(int argc, char **argv)
{
    struct pop pop = {.timeout_ns = QUOIT_FOREVER};
    int code = parse(&pop, argc, argv);
    if (code >= 0)
        return code;
    stream_binary();
    while (code < 0) {
        code = run_once(&pop);
        if (code < 0 && pop.keep) /* otherwise the same queue is opened again and again */
            stream_sleep_ms(POLL_MS);
    }
    return code;
}

const struct tool_command tool_pop = {
    .name = "pop",
    .arguments = "[OPTION...] NAME",
    .summary = "write a queue's messages to stdout",
    .help = help,
    .any_owner = true,
    .run = run,
};
