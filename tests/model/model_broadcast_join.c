/* SPDX-License-Identifier: MIT */
/* Lossless broadcast: a producer, a subscriber that is killed at any step, and one that joins
   meanwhile, which sees each item once from where it begins. */
#include "harness_posix.h"

#include "broadcast.c"
#include "broadcast_lossy.c"
#include "broadcast_pop.c"
#include "broadcast_push.c"
#include "ring.c"

static unsigned this_round;

static void subscribe(unsigned member)
{
    struct quoit_ring_view *view = &ring.views[member];
    self = member;
    view->from_oldest = this_round % 2;
    quoit_status status = view->ops->attach_consumer(&ring.consumers[member], view);
    assert(status == QUOIT_OK);
    (void)status;
}

static void *producer(void *unused)
{
    self = 0;
    harness_meet();
    uint64_t item = 1;
    for (unsigned tries = 0; tries < 2 * ITEMS && item <= ITEMS; tries++)
        item += harness_push(0, item);
    return unused;
}

static void *victim(void *unused)
{
    self = 1;
    harness_meet();
    for (unsigned tries = 0; tries < ITEMS; tries++)
        (void)harness_pop(1);
    return unused;
}

static void *newcomer(void *unused)
{
    harness_meet();
    harness_tarry(this_round);
    subscribe(2);
    killed[1] = 1;
    for (unsigned tries = 0; tries < ITEMS; tries++)
        (void)harness_pop(2);
    return unused;
}

static void follow_one_another(unsigned member)
{
    for (unsigned i = 1; i < ring.got_count[member]; i++)
        assert(ring.got[member][i] == ring.got[member][i - 1] + 1);
    (void)member;
}

/* The killed subscriber does not hold up the producer. The newcomer gets the remaining items, to
   the last. */
static void drain_and_check(void)
{
    uint64_t item = 1;
    has_crashed[1] = 1;
    self = 0;
    while (item <= ITEMS && ring.pushed[item])
        item++;
    while (item <= ITEMS) {
        while (harness_pop(2))
            ;
        bool pushed = harness_push(0, item);
        assert(pushed);
        item += pushed;
    }
    while (harness_pop(2))
        ;
    follow_one_another(1);
    follow_one_another(2);
    unsigned count = ring.got_count[2];
    assert(count == 0 || ring.got[2][count - 1] == ITEMS);
    assert(ring.views[0].ops->check(&ring.views[0]) == QUOIT_OK);
    (void)count;
}

int main(void)
{
    void *(*const threads[])(void *) = {producer, victim, newcomer};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        this_round = round;
        harness_begin(&quoit_broadcast_lossless);
        quoit_status status = quoit_broadcast_lossless.attach_producer(&ring.producers[0],
                                                                       &ring.views[0]);
        assert(status == QUOIT_OK);
        (void)status;
        subscribe(1);
        harness_run(threads, 3);
        drain_and_check();
    }
    return 0;
}
