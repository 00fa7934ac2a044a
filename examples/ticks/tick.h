/* SPDX-License-Identifier: MIT */
/* Shared by the publisher and its subscribers. */
#include <quoit/typed.h>

struct tick {
    uint64_t number;
    char symbol[8];
    double price;
};
QUOIT_DEFINE_QUEUE(tick, struct tick);

/* Each subscriber gets each tick. The publisher never waits: a slow subscriber misses the oldest
   ticks. */
static inline quoit_status join_ticks(uint32_t flags, struct tick_queue *ticks)
{
    struct quoit_queue_options options = tick_options(1024);
    options.kind = QUOIT_BROADCAST;
    options.when_full = QUOIT_DROP_OLDEST;
    quoit_queue *queue;
    quoit_status status = quoit_queue_join("ticks", &options, flags, &queue);
    return status == QUOIT_OK ? tick_from(queue, ticks) : status;
}
