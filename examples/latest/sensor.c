/* SPDX-License-Identifier: MIT */
/* Writes ten values. Each replaces the one before. No display can delay the sensor. */
#include "temperature.h"

#include <stdio.h>

int main(void)
{
    struct quoit_queue_options options = temperature_options(1);
    options.kind = QUOIT_BROADCAST;
    options.when_full = QUOIT_DROP_OLDEST;
    quoit_queue *queue;
    struct temperature_queue temperatures = {0};
    struct temperature value = {.number = 0};
    quoit_status status = quoit_queue_join("temperature", &options, QUOIT_PRODUCER, &queue);
    if (status == QUOIT_OK)
        status = temperature_from(queue, &temperatures);
    if (status == QUOIT_OK) { /* continue the numbers of the last sensor, if there was one */
        status = temperature_latest(temperatures, &value);
        if (status == QUOIT_EMPTY)
            status = QUOIT_OK;
    }
    for (int i = 0; i < 10 && status == QUOIT_OK; i++) {
        value.number++;
        value.celsius = 20.0 + 0.1 * i;
        status = temperature_push(temperatures, &value, QUOIT_NOW);
    }
    if (status != QUOIT_OK)
        fprintf(stderr, "%s\n", quoit_describe(status));
    quoit_queue_close(queue);
    return status != QUOIT_OK;
}
