/* SPDX-License-Identifier: MIT */
/* Locks and the data that they protect, between processes: two processes never hold the lock at the
   same time, the next process detects a killed holder, also one that waits, and a stopped holder
   keeps its lock. */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES = 6, KILLS = 30 };

/* The data that the lock protects: a change is complete if both are equal. Not atomic, on
   purpose. */
struct account {
    uint64_t here, there;
    uint64_t changes;
};

static quoit_lock *join(const char *name)
{
    quoit_lock *lock;
    CHECK_STATUS(quoit_lock_join(name, NULL, 0, &lock), QUOIT_OK);
    return lock;
}

static volatile struct account *join_account(const char *name, quoit_region **region_out)
{
    const struct quoit_region_options options = {.data_bytes = sizeof(struct account)};
    CHECK_STATUS(quoit_region_join(name, &options, 0, region_out), QUOIT_OK);
    CHECK_EQUAL(quoit_region_data_bytes(*region_out), sizeof(struct account));
    return quoit_region_data(*region_out);
}

static void change(volatile struct account *account)
{
    account->here++;
    account->changes++;
    account->there++;
}

static void remove_both(const char *lock_name, const char *account_name)
{
    CHECK_STATUS(quoit_unlink(lock_name, 0), test_after_close(lock_name));
    CHECK_STATUS(quoit_unlink(account_name, 0), test_after_close(account_name));
}

/* ---- Many processes at once ------------------------------------------------------------------ */

/* arguments: the lock, the account, how often */
static void count(char **arguments)
{
    quoit_region *region;
    quoit_lock *lock = join(arguments[0]);
    volatile struct account *account = join_account(arguments[1], &region);
    for (unsigned long i = strtoul(arguments[2], NULL, 10); i > 0; i--) {
        CHECK_STATUS(quoit_lock_lock(lock, QUOIT_FOREVER), QUOIT_OK);
        CHECK_EQUAL(account->here, account->there);
        change(account);
        CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    }
    quoit_lock_close(lock);
    quoit_region_close(region);
}

/* The first process creates them. */
static void counted_by_many(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *lock_name = test_name(test_shared_schemes[i]),
                   *account_name = test_name(test_shared_schemes[i]);
        const bool is_full = test_effort(0, 1) == 1;
        const char *const arguments[] = {lock_name, account_name, is_full ? "30000" : "3000", NULL};
        const uint64_t rounds = is_full ? 30000 : 3000;
        test_process processes[PROCESSES];
        quoit_region *region;
        quoit_lock *first = NULL;
        quoit_region *first_region = NULL;
        if (!test_outlives_handles(
                lock_name)) { /* else they would end with the last process that leaves */
            first = join(lock_name);
            (void)join_account(account_name, &first_region);
        }
        for (int k = 0; k < PROCESSES; k++)
            processes[k] = test_spawn("count", arguments);
        quoit_lock *lock = join(lock_name);
        volatile struct account *account = join_account(account_name, &region);
        for (int k = 0; k < PROCESSES; k++)
            CHECK_EQUAL(test_wait(processes[k]), 0);
        CHECK_EQUAL(account->here, PROCESSES * rounds);
        CHECK_EQUAL(account->changes, PROCESSES * rounds);
        quoit_lock_close(lock);
        quoit_lock_close(first);
        quoit_region_close(region);
        quoit_region_close(first_region);
        remove_both(lock_name, account_name);
    }
}

/* ---- Killed holders -------------------------------------------------------------------------- */

/* arguments: the lock */
static void hold(char **arguments)
{
    CHECK_STATUS(quoit_lock_lock(join(arguments[0]), QUOIT_FOREVER), QUOIT_OK);
    for (;;)
        test_sleep_ms(1000);
}

static test_process start_holder(quoit_lock *lock, const char *name)
{
    const char *const arguments[] = {name, NULL};
    test_process holder = test_spawn("hold", arguments);
    uint32_t pid = 0;
    while (pid == 0) {
        CHECK_STATUS(quoit_lock_holder(lock, &pid), QUOIT_OK);
        test_sleep_ms(1);
    }
    return holder;
}

static void end(test_process process)
{
    test_kill(process);
    CHECK_EQUAL(test_wait(process), TEST_KILLED);
}

/* By a handle that was opened before. */
static void killed_holder(const char *name)
{
    uint32_t pid = 1;
    quoit_lock *lock = join(name);
    test_process holder = start_holder(lock, name);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_TIMEOUT);
    end(holder);
    CHECK_STATUS(quoit_lock_holder(lock, &pid), QUOIT_ABANDONED);
    CHECK_EQ(pid, 0);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_ABANDONED);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_OK);
    quoit_lock_close(lock);
}

/* By a handle that is opened later: it gets the member entry of the killed process. */
static void killed_before(const char *name)
{
    quoit_lock *lock = join(name); /* entry 0 */
    test_process holder = start_holder(lock, name);
    end(holder);
    quoit_lock *late = join(name); /* entry 1, as the holder */
    CHECK_STATUS(quoit_lock_lock(late, QUOIT_NOW), QUOIT_ABANDONED);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_TIMEOUT);
    quoit_lock_close(late);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_ABANDONED);
    quoit_lock_close(lock);
}

/* arguments: the lock. Exit code 10: it was free; 11: abandoned. */
static void wait_for_it(char **arguments)
{
    quoit_lock *lock = join(arguments[0]);
    quoit_status status = quoit_lock_lock(lock, INT64_C(60000000000));
    if (status == QUOIT_OK || status == QUOIT_ABANDONED)
        CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    quoit_lock_close(lock);
    exit(status == QUOIT_OK ? 10 : status == QUOIT_ABANDONED ? 11 : 2);
}

static uint64_t count_members(const quoit_lock *lock)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t found = 0;
    CHECK_STATUS(quoit_lock_members(lock, members, QUOIT_MEMBERS_MAX, &found), QUOIT_OK);
    return found;
}

/* By waiting processes: one of them gets it as abandoned, the others as free. */
static void killed_while_others_wait(const char *name)
{
    const char *const arguments[] = {name, NULL};
    test_process waiters[3];
    int codes[3] = {0};
    quoit_lock *lock = join(name);
    test_process holder = start_holder(lock, name);
    for (int i = 0; i < 3; i++)
        waiters[i] = test_spawn("wait_for_it", arguments);
    while (count_members(lock) < 5)
        test_sleep_ms(1);
    end(holder);
    for (int i = 0; i < 3; i++)
        codes[i] = test_wait(waiters[i]);
    CHECK_GE(codes[0], 10);
    CHECK_GE(codes[1], 10);
    CHECK_EQUAL(codes[0] + codes[1] + codes[2], 10 + 10 + 11);
    quoit_lock_close(lock);
}

/* A stopped process is alive. */
static void stopped_holder(const char *name)
{
    quoit_lock *lock = join(name);
    test_process holder = start_holder(lock, name);
    test_pause(holder);
    CHECK_STATUS(quoit_lock_lock(lock, 200000000), QUOIT_TIMEOUT);
    test_resume(holder);
    end(holder);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_FOREVER), QUOIT_ABANDONED);
    quoit_lock_close(lock);
}

static void on_every_scheme(void (*part)(const char *name))
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        part(name);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

static void killed_holders(void)
{
    on_every_scheme(killed_holder);
}

static void killed_before_others_came(void)
{
    on_every_scheme(killed_before);
}

static void killed_while_waited_for(void)
{
    on_every_scheme(killed_while_others_wait);
}

static void stopped_holders(void)
{
    on_every_scheme(stopped_holder);
}

/* ---- Killed at random ------------------------------------------------------------------------ */

/* An incomplete change is seen only after ABANDONED, and then repaired. */
static void change_once(quoit_lock *lock, volatile struct account *account)
{
    quoit_status status = quoit_lock_lock(lock, INT64_C(60000000000));
    CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ABANDONED);
    if (status == QUOIT_ABANDONED)
        account->there = account->here;
    CHECK_EQUAL(account->here, account->there);
    change(account);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
}

/* arguments: the lock, the account */
static void change_for_ever(char **arguments)
{
    quoit_region *region;
    volatile struct account *account = join_account(arguments[1], &region);
    for (uint64_t i = 1;; i++) {
        quoit_lock *lock = join(arguments[0]);
        for (uint64_t k = 0; k < 1 + i % 50; k++)
            change_once(lock, account);
        quoit_lock_close(lock);
    }
}

static void killed_at_random(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *lock_name = test_name(test_shared_schemes[i]),
                   *account_name = test_name(test_shared_schemes[i]);
        const char *const arguments[] = {lock_name, account_name, NULL};
        test_process processes[3];
        quoit_region *region;
        quoit_lock *lock = join(lock_name);
        volatile struct account *account = join_account(account_name, &region);
        for (int k = 0; k < 3; k++)
            processes[k] = test_spawn("change_for_ever", arguments);
        for (uint64_t kills = 0; kills < test_effort(KILLS / 3, 4 * KILLS); kills++) {
            uint64_t before = account->changes;
            while (account->changes < before + 20)
                test_idle();
            for (int spin = (int)(test_random() % 3000); spin > 0; spin--)
                (void)test_own_pid();
            end(processes[kills % 3]);
            change_once(lock, account);
            processes[kills % 3] = test_spawn("change_for_ever", arguments);
        }
        for (int k = 0; k < 3; k++)
            end(processes[k]);
        change_once(lock, account);
        quoit_lock_close(lock);
        quoit_region_close(region);
        remove_both(lock_name, account_name);
    }
}

/* ---- Processes that are killed while they create a region ------------------------------------ */

/* arguments: the region, the region where it counts its rounds */
static void join_and_unlink_for_ever(char **arguments)
{
    quoit_region *shared, *region;
    _Atomic uint32_t *rounds = test_shared(arguments[1], sizeof *rounds, &shared);
    for (;;) {
        volatile struct account *account = join_account(arguments[0], &region);
        account->here = 1;
        quoit_status status = quoit_unlink(arguments[0], 0);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_NOT_FOUND);
        quoit_region_close(region);
        atomic_fetch_add(rounds, 1);
    }
}

/* After a crash at any point of a creation, the next join succeeds at once. The data is zeroed, or
   that of a complete region. */
static void killed_while_joining(void)
{
    const char *rounds_name = test_name("");
    quoit_region *shared, *region;
    _Atomic uint32_t *rounds = test_share(rounds_name, sizeof *rounds, &shared);
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        const char *const arguments[] = {name, rounds_name, NULL};
        for (uint64_t kills = 0; kills < test_effort(10, 60); kills++) {
            atomic_store(rounds, 0);
            test_process process = test_spawn("join_and_unlink_for_ever", arguments);
            while (atomic_load(rounds) == 0)
                test_idle();
            for (int spin = (int)(test_random() % 3000); spin > 0; spin--)
                (void)test_own_pid();
            end(process);
            volatile struct account *account = join_account(name, &region);
            CHECK_LE(account->here, 1);
            CHECK_EQUAL(account->there, 0);
            CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
            quoit_region_close(region);
        }
    }
    quoit_region_close(shared);
    CHECK_STATUS(quoit_unlink(rounds_name, 0), test_after_close(rounds_name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"counted_by_many", counted_by_many},
        {"killed_holders", killed_holders},
        {"killed_before_others_came", killed_before_others_came},
        {"killed_while_waited_for", killed_while_waited_for},
        {"stopped_holders", stopped_holders},
        {"killed_at_random", killed_at_random},
        {"killed_while_joining", killed_while_joining},
        {NULL, NULL}};
    static const struct test_role roles[] = {{"count", count},
                                             {"hold", hold},
                                             {"wait_for_it", wait_for_it},
                                             {"change_for_ever", change_for_ever},
                                             {"join_and_unlink_for_ever", join_and_unlink_for_ever},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
