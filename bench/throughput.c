/* SPDX-License-Identifier: MIT */
/* How many 16-byte items a second pass between two processes, one item per call? Checks each. */
#include "pin.h"
#include "platform.h"

#include <quoit/typed.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    uint64_t number;
    uint64_t inverse;
};
QUOIT_DEFINE_QUEUE(item, struct item);

enum { RUNS = 21, SHORT_RUNS = 5, ITEMS = 1000000, SPINS = 1000 };
static const struct quoit_queue_options options = {.item_bytes = sizeof(struct item),
                                                   .capacity = 1024};

static void give_up(const char *what)
{
    fprintf(stderr, "throughput: %s\n", what);
    exit(EXIT_FAILURE);
}

static void must(quoit_status status)
{
    if (status != QUOIT_OK)
        give_up(quoit_describe(status));
}

/* On a machine with one processor the other side must be let run. */
static void idle(unsigned *spins)
{
    if (++*spins % SPINS == 0)
        bench_yield();
}

static void produce(const char *name)
{
    quoit_queue *queue;
    unsigned spins = 0;
    (void)bench_pin(1);
    must(quoit_queue_open(name, QUOIT_PRODUCER, &queue));
    for (uint64_t n = 0; n < ITEMS; n++) {
        struct item item = {n, ~n};
        while (item_push((struct item_queue){queue}, &item, QUOIT_NOW) != QUOIT_OK)
            idle(&spins);
    }
    quoit_queue_close(queue);
}

/* Million items a second. */
static double run(const char *program)
{
    char name[64];
    (void)snprintf(name, sizeof name, "throughput-%llu", (unsigned long long)bench_now_ns());
    quoit_queue *queue;
    unsigned spins = 0;
    must(quoit_queue_create(name, &options, QUOIT_CONSUMER, &queue));
    int64_t producer = bench_start(program, "--produce", name);
    struct item item = {0, 0};
    while ((quoit_queue_size(queue) == 0))
        idle(&spins);
    uint64_t start = bench_now_ns();
    for (uint64_t n = 0; n < ITEMS; n++) {
        while (item_pop((struct item_queue){queue}, &item, QUOIT_NOW) != QUOIT_OK)
            idle(&spins);
        if (item.number != n || item.inverse != ~n)
            give_up("an item came wrong");
    }
    uint64_t ns = bench_now_ns() - start;
    if (bench_join(producer) != 0)
        give_up("the producer failed");
    quoit_queue_close(queue);
    (void)quoit_unlink(name, 0);
    return (double)ITEMS * 1e3 / (double)ns;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    double rates[RUNS] = {0};
    if (argc > 2 && strcmp(argv[1], "--produce") == 0) {
        produce(argv[2]);
        return EXIT_SUCCESS;
    }
    int runs = argc > 1 && strcmp(argv[1], "--short") == 0 ? SHORT_RUNS : RUNS;
    (void)bench_pin(0);
    for (int i = 0; i < runs; i++)
        rates[i] = run(argv[0]);
    qsort(rates, (size_t)runs, sizeof rates[0], compare);
    printf("%d items of %d bytes from process to process: median %.0f million a second "
           "[%.0f-%.0f], %.1f ms\n",
           (int)ITEMS, (int)sizeof(struct item), rates[runs / 2], rates[0], rates[runs - 1],
           ITEMS / rates[runs / 2] / 1e3);
    return EXIT_SUCCESS;
}
