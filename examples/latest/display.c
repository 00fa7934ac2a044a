/* SPDX-License-Identifier: MIT */
/* Shows the newest value and leaves it in the queue. Any number of displays may run at any time. */
#include "temperature.h"

#include <stdio.h>

int main(void)
{
    struct temperature_queue temperatures;
    struct temperature value;
    quoit_status status = temperature_open("temperature", QUOIT_OBSERVER, &temperatures);
    if (status == QUOIT_OK)
        status = temperature_latest(temperatures, &value);
    if (status == QUOIT_OK)
        printf("value %d: %.1f degrees\n", (int)value.number, value.celsius);
    else if (status == QUOIT_EMPTY)
        printf("no value yet\n");
    else
        fprintf(stderr, "%s\n", quoit_describe(status));
    quoit_queue_close(temperatures.queue);
    return status != QUOIT_OK && status != QUOIT_EMPTY;
}
