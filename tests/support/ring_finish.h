/* SPDX-License-Identifier: MIT */
/* Marks the end of a ring's stream, as quoit_queue_finish does. */
#ifndef QUOIT_TEST_RING_FINISH_H
#define QUOIT_TEST_RING_FINISH_H

#include "ring_ops.h"

static inline void test_finish(struct quoit_ring_producer *producer,
                               const struct quoit_ring_place *place)
{
    (void)place->ops->commit(producer, place, 0, 0);
    quoit_ring_producer_shut(producer);
    place->ops->end(place);
}

#endif
