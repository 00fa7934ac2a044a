/* SPDX-License-Identifier: MIT */
/* Prints readings until the stream ends, then removes the queue. Ctrl-C ends it before. */
#include "reading.h"

#include <signal.h>
#include <stdio.h>

static const int64_t tenth_of_a_second_ns = 100000000;
static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

int main(void)
{
    struct quoit_queue_options options = {.item_bytes = sizeof(struct reading), .capacity = 64};
    quoit_queue *queue;
    quoit_status status = quoit_queue_join("readings", &options, QUOIT_CONSUMER, &queue);
    if (status != QUOIT_OK) {
        fprintf(stderr, "%s\n", quoit_describe(status));
        return 1;
    }
    (void)signal(SIGINT, stop); /* queued items stay for the next receiver */
    struct reading reading;
    while (status >= QUOIT_OK && status != QUOIT_FINISHED && !stopped) {
        status = reading_pop_wait(queue, &reading, tenth_of_a_second_ns);
        if (status == QUOIT_OK)
            printf("sensor %d: %.1f degrees\n", (int)reading.sensor, reading.celsius);
        else if (status == QUOIT_ABANDONED) /* QUOIT_TIMEOUT: nothing came yet */
            fprintf(stderr, "the sender is gone and has not finished; waiting for the next one\n");
    }
    if (status == QUOIT_FINISHED) /* the sender has finished, and all is taken */
        quoit_queue_unlink_self(queue);
    else if (status < QUOIT_OK)
        fprintf(stderr, "%s\n", quoit_describe(status));
    quoit_queue_close(queue);
    return status < QUOIT_OK;
}
