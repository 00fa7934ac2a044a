/* SPDX-License-Identifier: MIT */
/*
 * Queues with many members: hundreds of producers of one MPMC queue, and hundreds of subscribers of
 * one broadcast, in several processes. QUOIT_TEST_EFFORT=full has 1000 of them.
 */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES = 8, EACH_MOST = 125, ITEMS = 3, CAPACITY = 16 };

/* How many handles each process has. */
static int each(void)
{
    return (int)test_effort(16, EACH_MOST);
}

struct shared {
    _Atomic uint32_t joined; /* processes whose handles are open */
    _Atomic uint32_t go;
};

static void open_all(char **arguments, unsigned role, quoit_queue **queues)
{
    for (int i = 0; i < each(); i++)
        CHECK_STATUS(quoit_queue_open(arguments[0], role, &queues[i]), QUOIT_OK);
}

/* Reports that this process is ready, and waits until the test goes on. */
static void meet(char **arguments)
{
    quoit_region *region;
    struct shared *shared = test_shared(arguments[1], sizeof *shared, &region);
    atomic_fetch_add(&shared->joined, 1);
    while (atomic_load(&shared->go) == 0)
        test_idle();
    quoit_region_close(region);
}

static void close_all(quoit_queue **queues)
{
    for (int i = 0; i < each(); i++)
        quoit_queue_close(queues[i]);
}

/* Pushes a number through each handle. The process numbered 0 is killed with a claim. */
static void produce(char **arguments)
{
    static quoit_queue *queues[EACH_MOST];
    const uint64_t first = (uint64_t)(atoi(arguments[2]) * each());
    void *claimed;
    open_all(arguments, QUOIT_PRODUCER, queues);
    meet(arguments);
    for (uint64_t i = 0; i < (uint64_t)each(); i++)
        CHECK_STATUS(quoit_queue_push(queues[i], &(uint64_t){first + i}, 8, QUOIT_FOREVER),
                     QUOIT_OK);
    if (first == 0) {
        CHECK_STATUS(quoit_queue_claim(queues[each() - 1], 8, &claimed, QUOIT_FOREVER), QUOIT_OK);
        _Exit(7);
    }
    close_all(queues);
}

static void subscribe(char **arguments)
{
    static quoit_queue *queues[EACH_MOST];
    uint64_t item;
    open_all(arguments, QUOIT_CONSUMER, queues);
    meet(arguments);
    for (uint64_t k = 0; k < ITEMS; k++)
        for (int i = 0; i < each(); i++) {
            CHECK_STATUS(quoit_queue_pop(queues[i], &item, 8, NULL, QUOIT_FOREVER), QUOIT_OK);
            CHECK_EQ(item, k);
        }
    for (int i = 0; i < each(); i++)
        CHECK_STATUS(quoit_queue_pop(queues[i], &item, 8, NULL, QUOIT_FOREVER), QUOIT_FINISHED);
    close_all(queues);
}

static uint64_t count_alive(const quoit_queue *queue)
{
    static struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t count, alive = 0;
    CHECK_STATUS(quoit_queue_members(queue, members, QUOIT_MEMBERS_MAX, &count), QUOIT_OK);
    for (uint64_t i = 0; i < count; i++)
        alive += members[i].alive;
    return alive;
}

struct crowd {
    const char *name, *shared_name;
    quoit_region *region;
    struct shared *shared;
    quoit_queue *queue;
    test_process processes[PROCESSES];
};

/* Makes the queue with room for all of these, and lets them join. */
static void gather(struct crowd *crowd, uint32_t kind, unsigned role, const char *child)
{
    const uint32_t others = (uint32_t)(PROCESSES * each());
    const struct quoit_queue_options options = {.kind = kind,
                                                .item_bytes = 8,
                                                .capacity = CAPACITY,
                                                .members = others + (kind == QUOIT_MPMC)};
    struct quoit_queue_info info;
    quoit_queue *more;
    *crowd = (struct crowd){.name = test_name(""), .shared_name = test_name("file")};
    crowd->shared = test_share(crowd->shared_name, sizeof *crowd->shared, &crowd->region);
    CHECK_STATUS(quoit_queue_create(crowd->name, &options, role, &crowd->queue), QUOIT_OK);
    for (int i = 0; i < PROCESSES; i++) {
        const char number[2] = {(char)('0' + i), 0};
        const char *const arguments[] = {crowd->name, crowd->shared_name, number, NULL};
        crowd->processes[i] = test_spawn(child, arguments);
    }
    while (atomic_load(&crowd->shared->joined) < PROCESSES)
        test_idle();
    CHECK_EQ(count_alive(crowd->queue), others + 1);
    CHECK_STATUS(quoit_queue_inspect(crowd->queue, &info), QUOIT_OK);
    CHECK_EQ(info.members, options.members);
    CHECK_STATUS(quoit_queue_open(crowd->name, QUOIT_CONSUMER, &more), QUOIT_ERROR_LIMIT);
    atomic_store(&crowd->shared->go, 1);
}

static void end(struct crowd *crowd)
{
    CHECK_STATUS(quoit_queue_check(crowd->queue), QUOIT_OK);
    quoit_queue_close(crowd->queue);
    CHECK_STATUS(quoit_unlink(crowd->name, 0), test_after_close(crowd->name));
    quoit_region_close(crowd->region);
    CHECK_STATUS(quoit_unlink(crowd->shared_name, 0), test_after_close(crowd->shared_name));
}

static void many_producers(void)
{
    static bool came[PROCESSES * EACH_MOST];
    struct crowd crowd;
    uint64_t item;
    memset(came, 0, sizeof came);
    gather(&crowd, QUOIT_MPMC, QUOIT_CONSUMER, "produce");
    for (int i = 0; i < PROCESSES * each(); i++) {
        CHECK_STATUS(quoit_queue_pop(crowd.queue, &item, 8, NULL, QUOIT_FOREVER), QUOIT_OK);
        CHECK_LT(item, (uint64_t)(PROCESSES * each()));
        CHECK(!came[item]);
        came[item] = true;
    }
    for (int i = 0; i < PROCESSES; i++)
        CHECK_EQ(test_wait(crowd.processes[i]), i == 0 ? 7 : 0);
    CHECK_STATUS(quoit_queue_pop(crowd.queue, &item, 8, NULL, QUOIT_FOREVER), QUOIT_ABANDONED);
    CHECK_EQ(count_alive(crowd.queue), 1);
    end(&crowd);
}

static void many_subscribers(void)
{
    struct crowd crowd;
    gather(&crowd, QUOIT_BROADCAST, QUOIT_PRODUCER, "subscribe");
    for (uint64_t k = 0; k < ITEMS; k++)
        CHECK_STATUS(quoit_queue_push(crowd.queue, &k, sizeof k, QUOIT_FOREVER), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(crowd.queue), QUOIT_OK);
    for (int i = 0; i < PROCESSES; i++)
        CHECK_EQ(test_wait(crowd.processes[i]), 0);
    CHECK_EQ(count_alive(crowd.queue), 1);
    end(&crowd);
}

static void joiners_ask_for_room(void)
{
    const char *name = test_name("");
    struct quoit_queue_options options = {
        .kind = QUOIT_BROADCAST, .item_bytes = 8, .capacity = 4, .members = 2};
    quoit_queue *queue, *other;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    for (options.members = 0; options.members < 3; options.members++) {
        CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_CONSUMER, &other), QUOIT_OK);
        quoit_queue_close(other);
    }
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_CONSUMER, &other), QUOIT_ERROR_DIFFERENT);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* All 4096, and one more, of a queue that holds little else. */
static void the_most(void)
{
    const char *name = test_name("");
    const struct quoit_queue_options options = {
        .kind = QUOIT_BROADCAST, .item_bytes = 8, .capacity = 1, .members = 4096};
    quoit_queue *queue, *other;
    uint64_t item = 1;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &other), QUOIT_OK);
    CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(other, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(other);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"many producers", many_producers},
                                             {"many subscribers", many_subscribers},
                                             {"joiners ask for room", joiners_ask_for_room},
                                             {"4096 subscribers", the_most},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {
        {"produce", produce}, {"subscribe", subscribe}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
