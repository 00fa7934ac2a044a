/* SPDX-License-Identifier: MIT */
/* Prints readings until the stream ends, then removes the queue. */
#include "reading.h"

#include <stdio.h>

int main(void)
{
    struct quoit_queue_options options = {.item_bytes = sizeof(struct reading), .capacity = 64};
    quoit_queue *queue;
    if (quoit_queue_join("readings", &options, QUOIT_CONSUMER, &queue) != QUOIT_OK) {
        fprintf(stderr, "%s\n", quoit_error_text());
        return 1;
    }
    struct reading reading;
    quoit_status status;
    while ((status = reading_pop_wait(queue, &reading, QUOIT_FOREVER)) == QUOIT_OK)
        printf("sensor %d: %.1f degrees\n", (int)reading.sensor, reading.celsius);
    if (status == QUOIT_CLOSED) /* the sender finished; it might also have died */
        quoit_queue_unlink_self(queue);
    quoit_queue_close(queue);
    return 0;
}
