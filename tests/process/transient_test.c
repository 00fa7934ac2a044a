/* SPDX-License-Identifier: MIT */
/* Transient queues: the name goes with the last member, however the members leave, and no process
   gets a handle of a queue whose name is gone. */
#include "test.h"

#include "queue_shm.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, PROCESSES = 4 };

static const struct quoit_queue_options options = {
    .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 5};
static const struct quoit_queue_options other_options = {
    .kind = QUOIT_MPMC, .item_bytes = 16, .capacity = 5};

static void check_gone(const char *name)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_FOUND);
}

static quoit_queue *join(const char *name, unsigned flags)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_join(name, &options, flags | QUOIT_TRANSIENT, &queue), QUOIT_OK);
    return queue;
}

static void push(quoit_queue *queue, uint64_t item)
{
    CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
}

static void goes_with_the_last(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        struct quoit_queue_info info;
        quoit_queue *observer, *consumer, *producer = join(name, QUOIT_PRODUCER);
        push(producer, 1);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
        CHECK_STATUS(quoit_queue_inspect(observer, &info), QUOIT_OK);
        CHECK_EQ(info.transient, 1);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &consumer), QUOIT_OK);
        quoit_queue_close(producer);
        producer = join(name, QUOIT_PRODUCER); /* the consumer has kept it */
        CHECK_EQ(quoit_queue_size(producer), 1);
        quoit_queue_close(consumer);
        CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_BUSY);
        quoit_queue_close(producer);
        check_gone(name);
        CHECK_EQ(quoit_queue_size(observer), 1); /* it had it open */
        consumer = join(name, QUOIT_CONSUMER);
        CHECK_EQ(quoit_queue_size(consumer), 0);
        CHECK_STATUS(quoit_queue_unlink(consumer), QUOIT_OK);
        quoit_queue_close(consumer);
        quoit_queue_close(observer);
        check_gone(name);
    }
}

static void only_if_it_was_made_so(void)
{
    const char *name = test_name("");
    quoit_queue *queue, *kept;
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &kept), QUOIT_OK);
    quoit_queue_close(join(name, BOTH));
    quoit_queue_close(kept);
    if (test_outlives_handles(name))
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER | QUOIT_TRANSIENT, &queue),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_OBSERVER | QUOIT_TRANSIENT, &queue),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_open(name, BOTH | QUOIT_TRANSIENT, &queue), QUOIT_ERROR_INVALID);
    queue = join(name, BOTH);
    CHECK_STATUS(quoit_queue_again(queue, BOTH | QUOIT_TRANSIENT, &kept), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_again(queue, BOTH, &kept), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_OK);
    quoit_queue_close(queue);
    quoit_queue_close(kept);
    check_gone(name);
}

/* An open that fails leaves a queue alone that has members, and does not keep one that has none. */
static void refused_openers(void)
{
    const struct quoit_queue_options spsc = {.item_bytes = 8, .capacity = 5};
    const char *name = test_name("");
    quoit_queue *queue, *other;
    CHECK_STATUS(quoit_queue_create(name, &spsc, BOTH | QUOIT_TRANSIENT, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &other), QUOIT_ERROR_ROLE_TAKEN);
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_CONSUMER, &other), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_queue_create(name, &spsc, BOTH, &other), QUOIT_ERROR_EXISTS);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &other), QUOIT_OK);
    quoit_queue_close(other);
    quoit_queue_close(queue);
    check_gone(name);
}

/* ---- After a crash --------------------------------------------------------------------------- */

static void crash(char **arguments)
{
    push(join(arguments[0], BOTH), 7);
    _Exit(EXIT_SUCCESS);
}

static void crash_in(const char *name)
{
    const char *const arguments[] = {name, NULL};
    CHECK_EQ(test_wait(test_spawn("crash", arguments)), 0);
}

/* The next one makes the queue anew, with other options too. */
static void after_a_crash(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        quoit_queue *queue;
        if (!test_outlives_handles(name))
            continue;
        crash_in(name);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_OK);
        CHECK_EQ(quoit_queue_size(queue), 1); /* looking removes nothing */
        quoit_queue_close(queue);
        queue = join(name, BOTH);
        CHECK_EQ(quoit_queue_size(queue), 0);
        quoit_queue_close(queue);
        check_gone(name);
        crash_in(name);
        CHECK_STATUS(quoit_queue_join(name, &other_options, BOTH, &queue), QUOIT_OK);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK); /* that one was not transient */
        crash_in(name);
        CHECK_STATUS(quoit_queue_create(name, &other_options, BOTH | QUOIT_TRANSIENT, &queue),
                     QUOIT_OK);
        quoit_queue_close(queue);
        check_gone(name);
        crash_in(name);
        CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_OK);
        check_gone(name);
    }
}

/* ---- Coming and going at the same time ------------------------------------------------------- */

struct shared {
    _Atomic uint32_t ready, go;
};

/* arguments: the name, the shared memory. Each handle that it gets is that of a queue whose name
   leads to it as long as it is open: an item pushed through it is found through the name. */
static void come_and_go(char **arguments)
{
    quoit_region *region;
    struct shared *shared = test_shared(arguments[1], sizeof *shared, &region);
    uint64_t rounds = test_effort(200, 5000);
    atomic_fetch_add(&shared->ready, 1);
    while (atomic_load(&shared->go) == 0)
        test_idle();
    for (uint64_t i = 0; i < rounds; i++) {
        struct quoit_queue_info mine, found;
        quoit_queue *queue = join(arguments[0], BOTH), *observer;
        CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER, &observer), QUOIT_OK);
        CHECK_STATUS(quoit_queue_inspect(queue, &mine), QUOIT_OK);
        CHECK_STATUS(quoit_queue_inspect(observer, &found), QUOIT_OK);
        CHECK_EQ(found.created_at_unix_ns, mine.created_at_unix_ns);
        CHECK_EQ(found.created_by, mine.created_by);
        quoit_queue_close(observer);
        quoit_queue_close(queue);
    }
    quoit_region_close(region);
}

static void at_the_same_time(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]), *shared_name = test_name("file");
        const char *const arguments[] = {name, shared_name, NULL};
        quoit_region *region;
        struct shared *shared = test_share(shared_name, sizeof *shared, &region);
        test_process processes[PROCESSES];
        for (int k = 0; k < PROCESSES; k++)
            processes[k] = test_spawn("come_and_go", arguments);
        while (atomic_load(&shared->ready) < PROCESSES)
            test_idle();
        atomic_store(&shared->go, 1);
        for (int k = 0; k < PROCESSES; k++)
            CHECK_EQ(test_wait(processes[k]), 0);
        check_gone(name);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(shared_name, 0), test_after_close(shared_name));
    }
}

/* A pool and a lock outlive their users: a queue may still hold blocks, and the next holder has to
   learn that the last one crashed. */
static void queues_alone(void)
{
    const struct quoit_pool_options pool_options = {.block_bytes = 64, .blocks = 2};
    quoit_pool *pool;
    quoit_lock *lock;
    quoit_region *region;
    CHECK_STATUS(quoit_region_create(test_name(""),
                                     &(struct quoit_region_options){.size_bytes = 99},
                                     QUOIT_TRANSIENT, &region),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_pool_create(test_name(""), &pool_options, QUOIT_TRANSIENT, &pool),
                 QUOIT_ERROR_INVALID);
    CHECK(strstr(test_sentence(), "QUOIT_TRANSIENT"));
    CHECK_STATUS(quoit_lock_create(test_name(""), NULL, QUOIT_TRANSIENT, &lock),
                 QUOIT_ERROR_INVALID);
    CHECK(strstr(test_sentence(), "QUOIT_TRANSIENT"));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"goes with the last", goes_with_the_last},
                                             {"queues alone", queues_alone},
                                             {"only if it was made so", only_if_it_was_made_so},
                                             {"refused openers", refused_openers},
                                             {"after a crash", after_a_crash},
                                             {"at the same time", at_the_same_time},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {
        {"crash", crash}, {"come_and_go", come_and_go}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
