/* SPDX-License-Identifier: MIT */
/* quoit bench: this machine's numbers in ten seconds. The measurements are in bench_rows.c. */
#include "bench.h"

#include "options.h"
#include "pin.h"
#include "print.h"
#include "stream.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, ROWS_MAX = 32, BAR = 30, STDERR = 2, LEAST_NS = 100000000 };

struct result {
    double values[ROUNDS]; /* sorted, once all are measured */
};

static const char help[] =
    "Measures the speed of Quoit on this machine: how many items per second one process can send\n"
    "to another, and how long a round trip takes. For comparison it measures three limits of the\n"
    "hardware: a cache line that moves to the other processor and back, cache lines that move in\n"
    "one direction, and a copy of memory. For each row with a limit it prints the part that Quoit\n"
    "reaches. Except on Windows, it also measures a pipe, with one write and one read for each\n"
    "message. Each value is the median of 5 rounds; the rounds of all measurements alternate. The\n"
    "spread is the difference between the lowest and the highest round. Other work on the machine\n"
    "changes the values.\n"
    "\n"
    "  -s, --seconds S   run for about S seconds; default 10\n"
    "  -j, --json        print one JSON object\n"
    "  -h, --help        print this help\n"
    "\n"
    "Exit codes: 0 measured; 1 an error, which is on stderr; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  quoit bench\n"
    "  taskset -c 2,3 quoit bench    # on these two processors\n"
    "  quoit bench --seconds 60 --json > numbers.json\n";

static void progress(unsigned done, unsigned all, const char *name)
{
    if (all == 0 || !stream_is_terminal(STDERR))
        return;
    unsigned full = done * BAR / all;
    (void)fprintf(stderr, "\r[");
    for (unsigned i = 0; i < BAR; i++)
        (void)fputc(i < full ? '#' : ' ', stderr);
    if (done < all)
        (void)fprintf(stderr, "] %3u %%  %-32s", done * 100 / all, name);
    else
        (void)fprintf(stderr, "\r%*s\r", BAR + 45, "");
    (void)fflush(stderr);
}

static int compare(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/* Each measurement gets an equal share of the time that is left, less the time that starting and
   ending the last one took. */
static bool measure(const char *program, uint64_t time_ns, struct result *results)
{
    const unsigned all = ROUNDS * bench_row_count;
    const uint64_t end = stream_now_ns() + time_ns;
    uint64_t around_ns = 0; /* time beyond its slice that the last measurement took */
    for (unsigned i = 0; i < all; i++) {
        const uint64_t begin = stream_now_ns(), left = begin < end ? end - begin : 0;
        const uint64_t share = left / (all - i), least = time_ns / all / 4;
        const uint64_t slice = share > around_ns + least ? share - around_ns : least;
        const unsigned row = i % bench_row_count;
        progress(i, all, bench_rows[row].name);
        if (!bench_measure(program, row, slice, &results[row].values[i / bench_row_count]))
            return false;
        const uint64_t took = stream_now_ns() - begin;
        around_ns = took > slice ? took - slice : 0;
    }
    progress(all, all, "");
    for (unsigned row = 0; row < bench_row_count; row++)
        qsort(results[row].values, ROUNDS, sizeof(double), compare);
    return true;
}

static const char *unit_of(const struct bench_row *row)
{
    switch (row->way) {
    case BENCH_ITEMS:
    case BENCH_MESSAGES:
    case BENCH_PIPE:
        return "items/s";
    case BENCH_LINES:
        return "lines/s";
    case BENCH_MEMCPY:
        return "bytes/s";
    default:
        return "ns";
    }
}

static double median_of(enum bench_way way, const struct result *results)
{
    for (unsigned i = 0; i < bench_row_count; i++)
        if (bench_rows[i].way == way)
            return results[i].values[ROUNDS / 2];
    return 0;
}

/* Returns which part of the hardware's limit the row reaches, or 0 if it has no limit. The limit of
   items in one direction is the slower one of moving cache lines and of copying memory. */
static double part_of_limit(const struct bench_row *row, double median,
                            const struct result *results)
{
    double lines = 64 * median_of(BENCH_LINES, results), copied = median_of(BENCH_MEMCPY, results);
    switch (row->way) {
    case BENCH_ITEMS:
    case BENCH_MESSAGES:
        return median * row->bytes / (lines < copied ? lines : copied);
    case BENCH_SPIN:
        return median_of(BENCH_BOUNCE, results) / median;
    default:
        return 0;
    }
}

static void print_json(const struct result *results, unsigned processors)
{
    (void)printf("{\"processors\": %u, \"rounds\": %d, \"results\": [", processors, ROUNDS);
    for (unsigned i = 0; i < bench_row_count; i++) {
        const double *values = results[i].values;
        if (values[ROUNDS / 2] <= 0) /* not measured on this system */
            continue;
        (void)printf("%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"median\": %.6g, "
                     "\"lowest\": %.6g, \"highest\": %.6g",
                     i ? "," : "", bench_rows[i].name, unit_of(&bench_rows[i]), values[ROUNDS / 2],
                     values[0], values[ROUNDS - 1]);
        double part = part_of_limit(&bench_rows[i], values[ROUNDS / 2], results);
        if (part > 0)
            (void)printf(", \"of_limit\": %.3g", part);
        (void)printf("}");
    }
    (void)printf("\n]}\n");
}

static void print_row(const struct bench_row *row, const double *values,
                      const struct result *results)
{
    double median = values[ROUNDS / 2], part = part_of_limit(row, median, results);
    if (median <= 0) /* not measured on this system */
        return;
    double spread = 100 * (values[ROUNDS - 1] - values[0]) / median;
    (void)printf("%-32s ", row->name);
    if (row->way == BENCH_MEMCPY)
        (void)printf("%10s %14.2f GB/s", "", median * 1e-9);
    else if (strcmp(unit_of(row), "ns") != 0)
        (void)printf("%10.2f M/s %10.2f GB/s", median * 1e-6, median * row->bytes * 1e-9);
    else
        (void)printf("%10.0f ns %16s", median, "");
    (void)printf("  spread %3.0f %%", spread);
    if (part > 0)
        (void)printf("  %.2f of the limit", part);
    (void)printf("\n");
}

static int run_side(int argc, char **argv)
{
    uint64_t row;
    if (argc != 5 || !stream_number("--side", argv[2], &row) || row >= bench_row_count)
        return tool_usage("--side is reserved for bench itself; omit it");
    return bench_side((unsigned)row, argv[3], argv[4]);
}

static const struct tool_option options[] = {{"seconds", true, 's'},
                                             {"json", false, 'j'},
                                             {"help", false, 'h'},
                                             {"side", false, 'S'},
                                             {NULL, false, '\0'}};

static int run(int argc, char **argv)
{
    const char *program = argv[-1]; /* main's argv[0] */
    struct result results[ROWS_MAX];
    int64_t time_ns = INT64_C(10000000000);
    bool json = false;
    int letter;
    while ((letter = tool_option_next(argc, argv, "s:jh", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 's':
            if (!stream_seconds("--seconds", tool_option_value, &time_ns))
                return TOOL_USAGE;
            if (time_ns < LEAST_NS)
                return tool_usage("--seconds is '%s'; it must be 0.1 or more, such as 10",
                                  tool_option_value);
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            return tool_help();
        case 'S':
            return run_side(argc, argv);
        default:
            return tool_option_refuse();
        }
    if (tool_operand < argc)
        return tool_usage("unexpected argument '%s'; bench takes only options", argv[tool_operand]);
    unsigned processors = bench_pin(0);
    if (processors == 1)
        (void)tool_fail("this machine has only one processor, so both processes take turns on it; "
                        "the numbers measure the system's scheduler, not Quoit");
    if (!measure(program, (uint64_t)time_ns, results))
        return TOOL_FAILED;
    if (json)
        print_json(results, processors);
    else
        for (unsigned i = 0; i < bench_row_count; i++)
            print_row(&bench_rows[i], results[i].values, results);
    return fflush(stdout) == 0 ? TOOL_OK : tool_fail("cannot write to stdout");
}

const struct tool_command tool_bench = {
    .name = "bench",
    .arguments = "[OPTION...]",
    .summary = "measure Quoit's speed on this machine",
    .help = help,
    .run = run,
};
