/* SPDX-License-Identifier: MIT */
/* The lossless broadcast ring in plain memory: which subscriber sees which items, which one holds
   the producer back, and how they join and leave. tests/process/broadcast_process_test.c uses
   processes. */
#include "broadcast_fixture.h"

/* ---- Every subscriber sees every item -------------------------------------------------------- */

static void fill_and_drain_one(uint64_t capacity, uint64_t start)
{
    struct fixture *fixture = set_up(LOSSLESS, capacity, sizeof(uint64_t), start);
    for (uint32_t member = 1; member < 4; member++)
        subscribe(fixture, member, member % 2);
    for (uint64_t round = 0; TEST_LOOP(round < 12, 3, "round", round); round++) {
        for (uint64_t i = 0; i < capacity; i++) {
            CHECK_EQUAL(size_for(fixture, PRODUCER), i);
            CHECK_EQUAL(size_for(fixture, 2), i);
            CHECK(kinds[LOSSLESS]->has_room(&fixture->views[PRODUCER]));
            pushes(fixture, round * capacity + i, 1);
            CHECK(kinds[LOSSLESS]->has_items(&fixture->views[1]));
        }
        CHECK_STATUS(push(fixture, 99), QUOIT_FULL);
        CHECK(!kinds[LOSSLESS]->has_room(&fixture->views[PRODUCER]));
        CHECK_STATUS(kinds[LOSSLESS]->check(&fixture->views[0]), QUOIT_OK);
        for (uint32_t member = 1; member < 4; member++) {
            CHECK_STATUS(push(fixture, 99), QUOIT_FULL);
            pops(fixture, member, round * capacity, capacity);
            finds(fixture, member, QUOIT_EMPTY);
            CHECK(!kinds[LOSSLESS]->has_items(&fixture->views[member]));
        }
    }
    tear_down(fixture);
}

static void fill_and_drain(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++)
        for (int s = 0; TEST_LOOP(s < STARTS, 1, "start", starts[s]); s++)
            if (fits(capacities[c], starts[s]))
                fill_and_drain_one(capacities[c], starts[s]);
}

static void every_item_size(void)
{
    for (uint64_t bytes = 1; TEST_LOOP(bytes <= LARGEST_ITEM, 0, "bytes", bytes); bytes++) {
        int kind = (int)(bytes % KINDS);
        struct fixture *fixture = set_up(kind, 5, bytes, 0);
        subscribe(fixture, 1, false);
        subscribe(fixture, 2, false);
        for (uint64_t i = 0; i < 12; i++) {
            uint8_t in[LARGEST_ITEM], out[LARGEST_ITEM + 1];
            for (uint64_t k = 0; k < bytes; k++)
                in[k] = (uint8_t)(i + 7 * k);
            CHECK_STATUS(kinds[kind]->push(&fixture->producer, &fixture->views[0], in,
                                           fixture->views[0].item_bytes),
                         QUOIT_OK);
            for (uint32_t member = 1; member < 3; member++) {
                out[bytes] = guard_byte;
                CHECK_STATUS(kinds[kind]->pop(&fixture->consumers[member], &fixture->views[member],
                                              out, &(uint64_t){fixture->views[member].item_bytes}),
                             QUOIT_OK);
                CHECK_EQ(memcmp(in, out, (size_t)bytes), 0);
                CHECK_EQ(out[bytes], guard_byte);
            }
        }
        tear_down(fixture);
    }
}

static void batches(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++) {
        struct fixture *fixture = set_up(LOSSLESS, capacities[c], sizeof(uint64_t), 0);
        uint64_t values[2500], out[2500], capacity = capacities[c], next = 0;
        subscribe(fixture, 1, false);
        subscribe(fixture, 2, false);
        for (uint64_t round = 0; TEST_LOOP(round < 50, 1, "round", round); round++) {
            uint64_t count = round * 37 % 2500 + 1, fit = count < capacity ? count : capacity;
            for (uint64_t i = 0; i < count; i++)
                values[i] = next + i;
            CHECK_EQUAL(
                kinds[LOSSLESS]->push_many(&fixture->producer, &fixture->views[0], values, count),
                fit);
            for (uint32_t member = 1; member < 3; member++) {
                CHECK_EQUAL(kinds[LOSSLESS]->pop_many(&fixture->consumers[member],
                                                      &fixture->views[member], out, 2500),
                            fit);
                CHECK_EQ(memcmp(out, values, (size_t)fit * sizeof *out), 0);
            }
            next += fit;
        }
        tear_down(fixture);
    }
}

/* ---- Which subscriber holds the producer back ------------------------------------------------ */

static void slow_stopped_crashed(void)
{
    struct fixture *fixture = set_up(LOSSLESS, 5, sizeof(uint64_t), 0);
    for (uint32_t member = 1; member < 5; member++)
        subscribe(fixture, member, false);
    pushes(fixture, 0, 5);
    pops(fixture, 1, 0, 5);
    pops(fixture, 2, 0, 2);
    CHECK_STATUS(push(fixture, 5), QUOIT_FULL); /* two have popped nothing yet, and are alive */
    fixture->crashed[3] = true;
    CHECK_STATUS(push(fixture, 5), QUOIT_FULL);
    fixture->crashed[4] = true;
    pushes(fixture, 5, 2);
    unsigned asked = fixture->asked;
    CHECK_STATUS(push(fixture, 7), QUOIT_FULL); /* the slow one */
    CHECK_EQUAL(fixture->asked, asked + 1);
    pops(fixture, 2, 2, 5);
    pops(fixture, 1, 5, 2);
    asked = fixture->asked;
    for (uint64_t i = 7; i < 100;
         i++) { /* crashed subscribers were dropped: their liveness is not checked again */
        pushes(fixture, i, 1);
        pops(fixture, 1, i, 1);
        pops(fixture, 2, i, 1);
    }
    CHECK_EQUAL(fixture->asked, asked);
    tear_down(fixture);
}

static void spinning_asks_for_no_member(void)
{
    struct fixture *fixture = set_up(LOSSLESS, 5, sizeof(uint64_t), 0);
    subscribe(fixture, 1, false);
    pushes(fixture, 0, 5);
    fixture->crashed[1] = true;
    fixture->producer_state.spinning = true;
    CHECK_STATUS(push(fixture, 5), QUOIT_FULL);
    CHECK_EQUAL(fixture->asked, 0);
    fixture->producer_state.spinning = false;
    pushes(fixture, 5, 20);
    tear_down(fixture);
}

static void no_subscribers(void)
{
    struct fixture *fixture = set_up(LOSSLESS, 5, sizeof(uint64_t), 0);
    pushes(fixture, 0, 23);
    CHECK_EQUAL(size_for(fixture, PRODUCER), 0);
    subscribe(fixture, 1, false);
    finds(fixture, 1, QUOIT_EMPTY);
    pushes(fixture, 23, 5);
    CHECK_STATUS(push(fixture, 28), QUOIT_FULL);
    leave(fixture, 1);
    pushes(fixture, 28, 20);
    tear_down(fixture);
}

/* Entries have new holders, and the producer is among them. */
static void reused_entries(void)
{
    struct fixture *fixture = set_up(LOSSLESS, 5, sizeof(uint64_t), 0);
    for (uint32_t i = 0; i < 40; i++) {
        subscribe(fixture, 1 + i % 3, i % 2);
        fixture->crashed[1 + i % 3] = true;
        pushes(fixture, 10 * i, 3);
    }
    pushes(fixture, 0, 20);
    subscribe(fixture, 2, false);
    pushes(fixture, 0, 5);
    fixture->crashed[2] = true;
    const struct quoit_ring_view *view = &fixture->views[2];
    CHECK_STATUS(view->ops->attach_producer(&fixture->producer, view), QUOIT_OK);
    for (uint64_t i = 0; i < 20;
         i++) /* in the entry of the crashed subscriber, without a subscriber */
        CHECK_STATUS(view->ops->push(&fixture->producer, view, &i, view->item_bytes), QUOIT_OK);
    CHECK_EQUAL(size_for(fixture, 2), 0);
    tear_down(fixture);
}

/* A producer that read the record of a crashed subscriber, and drops it late, does not drop the
   subscriber that took the entry since. */
static void dropped_late(void)
{
    struct fixture *fixture = set_up(LOSSLESS, 5, sizeof(uint64_t), 0);
    subscribe(fixture, 1, false);
    uint64_t word = fixture->claim_records[1].subscriber;
    fixture->crashed[1] = true;
    subscribe(fixture, 1, true);
    CHECK_NE(fixture->claim_records[1].subscriber, word);
    CHECK_EQUAL(quoit_broadcast_lag(fixture->claim_records[1].subscriber, 0), 0);
    pushes(fixture, 0, 5);
    CHECK_STATUS(push(fixture, 5), QUOIT_FULL);
    tear_down(fixture);
}

static void producer_subscribes(void)
{
    struct fixture *fixture = set_up(LOSSLESS, 3, sizeof(uint64_t), 0);
    subscribe(fixture, PRODUCER, false);
    for (uint64_t round = 0; TEST_LOOP(round < 10, 3, "round", round); round++) {
        pushes(fixture, 3 * round, 3);
        CHECK_STATUS(push(fixture, 0), QUOIT_FULL);
        pops(fixture, PRODUCER, 3 * round, 3);
    }
    CHECK_EQUAL(fixture->asked, 0);
    tear_down(fixture);
}

/* ---- Joining --------------------------------------------------------------------------------- */

/* The items that are kept for a subscriber that starts with the oldest: all at first, later at
   least three quarters. */
static void from_oldest(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (int c = 0; TEST_LOOP(c < CAPACITIES, 1, "capacity", capacities[c]); c++)
            for (int s = 0; TEST_LOOP(s < STARTS, 2, "start", starts[s]); s++) {
                uint64_t capacity = capacities[c], value = 0, kept = 0, sent = 0;
                if (!fits(capacity, starts[s]))
                    continue;
                struct fixture *fixture = set_up(kind, capacity, sizeof(uint64_t), starts[s]);
                for (; sent < 3 * capacity; sent++) {
                    subscribe(fixture, 1, true);
                    for (kept = 0; pop(fixture, 1, &value) == QUOIT_OK; kept++)
                        CHECK(kept == 0 || value > 0);
                    CHECK(kept == 0 || value == sent - 1);
                    CHECK_EQUAL(missed_by(fixture, 1), 0);
                    uint64_t least = kind == LOSSY ? capacity : capacity - (capacity - 1) / 4;
                    CHECK_LE(kept, capacity);
                    CHECK_GE(kept, (sent < least ? sent : least));
                    leave(fixture, 1);
                    pushes(fixture, sent, 1);
                }
                tear_down(fixture);
            }
}

static void newest(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, 5, sizeof(uint64_t), 0);
        for (uint32_t i = 0; i < 30; i++) {
            uint32_t member = 1 + i % 4;
            subscribe(fixture, member, false);
            finds(fixture, member, QUOIT_EMPTY);
            pushes(fixture, i, 1);
            pops(fixture, member, i, 1);
            leave(fixture, member);
        }
        tear_down(fixture);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"all subscribers see all, in order, up to the capacity", fill_and_drain},
        {"every item size", every_item_size},
        {"batches", batches},
        {"slow and stopped subscribers hold back, crashed ones do not", slow_stopped_crashed},
        {"a producer that spins makes no liveness check", spinning_asks_for_no_member},
        {"without subscribers no producer waits", no_subscribers},
        {"entries are used again", reused_entries},
        {"a new subscriber is not taken for the crashed one", dropped_late},
        {"a producer that subscribes", producer_subscribes},
        {"from the oldest", from_oldest},
        {"from the newest", newest},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
