/* SPDX-License-Identifier: MIT */
/* Takes products at random intervals and prints them. Prints 0.0 for each product that is
   missing. */
#include "guard.h"
#include "number.h"
#include "options.h"
#include "pause.h"
#include "product.h"
#include "random.h"

#include <quoit/inspect.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct program program = {
    .name = "consumer",
    .interval_min = 1.0,
    .interval_max = 3.0,
    .help = "usage: consumer [OPTION]...\n"
            "Take products that a producer makes, through shared memory, and print them.\n"
            "Prints 'ID NUMBER' for each, and 'ID 0.0' for each that is missing before it.\n"
            "Waits for the queue if there is none yet. When a producer has ended the stream,\n"
            "prints what is left, removes the queue, and ends.\n"
            "\n"
            "  --name NAME          the queue: products is of the system's native kind (default),\n"
            "                       file:PATH a file; posix:products, sysv:products, sysv:0x51a7,\n"
            "                       windows:products, windows:Global\\products where there are\n"
            "                       such\n"
            "  --count N            print N lines, then end (default: go on)\n"
            "  --interval MIN:MAX   seconds between products, at random (default: 1.0:3.0)\n"
            "  --seed N             for the same intervals again\n"
            "  --sync atomic|semaphore\n"
            "                       the queue as it is, or guarded by two semaphores\n"
            "                       (default: atomic; pass the same to the producer)\n"
            "  --help               this text\n"
            "\n"
            "Exit code: 0 done or stopped, 1 failure, 2 bad command line.\n",
};

struct consumer {
    struct settings settings;
    struct random_source random;
    struct guard guard;
    quoit_queue *queue;
    struct product_progress *progress;
    uint64_t lines; /* printed in this run */
};

static int fail(const char *doing, quoit_status status)
{
    fprintf(stderr, "consumer: cannot %s: %s\n", doing, quoit_describe(status));
    return EXIT_FAILURE;
}

/* Waits until the queue exists, and opens it. Succeeds without a queue if the end is requested
   before. */
static int enter(struct consumer *consumer)
{
    const char *name = consumer->settings.name;
    quoit_status status;
    bool told = false;
    while ((status = quoit_queue_open(name, QUOIT_CONSUMER, &consumer->queue)) ==
           QUOIT_ERROR_NOT_FOUND) {
        if (stop_requested())
            return EXIT_SUCCESS;
        if (!told)
            fprintf(stderr, "consumer: waiting for a producer to make '%s'\n", name);
        told = true;
        pause_for(0.01);
    }
    struct quoit_queue_info info;
    if (status == QUOIT_OK)
        status = quoit_queue_inspect(consumer->queue, &info);
    if (status != QUOIT_OK)
        return fail("open the queue", status);
    if (info.item_bytes != sizeof(struct product) ||
        info.user_bytes != sizeof(struct product_progress)) {
        fprintf(stderr,
                "consumer: the queue '%s' carries items of %" PRIu64 " bytes, no products\n", name,
                info.item_bytes);
        return EXIT_FAILURE;
    }
    consumer->progress = quoit_queue_user_area(consumer->queue);
    status = guard_open(&consumer->guard, consumer->queue, consumer->settings.semaphore);
    if (status != QUOIT_OK)
        return fail("open the semaphores", status);
    return EXIT_SUCCESS;
}

static quoit_status peek(struct consumer *consumer, struct product *product_out)
{
    const void *item;
    quoit_status status = guard_enter(&consumer->guard);
    if (status != QUOIT_OK)
        return status;
    status = quoit_queue_peek(consumer->queue, &item, NULL, QUOIT_NOW);
    if (status == QUOIT_OK)
        *product_out = *(const struct product *)item;
    guard_leave(&consumer->guard);
    return status == QUOIT_ABANDONED ? QUOIT_EMPTY : status; /* a producer may start again */
}

/* Gets the next product, which stays in the queue. Returns FINISHED if the stream has ended, EMPTY
   if the program was asked to stop. */
static quoit_status next(struct consumer *consumer, struct product *product_out)
{
    bool waited = false;
    quoit_status status;
    while ((status = peek(consumer, product_out)) == QUOIT_EMPTY && !stop_requested()) {
        guard_await(&consumer->guard);
        waited = true;
    }
    if (status == QUOIT_OK && !waited)
        guard_took(&consumer->guard);
    /* A producer that begins a new stream removes the last one, semaphores included. */
    if (status == QUOIT_ERROR_REMOVED) {
        const void *item;
        if (quoit_queue_peek(consumer->queue, &item, NULL, QUOIT_NOW) == QUOIT_FINISHED)
            return QUOIT_FINISHED;
    }
    return stop_requested() ? QUOIT_EMPTY : status;
}

static void release(struct consumer *consumer)
{
    if (guard_enter(&consumer->guard) != QUOIT_OK)
        return; /* asked to stop: the product is printed, and the next run skips it */
    (void)quoit_queue_release(consumer->queue);
    guard_leave(&consumer->guard);
}

static bool print_line(struct consumer *consumer, uint64_t id, const char *number)
{
    (void)printf("%" PRIu64 " %s\n", id, number);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (stop_requested())
            exit(EXIT_SUCCESS); /* the signal interrupted a write that was blocked */
        fprintf(stderr, "consumer: cannot write to standard output\n");
        return false;
    }
    /* Relaxed: only the consumer uses it. Stored after printing, so that after a kill the next
       consumer prints every line that is missing. */
    atomic_store_explicit(&consumer->progress->printed, id, memory_order_relaxed);
    consumer->lines++;
    return true;
}

/* Prints a line for each product that is missing before this one, then its own, up to --count. */
static int print(struct consumer *consumer, const struct product *product)
{
    char number[NUMBER_ROOM];
    number_format(product->number, number);
    /* Relaxed: only the consumer uses it. */
    uint64_t id = atomic_load_explicit(&consumer->progress->printed, memory_order_relaxed) + 1;
    for (; id <= product->id && consumer->lines < consumer->settings.count; id++)
        if (stop_requested())
            return EXIT_SUCCESS;
        else if (!print_line(consumer, id, id < product->id ? "0.0" : number))
            return EXIT_FAILURE;
    if (id > product->id)
        release(consumer);
    return EXIT_SUCCESS;
}

static int consume(struct consumer *consumer)
{
    struct product product;
    quoit_status status;
    while ((status = next(consumer, &product)) == QUOIT_OK) {
        if (print(consumer, &product) != EXIT_SUCCESS)
            return EXIT_FAILURE;
        if (consumer->lines >= consumer->settings.count)
            return EXIT_SUCCESS;
        settings_pause(&consumer->settings, random_unit(&consumer->random));
    }
    if (status < 0)
        return fail("take a product", status);
    if (status == QUOIT_EMPTY)
        return EXIT_SUCCESS;
    /* The stream has ended and is drained: no process needs the names any more. */
    status = quoit_queue_unlink(consumer->queue);
    if (status != QUOIT_OK && status != QUOIT_ERROR_REMOVED)
        return fail("remove the queue", status);
    guard_unlink(consumer->queue); /* no other queue uses them, even one of the same name */
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct consumer consumer = {.settings = settings_read(&program, argc, argv)};
    consumer.random.state = consumer.settings.seed;
    stop_catch();
    int result = enter(&consumer);
    if (result == EXIT_SUCCESS && consumer.queue)
        result = consume(&consumer);
    guard_close(&consumer.guard);
    quoit_queue_close(consumer.queue);
    return result;
}
