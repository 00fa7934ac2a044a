/* SPDX-License-Identifier: MIT */
/* The functions that the shared library exports, called with impossible numbers: they return a
   status, and do not crash. Wrong pointers are undefined behaviour. */
#include "exports_fixture.h"

/* Any status that has a name. */
static void check_status(const char *call, quoit_status status)
{
    if (strcmp(library.status_name(status), "QUOIT_?") == 0)
        test_fail(__FILE__, __LINE__, "%s returned %d", call, (int)status);
}
#define ANY(name, arguments) check_status(#name #arguments, DO(GARBAGE, name) arguments)

static const uint64_t garbage[] = {0,         1, 7, 9, 0xffffffff, UINT64_MAX / 2, UINT64_MAX - 7,
                                   UINT64_MAX};
enum { NUMBERS = sizeof garbage / sizeof *garbage };

static void garbage_to_makers(const struct objects *made, uint64_t number)
{
    struct quoit_queue_options queue_garbage;
    struct quoit_pool_options pool_garbage;
    struct quoit_region_options region_garbage;
    struct quoit_lock_options lock_garbage;
    struct quoit_sem_options sem_garbage;
    const char *name = test_name("");
    const uint32_t flags = (uint32_t)number | 0x80000000u;
    quoit_queue *queue;
    quoit_pool *pool;
    quoit_region *region;
    quoit_lock *lock;
    quoit_sem *sem;
    memset(&queue_garbage, (int)(number % 255) + 1, sizeof queue_garbage);
    memset(&pool_garbage, (int)(number % 255) + 1, sizeof pool_garbage);
    memset(&region_garbage, (int)(number % 255) + 1, sizeof region_garbage);
    memset(&lock_garbage, (int)(number % 255) + 1, sizeof lock_garbage);
    memset(&sem_garbage, (int)(number % 255) + 1, sizeof sem_garbage);
    ANY(queue_create, (name, &queue_garbage, BOTH, &queue));
    CHECK_EQ(queue, NULL);
    ANY(queue_join, (name, &queue_garbage, BOTH, &queue));
    CHECK_EQ(queue, NULL);
    ANY(queue_create, (name, &queue_options, flags, &queue));
    CHECK_EQ(queue, NULL);
    ANY(queue_open, (made->queue_name, flags, &queue));
    CHECK_EQ(queue, NULL);
    ANY(queue_again, (made->queue, flags, &queue));
    CHECK_EQ(queue, NULL);
    ANY(queue_open_fd, ((int)(number % 64) - 8, flags, &queue));
    CHECK_EQ(queue, NULL);
    ANY(pool_create, (name, &pool_garbage, 0, &pool));
    CHECK_EQ(pool, NULL);
    ANY(pool_join, (name, &pool_garbage, 0, &pool));
    CHECK_EQ(pool, NULL);
    ANY(pool_open, (made->pool_name, flags, &pool));
    CHECK_EQ(pool, NULL);
    ANY(region_create, (name, &region_garbage, flags, &region));
    CHECK_EQ(region, NULL);
    ANY(region_join, (name, &region_garbage, flags, &region));
    CHECK_EQ(region, NULL);
    ANY(region_open, (made->region_name, flags, &region));
    CHECK_EQ(region, NULL);
    ANY(lock_create, (name, &lock_garbage, flags, &lock));
    CHECK_EQ(lock, NULL);
    ANY(lock_join, (name, &lock_garbage, flags, &lock));
    CHECK_EQ(lock, NULL);
    ANY(lock_open, (made->region_name, flags, &lock));
    CHECK_EQ(lock, NULL);
    ANY(sem_create, (name, &sem_garbage, 0, &sem));
    CHECK_EQ(sem, NULL);
    ANY(sem_join, (name, &sem_garbage, flags, &sem));
    CHECK_EQ(sem, NULL);
    ANY(sem_open, (made->sem_name, flags, &sem));
    CHECK_EQ(sem, NULL);
    ANY(unlink, (made->queue_name, flags));
    ANY(unlink_abandoned, (made->queue_name, flags));
}

/* Sizes that differ from the item's, counts that are not claimed, timeouts that have expired. A
   count of items that do not exist is not passed, since no library can detect it. */
static void garbage_to_queue(quoit_queue *queue, uint64_t number)
{
    const size_t bytes = (size_t)number;
    const int64_t passed = INT64_MIN + (int64_t)(number % 9);
    uint64_t items[CAPACITY + 1] = {0}, count;
    struct quoit_browser browser = {.next = number, .begun = number, .missed = number};
    const void *data;
    void *room;
    size_t done;
    int fd;
    ANY(queue_push, (queue, items, bytes, passed));
    ANY(queue_push_slow, (queue, items, bytes, passed));
    ANY(queue_push_many, (queue, items, bytes, CAPACITY, &done, passed));
    ANY(queue_push_rest, (queue, items, 8, 1, bytes, &done, passed));
    ANY(queue_claim, (queue, bytes, &room, passed));
    ANY(queue_claim_many, (queue, bytes, &room, &done, passed));
    ANY(queue_commit_many, (queue, bytes));
    ANY(queue_commit, (queue, bytes));
    ANY(queue_discard, (queue));
    CHECK_STATUS_ANY(library.queue_push(queue, items, 8, passed), QUOIT_OK, QUOIT_FULL);
    ANY(queue_browse, (queue, &browser, items, number % sizeof items, &count));
    ANY(queue_latest, (queue, items, (size_t)(number % sizeof items), &done));
    ANY(queue_pop, (queue, items, number % 8, &done, passed));
    ANY(queue_pop_slow, (queue, items, (size_t)number % 8, &done, passed));
    ANY(queue_pop_many, (queue, items, bytes, CAPACITY, &done, passed));
    ANY(queue_pop_rest, (queue, items, 8, 1, bytes, &done, passed));
    ANY(queue_release, (queue));
    ANY(queue_release_many, (queue, bytes));
    ANY(queue_peek, (queue, &data, &done, passed));
    ANY(queue_peek_many, (queue, &data, &done, passed));
    ANY(queue_position, (queue, &count));
    ANY(queue_release_many, (queue, bytes));
    ANY(queue_poll_fd, (queue, (uint32_t)number, &fd));
    ANY(wait_any, (&(struct quoit_wait){queue, (uint32_t)number, 1}, 1, passed));
    ANY(queue_interrupt, (queue));
    ANY(queue_check_typed, (queue, (uint32_t)number, bytes, bytes, "\xff"));
    DO(GARBAGE, queue_wake)(queue, (uint32_t)number);
    CHECK_STATUS_IS(library.queue_check(queue), ==, QUOIT_OK);
    while (library.queue_pop(queue, items, 8, NULL, QUOIT_NOW) == QUOIT_OK)
        continue;
}

static bool see_none(void *context, const char *name)
{
    return context || name[0] == '\0';
}

static void garbage_to_others(const struct objects *made, uint64_t number)
{
    uint64_t offset;
    quoit_block block;
    ANY(pool_free, (made->pool, number));
    CHECK_EQ(DO(GARBAGE, pool_at)(made->pool, number), NULL);
    ANY(pool_push, (made->pool, made->queue, number, QUOIT_NOW));
    ANY(pool_pop, (made->pool, made->queue, &block, INT64_MIN));
    CHECK_EQ(block, 0);
    ANY(region_alloc, (made->region, number, number, &offset));
    CHECK_EQ(DO(GARBAGE, region_at)(made->region, number | UINT32_MAX, number), NULL);
    ANY(region_set_root, (made->region, number));
    ANY(sem_wait, (made->sem, INT64_MIN));
    ANY(sem_post, (made->sem));
    CHECK_STR(DO(GARBAGE, status_name)((quoit_status)(1000 + number % 99)), "QUOIT_?");
    CHECK_GT(strlen(DO(GARBAGE, describe)((quoit_status)(1000 + number % 99))), 5);
    ANY(list, ("\xff:", see_none, NULL));
    ANY(sem_unlink, ("\xff:\xff", 0));
}

static void every_number(void)
{
    struct objects made = make();
    for (int i = 0; TEST_LOOP(i < NUMBERS, 0, "number", garbage[i]); i++) {
        garbage_to_makers(&made, garbage[i]);
        garbage_to_queue(made.queue, garbage[i]);
        garbage_to_others(&made, garbage[i]);
    }
    destroy(&made);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_number", every_number}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
