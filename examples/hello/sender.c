/* SPDX-License-Identifier: MIT */
/* Sends ten readings, then ends the stream. */
#include "reading.h"

#include <stdio.h>

int main(void)
{
    struct quoit_queue_options options = {.item_bytes = sizeof(struct reading), .capacity = 64};
    quoit_queue *queue;
    if (quoit_queue_join("readings", &options, QUOIT_PRODUCER, &queue) != QUOIT_OK) {
        fprintf(stderr, "%s\n", quoit_error_text());
        return 1;
    }
    for (uint64_t i = 0; i < 10; i++)
        if (reading_push(queue, &(struct reading){.sensor = i, .celsius = 20.0}) != QUOIT_OK)
            fprintf(stderr, "no room: reading %d dropped\n", (int)i);
    quoit_queue_finish(queue);
    quoit_queue_close(queue);
    return 0;
}
