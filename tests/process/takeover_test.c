/* SPDX-License-Identifier: MIT */
/*
 * Roles and crashes: a second holder of a role is refused while the first one is alive, stopped or
 * not. After a crash, also of a zombie, it takes over at once. Committed items continue in order.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KILLS = 25 };
static const struct quoit_queue_options options = {
    .item_bytes = 8, .capacity = 5, .user_bytes = 64};

static quoit_queue *open_as(const char *name, unsigned role)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_join(name, &options, role, &queue), QUOIT_OK);
    return queue;
}

/* Pushes the numbers that follow all those ever pushed, for ever. */
static void count_up(char **arguments)
{
    quoit_queue *queue = open_as(arguments[0], QUOIT_PRODUCER);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_EQUAL(info.producer_pid, test_own_pid());
    for (uint64_t next = info.pushed;;) {
        quoit_status status = quoit_queue_push(queue, &next, sizeof next, QUOIT_NOW);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_FULL, QUOIT_ABANDONED);
        if (status == QUOIT_OK)
            next++;
        else
            test_idle();
    }
}

/* Peeks at each number, writes it to the ledger, and then releases it, for ever. */
static void note_down(char **arguments)
{
    quoit_queue *queue = open_as(arguments[0], QUOIT_CONSUMER);
    quoit_region *region;
    uint64_t size = strtoull(arguments[2], NULL, 10);
    uint8_t *ledger = test_shared(arguments[1], size, &region);
    for (;;) {
        const void *items;
        size_t count;
        quoit_status status = quoit_queue_peek_many(queue, &items, &count, QUOIT_NOW);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_EMPTY, QUOIT_ABANDONED);
        if (status != QUOIT_OK) {
            test_idle();
            continue;
        }
        uint64_t number = *(const uint64_t *)items;
        if (number >= size)
            exit(EXIT_SUCCESS);
        ledger[number]++;
        CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
    }
}

static void hold(char **arguments)
{
    quoit_queue *queue = open_as(arguments[0], (unsigned)strtoul(arguments[1], NULL, 10));
    *(volatile uint64_t *)quoit_queue_user_area(queue) = 1;
    for (;;)
        test_sleep_ms(1000);
}

static void kill_and_reap(test_process process)
{
    test_kill(process);
    CHECK_EQUAL(test_wait(process), TEST_KILLED);
}

/* The parent consumes. The producer is killed at any moment, and its successor continues. */
static void producer_killed(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        const char *const arguments[] = {name, NULL};
        quoit_queue *queue = open_as(name, QUOIT_CONSUMER);
        uint64_t next = 0, number = 0;
        for (uint64_t kills = 0, most = test_effort(KILLS, KILLS); kills < most; kills++) {
            test_process producer = test_spawn("count_up", arguments);
            uint64_t until = next + 2000 + (uint64_t)kills * 37;
            while (next < until)
                if (quoit_queue_pop(queue, &number, sizeof number, NULL, QUOIT_NOW) == QUOIT_OK)
                    CHECK_EQUAL(number, next++);
                else
                    test_idle();
            kill_and_reap(producer);
            while (quoit_queue_pop(queue, &number, sizeof number, NULL, QUOIT_NOW) == QUOIT_OK)
                CHECK_EQUAL(number, next++);
        }
        struct quoit_queue_info info;
        CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
        CHECK_EQUAL(info.pushed, next);
        CHECK_EQUAL(info.producer_pid, 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* The parent produces. The consumer is killed at any moment. Each number is written to the ledger,
   and a second time only after a kill. */
static void consumer_killed(void)
{
    enum { NUMBERS = 20000 };
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]), *ledger_name = test_name("");
        const char *const arguments[] = {name, ledger_name, "20000", NULL};
        quoit_queue *queue = open_as(name, QUOIT_PRODUCER);
        quoit_region *region;
        uint64_t twice = 0;
        int kills = 0;
        const uint8_t *ledger = test_share(ledger_name, NUMBERS, &region);
        test_process consumer = test_spawn("note_down", arguments);
        for (uint64_t next = 0; next <= NUMBERS;) {
            quoit_status status = quoit_queue_push(queue, &next, sizeof next, QUOIT_NOW);
            CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_FULL, QUOIT_ABANDONED);
            if (status != QUOIT_OK) {
                test_idle();
                continue;
            }
            if (++next % (NUMBERS / KILLS) == 0 && next < NUMBERS) {
                kill_and_reap(consumer);
                kills++;
                consumer = test_spawn("note_down", arguments);
            }
        }
        CHECK_EQUAL(test_wait(consumer), 0);
        for (int n = 0; n < NUMBERS; n++) {
            CHECK_GE(ledger[n], 1);
            twice += (uint64_t)(ledger[n] - 1);
        }
        CHECK_LE(twice, (uint64_t)kills);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(ledger_name, 0), test_after_close(ledger_name));
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* A process that holds the role now. */
static test_process start_holder(const char *name, unsigned role, volatile uint64_t *flag)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%u", role);
    const char *const arguments[] = {name, number, NULL};
    *flag = 0;
    test_process holder = test_spawn("hold", arguments);
    while (*flag == 0)
        test_sleep_ms(1);
    return holder;
}

static void one_at_a_time(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++)
        for (unsigned role = QUOIT_PRODUCER; role <= QUOIT_CONSUMER; role++) {
            const char *name = test_name(test_shared_schemes[i]);
            unsigned other_role = role == QUOIT_PRODUCER ? QUOIT_CONSUMER : QUOIT_PRODUCER;
            quoit_queue *queue = open_as(name, other_role), *second;
            test_process holder = start_holder(name, role, quoit_queue_user_area(queue));
            char pid[16];

            (void)snprintf(pid, sizeof pid, "%u", (unsigned)holder.id);
            CHECK_STATUS(quoit_queue_open(name, role, &second), QUOIT_ERROR_ROLE_TAKEN);
            CHECK(strstr(test_sentence(), pid));
            test_pause(holder); /* a stopped process is alive */
            CHECK_STATUS(quoit_queue_open(name, role, &second), QUOIT_ERROR_ROLE_TAKEN);
            test_resume(holder);
            CHECK_STATUS(quoit_queue_open(name, role, &second), QUOIT_ERROR_ROLE_TAKEN);
            test_pause(holder);
            test_kill(holder);
            while (test_is_running(holder))
                test_sleep_ms(1);
            /* A zombie counts as crashed: no wait is needed, nor a second try. */
            CHECK_STATUS(quoit_queue_open(name, role, &second), QUOIT_OK);
            CHECK_EQUAL(test_wait(holder), TEST_KILLED);
            quoit_queue_close(second);
            quoit_queue_close(queue);
            CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
        }
}

/* The name is removed while both use the queue: they continue together. */
static void unlinked_while_in_use(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        const char *const arguments[] = {name, NULL};
        quoit_queue *queue = open_as(name, QUOIT_CONSUMER);
        uint64_t next = 0, number = 0;
        test_process producer = test_spawn("count_up", arguments);
        while (quoit_queue_pop(queue, &number, sizeof number, NULL, QUOIT_NOW) != QUOIT_OK)
            test_idle();
        CHECK_EQUAL(number, next++);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        while (next < 10000)
            if (quoit_queue_pop(queue, &number, sizeof number, NULL, QUOIT_NOW) == QUOIT_OK)
                CHECK_EQUAL(number, next++);
            else
                test_idle();
        struct quoit_queue_info info;
        CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
        CHECK_EQUAL(info.producer_pid, (uint32_t)producer.id);
        kill_and_reap(producer);
        CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
        CHECK_EQUAL(info.producer_pid, 0); /* crashes are still detected */
        quoit_queue_close(queue);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"producer_killed", producer_killed},
                                             {"consumer_killed", consumer_killed},
                                             {"one_at_a_time", one_at_a_time},
                                             {"unlinked_while_in_use", unlinked_while_in_use},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {
        {"count_up", count_up}, {"note_down", note_down}, {"hold", hold}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
