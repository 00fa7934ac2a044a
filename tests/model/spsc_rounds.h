/* SPDX-License-Identifier: MIT */
/* One producer and one consumer, one of them killed at any step, and its successor, in an SPSC ring
   whose table is OPS. */
#ifndef SPSC_ROUNDS_H
#define SPSC_ROUNDS_H

#include "harness_posix.h"

static unsigned this_round;

/* The rounds differ: items go one per call or batched, and another side is killed. */
static bool pushes_many(void)
{
    return this_round % 2 == 1;
}

static bool pops_many(void)
{
    return this_round / 2 % 2 == 1;
}

static bool kills_consumer(void)
{
    return this_round / 4 % 2 == 1;
}

static void push_two(uint64_t first)
{
    const struct quoit_ring_view *view = &ring.views[0];
    const uint64_t items[] = {first, first + 1};
    uint64_t pushed = view->ops->push_many(&ring.producers[0], view, items, 2);
    for (uint64_t i = 0; i < pushed; i++)
        ring.pushed[first + i] = true;
}

static void *producer(void *unused)
{
    harness_meet();
    for (uint64_t item = 1; item <= 4; item++)
        if (!pushes_many())
            (void)harness_push(0, item);
        else if (item % 2 == 1)
            push_two(item);
    kill_point();
    ring.views[0].ops->end(&ring.views[0]);
    return unused;
}

static void *killer(void *unused)
{
    harness_meet();
    harness_tarry(this_round);
    killed[kills_consumer() ? 1 : 0] = 1;
    return unused;
}

static quoit_status pop_two(void)
{
    const struct quoit_ring_view *view = &ring.views[1];
    uint64_t items[2] = {0};
    uint64_t popped = view->ops->pop_many(&ring.consumers[1], view, items, 2);
    for (uint64_t i = 0; i < popped; i++)
        ring.got[1][ring.got_count[1]++] = items[i];
    return popped > 0 ? QUOIT_OK : view->ops->poll_items(&ring.consumers[1], view);
}

static quoit_status pop_one(void)
{
    const struct quoit_ring_view *view = &ring.views[1];
    uint64_t item;
    quoit_status status = view->ops->pop(&ring.consumers[1], view, &item,
                                         &(uint64_t){view->item_bytes});
    if (status == QUOIT_OK)
        ring.got[1][ring.got_count[1]++] = item;
    return status;
}

/* Pops a fixed number of times. If it gets FINISHED, it has received all items. */
static void *consumer(void *unused)
{
    quoit_status status = QUOIT_EMPTY;
    self = 1;
    harness_meet();
    for (int i = 0; i < 6 && status != QUOIT_FINISHED; i++)
        status = pops_many() ? pop_two() : pop_one();
    if (status == QUOIT_FINISHED)
        assert(ring.views[1].ops->size(&ring.views[1]) == 0);
    return unused;
}

int main(void)
{
    void *(*const threads[])(void *) = {producer, killer, consumer};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        this_round = round;
        harness_begin(&OPS);
        const struct quoit_ring_view *view = &ring.views[0];
        quoit_status status = view->ops->attach_producer(&ring.producers[0], view);
        assert(status == QUOIT_OK);
        status = view->ops->attach_consumer(&ring.consumers[1], view);
        assert(status == QUOIT_OK);
        (void)status;
        harness_run(threads, 3);
        /* Takes over both sides. Items that a killed consumer had popped are lost. */
        harness_settle(3, !kills_consumer() ? 0 : pops_many() ? 2 : 1);
        harness_in_order(1, 1, 4);
        harness_in_order(3, 1, 4);
    }
    return 0;
}

#endif
