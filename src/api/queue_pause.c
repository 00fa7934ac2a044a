/* SPDX-License-Identifier: MIT */
/*
 * Pauses, which leave the other side's cache lines alone. If a ring is empty after a run of items,
 * producer and consumer are about equally fast. If the consumer then reads the next slot again and
 * again, each push has to get that slot's cache line back from it. So the consumer pauses. Then it
 * finds several items at once, and each cache line is transferred only once. A producer that has
 * filled the ring pauses likewise. A side that gets one item at a time, as in a round trip, never
 * pauses.
 */
#include "queue_handle.h"

/* The fewest items of a run, and the longest pause. In a small ring the pause is shorter, so that
   the other side does not find the ring full, or empty, meanwhile. */
enum { RUN_LEAST = 16, PAUSE_MOST_NS = 800 };

void quoit_pace_begin(struct quoit_pace *pace, uint64_t capacity)
{
    uint64_t ns = capacity - capacity / 4;
    pace->pause_ns = ns < PAUSE_MOST_NS ? (uint32_t)ns : PAUSE_MOST_NS;
}

/* Was this also the last side on which this thread found nothing? A thread that polls several
   queues in turn can use the time of a pause for the others. */
static bool is_repeated(const struct quoit_waiter *waiter)
{
    static _Thread_local const struct quoit_waiter *latest; /* compared, never followed */
    bool repeated = latest == waiter;
    latest = waiter;
    return repeated;
}

bool quoit_queue_pause(quoit_queue *queue, struct quoit_waiter *waiter, bool waits)
{
    struct quoit_pace *pace = &waiter->pace;
    uint64_t progress = waiter->role == QUOIT_CONSUMER ? quoit_queue_pops(queue)
                                                       : quoit_queue_pushes(queue);
    const uint64_t step = queue->handle->view.ring.ops->bytes_per_step;
    uint64_t run = (progress - pace->progress) / (step > 0 ? step : 1);
    pace->progress = progress;
    if ((!is_repeated(waiter) && !waits) || run < RUN_LEAST)
        return false;
    quoit_os_spin(pace->pause_ns);
    return true;
}
