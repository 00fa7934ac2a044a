/* SPDX-License-Identifier: MIT */
/* Two producers and a consumer at once: each item comes once, and the items of each producer come
   in order. */
#include "harness_posix.h"

#include "mpmc.c"
#include "mpmc_pop.c"
#include "mpmc_push.c"
#include "ring.c"

static void *first_producer(void *unused)
{
    harness_attach(0);
    harness_meet();
    (void)(harness_push(0, 1) && harness_push(0, 2));
    return unused;
}

static void *second_producer(void *unused)
{
    harness_attach(1);
    harness_meet();
    (void)harness_push(1, 3);
    return unused;
}

static void *consumer(void *unused)
{
    harness_attach(2);
    harness_meet();
    (void)harness_pop(2);
    (void)harness_pop(2);
    return unused;
}

int main(void)
{
    void *(*const threads[])(void *) = {first_producer, second_producer, consumer};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        harness_begin(&quoit_mpmc);
        harness_run(threads, 3);
        harness_settle(3, 0);
        harness_in_order(2, 1, 2);
        harness_in_order(3, 1, 2);
    }
    return 0;
}
