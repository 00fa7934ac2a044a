/* SPDX-License-Identifier: MIT */
/* The file descriptor for event loops: readable while a call can make progress. No event is
   lost. */
#include "test.h"

#include "os.h"
#include "queue_handle.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);

static const struct quoit_queue_options options = {.item_bytes = sizeof(uint64_t), .capacity = 8};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, ITEMS = 100000 };

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    int found;
    do
        found = poll(&look, 1, timeout_ms);
    while (found < 0); /* a signal */
    return found == 1 && look.revents == POLLIN;
}

static int descriptor(quoit_queue *queue, uint32_t events)
{
    int fd, again;
    CHECK_STATUS(quoit_queue_poll_fd(queue, events, &fd), QUOIT_OK);
    CHECK_STATUS(quoit_queue_poll_fd(queue, events, &again), QUOIT_OK);
    CHECK_EQUAL((uint64_t)fd, (uint64_t)again);
    return fd;
}

static void levels_of(uint32_t kind)
{
    struct quoit_queue_options of_kind = options;
    const char *name = test_name("");
    quoit_queue *queue;
    uint64_t value = 3;
    int before = test_open_descriptors();
    of_kind.kind = kind;
    CHECK_STATUS(quoit_queue_create(name, &of_kind, BOTH, &queue), QUOIT_OK);
    int items = descriptor(queue, QUOIT_ITEMS), room = descriptor(queue, QUOIT_ROOM);
    CHECK(is_readable(room, 10000));
    CHECK(!is_readable(items, 50));
    CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    for (int i = 0; i < 3; i++)
        CHECK(is_readable(items, 10000)); /* a level, not an edge */
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    CHECK(is_readable(items, 0));
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_EMPTY);
    CHECK(!is_readable(items, 50));
    while (word_push((struct word_queue){queue}, &value, QUOIT_NOW) == QUOIT_OK)
        ;
    CHECK(is_readable(items, 10000));
    CHECK(!is_readable(room, 50));
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    CHECK(is_readable(room, 10000));
    CHECK_EQUAL(test_pop_many(queue, &(uint64_t[8]){0}, 8), 7);
    CHECK_EQUAL(test_pop_many(queue, &(uint64_t[8]){0}, 8), 0);
    CHECK(!is_readable(items, 50));
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    CHECK(is_readable(items, 10000));
    CHECK_STATUS(word_pop((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_FINISHED);
    CHECK(is_readable(items, 0));
    quoit_queue_close(queue);
    CHECK_EQUAL((uint64_t)test_open_descriptors(), (uint64_t)before);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* With several consumers, one still reads the last item: the others have neither items nor the
   end. */
static void the_end_of_many(void)
{
    const struct quoit_queue_options many = {.kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 4};
    const char *name = test_name("");
    quoit_queue *reader, *waiting;
    const void *seen;
    uint64_t value = 1;
    size_t count;
    CHECK_STATUS(quoit_queue_create(name, &many, QUOIT_PRODUCER | QUOIT_CONSUMER, &reader),
                 QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &waiting), QUOIT_OK);
    int items = descriptor(waiting, QUOIT_ITEMS);
    CHECK_STATUS(word_push((struct word_queue){reader}, &value, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_peek_many(reader, &seen, &count, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(reader), QUOIT_OK);
    CHECK_STATUS(word_pop((struct word_queue){waiting}, &value, QUOIT_NOW), QUOIT_EMPTY);
    CHECK(!is_readable(items, 50));
    CHECK_STATUS(quoit_queue_release(reader), QUOIT_OK);
    CHECK(is_readable(items, 10000));
    CHECK_STATUS(word_pop((struct word_queue){waiting}, &value, QUOIT_NOW), QUOIT_FINISHED);
    quoit_queue_close(waiting);
    quoit_queue_close(reader);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static void levels(void)
{
    levels_of(QUOIT_SPSC);
    levels_of(QUOIT_MPMC);
    levels_of(QUOIT_BROADCAST);
}

static void count_and_crash(char **arguments)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_PRODUCER, &queue), QUOIT_OK);
    (void)atomic_fetch_add(&queue->handle->view.ring.shm->finishes, 1);
    _Exit(0);
}

/* A producer is killed between the steps of quoit_queue_finish: it has counted itself, and not
   marked the end. Another producer lives on. Both sides' descriptors become readable, since the
   next call marks the end. */
static void half_a_finish(void)
{
    const struct quoit_queue_options many = {.kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 1};
    const char *name = test_name("");
    quoit_queue *consumer, *producer;
    uint64_t value = 1;
    CHECK_STATUS(quoit_queue_create(name, &many, QUOIT_PRODUCER, &producer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &consumer), QUOIT_OK);
    int room = descriptor(producer, QUOIT_ROOM), items = descriptor(consumer, QUOIT_ITEMS);
    CHECK(!is_readable(items, 20));
    while (word_push((struct word_queue){producer}, &value, QUOIT_NOW) == QUOIT_OK)
        ;
    CHECK(!is_readable(room, 20));
    while (word_pop((struct word_queue){consumer}, &value, QUOIT_NOW) == QUOIT_OK)
        ;
    while (word_push((struct word_queue){producer}, &value, QUOIT_NOW) == QUOIT_OK)
        ;
    while (word_pop((struct word_queue){consumer}, &value, QUOIT_NOW) == QUOIT_OK)
        ;
    CHECK_EQ(test_wait(test_spawn("count_and_crash", (const char *const[]){name, NULL})), 0);
    CHECK(is_readable(items, 10000));
    CHECK(is_readable(room, 10000));
    CHECK_STATUS(word_pop((struct word_queue){consumer}, &value, QUOIT_NOW), QUOIT_EMPTY);
    CHECK_STATUS(word_pop((struct word_queue){consumer}, &value, QUOIT_NOW), QUOIT_FINISHED);
    CHECK_STATUS(word_push((struct word_queue){producer}, &value, QUOIT_NOW), QUOIT_FINISHED);
    quoit_queue_close(consumer);
    quoit_queue_close(producer);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static void wrong_roles(void)
{
    const char *name = test_name("local");
    quoit_queue *queue;
    int fd;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_CONSUMER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_poll_fd(queue, QUOIT_ROOM, &fd), QUOIT_ERROR_WRONG_ROLE);
    CHECK_STATUS(quoit_queue_poll_fd(queue, QUOIT_CONSUMER, &fd), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_poll_fd(queue, QUOIT_ITEMS, NULL), QUOIT_ERROR_INVALID);
    CHECK_EQ(fd, -1);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static void produce(char **arguments)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_PRODUCER, &queue), QUOIT_OK);
    int room = descriptor(queue, QUOIT_ROOM);
    for (uint64_t i = 0; i < ITEMS;) {
        if (word_push((struct word_queue){queue}, &i, QUOIT_NOW) == QUOIT_OK)
            i++;
        else
            CHECK(is_readable(room, 60000));
        for (volatile uint64_t delay = i % 512 == 0 ? 50000 : 0; delay > 0; delay--)
            ;
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

/* Two event loops, each blocked in poll when it has nothing to do. A lost event would be a wait of
   a minute, which fails the test. */
static void event_loops(void)
{
    const char *name = test_name("");
    const char *const arguments[] = {name, NULL};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_CONSUMER, &queue), QUOIT_OK);
    test_process other = test_spawn("produce", arguments);
    int items = descriptor(queue, QUOIT_ITEMS);
    uint64_t next = 0, value = 0;
    for (;;) {
        quoit_status status = word_pop((struct word_queue){queue}, &value, QUOIT_NOW);
        if (status == QUOIT_FINISHED)
            break;
        if (status == QUOIT_EMPTY) {
            CHECK(is_readable(items, 60000));
            continue;
        }
        CHECK_STATUS(status, QUOIT_OK);
        CHECK_EQUAL(value, next++);
    }
    CHECK_EQUAL(next, ITEMS);
    CHECK_EQUAL(test_wait(other), 0);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* arguments: name, "push" or "pop" */
static void come_and_go(char **arguments)
{
    quoit_queue *queue;
    unsigned role = strcmp(arguments[1], "push") == 0 ? QUOIT_PRODUCER : QUOIT_CONSUMER;
    CHECK_STATUS(quoit_queue_open(arguments[0], role, &queue), QUOIT_OK);
    if (strcmp(arguments[2], "close") == 0)
        quoit_queue_close(queue);
    _Exit(0);
}

/* Readable after the other side has left, until a call has returned that; then not readable. */
static void abandoned_by(uint32_t kind, unsigned role, const char *how)
{
    struct quoit_queue_options of_kind = options;
    const char *name = test_name("");
    const char *const arguments[] = {name, role == QUOIT_CONSUMER ? "push" : "pop", how, NULL};
    bool pops = role == QUOIT_CONSUMER;
    quoit_queue *queue;
    uint64_t value = 1;
    of_kind.kind = kind;
    CHECK_STATUS(quoit_queue_create(name, &of_kind, role, &queue), QUOIT_OK);
    int fd = descriptor(queue, role == QUOIT_CONSUMER ? QUOIT_ITEMS : QUOIT_ROOM);
    while (!pops && word_push((struct word_queue){queue}, &value, QUOIT_NOW) == QUOIT_OK)
        ;
    for (int round = 0; round < 2; round++) {
        CHECK(!is_readable(fd, 120));
        (void)test_wait(test_spawn("come_and_go", arguments));
        CHECK(is_readable(fd, 10000));
        CHECK(is_readable(fd, 0)); /* a level: a call does not use it up */
        CHECK_STATUS(pops ? word_pop((struct word_queue){queue}, &value, QUOIT_NOW)
                          : word_push((struct word_queue){queue}, &value, QUOIT_NOW),
                     QUOIT_ABANDONED);
        CHECK(!is_readable(fd, 120));
        CHECK_STATUS(pops ? word_pop((struct word_queue){queue}, &value, QUOIT_NOW)
                          : word_push((struct word_queue){queue}, &value, QUOIT_NOW),
                     pops ? QUOIT_EMPTY : QUOIT_FULL);
    }
    /* A wait that finds nothing clears it as well. */
    (void)test_wait(test_spawn("come_and_go", arguments));
    CHECK(is_readable(fd, 10000));
    CHECK_STATUS(pops ? word_pop((struct word_queue){queue}, &value, QUOIT_FOREVER)
                      : word_push((struct word_queue){queue}, &value, QUOIT_FOREVER),
                 QUOIT_ABANDONED);
    CHECK(!is_readable(fd, 50));
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static void abandoned(void)
{
    static const char *const ways[] = {"close", "crash"};
    for (int way = 0; way < 2; way++) {
        abandoned_by(QUOIT_SPSC, QUOIT_CONSUMER, ways[way]);
        abandoned_by(QUOIT_SPSC, QUOIT_PRODUCER, ways[way]);
        abandoned_by(QUOIT_MPMC, QUOIT_CONSUMER, ways[way]);
        abandoned_by(QUOIT_MPMC, QUOIT_PRODUCER, ways[way]);
        abandoned_by(QUOIT_BROADCAST, QUOIT_CONSUMER, ways[way]);
    }
}

/* A pop's first store, and then the end. */
static void tear_a_pop(char **arguments)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_CONSUMER, &queue), QUOIT_OK);
    quoit_spsc_count_pop(queue->consumer.head, 1);
    _Exit(0);
}

/* The counters show a free slot, but the slot is still full. A push returns FULL until the next
   consumer releases the slot, and the descriptor is not readable until then. (readiness_test has
   similar cases for every ring.) */
static void torn_pop(void)
{
    const char *name = test_name("");
    quoit_queue *queue, *successor;
    uint64_t value = 1;
    int reported = 0, empty_calls = 0;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    int fd = descriptor(queue, QUOIT_ROOM);
    while (word_push((struct word_queue){queue}, &value, QUOIT_NOW) == QUOIT_OK)
        ;
    CHECK_EQUAL(test_wait(test_spawn("tear_a_pop", (const char *const[]){name, NULL})), 0);
    for (int i = 0; i < 5; i++)
        while (is_readable(fd, 60) && empty_calls < 100) {
            quoit_status status = word_push((struct word_queue){queue}, &value, QUOIT_NOW);
            reported += status == QUOIT_ABANDONED;
            empty_calls += status == QUOIT_FULL;
        }
    CHECK_EQUAL((uint64_t)reported, 1);
    CHECK_LE(empty_calls, 1);
    CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_FULL);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &successor), QUOIT_OK);
    CHECK(is_readable(fd, 10000));
    CHECK_STATUS(word_push((struct word_queue){queue}, &value, QUOIT_NOW), QUOIT_OK);
    quoit_queue_close(successor);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* ---- Descriptors and other threads' children ------------------------------------------------- */

static void count_descriptors(char **arguments)
{
    (void)arguments;
    exit(test_open_descriptors());
}

static _Atomic int polling;

static void make_descriptors(void *name)
{
    while (atomic_load(&polling)) {
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &queue), QUOIT_OK);
        (void)descriptor(queue, QUOIT_ITEMS);
        quoit_queue_close(queue);
    }
}

/* A program that starts at any point of another thread's poll_fd, open or close inherits no
   descriptor of these calls. Strict POSIX.1-2008 cannot guarantee that for poll_fd's pipe. */
static void children_inherit_nothing(void)
{
    enum { CHILDREN = 150 };
    const char *const none[] = {NULL};
    char name[64];
    quoit_queue *queue;
    if (test_plain_posix) {
        (void)printf("  left out: no pipe2\n");
        return;
    }
    int usual = test_wait(test_spawn("count_descriptors", none));
    (void)snprintf(name, sizeof name, "%s", test_name(""));
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    atomic_store(&polling, 1);
    test_thread *thread = test_thread_start(make_descriptors, name);
    int most = usual;
    for (int i = 0; i < CHILDREN; i++) {
        int count = test_wait(test_spawn("count_descriptors", none));
        most = count > most ? count : most;
    }
    atomic_store(&polling, 0);
    test_thread_join(thread);
    CHECK_EQUAL(most, usual);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"levels", levels},
                                             {"the_end_of_many", the_end_of_many},
                                             {"half_a_finish", half_a_finish},
                                             {"wrong_roles", wrong_roles},
                                             {"event_loops", event_loops},
                                             {"abandoned", abandoned},
                                             {"torn_pop", torn_pop},
                                             {"children_inherit_nothing", children_inherit_nothing},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"produce", produce},
                                             {"count_and_crash", count_and_crash},
                                             {"come_and_go", come_and_go},
                                             {"tear_a_pop", tear_a_pop},
                                             {"count_descriptors", count_descriptors},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
