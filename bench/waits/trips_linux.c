/* SPDX-License-Identifier: MIT */
/*
 * How long does a round trip take: by a pop with a time-out, by quoit_wait_any over 20 queues, by
 * epoll over 20 eventfds? On two processors waits of Quoit end while they spin; on one, both sides
 * block.
 */
#include "waits.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { QUEUES = 20, TRIPS = 20000, SKIPPED = 2000 };
static const int64_t minute_ns = INT64_C(60000000000);

enum way { POP, WAIT_ANY, EPOLL };

/* One side's ends: it receives on `in` and sends to `out`. */
struct side {
    enum way way;
    quoit_queue *in[QUEUES], *out[QUEUES];
    struct quoit_wait waits[QUEUES];
    int in_fds[QUEUES], out_fds[QUEUES], epoll;
};

struct trip {
    enum way way;
    bool one_processor;
    int fds[2][QUEUES];
    _Atomic int ready, done;
};

static void open_side(struct side *side, const struct trip *trip, int number)
{
    const struct quoit_queue_options options = {.item_bytes = sizeof(struct stamp), .capacity = 64};
    side->way = trip->way;
    if (side->way == EPOLL)
        side->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < QUEUES; i++) {
        if (side->way == EPOLL) {
            struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
            side->in_fds[i] = trip->fds[number][i];
            side->out_fds[i] = trip->fds[1 - number][i];
            if (epoll_ctl(side->epoll, EPOLL_CTL_ADD, side->in_fds[i], &event) != 0)
                die("epoll_ctl");
            continue;
        }
        check(
            quoit_queue_join(name_of(number * QUEUES + i), &options, QUOIT_CONSUMER, &side->in[i]),
            "quoit_queue_join");
        check(quoit_queue_join(name_of((1 - number) * QUEUES + i), &options, QUOIT_PRODUCER,
                               &side->out[i]),
              "quoit_queue_join");
        side->waits[i] = (struct quoit_wait){side->in[i], QUOIT_ITEMS, 0};
    }
}

static void close_side(struct side *side)
{
    for (int i = 0; side->way != EPOLL && i < QUEUES; i++) {
        quoit_queue_close(side->in[i]);
        quoit_queue_close(side->out[i]);
    }
    if (side->way == EPOLL)
        (void)close(side->epoll);
}

static void send_one(struct side *side, int at)
{
    struct stamp stamp = {.queue = (uint64_t)at};
    if (side->way == EPOLL) {
        if (write(side->out_fds[at], &(uint64_t){1}, sizeof(uint64_t)) < 0)
            die("write");
        return;
    }
    check(stamp_push((struct stamp_queue){side->out[at]}, &stamp, minute_ns), "push");
}

/* Returns the number of the queue on which something came. */
static int receive_one(struct side *side)
{
    struct stamp stamp;
    struct epoll_event event;
    uint64_t value;
    int at = 0;
    if (side->way == EPOLL) {
        if (epoll_wait(side->epoll, &event, 1, -1) != 1 ||
            read(side->in_fds[event.data.u32], &value, sizeof value) < 0)
            die("epoll_wait");
        return (int)event.data.u32;
    }
    if (side->way == WAIT_ANY) {
        check(quoit_wait_any(side->waits, QUEUES, minute_ns), "quoit_wait_any");
        while (!side->waits[at].ready)
            at++;
    }
    check(stamp_pop((struct stamp_queue){side->in[at]}, &stamp,
                    side->way == POP ? minute_ns : QUOIT_NOW),
          "pop");
    return at;
}

static void answer(void *argument)
{
    static struct side side;
    struct trip *trip = argument;
    pin(0);
    open_side(&side, trip, 0);
    trip->ready = 1;
    for (int i = 0; i < SKIPPED + TRIPS; i++)
        send_one(&side, receive_one(&side));
    while (!trip->done) /* a close would make the other side's queues ready */
        (void)usleep(1000);
    close_side(&side);
}

static void measure(enum way way, bool one_processor, const char *subject)
{
    static struct side side;
    struct trip *trip = shared_memory(sizeof *trip);
    *trip = (struct trip){.way = way, .one_processor = one_processor};
    for (int i = 0; way == EPOLL && i < 2 * QUEUES; i++)
        trip->fds[i / QUEUES][i % QUEUES] = eventfd(0, EFD_CLOEXEC);
    int other = start(answer, trip);
    while (!trip->ready)
        (void)usleep(1000);
    pin(one_processor ? 0 : 1);
    open_side(&side, trip, 1);
    uint64_t begin = 0;
    for (int i = 0; i < SKIPPED + TRIPS; i++) {
        if (i == SKIPPED)
            begin = now_ns();
        send_one(&side, way == POP ? 0 : (int)(dice() % QUEUES));
        (void)receive_one(&side);
    }
    double took = (double)(now_ns() - begin) / TRIPS;
    close_side(&side);
    trip->done = 1;
    finish(other);
    if (way != EPOLL)
        remove_names(2 * QUEUES);
    for (int i = 0; way == EPOLL && i < 2 * QUEUES; i++)
        (void)close(trip->fds[i / QUEUES][i % QUEUES]);
    free_memory(trip, sizeof *trip);
    result(one_processor ? "round trip, one processor" : "round trip, two processors", subject,
           took, "ns");
}

void measure_trips(void)
{
    for (int one = 0; one < 2; one++) {
        measure(POP, one == 1, "a pop with a time-out");
        measure(WAIT_ANY, one == 1, "wait_any, 20 queues");
        measure(EPOLL, one == 1, "epoll, 20 eventfds");
    }
}
