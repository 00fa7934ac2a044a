/* SPDX-License-Identifier: MIT */
/* Creation by many processes at the same time, with unlinking, and by processes that are killed
   during it. */
#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};
static const struct quoit_queue_options many = {.kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 5};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };
enum { PROCESSES = 64 };

/* Here processes meet, and record the queue that they joined. The layout is the same for 32 and 64
   bits. */
struct meeting {
    struct {
        uint64_t created_at;
        uint64_t created_by;
    } seen[PROCESSES];
    _Atomic uint32_t arrived;
    _Atomic uint32_t go;
    _Atomic uint32_t joined;
    uint32_t unused; /* 64-bit processors would pad the struct by this size */
};
_Static_assert(sizeof(struct meeting) == PROCESSES * 16 + 16, "alike for 32 and 64 bits");

/* arguments: the queue, the meeting's region, this process's index, and "many" for an MPMC queue,
   in which each takes one of the last member entries */
static void join_at_once(char **arguments)
{
    bool is_many = strcmp(arguments[3], "many") == 0;
    quoit_region *region;
    quoit_queue *queue;
    struct quoit_queue_info info;
    struct meeting *meeting = test_shared(arguments[1], sizeof *meeting, &region);
    atomic_fetch_add(&meeting->arrived, 1);
    while (atomic_load(&meeting->go) == 0)
        test_idle();
    CHECK_STATUS(quoit_queue_join(arguments[0], is_many ? &many : &options,
                                  is_many ? BOTH : QUOIT_OBSERVER, &queue),
                 QUOIT_OK);
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    unsigned long index = strtoul(arguments[2], NULL, 10);
    meeting->seen[index].created_at = info.created_at_unix_ns;
    meeting->seen[index].created_by = info.created_by;
    /* Waits until all have joined: a queue may end with its last handle. */
    atomic_fetch_add(&meeting->joined, 1);
    while (atomic_load(&meeting->joined) < PROCESSES)
        test_idle();
    quoit_queue_close(queue);
    quoit_region_close(region);
}

static void meet(const char *scheme, const char *kind)
{
    const char *name = test_name(scheme), *meeting_name = test_name("");
    quoit_region *region;
    test_process processes[PROCESSES];
    struct meeting *meeting = test_share(meeting_name, sizeof *meeting, &region);
    for (int i = 0; i < PROCESSES; i++) {
        char index[16];
        (void)snprintf(index, sizeof index, "%d", i);
        const char *const arguments[] = {name, meeting_name, index, kind, NULL};
        processes[i] = test_spawn("join_at_once", arguments);
    }
    while (atomic_load(&meeting->arrived) < PROCESSES)
        test_sleep_ms(1);
    atomic_store(&meeting->go, 1);
    for (int i = 0; i < PROCESSES; i++)
        CHECK_EQUAL(test_wait(processes[i]), 0);
    for (int i = 1; i < PROCESSES; i++) {
        CHECK_EQUAL(meeting->seen[i].created_at, meeting->seen[0].created_at);
        CHECK_EQUAL(meeting->seen[i].created_by, meeting->seen[0].created_by);
    }
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(meeting_name, 0), test_after_close(meeting_name));
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void everybody_joins(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++)
        for (int round = 0; TEST_LOOP(round < (int)test_effort(2, 6), 1, "round", round); round++)
            meet(test_shared_schemes[i], round % 2 ? "many" : "one");
}

/* Removes the queue if the name still leads to it. A process that uses the name later gets another
   queue. */
static void leave_by_name(quoit_queue *queue, const char *name)
{
    struct quoit_queue_info own, found;
    quoit_queue *other;
    CHECK_STATUS(quoit_queue_inspect(queue, &own), QUOIT_OK);
    quoit_status status = quoit_queue_unlink(queue);
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_REMOVED);
    if (quoit_queue_open(name, QUOIT_OBSERVER, &other) != QUOIT_OK)
        return;
    CHECK_STATUS(quoit_queue_inspect(other, &found), QUOIT_OK);
    CHECK(found.created_at_unix_ns != own.created_at_unix_ns || found.created_by != own.created_by);
    quoit_queue_close(other);
}

/* Joins, and is the only user of the queue that it joined: it never pops items of another
   process. */
static void join_and_leave(char **arguments)
{
    for (int round = 0; TEST_LOOP(round < (int)test_effort(150, 300), 3, "round", round); round++) {
        quoit_queue *queue;
        quoit_status status = quoit_queue_join(arguments[0], &options, BOTH, &queue);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_ROLE_TAKEN);
        if (status != QUOIT_OK)
            continue;
        uint64_t own = (uint64_t)test_own_pid() << 32 | (uint64_t)round, popped = 0;
        CHECK_EQ(quoit_queue_size(queue), 0);
        CHECK_STATUS(quoit_queue_push(queue, &own, sizeof own, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop(queue, &popped, sizeof popped, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_EQUAL(popped, own);
        if (round % 4 == 0)
            leave_by_name(queue, arguments[0]);
        quoit_queue_close(queue);
    }
}

static void create_and_leave(char **arguments)
{
    for (int round = 0; TEST_LOOP(round < (int)test_effort(150, 300), 3, "round", round); round++) {
        quoit_queue *queue;
        quoit_status status = quoit_queue_create(arguments[0], &options, QUOIT_OBSERVER, &queue);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_EXISTS);
        quoit_queue_close(queue);
    }
}

static void unlink_again_and_again(char **arguments)
{
    for (int round = 0; TEST_LOOP(round < (int)test_effort(300, 600), 3, "round", round); round++) {
        quoit_status status = quoit_unlink(arguments[0], 0);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_NOT_FOUND);
    }
}

static void create_against_unlink_against_join(void)
{
    static const char *const roles[] = {"join_and_leave", "join_and_leave", "create_and_leave",
                                        "unlink_again_and_again"};
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        const char *const arguments[] = {name, NULL};
        test_process processes[4];
        for (int k = 0; k < 4; k++)
            processes[k] = test_spawn(roles[k], arguments);
        for (int k = 0; k < 4; k++)
            CHECK_EQUAL(test_wait(processes[k]), 0);
        quoit_status status = quoit_unlink(name, 0);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_NOT_FOUND);
    }
}

/* arguments: the queue, the region where it counts its rounds */
static void create_and_unlink_for_ever(char **arguments)
{
    quoit_region *region;
    _Atomic uint32_t *rounds = test_shared(arguments[1], sizeof *rounds, &region);
    for (;;) {
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_join(arguments[0], &options, BOTH, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
        quoit_queue_close(queue);
        atomic_fetch_add(rounds, 1);
    }
}

/* After a crash at any point of a creation or a removal, the next one succeeds at once. */
static void killed_while_creating(void)
{
    const char *rounds_name = test_name("");
    quoit_region *region;
    _Atomic uint32_t *rounds = test_share(rounds_name, sizeof *rounds, &region);
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        const char *const arguments[] = {name, rounds_name, NULL};
        for (uint64_t kills = 0; kills < test_effort(15, 60); kills++) {
            quoit_queue *queue;
            uint64_t value = 5;
            atomic_store(rounds, 0);
            test_process process = test_spawn("create_and_unlink_for_ever", arguments);
            while (atomic_load(rounds) == 0)
                test_idle();
            for (int spin = (int)(test_random() % 3000); spin > 0; spin--)
                (void)test_own_pid();
            test_kill(process);
            CHECK_EQUAL(test_wait(process), TEST_KILLED);
            CHECK_STATUS(quoit_queue_join(name, &options, BOTH, &queue), QUOIT_OK);
            CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW), QUOIT_OK);
            CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
            quoit_queue_close(queue);
        }
    }
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(rounds_name, 0), test_after_close(rounds_name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"everybody_joins", everybody_joins},
        {"create_against_unlink_against_join", create_against_unlink_against_join},
        {"killed_while_creating", killed_while_creating},
        {NULL, NULL}};
    static const struct test_role roles[] = {
        {"join_at_once", join_at_once},
        {"join_and_leave", join_and_leave},
        {"create_and_leave", create_and_leave},
        {"unlink_again_and_again", unlink_again_and_again},
        {"create_and_unlink_for_ever", create_and_unlink_for_ever},
        {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
