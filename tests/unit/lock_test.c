/* SPDX-License-Identifier: MIT */
/* Locks in one process: mutual exclusion of handles and threads, holders that close with the lock,
   wrong arguments, and states that no member writes. */
#include "test.h"

#include "lock_shm.h"
#include "os.h"

#include <stdio.h>
#include <string.h>

enum { THREADS = 4 };

static quoit_lock *join(const char *name)
{
    quoit_lock *lock;
    CHECK_STATUS(quoit_lock_join(name, NULL, 0, &lock), QUOIT_OK);
    return lock;
}

static uint32_t holder_of(const quoit_lock *lock, quoit_status expected)
{
    uint32_t pid = 1;
    CHECK_STATUS(quoit_lock_holder(lock, &pid), expected);
    return pid;
}

/* One of two handles holds the lock. */
static void exclude(quoit_lock *lock, quoit_lock *other)
{
    CHECK_EQ(holder_of(other, QUOIT_OK), 0);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_OK);
    CHECK_EQ(holder_of(lock, QUOIT_OK), test_own_pid());
    CHECK_EQ(holder_of(other, QUOIT_OK), test_own_pid());
    CHECK_STATUS(quoit_lock_lock(other, QUOIT_NOW), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_lock_lock(other, -1), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_TIMEOUT); /* it is not recursive */
    CHECK_STATUS(quoit_lock_unlock(other), QUOIT_ERROR_NOT_YOURS);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_ERROR_NOT_YOURS);
    CHECK_STATUS(quoit_lock_lock(other, QUOIT_FOREVER), QUOIT_OK);
    CHECK_STATUS(quoit_lock_unlock(other), QUOIT_OK);
}

static void every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        const struct quoit_lock_options options = {.permissions = 0600};
        quoit_lock *lock, *other;
        CHECK_STATUS(quoit_lock_open(name, 0, &lock), QUOIT_ERROR_NOT_FOUND);
        CHECK_STATUS(quoit_lock_create(name, &options, 0, &lock), QUOIT_OK);
        CHECK_STATUS(quoit_lock_create(name, &options, 0, &other), QUOIT_ERROR_EXISTS);
        CHECK_EQ(other, NULL);
        CHECK_STATUS(quoit_lock_open(name, 0, &other), QUOIT_OK);
        exclude(lock, other);
        quoit_lock_close(other);
        other = join(name);
        exclude(lock, other);

        /* The name is removed. Handles that are open stay on the same lock, separate from a later
           one. */
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        quoit_lock *later = join(name);
        CHECK_STATUS(quoit_lock_lock(later, QUOIT_NOW), QUOIT_OK);
        exclude(lock, other);
        CHECK_STATUS(quoit_lock_unlock(later), QUOIT_OK);
        quoit_lock_close(lock);
        quoit_lock_close(other);
        quoit_lock_close(later);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* A handle that closes with the lock has the same effect as a crash: one call returns ABANDONED. */
static void closed_with_the_lock(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_lock *lock = join(name), *other = join(name);
        CHECK_STATUS(quoit_lock_lock(other, QUOIT_NOW), QUOIT_OK);
        quoit_lock_close(other);
        CHECK_EQ(holder_of(lock, QUOIT_ABANDONED), 0);
        CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_ERROR_NOT_YOURS);
        other = join(name); /* in the entry of the handle that closed */
        CHECK_EQ(holder_of(lock, QUOIT_ABANDONED), 0);
        CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_ABANDONED);
        CHECK_STATUS(quoit_lock_lock(other, QUOIT_NOW), QUOIT_TIMEOUT);
        CHECK_EQ(holder_of(lock, QUOIT_OK), test_own_pid());
        CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
        CHECK_STATUS(quoit_lock_lock(other, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_lock_unlock(other), QUOIT_OK);
        quoit_lock_close(other);
        quoit_lock_close(lock);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

static void timeouts(void)
{
    const char *name = test_name("");
    quoit_lock *lock = join(name), *other = join(name);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_OK);
    uint64_t start = quoit_os_monotonic_ns();
    CHECK_STATUS(quoit_lock_lock(other, 30000000), QUOIT_TIMEOUT);
    CHECK_GE(quoit_os_monotonic_ns() - start, 30000000); /* never early */
    CHECK_STATUS(quoit_lock_lock(other, 1), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    CHECK_STATUS(quoit_lock_lock(other, 1), QUOIT_OK);
    quoit_lock_close(lock);
    quoit_lock_close(other);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* ---- Threads --------------------------------------------------------------------------------- */

struct worker {
    quoit_lock *lock;
    quoit_region *region;
    uint64_t *counter; /* changed by one thread at a time: that is the property under test */
    uint64_t rounds;
};

static void count(void *argument)
{
    const struct worker *worker = argument;
    for (uint64_t i = 0; i < worker->rounds; i++) {
        int64_t timeout_ns = i % 3 == 0 ? QUOIT_FOREVER : INT64_C(60000000000);
        CHECK_STATUS(quoit_lock_lock(worker->lock, timeout_ns), QUOIT_OK);
        ++*worker->counter;
        CHECK_STATUS(quoit_lock_unlock(worker->lock), QUOIT_OK);
    }
}

/* A lock and a counter, each with its own handles. ThreadSanitizer identifies memory by its
   address, so the counter must be mapped once for each mapping of the lock. */
static struct worker worker_with_handles(const char *name, const char *counter_name)
{
    const struct quoit_region_options options = {.data_bytes = sizeof(uint64_t)};
    struct worker worker = {.lock = join(name), .rounds = test_effort(3000, 30000)};
    CHECK_STATUS(quoit_region_join(counter_name, &options, 0, &worker.region), QUOIT_OK);
    worker.counter = quoit_region_data(worker.region);
    return worker;
}

/* Half of the threads share a handle; each of the others has its own. */
static void threads(void)
{
    const char *name = test_name("local"), *counter_name = test_name("local");
    struct worker workers[THREADS];
    test_thread *started[THREADS];
    for (int i = 0; i < THREADS; i++)
        workers[i] = i % 2 == 1 ? workers[0] : worker_with_handles(name, counter_name);
    for (int i = 0; i < THREADS; i++)
        started[i] = test_thread_start(count, &workers[i]);
    for (int i = 0; i < THREADS; i++)
        test_thread_join(started[i]);
    CHECK_EQUAL(*workers[0].counter, THREADS * workers[0].rounds);
    for (int i = 0; i < THREADS; i += 2) {
        quoit_lock_close(workers[i].lock);
        quoit_region_close(workers[i].region);
    }
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_unlink(counter_name, 0), QUOIT_OK);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void arguments(void)
{
    const char *name = test_name("");
    struct quoit_lock_options options = {.permissions = 07000};
    quoit_lock *lock = (quoit_lock *)1;
    uint32_t pid;
    CHECK_STATUS(quoit_lock_create(name, &options, 0, &lock), QUOIT_ERROR_INVALID);
    CHECK_EQ(lock, NULL);
    CHECK_STATUS(quoit_lock_join(name, &options, 0, &lock), QUOIT_ERROR_INVALID);
    options = (struct quoit_lock_options){.reserved = {0, 1}};
    CHECK_STATUS(quoit_lock_join(name, &options, 0, &lock), QUOIT_ERROR_INVALID);
    options = (struct quoit_lock_options){.memory = 1};
    CHECK_STATUS(quoit_lock_create(name, &options, 0, &lock), QUOIT_ERROR_UNSUPPORTED);
    CHECK_STATUS(quoit_lock_create(name, NULL, QUOIT_PRODUCER, &lock), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_join(name, NULL, QUOIT_OBSERVER, &lock), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_open(name, QUOIT_CONSUMER, &lock), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_create(name, NULL, 0, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_join(name, NULL, 0, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_open(name, 0, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_create(NULL, NULL, 0, &lock), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_open("", 0, &lock), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_lock_lock(NULL, 0), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_unlock(NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_lock_holder(NULL, &pid), QUOIT_ERROR_INVALID);
    quoit_lock_close(NULL);
    CHECK_STATUS(quoit_lock_create(name, NULL, QUOIT_ANY_OWNER, &lock), QUOIT_OK);
    CHECK_STATUS(quoit_lock_holder(lock, NULL), QUOIT_ERROR_INVALID);
    quoit_lock_close(lock);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void observers(void)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    const char *name = test_name("");
    uint64_t member_count = 0;
    quoit_lock *lock = join(name), *observer;
    CHECK_STATUS(quoit_lock_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
    CHECK_STATUS(quoit_lock_lock(observer, QUOIT_NOW), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_lock_unlock(observer), QUOIT_ERROR_WRONG_ROLE);
    for (uint32_t held = 0; held < 2; held++) {
        if (held)
            CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_OK);
        CHECK_EQ(holder_of(observer, QUOIT_OK), held ? test_own_pid() : 0);
        CHECK_STATUS(quoit_lock_members(observer, members, QUOIT_MEMBERS_MAX, &member_count),
                     QUOIT_OK);
        CHECK_EQUAL(member_count, 1);
        CHECK_EQ(members[0].pid, test_own_pid());
        CHECK_EQ(members[0].alive, 1);
        CHECK_EQ(members[0].roles, 0);
        CHECK_EQ(members[0].holds_up, held);
    }
    quoit_lock_close(observer);
    quoit_lock_close(lock);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* The name belongs to another kind of object. */
static void other_kinds(void)
{
    const struct quoit_region_options region_options = {.data_bytes = 8};
    const struct quoit_queue_options queue_options = {.item_bytes = 8, .capacity = 5};
    const char *name = test_name(""), *region_name = test_name("");
    quoit_lock *lock = join(name), *none;
    quoit_region *region;
    quoit_queue *queue;
    quoit_pool *pool;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_queue_join(name, &queue_options, QUOIT_PRODUCER, &queue),
                 QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_pool_open(name, 0, &pool), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_region_join(name, &region_options, 0, &region), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_region_create(region_name, &region_options, 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_lock_open(region_name, 0, &none), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_lock_join(region_name, NULL, 0, &none), QUOIT_ERROR_DIFFERENT);
    CHECK_EQ(none, NULL);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(region_name, 0), test_after_close(region_name));
    quoit_lock_close(lock);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* All member entries are in use. One more handle is refused until one closes. */
static void full_house(void)
{
    const char *name = test_name("local");
    quoit_lock *locks[QUOIT_MEMBER_ENTRIES], *more;
    for (int i = 0; i < QUOIT_MEMBER_ENTRIES; i++)
        locks[i] = join(name);
    CHECK_STATUS(quoit_lock_open(name, 0, &more), QUOIT_ERROR_LIMIT);
    quoit_lock *last = locks[QUOIT_MEMBER_ENTRIES - 1];
    CHECK_STATUS(quoit_lock_lock(last, QUOIT_NOW), QUOIT_OK);
    quoit_lock_close(last);
    CHECK_STATUS(quoit_lock_open(name, 0, &last), QUOIT_OK);
    CHECK_STATUS(quoit_lock_lock(last, QUOIT_NOW), QUOIT_ABANDONED);
    locks[QUOIT_MEMBER_ENTRIES - 1] = last;
    for (int i = 0; i < QUOIT_MEMBER_ENTRIES; i++)
        quoit_lock_close(locks[i]);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* ---- States that no member writes ------------------------------------------------------------ */

static void hostile_states(void)
{
    const char *name = test_name("");
    quoit_lock *lock = join(name);
    struct quoit_lock_view view;
    quoit_region *region;
    uint32_t pid;
    CHECK_STATUS(quoit_region_attach(name, 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_lock_find(region, &view), QUOIT_OK);
    static const uint64_t bad[] = {QUOIT_MEMBER_ENTRIES + 1, 0xffff, UINT64_MAX};
    for (size_t i = 0; TEST_LOOP(i < sizeof bad / sizeof bad[0], 0, "state", bad[i]); i++) {
        atomic_store(&view.shm->state, bad[i]);
        CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_ERROR_CORRUPT);
        CHECK_STATUS(quoit_lock_lock(lock, QUOIT_FOREVER), QUOIT_ERROR_CORRUPT);
        CHECK_STATUS(quoit_lock_holder(lock, &pid), QUOIT_ERROR_CORRUPT);
        CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_ERROR_NOT_YOURS);
    }
    atomic_store(&view.shm->state, QUOIT_MEMBER_ENTRIES); /* an owner that does not exist */
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_FOREVER), QUOIT_ABANDONED);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    atomic_store(&view.shm->state, ~QUOIT_LOCK_OWNER); /* the largest count wraps around */
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_ABANDONED);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    CHECK_EQUAL(atomic_load(&view.shm->state), 0);
    quoit_region_close(region);
    quoit_lock_close(lock);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* Each bit of the header is flipped: the lock is refused, or works as before. */
static void flipped_header(void)
{
    const char *name = test_name("");
    quoit_lock *lock = join(name), *other;
    quoit_region *region;
    CHECK_STATUS(quoit_region_attach(name, 0, &region), QUOIT_OK);
    uint8_t *header = region->shm.base + quoit_region_root(region);
    for (size_t at = 0; TEST_LOOP(at < 24, 0, "at", at); at++)
        for (int bit = 0; TEST_LOOP(bit < 8, 1, "bit", bit); bit++) {
            header[at] ^= (uint8_t)(1 << bit);
            CHECK_STATUS(quoit_lock_open(name, 0, &other), QUOIT_ERROR_CORRUPT);
            header[at] ^= (uint8_t)(1 << bit);
        }
    CHECK_STATUS(quoit_lock_open(name, 0, &other), QUOIT_OK);
    exclude(lock, other);
    quoit_lock_close(other);
    quoit_region_close(region);
    quoit_lock_close(lock);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_scheme", every_scheme},
                                             {"closed_with_the_lock", closed_with_the_lock},
                                             {"timeouts", timeouts},
                                             {"threads", threads},
                                             {"arguments", arguments},
                                             {"observers", observers},
                                             {"other_kinds", other_kinds},
                                             {"full_house", full_house},
                                             {"hostile_states", hostile_states},
                                             {"flipped_header", flipped_header},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
