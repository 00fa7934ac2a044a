/* SPDX-License-Identifier: MIT */
/* quoit pop of several queues. It waits for all of them at once, and takes from each that is ready
   in turn. Queues that do not exist yet are opened as they come. */
#include "pop.h"
#include "tool.h"

#include <stdlib.h>

enum { WAITING, OPEN, ENDED };

struct source {
    struct pop pop; /* the options, and this queue */
    int state;
    uint64_t open_at_ns; /* not before: a stream that has ended may be left in place */
};

struct many {
    struct source *sources;
    struct quoit_wait *waits;
    size_t count;
    size_t open, ended;
    uint64_t left, written; /* of all */
    uint64_t begin_ns;      /* of the wait for the next message */
    bool hinted;
};

/* Opens the queues that have come to exist. Returns -1, or an exit code. */
static int open_new(struct many *many)
{
    for (size_t i = 0; i < many->count; i++) {
        struct source *source = &many->sources[i];
        if (source->state != WAITING || stream_now_ns() < source->open_at_ns)
            continue;
        quoit_status status = pop_open(&source->pop);
        if (status == QUOIT_ERROR_NOT_FOUND && !source->pop.no_wait)
            continue;
        source->state = OPEN;
        many->open++;
        if (status != QUOIT_OK)
            return tool_fail_quoit(status);
    }
    return -1;
}

static void leave(struct many *many, struct source *source, int state)
{
    if (source->state == OPEN)
        many->open--;
    pop_leave(&source->pop);
    source->state = state;
    many->ended += state == ENDED;
}

/* The stream of one queue has ended. Returns -1, or an exit code. */
static int end_stream(struct many *many, struct source *source)
{
    int code = pop_end_stream(&source->pop);
    leave(many, source, code < 0 ? WAITING : ENDED);
    source->open_at_ns = stream_now_ns() + POP_POLL_MS * UINT64_C(1000000);
    return code == TOOL_OK ? -1 : code;
}

/* Takes once from a queue that is ready. Returns -1, or an exit code. */
static int serve(struct many *many, struct source *source)
{
    bool written = false;
    source->pop.left = many->left;
    quoit_status status = pop_take(&source->pop, &written);
    many->left = source->pop.left;
    switch (status) {
    case QUOIT_OK:
        many->written += written;
        many->begin_ns = stream_now_ns();
        return written ? -1 : pop_fail_write();
    case QUOIT_EMPTY: /* another consumer was faster */
        return -1;
    case QUOIT_FINISHED:
        return end_stream(many, source);
    case QUOIT_ABANDONED:
        return pop_may_go_on(&source->pop) ? -1 : pop_fail_crashed(&source->pop);
    default:
        return tool_fail_quoit(status);
    }
}

/* Returns the time-out of the next wait. */
static int64_t time_left(struct many *many)
{
    const struct pop *pop = &many->sources[0].pop;
    const int64_t poll_ns = POP_POLL_MS * INT64_C(1000000);
    const int64_t hint_ns = STREAM_HINT_MS * INT64_C(1000000);
    int64_t left = pop->no_wait ? QUOIT_NOW : stream_left_ns(pop->timeout_ns, many->begin_ns);
    if (many->open + many->ended < many->count && left > poll_ns)
        return poll_ns;
    return !many->hinted && left > hint_ns ? hint_ns : left;
}

static void hint(struct many *many)
{
    const uint64_t hint_ns = STREAM_HINT_MS * UINT64_C(1000000);
    if (many->hinted || stream_now_ns() - many->begin_ns < hint_ns)
        return;
    many->hinted = true;
    if (many->written == 0)
        tool_hint(
            "waiting for a message in %zu queues, %zu of which do not exist yet; Ctrl-C ends this",
            many->count - many->ended, many->count - many->ended - many->open);
}

/* Waits for all open queues. */
static quoit_status wait_for_all(struct many *many)
{
    size_t next = 0;
    int64_t timeout_ns = time_left(many);
    if (many->open == 0) {
        if (timeout_ns > 0)
            stream_sleep_ms(POP_POLL_MS);
        return QUOIT_TIMEOUT;
    }
    for (size_t i = 0; i < many->count; i++)
        if (many->sources[i].state == OPEN)
            many->waits[next++] = (struct quoit_wait){many->sources[i].pop.queue, QUOIT_ITEMS, 0};
    stream_stop_waits_on(many->waits[0].queue);
    return stream_stopped ? QUOIT_INTERRUPTED : quoit_wait_any(many->waits, next, timeout_ns);
}

/* Waits, and takes once from each queue that is ready. Returns -1, or an exit code. */
static int take_turn(struct many *many)
{
    const struct pop *pop = &many->sources[0].pop;
    int code = open_new(many);
    if (code >= 0)
        return code;
    quoit_status status = wait_for_all(many);
    if (status == QUOIT_INTERRUPTED)
        return TOOL_FAILED; /* the signal ends this process: stream_stop_end */
    if (status == QUOIT_TIMEOUT && pop->no_wait)
        return many->written > 0 && !pop->counted ? TOOL_OK : TOOL_NOTHING;
    if (status == QUOIT_TIMEOUT && stream_left_ns(pop->timeout_ns, many->begin_ns) == 0)
        return TOOL_NOTHING;
    if (status == QUOIT_TIMEOUT)
        hint(many);
    else if (status != QUOIT_OK)
        return tool_fail_quoit(status);
    for (size_t i = 0, next = 0; status == QUOIT_OK && code < 0 && i < many->count; i++) {
        bool may_take = !pop->counted || many->left > 0;
        if (many->sources[i].state == OPEN && many->waits[next++].ready && may_take)
            code = serve(many, &many->sources[i]);
    }
    return code;
}

static int run(struct many *many)
{
    const struct pop *pop = &many->sources[0].pop;
    int code = -1;
    while (code < 0 && many->ended < many->count && (!pop->counted || many->left > 0))
        code = stream_stopped ? TOOL_FAILED : take_turn(many);
    for (size_t i = 0; i < many->count; i++)
        if (many->sources[i].state == OPEN)
            leave(many, &many->sources[i], ENDED);
    return code < 0 ? TOOL_OK : code;
}

int pop_from_many(const struct pop *pop, char *const *names, int count)
{
    struct many many = {.count = (size_t)count, .left = pop->left, .begin_ns = stream_now_ns()};
    int code = TOOL_FAILED;
    many.sources = calloc(many.count, sizeof *many.sources);
    many.waits = calloc(many.count, sizeof *many.waits);
    if (!many.sources || !many.waits) {
        code = tool_fail("out of memory for %d queues", count);
    } else {
        for (size_t i = 0; i < many.count; i++) {
            many.sources[i].pop = *pop;
            many.sources[i].pop.name = names[i];
        }
        code = run(&many);
    }
    free(many.sources);
    free(many.waits);
    return code;
}
