/* SPDX-License-Identifier: MIT */
/* quoit_queue_interrupt ends the current or the next wait of a handle, once for each side. */
#include "test.h"

#include "os.h"

#include <stdatomic.h>
#include <stdio.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, EVENTS = QUOIT_ITEMS | QUOIT_ROOM };
static const char *const kind_names[] = {"SPSC", "MPMC", "BROADCAST"};
static const int64_t moment = 1000000;

/* Of the library: from here on a wake that is lost is a wait that does not end. */
extern int64_t quoit_wait_slice_ns;

static quoit_queue *create(uint32_t kind, const char **name_out)
{
    const struct quoit_queue_options options = {
        .kind = kind, .item_bytes = sizeof(uint64_t), .capacity = 1};
    quoit_queue *queue;
    *name_out = test_name("local");
    CHECK_STATUS(quoit_queue_create(*name_out, &options, BOTH, &queue), QUOIT_OK);
    return queue;
}

static void remove_queue(quoit_queue *queue, const char *name)
{
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static quoit_status push(quoit_queue *queue, int64_t timeout_ns)
{
    return quoit_queue_push(queue, &(uint64_t){1}, sizeof(uint64_t), timeout_ns);
}

static quoit_status pop(quoit_queue *queue, int64_t timeout_ns)
{
    uint64_t value;
    return quoit_queue_pop(queue, &value, sizeof value, NULL, timeout_ns);
}

/* An error sets no sentence: the call may be in a signal handler, where the interrupted call has
   just set its own. */
static void wrong_handles(void)
{
    const char *name;
    char before[512];
    quoit_queue *queue = create(QUOIT_SPSC, &name), *observer;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
    CHECK(quoit_wait_any(NULL, 1, QUOIT_NOW) == QUOIT_ERROR_INVALID);
    (void)snprintf(before, sizeof before, "%s", quoit_describe(QUOIT_ERROR_INVALID));
    CHECK_STATUS_IS(quoit_queue_interrupt(NULL), ==, QUOIT_ERROR_INVALID);
    CHECK_STATUS_IS(quoit_queue_interrupt(observer), ==, QUOIT_ERROR_WRONG_ROLE);
    CHECK_STR(quoit_describe(QUOIT_ERROR_INVALID), before);
    quoit_queue_close(observer);
    remove_queue(queue, name);
}

/* Only a call that has to wait returns it, and each side does so once, however many interrupts came
   before. */
static void the_next_wait(void)
{
    for (int kind = QUOIT_SPSC; TEST_LOOP_TEXT(kind <= QUOIT_BROADCAST, 0, kind_names[kind]);
         kind++) {
        const char *name;
        quoit_queue *queue = create((uint32_t)kind, &name);
        const void *seen;
        void *room;
        size_t count;
        CHECK_STATUS(quoit_queue_interrupt(queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_interrupt(queue), QUOIT_OK);
        CHECK_STATUS(pop(queue, QUOIT_NOW), QUOIT_EMPTY);
        CHECK_STATUS(push(queue, QUOIT_FOREVER), QUOIT_OK); /* need not wait */
        while (push(queue, QUOIT_NOW) == QUOIT_OK)
            ;
        CHECK_STATUS(push(queue, QUOIT_FOREVER), QUOIT_INTERRUPTED);
        CHECK_STATUS(push(queue, moment), QUOIT_FULL);
        CHECK_STATUS(pop(queue, QUOIT_FOREVER), QUOIT_OK);
        while (pop(queue, QUOIT_NOW) == QUOIT_OK)
            ;
        CHECK_STATUS(pop(queue, QUOIT_FOREVER), QUOIT_INTERRUPTED);
        CHECK_STATUS(pop(queue, moment), QUOIT_EMPTY);
        CHECK_STATUS(quoit_queue_interrupt(queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_peek(queue, &seen, NULL, QUOIT_FOREVER), QUOIT_INTERRUPTED);
        CHECK_STATUS(quoit_queue_interrupt(queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop_many(queue, &(uint64_t[2]){0}, 8, 2, &count, QUOIT_FOREVER),
                     QUOIT_INTERRUPTED);
        CHECK_EQ(count, 0);
        while (push(queue, QUOIT_NOW) == QUOIT_OK)
            ;
        CHECK_STATUS(quoit_queue_claim(queue, 8, &room, QUOIT_FOREVER), QUOIT_INTERRUPTED);
        CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
        remove_queue(queue, name);
    }
}

/* quoit_wait_any uses up the interrupts of the sides that it waits on, and of no other. */
static void wait_any(void)
{
    const char *name, *other_name;
    quoit_queue *queue = create(QUOIT_SPSC, &name), *other = create(QUOIT_MPMC, &other_name);
    struct quoit_wait waits[] = {{other, QUOIT_ITEMS, 0}, {queue, QUOIT_ITEMS, 0}};
    CHECK_STATUS(quoit_queue_interrupt(queue), QUOIT_OK);
    CHECK_STATUS(quoit_wait_any(waits, 2, QUOIT_NOW), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_wait_any(waits, 2, QUOIT_FOREVER), QUOIT_INTERRUPTED);
    CHECK_EQ(waits[0].ready + waits[1].ready, 0);
    CHECK_STATUS(quoit_wait_any(waits, 2, moment), QUOIT_TIMEOUT);
    CHECK_STATUS(push(queue, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(push(queue, QUOIT_FOREVER), QUOIT_INTERRUPTED);
    remove_queue(other, other_name);
    remove_queue(queue, name);
}

/* ---- From another thread --------------------------------------------------------------------- */

struct waiting {
    quoit_queue *queue;
    uint32_t events; /* 0: a pop */
    quoit_status status;
    uint64_t flag_seen;
};
static uint64_t flag; /* not atomic: the interrupt publishes it */

static void wait_in_thread(void *argument)
{
    struct waiting *waiting = argument;
    struct quoit_wait wait = {waiting->queue, waiting->events, 0};
    waiting->status = waiting->events != 0 ? quoit_wait_any(&wait, 1, QUOIT_FOREVER)
                                           : pop(waiting->queue, QUOIT_FOREVER);
    waiting->flag_seen = flag;
}

static void from_another_thread(void)
{
    int64_t slice = quoit_wait_slice_ns;
    quoit_wait_slice_ns = INT64_C(36000000000000);
    for (int i = 0; TEST_LOOP(i < 60, 0, "round", i); i++) {
        const char *name;
        quoit_queue *queue = create((uint32_t)(i % 3), &name);
        struct waiting waiting = {.queue = queue, .events = i % 2 == 0 ? 0 : QUOIT_ITEMS};
        test_thread *thread = test_thread_start(wait_in_thread, &waiting);
        if (i % 4 < 2)
            test_sleep_ms(i % 8);
        else
            quoit_os_spin((uint32_t)(test_random() % 300000));
        flag = (uint64_t)i + 1;
        CHECK_STATUS(quoit_queue_interrupt(queue), QUOIT_OK);
        test_thread_join(thread);
        CHECK_STATUS_IS(waiting.status, ==, QUOIT_INTERRUPTED);
        CHECK_EQ(waiting.flag_seen, i + 1);
        remove_queue(queue, name);
    }
    quoit_wait_slice_ns = slice;
}

/* Two handles of one MPMC queue sleep on one word: the other one goes on waiting. */
static void another_handle_waits_on(void)
{
    const char *name;
    quoit_queue *queue = create(QUOIT_MPMC, &name), *other;
    CHECK_STATUS(quoit_queue_again(queue, QUOIT_CONSUMER, &other), QUOIT_OK);
    struct waiting waiting = {.queue = queue}, others = {.queue = other};
    test_thread *thread = test_thread_start(wait_in_thread, &waiting);
    test_thread *others_thread = test_thread_start(wait_in_thread, &others);
    test_sleep_ms(20);
    CHECK_STATUS(quoit_queue_interrupt(queue), QUOIT_OK);
    test_thread_join(thread);
    CHECK_STATUS_IS(waiting.status, ==, QUOIT_INTERRUPTED);
    test_sleep_ms(20);
    CHECK_STATUS(push(queue, QUOIT_NOW), QUOIT_OK);
    test_thread_join(others_thread);
    CHECK_STATUS_IS(others.status, ==, QUOIT_OK);
    quoit_queue_close(other);
    remove_queue(queue, name);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"wrong_handles", wrong_handles},
                                             {"the_next_wait", the_next_wait},
                                             {"wait_any", wait_any},
                                             {"from_another_thread", from_another_thread},
                                             {"another_handle_waits_on", another_handle_waits_on},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
