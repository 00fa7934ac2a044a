/* SPDX-License-Identifier: MIT */
/* The wall clock jumps forwards and back by an hour at each reading. Timeouts are not affected. (A
   wait that used it would end at once, or not within this test's time.) */
#include "test.h"

#include <time.h>

static const char *const kind_names[] = {"SPSC", "MPMC"};

int __real_clock_gettime(clockid_t clock, struct timespec *time_out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time_out);

static int64_t looks_at_the_wall;

/* The library's calls in this program go to these functions: see CMakeLists.txt. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *time_out)
{
    int result = __real_clock_gettime(clock, time_out);
    if (clock == CLOCK_REALTIME)
        time_out->tv_sec += looks_at_the_wall++ % 2 == 0 ? -3600 : 3600;
    return result;
}

static int64_t now_ns(void)
{
    struct timespec now;
    CHECK_EQ(__real_clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static const int64_t timeout_ns = 130000000;

static void queues(void)
{
    for (int kind = QUOIT_SPSC; TEST_LOOP_TEXT(kind <= QUOIT_MPMC, 0, kind_names[kind]); kind++) {
        const struct quoit_queue_options options = {
            .kind = (uint32_t)kind, .item_bytes = 8, .capacity = 1};
        const char *name = test_name("");
        quoit_queue *queue;
        uint64_t item = 1;
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                     QUOIT_OK);
        int64_t start = now_ns();
        CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, timeout_ns), QUOIT_EMPTY);
        CHECK_GE(now_ns() - start, timeout_ns);
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
        start = now_ns();
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, timeout_ns), QUOIT_FULL);
        CHECK_GE(now_ns() - start, timeout_ns);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
    CHECK_GT(looks_at_the_wall, 0); /* the hour of creation, at least */
}

static void semaphores(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        const char *name = test_name(test_sem_schemes[i]);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &(struct quoit_sem_options){.value = 0}, 0, &sem),
                     QUOIT_OK);
        int64_t start = now_ns();
        CHECK_STATUS(quoit_sem_wait(sem, timeout_ns), QUOIT_TIMEOUT);
        CHECK_GE(now_ns() - start, timeout_ns);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"the clock on the wall jumps", queues},
                                             {"and under semaphores", semaphores},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
