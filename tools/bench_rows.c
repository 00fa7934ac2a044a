/* SPDX-License-Identifier: MIT */
/*
 * The measurements of quoit bench. This process makes the items and measures the time. For each
 * measurement it starts a second process, which takes the items or sends them back. The queues are
 * unlinked as soon as both processes have opened them. So a later crash leaves nothing behind.
 */
#include "bench.h"
#include "pin.h"
#include "stream.h"
#include "tool.h"

#include <quoit/typed.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUEUE_BYTES = 512 * 1024, /* stays in a processor's cache */
    BATCH = 64,
    LARGEST = 1024,
    SPINS = 1 << 14,      /* failed tries before checking whether the other process is alive */
    CHECK_ITEMS = 1 << 8, /* between two readings of the clock */
    LINES = 1024,
    START_MS = 10000,
    DOZE_MS = 1, /* after this time a side that waits is blocked */
    COPY_BYTES = 32 * 1024 * 1024
};

const struct bench_row bench_rows[] = {
    {"SPSC, 8 bytes", BENCH_ITEMS, false, 8, 1},
    {"SPSC, 64 bytes", BENCH_ITEMS, false, 64, 1},
    {"SPSC, 1024 bytes", BENCH_ITEMS, false, 1024, 1},
    {"SPSC, 8 bytes, 64 per call", BENCH_ITEMS, false, 8, BATCH},
    {"SPSC, 64 bytes, 64 per call", BENCH_ITEMS, false, 64, BATCH},
    {"SPSC, 1024 bytes, 64 per call", BENCH_ITEMS, false, 1024, BATCH},
    {"SPSC, messages of 64 bytes", BENCH_MESSAGES, false, 64, 1},
    {"MPMC one to one, 8 bytes", BENCH_ITEMS, true, 8, 1},
    {"MPMC one to one, 64 bytes", BENCH_ITEMS, true, 64, 1},
    {"round trip, spinning", BENCH_SPIN, false, 8, 1},
    {"round trip, blocked", BENCH_SLEEP, false, 8, 1},
    {"limit: cache line and back", BENCH_BOUNCE, false, 8, 1},
    {"limit: cache lines, one way", BENCH_LINES, false, 64, 1},
    {"limit: memcpy", BENCH_MEMCPY, false, 0, 1},
    {"a pipe, 64 bytes", BENCH_PIPE, false, 64, 1},
};
const unsigned bench_row_count = sizeof bench_rows / sizeof *bench_rows;

/* ---- One way --------------------------------------------------------------------------------- */

/* Both sides for items of one size, as in a program whose queue has one type. */
#define SIDES(bytes)                                                                           \
    struct item##bytes {                                                                       \
        uint64_t words[(bytes) / 8];                                                           \
    };                                                                                         \
    QUOIT_DEFINE_QUEUE(item##bytes, struct item##bytes);                                       \
    static quoit_status put##bytes(quoit_queue *queue, uint32_t batch, uint64_t *count)        \
    {                                                                                          \
        static struct item##bytes items[BATCH];                                                \
        const struct item##bytes##_queue typed = {queue};                                      \
        quoit_status status = QUOIT_OK;                                                        \
        for (uint32_t i = 0; i < CHECK_ITEMS && batch == 1 && status == QUOIT_OK; i++) {       \
            items[0].words[0] = i;                                                             \
            status = item##bytes##_push(typed, &items[0], QUOIT_FOREVER);                      \
            *count += status == QUOIT_OK;                                                      \
        }                                                                                      \
        for (uint32_t i = 0; i < CHECK_ITEMS && batch > 1 && status == QUOIT_OK; i += batch) { \
            size_t pushed;                                                                     \
            status = item##bytes##_push_many(typed, items, batch, &pushed, QUOIT_FOREVER);     \
            *count += pushed;                                                                  \
        }                                                                                      \
        return status;                                                                         \
    }                                                                                          \
    static quoit_status take##bytes(quoit_queue *queue, uint32_t batch)                        \
    {                                                                                          \
        static struct item##bytes items[BATCH];                                                \
        const struct item##bytes##_queue typed = {queue};                                      \
        if (batch == 1)                                                                        \
            return item##bytes##_pop(typed, &items[0], QUOIT_FOREVER);                         \
        return item##bytes##_pop_many(typed, items, batch, NULL, QUOIT_FOREVER);               \
    }
SIDES(8)
SIDES(64)
SIDES(1024)

static quoit_status put_messages(quoit_queue *queue, uint32_t bytes, uint64_t *count)
{
    static const char message[LARGEST] = {0};
    quoit_status status = QUOIT_OK;
    for (uint32_t i = 0; i < CHECK_ITEMS && status == QUOIT_OK; i++) {
        status = quoit_queue_push(queue, message, bytes, QUOIT_FOREVER);
        *count += status == QUOIT_OK;
    }
    return status;
}

static quoit_status put(quoit_queue *queue, const struct bench_row *row, uint64_t *count)
{
    if (row->way == BENCH_MESSAGES)
        return put_messages(queue, row->bytes, count);
    switch (row->bytes) {
    case 8:
        return put8(queue, row->batch, count);
    case 64:
        return put64(queue, row->batch, count);
    default:
        return put1024(queue, row->batch, count);
    }
}

static quoit_status take(quoit_queue *queue, const struct bench_row *row)
{
    static char message[LARGEST] = {0};
    if (row->way == BENCH_MESSAGES)
        return quoit_queue_pop(queue, message, sizeof message, NULL, QUOIT_FOREVER);
    switch (row->bytes) {
    case 8:
        return take8(queue, row->batch);
    case 64:
        return take64(queue, row->batch);
    default:
        return take1024(queue, row->batch);
    }
}

static quoit_status one_way(quoit_queue *there, const struct bench_row *row, uint64_t slice_ns,
                            double *value_out)
{
    uint64_t count = 0, begin = stream_now_ns(), end = begin;
    quoit_status status = QUOIT_OK;
    while (status == QUOIT_OK && end - begin < slice_ns) {
        status = put(there, row, &count);
        end = stream_now_ns();
    }
    *value_out = (double)count * 1e9 / (double)(end - begin);
    return status;
}

/* ---- There and back -------------------------------------------------------------------------- */

static quoit_status pop8(quoit_queue *queue, struct item8 *item, int64_t timeout_ns)
{
    return item8_pop((struct item8_queue){queue}, item, timeout_ns);
}

/* Pops by polling; blocks only after SPINS failed tries. */
static quoit_status spin(quoit_queue *queue, struct item8 *item)
{
    quoit_status status;
    for (unsigned i = 1; (status = pop8(queue, item, QUOIT_NOW)) == QUOIT_EMPTY; i++)
        if (i % SPINS == 0) /* the other process is not running, or has crashed */
            return pop8(queue, item, QUOIT_FOREVER);
    return status;
}

static quoit_status await(quoit_queue *queue, const struct bench_row *row, struct item8 *item)
{
    return row->way == BENCH_SPIN ? spin(queue, item) : pop8(queue, item, QUOIT_FOREVER);
}

static quoit_status echo(quoit_queue *there, quoit_queue *back, const struct bench_row *row)
{
    struct item8 item;
    quoit_status status = await(there, row, &item);
    return status == QUOIT_OK ? item8_push((struct item8_queue){back}, &item, QUOIT_FOREVER)
                              : status;
}

static quoit_status round_trips(quoit_queue *there, quoit_queue *back, const struct bench_row *row,
                                uint64_t slice_ns, double *value_out)
{
    struct item8 item = {{0}};
    uint64_t trips = 0, spent_ns = 0, begin = stream_now_ns(), now = begin;
    quoit_status status = QUOIT_OK;
    while (status == QUOIT_OK && now - begin < slice_ns) {
        if (row->way == BENCH_SLEEP)
            stream_sleep_ms(DOZE_MS);
        uint64_t started = stream_now_ns();
        unsigned burst = row->way == BENCH_SLEEP ? 1 : CHECK_ITEMS;
        for (unsigned i = 0; i < burst && status == QUOIT_OK; i++) {
            status = item8_push((struct item8_queue){there}, &item, QUOIT_FOREVER);
            if (status == QUOIT_OK)
                status = await(back, row, &item);
        }
        now = stream_now_ns();
        spent_ns += now - started;
        trips += burst;
    }
    *value_out = (double)spent_ns / (double)trips;
    return status;
}

/* ---- The hardware ---------------------------------------------------------------------------- */

typedef _Atomic uint64_t ball;

/* The queue's user area. Each number has a cache line of its own. */
struct court {
    ball number; /* both processes increment it in turn; the second one answers the odd numbers */
    uint64_t pad1[15];
    ball written; /* lines, by the first process */
    uint64_t pad2[15];
    ball read; /* lines, by the second */
    uint64_t pad3[15];
    ball lines[LINES][8];
};

/* Waits until the number is at least `wanted`. false: the producer has finished or crashed, which
   only the consumer checks. */
static bool catch_ball(quoit_queue *queue, ball *at, uint64_t wanted, bool producer)
{
    /* Relaxed: the number is all that is passed. */
    for (unsigned i = 1; atomic_load_explicit(at, memory_order_relaxed) < wanted; i++)
        if (i % SPINS == 0) {
            bench_yield();
            const void *item;
            quoit_status status = producer ? QUOIT_OK
                                           : quoit_queue_peek(queue, &item, NULL, QUOIT_NOW);
            if (status != QUOIT_OK && status != QUOIT_EMPTY)
                return false;
        }
    return true;
}

static quoit_status bounce(quoit_queue *there, uint64_t slice_ns, double *value_out)
{
    ball *at = &((struct court *)quoit_queue_user_area(there))->number;
    uint64_t number = 0, begin = stream_now_ns(), now = begin;
    while (now - begin < slice_ns) {
        for (unsigned i = 0; i < CHECK_ITEMS; i++, number += 2) {
            /* Relaxed: the number is all that is passed. */
            atomic_store_explicit(at, number + 1, memory_order_relaxed);
            if (!catch_ball(there, at, number + 2, true))
                return QUOIT_ABANDONED;
        }
        now = stream_now_ns();
    }
    *value_out = (double)(now - begin) / ((double)number / 2);
    return QUOIT_OK;
}

static quoit_status bounce_back(quoit_queue *there)
{
    ball *at = &((struct court *)quoit_queue_user_area(there))->number;
    for (uint64_t number = 1; catch_ball(there, at, number, false); number += 2)
        /* Relaxed: the number is all that is passed. */
        atomic_store_explicit(at, number + 1, memory_order_relaxed);
    return QUOIT_FINISHED;
}

/* Writes one word of each line, and publishes a number after BATCH lines. The other process reads
   one word of each line. */
static quoit_status write_lines(quoit_queue *there, uint64_t slice_ns, double *value_out)
{
    struct court *court = quoit_queue_user_area(there);
    uint64_t count = 0, begin = stream_now_ns(), now = begin;
    for (; now - begin < slice_ns; now = stream_now_ns())
        for (unsigned i = 0; i < CHECK_ITEMS; i++, count += BATCH) {
            if (!catch_ball(there, &court->read, count < LINES ? 0 : count + BATCH - LINES, true))
                return QUOIT_ABANDONED;
            /* Relaxed: no process uses what the lines contain. */
            for (unsigned k = 0; k < BATCH; k++)
                atomic_store_explicit(&court->lines[(count + k) % LINES][0], count,
                                      memory_order_relaxed);
            /* Relaxed: no process uses what the lines contain, so their order does not matter. */
            atomic_store_explicit(&court->written, count + BATCH, memory_order_relaxed);
        }
    *value_out = (double)count * 1e9 / (double)(now - begin);
    return QUOIT_OK;
}

static quoit_status read_lines(quoit_queue *there)
{
    struct court *court = quoit_queue_user_area(there);
    for (uint64_t count = 0; catch_ball(there, &court->written, count + BATCH, false);) {
        /* Relaxed: no process uses what the lines contain. */
        for (unsigned k = 0; k < BATCH; k++, count++)
            (void)atomic_load_explicit(&court->lines[count % LINES][0], memory_order_relaxed);
        /* Relaxed: no process uses what the lines contain, so their order does not matter. */
        atomic_store_explicit(&court->read, count, memory_order_relaxed);
    }
    return QUOIT_FINISHED;
}

static bool copy_memory(uint64_t slice_ns, double *value_out)
{
    char *from = malloc(COPY_BYTES), *to = malloc(COPY_BYTES);
    uint64_t copies = 0, begin, now;
    if (from && to) {
        memset(from, 1, COPY_BYTES); /* before the clock: the system gives memory at first use */
        memset(to, 2, COPY_BYTES);
        begin = now = stream_now_ns();
        for (; now - begin < slice_ns; now = stream_now_ns(), copies++) {
            from[copies % COPY_BYTES] = to[copies % COPY_BYTES]; /* each copy is needed */
            memcpy(to, from, COPY_BYTES);
        }
        *value_out = (double)copies * COPY_BYTES * 1e9 / (double)(now - begin);
    }
    bool done = from && to;
    free(from);
    free(to);
    return done || (tool_fail("out of memory: cannot allocate the buffers for memcpy"), false);
}

/* ---- Both processes -------------------------------------------------------------------------- */

struct pair {
    quoit_queue *there, *back;
    char names[2][32];
};

static quoit_status create(struct pair *pair, const struct bench_row *row)
{
    const uint32_t bytes = row->bytes;
    struct quoit_queue_options options = {.kind = row->mpmc ? QUOIT_MPMC : QUOIT_SPSC,
                                          .item_bytes = bytes,
                                          .capacity = QUEUE_BYTES / (bytes < 64 ? 64 : bytes),
                                          .messages = row->way == BENCH_MESSAGES,
                                          .user_bytes = sizeof(struct court)};
    quoit_status status = quoit_queue_create(pair->names[0], &options, QUOIT_PRODUCER,
                                             &pair->there);
    if (status == QUOIT_OK)
        status = quoit_queue_create(pair->names[1], &options, QUOIT_CONSUMER, &pair->back);
    return status;
}

static void unlink_pair(const struct pair *pair)
{
    if (pair->there)
        (void)quoit_queue_unlink(pair->there);
    if (pair->back)
        (void)quoit_queue_unlink(pair->back);
}

/* The second process pushes an item back when it is ready. */
static quoit_status await_start(struct pair *pair)
{
    const int64_t limit_ns = INT64_C(1000000) * START_MS;
    static char item[LARGEST] = {0};
    quoit_status status = quoit_queue_pop(pair->back, item, sizeof item, NULL, limit_ns);
    unlink_pair(pair);
    return status;
}

static quoit_status measure(struct pair *pair, const struct bench_row *row, uint64_t slice_ns,
                            double *value_out)
{
    switch (row->way) {
    case BENCH_SPIN:
    case BENCH_SLEEP:
        return round_trips(pair->there, pair->back, row, slice_ns, value_out);
    case BENCH_BOUNCE:
        return bounce(pair->there, slice_ns, value_out);
    case BENCH_LINES:
        return write_lines(pair->there, slice_ns, value_out);
    default:
        return one_way(pair->there, row, slice_ns, value_out);
    }
}

bool bench_measure(const char *program, unsigned index, uint64_t slice_ns, double *value_out)
{
    const struct bench_row *row = &bench_rows[index];
    struct pair pair = {NULL, NULL, {"", ""}};
    char number[16];
    if (row->way == BENCH_MEMCPY)
        return copy_memory(slice_ns, value_out);
    if (row->way == BENCH_PIPE)
        return bench_pipe(row->bytes, slice_ns, value_out);
    (void)snprintf(number, sizeof number, "%u", index);
    (void)snprintf(pair.names[0], sizeof pair.names[0], "quoit-bench-%u-there", bench_id());
    (void)snprintf(pair.names[1], sizeof pair.names[1], "quoit-bench-%u-back", bench_id());
    quoit_status status = create(&pair, row);
    bool failed = status != QUOIT_OK;
    bench_unpin();
    int64_t second = failed ? -1 : bench_start(program, number, pair.names[0], pair.names[1]);
    (void)bench_pin(0);
    if (failed)
        (void)tool_fail_quoit(status);
    if (second >= 0) {
        status = await_start(&pair);
        if (status == QUOIT_OK)
            status = measure(&pair, row, slice_ns, value_out);
        (void)quoit_queue_finish(pair.there);
    }
    unlink_pair(&pair);
    quoit_queue_close(pair.there);
    quoit_queue_close(pair.back);
    if (failed)
        return false;
    if (second < 0)
        (void)tool_fail("cannot start the second process '%s'; run quoit by its path, or by a name "
                        "that PATH finds",
                        program);
    else if (bench_join(second) != 0 || status != QUOIT_OK)
        (void)tool_fail("the second process '%s' did not run: %s", program, quoit_describe(status));
    else
        return true;
    return false;
}

int bench_side(unsigned index, const char *there_name, const char *back_name)
{
    static const char item[LARGEST] = {0};
    const struct bench_row *row = &bench_rows[index];
    quoit_queue *there = NULL, *back = NULL;
    (void)bench_pin(1);
    quoit_status status = quoit_queue_open(there_name, QUOIT_CONSUMER, &there);
    if (status == QUOIT_OK)
        status = quoit_queue_open(back_name, QUOIT_PRODUCER, &back);
    if (status == QUOIT_OK)
        status = row->way == BENCH_MESSAGES
                     ? quoit_queue_push(back, item, row->bytes, QUOIT_NOW)
                     : quoit_queue_push(back, item, (size_t)quoit_queue_item_bytes(back),
                                        QUOIT_NOW);
    if (status == QUOIT_OK && row->way == BENCH_BOUNCE)
        status = bounce_back(there);
    if (status == QUOIT_OK && row->way == BENCH_LINES)
        status = read_lines(there);
    while (status == QUOIT_OK)
        status = row->way == BENCH_SPIN || row->way == BENCH_SLEEP ? echo(there, back, row)
                                                                   : take(there, row);
    quoit_queue_close(there);
    quoit_queue_close(back);
    return status == QUOIT_FINISHED ? TOOL_OK : TOOL_FAILED;
}
