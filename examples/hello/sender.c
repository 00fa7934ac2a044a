/* SPDX-License-Identifier: MIT */
/* Sends ten readings, then ends the stream. */
#include "reading.h"

#include <stdio.h>

int main(void)
{
    struct quoit_queue_options options = {.item_bytes = sizeof(struct reading), .capacity = 64};
    quoit_queue *queue;
    quoit_status status = quoit_queue_join("readings", &options, QUOIT_PRODUCER, &queue);
    if (status != QUOIT_OK) {
        fprintf(stderr, "%s\n", quoit_describe(status));
        return 1;
    }
    for (uint64_t i = 0; i < 10 && status >= QUOIT_OK && status != QUOIT_FINISHED; i++) {
        status = reading_push(queue, &(struct reading){.sensor = i, .celsius = 20.0});
        if (status == QUOIT_FULL) /* a push never waits; reading_push_wait does */
            fprintf(stderr, "no room: reading %d dropped\n", (int)i);
    }
    if (status == QUOIT_FINISHED)
        fprintf(stderr, "the stream has ended already: let a receiver take what is left of it\n");
    else if (status < QUOIT_OK || (status = quoit_queue_finish(queue)) != QUOIT_OK)
        fprintf(stderr, "%s\n", quoit_describe(status));
    quoit_queue_close(queue);
    return status == QUOIT_OK ? 0 : 1;
}
