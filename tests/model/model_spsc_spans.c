/* SPDX-License-Identifier: MIT */
/* One producer, killed at any step, its successor, and one consumer, in a ring of spans. */
#include "harness_posix.h"

#include "ring.c"
#include "spsc_spans.c"

static unsigned this_round;

static void *victim(void *unused)
{
    harness_meet();
    for (uint64_t item = 1; item <= 4; item++)
        (void)harness_push(0, item);
    return unused;
}

static void *killer(void *unused)
{
    harness_meet();
    harness_tarry(this_round);
    killed[0] = 1;
    return unused;
}

static void *consumer(void *unused)
{
    self = 1;
    harness_meet();
    for (int i = 0; i < 4; i++)
        (void)harness_pop(1);
    return unused;
}

int main(void)
{
    void *(*const threads[])(void *) = {victim, killer, consumer};
    for (unsigned round = 0; round < ROUNDS; round++) {
        this_round = round;
        harness_begin(&quoit_spsc_spans);
        const struct quoit_ring_place *place = &ring.places[0];
        quoit_status status = place->ops->attach_producer(&ring.producers[0], place);
        assert(status == QUOIT_OK);
        status = place->ops->attach_consumer(&ring.consumers[1], place);
        assert(status == QUOIT_OK);
        (void)status;
        harness_run(threads, 3);
        harness_settle(3, 0); /* takes both sides over */
        harness_in_order(1, 1, 4);
        harness_in_order(3, 1, 4);
    }
    return 0;
}
