/* SPDX-License-Identifier: MIT */
/* A member entry between two members: the next member already holds its lock, but its content is
   still that of a crashed member. */
#include "test.h"

#include "queue_shm.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { QUIET_MS = 150 };

static const struct quoit_queue_options options = {
    .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 4};

/* arguments: the queue */
static void crash(char **arguments)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_PRODUCER, &queue), QUOIT_OK);
    _Exit(7);
}

static _Atomic uint32_t *has_lock;

static bool stop_here(const struct quoit_os_shm *shm, const char *text)
{
    (void)shm;
    (void)text;
    atomic_store(has_lock, 1);
    while (atomic_load(has_lock) == 1)
        test_sleep_ms(1000); /* until it is killed */
    return true;
}

/* arguments: the queue, where to report that it holds the entry's lock. It does not write the
   entry. */
static void stop_joining(char **arguments)
{
    quoit_region *region, *shared;
    struct quoit_queue_view view;
    has_lock = test_shared(arguments[1], sizeof *has_lock, &shared);
    CHECK_STATUS(quoit_region_attach(arguments[0], 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_queue_find(region, &view), QUOIT_OK);
    struct quoit_os_shm_ops ops = *region->ops;
    ops.is_named = stop_here;
    region->ops = &ops;
    (void)quoit_members_join(&view.members, QUOIT_CONSUMER, region);
}

static test_process start_joining(const char *name, const char *shared)
{
    quoit_region *region;
    _Atomic uint32_t *stopped = test_share(shared, sizeof *stopped, &region);
    const char *const arguments[] = {name, shared, NULL};
    test_process joiner = test_spawn("stop_joining", arguments);
    while (atomic_load(stopped) == 0)
        test_idle();
    quoit_region_close(region);
    return joiner;
}

static void check_one_crashed_producer(const quoit_queue *queue)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t count, crashed = 0;
    CHECK_STATUS(quoit_queue_members(queue, members, QUOIT_MEMBERS_MAX, &count), QUOIT_OK);
    for (uint64_t i = 0; i < count; i++)
        crashed += !members[i].alive && members[i].roles == QUOIT_PRODUCER;
    CHECK_EQUAL(crashed, 1);
}

/* The producer left before the consumer joined, so the consumer is not abandoned. */
static void a_joiner_stops(void)
{
    const char *name = test_name(""), *shared = test_name("file");
    const char *const arguments[] = {name, NULL};
    quoit_queue *observer, *queue;
    uint64_t item;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &observer), QUOIT_OK);
    CHECK_EQUAL(test_wait(test_spawn("crash", arguments)), 7);
    test_process joiner = start_joining(name, shared);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &queue), QUOIT_OK);
    for (int killed = 0; killed < 2; killed++) {
        CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUIET_MS * INT64_C(1000000)),
                     QUOIT_EMPTY);
        check_one_crashed_producer(observer); /* the entry is still evidence */
        if (killed == 0)
            test_kill(joiner);
    }
    CHECK_EQUAL(test_wait(joiner), TEST_KILLED);
    quoit_queue_close(queue);
    quoit_queue_close(observer);
    CHECK_STATUS(quoit_unlink(shared, 0), test_after_close(shared));
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"a_joiner_stops", a_joiner_stops}, {NULL, NULL}};
    static const struct test_role roles[] = {
        {"crash", crash}, {"stop_joining", stop_joining}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
