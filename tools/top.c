/* SPDX-License-Identifier: MIT */
/* quoit top: its options, and its plain mode, a table after each interval. */
#include "top.h"
#include "options.h"
#include "print.h"
#include "stream.h"
#include "tool.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Shows all queues and pools while they change: how full they are, how many items per second\n"
    "are pushed and popped, a graph of the recent past, the live producers/consumers, and a mark:\n"
    "full, end (the stream is finished), stop (a stopped member holds it up), dead (all its\n"
    "remaining members have crashed), bad (damaged).\n"
    "On a terminal, top fills the screen; otherwise it prints a table after each interval. With\n"
    "NAMEs it shows only those, as soon as they exist. An SPSC queue of variable-size messages\n"
    "counts bytes (B).\n"
    "\n"
    "  -i, --interval SECONDS  time between two updates; default 1\n"
    "  -n, --count N           end after N updates\n"
    "  -s, --sort ORDER        name (default), rate or fill\n"
    "  -p, --plain             print tables on a terminal too\n"
    "  -j, --json              like --plain, but print each update as a line with an array of\n"
    "                          {name, kind, state, mark, size, unit, capacity, fill, "
    "pushed_per_s,\n"
    "                          popped_per_s, producers, consumers}\n"
    "  -h, --help              print this help\n"
    "\n"
    "Keys: q quits; s changes the order; n, r and f sort by name, rate and fill; arrows, Page Up,\n"
    "Page Down, Home and End scroll.\n"
    "\n"
    "Exit codes: 0 ended by q, a signal or --count; 1 an error, which is on stderr; 2 wrong "
    "usage.\n"
    "\n"
    "Examples:\n"
    "  quoit top --sort fill\n"
    "  quoit top --plain --interval 10 --count 6 >> minute.txt\n";

enum { STDIN, STDOUT };

static volatile sig_atomic_t ended;

static const struct tool_option options[] = {
    {"interval", true, 'i'}, {"count", true, 'n'}, {"sort", true, 's'}, {"plain", false, 'p'},
    {"json", false, 'j'},    {"help", false, 'h'}, {NULL, false, '\0'}};

static void end(int signal_number)
{
    (void)signal(signal_number, end); /* some systems handle only the first signal otherwise */
    ended = 1;
}

bool top_is_ended(void)
{
    return ended != 0;
}

static void print_rate(const struct top_row *row, double value)
{
    char text[PRINT_ROOM] = "-";
    if (row->has_rates)
        print_short(value, text);
    printf(" %6s ", text);
}

static void print_row(const struct top_row *row, int columns)
{
    char used[PRINT_ROOM], capacity[PRINT_ROOM], both[2 * PRINT_ROOM + 2];
    const struct object *object = &row->object;
    print_short((double)object->used, used);
    print_capacity(object, capacity);
    (void)snprintf(both, sizeof both, "%s/%s", used, capacity);
    print_padded(row->name, columns);
    printf(" %-9s %3.0f%% %11s", object_kind(object), object->fill * 100, both);
    print_rate(row, row->pushed_per_s);
    print_rate(row, row->popped_per_s);
    (void)snprintf(both, sizeof both, "%" PRIu64 "/%" PRIu64, object->producers, object->consumers);
    printf(" %5s%s%s\n", both, top_mark(object)[0] ? " " : "", top_mark(object));
}

static void print_table(const struct top *top)
{
    int columns = print_columns("NAME");
    for (size_t i = 0; i < top->row_count; i++)
        if (print_columns(top->rows[i]->name) > columns)
            columns = print_columns(top->rows[i]->name);
    print_padded("NAME", columns);
    printf(" %-9s %4s %11s %6s  %6s  %5s MARK\n", "KIND", "FILL", "SIZE", "IN/s", "OUT/s", "P/C");
    for (size_t i = 0; i < top->row_count; i++)
        print_row(top->rows[i], columns);
    puts("");
}

static void print_json(const struct top *top)
{
    printf("[");
    for (size_t i = 0; i < top->row_count; i++) {
        const struct top_row *row = top->rows[i];
        const struct object *object = &row->object;
        const char *kind = object_kind(object);
        printf("%s{\"name\": ", i > 0 ? ", " : "");
        object_print_json_text(stdout, row->name);
        printf(", \"kind\": \"%s\", \"state\": \"%s\", \"mark\": \"%s\", \"size\": %" PRIu64
               ", \"unit\": \"%s\", \"capacity\": %" PRIu64
               ", \"fill\": %.4f, \"pushed_per_s\": %.1f"
               ", \"popped_per_s\": %.1f, \"producers\": %" PRIu64 ", \"consumers\": %" PRIu64 "}",
               kind[0] == '?' ? "unknown" : kind, object_state(object), top_mark(object),
               object->used, object->unit ? object->unit : "items", object->capacity, object->fill,
               row->pushed_per_s, row->popped_per_s, object->producers, object->consumers);
    }
    puts("]");
}

/* A signal ends the wait within a tenth of a second. */
static void wait_for_next(const struct top *top)
{
    enum { STEP_MS = 100 };
    uint64_t until = top->sampled_ns + (uint64_t)(top->interval_s * 1e9);
    for (uint64_t now = stream_now_ns(); now < until && !ended; now = stream_now_ns()) {
        uint64_t left_ms = (until - now) / 1000000 + 1;
        stream_sleep_ms(left_ms < STEP_MS ? (unsigned)left_ms : STEP_MS);
    }
}

static int plain(struct top *top, bool json)
{
    if (!top_sample(top))
        return TOOL_FAILED;
    for (uint64_t shown = 0; shown < top->count; shown++) {
        wait_for_next(top);
        if (ended)
            return TOOL_OK;
        if (!top_sample(top))
            return TOOL_FAILED;
        if (json)
            print_json(top);
        else
            print_table(top);
        if (print_end(TOOL_OK) != TOOL_OK)
            return TOOL_FAILED;
    }
    return TOOL_OK;
}

static bool parse_order(const char *text, enum top_order *order_out)
{
    for (int i = 0; i < TOP_ORDERS; i++)
        if (strcmp(text, top_order_name((enum top_order)i)) == 0) {
            *order_out = (enum top_order)i;
            return true;
        }
    (void)tool_usage("--sort is '%s'; it must be name, rate or fill", text);
    return false;
}

static bool parse_interval(const char *text, double *interval_out)
{
    char *rest;
    *interval_out = strtod(text, &rest);
    if (rest != text && *rest == '\0' && *interval_out >= 0.01 && *interval_out <= 86400)
        return true;
    (void)tool_usage("--interval is '%s'; it must be 0.01 to 86400 seconds", text);
    return false;
}

static bool parse_count(const char *text, uint64_t *count_out)
{
    if (stream_number("--count", text, count_out) && *count_out > 0)
        return true;
    if (*count_out == 0)
        (void)tool_usage("--count is 0; it must be at least 1");
    return false;
}

/* -1 to go on, else an exit code. */
static int parse(struct top *top, bool *plain_out, bool *json_out, int argc, char **argv)
{
    int letter;
    while ((letter = tool_option_next(argc, argv, "i:n:s:pjh", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 'i':
            if (!parse_interval(tool_option_value, &top->interval_s))
                return TOOL_USAGE;
            break;
        case 'n':
            if (!parse_count(tool_option_value, &top->count))
                return TOOL_USAGE;
            break;
        case 's':
            if (!parse_order(tool_option_value, &top->order))
                return TOOL_USAGE;
            break;
        case 'j':
            *json_out = true;
            *plain_out = true;
            break;
        case 'p':
            *plain_out = true;
            break;
        case 'h':
            return tool_help();
        default:
            return tool_option_refuse();
        }
    return -1;
}

static int run(int argc, char **argv)
{
    struct top top = {.interval_s = 1, .count = UINT64_MAX};
    bool is_plain = !stream_is_terminal(STDIN) || !stream_is_terminal(STDOUT), json = false;
    int code = parse(&top, &is_plain, &json, argc, argv);
    if (code >= 0)
        return code;
    if (tool_operand < argc) {
        top.names = argv + tool_operand;
        top.name_count = (size_t)(argc - tool_operand);
    }
    (void)signal(SIGINT, end);
    (void)signal(SIGTERM, end);
    if (!is_plain)
        code = top_screen(&top);
    if (code < 0)
        code = plain(&top, json);
    top_free(&top);
    return code;
}

const struct tool_command tool_top = {.name = "top",
                                      .arguments = "[OPTION...] [NAME...]",
                                      .summary = "watch all objects, with rates and graphs",
                                      .help = help,
                                      .run = run};
