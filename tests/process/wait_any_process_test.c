/* SPDX-License-Identifier: MIT */
/* quoit_wait_any on many queues that another process feeds: no item is missed, no wake is lost, and
   a crash shows. */
#include "test.h"

#include "os.h"
#include "queue_handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);

enum { MOST = 500 };
static const int64_t minute = INT64_C(60000000000), hours = INT64_C(36000000000000);

/* Of the library: from here on a wake that is lost is a wait that does not end. */
extern int64_t quoit_wait_slice_ns;

static quoit_queue *queues[MOST];
static char names[MOST][96];
static char prefix[64];

static const char *numbered(const char *base, int number)
{
    static char text[96];
    (void)snprintf(text, sizeof text, "%s.%d", base, number);
    return text;
}

static void open_all(const char *base, int count, uint32_t role)
{
    for (int i = 0; i < count; i++) {
        const struct quoit_queue_options options = {
            .kind = i % 4 == 3 ? QUOIT_MPMC : QUOIT_SPSC, .item_bytes = 8, .capacity = 4};
        CHECK_STATUS(quoit_queue_join(numbered(base, i), &options, role, &queues[i]), QUOIT_OK);
    }
}

static void begin(int count)
{
    (void)snprintf(prefix, sizeof prefix, "%s", test_name(""));
    for (int i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s", numbered(prefix, i));
        (void)test_remember(names[i]);
    }
    open_all(prefix, count, QUOIT_CONSUMER);
}

static void end(int count)
{
    for (int i = 0; i < count; i++) {
        quoit_queue_close(queues[i]);
        CHECK_STATUS(quoit_unlink(names[i], 0), test_after_close(names[i]));
    }
}

/* arguments: the names' beginning, how many queues, how many items, the seed of the feeder. Also
   waits for room on all of them at once. */
static void feed(char **arguments)
{
    int count = atoi(arguments[1]);
    uint64_t items = strtoull(arguments[2], NULL, 10), numbers[MOST] = {0};
    test_seed = strtoull(arguments[3], NULL, 10);
    open_all(arguments[0], count, QUOIT_PRODUCER);
    quoit_wait_slice_ns = hours;
    for (uint64_t i = 0; i < items; i++) {
        int at = (int)(test_random() % (uint64_t)count);
        struct quoit_wait wait = {queues[at], QUOIT_ROOM, 0};
        CHECK_STATUS(quoit_wait_any(&wait, 1, QUOIT_FOREVER), QUOIT_OK);
        CHECK_STATUS(word_push((struct word_queue){queues[at]}, &numbers[at], QUOIT_NOW), QUOIT_OK);
        numbers[at]++;
        if (test_random() % 16 == 0)
            test_sleep_ms(test_random() % 64 == 0);
        else
            quoit_os_spin((uint32_t)(test_random() % 4096));
    }
    for (int i = 0; i < count; i++) {
        CHECK_STATUS(quoit_queue_finish(queues[i]), QUOIT_OK);
        quoit_queue_close(queues[i]);
    }
}

static void fed_at_random(int count, uint64_t items)
{
    static struct quoit_wait waits[MOST];
    static int which[MOST];
    uint64_t next[MOST] = {0}, got = 0;
    char texts[3][24];
    int64_t slice = quoit_wait_slice_ns;
    int open = count;
    begin(count);
    (void)snprintf(texts[0], sizeof texts[0], "%d", count);
    (void)snprintf(texts[1], sizeof texts[1], "%llu", (unsigned long long)items);
    (void)snprintf(texts[2], sizeof texts[2], "%llu", (unsigned long long)test_random());
    test_process feeder = test_spawn(
        "feed", (const char *const[]){prefix, texts[0], texts[1], texts[2], NULL});
    quoit_wait_slice_ns = hours;
    for (int i = 0; i < count; i++) {
        waits[i] = (struct quoit_wait){queues[i], QUOIT_ITEMS, 0};
        which[i] = i;
    }
    while (open > 0) {
        CHECK_STATUS(quoit_wait_any(waits, (size_t)open, QUOIT_FOREVER), QUOIT_OK);
        for (int i = open - 1; i >= 0; i--) {
            uint64_t value = 0;
            if (waits[i].ready == 0)
                continue;
            quoit_status status = word_pop((struct word_queue){waits[i].queue}, &value, QUOIT_NOW);
            if (status == QUOIT_FINISHED) {
                open--;
                waits[i] = waits[open];
                which[i] = which[open];
                continue;
            }
            CHECK_STATUS(status, QUOIT_OK); /* ready without a reason is an error here */
            CHECK_EQ(value, next[which[i]]++);
            got++;
        }
    }
    CHECK_EQ(got, items);
    CHECK_EQ(test_wait(feeder), 0);
    end(count);
    quoit_wait_slice_ns = slice; /* the library's threads, which read it, have ended */
}

static void one_queue(void)
{
    fed_at_random(1, test_effort(5000, 1000000));
}

static void twenty_queues(void)
{
    fed_at_random(20, test_effort(20000, 4000000));
}

static void a_hundred_queues(void)
{
    fed_at_random(100, test_effort(20000, 10000000));
}

static void five_hundred_queues(void)
{
    fed_at_random(500, test_effort(10000, 2000000));
}

/* arguments: the names' beginning, how many. Pushes one item as usual, and another without waking
   the consumer. */
static void publish_and_stop(char **arguments)
{
    int count = atoi(arguments[1]);
    uint64_t value = 2;
    open_all(arguments[0], count, QUOIT_PRODUCER);
    test_sleep_ms(60);
    CHECK_STATUS(word_push((struct word_queue){queues[0]}, &value, QUOIT_NOW), QUOIT_OK);
    test_sleep_ms(60);
    struct quoit_ring_producer *producer = &queues[0]->handle->queue->producer;
    CHECK(quoit_spsc_put(producer, &value, sizeof value)); /* a push without its end */
    test_sleep_ms(60000);
}

static void killed_before_it_wakes(void)
{
    enum { COUNT = 3 };
    struct quoit_wait waits[COUNT];
    uint64_t value;
    begin(COUNT);
    for (int i = 0; i < COUNT; i++)
        waits[i] = (struct quoit_wait){queues[i], QUOIT_ITEMS, 0};
    test_process other = test_spawn("publish_and_stop", (const char *const[]){prefix, "3", NULL});
    for (int round = 0; round < 2; round++) {
        CHECK_STATUS(quoit_wait_any(waits, COUNT, minute), QUOIT_OK);
        CHECK_EQ(waits[0].ready, QUOIT_ITEMS);
        CHECK_STATUS(word_pop((struct word_queue){queues[0]}, &value, QUOIT_NOW), QUOIT_OK);
    }
    test_kill(other);
    CHECK_EQ(test_wait(other), TEST_KILLED);
    for (int reported = 0; reported < COUNT;) {
        CHECK_STATUS(quoit_wait_any(waits, COUNT, minute), QUOIT_OK);
        for (int i = 0; i < COUNT; i++)
            if (waits[i].ready != 0) {
                CHECK_STATUS(word_pop((struct word_queue){queues[i]}, &value, QUOIT_NOW),
                             QUOIT_ABANDONED);
                reported++;
            }
    }
    end(COUNT);
}

/* ---- As fast as a wait on one queue ---------------------------------------------------------- */

static void come_and_crash(char **arguments)
{
    open_all(arguments[0], atoi(arguments[1]), QUOIT_PRODUCER);
    _Exit(0);
}

static uint64_t sleeps_of(quoit_queue *queue)
{
    return atomic_load(&quoit_queue_own_entry(queue)->sleeps);
}

/* Elsewhere waits poll, or some of them. */
static bool has_futex(void)
{
    return !test_plain_posix && strcmp(test_schemes[0], "posix") == 0 && quoit_os_can_sleep_any();
}

/* The producers of all queues have crashed already. A pop finds that after one sleep. So does a
   wait on several queues, however many. */
static void crash_shows_after_one_sleep(void)
{
    static const int counts[] = {1, 3, 100};
    static struct quoit_wait waits[100];
    for (int k = 0; TEST_LOOP(k < 3, 0, "queues", counts[k]); k++) {
        char text[24];
        uint64_t value;
        begin(counts[k]);
        (void)snprintf(text, sizeof text, "%d", counts[k]);
        test_process other = test_spawn("come_and_crash",
                                        (const char *const[]){prefix, text, NULL});
        CHECK_EQ(test_wait(other), 0);
        quoit_queue *last = queues[counts[k] - 1];
        for (int i = 0; i < counts[k]; i++)
            waits[i] = (struct quoit_wait){queues[i], QUOIT_ITEMS, 0};
        CHECK_STATUS(quoit_wait_any(waits, (size_t)counts[k], minute), QUOIT_OK);
        CHECK_EQ(waits[counts[k] - 1].ready, QUOIT_ITEMS);
        if (has_futex()) /* a wait that polls sleeps for a millisecond, and asks less often */
            CHECK_EQ(sleeps_of(last), 1);
        CHECK_STATUS(word_pop((struct word_queue){last}, &value, QUOIT_NOW), QUOIT_ABANDONED);
        end(counts[k]);
    }
}

/* arguments: the names' beginning, the queue's number. Closes it while its consumer sleeps. */
static void close_during_sleep(char **arguments)
{
    quoit_queue *queue;
    CHECK_STATUS(
        quoit_queue_open(numbered(arguments[0], atoi(arguments[1])), QUOIT_PRODUCER, &queue),
        QUOIT_OK);
    while (atomic_load(queue->handle->consumer_waiter.sleepers) % 2 == 0)
        test_sleep_ms(1);
    quoit_queue_close(queue);
}

/* A close wakes the sleeper, which then asks whether a peer is left. Of the last queues, other
   threads do. */
static void close_ends_the_sleep(void)
{
    static const int counts[] = {2, 300};
    static struct quoit_wait waits[300];
    int64_t slice = quoit_wait_slice_ns;
    if (!has_futex()) {
        (void)printf(
            "  left out: a wait on several queues polls here, and does not sleep on each\n");
        return;
    }
    for (int k = 0; TEST_LOOP(k < 2, 0, "queues", counts[k]); k++) {
        char text[24];
        begin(counts[k]);
        (void)snprintf(text, sizeof text, "%d", counts[k] - 1);
        if (quoit_os_barrier_join())
            quoit_wait_slice_ns = hours; /* otherwise sleeps are short anyway */
        for (int i = 0; i < counts[k]; i++)
            waits[i] = (struct quoit_wait){queues[i], QUOIT_ITEMS, 0};
        test_process other = test_spawn("close_during_sleep",
                                        (const char *const[]){prefix, text, NULL});
        CHECK_STATUS(quoit_wait_any(waits, (size_t)counts[k], QUOIT_FOREVER), QUOIT_OK);
        CHECK_EQ(waits[counts[k] - 1].ready, QUOIT_ITEMS);
        CHECK_EQ(test_wait(other), 0);
        end(counts[k]);
        quoit_wait_slice_ns = slice;
    }
}

static const struct quoit_ring_ops *usual_ops;
static int polls;

static quoit_status poll_slowly(struct quoit_ring_consumer *consumer,
                                const struct quoit_ring_view *view)
{
    polls++;
    test_sleep_ms(1);
    return usual_ops->poll_items(consumer, view);
}

/* A round over the queues takes milliseconds here: then the spin ends after some of them. It would
   have 2000. */
static void spin_is_short(void)
{
    const struct quoit_queue_options options = {.kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 1};
    const char *name = test_name("local");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_CONSUMER, &queue), QUOIT_OK);
    struct quoit_ring_view *ring = &queue->handle->view.ring;
    struct quoit_ring_ops slow_ops = *ring->ops;
    usual_ops = ring->ops;
    slow_ops.poll_items = poll_slowly;
    ring->ops = &slow_ops;
    struct quoit_wait waits[] = {{queue, QUOIT_ITEMS, 0}, {queue, QUOIT_ITEMS, 0}};
    CHECK_STATUS(quoit_wait_any(waits, 2, 20000000), QUOIT_TIMEOUT);
    CHECK_LE(polls, 100);
    ring->ops = usual_ops;
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* arguments: the names' beginning, how many. */
static void wait_until_killed(char **arguments)
{
    struct quoit_wait waits[MOST];
    int count = atoi(arguments[1]);
    open_all(arguments[0], count, QUOIT_PRODUCER);
    for (int i = 0; i < count; i++) {
        waits[i] = (struct quoit_wait){queues[i], QUOIT_ROOM, 0};
        while (word_push((struct word_queue){queues[i]}, &(uint64_t){3}, QUOIT_NOW) == QUOIT_OK)
            ;
    }
    (void)quoit_wait_any(waits, (size_t)count, QUOIT_FOREVER);
    test_give_up();
}

/* The word of a waiter that was killed stays odd, and disturbs no process. */
static void killed_in_sleep(void)
{
    enum { COUNT = 3 };
    begin(COUNT);
    test_process other = test_spawn("wait_until_killed", (const char *const[]){prefix, "3", NULL});
    while (quoit_queue_size(queues[COUNT - 1]) < 4)
        test_sleep_ms(1);
    test_sleep_ms(20);
    test_kill(other);
    CHECK_EQ(test_wait(other), TEST_KILLED);
    for (int i = 0; i < COUNT; i++) {
        uint64_t value;
        for (int k = 0; k < 4; k++)
            CHECK_STATUS(word_pop((struct word_queue){queues[i]}, &value, minute), QUOIT_OK);
        CHECK_STATUS(word_pop((struct word_queue){queues[i]}, &value, minute), QUOIT_ABANDONED);
    }
    end(COUNT);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"one_queue", one_queue},
        {"twenty_queues", twenty_queues},
        {"a_hundred_queues", a_hundred_queues},
        {"five_hundred_queues", five_hundred_queues},
        {"killed_before_it_wakes", killed_before_it_wakes},
        {"killed_in_sleep", killed_in_sleep},
        {"crash_shows_after_one_sleep", crash_shows_after_one_sleep},
        {"close_ends_the_sleep", close_ends_the_sleep},
        {"spin_is_short", spin_is_short},
        {NULL, NULL}};
    static const struct test_role roles[] = {{"feed", feed},
                                             {"publish_and_stop", publish_and_stop},
                                             {"wait_until_killed", wait_until_killed},
                                             {"come_and_crash", come_and_crash},
                                             {"close_during_sleep", close_during_sleep},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
