/* SPDX-License-Identifier: MIT */
/* Each function that the shared library exports is called with valid arguments, and with NULL. It
   returns a status, and does not crash. */
#include "exports_fixture.h"

static void all_listed(void)
{
    char line[200];
    size_t count = 0;
    FILE *file = fopen(QUOIT_TEST_EXPORTS, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file))
        if (line[0] != '#') {
            line[strcspn(line, "\n")] = '\0';
            if (!find(line))
                test_fail(__FILE__, __LINE__, "%s is exported, and not called here", line);
            count++;
        }
    CHECK_EQ(fclose(file), 0);
    CHECK_EQ(count, EXPORTS);
}

/* ---- Valid arguments ------------------------------------------------------------------------- */

static bool see(void *context, const char *name)
{
    *(int *)context += name[0] != '\0';
    return true;
}

static void valid_copies(quoit_queue *queue)
{
    uint64_t items[2] = {1, 2};
    size_t count = 0, bytes = 0;
    GOOD(queue_push, (queue, items, 8, QUOIT_NOW));
    GOOD(queue_push_slow, (queue, items, 8, 1000));
    CHECK_EQ(DO(VALID, queue_size)(queue), 2);
    GOOD(queue_pop, (queue, items, 8, &bytes, QUOIT_NOW));
    CHECK_EQ(bytes, 8);
    GOOD(queue_pop_slow, (queue, items, 8, NULL, 1000));
    GOOD(queue_push_many, (queue, items, 8, 2, &count, QUOIT_NOW));
    GOOD(queue_push_rest, (queue, items, 8, 2, 0, &count, QUOIT_NOW));
    CHECK_EQ(count, 2);
    GOOD(queue_pop_many, (queue, items, 8, 2, &count, QUOIT_NOW));
    GOOD(queue_pop_rest, (queue, items, 8, 2, 0, &count, QUOIT_NOW));
    CHECK_EQ(count, 2);
}

static void valid_in_place(quoit_queue *queue)
{
    const void *data;
    void *room;
    size_t count;
    uint64_t position;
    GOOD(queue_claim, (queue, 8, &room, QUOIT_NOW));
    memset(room, 1, 8);
    GOOD(queue_commit, (queue, 8));
    GOOD(queue_claim, (queue, 8, &room, QUOIT_NOW));
    GOOD(queue_discard, (queue));
    GOOD(queue_claim_many, (queue, 2, &room, &count, QUOIT_NOW));
    memset(room, 1, 8 * count);
    GOOD(queue_commit_many, (queue, count));
    GOOD(queue_peek, (queue, &data, NULL, QUOIT_NOW));
    GOOD(queue_release, (queue));
    GOOD(queue_peek_many, (queue, &data, &count, QUOIT_NOW));
    GOOD(queue_position, (queue, &position));
    GOOD(queue_release_many, (queue, count));
}

static void valid_queue(const struct objects *made)
{
    struct quoit_queue_info info;
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    struct quoit_browser browser = {0};
    quoit_queue *other, *nameless;
    uint64_t item, count;
    int fd, found = 0;
    GOOD(queue_check_typed, (made->queue, QUOIT_INLINE_LAYOUT, 8, 8, "word"));
    GOOD(queue_open, (made->queue_name, QUOIT_OBSERVER, &other));
    library.queue_close(other);
    GOOD(queue_join, (made->queue_name, &queue_options, QUOIT_OBSERVER, &other));
    library.queue_close(other);
    GOOD(queue_again, (made->queue, QUOIT_OBSERVER, &other));
    library.queue_close(other);
    CHECK_STATUS_IS(DO(VALID, queue_fd)(made->queue, &fd), ==, QUOIT_ERROR_UNSUPPORTED);
    GOOD(queue_create, (NULL, &queue_options, BOTH | QUOIT_TRANSIENT, &nameless));
    GOOD(queue_fd, (nameless, &fd));
    GOOD(queue_open_fd, (fd, QUOIT_OBSERVER, &other));
    library.queue_close(other);
    library.queue_close(nameless);
    valid_copies(made->queue);
    valid_in_place(made->queue);
    CHECK_EQ(DO(VALID, queue_capacity)(made->queue), CAPACITY);
    CHECK_EQ(DO(VALID, queue_item_bytes)(made->queue), 8);
    CHECK_EQ(DO(VALID, queue_missed)(made->queue), 0);
    CHECK(DO(VALID, queue_user_area)(made->queue) != NULL);
    struct quoit_wait wait = {made->queue, QUOIT_ROOM, 0};
    GOOD(wait_any, (&wait, 1, QUOIT_NOW));
    CHECK_EQ(wait.ready, QUOIT_ROOM);
    GOOD(queue_interrupt, (made->queue));
    GOOD(queue_poll_fd, (made->queue, QUOIT_ITEMS, &fd));
    CHECK_GT(fd, 2);
    DO(VALID, queue_wake)(made->queue, QUOIT_CONSUMER);
    GOOD(queue_inspect, (made->queue, &info));
    GOOD(queue_check, (made->queue));
    GOOD(queue_members, (made->queue, members, QUOIT_MEMBERS_MAX, &count));
    CHECK_EQ(count, 1);
    GOOD(queue_push, (made->queue, &count, 8, QUOIT_NOW));
    CHECK_STATUS_IS(DO(VALID, queue_latest)(made->queue, &item, 8, NULL), ==,
                    QUOIT_ERROR_UNSUPPORTED); /* it is not a broadcast */
    GOOD(queue_browse, (made->queue, &browser, &item, 8, NULL));
    CHECK_EQ(item, 1);
    GOOD(queue_repair, (made->queue, &count));
    GOOD(list, ("posix", see, &found));
    CHECK_GT(found, 0);
    CHECK_STATUS_IS(DO(VALID, unlink_abandoned)(made->queue_name, 0), ==, QUOIT_ERROR_BUSY);
    GOOD(queue_finish, (made->queue));
    quoit_queue *last;
    const char *name = test_name("");
    GOOD(queue_create, (name, &queue_options, BOTH, &last));
    GOOD(queue_unlink, (last));
    library.queue_close(last);
}

static void valid_pool(const struct objects *made)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    quoit_pool *other;
    quoit_queue *queue;
    quoit_block block;
    uint64_t count;
    const char *name = test_name("");
    GOOD(queue_create, (name, &queue_options, BOTH, &queue));
    GOOD(pool_open, (made->pool_name, QUOIT_OBSERVER, &other));
    library.pool_close(other);
    GOOD(pool_join, (made->pool_name, &pool_options, 0, &other));
    library.pool_close(other);
    GOOD(pool_alloc, (made->pool, &block));
    CHECK(DO(VALID, pool_at)(made->pool, block) != NULL);
    GOOD(pool_push, (made->pool, queue, block, QUOIT_NOW));
    GOOD(pool_pop, (made->pool, queue, &block, QUOIT_NOW));
    CHECK_EQ(DO(VALID, pool_free_count)(made->pool), 1);
    GOOD(pool_free, (made->pool, block));
    GOOD(pool_reclaim, (made->pool, &queue, 1, &count));
    CHECK_EQ(DO(VALID, pool_block_bytes)(made->pool), 8);
    CHECK_EQ(DO(VALID, pool_blocks)(made->pool), 2);
    GOOD(pool_check, (made->pool));
    GOOD(pool_members, (made->pool, members, QUOIT_MEMBERS_MAX, &count));
    library.queue_close(queue);
    GOOD(unlink, (name, 0));
}

static void valid_lock(void)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    quoit_lock *lock, *other;
    uint32_t pid = 0;
    uint64_t count;
    const char *name = test_name("");
    GOOD(lock_create, (name, NULL, 0, &lock));
    GOOD(lock_open, (name, 0, &other));
    DO(VALID, lock_close)(other);
    GOOD(lock_join, (name, NULL, 0, &other));
    library.lock_close(other);
    GOOD(lock_lock, (lock, QUOIT_NOW));
    GOOD(lock_holder, (lock, &pid));
    CHECK_GT(pid, 0);
    GOOD(lock_members, (lock, members, QUOIT_MEMBERS_MAX, &count));
    CHECK_EQ(count, 1);
    GOOD(lock_unlock, (lock));
    library.lock_close(lock);
    GOOD(unlink, (name, 0));
}

static void valid_region_and_sem(const struct objects *made)
{
    quoit_region *region;
    quoit_sem *sem;
    uint64_t offset;
    uint32_t value;
    GOOD(region_open, (made->region_name, QUOIT_OBSERVER, &region));
    library.region_close(region);
    GOOD(region_join, (made->region_name, &region_options, 0, &region));
    library.region_close(region);
    CHECK_EQ(DO(VALID, region_data_bytes)(made->region), 0);
    CHECK_EQ(DO(VALID, region_data)(made->region), NULL);
    GOOD(region_alloc, (made->region, 8, 8, &offset));
    CHECK(DO(VALID, region_at)(made->region, offset, 8) != NULL);
    GOOD(region_set_root, (made->region, offset));
    CHECK_EQ(DO(VALID, region_root)(made->region), offset);
    CHECK_GT(DO(VALID, region_size)(made->region), 256);
    CHECK_GT(DO(VALID, region_bytes_left)(made->region), 0);
    GOOD(sem_open, (made->sem_name, 0, &sem));
    library.sem_close(sem);
    GOOD(sem_join, (made->sem_name, &sem_options, 0, &sem));
    library.sem_close(sem);
    GOOD(sem_wait, (made->sem, QUOIT_NOW));
    GOOD(sem_post, (made->sem));
    GOOD(sem_value, (made->sem, &value));
    CHECK_EQ(value, 1);
    CHECK_EQ(DO(VALID, version)(), QUOIT_VERSION);
    CHECK_STR(DO(VALID, status_name)(QUOIT_FULL), "QUOIT_FULL");
    CHECK_GT(strlen(DO(VALID, describe)(QUOIT_FULL)), 5);
}

/* The library's own sentence, since this program also contains a copy of the library. */
static void check_refused(const char *call, quoit_status status)
{
    const char *sentence = library.describe(QUOIT_ERROR_INVALID);
    if (status != QUOIT_ERROR_INVALID)
        test_fail(__FILE__, __LINE__, "%s returned %s", call, quoit_status_name(status));
    if (strcmp(sentence, "an argument is not valid") == 0)
        test_fail(__FILE__, __LINE__, "%s has no sentence of its own", call);
    (void)library.unlink("", 0); /* another status, so that no sentence is kept for the next call */
}
#define REFUSED(name, arguments) check_refused(#name #arguments, DO(NULLS, name) arguments)

/* ---- NULL ------------------------------------------------------------------------------------ */

/* Every argument is NULL or 0. */
static void null_handles(void)
{
    uint64_t item = 0;
    size_t count = 7, bytes = 7;
    REFUSED(queue_finish, (NULL));
    REFUSED(queue_unlink, (NULL));
    REFUSED(queue_fd, (NULL, NULL));
    REFUSED(queue_push, (NULL, NULL, 0, 0));
    REFUSED(queue_push, (NULL, &item, 8, QUOIT_FOREVER));
    REFUSED(queue_pop, (NULL, NULL, 0, NULL, 0));
    REFUSED(queue_pop, (NULL, &item, 8, &bytes, QUOIT_FOREVER));
    CHECK_EQ(bytes, 0);
    REFUSED(queue_push_many, (NULL, NULL, 0, 0, NULL, 0));
    REFUSED(queue_push_many, (NULL, &item, 8, 1, &count, QUOIT_FOREVER));
    CHECK_EQ(count, 0);
    REFUSED(queue_pop_many, (NULL, NULL, 0, 0, NULL, 0));
    REFUSED(queue_pop_many, (NULL, &item, 8, 1, &count, QUOIT_FOREVER));
    REFUSED(queue_push_slow, (NULL, NULL, 0, QUOIT_FOREVER));
    REFUSED(queue_pop_slow, (NULL, NULL, 0, NULL, QUOIT_FOREVER));
    REFUSED(queue_push_rest, (NULL, NULL, 0, 0, 0, NULL, QUOIT_FOREVER));
    REFUSED(queue_pop_rest, (NULL, NULL, 0, 0, 0, NULL, QUOIT_FOREVER));
    REFUSED(queue_claim, (NULL, 0, NULL, 0));
    REFUSED(queue_commit, (NULL, 0));
    REFUSED(queue_discard, (NULL));
    REFUSED(queue_peek, (NULL, NULL, NULL, 0));
    REFUSED(queue_release, (NULL));
    REFUSED(queue_claim_many, (NULL, 0, NULL, NULL, 0));
    REFUSED(queue_commit_many, (NULL, 0));
    REFUSED(queue_peek_many, (NULL, NULL, NULL, 0));
    REFUSED(queue_release_many, (NULL, 0));
    REFUSED(queue_position, (NULL, NULL));
    REFUSED(queue_poll_fd, (NULL, 0, NULL));
    CHECK_STATUS_IS(DO(NULLS, queue_interrupt)(NULL), ==, QUOIT_ERROR_INVALID); /* no sentence */
    REFUSED(wait_any, (NULL, 0, 0));
    REFUSED(queue_check_typed, (NULL, 0, 0, 0, NULL));
    REFUSED(queue_inspect, (NULL, NULL));
    REFUSED(queue_check, (NULL));
    REFUSED(queue_members, (NULL, NULL, 0, NULL));
    REFUSED(queue_browse, (NULL, NULL, NULL, 0, NULL));
    REFUSED(queue_latest, (NULL, NULL, 0, NULL));
    REFUSED(queue_repair, (NULL, NULL));
    REFUSED(list, (NULL, NULL, NULL));
    REFUSED(unlink, (NULL, 0));
    REFUSED(unlink_abandoned, (NULL, 0));
    DO(NULLS, queue_close)(NULL);
    DO(NULLS, queue_wake)(NULL, 0);
    CHECK_EQ(DO(NULLS, queue_size)(NULL), 0);
    CHECK_EQ(DO(NULLS, queue_capacity)(NULL), 0);
    CHECK_EQ(DO(NULLS, queue_item_bytes)(NULL), 0);
    CHECK_EQ(DO(NULLS, queue_missed)(NULL), 0);
    CHECK_EQ(DO(NULLS, queue_user_area)(NULL), NULL);
}

static void other_null_handles(void)
{
    REFUSED(pool_alloc, (NULL, NULL));
    REFUSED(pool_free, (NULL, 0));
    REFUSED(pool_push, (NULL, NULL, 0, 0));
    REFUSED(pool_pop, (NULL, NULL, NULL, 0));
    REFUSED(pool_reclaim, (NULL, NULL, 0, NULL));
    REFUSED(pool_check, (NULL));
    REFUSED(pool_members, (NULL, NULL, 0, NULL));
    DO(NULLS, pool_close)(NULL);
    CHECK_EQ(DO(NULLS, pool_at)(NULL, 0), NULL);
    CHECK_EQ(DO(NULLS, pool_block_bytes)(NULL), 0);
    CHECK_EQ(DO(NULLS, pool_blocks)(NULL), 0);
    CHECK_EQ(DO(NULLS, pool_free_count)(NULL), 0);
    REFUSED(region_alloc, (NULL, 0, 0, NULL));
    REFUSED(region_set_root, (NULL, 0));
    DO(NULLS, region_close)(NULL);
    CHECK_EQ(DO(NULLS, region_at)(NULL, 0, 0), NULL);
    CHECK_EQ(DO(NULLS, region_root)(NULL), 0);
    CHECK_EQ(DO(NULLS, region_size)(NULL), 0);
    CHECK_EQ(DO(NULLS, region_bytes_left)(NULL), 0);
    CHECK_EQ(DO(NULLS, region_data)(NULL), NULL);
    CHECK_EQ(DO(NULLS, region_data_bytes)(NULL), 0);
    REFUSED(lock_lock, (NULL, QUOIT_FOREVER));
    REFUSED(lock_unlock, (NULL));
    REFUSED(lock_holder, (NULL, NULL));
    REFUSED(lock_members, (NULL, NULL, 0, NULL));
    DO(NULLS, lock_close)(NULL);
    REFUSED(sem_unlink, (NULL, 0));
    REFUSED(sem_wait, (NULL, 0));
    REFUSED(sem_post, (NULL));
    REFUSED(sem_value, (NULL, NULL));
    DO(NULLS, sem_close)(NULL);
}

/* If a call creates no handle, its output is NULL, not the previous value. */
#define MAKES_NONE(type, name, arguments) \
    do {                                  \
        int there;                        \
        type *made = (void *)&there;      \
        REFUSED(name, arguments);         \
        CHECK_EQ(made, NULL);             \
    } while (0)

static void null_makers(const struct objects *objects)
{
    const char *name = objects->queue_name;
    REFUSED(queue_create, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_queue, queue_create, (NULL, &queue_options, BOTH, &made));
    MAKES_NONE(quoit_queue, queue_create, (name, NULL, BOTH, &made));
    REFUSED(queue_create, (name, &queue_options, BOTH, NULL));
    REFUSED(queue_open, (NULL, 0, NULL));
    MAKES_NONE(quoit_queue, queue_open, (NULL, BOTH, &made));
    REFUSED(queue_join, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_queue, queue_join, (NULL, &queue_options, BOTH, &made));
    MAKES_NONE(quoit_queue, queue_join, (name, NULL, BOTH, &made));
    REFUSED(queue_again, (NULL, 0, NULL));
    MAKES_NONE(quoit_queue, queue_again, (NULL, BOTH, &made));
    REFUSED(queue_open_fd, (-1, BOTH, NULL));
    MAKES_NONE(quoit_queue, queue_open_fd, (-1, BOTH, &made));
    REFUSED(pool_create, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_pool, pool_create, (NULL, &pool_options, 0, &made));
    MAKES_NONE(quoit_pool, pool_create, (name, NULL, 0, &made));
    REFUSED(pool_open, (NULL, 0, NULL));
    MAKES_NONE(quoit_pool, pool_open, (NULL, 0, &made));
    REFUSED(pool_join, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_pool, pool_join, (name, NULL, 0, &made));
    REFUSED(region_create, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_region, region_create, (NULL, &region_options, 0, &made));
    MAKES_NONE(quoit_region, region_create, (name, NULL, 0, &made));
    REFUSED(region_join, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_region, region_join, (NULL, &region_options, 0, &made));
    MAKES_NONE(quoit_region, region_join, (name, NULL, 0, &made));
    REFUSED(lock_create, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_lock, lock_create, (NULL, NULL, 0, &made));
    REFUSED(lock_join, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_lock, lock_join, (NULL, NULL, 0, &made));
    REFUSED(lock_open, (NULL, 0, NULL));
    MAKES_NONE(quoit_lock, lock_open, (NULL, 0, &made));
    REFUSED(region_open, (NULL, 0, NULL));
    MAKES_NONE(quoit_region, region_open, (NULL, 0, &made));
    REFUSED(sem_create, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_sem, sem_create, (NULL, &sem_options, 0, &made));
    MAKES_NONE(quoit_sem, sem_create, (name, NULL, 0, &made));
    REFUSED(sem_open, (NULL, 0, NULL));
    MAKES_NONE(quoit_sem, sem_open, (NULL, 0, &made));
    REFUSED(sem_join, (NULL, NULL, 0, NULL));
    MAKES_NONE(quoit_sem, sem_join, (name, NULL, 0, &made));
}

/* One argument is NULL; the others are valid. */
static void nulls_beside(const struct objects *made)
{
    quoit_queue *queue = made->queue;
    struct quoit_browser browser = {0};
    const void *data;
    void *room;
    uint64_t item = 0, many = 0;
    size_t count = 7;
    REFUSED(queue_again, (queue, QUOIT_OBSERVER, NULL));
    REFUSED(queue_fd, (queue, NULL));
    REFUSED(queue_push, (queue, NULL, 8, QUOIT_NOW));
    REFUSED(queue_push_slow, (queue, NULL, 8, QUOIT_FOREVER));
    REFUSED(queue_push_many, (queue, NULL, 8, 1, NULL, QUOIT_NOW));
    REFUSED(queue_push_rest, (queue, NULL, 8, 2, 1, NULL, QUOIT_NOW));
    REFUSED(queue_claim, (queue, 8, NULL, QUOIT_NOW));
    REFUSED(queue_claim_many, (queue, 1, NULL, &count, QUOIT_NOW));
    CHECK_EQ(count, 0);
    REFUSED(queue_claim_many, (queue, 1, &room, NULL, QUOIT_NOW));
    CHECK_EQ(library.queue_size(queue), 0);
    CHECK_STATUS_IS(library.queue_push(queue, &item, 8, QUOIT_NOW), ==, QUOIT_OK);
    REFUSED(queue_pop, (queue, NULL, 8, NULL, QUOIT_NOW));
    REFUSED(queue_pop_slow, (queue, NULL, 8, NULL, QUOIT_FOREVER));
    REFUSED(queue_pop_many, (queue, NULL, 8, 1, NULL, QUOIT_NOW));
    REFUSED(queue_pop_rest, (queue, NULL, 8, 2, 1, NULL, QUOIT_NOW));
    REFUSED(queue_peek, (queue, NULL, NULL, QUOIT_NOW));
    REFUSED(queue_peek_many, (queue, NULL, &count, QUOIT_NOW));
    REFUSED(queue_peek_many, (queue, &data, NULL, QUOIT_NOW));
    CHECK_EQ(library.queue_size(queue), 1);
    CHECK_STATUS_IS(library.queue_pop(queue, &item, 8, NULL, QUOIT_NOW), ==, QUOIT_OK);
    REFUSED(queue_poll_fd, (queue, QUOIT_ITEMS, NULL));
    REFUSED(wait_any, (NULL, 1, QUOIT_NOW));
    REFUSED(wait_any, (&(struct quoit_wait){NULL, QUOIT_ITEMS, 0}, 1, QUOIT_NOW));
    REFUSED(queue_inspect, (queue, NULL));
    REFUSED(queue_members, (queue, NULL, 1, &many));
    REFUSED(queue_members, (queue, NULL, 0, NULL));
    REFUSED(queue_browse, (queue, NULL, &item, 8, &many));
    REFUSED(queue_browse, (queue, &browser, NULL, 8, &many));
    REFUSED(pool_alloc, (made->pool, NULL));
    REFUSED(pool_push, (made->pool, NULL, 1, QUOIT_NOW));
    REFUSED(pool_pop, (made->pool, NULL, &many, QUOIT_NOW));
    REFUSED(pool_pop, (made->pool, queue, NULL, QUOIT_NOW));
    REFUSED(pool_reclaim, (made->pool, NULL, 1, NULL));
    REFUSED(pool_reclaim, (made->pool, (quoit_queue *const[]){NULL}, 1, NULL));
    REFUSED(pool_members, (made->pool, NULL, 1, &many));
    REFUSED(pool_members, (made->pool, NULL, 0, NULL));
    REFUSED(region_alloc, (made->region, 8, 8, NULL));
    REFUSED(sem_value, (made->sem, NULL));
    /* NULL is allowed here. */
    CHECK_STATUS_IS(library.queue_push_many(queue, NULL, 8, 0, NULL, QUOIT_NOW), ==, QUOIT_OK);
    CHECK_STATUS_IS(library.queue_pop_many(queue, NULL, 8, 0, NULL, QUOIT_NOW), ==, QUOIT_OK);
    CHECK_STATUS_IS(library.queue_check_typed(queue, QUOIT_INLINE_LAYOUT, 8, 8, NULL), ==,
                    QUOIT_OK);
    CHECK_STATUS_IS(library.queue_members(queue, NULL, 0, &many), ==, QUOIT_OK);
    CHECK_STATUS_IS(library.queue_repair(queue, NULL), ==, QUOIT_OK);
    CHECK_STATUS_IS(library.pool_reclaim(made->pool, NULL, 0, NULL), ==, QUOIT_OK);
}

/* ---- All tests ------------------------------------------------------------------------------- */

static void every_call(void)
{
    struct objects made = make();
    null_handles();
    other_null_handles();
    null_makers(&made);
    nulls_beside(&made);
    valid_pool(&made);
    valid_lock();
    valid_region_and_sem(&made);
    valid_queue(&made);
    destroy(&made);
    for (size_t i = 0; TEST_LOOP_TEXT(i < EXPORTS, 0, exports[i].name); i++) {
        CHECK(exports[i].called & VALID);
        CHECK(exports[i].called & NULLS || !strchr(exports[i].parameters, '*'));
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"all_listed", all_listed}, {"every_call", every_call}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
