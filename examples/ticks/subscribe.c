/* SPDX-License-Identifier: MIT */
/* Reads ticks until the stream ends, or until Ctrl-C. Then it prints a summary. */
#include "stop.h"
#include "tick.h"

int main(void)
{
    struct tick_queue ticks = {NULL};
    struct tick tick;
    double highest = 0;
    int seen = 0;
    quoit_status status = join_ticks(QUOIT_CONSUMER, &ticks);
    if (status == QUOIT_OK)
        stop_on_signals(ticks.queue);
    while (status == QUOIT_OK && !stopped) {
        status = tick_pop(ticks, &tick, QUOIT_FOREVER);
        if (status == QUOIT_OK) {
            seen++;
            highest = tick.price > highest ? tick.price : highest;
        } else if (status == QUOIT_INTERRUPTED || status == QUOIT_ABANDONED) {
            status = QUOIT_OK; /* if the publisher has crashed, another may start */
        }
    }
    if (status < QUOIT_OK) /* FINISHED is the end of the stream */
        fprintf(stderr, "subscribe: %s\n", quoit_describe(status));
    printf("%d ticks, %d missed, the highest price is %.2f\n", seen,
           (int)quoit_queue_missed(ticks.queue), highest);
    stop_ends();
    quoit_queue_close(ticks.queue);
    return status < QUOIT_OK;
}
