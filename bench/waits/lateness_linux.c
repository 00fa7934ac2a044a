/* SPDX-License-Identifier: MIT */
/*
 * How late are items that another process sends to queues that it chooses at random, at random
 * moments? Measured from the moment at which each should have been sent, so that a stall counts for
 * all items that it delayed.
 */
#include "waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ITEMS = 10000 };
static const uint64_t mean_gap_ns = 50000;

struct lateness {
    int count;
    uint32_t kind; /* of the queues */
    quoit_queue *queues[MOST];
    int read_fds[MOST], write_fds[MOST]; /* of pipes */
    _Atomic int ready;
    uint64_t late[ITEMS];
    int threads; /* beside the main thread */
};

static void open_queues(struct lateness *about, uint32_t role)
{
    const struct quoit_queue_options options = {
        .kind = about->kind, .item_bytes = sizeof(struct stamp), .capacity = 64};
    for (int i = 0; i < about->count; i++)
        check(quoit_queue_join(name_of(i), &options, role, &about->queues[i]), "quoit_queue_join");
}

static void close_queues(struct lateness *about)
{
    for (int i = 0; i < about->count; i++)
        quoit_queue_close(about->queues[i]);
}

/* ---- The receiver ---------------------------------------------------------------------------- */

static void receive_queues(void *argument)
{
    static struct quoit_wait waits[MOST];
    struct lateness *about = argument;
    pin(0);
    open_queues(about, QUOIT_CONSUMER);
    for (int i = 0; i < about->count; i++)
        waits[i] = (struct quoit_wait){about->queues[i], QUOIT_ITEMS, 0};
    about->ready = 1;
    for (int got = 0; got < ITEMS;) {
        struct stamp stamp;
        check(quoit_wait_any(waits, (size_t)about->count, QUOIT_FOREVER), "quoit_wait_any");
        for (int i = 0; i < about->count; i++)
            if (waits[i].ready)
                while (stamp_pop((struct stamp_queue){about->queues[i]}, &stamp, QUOIT_NOW) ==
                       QUOIT_OK)
                    about->late[got++] = now_ns() - stamp.moment_ns;
    }
    about->threads = threads_of_process() - 1;
    close_queues(about);
}

static void receive_pipes(void *argument)
{
    struct lateness *about = argument;
    struct epoll_event events[64];
    pin(0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < about->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = about->read_fds[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, about->read_fds[i], &event) != 0)
            die("epoll_ctl");
    }
    about->ready = 1;
    for (int got = 0; got < ITEMS;) {
        struct stamp stamp;
        int ready = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < ready; i++)
            if (read(events[i].data.fd, &stamp, sizeof stamp) == (ssize_t)sizeof stamp)
                about->late[got++] = now_ns() - stamp.moment_ns;
    }
    (void)close(epoll);
}

/* ---- The sender ------------------------------------------------------------------------------ */

static void send_all(struct lateness *about, bool pipes)
{
    uint64_t moment = now_ns() + 1000000;
    for (int i = 0; i < ITEMS; i++) {
        int at = (int)(dice() % (uint64_t)about->count);
        struct stamp stamp = {.moment_ns = moment, .queue = (uint64_t)at};
        while (now_ns() < moment)
            ;
        if (!pipes)
            check(stamp_push((struct stamp_queue){about->queues[at]}, &stamp, QUOIT_FOREVER),
                  "push");
        else if (write(about->write_fds[at], &stamp, sizeof stamp) != (ssize_t)sizeof stamp)
            die("write");
        moment += dice() % (2 * mean_gap_ns);
    }
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void report(struct lateness *about, const char *subject)
{
    char question[80];
    static const struct {
        const char *name;
        int index;
    } figures[] = {{"p50", ITEMS / 2}, {"p99", ITEMS / 100 * 99}, {"p99.9", ITEMS / 1000 * 999}};
    qsort(about->late, ITEMS, sizeof about->late[0], compare);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(question, sizeof question, "lateness, %d queues, %s", about->count,
                       figures[i].name);
        result(question, subject, (double)about->late[figures[i].index], "ns");
    }
    (void)snprintf(question, sizeof question, "lateness, %d queues, helper threads", about->count);
    result(question, subject, about->threads, "threads");
}

static void by_queues(int count, uint32_t kind, const char *subject)
{
    struct lateness *about = shared_memory(sizeof *about);
    about->count = count;
    about->kind = kind;
    int receiver = start(receive_queues, about);
    while (!about->ready)
        (void)usleep(1000);
    pin(1);
    static struct lateness own;
    own.count = count;
    own.kind = kind;
    open_queues(&own, QUOIT_PRODUCER);
    send_all(&own, false);
    finish(receiver);
    close_queues(&own);
    remove_names(count);
    report(about, subject);
    free_memory(about, sizeof *about);
}

static void by_pipes(int count)
{
    struct lateness *about = shared_memory(sizeof *about);
    about->count = count;
    for (int i = 0; i < count; i++) {
        int ends[2];
        if (pipe(ends) != 0)
            die("pipe");
        about->read_fds[i] = ends[0];
        about->write_fds[i] = ends[1];
    }
    int receiver = start(receive_pipes, about);
    while (!about->ready)
        (void)usleep(1000);
    pin(1);
    send_all(about, true);
    finish(receiver);
    for (int i = 0; i < count; i++) {
        (void)close(about->read_fds[i]);
        (void)close(about->write_fds[i]);
    }
    report(about, "pipes, epoll");
    free_memory(about, sizeof *about);
}

void measure_lateness(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (int count = 100; count <= 500; count += 400) {
        by_queues(count, QUOIT_SPSC, "Quoit, SPSC");
        by_pipes(count);
        by_queues(count, QUOIT_MPMC, "Quoit, MPMC");
    }
}
