/* SPDX-License-Identifier: MIT */
/* Lossy broadcast: a producer, and two subscribers that it overtakes; one of them joins meanwhile.
   No item is torn, and the items that a subscriber received and missed are the items that were
   pushed. */
#include "harness_posix.h"

#include "broadcast.c"
#include "broadcast_lossy.c"
#include "broadcast_pop.c"
#include "broadcast_push.c"
#include "ring.c"

enum { WORDS = 3 };
static uint64_t begins[MEMBERS], last[MEMBERS];

static void subscribe(unsigned member)
{
    struct quoit_ring_view *view = &ring.views[member];
    quoit_status status = view->ops->attach_consumer(&ring.consumers[member], view);
    assert(status == QUOIT_OK);
    begins[member] = ring.consumer_states[member].broadcast.position;
    last[member] = begins[member];
    (void)status;
}

static bool take(unsigned member)
{
    uint64_t item[WORDS] = {0};
    struct quoit_ring_consumer *consumer = &ring.consumers[member];
    if (ring.views[member].ops->pop(consumer, &ring.views[member], item,
                                    &(uint64_t){ring.views[member].item_bytes}) != QUOIT_OK)
        return false;
    assert(item[1] == 2 * item[0] && item[2] == ~item[0]);
    assert(item[0] > last[member] && item[0] <= ITEMS);
    last[member] = item[0];
    ring.got_count[member]++;
    assert(begins[member] + ring.got_count[member] + consumer->state->broadcast.missed == item[0]);
    return true;
}

static void *producer(void *unused)
{
    self = 0;
    harness_meet();
    for (uint64_t i = 1; i <= ITEMS; i++) {
        const uint64_t item[WORDS] = {i, 2 * i, ~i};
        quoit_status status = ring.views[0].ops->push(&ring.producers[0], &ring.views[0], item,
                                                      ring.views[0].item_bytes);
        assert(status == QUOIT_OK);
        (void)status;
    }
    return unused;
}

static void *subscriber(void *unused)
{
    self = 1;
    harness_meet();
    for (unsigned tries = 0; tries < ITEMS; tries++)
        (void)take(1);
    return unused;
}

static void *newcomer(void *unused)
{
    self = 2;
    harness_meet();
    subscribe(2);
    for (unsigned tries = 0; tries < ITEMS; tries++)
        (void)take(2);
    return unused;
}

int main(void)
{
    void *(*const threads[])(void *) = {producer, subscriber, newcomer};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        harness_begin(&quoit_broadcast_lossy);
        for (unsigned i = 0; i < MEMBERS; i++) {
            ring.views[i].item_bytes = WORDS * sizeof(uint64_t);
            ring.views[i].stride = quoit_ring_stride(&quoit_broadcast_lossy,
                                                     WORDS * sizeof(uint64_t), 8);
            ring.views[i].from_oldest = round % 2;
        }
        quoit_broadcast_lossy.init(&ring.views[0], 0);
        quoit_status status = quoit_broadcast_lossy.attach_producer(&ring.producers[0],
                                                                    &ring.views[0]);
        assert(status == QUOIT_OK);
        (void)status;
        subscribe(1);
        harness_run(threads, 3);
        for (unsigned i = 1; i < 3; i++) {
            while (take(i))
                ;
            assert(begins[i] + ring.got_count[i] + ring.consumer_states[i].broadcast.missed ==
                   ITEMS);
        }
    }
    return 0;
}
