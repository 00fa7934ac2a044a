/* SPDX-License-Identifier: MIT */
/* Threads cancelled in a wait. They lose no item, and another thread continues with the handle. */
#include "cancel_fixture_posix.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

static void check_fork_returns(void)
{
    int status = -1;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void *wait_for_item(void *queue)
{
    uint64_t item;
    (void)quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_FOREVER);
    return NULL;
}

static void *wait_for_room(void *queue)
{
    uint64_t item = 6;
    (void)quoit_queue_push(queue, &item, sizeof item, QUOIT_FOREVER);
    return NULL;
}

static void *wait_for_post(void *sem)
{
    (void)quoit_sem_wait(sem, QUOIT_FOREVER);
    return NULL;
}

static void cancel_waiter(void *(*run)(void *), void *argument, int milliseconds)
{
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, NULL, run, argument) == 0);
    test_sleep_ms(milliseconds);
    CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
}

/* Another thread continues with the handle, whose queue is intact. */
static void cancelled_while_waiting(void)
{
    static const uint32_t kinds[] = {QUOIT_SPSC, QUOIT_MPMC, QUOIT_BROADCAST};
    limit_time();
    for (int k = 0; k < 3; k++)
        for (int rounds = 0; rounds < 2; rounds++) {
            struct quoit_queue_options of_kind = options;
            quoit_queue *queue;
            uint64_t item = 0;
            const char *name = test_name("");
            of_kind.kind = kinds[k];
            CHECK_STATUS(quoit_queue_create(name, &of_kind, BOTH, &queue), QUOIT_OK);
            cancel_waiter(wait_for_item, queue, rounds * 20);
            for (uint64_t i = 1; i <= 5; i++)
                CHECK_STATUS(quoit_queue_push(queue, &i, sizeof i, QUOIT_NOW), QUOIT_OK);
            cancel_waiter(wait_for_room, queue, rounds * 20);
            CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
            for (uint64_t i = 1; i <= 5; i++) {
                CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
                CHECK_EQUAL(item, i);
            }
            CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_EMPTY);
            check_fork_returns();
            quoit_queue_close(queue);
            CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        }
    (void)alarm(0);
}

enum { CANCEL_ITEMS = 1000, CANCEL_QUEUES = 130 };

static struct {
    quoit_queue *queues[CANCEL_QUEUES];
    size_t count;
    unsigned times[CANCEL_ITEMS]; /* how often each item was popped */
} cancelled;

/* A call with QUOIT_NOW is no cancellation point, so this thread counts each item that it pops. */
static void *wait_any_for_ever(void *unused)
{
    struct quoit_wait waits[CANCEL_QUEUES];
    for (size_t i = 0; i < cancelled.count; i++)
        waits[i] = (struct quoit_wait){cancelled.queues[i], QUOIT_ITEMS, 0};
    for (;;) {
        uint64_t item;
        if (quoit_wait_any(waits, cancelled.count, QUOIT_FOREVER) != QUOIT_OK)
            continue; /* INTERRUPTED: the thread before this one was, and cancelled */
        for (size_t i = 0; i < cancelled.count; i++)
            if (waits[i].ready && quoit_queue_pop(cancelled.queues[i], &item, sizeof item, NULL,
                                                  QUOIT_NOW) == QUOIT_OK)
                cancelled.times[item]++;
    }
    return unused;
}

/* Threads that wait on all queues are cancelled one after another, while items come. Each item is
   popped once, by one of them or at the end, and every wait finds what there is. */
static void cancel_in_wait_any(size_t count)
{
    const char *names[CANCEL_QUEUES];
    memset(&cancelled, 0, sizeof cancelled);
    cancelled.count = count;
    for (size_t i = 0; i < count; i++) {
        struct quoit_queue_options of_kind = {
            .kind = (uint32_t)(i % 3), .item_bytes = 8, .capacity = 8};
        names[i] = test_name("local");
        CHECK_STATUS(quoit_queue_create(names[i], &of_kind, BOTH, &cancelled.queues[i]), QUOIT_OK);
    }
    for (uint64_t item = 0; TEST_LOOP(item < CANCEL_ITEMS, 0, "item", item);) {
        const struct timespec moment = {.tv_nsec = (long)(test_random() % 300000)};
        pthread_t thread;
        void *result;
        CHECK(pthread_create(&thread, NULL, wait_any_for_ever, NULL) == 0);
        for (uint64_t i = test_random() % 100; i > 0 && item < CANCEL_ITEMS; i--) {
            size_t at = (size_t)(test_random() % count);
            if (quoit_queue_push(cancelled.queues[at], &item, sizeof item, QUOIT_NOW) == QUOIT_OK)
                item++;
        }
        (void)nanosleep(&moment, NULL);
        CHECK(pthread_cancel(thread) == 0);
        if (test_random() % 8 != 0) /* otherwise it ends when it checks its queues by itself */
            CHECK_STATUS(quoit_queue_interrupt(cancelled.queues[0]), QUOIT_OK);
        CHECK(pthread_join(thread, &result) == 0);
        CHECK(result == PTHREAD_CANCELED);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t item;
        while (quoit_queue_pop(cancelled.queues[i], &item, sizeof item, NULL, QUOIT_NOW) ==
               QUOIT_OK)
            cancelled.times[item]++;
        CHECK_STATUS(quoit_queue_check(cancelled.queues[i]), QUOIT_OK);
        quoit_queue_close(cancelled.queues[i]);
        CHECK_STATUS(quoit_unlink(names[i], 0), QUOIT_OK);
    }
    for (int i = 0; TEST_LOOP(i < CANCEL_ITEMS, 0, "item", i); i++)
        CHECK_EQ(cancelled.times[i], 1);
}

static void cancelled_in_wait_any(void)
{
    limit_time();
    cancel_in_wait_any(1);
    cancel_in_wait_any(3);
    cancel_in_wait_any(CANCEL_QUEUES); /* of the last ones, threads of the library sleep */
    check_fork_returns();
    (void)alarm(0);
}

/* A System V wait is a cancellation point only at its start. */
static void cancelled_in_a_semaphore(void)
{
    const struct quoit_sem_options none = {.value = 0};
    const char *name = test_name("posix");
    quoit_sem *sem;
    uint32_t value;
    limit_time();
    CHECK_STATUS(quoit_sem_create(name, &none, 0, &sem), QUOIT_OK);
    cancel_waiter(wait_for_post, sem, 20);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_value(sem, &value), QUOIT_OK);
    CHECK_EQUAL(value, 1);
    CHECK_STATUS(quoit_sem_wait(sem, 0), QUOIT_OK);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
    (void)alarm(0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"cancelled_while_waiting", cancelled_while_waiting},
                                             {"cancelled_in_wait_any", cancelled_in_wait_any},
                                             {"cancelled_in_a_semaphore", cancelled_in_a_semaphore},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
