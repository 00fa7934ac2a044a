/* SPDX-License-Identifier: MIT */
/* Sends ten readings, then ends the stream. */
#include "reading.h"

#include <stdio.h>

int main(void)
{
    struct reading_queue queue;
    quoit_status status = reading_join("readings", 64, QUOIT_PRODUCER, &queue);
    for (uint64_t i = 0; i < 10 && status == QUOIT_OK; i++)
        status = reading_push(queue, &(struct reading){i, 20.0}, QUOIT_FOREVER);
    if (status == QUOIT_OK)
        status = quoit_queue_finish(queue.queue);
    quoit_queue_close(queue.queue);
    return status == QUOIT_OK ? 0 : (fprintf(stderr, "%s\n", quoit_describe(status)), 1);
}
