/* SPDX-License-Identifier: MIT */
/*
 * A member of a lock is killed at each instruction of lock, unlock, close and open, also while it
 * takes the lock over from another member that was killed. The next holder gets the lock at once,
 * and gets ABANDONED for a holder that did not unlock.
 */
#include "stepper.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { MOST = 300 };

/* Written by the victim, and read after it was killed. */
struct victim {
    quoit_lock *lock; /* its own */
    quoit_status status;
    bool returned;
};

/* Whether another member crashed with the lock before, and whether the victim gets the row of that
   member. */
enum before { NO_CRASH, CRASH, CRASH_IN_SAME_ENTRY };

struct operation {
    const char *name;
    void (*ready)(struct victim *victim); /* before the first step */
    void (*act)(struct victim *victim);
    bool had; /* it has the lock before its call, */
    bool has; /* and when its call has returned */
    enum before before;
};

static struct victim *victim;
static const char *name;

static void open_it(struct victim *self)
{
    self->status = quoit_lock_open(name, 0, &self->lock);
}

static void lock_it(struct victim *self)
{
    self->status = quoit_lock_lock(self->lock, QUOIT_NOW);
}

static void unlock_it(struct victim *self)
{
    self->status = quoit_lock_unlock(self->lock);
}

static void close_it(struct victim *self)
{
    quoit_lock_close(self->lock);
}

static void open_and_lock(struct victim *self)
{
    open_it(self);
    lock_it(self);
}

static const struct operation operations[] = {
    {"lock", open_it, lock_it, false, true, NO_CRASH},
    {"unlock", open_and_lock, unlock_it, true, false, NO_CRASH},
    {"close with the lock", open_and_lock, close_it, true, true, NO_CRASH},
    {"open", NULL, open_it, false, false, NO_CRASH},
    {"take over", open_it, lock_it, false, true, CRASH},
    {"open in the same entry", NULL, open_it, false, false, CRASH_IN_SAME_ENTRY},
    {"lock in the same entry", open_it, lock_it, false, true, CRASH_IN_SAME_ENTRY}};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static void be_victim(void *argument)
{
    const struct operation *operation = argument;
    if (operation->ready)
        operation->ready(victim);
    stepper_begin();
    operation->act(victim);
    victim->returned = true;
    stepper_end();
}

/* Locks; the process is then killed with the lock. */
static void have_the_lock(void *argument)
{
    (void)argument;
    open_and_lock(victim);
    stepper_begin();
    stepper_end();
}

/* The next member gets the first free row. If the victim is to get another row than the crashed
   member, `first_handle` holds the first one meanwhile. */
static void crash_with_the_lock(enum before before)
{
    quoit_lock *first_handle = NULL;
    if (before == CRASH)
        CHECK_STATUS(quoit_lock_open(name, 0, &first_handle), QUOIT_OK);
    struct stepper first = stepper_start(have_the_lock, NULL);
    stepper_kill(&first);
    quoit_lock_close(first_handle);
    CHECK_STATUS_IS(victim->status, ==, QUOIT_OK);
}

static quoit_lock *begin(const struct operation *operation)
{
    quoit_lock *survivor;
    CHECK_STATUS(quoit_lock_create(name, NULL, 0, &survivor), QUOIT_OK);
    if (operation->before != NO_CRASH)
        crash_with_the_lock(operation->before);
    memset(victim, 0, sizeof *victim);
    return survivor;
}

/* After the victim was killed: the survivor gets the lock, and then it is free as before. */
static void settle(const struct operation *operation, quoit_lock *survivor)
{
    quoit_status status = quoit_lock_lock(survivor, QUOIT_NOW);
    if (operation->before != NO_CRASH || (victim->returned && operation->has))
        CHECK_STATUS_IS(status, ==, QUOIT_ABANDONED);
    else if (victim->returned || (!operation->had && !operation->has))
        CHECK_STATUS_IS(status, ==, QUOIT_OK);
    else
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ABANDONED);
    CHECK_STATUS(quoit_lock_unlock(survivor), QUOIT_OK);
    CHECK_STATUS(quoit_lock_lock(survivor, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_lock_unlock(survivor), QUOIT_OK);
    quoit_lock_close(survivor);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static struct stepper_path path; /* of the operation that is tried now */

static void kill_at(uint64_t step, void *context)
{
    const struct operation *operation = context;
    quoit_lock *survivor = begin(operation);
    struct stepper stepped = stepper_start(be_victim, context);
    stepper_go_to(&stepped, &path, step);
    stepper_kill(&stepped);
    settle(operation, survivor);
}

static void one_crash(void)
{
    for (int i = 0; i < OPERATIONS; i++) {
        void *operation = (void *)(uintptr_t)&operations[i];
        TEST_CONTEXT("%s", operations[i].name);
        quoit_lock *survivor = begin(&operations[i]);
        struct stepper stepped = stepper_start(be_victim, operation);
        stepper_explore(&stepped, &path);
        settle(&operations[i], survivor);
        printf("  %-20s %llu points\n", operations[i].name,
               (unsigned long long)stepper_crashes(&path, MOST, kill_at, operation));
    }
}

static void prepare(void)
{
    stepper_require();
    name = test_name("");
    victim = mmap(NULL, sizeof *victim, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_NE(victim, MAP_FAILED);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"steps can be taken", prepare},
                                             {"a member killed at each instruction", one_crash},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
