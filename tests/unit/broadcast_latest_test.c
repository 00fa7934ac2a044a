/* SPDX-License-Identifier: MIT */
/* The newest item of a broadcast, which stays in the queue: in plain memory, and through the API.
   tests/process/latest_test.c kills processes. */
#include "broadcast_fixture.h"

enum { LONGEST = 40, BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

/* ---- In plain memory ------------------------------------------------------------------------- */

static quoit_status latest(struct fixture *fixture, uint64_t *value_out)
{
    struct quoit_snapshot snapshot = {.buffer = (uint8_t *)value_out,
                                      .room_bytes = sizeof *value_out};
    quoit_status status = quoit_broadcast_latest(&fixture->views[MEMBERS - 1], &snapshot);
    CHECK(status != QUOIT_OK || snapshot.bytes == sizeof *value_out);
    return status;
}

static void is_latest(struct fixture *fixture, uint64_t expected)
{
    for (int times = 0; times < 2; times++) {
        uint64_t value = UINT64_MAX;
        CHECK_STATUS(latest(fixture, &value), QUOIT_OK);
        CHECK_EQ(value, expected);
    }
}

/* The newest item is found after any subscriber has popped it, and also if the ring is full. */
static void again_and_again(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (int c = 0; TEST_LOOP(c < CAPACITIES, 1, "capacity", capacities[c]); c++)
            for (int s = 0; TEST_LOOP(s < STARTS, 2, "start", starts[s]); s++) {
                uint64_t capacity = capacities[c], value, last = 0;
                if (!fits(capacity, starts[s]))
                    continue;
                struct fixture *fixture = set_up(kind, capacity, sizeof(uint64_t), starts[s]);
                CHECK_STATUS(latest(fixture, &value), QUOIT_EMPTY);
                subscribe(fixture, 1, false);
                CHECK_STATUS(latest(fixture, &value), QUOIT_EMPTY);
                for (uint64_t round = 0; round < 3; round++) {
                    for (uint64_t i = 0; i < capacity; i++) {
                        pushes(fixture, ++last, 1);
                        is_latest(fixture, last);
                    }
                    CHECK_STATUS(push(fixture, last + (kind == LOSSY)),
                                 kind == LOSSY ? QUOIT_OK : QUOIT_FULL);
                    last += kind == LOSSY;
                    is_latest(fixture, last);
                    while (pop(fixture, 1, &value) == QUOIT_OK)
                        is_latest(fixture, last);
                    CHECK_EQ(value, last);
                }
                test_finish(&fixture->producer, &fixture->views[0]);
                is_latest(fixture, last);
                tear_down(fixture);
            }
}

/* The producer crashed in the middle of the next item, and its successor did too. */
static void while_the_next_is_written(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (int c = 0; TEST_LOOP(c < CAPACITIES, 1, "capacity", capacities[c]); c++) {
            struct fixture *fixture = set_up(kind, capacities[c], sizeof(uint64_t), 0);
            const struct quoit_ring_view *view = &fixture->views[PRODUCER];
            for (uint64_t i = 1; i < 2 * capacities[c] + 3; i++) {
                void *room;
                uint64_t count;
                pushes(fixture, i, 1);
                uint8_t *slot = quoit_broadcast_slot(view, i);
                CHECK_STATUS(
                    view->ops->claim(&fixture->producer, view, 1, view->item_bytes, &room, &count),
                    QUOIT_OK);
                if (kind == LOSSY)
                    *quoit_broadcast_sequence(slot) = quoit_broadcast_torn(i);
                memset(slot + QUOIT_BROADCAST_SEQUENCE_BYTES, 0xee, sizeof(uint64_t));
                is_latest(fixture, i);
                CHECK_STATUS(view->ops->attach_producer(&fixture->producer, view), QUOIT_OK);
                is_latest(fixture, i);
            }
            tear_down(fixture);
        }
}

/* A batch of which some items are committed, but none is counted yet. */
static void committed_and_not_counted(void)
{
    enum { CAPACITY = 1000, MOST = 250 };
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, CAPACITY, sizeof(uint64_t), 0);
        for (uint64_t tail = 0; TEST_LOOP(tail <= 3 * CAPACITY, 1, "tail", tail); tail += 300) {
            pushes(fixture, tail + 1, 300);
            for (uint64_t back = 0; TEST_LOOP(back <= MOST, 2, "back", back); back++) {
                fixture->shm.tail = tail + 300 - back;
                is_latest(fixture, tail + 300);
            }
            fixture->shm.tail = tail + 300;
        }
        tear_down(fixture);
    }
}

/* The producer has continued since the tail was read: the slot has a newer item, or is being
   written. */
static void overtaken(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, 1, sizeof(uint64_t), 0);
        const struct quoit_ring_view *view = &fixture->views[PRODUCER];
        uint64_t value;
        pushes(fixture, 1, 8);
        fixture->shm.tail = 1;
        CHECK_STATUS(latest(fixture, &value), QUOIT_OK);
        CHECK(value == 7 || value == 8);
        *quoit_broadcast_sequence(quoit_broadcast_slot(view, 0)) = quoit_broadcast_torn(2);
        *quoit_broadcast_sequence(quoit_broadcast_slot(view, 1)) = quoit_broadcast_torn(3);
        CHECK_STATUS_IS(latest(fixture, &value), ==, QUOIT_ERROR_BUSY);
        view->ops->init(view, 0);
        tear_down(fixture);
    }
}

/* A lossless producer may be about to write the slot again, although its sequence is the old
   one. */
static void below_the_floor(void)
{
    struct fixture *fixture = set_up(LOSSLESS, 1, sizeof(uint64_t), 0);
    uint64_t value;
    pushes(fixture, 1, 5);
    is_latest(fixture, 5);
    fixture->shm.retained_from = 5;
    is_latest(fixture, 5);
    fixture->shm.retained_from = 6;
    CHECK_STATUS_IS(latest(fixture, &value), ==, QUOIT_ERROR_BUSY);
    fixture->shm.retained_from = 5;
    tear_down(fixture);
}

static void damage(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, 5, sizeof(uint64_t), 0);
        uint64_t value;
        pushes(fixture, 1, 7);
        fixture->shm.tail += 20;
        CHECK_STATUS(latest(fixture, &value), QUOIT_ERROR_CORRUPT);
        fixture->shm.tail -= 20;
        is_latest(fixture, 7);
        tear_down(fixture);
    }
}

/* The capacity is exact: items in the slot beyond it count as missed. */
static void capacity_is_exact(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++) {
        uint64_t capacity = capacities[c], value = 0, got = 0;
        struct fixture *fixture = set_up(LOSSY, capacity, sizeof(uint64_t), 0);
        subscribe(fixture, 1, false);
        pushes(fixture, 1, capacity);
        pops(fixture, 1, 1, 1);
        CHECK_EQ(missed_by(fixture, 1), 0);
        pushes(fixture, capacity + 1, capacity);
        while (pop(fixture, 1, &value) == QUOIT_OK)
            got++;
        CHECK_EQ(value, 2 * capacity);
        CHECK_LE(got, capacity);
        CHECK_EQ(got + missed_by(fixture, 1), 2 * capacity - 1);
        tear_down(fixture);
    }
}

/* ---- Through the API ------------------------------------------------------------------------- */

static quoit_queue *make(const char *name, const struct quoit_queue_options *options)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, options, BOTH, &queue), QUOIT_OK);
    return queue;
}

static void end(const char *name, quoit_queue *queue)
{
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

struct sample {
    uint64_t number, inverse;
};
QUOIT_DEFINE_QUEUE(sample, struct sample);

static void any_handle(void)
{
    for (uint32_t when_full = 0; TEST_LOOP(when_full < 2, 0, "when_full", when_full); when_full++) {
        const char *name = test_name("");
        struct quoit_queue_options options = sample_options(1);
        options.kind = QUOIT_BROADCAST;
        options.when_full = when_full;
        quoit_queue *producer = make(name, &options), *observer;
        struct sample_queue typed;
        struct sample sample = {7, ~UINT64_C(7)};
        size_t bytes = 9;
        CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &observer), QUOIT_OK);
        CHECK_STATUS(sample_from(observer, &typed), QUOIT_OK);
        CHECK_STATUS(sample_latest(typed, &sample), QUOIT_EMPTY);
        CHECK_STATUS(quoit_queue_latest(observer, &sample, sizeof sample, &bytes), QUOIT_EMPTY);
        CHECK_EQ(bytes, 0);
        CHECK_STATUS(quoit_queue_push(producer, &sample, sizeof sample, QUOIT_NOW), QUOIT_OK);
        quoit_queue *const handles[] = {producer, observer};
        for (int i = 0; i < 2; i++) {
            sample = (struct sample){0};
            CHECK_STATUS(quoit_queue_latest(handles[i], &sample, sizeof sample, &bytes), QUOIT_OK);
            CHECK_EQ(bytes, sizeof sample);
            CHECK_EQ(sample.number, 7);
            CHECK_EQ(sample.inverse, ~UINT64_C(7));
        }
        CHECK_STATUS(sample_latest(typed, &sample), QUOIT_OK);
        CHECK_EQ(quoit_queue_size(producer), 1);
        CHECK_STATUS(quoit_queue_pop(producer, &sample, sizeof sample, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_finish(producer), QUOIT_OK);
        CHECK_STATUS(quoit_queue_latest(observer, &sample, sizeof sample, NULL), QUOIT_OK);
        CHECK_EQ(sample.number, 7);
        quoit_queue_close(observer);
        end(name, producer);
    }
}

static void wrong_calls(void)
{
    struct sample sample = {0};
    size_t bytes = 9;
    CHECK_STATUS(quoit_queue_latest(NULL, &sample, sizeof sample, &bytes), QUOIT_ERROR_INVALID);
    CHECK_EQ(bytes, 0);
    for (uint32_t kind = 0; TEST_LOOP(kind <= QUOIT_BROADCAST, 0, "kind", kind); kind++)
        for (uint32_t messages = 0; TEST_LOOP(messages < 2, 1, "messages", messages); messages++) {
            const char *name = test_name("");
            quoit_queue *queue = make(name,
                                      &(struct quoit_queue_options){.kind = kind,
                                                                    .item_bytes = sizeof sample,
                                                                    .capacity = 5,
                                                                    .messages = messages});
            CHECK_STATUS(quoit_queue_push(queue, &sample, sizeof sample, QUOIT_NOW), QUOIT_OK);
            bool has_one = kind == QUOIT_BROADCAST;
            CHECK_STATUS(quoit_queue_latest(queue, &sample, sizeof sample, &bytes),
                         has_one ? QUOIT_OK : QUOIT_ERROR_UNSUPPORTED);
            CHECK(has_one || strstr(test_sentence(), "QUOIT_BROADCAST"));
            CHECK_STATUS(quoit_queue_latest(queue, &sample, sizeof sample - 1, &bytes),
                         has_one ? QUOIT_ERROR_TOO_BIG : QUOIT_ERROR_UNSUPPORTED);
            CHECK_EQ(bytes, has_one ? sizeof sample : 0);
            CHECK_STATUS(quoit_queue_latest(queue, NULL, sizeof sample, &bytes),
                         has_one ? QUOIT_ERROR_INVALID : QUOIT_ERROR_UNSUPPORTED);
            CHECK_STATUS(quoit_queue_latest(queue, NULL, 0, &bytes),
                         has_one ? QUOIT_ERROR_TOO_BIG : QUOIT_ERROR_UNSUPPORTED);
            end(name, queue);
        }
}

/* Each item has the length with which it was pushed. Nothing after its end is written. */
static void messages(void)
{
    for (uint32_t when_full = 0; TEST_LOOP(when_full < 2, 0, "when_full", when_full); when_full++) {
        const char *name = test_name("");
        quoit_queue *queue = make(name, &(struct quoit_queue_options){.kind = QUOIT_BROADCAST,
                                                                      .when_full = when_full,
                                                                      .item_bytes = LONGEST,
                                                                      .capacity = 2,
                                                                      .messages = 1});
        for (size_t i = 0; TEST_LOOP(i < 3 * LONGEST, 1, "message", i); i++) {
            uint8_t sent[LONGEST], seen[LONGEST + 1];
            size_t bytes = i * 7 % (LONGEST + 1), seen_bytes;
            memset(sent, (int)i, sizeof sent);
            memset(seen, guard_byte, sizeof seen);
            CHECK_STATUS(quoit_queue_push(queue, sent, bytes, QUOIT_NOW), QUOIT_OK);
            CHECK_STATUS(quoit_queue_latest(queue, seen, bytes, &seen_bytes), QUOIT_OK);
            CHECK_EQ(seen_bytes, bytes);
            CHECK_EQ(memcmp(seen, sent, bytes), 0);
            CHECK_EQ(seen[bytes], guard_byte);
            CHECK_STATUS(quoit_queue_pop(queue, seen, LONGEST, &seen_bytes, QUOIT_NOW), QUOIT_OK);
            CHECK_EQ(seen_bytes, bytes);
        }
        end(name, queue);
    }
}

/* ---- While a thread pushes ------------------------------------------------------------------- */

enum { WORDS = 7, PUSHES = 20000 };

static void push_all(void *argument)
{
    quoit_queue *queue = argument;
    for (uint64_t i = 1; i <= PUSHES; i++) {
        uint64_t item[WORDS];
        for (uint64_t k = 0; k < WORDS; k++)
            item[k] = i * (2 * k + 1);
        CHECK_STATUS(quoit_queue_push(queue, item, sizeof item, QUOIT_NOW), QUOIT_OK);
    }
}

/* The copy is complete, never older than the previous one, and the last item at the end. Lossy: a
   lossless producer writes by memcpy, which ThreadSanitizer reports when another thread reads
   atomically. */
static void beside_a_producer(void)
{
    const char *name = test_name("");
    quoit_queue *queue = make(name, &(struct quoit_queue_options){.kind = QUOIT_BROADCAST,
                                                                  .when_full = QUOIT_DROP_OLDEST,
                                                                  .item_bytes = 8 * WORDS,
                                                                  .capacity = 1});
    test_thread *thread = test_thread_start(push_all, queue);
    for (uint64_t last = 0; last < PUSHES;) {
        uint64_t item[WORDS];
        quoit_status status = quoit_queue_latest(queue, item, sizeof item, NULL);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_EMPTY, QUOIT_ERROR_BUSY);
        CHECK(status != QUOIT_EMPTY || last == 0);
        if (status != QUOIT_OK)
            continue;
        CHECK_GE(item[0], last);
        last = item[0];
        for (uint64_t k = 0; k < WORDS; k++)
            CHECK_EQ(item[k], last * (2 * k + 1));
    }
    test_thread_join(thread);
    end(name, queue);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"the newest item, again and again", again_and_again},
        {"while the next one is written", while_the_next_is_written},
        {"committed, and not counted", committed_and_not_counted},
        {"overtaken by the producer", overtaken},
        {"a slot that may be written again", below_the_floor},
        {"a tail that no process stores", damage},
        {"the capacity is exact", capacity_is_exact},
        {"any handle", any_handle},
        {"wrong calls", wrong_calls},
        {"messages", messages},
        {"beside a producer", beside_a_producer},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
