/* SPDX-License-Identifier: MIT */
/* The MPMC ring with live members, its end, and its memory damaged. Crashes:
   mpmc_crashes_test.c. */
#include "mpmc_fixture.h"

static void fill_and_drain(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++)
        for (int s = 0; TEST_LOOP(s < STARTS, 1, "start", starts[s]); s++) {
            struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), starts[s]);
            uint64_t value, next_in = 0, next_out = 0;
            for (uint32_t round = 0; TEST_LOOP(round < 12, 2, "round", round); round++) {
                for (uint64_t i = 0; i < capacities[c]; i++) {
                    CHECK_EQUAL(size_of(fixture), i);
                    CHECK(quoit_mpmc.has_room(&fixture->views[0]));
                    CHECK_STATUS(push(fixture, (uint32_t)i % MEMBERS, next_in++), QUOIT_OK);
                    CHECK(quoit_mpmc.has_items(&fixture->views[1]));
                }
                CHECK_STATUS(push(fixture, round % MEMBERS, 99), QUOIT_FULL);
                CHECK(!quoit_mpmc.has_room(&fixture->views[0]));
                CHECK_STATUS(quoit_mpmc.check(&fixture->views[0]), QUOIT_OK);
                for (uint64_t i = 0; i < capacities[c]; i++)
                    pops(fixture, (uint32_t)(i + round) % MEMBERS, next_out++);
                CHECK_STATUS(pop(fixture, round % MEMBERS, &value), QUOIT_EMPTY);
                CHECK(!quoit_mpmc.has_items(&fixture->views[0]));
            }
            tear_down(fixture);
        }
}

static void every_item_size(void)
{
    for (uint64_t bytes = 1; TEST_LOOP(bytes <= LARGEST_ITEM, 0, "bytes", bytes); bytes++) {
        uint8_t in[5][LARGEST_ITEM], out[LARGEST_ITEM];
        struct fixture *fixture = set_up(5, bytes, 0);
        for (int round = 0; TEST_LOOP(round < 3, 1, "round", round); round++) {
            for (int i = 0; i < 5; i++) {
                for (uint64_t k = 0; k < bytes; k++)
                    in[i][k] = (uint8_t)((uint64_t)(round + 3 * i) + 7 * k);
                CHECK_STATUS(quoit_mpmc.push(&fixture->producers[i], &fixture->views[i], in[i],
                                             fixture->views[i].item_bytes),
                             QUOIT_OK);
            }
            for (int i = 0; i < 5; i++) {
                CHECK_STATUS(quoit_mpmc.pop(&fixture->consumers[0], &fixture->views[0], out,
                                            &(uint64_t){fixture->views[0].item_bytes}),
                             QUOIT_OK);
                CHECK_EQ(memcmp(in[i], out, (size_t)bytes), 0);
            }
        }
        tear_down(fixture);
    }
}

static void batches(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++) {
        struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), starts[c % STARTS]);
        uint64_t values[2500], out[2500], capacity = capacities[c], next = 0, expected = 0;
        for (uint64_t round = 0; TEST_LOOP(round < 50, 1, "round", round); round++) {
            uint64_t count = round * 37 % 2500 + 1, fits = count < capacity ? count : capacity;
            for (uint64_t i = 0; i < count; i++)
                values[i] = next + i;
            uint32_t who = (uint32_t)round % MEMBERS, other = (who + 1) % MEMBERS;
            CHECK_EQUAL(
                quoit_mpmc.push_many(&fixture->producers[who], &fixture->views[who], values, count),
                fits);
            next += fits;
            uint64_t got = quoit_mpmc.pop_many(&fixture->consumers[other], &fixture->views[other],
                                               out, round % 3 ? 2500 : fits / 2 + 1);
            got += quoit_mpmc.pop_many(&fixture->consumers[who], &fixture->views[who], out + got,
                                       2500 - got);
            CHECK_EQUAL(got, fits);
            for (uint64_t i = 0; i < got; i++)
                CHECK_EQUAL(out[i], expected++);
        }
        tear_down(fixture);
    }
}

static void in_place(void)
{
    struct fixture *fixture = set_up(3, sizeof(uint64_t), 0);
    struct quoit_ring_producer *producer = &fixture->producers[0];
    struct quoit_ring_consumer *consumer = &fixture->consumers[0];
    const struct quoit_ring_view *view = &fixture->views[0];
    uint64_t value;
    claims_one(fixture, 0);
    claims_one(fixture, 0); /* the same */
    CHECK_STATUS(push(fixture, 1, 2), QUOIT_OK);
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY); /* claimed items come first */
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);        /* in its order */
    CHECK(!quoit_mpmc.commit(producer, view, 1, view->item_bytes));
    CHECK(quoit_mpmc.commit(producer, view, 0, view->item_bytes));
    CHECK_EQUAL(peeks(fixture, 0), 1);
    CHECK_EQUAL(peeks(fixture, 0), 1);
    CHECK_STATUS(push(fixture, 1, 3), QUOIT_OK);
    CHECK_STATUS(push(fixture, 1, 4), QUOIT_FULL); /* while it is peeked at */
    pops(fixture, 1, 2);
    pops(fixture, 0, 1); /* the item it peeks at */
    CHECK(!quoit_mpmc.release(consumer, view, 1));
    CHECK_EQUAL(peeks(fixture, 0), 3);
    CHECK(quoit_mpmc.release(consumer, view, 1));
    claims_one(fixture, 0);
    CHECK(quoit_mpmc.commit(producer, view, 0,
                            view->item_bytes)); /* released: other consumers skip it */
    CHECK_STATUS(push(fixture, 1, 5), QUOIT_OK);
    pops(fixture, 0, 5);
    whole_again(fixture);
    tear_down(fixture);
}

static void the_end(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++) {
        struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), 0);
        uint64_t value;
        for (uint64_t i = 0; i < capacities[c]; i++)
            CHECK_STATUS(push(fixture, 0, i), QUOIT_OK);
        CHECK_EQUAL(peeks(fixture, 1), 0);
        quoit_mpmc.end(&fixture->views[2]);
        CHECK(quoit_mpmc.is_finished(&fixture->views[0]));
        CHECK_STATUS(push(fixture, 0, 9), QUOIT_FINISHED);
        CHECK_STATUS(quoit_mpmc.poll_room(&fixture->producers[0], &fixture->views[0]),
                     QUOIT_FINISHED);
        for (uint64_t i = 1; i < capacities[c]; i++)
            pops(fixture, 0, i);
        CHECK_STATUS(pop(fixture, 0, &value), QUOIT_EMPTY); /* one may still come back */
        CHECK(quoit_mpmc.release(&fixture->consumers[1], &fixture->views[1], 1));
        CHECK_STATUS(pop(fixture, 0, &value), QUOIT_FINISHED);
        CHECK_STATUS(push(fixture, 3, 9), QUOIT_FINISHED);
        CHECK_STATUS(quoit_mpmc.check(&fixture->views[0]), QUOIT_OK);
        tear_down(fixture);
    }
}

/* Random values in all shared words: no call faults, hangs, or leaves the slots. */
static void spoiled_words(void)
{
    uint64_t state = 12345, value;
    for (int round = 0; TEST_LOOP(round < 3000, 3, "round", round); round++) {
        struct fixture *fixture = set_up(capacities[round % 5], sizeof(uint64_t), 0);
        for (int i = 0; i < 30; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint64_t word = state >> (state >> 58), where = state >> 33;
            uint32_t member = (uint32_t)(state >> 20) % MEMBERS;
            uint8_t *slots = fixture->memory + GUARD;
            if (where % 4 == 0)
                memcpy(slots + where / 4 % (fixture->slots_bytes / 8) * 8, &word, 8);
            else if (where % 4 == 1)
                memcpy((uint8_t *)&fixture->shm + where / 4 % 48 * 8, &word, 8);
            else if (where % 4 == 2)
                memcpy((uint8_t *)fixture->claim_records + where / 4 % (MEMBERS * 16) * 8, &word,
                       8);
            (void)push(fixture, member, word);
            (void)pop(fixture, (member + 1) % MEMBERS, &value);
            (void)quoit_mpmc.has_items(&fixture->views[0]);
            (void)quoit_mpmc.has_room(&fixture->views[0]);
            (void)quoit_mpmc.check(&fixture->views[0]);
            CHECK_LE(size_of(fixture), fixture->views[0].capacity);
        }
        free(fixture->memory);
        free(fixture);
    }
}

/* Faults that check finds: an impossible sequence, and a head beyond the tail. (In an odd lap, a
   single bit would make a slot look claimed.) */
static void check_finds(void)
{
    const uint64_t start = 96;
    struct fixture *fixture = set_up(4, sizeof(uint64_t), start);
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);
    uint8_t *slot = quoit_mpmc_slot_ref(&fixture->views[0], start + 1).slot;
    uint64_t word = quoit_mpmc_load(slot);
    for (uint64_t bad = 1; TEST_LOOP(bad != 0, 0, "bad", bad); bad *= 2) {
        atomic_store(quoit_mpmc_sequence(slot), word ^ bad);
        CHECK_STATUS(quoit_mpmc.check(&fixture->views[0]), QUOIT_ERROR_CORRUPT);
    }
    atomic_store(quoit_mpmc_sequence(slot), word);
    atomic_store(&fixture->shm.head, start + 2);
    CHECK_STATUS(quoit_mpmc.check(&fixture->views[0]), QUOIT_ERROR_CORRUPT);
    atomic_store(&fixture->shm.head, start);
    pops(fixture, 0, 1);
    tear_down(fixture);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"fill_and_drain", fill_and_drain},
                                             {"every_item_size", every_item_size},
                                             {"batches", batches},
                                             {"in_place", in_place},
                                             {"the_end", the_end},
                                             {"spoiled_words", spoiled_words},
                                             {"check_finds", check_finds},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
