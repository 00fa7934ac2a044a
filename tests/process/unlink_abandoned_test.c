/* SPDX-License-Identifier: MIT */
/* Removes objects of crashed members while other processes join: no live member loses its name. */
#include "test.h"

#include "queue_shm.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 150 };

static const struct quoit_queue_options options = {
    .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 5};
static const struct quoit_pool_options pool_options = {.block_bytes = 64, .blocks = 4};

/* arguments: the name, and what to join; then crashes. */
static void crash(char **arguments)
{
    quoit_queue *queue;
    quoit_pool *pool;
    quoit_lock *lock;
    if (strcmp(arguments[1], "pool") == 0)
        CHECK_STATUS(quoit_pool_open(arguments[0], 0, &pool), QUOIT_OK);
    else if (strcmp(arguments[1], "lock") == 0)
        CHECK_STATUS(quoit_lock_open(arguments[0], 0, &lock), QUOIT_OK);
    else
        CHECK_STATUS(quoit_queue_join(arguments[0], &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    _Exit(EXIT_SUCCESS);
}

static void crash_in(const char *name, const char *what)
{
    const char *const arguments[] = {name, what, NULL};
    CHECK_EQUAL(test_wait(test_spawn("crash", arguments)), 0);
}

static void queues(void)
{
    for (int i = 0; test_shared_schemes[i]; i++) {
        const char *name = test_name(test_shared_schemes[i]);
        quoit_queue *queue;
        if (!test_outlives_handles(name))
            continue;
        CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_NOT_FOUND);
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_CONSUMER, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_BUSY); /* alive */
        crash_in(name, "queue");
        CHECK_STATUS(quoit_unlink_abandoned(name, 0),
                     QUOIT_ERROR_BUSY); /* one alive, one crashed */
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_OK);
        CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_NOT_FOUND);
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_CONSUMER, &queue), QUOIT_OK);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_BUSY); /* idle */
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

static void pools_locks_and_regions(void)
{
    const struct quoit_region_options region_options = {.size_bytes = 100};
    const char *name = test_name("file");
    quoit_pool *pool;
    quoit_lock *lock;
    quoit_region *region;
    CHECK_STATUS(quoit_pool_create(name, &pool_options, 0, &pool), QUOIT_OK);
    crash_in(name, "pool");
    CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_BUSY);
    quoit_pool_close(pool);
    CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_lock_create(name, NULL, 0, &lock), QUOIT_OK);
    crash_in(name, "lock");
    CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_BUSY);
    quoit_lock_close(lock);
    CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_region_create(name, &region_options, 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_DIFFERENT);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* ---- While other processes join -------------------------------------------------------------- */

struct race {
    const char *name;
    _Atomic bool begun;
    quoit_queue *queue; /* the handle that joined */
    quoit_status joined;
};

static void join(void *argument)
{
    struct race *race = argument;
    while (!atomic_load(&race->begun))
        ;
    race->joined = quoit_queue_open(race->name, QUOIT_CONSUMER, &race->queue);
}

/* The name of a queue that has a live member leads to it. */
static void check_found(const struct race *race)
{
    struct quoit_queue_info joined, found;
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(race->name, QUOIT_OBSERVER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_inspect(race->queue, &joined), QUOIT_OK);
    CHECK_STATUS(quoit_queue_inspect(queue, &found), QUOIT_OK);
    CHECK_EQUAL(found.created_at_unix_ns, joined.created_at_unix_ns);
    quoit_queue_close(queue);
}

static void beside_joiners(void)
{
    int removed = 0, kept = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const char *scheme = test_shared_schemes[i % 3];
        if (!scheme || (test_plain_posix && strcmp(scheme, "sysv") == 0))
            scheme = "file";
        struct race race = {.name = test_name(scheme)};
        if (!test_outlives_handles(race.name))
            continue;
        crash_in(race.name, "queue");
        test_thread *thread = test_thread_start(join, &race);
        atomic_store(&race.begun, true);
        for (int spins = 0; spins < (i % 10) * 5000; spins++)
            (void)atomic_load(&race.begun);
        quoit_status status = quoit_unlink_abandoned(race.name, 0);
        test_thread_join(thread);
        CHECK(status == QUOIT_OK || status == QUOIT_ERROR_BUSY);
        CHECK(race.joined == QUOIT_OK || race.joined == QUOIT_ERROR_NOT_FOUND);
        CHECK_STATUS_IS(status, ==,
                        race.joined == QUOIT_ERROR_NOT_FOUND ? QUOIT_OK : QUOIT_ERROR_BUSY);
        if (race.joined == QUOIT_OK) {
            check_found(&race);
            quoit_queue_close(race.queue);
            CHECK_STATUS(quoit_unlink(race.name, 0), QUOIT_OK);
        }
        *(race.joined == QUOIT_OK ? &kept : &removed) += 1;
    }
    (void)printf("  removed %d, kept %d\n", removed, kept);
}

/* While all entries are taken to remove the object, a joining process waits: as long as all waits
   of one call may take, and not longer. */
static void removed_without_end(void)
{
    const char *name = test_name("");
    const int64_t usual_ns = quoit_os_hold_ns;
    quoit_region *region;
    quoit_queue *queue;
    struct quoit_queue_view view;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
    crash_in(name, "queue");
    CHECK_STATUS(quoit_region_attach(name, 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_queue_find(region, &view), QUOIT_OK);
    CHECK_STATUS(quoit_members_block_joins(&view.members, region), QUOIT_OK);
    quoit_os_hold_ns = 100000000;
    uint64_t begin = quoit_os_monotonic_ns();
    quoit_queue *joined;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &joined), QUOIT_ERROR_BUSY);
    CHECK_LT(quoit_os_monotonic_ns() - begin, UINT64_C(5000000000));
    quoit_os_hold_ns = usual_ns;
    quoit_members_allow_joins(&view.members);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &joined), QUOIT_OK);
    quoit_queue_close(joined);
    quoit_region_close(region);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"queues", queues},
                                             {"pools_locks_and_regions", pools_locks_and_regions},
                                             {"beside_joiners", beside_joiners},
                                             {"removed_without_end", removed_without_end},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"crash", crash}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
