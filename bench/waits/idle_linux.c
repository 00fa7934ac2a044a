/* SPDX-License-Identifier: MIT */
/* Waits in which nothing happens: 1000 descriptors for an event loop, and quoit_wait_any on 100
   and on 500 queues. How much processor time, how many threads, descriptors and wake-ups do they
   cost? */
#include "waits.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DURATION_MS = 1000 };
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

static double processor_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

struct before {
    uint64_t at_ns, blocks;
    double seconds;
};

static struct before begin(void)
{
    return (struct before){now_ns(), blocks_of_process(), processor_seconds()};
}

static void report(struct before before, int count, const char *subject)
{
    char question[80];
    double took = (double)(now_ns() - before.at_ns) * 1e-9;
    double blocks = (double)(blocks_of_process() - before.blocks);
    int threads = threads_of_process();
    (void)snprintf(question, sizeof question, "idle, %d queues, processor time", count);
    result(question, subject, 100 * (processor_seconds() - before.seconds) / took, "%");
    (void)snprintf(question, sizeof question, "idle, %d queues, threads", count);
    result(question, subject, threads, "threads");
    (void)snprintf(question, sizeof question, "idle, %d queues, wake-ups of each thread", count);
    result(question, subject, blocks / took / threads, "per second");
}

static void open_queues(quoit_queue **queues, int count)
{
    const struct quoit_queue_options options = {.item_bytes = sizeof(struct stamp), .capacity = 64};
    for (int i = 0; i < count; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "local:%s", name_of(i));
        check(quoit_queue_create(name, &options, BOTH, &queues[i]), "quoit_queue_create");
    }
}

static void wait_for_descriptors(void *unused)
{
    static quoit_queue *queues[MOST];
    struct epoll_event event;
    char question[80];
    (void)unused;
    open_queues(queues, MOST);
    int without = descriptors_of_process(), epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < MOST; i++) {
        int fd;
        check(quoit_queue_poll_fd(queues[i], QUOIT_ITEMS, &fd), "quoit_queue_poll_fd");
        event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            die("epoll_ctl");
    }
    (void)usleep(300000); /* until the threads sleep */
    struct before before = begin();
    (void)epoll_wait(epoll, &event, 1, DURATION_MS);
    report(before, MOST, "poll_fd, epoll");
    (void)snprintf(question, sizeof question, "idle, %d queues, further descriptors of each", MOST);
    result(question, "poll_fd, epoll", (double)(descriptors_of_process() - without - 1) / MOST,
           "descriptors");
}

static void wait_for_any(void *argument)
{
    static quoit_queue *queues[MOST];
    static struct quoit_wait waits[MOST];
    int count = *(const int *)argument;
    open_queues(queues, count);
    for (int i = 0; i < count; i++)
        waits[i] = (struct quoit_wait){queues[i], QUOIT_ITEMS, 0};
    (void)quoit_wait_any(waits, (size_t)count, 300000000);
    struct before before = begin();
    (void)quoit_wait_any(waits, (size_t)count, DURATION_MS * INT64_C(1000000));
    report(before, count, "wait_any");
}

void measure_idle(void)
{
    finish(start(wait_for_descriptors, NULL));
    for (int count = 100; count <= 500; count += 400)
        finish(start(wait_for_any, &count));
}
