/* SPDX-License-Identifier: MIT */
/* How many instructions do a push and a pop of 16 bytes take? count_instructions.py runs this
   program twice under callgrind, with different numbers of rounds: the difference belongs to the
   queue. */
#include <quoit/typed.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    uint64_t number;
    uint64_t inverse;
};
QUOIT_DEFINE_QUEUE(item, struct item);

enum { BATCH = 32 };

/* Pushes and pops an item, that many times. Returns the number of failures. */
static uint64_t one_at_a_time(quoit_queue *queue, uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        struct item item = {i, ~i};
        wrong += item_push((struct item_queue){queue}, &item, QUOIT_NOW) != QUOIT_OK ||
                 item_pop((struct item_queue){queue}, &item, QUOIT_NOW) != QUOIT_OK;
    }
    return wrong;
}

static uint64_t waiting(quoit_queue *queue, uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        struct item item = {i, ~i};
        wrong += item_push((struct item_queue){queue}, &item, QUOIT_FOREVER) != QUOIT_OK ||
                 item_pop((struct item_queue){queue}, &item, QUOIT_FOREVER) != QUOIT_OK;
    }
    return wrong;
}

static uint64_t out_of_line(quoit_queue *queue, uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        struct item item = {i, ~i};
        wrong += quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW) != QUOIT_OK ||
                 quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW) != QUOIT_OK;
    }
    return wrong;
}

static uint64_t many(quoit_queue *queue, uint64_t rounds)
{
    static struct item items[BATCH];
    const struct item_queue typed = {queue};
    size_t count;
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++)
        wrong += item_push_many(typed, items, BATCH, &count, QUOIT_NOW) != QUOIT_OK ||
                 count != BATCH ||
                 item_pop_many(typed, items, BATCH, &count, QUOIT_NOW) != QUOIT_OK ||
                 count != BATCH;
    return wrong;
}

static uint64_t run(quoit_queue *queue, const char *how, uint64_t rounds)
{
    if (strcmp(how, "nothing") == 0)
        return 0;
    if (strncmp(how, "32 at a time", 12) == 0)
        return many(queue, rounds);
    if (strcmp(how, "push, pop, with a time-out") == 0)
        return waiting(queue, rounds);
    if (strcmp(how, "push, pop, not inlined") == 0)
        return out_of_line(queue, rounds);
    return one_at_a_time(queue, rounds);
}

int main(int argc, char **argv)
{
    quoit_queue *queue;
    if (argc != 3) {
        fprintf(stderr, "instructions HOW ROUNDS\n");
        return 2;
    }
    const struct quoit_queue_options options = {.kind = strstr(argv[1], "MPMC") ? QUOIT_MPMC
                                                                                : QUOIT_SPSC,
                                                .item_bytes = sizeof(struct item),
                                                .capacity = 64};
    quoit_status status = quoit_queue_create("local:instructions", &options,
                                             QUOIT_PRODUCER | QUOIT_CONSUMER, &queue);
    if (status != QUOIT_OK) {
        fprintf(stderr, "%s\n", quoit_describe(status));
        return 1;
    }
    uint64_t wrong = run(queue, argv[1], strtoull(argv[2], NULL, 10));
    quoit_queue_close(queue);
    (void)quoit_unlink("local:instructions", 0);
    return wrong == 0 ? 0 : 1;
}
