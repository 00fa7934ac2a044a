/* SPDX-License-Identifier: MIT */
/* Marks the end of a ring's stream, as quoit_queue_finish does. */
#ifndef QUOIT_TEST_RING_FINISH_H
#define QUOIT_TEST_RING_FINISH_H

#include "ring_ops.h"

static inline void test_finish(struct quoit_ring_producer *producer,
                               const struct quoit_ring_view *view)
{
    (void)view->ops->commit(producer, view, 0, 0);
    quoit_ring_producer_disable(producer);
    view->ops->end(view);
}

#endif
