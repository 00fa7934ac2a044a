/* SPDX-License-Identifier: MIT */
/* Makes numbered products at random intervals, and drops those for which the queue has no room. */
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
    .name = "producer",
    .makes = true,
    .interval_min = 0.5,
    .interval_max = 1.5,
    .help = "usage: producer [OPTION]...\n"
            "Make numbered products and pass them to a consumer through shared memory.\n"
            "Prints 'ID NUMBER' for each, then 'DROPPED ID' if the queue was full.\n"
            "\n"
            "  --name NAME          the queue: products is of the system's native kind (default),\n"
            "                       file:PATH a file; posix:products, sysv:products, sysv:0x51a7,\n"
            "                       windows:products, windows:Global\\products where there are\n"
            "                       such\n"
            "  --capacity N         products that the queue holds (default: 5)\n"
            "  --count N            make N, lost ones included, then end the stream\n"
            "                       (default: go on until Ctrl-C, and leave the stream open)\n"
            "  --interval MIN:MAX   seconds between products, at random (default: 0.5:1.5)\n"
            "  --loss P             probability that one is lost on purpose (default: 0.05)\n"
            "  --seed N             for the same numbers again\n"
            "  --sync atomic|semaphore\n"
            "                       the queue as it is, or guarded by two semaphores\n"
            "                       (default: atomic; pass the same to the consumer)\n"
            "  --help               this text\n"
            "\n"
            "Exit code: 0 done or stopped, 1 failure, 2 bad command line.\n",
};

struct producer {
    struct settings settings;
    struct random_source random;
    struct guard guard;
    quoit_queue *queue;
    struct product_progress *progress;
};

static int fail(const char *doing, quoit_status status)
{
    fprintf(stderr, "producer: cannot %s: %s\n", doing, quoit_describe(status));
    return EXIT_FAILURE;
}

/* Joins the queue. If its stream has ended and it is drained, replaces it with a new queue. */
static int enter(struct producer *producer)
{
    const char *name = producer->settings.name;
    const struct quoit_queue_options options = {.item_bytes = sizeof(struct product),
                                                .capacity = producer->settings.capacity,
                                                .user_bytes = sizeof(struct product_progress)};
    quoit_status status;
    for (;;) {
        status = quoit_queue_join(name, &options, QUOIT_PRODUCER, &producer->queue);
        if (status != QUOIT_OK)
            return fail("join the queue", status);
        struct quoit_queue_info info;
        status = quoit_queue_inspect(producer->queue, &info);
        if (status != QUOIT_OK)
            return fail("look at the queue", status);
        if (!info.finished)
            break;
        uint64_t left = quoit_queue_size(producer->queue);
        if (left > 0) {
            fprintf(stderr,
                    "producer: the stream '%s' was ended by an earlier producer and still holds "
                    "%" PRIu64 " products; let a consumer drain it first\n",
                    name, left);
            return EXIT_FAILURE;
        }
        status = quoit_queue_unlink(producer->queue);
        if (status == QUOIT_OK)
            guard_unlink(producer->queue);
        else if (status != QUOIT_ERROR_REMOVED)
            return fail("remove the queue whose stream has ended", status);
        quoit_queue_close(producer->queue);
        producer->queue = NULL;
    }
    producer->progress = quoit_queue_user_area(producer->queue);
    status = guard_open(&producer->guard, producer->queue, producer->settings.semaphore);
    if (status != QUOIT_OK)
        return fail("open the semaphores", status);
    return EXIT_SUCCESS;
}

static quoit_status pass_on(struct producer *producer, const struct product *product)
{
    quoit_status status = guard_enter(&producer->guard);
    if (status != QUOIT_OK)
        return status;
    status = product_push((struct product_queue){producer->queue}, product, QUOIT_NOW);
    guard_leave(&producer->guard);
    if (status == QUOIT_OK)
        guard_announce(&producer->guard);
    return status;
}

/* If a signal interrupts a write that is blocked, since its reader does not read, that is not an
   error. */
static bool flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (stop_requested())
        exit(EXIT_SUCCESS);
    fprintf(stderr, "producer: cannot write to standard output\n");
    return false;
}

/* Makes one product, and loses it, or prints and pushes it. Uses the same number of random numbers
   in both cases. */
static int make(struct producer *producer, double *share_out)
{
    bool lost = random_unit(&producer->random) < producer->settings.loss;
    struct product product = {.number = random_unit(&producer->random)};
    *share_out = random_unit(&producer->random);

    /* Relaxed: only the producer uses it; the queue orders what the consumer sees. */
    product.id = atomic_load_explicit(&producer->progress->made, memory_order_relaxed) + 1;
    /* Relaxed: only the producer uses it. Stored before printing, so that an id that was printed is
       not used again after a kill. */
    atomic_store_explicit(&producer->progress->made, product.id, memory_order_relaxed);
    if (lost)
        return EXIT_SUCCESS;

    char number[NUMBER_ROOM];
    number_format(product.number, number);
    (void)printf("%" PRIu64 " %s\n", product.id, number);
    if (!flush())
        return EXIT_FAILURE;
    quoit_status status = pass_on(producer, &product);
    if (status == QUOIT_FULL || status == QUOIT_ABANDONED || /* no room, or no consumer */
        status == QUOIT_TIMEOUT)                             /* asked to stop before its turn */
        (void)printf("DROPPED %" PRIu64 "\n", product.id);
    if (!flush())
        return EXIT_FAILURE;
    if (status == QUOIT_FINISHED) {
        fprintf(stderr, "producer: the stream '%s' was ended by another producer\n",
                producer->settings.name);
        return EXIT_FAILURE;
    }
    return status < 0 ? fail("push a product", status) : EXIT_SUCCESS;
}

static int produce(struct producer *producer)
{
    for (uint64_t made = 0; made < producer->settings.count; made++) {
        double share;
        if (stop_requested())
            return EXIT_SUCCESS;
        if (make(producer, &share) != EXIT_SUCCESS)
            return EXIT_FAILURE;
        if (made + 1 < producer->settings.count)
            settings_pause(&producer->settings, share);
    }
    quoit_status status = quoit_queue_finish(producer->queue);
    if (status != QUOIT_OK)
        return fail("end the stream", status);
    guard_announce(&producer->guard);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct producer producer = {.settings = settings_read(&program, argc, argv)};
    producer.random.state = producer.settings.seed;
    stop_catch();
    int result = enter(&producer);
    if (result == EXIT_SUCCESS)
        result = produce(&producer);
    guard_close(&producer.guard);
    quoit_queue_close(producer.queue);
    return result;
}
