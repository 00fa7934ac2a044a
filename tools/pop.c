/* SPDX-License-Identifier: MIT */
/*
 * quoit pop: writes a queue's messages to stdout. A message is released only after its bytes are
 * written: if pop is killed in between, the next pop gets it.
 */
#include "pop.h"

#include "options.h"
#include "print.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STDOUT = 1 };

static const char help[] =
    "Pops messages from the queue NAME, or from several queues, and writes each to stdout. Adds a\n"
    "newline to a message that does not end with one. Waits until the queue exists, waits while "
    "it\n"
    "is empty, and ends with the stream. Of several queues, pop reads those that have messages, "
    "in\n"
    "turn, and ends when the streams of all have ended. When the stream has ended and the queue\n"
    "is empty, pop removes the queue (but not a broadcast).\n"
    "\n"
    "A message leaves the queue after it was written. If pop is killed, the next pop starts with\n"
    "the messages that were being written: some may be written twice, but none is lost. From an\n"
    "SPSC queue these are all that fit into 64K, from other queues one message.\n"
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
    "Ctrl-C and SIGTERM end pop. A message that is not completely written stays in the queue.\n"
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
    "  quoit pop log --follow >> log.txt\n"
    "  quoit pop errors warnings               # two queues, as messages come\n";

static const struct tool_option options[] = {{"count", true, 'c'},        {"raw", false, 'r'},
                                             {"no-wait", false, 'n'},     {"timeout", true, 't'},
                                             {"follow", false, 'f'},      {"keep", false, 'k'},
                                             {"from-oldest", false, 'O'}, {"any-owner", false, 'A'},
                                             {"help", false, 'h'},        {NULL, false, '\0'}};

/* -1 to go on, else an exit code. */
static int parse(struct pop *pop, int argc, char **argv)
{
    int letter;
    while ((letter = tool_option_next(argc, argv, "c:rnt:fkh", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 'c':
            pop->counted = true;
            if (!stream_number("--count", tool_option_value, &pop->left))
                return TOOL_USAGE;
            break;
        case 'r':
            pop->raw = true;
            break;
        case 'n':
            pop->no_wait = true;
            break;
        case 't':
            if (!stream_seconds("--timeout", tool_option_value, &pop->timeout_ns))
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
            return tool_option_refuse();
        }
    pop->name = argv[tool_operand];
    if (!pop->name)
        return tool_usage("no NAME was given; pass the name of a queue, or of several");
    if (pop->no_wait && pop->follow)
        return tool_usage("--no-wait cannot be combined with --follow; omit one of them");
    return -1;
}

/* Finds producers that crashed and whose member entries no other member has taken since. */
static void find_crashed(const quoit_queue *queue, struct pop_crashed *crashed_out)
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
    struct pop_crashed now;
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

quoit_status pop_open(struct pop *pop)
{
    quoit_status status = join(pop);
    if (status == QUOIT_OK)
        status = quoit_queue_inspect(pop->queue, &pop->info);
    if (status != QUOIT_OK)
        return status;
    if (pop->info.kind == QUOIT_SPSC)
        pop->mark = stream_mark(pop->queue, &pop->info);
    if (pop->mark || (pop->raw && pop->info.kind == QUOIT_SPSC))
        stream_widen_stdout();
    pop->printable = !pop->raw && stream_is_terminal(STDOUT);
    pop->joined = pop->printable ? 0 : stream_joined_bytes();
    pop->text = malloc(pop->joined + (size_t)pop->info.item_bytes + 1);
    return pop->text ? QUOIT_OK : QUOIT_ERROR_NO_MEMORY;
}

/* Waits until the queue exists, and opens it. */
static int enter(struct pop *pop)
{
    const uint64_t begin = stream_now_ns();
    quoit_status status;
    while ((status = pop_open(pop)) == QUOIT_ERROR_NOT_FOUND) {
        if (pop->no_wait)
            break;
        if (stream_stopped)
            return TOOL_FAILED;
        const uint64_t waited_ns = stream_now_ns() - begin;
        if (waited_ns >= (uint64_t)pop->timeout_ns)
            return TOOL_NOTHING;
        if (!pop->hinted && waited_ns >= STREAM_HINT_MS * UINT64_C(1000000)) {
            tool_hint("waiting for queue '%s', which does not exist yet; Ctrl-C ends this, `quoit "
                      "ls` lists the objects",
                      pop->name);
            pop->hinted = true;
        }
        stream_sleep_ms(POP_POLL_MS);
    }
    stream_stop_waits_on(pop->queue);
    return status == QUOIT_OK ? TOOL_OK : tool_fail_quoit(status);
}

bool pop_may_go_on(const struct pop *pop)
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
        if (status != QUOIT_ABANDONED || !pop_may_go_on(pop))
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
        if (stream_stopped)
            return QUOIT_INTERRUPTED;
        quoit_status status = pop_take(pop, written_out);
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
        if (status == QUOIT_ABANDONED && pop_may_go_on(pop))
            continue;
        if (status != QUOIT_OK)
            return status;
    }
    return QUOIT_OK;
}

int pop_end_stream(struct pop *pop)
{
    if (!pop->keep && pop->info.kind != QUOIT_BROADCAST) {
        quoit_status status = quoit_queue_unlink(pop->queue);
        if (status != QUOIT_OK && status != QUOIT_ERROR_REMOVED)
            return tool_fail_quoit(status);
    }
    return pop->follow ? -1 : TOOL_OK;
}

int pop_fail_crashed(const struct pop *pop)
{
    return tool_fail("queue '%s': its producer crashed before it finished the stream; use --follow "
                     "to wait for the next producer",
                     pop->name);
}

int pop_fail_write(void)
{
    return stream_stopped ? TOOL_FAILED
                          : tool_fail("cannot write to stdout: %s; the messages that were being "
                                      "written stay in the queue",
                                      strerror(errno));
}

static int result(struct pop *pop, quoit_status status)
{
    switch (status) {
    case QUOIT_OK:
        return TOOL_OK;
    case QUOIT_FINISHED:
        return pop_end_stream(pop);
    case QUOIT_EMPTY:
        return pop->written > 0 && !pop->counted ? TOOL_OK : TOOL_NOTHING;
    case QUOIT_TIMEOUT:
        return TOOL_NOTHING;
    case QUOIT_ABANDONED:
        return pop_fail_crashed(pop);
    case QUOIT_INTERRUPTED:
        return TOOL_FAILED; /* the signal ends this process: stream_stop_end */
    default:
        return tool_fail_quoit(status);
    }
}

void pop_leave(struct pop *pop)
{
    uint64_t missed = pop->queue ? quoit_queue_missed(pop->queue) : 0;
    if (missed > 0)
        (void)tool_fail("queue '%s': %llu messages were overwritten before they were popped; use a "
                        "larger capacity, or read faster",
                        pop->name, (unsigned long long)missed);
    stream_stop_waits_on(NULL); /* before the queue is closed */
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
        code = written ? result(pop, status) : pop_fail_write();
    }
    pop_leave(pop);
    return code;
}

static int run_alone(struct pop *pop)
{
    int code = -1;
    while (code < 0) {
        code = run_once(pop);
        if (code < 0 && pop->keep) /* otherwise the same queue is opened again and again */
            stream_sleep_ms(POP_POLL_MS);
    }
    return code;
}

static int run(int argc, char **argv)
{
    struct pop pop = {.timeout_ns = QUOIT_FOREVER};
    int code = parse(&pop, argc, argv);
    if (code >= 0)
        return code;
    stream_binary();
    stream_stop_begin();
    code = argc - tool_operand == 1 ? run_alone(&pop)
                                    : pop_from_many(&pop, argv + tool_operand, argc - tool_operand);
    stream_stop_end();
    return code;
}

const struct tool_command tool_pop = {
    .name = "pop",
    .arguments = "[OPTION...] NAME...",
    .summary = "write the messages of queues to stdout",
    .help = help,
    .any_owner = true,
    .run = run,
};
