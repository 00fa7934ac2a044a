/* SPDX-License-Identifier: MIT */
/* One producer, killed at any step, its successor, and one consumer, in a ring of one to one, whose
   table is OPS. */
#ifndef SPSC_ROUNDS_H
#define SPSC_ROUNDS_H

#include "harness_posix.h"

static unsigned this_round;

static void *victim(void *unused)
{
    harness_meet();
    for (uint64_t item = 1; item <= 4; item++)
        (void)harness_push(0, item);
    kill_point();
    ring.places[0].ops->finish(&ring.producers[0], &ring.places[0]);
    return unused;
}

static void *killer(void *unused)
{
    harness_meet();
    harness_tarry(this_round);
    killed[0] = 1;
    return unused;
}

/* Until it has tried often enough; who hears of the end has had everything. */
static void *consumer(void *unused)
{
    const struct quoit_ring_place *place = &ring.places[1];
    quoit_status status = QUOIT_EMPTY;
    uint64_t item;
    self = 1;
    harness_meet();
    for (int i = 0; i < 6 && status != QUOIT_FINISHED; i++) {
        status = place->ops->pop(&ring.consumers[1], place, &item, &(uint64_t){place->item_bytes});
        if (status == QUOIT_OK)
            ring.got[1][ring.got_count[1]++] = item;
    }
    if (status == QUOIT_FINISHED)
        assert(place->ops->size(place) == 0);
    return unused;
}

int main(void)
{
    void *(*const threads[])(void *) = {victim, killer, consumer};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        this_round = round;
        harness_begin(&OPS);
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

#endif
