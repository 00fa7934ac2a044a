/* SPDX-License-Identifier: MIT */
/* The lossy broadcast ring in plain memory, and the features that both layouts share: items in
   place, the end of the stream, a producer that takes over, sequences that no process writes. */
#include "broadcast_fixture.h"

/* ---- In place -------------------------------------------------------------------------------- */

static void claims(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, 5, sizeof(uint64_t), 0);
        const struct quoit_ring_view *view = &fixture->views[PRODUCER];
        void *items;
        uint64_t count, value = 7;
        subscribe(fixture, 1, false);
        CHECK(!view->ops->commit(&fixture->producer, view, 1, view->item_bytes));
        CHECK_STATUS(
            view->ops->claim(&fixture->producer, view, 3, view->item_bytes, &items, &count),
            QUOIT_OK);
        CHECK_EQUAL(count, kind == LOSSLESS ? 1 : 3);
        memcpy(items, &value, sizeof value);
        finds(fixture, 1, QUOIT_EMPTY);
        CHECK(!view->ops->commit(&fixture->producer, view, 4, view->item_bytes));
        CHECK(view->ops->commit(&fixture->producer, view, 1, view->item_bytes));
        pops(fixture, 1, 7, 1);
        CHECK_STATUS(
            view->ops->claim(&fixture->producer, view, 1, view->item_bytes, &items, &count),
            QUOIT_OK);
        memset(items, 0xee, sizeof value);
        pushes(fixture, 8, 1); /* the claim had no effect */
        pops(fixture, 1, 8, 1);
        CHECK_STATUS(
            view->ops->claim(&fixture->producer, view, 1, view->item_bytes, &items, &count),
            QUOIT_OK);
        CHECK(view->ops->commit(&fixture->producer, view, 0, view->item_bytes));
        finds(fixture, 1, QUOIT_EMPTY);
        tear_down(fixture);
    }
}

static uint64_t peeks(struct fixture *fixture, uint32_t member)
{
    const struct quoit_ring_view *view = &fixture->views[member];
    const void *items;
    uint64_t count = 1, value;
    CHECK_STATUS(view->ops->peek(&fixture->consumers[member], view, &items, &count, &(uint64_t){0}),
                 QUOIT_OK);
    CHECK_EQUAL(count, 1);
    memcpy(&value, items, sizeof value);
    return value;
}

static void peeking(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, 5, sizeof(uint64_t), 0);
        const struct quoit_ring_view *view = &fixture->views[1];
        struct quoit_ring_consumer *consumer = &fixture->consumers[1];
        subscribe(fixture, 1, false);
        CHECK(view->ops->release(consumer, view, 0));
        CHECK(!view->ops->release(consumer, view, 1));
        pushes(fixture, 10, 5);
        CHECK_EQUAL(peeks(fixture, 1), 10);
        CHECK_EQUAL(peeks(fixture, 1), 10);
        CHECK_STATUS(push(fixture, 15), kind == LOSSLESS ? QUOIT_FULL : QUOIT_OK);
        CHECK_EQUAL(peeks(fixture, 1), 10); /* although it is overwritten */
        CHECK(!view->ops->release(consumer, view, 2));
        CHECK(view->ops->release(consumer, view, 1));
        CHECK_EQUAL(peeks(fixture, 1), 11);
        pops(fixture, 1, 11, 1); /* a pop removes it */
        CHECK_EQUAL(missed_by(fixture, 1), 0);
        tear_down(fixture);
    }
}

/* ---- Lossy ----------------------------------------------------------------------------------- */

static void counts_what_it_missed(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++)
        for (int s = 0; TEST_LOOP(s < STARTS, 1, "start", starts[s]); s++) {
            uint64_t capacity = capacities[c], sent = 0, got = 0, last = 0, value;
            if (!fits(capacity, starts[s]))
                continue;
            struct fixture *fixture = set_up(LOSSY, capacity, sizeof(uint64_t), starts[s]);
            subscribe(fixture, 1, false);
            subscribe(fixture, 2, false); /* never does anything */
            fixture->crashed[2] = true;
            for (uint64_t round = 0; TEST_LOOP(round < 200, 2, "round", round); round++) {
                uint64_t count = round * round % (3 * capacity + 2), take = round * 7 % 5;
                pushes(fixture, sent + 1, count);
                sent += count;
                for (; take > 0 && pop(fixture, 1, &value) == QUOIT_OK; take--, got++) {
                    CHECK_GT(value, last);
                    CHECK_LE(value, sent);
                    CHECK_EQUAL(value, got + 1 + missed_by(fixture, 1));
                    last = value;
                }
            }
            test_finish(&fixture->producer, &fixture->views[PRODUCER]);
            CHECK_STATUS(push(fixture, 0), QUOIT_FINISHED);
            while (pop(fixture, 1, &value) == QUOIT_OK)
                got++;
            finds(fixture, 1, QUOIT_FINISHED);
            CHECK_EQUAL(got + missed_by(fixture, 1), sent);
            CHECK(capacity > 1 || missed_by(fixture, 1) > 0);
            CHECK_EQUAL(fixture->asked, 0);
            tear_down(fixture);
        }
}

/* ---- The end of the stream, and a new producer ----------------------------------------------- */

static void finished(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, 5, sizeof(uint64_t), 0);
        const struct quoit_ring_view *view = &fixture->views[PRODUCER];
        subscribe(fixture, 1, false);
        pushes(fixture, 0, 3);
        CHECK(!view->ops->is_finished(view));
        test_finish(&fixture->producer, view);
        CHECK(view->ops->is_finished(view));
        CHECK_STATUS(push(fixture, 9), QUOIT_FINISHED);
        CHECK_EQUAL(view->ops->push_many(&fixture->producer, view, &(uint64_t){9}, 1), 0);
        CHECK_STATUS(view->ops->attach_producer(&fixture->producer, view), QUOIT_OK);
        CHECK_STATUS(push(fixture, 9), QUOIT_FINISHED);
        pops(fixture, 1, 0, 3);
        finds(fixture, 1, QUOIT_FINISHED);
        subscribe(fixture, 2, true);
        pops(fixture, 2, 0, 3);
        finds(fixture, 2, QUOIT_FINISHED);
        subscribe(fixture, 3, false);
        finds(fixture, 3, QUOIT_FINISHED);
        tear_down(fixture);
    }
}

/* A batch of which some items are committed, none is counted, and the next is half written. */
static void takes_over(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (uint64_t committed = 0; TEST_LOOP(committed <= 4, 1, "committed", committed);
             committed++) {
            struct fixture *fixture = set_up(kind, 5, sizeof(uint64_t), 0);
            const struct quoit_ring_view *view = &fixture->views[PRODUCER];
            pushes(fixture, 0, 3);
            subscribe(fixture, 1, false);
            pushes(fixture, 3, committed);
            fixture->shm.tail = 3;
            uint8_t *slot = quoit_broadcast_slot(view, 3 + committed);
            if (kind == LOSSY)
                *quoit_broadcast_sequence(slot) = quoit_broadcast_torn(3 + committed);
            memset(slot + QUOIT_BROADCAST_SEQUENCE_BYTES, 0xee, sizeof(uint64_t));
            pops(fixture, 1, 3, committed);
            finds(fixture, 1, QUOIT_EMPTY);
            CHECK_STATUS(view->ops->check(view), QUOIT_OK);
            CHECK_STATUS(view->ops->attach_producer(&fixture->producer, view), QUOIT_OK);
            pushes(fixture, 3 + committed, 5);
            pops(fixture, 1, 3 + committed, 5);
            CHECK_EQUAL(fixture->shm.tail, 8 + committed);
            tear_down(fixture);
        }
}

/* ---- Damaged memory -------------------------------------------------------------------------- */

static void check_finds(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct fixture *fixture = set_up(kind, 5, sizeof(uint64_t), 0);
        const struct quoit_ring_view *view = &fixture->views[PRODUCER];
        pushes(fixture, 0, 7);
        for (uint64_t i = 0; i < 5; i++) {
            quoit_atomic_u64 *word = quoit_broadcast_sequence(quoit_broadcast_slot(view, i));
            uint64_t good = *word;
            const uint64_t bad[] = {0,          good + 2, good - 2,
                                    good + 100, ~good,    good + (kind ? 3 : 1)};
            for (size_t j = 0; TEST_LOOP(j < sizeof bad / sizeof bad[0], 1, "bad", j); j++) {
                *word = bad[j];
                CHECK_STATUS(view->ops->check(view), QUOIT_ERROR_CORRUPT);
            }
            *word = good;
        }
        fixture->shm.finished = 2;
        CHECK_STATUS(view->ops->check(view), QUOIT_ERROR_CORRUPT);
        fixture->shm.finished = 0;
        fixture->shm.tail += 6;
        CHECK_STATUS(view->ops->check(view), QUOIT_ERROR_CORRUPT);
        fixture->shm.tail -= 6;
        tear_down(fixture);
    }
}

/* Any values anywhere: each call returns. */
static void hostile(void)
{
    uint64_t random = 1;
    for (int round = 0; TEST_LOOP(round < 1000, 3, "round", round); round++) {
        struct fixture *fixture = set_up(round % KINDS, 5, sizeof(uint64_t), 0);
        const struct quoit_ring_view *view = &fixture->views[PRODUCER];
        subscribe(fixture, 1, false);
        subscribe(fixture, 2, false);
        uint64_t value, values[9] = {0};
        for (int step = 0; step < 20; step++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t word = random >> 20 & 1 ? random : random >> (random >> 58);
            quoit_atomic_u64 *const targets[] = {&fixture->shm.tail, &fixture->shm.retained_from,
                                                 &fixture->claim_records[1].subscriber,
                                                 quoit_broadcast_sequence(view->slots)};
            *targets[random >> 40 & 3] = word;
            fixture->shm.entries_used = (uint32_t)(random >> 30);
            (void)push(fixture, 1);
            (void)view->ops->push_many(&fixture->producer, view, values, 9);
            (void)pop(fixture, 1, &value);
            (void)view->ops->pop_many(&fixture->consumers[2], &fixture->views[2], values, 9);
            (void)size_for(fixture, (uint32_t)step % 3);
            (void)view->ops->has_items(&fixture->views[1]);
            (void)view->ops->has_room(view);
            (void)view->ops->check(view);
            fixture->views[3].from_oldest = step % 2;
            (void)view->ops->attach_consumer(&fixture->consumers[3], &fixture->views[3]);
            (void)view->ops->attach_producer(&fixture->producer, view);
        }
        view->ops->init(view, 0);
        tear_down(fixture);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"claim and commit", claims},
                                             {"peek and release", peeking},
                                             {"what is missed is counted", counts_what_it_missed},
                                             {"the end", finished},
                                             {"a producer takes over", takes_over},
                                             {"check finds impossible sequences", check_finds},
                                             {"sequences that no process writes", hostile},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
