/* SPDX-License-Identifier: MIT */
/* Large items with each bit of options.memory: the first lap, in which a queue's pages are touched
   for the first time, and later laps, in which a consumer reads what a producer writes. */
#include "waits.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { RING_BYTES = 32 << 20, LAPS = 6 };

struct lap_case {
    const char *subject;
    uint32_t memory;
};
static const struct lap_case cases[] = {
    {"as usual", 0},
    {"prefault", QUOIT_PREFAULT},
    {"lock", QUOIT_LOCK_MEMORY},
    {"huge pages", QUOIT_HUGE_PAGES},
    {"huge pages, prefault", QUOIT_HUGE_PAGES | QUOIT_PREFAULT}};

static uint64_t page_faults(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_minflt;
}

static void consume(void *argument)
{
    size_t *bytes = argument;
    quoit_queue *queue;
    const void *item;
    uint64_t sum = 0;
    pin(0);
    check(quoit_queue_open(name_of(0), QUOIT_CONSUMER, &queue), "quoit_queue_open");
    for (;;) {
        quoit_status status = quoit_queue_peek(queue, &item, NULL, QUOIT_FOREVER);
        if (status == QUOIT_FINISHED)
            break;
        check(status, "quoit_queue_peek");
        for (size_t at = 0; at < *bytes; at += 64)
            sum += *(const volatile uint64_t *)(const void *)((const char *)item + at);
        check(quoit_queue_release(queue), "quoit_queue_release");
    }
    quoit_queue_close(queue);
    if (sum == 1) /* the compiler must keep the loads */
        die("sum");
}

static void produce(quoit_queue *queue, size_t bytes, uint64_t items)
{
    for (uint64_t i = 0; i < items; i++) {
        void *room;
        check(quoit_queue_claim(queue, bytes, &room, QUOIT_FOREVER), "quoit_queue_claim");
        memset(room, (int)i, bytes);
        check(quoit_queue_commit(queue, bytes), "quoit_queue_commit");
    }
}

static void measure(const struct lap_case *about, size_t bytes)
{
    const struct quoit_queue_options options = {
        .item_bytes = (uint32_t)bytes, .capacity = RING_BYTES / bytes, .memory = about->memory};
    char question[80];
    quoit_queue *queue;
    pin(1);
    quoit_status status = quoit_queue_create(name_of(0), &options, QUOIT_PRODUCER, &queue);
    if (status != QUOIT_OK) {
        fprintf(stderr, "left out: %s: %s\n", about->subject, quoit_describe(status));
        return;
    }
    uint64_t faults = page_faults(), begin = now_ns();
    produce(queue, bytes, options.capacity);
    double gigabytes = (double)options.capacity * (double)bytes * 1e-9;
    double first = (double)(now_ns() - begin) * 1e-9;
    faults = page_faults() - faults;
    int consumer = start(consume, &bytes);
    produce(queue, bytes, options.capacity); /* the consumer's first lap */
    begin = now_ns();
    produce(queue, bytes, LAPS * options.capacity);
    double later = (double)(now_ns() - begin) * 1e-9;
    check(quoit_queue_finish(queue), "quoit_queue_finish");
    finish(consumer);
    quoit_queue_close(queue);
    remove_names(1);
    (void)snprintf(question, sizeof question, "items of %zu KiB, the first lap", bytes / 1024);
    result(question, about->subject, gigabytes / first, "GB/s");
    (void)snprintf(question, sizeof question, "items of %zu KiB, page faults in it", bytes / 1024);
    result(question, about->subject, (double)faults, "faults");
    (void)snprintf(question, sizeof question, "items of %zu KiB, later laps", bytes / 1024);
    result(question, about->subject, LAPS * gigabytes / later, "GB/s");
}

void measure_memory(void)
{
    for (size_t bytes = 4096; bytes <= 1 << 20; bytes *= 16)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            measure(&cases[i], bytes);
}
