/* SPDX-License-Identifier: MIT */
/* Tests how many checks a wait makes before it sleeps, as earlier waits have taught it. */
#include "test.h"

#include "queue_handle.h"

enum { MOST = 2000, SHORT_NS = 20000, LONG_NS = 2000000 };

/* A side whose spins have failed until they were as short as they become. */
static struct quoit_waiter discouraged(void)
{
    struct quoit_waiter waiter = {.spins = MOST};
    for (int i = 0; i < 100; i++)
        quoit_spin_failed(&waiter, 1);
    CHECK_LE(quoit_spin_checks(&waiter), 4);
    return waiter;
}

/* How many short sleeps until the next spin explores. */
static unsigned sleeps_until_exploring(struct quoit_waiter *waiter)
{
    for (unsigned sleeps = 1; TEST_LOOP(sleeps <= 10000, 1, "sleep", sleeps); sleeps++) {
        quoit_spin_slept(waiter, SHORT_NS);
        if (quoit_spin_checks(waiter) == MOST)
            return sleeps;
        quoit_spin_failed(waiter, 1);
    }
    return 0;
}

/* Both sides sleep after each message, because each waits for the wake of the other. One short
   sleep, and one spin that finds something, end that. */
static void after_a_short_sleep(void)
{
    struct quoit_waiter waiter = discouraged();
    quoit_spin_slept(&waiter, SHORT_NS);
    CHECK_EQ(quoit_spin_checks(&waiter), MOST);
    quoit_spin_found(&waiter, 1000);
    CHECK_LE(1000, quoit_spin_checks(&waiter));
    quoit_spin_failed(&waiter, 1);
    CHECK_LE(1000, quoit_spin_checks(&waiter)); /* one failure is no reason to stop */
}

static void after_a_long_sleep(void)
{
    struct quoit_waiter waiter = discouraged();
    quoit_spin_slept(&waiter, LONG_NS);
    CHECK_LE(quoit_spin_checks(&waiter), 4);
}

/* Both sides share a processor: sleeps are short, and no spin finds anything. */
static void without_success(void)
{
    struct quoit_waiter waiter = discouraged();
    unsigned sleeps = sleeps_until_exploring(&waiter), before = 0;
    CHECK_EQ(sleeps, 1);
    for (int i = 0; TEST_LOOP(i < 8, 0, "exploration", i); i++) {
        quoit_spin_failed(&waiter, 1);
        CHECK_LE(quoit_spin_checks(&waiter), 4);
        before = sleeps;
        sleeps = sleeps_until_exploring(&waiter);
        CHECK_EQ(sleeps, 2 * before);
    }
    quoit_spin_found(&waiter, 100); /* the other side runs elsewhere now */
    for (int i = 0; i < 100; i++)
        quoit_spin_failed(&waiter, 1);
    CHECK_EQ(sleeps_until_exploring(&waiter), 1);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"after_a_short_sleep", after_a_short_sleep},
                                             {"after_a_long_sleep", after_a_long_sleep},
                                             {"without_success", without_success},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
