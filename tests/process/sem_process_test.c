/* SPDX-License-Identifier: MIT */
/* Semaphores between processes: wake-ups, creation by many processes at once, and killed
   holders. */
#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES = 16, VALUE = 5 };

static int rounds(void)
{
    return (int)test_effort(1000, 1000);
}

static quoit_sem *join(const char *name, uint32_t value, uint32_t give_back)
{
    const struct quoit_sem_options options = {.value = value, .give_back = give_back};
    quoit_sem *sem;
    CHECK_STATUS(quoit_sem_join(name, &options, 0, &sem), QUOIT_OK);
    return sem;
}

/* Exit code 10: got one of the first VALUE; 11: none was left. */
static void take_one(char **arguments)
{
    quoit_sem *sem = join(arguments[0], VALUE, 0);
    quoit_status status = quoit_sem_wait(sem, QUOIT_NOW);
    quoit_region *region;
    _Atomic uint32_t *tried = test_shared(arguments[1], sizeof *tried, &region);
    /* Waits until all have joined: a semaphore may end with its last handle. */
    atomic_fetch_add(tried, 1);
    while (atomic_load(tried) < PROCESSES)
        test_idle();
    quoit_region_close(region);
    quoit_sem_close(sem);
    exit(status == QUOIT_OK ? 10 : 11);
}

/* One process creates the semaphore, and others open it meanwhile: its value is given out once. */
static void created_from_many_sides(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++)
        for (int round = 0; TEST_LOOP(round < (int)test_effort(10, 10), 1, "round", round);
             round++) {
            const char *name = test_name(test_sem_schemes[i]);
            const char *shared_name = test_name("");
            const char *const arguments[] = {name, shared_name, NULL};
            test_process processes[PROCESSES];
            quoit_region *region;
            int taken = 0;
            (void)test_share(shared_name, sizeof(uint32_t), &region);
            for (int k = 0; k < PROCESSES; k++)
                processes[k] = test_spawn("take_one", arguments);
            for (int k = 0; k < PROCESSES; k++) {
                int code = test_wait(processes[k]);
                CHECK(code == 10 || code == 11);
                taken += code == 10;
            }
            CHECK_EQUAL(taken, VALUE);
            quoit_region_close(region);
            CHECK_STATUS(quoit_unlink(shared_name, 0), test_after_close(shared_name));
            CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
        }
}

/* arguments: the semaphore to wait for, the one to post */
static void answer(char **arguments)
{
    quoit_sem *ping = join(arguments[0], 0, 0);
    quoit_sem *pong = join(arguments[1], 0, 0);
    for (int i = 0, most = rounds(); i < most; i++) {
        CHECK_STATUS(quoit_sem_wait(ping, QUOIT_FOREVER), QUOIT_OK);
        CHECK_STATUS(quoit_sem_post(pong), QUOIT_OK);
    }
    quoit_sem_close(ping);
    quoit_sem_close(pong);
}

static void ping_pong(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        const char *ping_name = test_name(test_sem_schemes[i]),
                   *pong_name = test_name(test_sem_schemes[i]);
        const char *const arguments[] = {ping_name, pong_name, NULL};
        quoit_sem *ping = join(ping_name, 0, 0);
        quoit_sem *pong = join(pong_name, 0, 0);
        test_process other = test_spawn("answer", arguments);
        for (int k = 0, most = rounds(); k < most; k++) {
            CHECK_STATUS(quoit_sem_post(ping), QUOIT_OK);
            CHECK_STATUS(quoit_sem_wait(pong, INT64_C(30000000000)), QUOIT_OK);
        }
        CHECK_EQUAL(test_wait(other), 0);
        quoit_sem_close(ping);
        quoit_sem_close(pong);
        CHECK_STATUS(quoit_sem_unlink(ping_name, 0), test_after_close(ping_name));
        CHECK_STATUS(quoit_sem_unlink(pong_name, 0), test_after_close(pong_name));
    }
}

static void hold(char **arguments)
{
    quoit_sem *sem = join(arguments[0], 2, (uint32_t)atoi(arguments[1]));
    CHECK_STATUS(quoit_sem_wait(sem, QUOIT_FOREVER), QUOIT_OK);
    CHECK_STATUS(quoit_sem_wait(sem, QUOIT_FOREVER), QUOIT_OK);
    for (;;)
        test_sleep_ms(1000);
}

/* System V returns the counts of a crashed holder, and wakes the processes that wait for them. The
   other schemes do not. */
static void holder_killed(const char *name, bool is_given_back)
{
    const char *const arguments[] = {name, is_given_back ? "1" : "0", NULL};
    quoit_sem *sem = join(name, 2, is_given_back);
    test_process holder = test_spawn("hold", arguments);
    while (test_sem_value(sem) != 0)
        test_sleep_ms(1);
    CHECK_STATUS(quoit_sem_wait(sem, 1000000), QUOIT_TIMEOUT);
    test_kill(holder);
    if (is_given_back)
        CHECK_STATUS(quoit_sem_wait(sem, INT64_C(30000000000)), QUOIT_OK);
    CHECK_EQUAL(test_wait(holder), TEST_KILLED);
    if (!is_given_back)
        CHECK_STATUS(quoit_sem_wait(sem, 1000000), QUOIT_TIMEOUT);
    CHECK_EQUAL(test_sem_value(sem), is_given_back ? 1 : 0);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
}

static void killed_holder(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++)
        holder_killed(test_name(test_sem_schemes[i]), strcmp(test_sem_schemes[i], "sysv") == 0);
}

static void post_three(char **arguments)
{
    quoit_sem *sem = join(arguments[0], 0, 0);
    for (int i = 0; i < 3; i++)
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    quoit_sem_close(sem);
}

/* A post stays in effect after the process that posted has ended. */
static void signals_outlive_their_sender(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        const char *name = test_name(test_sem_schemes[i]);
        const char *const arguments[] = {name, NULL};
        quoit_sem *sem = join(name, 0, 0);
        CHECK_EQUAL(test_wait(test_spawn("post_three", arguments)), 0);
        CHECK_EQUAL(test_sem_value(sem), 3);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
    }
}

static void join_and_close(char **arguments)
{
    for (int i = 0, most = rounds(); i < most; i++)
        quoit_sem_close(join(arguments[0], 1, 0));
}

static void unlink_again_and_again(char **arguments)
{
    for (int i = 0, most = rounds(); i < most; i++) {
        quoit_status status = quoit_sem_unlink(arguments[0], 0);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_NOT_FOUND);
    }
}

static void join_against_unlink(void)
{
    static const char *const what[] = {"join_and_close", "join_and_close", "unlink_again_and_again",
                                       "unlink_again_and_again"};
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        const char *name = test_name(test_sem_schemes[i]);
        const char *const arguments[] = {name, NULL};
        test_process processes[4];
        for (int k = 0; k < 4; k++)
            processes[k] = test_spawn(what[k], arguments);
        for (int k = 0; k < 4; k++)
            CHECK_EQUAL(test_wait(processes[k]), 0);
        quoit_status status = quoit_sem_unlink(name, 0);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_NOT_FOUND);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"created_from_many_sides", created_from_many_sides},
        {"ping_pong", ping_pong},
        {"killed_holder", killed_holder},
        {"join_against_unlink", join_against_unlink},
        {"signals_outlive_their_sender", signals_outlive_their_sender},
        {NULL, NULL}};
    static const struct test_role roles[] = {{"take_one", take_one},
                                             {"answer", answer},
                                             {"hold", hold},
                                             {"post_three", post_three},
                                             {"join_and_close", join_and_close},
                                             {"unlink_again_and_again", unlink_again_and_again},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
