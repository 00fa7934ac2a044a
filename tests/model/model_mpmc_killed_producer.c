/* SPDX-License-Identifier: MIT */
/* A producer is killed at any step. Another one, which also consumes, continues, and repairs the
   ring. */
#include "harness_posix.h"

#include "mpmc.c"
#include "mpmc_pop.c"
#include "mpmc_push.c"
#include "ring.c"

static unsigned this_round;

static void *victim(void *unused)
{
    harness_attach(0);
    harness_meet();
    (void)(harness_push(0, 1) && harness_push(0, 2));
    return unused;
}

static void *killer(void *unused)
{
    harness_meet();
    harness_tarry(this_round);
    killed[0] = 1;
    return unused;
}

static void *survivor(void *unused)
{
    harness_attach(1);
    harness_meet();
    (void)harness_push(1, 3);
    (void)harness_pop(1);
    (void)harness_pop(1);
    return unused;
}

int main(void)
{
    void *(*const threads[])(void *) = {victim, killer, survivor};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        this_round = round;
        harness_begin(&quoit_mpmc);
        harness_run(threads, 3);
        has_crashed[0] = 1; /* it may have ended before the kill */
        harness_settle(3, 0);
        harness_in_order(1, 1, 2);
        harness_in_order(3, 1, 2);
    }
    return 0;
}
