/* SPDX-License-Identifier: MIT */
/* If no process is blocked in a wait, no call enters the kernel: from a point on, any system call
   kills the process. */
#include "test.h"

#include "queue_handle.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);

enum { STRICT = 1 }; /* SECCOMP_MODE_STRICT; a C library need not have the kernel's headers */

/* arguments: name, how, the pool's name. Strict seccomp allows read, write, exit and sigreturn; any
   other call ends the process (SIGKILL). */
static void go_strict(char **arguments)
{
    quoit_queue *queue;
    const unsigned both = QUOIT_PRODUCER | QUOIT_CONSUMER;
    bool sleeps = arguments[1][0] == 's';
    quoit_pool *pool;
    quoit_block block;
    CHECK_STATUS(quoit_queue_open(arguments[0], both, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_pool_open(arguments[2], 0, &pool), QUOIT_OK);
    if (prctl(PR_SET_SECCOMP, STRICT) != 0)
        _exit(77);
    uint64_t value = 0, items[8];
    size_t count;
    void *room;
    const void *there;
    for (uint64_t i = 0; i < 100000; i++) {
        bool right = word_push((struct word_queue){queue}, &i, QUOIT_FOREVER) == QUOIT_OK &&
                     word_push((struct word_queue){queue}, &i, QUOIT_NOW) == QUOIT_OK &&
                     word_pop((struct word_queue){queue}, &value, QUOIT_NOW) == QUOIT_OK &&
                     word_pop((struct word_queue){queue}, &value, QUOIT_FOREVER) == QUOIT_OK &&
                     word_pop((struct word_queue){queue}, &value, QUOIT_NOW) == QUOIT_EMPTY &&
                     word_pop((struct word_queue){queue}, &value, INT64_MIN) == QUOIT_EMPTY &&
                     quoit_queue_claim_many(queue, 2, &room, &count, QUOIT_NOW) == QUOIT_OK &&
                     (*(uint64_t *)room = i, quoit_queue_commit_many(queue, 1)) == QUOIT_OK &&
                     quoit_queue_peek_many(queue, &there, &count, QUOIT_NOW) == QUOIT_OK &&
                     quoit_queue_release(queue) == QUOIT_OK && value == i &&
                     test_push_many(queue, &i, 1) == 1 && test_pop_many(queue, items, 8) == 1 &&
                     quoit_pool_alloc(pool, &block) == QUOIT_OK &&
                     quoit_pool_push(pool, queue, block, QUOIT_NOW) == QUOIT_OK &&
                     quoit_pool_pop(pool, queue, &block, QUOIT_NOW) == QUOIT_OK &&
                     quoit_pool_at(pool, block) && quoit_pool_free(pool, block) == QUOIT_OK;
        if (!right)
            (void)syscall(SYS_exit, 1);
    }
    if (sleeps)
        (void)word_pop((struct word_queue){queue}, &value,
                       1000000); /* must make a call, and be killed: the test can fail */
    (void)syscall(SYS_exit, 0);
}

/* Pops without success while the producer is alive, for less time than until the liveness check. If
   the process is delayed by that time, the check is due and kills it; then the parent tries
   again. */
static void look_strictly(char **arguments)
{
    quoit_queue *queue;
    uint64_t value;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_CONSUMER, &queue), QUOIT_OK);
    if (prctl(PR_SET_SECCOMP, STRICT) != 0)
        _exit(77);
    for (uint64_t i = 0; i < 1000; i++)
        if (word_pop((struct word_queue){queue}, &value, QUOIT_NOW) != QUOIT_EMPTY)
            (void)syscall(SYS_exit, 1);
    (void)syscall(SYS_exit, 0);
}

static void none_to_look(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 8};
    const char *name = test_name("");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    int result = TEST_KILLED;
    for (int tries = 0; TEST_LOOP(tries < 50 && result == TEST_KILLED, 0, "try", tries); tries++)
        result = test_wait(test_spawn("look_strictly", (const char *const[]){name, NULL}));
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    if (result == 77)
        test_skip("this system refuses strict seccomp");
    CHECK_EQUAL((uint64_t)result, 0);
}

/* Reads the newest item repeatedly. */
static void latest_strictly(char **arguments)
{
    quoit_queue *queue;
    uint64_t value = 0;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER, &queue), QUOIT_OK);
    if (prctl(PR_SET_SECCOMP, STRICT) != 0)
        _exit(77);
    for (uint64_t i = 0; i < 10000; i++)
        if (word_latest((struct word_queue){queue}, &value) != QUOIT_OK || value != 7)
            (void)syscall(SYS_exit, 1);
    (void)syscall(SYS_exit, 0);
}

static void none_for_the_newest(void)
{
    const struct quoit_queue_options options = {
        .kind = QUOIT_BROADCAST, .item_bytes = 8, .capacity = 1};
    const char *name = test_name("");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_push(queue, &(uint64_t){7}, 8, QUOIT_NOW), QUOIT_OK);
    int result = test_wait(test_spawn("latest_strictly", (const char *const[]){name, NULL}));
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    if (result == 77)
        test_skip("this system refuses strict seccomp");
    CHECK_EQUAL((uint64_t)result, 0);
}

/* ---- After a wait on more queues than one thread can sleep on -------------------------------- */

enum { MANY = 160 };
static quoit_queue *many[MANY];
static _Atomic int passed;
static _Atomic long strict_thread; /* its number; 0: it has not begun */

static void use_strictly(void *unused)
{
    uint64_t value = 1;
    (void)unused;
    atomic_store(&strict_thread, syscall(SYS_gettid));
    if (prctl(PR_SET_SECCOMP, STRICT) != 0)
        _exit(77);
    for (int i = 0; i < 100 * MANY; i++) {
        struct word_queue queue = {many[i % MANY]};
        bool right = word_push(queue, &value, QUOIT_NOW) == QUOIT_OK &&
                     word_pop(queue, &value, QUOIT_NOW) == QUOIT_OK &&
                     word_pop(queue, &value, QUOIT_NOW) == QUOIT_EMPTY;
        if (!right)
            (void)syscall(SYS_exit, 1);
    }
    atomic_store(&passed, 1);
    (void)syscall(SYS_exit, 0); /* of this thread */
}

/* A C library need not notice the bare exit of a thread, so it cannot be joined. */
static bool strict_thread_runs(void)
{
    char path[64];
    long number = atomic_load(&strict_thread);
    (void)snprintf(path, sizeof path, "/proc/self/task/%ld", number);
    return atomic_load(&passed) == 0 && (number == 0 || access(path, F_OK) == 0);
}

/* The library's threads sleep on the last queues for the wait. One more item in each queue ends
   these sleeps, and then the threads rest. Strict seccomp ends a single thread. */
static void go_on_after_wait_any(char **arguments)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 8};
    struct quoit_wait waits[MANY];
    uint64_t value = 1;
    (void)arguments;
    for (int i = 0; i < MANY; i++) {
        CHECK_STATUS(quoit_queue_create(test_name("local"), &options,
                                        QUOIT_PRODUCER | QUOIT_CONSUMER, &many[i]),
                     QUOIT_OK);
        waits[i] = (struct quoit_wait){many[i], QUOIT_ITEMS, 0};
    }
    CHECK_STATUS(quoit_wait_any(waits, MANY, 30000000), QUOIT_TIMEOUT);
    if (test_plain_posix) /* such a wait polls, and no thread watches */
        _exit(77);
    for (int i = 0; i < MANY; i++) {
        const struct quoit_waiter *waiter = &many[i]->handle->consumer_waiter;
        while (waiter->poller && atomic_load(waiter->sleepers) % 2 == 0)
            test_sleep_ms(1);
        CHECK_STATUS(word_push((struct word_queue){many[i]}, &value, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(word_pop((struct word_queue){many[i]}, &value, QUOIT_NOW), QUOIT_OK);
    }
    CHECK(many[MANY - 1]->handle->consumer_waiter.poller);
    (void)test_thread_start(use_strictly, NULL);
    while (strict_thread_runs())
        test_sleep_ms(1);
    _exit(atomic_load(&passed) == 1 ? 0 : 1);
}

static void none_after_wait_any(void)
{
#if defined(__SANITIZE_THREAD__)
    (void)printf("  left out: ThreadSanitizer calls mmap in the thread\n");
    return;
#endif
    int result = test_wait(test_spawn("go_on_after_wait_any", (const char *const[]){NULL}));
    if (result == 77)
        test_skip("this system refuses strict seccomp, or a wait on several words");
    CHECK_EQ(result, 0);
}

static void no_system_call(void)
{
    for (int spans = 0; spans < 2; spans++) {
        const char *name = test_name(""), *pool_name = test_name("");
        const struct quoit_pool_options pool_options = {.block_bytes = 64, .blocks = 5};
        quoit_pool *pool;
        const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 8};
        test_keep_spans(spans != 0);
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_pool_create(pool_name, &pool_options, 0, &pool), QUOIT_OK);
        const char *const awake[] = {name, "runs", pool_name, NULL};
        const char *const sleepers[] = {name, "sleeps", pool_name, NULL};
        int result = test_wait(test_spawn("go_strict", awake));
        if (result == 77)
            test_skip("this system refuses strict seccomp");
        CHECK_EQUAL((uint64_t)result, 0);
        CHECK_EQUAL((uint64_t)test_wait(test_spawn("go_strict", sleepers)), TEST_KILLED);
        quoit_pool_close(pool);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        CHECK_STATUS(quoit_unlink(pool_name, 0), QUOIT_OK);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"no_system_call", no_system_call},
                                             {"none_to_look", none_to_look},
                                             {"none_for_the_newest", none_for_the_newest},
                                             {"none_after_wait_any", none_after_wait_any},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"go_strict", go_strict},
                                             {"go_on_after_wait_any", go_on_after_wait_any},
                                             {"look_strictly", look_strictly},
                                             {"latest_strictly", latest_strictly},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
