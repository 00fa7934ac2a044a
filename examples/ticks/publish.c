/* SPDX-License-Identifier: MIT */
/* Publishes 100000 ticks, or fewer after Ctrl-C. Then it ends the stream. */
#include "stop.h"
#include "tick.h"

int main(void)
{
    struct tick_queue ticks = {NULL};
    struct tick tick = {.symbol = "QUOIT"};
    quoit_status status = join_ticks(QUOIT_PRODUCER, &ticks);
    if (status == QUOIT_OK)
        stop_on_signals(NULL);
    while (tick.number < 100000 && !stopped && status == QUOIT_OK) {
        tick.number++;
        tick.price = 100.0 + (double)(tick.number % 100) / 100.0;
        status = tick_push(ticks, &tick, QUOIT_NOW); /* there is always room: DROP_OLDEST */
    }
    if (status == QUOIT_OK)
        status = quoit_queue_finish(ticks.queue);
    if (status == QUOIT_OK) /* subscribers read to the end; the next publisher creates a queue */
        status = quoit_queue_unlink(ticks.queue);
    if (status != QUOIT_OK)
        fprintf(stderr, "publish: %s\n", quoit_describe(status));
    quoit_queue_close(ticks.queue);
    return status != QUOIT_OK;
}
