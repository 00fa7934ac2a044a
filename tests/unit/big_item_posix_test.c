/* SPDX-License-Identifier: MIT */
/*
 * No typed function copies a large item to the stack. Each function is called from a thread whose
 * stack is a quarter of the item. tests/CMakeLists.txt builds this test for several levels of
 * optimisation, with a warning for frames beyond 4 KiB. big_item_posix_test.cpp tests the same for
 * C++.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>

enum { ITEM_BYTES = 1024 * 1024, STACK_BYTES = 256 * 1024, MANY = 2 };

struct frame {
    uint8_t bytes[ITEM_BYTES];
};
QUOIT_DEFINE_QUEUE(frame, struct frame);

/* The smallest item that is not copied. */
struct above {
    uint8_t bytes[QUOIT_SPSC_LARGEST_IN_SLOTS + 1];
};
QUOIT_DEFINE_QUEUE(above, struct above);

static const int64_t soon_ns = 1000000;
static struct frame items[MANY], popped[MANY];

static void fill(quoit_queue *queue)
{
    items[0].bytes[ITEM_BYTES - 1] = 7;
    items[1].bytes[ITEM_BYTES - 1] = 8;
    CHECK_STATUS(frame_push((struct frame_queue){queue}, &items[0], QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(frame_push((struct frame_queue){queue}, &items[1], soon_ns), QUOIT_OK);
    CHECK_STATUS(frame_push((struct frame_queue){queue}, &items[0], QUOIT_NOW), QUOIT_FULL);
    CHECK_STATUS(frame_push((struct frame_queue){queue}, &items[0], soon_ns), QUOIT_FULL);
    CHECK_EQUAL(test_push_many(queue, items, MANY), 0);
}

static void drain(quoit_queue *queue)
{
    CHECK_STATUS(frame_pop((struct frame_queue){queue}, &popped[0], QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(frame_pop((struct frame_queue){queue}, &popped[1], soon_ns), QUOIT_OK);
    CHECK_EQUAL(popped[0].bytes[ITEM_BYTES - 1], 7);
    CHECK_EQUAL(popped[1].bytes[ITEM_BYTES - 1], 8);
    CHECK_STATUS(frame_pop((struct frame_queue){queue}, popped, QUOIT_NOW), QUOIT_EMPTY);
    CHECK_STATUS(frame_pop((struct frame_queue){queue}, popped, soon_ns), QUOIT_EMPTY);
    CHECK_EQUAL(test_pop_many(queue, popped, MANY), 0);
}

static void *of_kind(void *kind)
{
    const char *name = test_name("local:");
    struct quoit_queue_options options = {
        .kind = *(uint32_t *)kind, .item_bytes = sizeof(struct frame), .capacity = MANY};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    fill(queue);
    drain(queue);
    CHECK_EQUAL(test_push_many(queue, items, MANY), MANY);
    CHECK_EQUAL(test_pop_many(queue, popped, MANY), MANY);
    CHECK_EQUAL(popped[1].bytes[ITEM_BYTES - 1], 8);
    CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
    quoit_queue_close(queue);
    return NULL;
}

static void small_stack(void)
{
    static uint32_t kinds[] = {QUOIT_SPSC, QUOIT_MPMC, QUOIT_BROADCAST};
    pthread_attr_t attributes;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, &attributes, of_kind, &kinds[i]), 0);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
    }
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
}

/* Calls each function with items around the size limit. */
static void at_the_border(void)
{
    const char *name = test_name("local:");
    struct quoit_queue_options options = {.item_bytes = sizeof(struct above), .capacity = MANY};
    quoit_queue *queue;
    struct above in = {{1, 2, 3}}, out[MANY] = {{{0}}};
    in.bytes[sizeof in.bytes - 1] = 9;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    CHECK_STATUS(above_push((struct above_queue){queue}, &in, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(above_push((struct above_queue){queue}, &in, 0), QUOIT_OK);
    CHECK_STATUS(above_push((struct above_queue){queue}, &in, 0), QUOIT_FULL);
    CHECK_STATUS(above_pop((struct above_queue){queue}, &out[0], QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(above_pop((struct above_queue){queue}, &out[1], 0), QUOIT_OK);
    CHECK(memcmp(&out[0], &in, sizeof in) == 0 && memcmp(&out[1], &in, sizeof in) == 0);
    CHECK_STATUS(above_pop((struct above_queue){queue}, &out[1], 0), QUOIT_EMPTY);
    CHECK_EQUAL(test_push_many(queue, out, MANY), MANY);
    CHECK_EQUAL(test_pop_many(queue, out, MANY), MANY);
    CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"small_stack", small_stack}, {"at_the_border", at_the_border}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
