/* SPDX-License-Identifier: MIT */
/* fork while a queue is open: the child's copy of the handle returns FORKED, and does not keep the
   parent's role. */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct quoit_queue_options options = {
    .item_bytes = 8, .capacity = 5, .user_bytes = 64};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

/* Every call on the inherited handle returns FORKED, and none changes the queue. */
static void use_inherited(quoit_queue *queue, const char *name)
{
    size_t value = 9, count = 1;
    const void *items = &value;
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW), QUOIT_ERROR_FORKED);
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_ERROR_FORKED);
    CHECK_EQUAL(test_push_many(queue, &value, 1), 0);
    CHECK_EQUAL(test_pop_many(queue, &value, 1), 0);
    CHECK_STATUS(quoit_queue_peek_many(queue, &items, &count, QUOIT_NOW), QUOIT_ERROR_FORKED);
    CHECK_EQ(items, NULL);
    CHECK_EQ(count, 0);
    CHECK_STATUS(quoit_queue_release(queue), QUOIT_ERROR_FORKED);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_ERROR_FORKED);
    CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_ERROR_FORKED);
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_ERROR_FORKED);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_ERROR_FORKED);
    CHECK_EQUAL(quoit_queue_size(queue), 0);
    CHECK_EQ(quoit_queue_user_area(queue), NULL);
    quoit_queue *own;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &own), QUOIT_ERROR_ROLE_TAKEN);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &own), QUOIT_OK);
    CHECK_EQUAL(quoit_queue_size(own), 2);
    quoit_queue_close(own);
    quoit_queue_close(queue);
    /* Closing the copy took nothing from the parent. */
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &own), QUOIT_ERROR_ROLE_TAKEN);
}

static void child_is_refused(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_queue *queue;
        uint64_t value = 1;
        int status = -1;
        CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW),
                     QUOIT_OK); /* the fast paths are enabled */
        CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW), QUOIT_OK);
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            use_inherited(queue, name);
            _exit(0);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW), QUOIT_OK);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* The same for a pool. The child's copy does not prevent that the parent's blocks are reclaimed. */
static void pool_is_refused(void)
{
    const struct quoit_pool_options pool_options = {.block_bytes = 64, .blocks = 3};
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_pool *pool, *second;
        quoit_block block, none;
        uint64_t count = 0;
        int ends[2];
        CHECK_STATUS(quoit_pool_create(name, &pool_options, 0, &pool), QUOIT_OK);
        CHECK_STATUS(quoit_pool_alloc(pool, &block), QUOIT_OK);
        CHECK_EQ(pipe(ends), 0);
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            char byte;
            CHECK_STATUS(quoit_pool_alloc(pool, &none), QUOIT_ERROR_FORKED);
            CHECK_STATUS(quoit_pool_free(pool, block), QUOIT_ERROR_FORKED);
            CHECK_STATUS(quoit_pool_reclaim(pool, NULL, 0, NULL), QUOIT_ERROR_FORKED);
            CHECK_STATUS(quoit_pool_check(pool), QUOIT_ERROR_FORKED);
            CHECK(!quoit_pool_at(pool, block));
            CHECK_EQ(quoit_pool_free_count(pool), 0);
            (void)close(ends[1]);
            CHECK_EQ(read(ends[0], &byte, 1), 0);
            quoit_pool_close(pool);
            _exit(0);
        }
        CHECK_STATUS(quoit_pool_open(name, 0, &second), QUOIT_OK);
        quoit_pool_close(pool);
        CHECK_STATUS(quoit_pool_reclaim(second, NULL, 0, &count), QUOIT_OK);
        CHECK_EQUAL(count, 1); /* although the child is alive */
        int status = -1;
        CHECK_EQ(close(ends[0]), 0);
        CHECK_EQ(close(ends[1]), 0);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        quoit_pool_close(second);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* A lock stays the parent's. The child can open it again, and waits for it. */
static void lock_is_refused(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_lock *lock, *own;
        uint32_t pid = 0;
        int status = -1;
        CHECK_STATUS(quoit_lock_create(name, NULL, 0, &lock), QUOIT_OK);
        CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_OK);
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_ERROR_FORKED);
            CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_ERROR_FORKED);
            CHECK_STATUS(quoit_lock_holder(lock, &pid), QUOIT_ERROR_FORKED);
            CHECK_STATUS(quoit_lock_open(name, 0, &own), QUOIT_OK);
            CHECK_STATUS(quoit_lock_lock(own, QUOIT_NOW), QUOIT_TIMEOUT);
            quoit_lock_close(own);
            quoit_lock_close(lock);
            _exit(0);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
        CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_OK);
        quoit_lock_close(lock);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* local: names reach across fork: parent and child exchange items, each with its own handle. */
static void local_across_fork(void)
{
    const char *name = test_name("local");
    quoit_queue *queue;
    uint64_t value = 0;
    int status = -1;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_CONSUMER, &queue), QUOIT_OK);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        quoit_queue *own;
        CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &own), QUOIT_OK);
        for (uint64_t n = 0; n < 5; n++)
            CHECK_STATUS(quoit_queue_push(own, &n, sizeof n, QUOIT_NOW), QUOIT_OK);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    for (uint64_t n = 0; n < 5; n++) {
        CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_EQUAL(value, n);
    }
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* Takes both roles, forks a child that stays alive and reports its PID, and waits to be killed. */
static void fork_and_hold(char **arguments)
{
    quoit_queue *queue;
    quoit_region *region;
    volatile uint64_t *word = test_shared(arguments[1], sizeof *word, &region);
    CHECK_STATUS(quoit_queue_join(arguments[0], &options, BOTH, &queue), QUOIT_OK);
    volatile uint64_t *area = quoit_queue_user_area(queue);
    *area = 7;
    if (fork() == 0) {
        CHECK_EQUAL(*area, 0); /* a stale pointer neither crashes nor reaches the parent's queue */
        *word = (uint64_t)getpid();
        for (int i = 0; i < 200; i++)
            test_sleep_ms(100);
        _exit(0);
    }
    for (;;)
        test_sleep_ms(1000);
}

static void orphan_holds_nothing(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]), *word_name = test_name("posix");
        const char *const arguments[] = {name, word_name, NULL};
        quoit_queue *queue;
        quoit_region *region;
        volatile uint64_t *word = test_share(word_name, sizeof *word, &region);
        test_process parent = test_spawn("fork_and_hold", arguments);
        while (*word == 0)
            test_sleep_ms(1);
        pid_t child = (pid_t)*word;
        test_kill(parent);
        CHECK_EQUAL(test_wait(parent), TEST_KILLED);
        quoit_status status = quoit_queue_open(name, BOTH, &queue);
        bool child_lived = kill(child, SIGKILL) == 0; /* all the time */
        CHECK_STATUS(status, QUOIT_OK);
        CHECK(child_lived);
        CHECK_EQUAL(*(volatile uint64_t *)quoit_queue_user_area(queue), 7);
        quoit_queue_close(queue);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(word_name, 0), QUOIT_OK);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

static _Atomic int opening, opened;

static void *open_and_close(void *name)
{
    while (atomic_load(&opening)) {
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), QUOIT_OK);
        quoit_queue_close(queue);
        atomic_store(&opened, 1);
    }
    return NULL;
}

/* Starts a thread that opens and closes, and waits until it has done so once. AddressSanitizer
   allocates memory at the start of a thread; a child that is forked during that waits for the
   allocator's lock for ever. */
static pthread_t start_opening(void *name)
{
    pthread_t thread;
    atomic_store(&opening, 1);
    atomic_store(&opened, 0);
    CHECK_EQ(pthread_create(&thread, NULL, open_and_close, name), 0);
    while (!atomic_load(&opened))
        test_sleep_ms(1);
    return thread;
}

/* A child that is forked at any point of another thread's open holds none of its locks. */
static void fork_while_another_thread_opens(void)
{
    enum { CHILDREN_MOST = 40 };
    const int child_count = (int)test_effort(12, CHILDREN_MOST);
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        union {
            const char *read;
            void *pass;
        } name = {.read = test_name(test_schemes[i])};
        pid_t children[CHILDREN_MOST];
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_create(name.read, &options, BOTH, &queue), QUOIT_OK);
        quoit_queue_close(queue);
        pthread_t thread = start_opening(name.pass);
        (void)fflush(NULL);
        for (int k = 0; k < child_count; k++) {
            children[k] = fork();
            if (children[k] == 0)
                for (;;)
                    (void)pause();
        }
        atomic_store(&opening, 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        quoit_status status = quoit_queue_open(name.read, BOTH, &queue);
        for (int k = 0; k < child_count; k++) {
            (void)kill(children[k], SIGKILL);
            (void)waitpid(children[k], NULL, 0);
        }
        CHECK_STATUS(status, QUOIT_OK);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name.read, 0), QUOIT_OK);
    }
}

/* Waits for the end of the pipe, and takes both roles. */
static _Noreturn void take_over(const char *name, const int *ends)
{
    char byte;
    quoit_queue *queue;
    (void)close(ends[1]);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), QUOIT_OK);
    _exit(0);
}

/* A child that is forked at any point of another thread's close can take the roles that the thread
   released. */
static void fork_while_another_thread_closes(void)
{
    const int child_count = (int)test_effort(15, 60);
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        union {
            const char *read;
            void *pass;
        } name = {.read = test_name(test_schemes[i])};
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_create(name.read, &options, BOTH, &queue), QUOIT_OK);
        quoit_queue_close(queue);
        for (int k = 0; k < child_count; k++) {
            int ends[2], status = -1;
            CHECK_EQ(pipe(ends), 0);
            pthread_t thread = start_opening(name.pass);
            for (int spin = (int)(test_random() % 1000); spin > 0; spin--)
                (void)test_own_pid();
            (void)fflush(NULL);
            pid_t child = fork();
            if (child == 0)
                take_over(name.read, ends);
            atomic_store(&opening, 0);
            CHECK_EQ(pthread_join(thread, NULL), 0);
            CHECK_EQ(close(ends[0]), 0);
            CHECK_EQ(close(ends[1]), 0);
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 0);
        }
        CHECK_STATUS(quoit_unlink(name.read, 0), QUOIT_OK);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"child_is_refused", child_is_refused},
        {"pool_is_refused", pool_is_refused},
        {"lock_is_refused", lock_is_refused},
        {"local_across_fork", local_across_fork},
        {"orphan_holds_nothing", orphan_holds_nothing},
        {"fork_while_another_thread_opens", fork_while_another_thread_opens},
        {"fork_while_another_thread_closes", fork_while_another_thread_closes},
        {NULL, NULL}};
    static const struct test_role roles[] = {{"fork_and_hold", fork_and_hold}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
