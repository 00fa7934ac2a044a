/* SPDX-License-Identifier: MIT */
/* Two threads and one local queue: with two handles, and as the two sides of one handle. For
   ThreadSanitizer. */
#include "test.h"

struct item {
    uint64_t number;
    uint64_t inverse;
};
QUOIT_DEFINE_QUEUE(item, struct item);

enum { ITEMS = 100000, BATCH = 7 };
static const struct quoit_queue_options options = {.item_bytes = sizeof(struct item),
                                                   .capacity = 5};

static void push_all(void *queue)
{
    for (uint64_t n = 0; n < ITEMS; n++) {
        struct item item = {n, ~n};
        while (item_push((struct item_queue){queue}, &item, QUOIT_NOW) == QUOIT_FULL)
            test_idle();
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
}

static void push_batches(void *queue)
{
    for (uint64_t n = 0; n < ITEMS;) {
        struct item items[BATCH];
        size_t count = ITEMS - n < BATCH ? (size_t)(ITEMS - n) : BATCH;
        for (uint64_t k = 0; k < count; k++)
            items[k] = (struct item){n + k, ~(n + k)};
        uint64_t pushed = test_push_many(queue, items, count);
        n += pushed;
        if (pushed == 0)
            test_idle();
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
}

static void pop_all(quoit_queue *queue)
{
    struct item item = {0, 0};
    uint64_t next = 0;
    quoit_status status;
    while ((status = item_pop((struct item_queue){queue}, &item, QUOIT_NOW)) != QUOIT_FINISHED) {
        if (status == QUOIT_EMPTY) {
            test_idle();
            continue;
        }
        CHECK_STATUS(status, QUOIT_OK);
        CHECK_EQ(item.number, next);
        CHECK_EQ(item.inverse, ~next);
        CHECK_LE(quoit_queue_size(queue), 5);
        next++;
    }
    CHECK_EQUAL(next, ITEMS);
}

static void run(void (*push)(void *), quoit_queue *producer, quoit_queue *consumer)
{
    test_thread *thread = test_thread_start(push, producer);
    pop_all(consumer);
    test_thread_join(thread);
}

static void two_handles(void)
{
    const char *name = test_name("local");
    quoit_queue *producer, *consumer;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &producer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &consumer), QUOIT_OK);
    run(push_all, producer, consumer);
    quoit_queue_close(producer);
    quoit_queue_close(consumer);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* ---- A handle for each thread, made from one ------------------------------------------------- */

enum { SIDE = 3, EACH = 5000 };
struct share {
    quoit_queue *queue;
    uint64_t sum;
};

static void push_share(void *argument)
{
    struct share *share = argument;
    struct item_queue items;
    CHECK_STATUS(item_from(share->queue, &items), QUOIT_OK);
    for (uint64_t n = 1; n <= EACH; n++) {
        struct item item = {n, ~n};
        CHECK_STATUS(item_push(items, &item, QUOIT_FOREVER), QUOIT_OK);
        share->sum += n;
    }
    CHECK_STATUS(quoit_queue_finish(share->queue), QUOIT_OK);
}

static void pop_share(void *argument)
{
    struct share *share = argument;
    struct item_queue items;
    struct item item;
    CHECK_STATUS(item_from(share->queue, &items), QUOIT_OK);
    while (item_pop(items, &item, QUOIT_FOREVER) == QUOIT_OK) {
        CHECK_EQ(item.inverse, ~item.number);
        share->sum += item.number;
    }
}

static void a_handle_for_each(void)
{
    const struct quoit_queue_options many = {
        .kind = QUOIT_MPMC, .item_bytes = sizeof(struct item), .capacity = 8, .finishes = SIDE};
    for (int scheme = 0; TEST_LOOP_TEXT(test_schemes[scheme], 0, test_schemes[scheme]); scheme++) {
        const char *name = test_name(test_schemes[scheme]);
        quoit_queue *first, *other;
        struct share shares[2 * SIDE] = {{NULL, 0}};
        test_thread *threads[2 * SIDE];
        uint64_t pushed = 0, popped = 0;
        CHECK_STATUS(quoit_queue_create(name, &many, QUOIT_OBSERVER, &first), QUOIT_OK);
        for (int i = 0; i < 2 * SIDE; i++)
            CHECK_STATUS(quoit_queue_again(first, i < SIDE ? QUOIT_PRODUCER : QUOIT_CONSUMER,
                                           &shares[i].queue),
                         QUOIT_OK);
        for (int i = 0; i < 2 * SIDE; i++)
            threads[i] = test_thread_start(i < SIDE ? push_share : pop_share, &shares[i]);
        for (int i = 0; i < 2 * SIDE; i++) {
            test_thread_join(threads[i]);
            *(i < SIDE ? &pushed : &popped) += shares[i].sum;
            quoit_queue_close(shares[i].queue);
        }
        CHECK_EQUAL(popped, pushed);
        CHECK_EQUAL(pushed, SIDE * (uint64_t)EACH * (EACH + 1) / 2);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        CHECK_STATUS(quoit_queue_again(first, QUOIT_CONSUMER, &other), QUOIT_ERROR_REMOVED);
        quoit_queue *successor;
        CHECK_STATUS(quoit_queue_create(name, &many, QUOIT_OBSERVER, &successor), QUOIT_OK);
        CHECK_STATUS(quoit_queue_again(first, QUOIT_CONSUMER, &other), QUOIT_ERROR_REMOVED);
        CHECK_EQ(other, NULL);
        quoit_queue_close(successor);
        quoit_queue_close(first);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

static void one_handle(void)
{
    const char *name = test_name("local");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    run(push_batches, queue, queue);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void open_and_close(void *name)
{
    for (uint64_t i = 0, most = test_effort(200, 200); i < most; i++) {
        quoit_queue *queue;
        quoit_status status = quoit_queue_join(name, &options, QUOIT_CONSUMER, &queue);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_ROLE_TAKEN);
        if (status == QUOIT_OK)
            quoit_queue_close(queue);
    }
}

/* Opening and closing in many threads, which use the table of local names and the list of
   handles. */
static void many_handles(void)
{
    enum { THREADS = 4 };
    test_thread *threads[THREADS];
    for (int scheme = 0; TEST_LOOP_TEXT(test_schemes[scheme], 0, test_schemes[scheme]); scheme++) {
        const char *name = test_name(test_schemes[scheme]);
        for (int i = 0; i < THREADS; i++) {
            union {
                const char *read;
                void *pass;
            } argument = {.read = name};
            threads[i] = test_thread_start(open_and_close, argument.pass);
        }
        for (int i = 0; i < THREADS; i++)
            test_thread_join(threads[i]);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"two_handles", two_handles},
                                             {"one_handle", one_handle},
                                             {"many_handles", many_handles},
                                             {"a_handle_for_each", a_handle_for_each},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
