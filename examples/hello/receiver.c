/* SPDX-License-Identifier: MIT */
/* Prints readings until the stream ends, then removes the queue. */
#include "reading.h"

#include <stdio.h>

int main(void)
{
    struct reading_queue queue;
    struct reading item;
    quoit_status status = reading_join("readings", 64, QUOIT_CONSUMER, &queue);
    while (status == QUOIT_OK && (status = reading_pop(queue, &item, QUOIT_FOREVER)) == QUOIT_OK)
        printf("sensor %d: %.1f degrees\n", (int)item.sensor, item.celsius);
    if (status == QUOIT_FINISHED)
        status = quoit_queue_unlink(queue.queue);
    quoit_queue_close(queue.queue);
    return status == QUOIT_OK ? 0 : (fprintf(stderr, "%s\n", quoit_describe(status)), 1);
}
