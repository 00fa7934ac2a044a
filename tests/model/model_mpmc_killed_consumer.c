/* SPDX-License-Identifier: MIT */
/* A consumer is killed at any step. Two others find the item that it had taken, and one of them
   gets it. */
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
    (void)harness_pop(0);
    (void)harness_pop(0);
    return unused;
}

static void *killer_and_finder(void *unused)
{
    harness_attach(1);
    harness_meet();
    harness_tarry(this_round);
    killed[0] = 1;
    (void)harness_pop(1);
    return unused;
}

static void *finder(void *unused)
{
    harness_attach(2);
    harness_meet();
    (void)harness_pop(2);
    (void)harness_pop(2);
    return unused;
}

int main(void)
{
    void *(*const threads[])(void *) = {victim, killer_and_finder, finder};
    for (unsigned round = 0, rounds = harness_rounds(); round < rounds; round++) {
        this_round = round;
        harness_begin(&quoit_mpmc);
        harness_attach(3);
        (void)(harness_push(3, 1) && harness_push(3, 2));
        harness_run(threads, 3);
        has_crashed[0] = 1;   /* it may have ended before the kill */
        harness_settle(3, 1); /* the killed one may have taken an item and freed its slot */
    }
    return 0;
}
