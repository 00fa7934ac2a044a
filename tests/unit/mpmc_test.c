/* SPDX-License-Identifier: MIT */
/* The MPMC ring in plain memory: members that live and die at the test's word, no second process.
   Real deaths are in tests/crash. */
#include "test.h"

#include "mpmc.h"

#include <stdlib.h>

enum { MEMBERS = 6, GUARD = 64, LARGEST_ITEM = 300 };
static const uint8_t guard_byte = 0xa5;

static const uint64_t capacities[] = {1, 2, 3, 5, 8, 1000};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

/* Positions begin here: where 32 bits end, where 44 (of claims) and 63 do. */
static const uint64_t starts[] = {0, 1, UINT32_MAX - 3, (UINT64_C(1) << 44) - 3,
                                  (UINT64_C(1) << 62) - 3};
enum { STARTS = sizeof starts / sizeof starts[0] };

struct fixture {
    struct quoit_ring_shm shm;
    struct quoit_claims_shm claims[MEMBERS];
    struct quoit_ring_place places[MEMBERS];
    struct quoit_ring_producer producers[MEMBERS];
    struct quoit_ring_consumer consumers[MEMBERS];
    bool dead[MEMBERS];
    /* What somebody else does while a member asks who lives; once. */
    void (*meanwhile)(struct fixture *fixture);
    uint8_t *memory;
    uint64_t slots_bytes;
};

static bool is_alive(const void *context, uint32_t row)
{
    struct fixture *fixture = (struct fixture *)(uintptr_t)context;
    bool alive = row < MEMBERS && !fixture->dead[row];
    void (*meanwhile)(struct fixture *) = fixture->meanwhile;
    fixture->meanwhile = NULL;
    if (meanwhile)
        meanwhile(fixture);
    return alive;
}

static void enter(struct fixture *fixture, uint32_t member)
{
    struct quoit_ring_place *place = &fixture->places[member];
    fixture->dead[member] = false;
    CHECK_STATUS(quoit_mpmc.attach_producer(&fixture->producers[member], place), QUOIT_OK);
    CHECK_STATUS(quoit_mpmc.attach_consumer(&fixture->consumers[member], place), QUOIT_OK);
}

static struct fixture *set_up(uint64_t capacity, uint64_t item_bytes, uint64_t start)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    CHECK(fixture);
    fixture->slots_bytes = capacity * quoit_mpmc.stride(item_bytes);
    fixture->memory = malloc((size_t)fixture->slots_bytes + 2 * GUARD);
    CHECK(fixture->memory);
    memset(fixture->memory, guard_byte, (size_t)fixture->slots_bytes + 2 * GUARD);
    for (uint32_t i = 0; i < MEMBERS; i++)
        fixture->places[i] = (struct quoit_ring_place){.ops = &quoit_mpmc,
                                                       .shm = &fixture->shm,
                                                       .slots = fixture->memory + GUARD,
                                                       .capacity = capacity,
                                                       .item_bytes = item_bytes,
                                                       .members = {.claims = fixture->claims,
                                                                   .count = MEMBERS,
                                                                   .own = i,
                                                                   .is_alive = is_alive,
                                                                   .context = fixture}};
    quoit_mpmc.init(&fixture->places[0], start);
    for (uint32_t i = 0; i < MEMBERS; i++)
        enter(fixture, i);
    return fixture;
}

static void tear_down(struct fixture *fixture)
{
    CHECK_STATUS(quoit_mpmc.check(&fixture->places[0]), QUOIT_OK);
    for (int i = 0; i < GUARD; i++) {
        CHECK_EQUAL(fixture->memory[i], guard_byte);
        CHECK_EQUAL(fixture->memory[GUARD + fixture->slots_bytes + (uint64_t)i], guard_byte);
    }
    free(fixture->memory);
    free(fixture);
}

static quoit_status push(struct fixture *fixture, uint32_t member, uint64_t value)
{
    return quoit_mpmc.push(&fixture->producers[member], &fixture->places[member], &value);
}

static quoit_status pop(struct fixture *fixture, uint32_t member, uint64_t *value_out)
{
    return quoit_mpmc.pop(&fixture->consumers[member], &fixture->places[member], value_out);
}

static void pops(struct fixture *fixture, uint32_t member, uint64_t expected)
{
    uint64_t value = UINT64_MAX;
    CHECK_STATUS(pop(fixture, member, &value), QUOIT_OK);
    CHECK_EQUAL(value, expected);
}

static void claims_one(struct fixture *fixture, uint32_t member)
{
    void *items;
    uint64_t count;
    CHECK_STATUS(
        quoit_mpmc.claim(&fixture->producers[member], &fixture->places[member], 5, &items, &count),
        QUOIT_OK);
    CHECK_EQUAL(count, 1);
    memset(items, 0xee, 8); /* half an item, for all that others know */
}

static uint64_t peeks(struct fixture *fixture, uint32_t member)
{
    const void *items;
    uint64_t count, value;
    CHECK_STATUS(
        quoit_mpmc.peek(&fixture->consumers[member], &fixture->places[member], &items, &count),
        QUOIT_OK);
    CHECK_EQUAL(count, 1);
    memcpy(&value, items, sizeof value);
    return value;
}

static uint64_t size_of(struct fixture *fixture)
{
    return quoit_mpmc.size(&fixture->places[0]);
}

/* The ring is as good as new: holds its capacity, and gives it back in order. */
static void whole_again(struct fixture *fixture)
{
    uint64_t value, capacity = fixture->places[0].capacity;
    CHECK_STATUS(pop(fixture, 0, &value), QUOIT_EMPTY);
    for (uint64_t i = 0; i < capacity; i++)
        CHECK_STATUS(push(fixture, i % 2 ? 1 : 0, 100 + i), QUOIT_OK);
    CHECK_STATUS(push(fixture, 0, 99), QUOIT_FULL);
    CHECK_EQUAL(size_of(fixture), capacity);
    for (uint64_t i = 0; i < capacity; i++)
        pops(fixture, i % 2 ? 1 : 0, 100 + i);
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
}

/* ---- The living ------------------------------------------------------------------------------ */

static void fill_and_drain(void)
{
    for (int c = 0; c < CAPACITIES; c++)
        for (int s = 0; s < STARTS; s++) {
            struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), starts[s]);
            uint64_t value, next_in = 0, next_out = 0;
            for (uint32_t round = 0; round < 12; round++) {
                for (uint64_t i = 0; i < capacities[c]; i++) {
                    CHECK_EQUAL(size_of(fixture), i);
                    CHECK(quoit_mpmc.has_room(&fixture->places[0]));
                    CHECK_STATUS(push(fixture, (uint32_t)i % MEMBERS, next_in++), QUOIT_OK);
                    CHECK(quoit_mpmc.has_items(&fixture->places[1]));
                }
                CHECK_STATUS(push(fixture, round % MEMBERS, 99), QUOIT_FULL);
                CHECK(!quoit_mpmc.has_room(&fixture->places[0]));
                CHECK_STATUS(quoit_mpmc.check(&fixture->places[0]), QUOIT_OK);
                for (uint64_t i = 0; i < capacities[c]; i++)
                    pops(fixture, (uint32_t)(i + round) % MEMBERS, next_out++);
                CHECK_STATUS(pop(fixture, round % MEMBERS, &value), QUOIT_EMPTY);
                CHECK(!quoit_mpmc.has_items(&fixture->places[0]));
            }
            tear_down(fixture);
        }
}

static void every_item_size(void)
{
    for (uint64_t bytes = 1; bytes <= LARGEST_ITEM; bytes++) {
        uint8_t in[5][LARGEST_ITEM], out[LARGEST_ITEM];
        struct fixture *fixture = set_up(5, bytes, 0);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 5; i++) {
                for (uint64_t k = 0; k < bytes; k++)
                    in[i][k] = (uint8_t)((uint64_t)(round + 3 * i) + 7 * k);
                CHECK_STATUS(quoit_mpmc.push(&fixture->producers[i], &fixture->places[i], in[i]),
                             QUOIT_OK);
            }
            for (int i = 0; i < 5; i++) {
                CHECK_STATUS(quoit_mpmc.pop(&fixture->consumers[0], &fixture->places[0], out),
                             QUOIT_OK);
                CHECK(memcmp(in[i], out, (size_t)bytes) == 0);
            }
        }
        tear_down(fixture);
    }
}

static void batches(void)
{
    for (int c = 0; c < CAPACITIES; c++) {
        struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), starts[c % STARTS]);
        uint64_t values[2500], out[2500], capacity = capacities[c], next = 0, expected = 0;
        for (uint64_t round = 0; round < 50; round++) {
            uint64_t count = round * 37 % 2500 + 1, fits = count < capacity ? count : capacity;
            for (uint64_t i = 0; i < count; i++)
                values[i] = next + i;
            uint32_t who = (uint32_t)round % MEMBERS, other = (who + 1) % MEMBERS;
            CHECK_EQUAL(quoit_mpmc.push_many(&fixture->producers[who], &fixture->places[who],
                                             values, count),
                        fits);
            next += fits;
            uint64_t got = quoit_mpmc.pop_many(&fixture->consumers[other], &fixture->places[other],
                                               out, round % 3 ? 2500 : fits / 2 + 1);
            got += quoit_mpmc.pop_many(&fixture->consumers[who], &fixture->places[who], out + got,
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
    const struct quoit_ring_place *place = &fixture->places[0];
    uint64_t value;
    claims_one(fixture, 0);
    claims_one(fixture, 0); /* the same */
    CHECK_STATUS(push(fixture, 1, 2), QUOIT_OK);
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY); /* what is claimed comes first */
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);        /* in its place */
    CHECK(!quoit_mpmc.commit(producer, place, 1));
    CHECK(quoit_mpmc.commit(producer, place, 0));
    CHECK_EQUAL(peeks(fixture, 0), 1);
    CHECK_EQUAL(peeks(fixture, 0), 1);
    CHECK_STATUS(push(fixture, 1, 3), QUOIT_OK);
    CHECK_STATUS(push(fixture, 1, 4), QUOIT_FULL); /* while it is looked at */
    pops(fixture, 1, 2);
    pops(fixture, 0, 1); /* what it looks at */
    CHECK(!quoit_mpmc.release(consumer, place, 1));
    CHECK_EQUAL(peeks(fixture, 0), 3);
    CHECK(quoit_mpmc.release(consumer, place, 1));
    claims_one(fixture, 0);
    CHECK(quoit_mpmc.commit(producer, place, 0)); /* given up: others go past it */
    CHECK_STATUS(push(fixture, 1, 5), QUOIT_OK);
    pops(fixture, 0, 5);
    whole_again(fixture);
    tear_down(fixture);
}

static void the_end(void)
{
    for (int c = 0; c < CAPACITIES; c++) {
        struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), 0);
        uint64_t value;
        for (uint64_t i = 0; i < capacities[c]; i++)
            CHECK_STATUS(push(fixture, 0, i), QUOIT_OK);
        CHECK_EQUAL(peeks(fixture, 1), 0);
        quoit_mpmc.finish(&fixture->producers[2], &fixture->places[2]);
        CHECK(quoit_mpmc.is_finished(&fixture->places[0]));
        CHECK_STATUS(push(fixture, 0, 9), QUOIT_CLOSED);
        CHECK_STATUS(quoit_mpmc.look_for_room(&fixture->producers[0], &fixture->places[0]),
                     QUOIT_CLOSED);
        for (uint64_t i = 1; i < capacities[c]; i++)
            pops(fixture, 0, i);
        CHECK_STATUS(pop(fixture, 0, &value), QUOIT_EMPTY); /* one may still come back */
        CHECK(quoit_mpmc.release(&fixture->consumers[1], &fixture->places[1], 1));
        CHECK_STATUS(pop(fixture, 0, &value), QUOIT_CLOSED);
        CHECK_STATUS(push(fixture, 3, 9), QUOIT_CLOSED);
        CHECK_STATUS(quoit_mpmc.check(&fixture->places[0]), QUOIT_OK);
        tear_down(fixture);
    }
}

/* ---- The dead -------------------------------------------------------------------------------- */

/* Claims of the dead are passed by, by consumers and by producers. */
static void dead_producers(void)
{
    for (int c = 0; c < CAPACITIES; c++) {
        struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), starts[c % STARTS]);
        uint64_t value;
        uint64_t claimed = capacities[c] < 3 ? capacities[c] : 3;
        for (uint32_t i = 0; i < claimed; i++)
            claims_one(fixture, 3 + i);
        bool room = capacities[c] > claimed;
        CHECK_STATUS(push(fixture, 0, 7), room ? QUOIT_OK : QUOIT_FULL);
        CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
        for (uint32_t i = 0; i < claimed; i++)
            fixture->dead[3 + i] = true;
        if (room)
            pops(fixture, 1, 7);
        else
            CHECK_STATUS(push(fixture, 0, 7), QUOIT_OK); /* the producer makes the room itself */
        if (!room)
            pops(fixture, 1, 7);
        whole_again(fixture);
        tear_down(fixture);
    }
}

/* Items that the dead were reading are delivered to others, once. */
static void dead_consumers(void)
{
    struct fixture *fixture = set_up(5, sizeof(uint64_t), 0);
    uint64_t value;
    for (uint64_t i = 0; i < 5; i++)
        CHECK_STATUS(push(fixture, 0, i), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 0);
    CHECK_EQUAL(peeks(fixture, 4), 1);
    CHECK_EQUAL(peeks(fixture, 5), 2);
    fixture->dead[3] = fixture->dead[5] = true;
    pops(fixture, 1, 3);
    pops(fixture, 1, 4);
    CHECK(quoit_mpmc.has_items(&fixture->places[1]));
    pops(fixture, 1, 0);
    CHECK_EQUAL(peeks(fixture, 2), 2); /* adopted, ... */
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
    fixture->dead[2] = true; /* ... and orphaned again */
    pops(fixture, 1, 2);
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
    CHECK(!quoit_mpmc.has_items(&fixture->places[1]));
    CHECK(quoit_mpmc.release(&fixture->consumers[4], &fixture->places[4], 1));
    whole_again(fixture);
    tear_down(fixture);
}

static void second_adopts(struct fixture *fixture)
{
    CHECK_EQUAL(peeks(fixture, 2), 42);
}

/* An orphan that one adopts while another looks for it is not done with: its adopter may die. */
static void adopted_while_another_looks(void)
{
    for (int finished = 0; finished < 2; finished++) {
        struct fixture *fixture = set_up(2, sizeof(uint64_t), 0);
        uint64_t value;
        CHECK_STATUS(push(fixture, 0, 42), QUOIT_OK);
        CHECK_EQUAL(peeks(fixture, 3), 42);
        if (finished)
            quoit_mpmc.finish(&fixture->producers[0], &fixture->places[0]);
        fixture->dead[3] = true;
        fixture->meanwhile = second_adopts;
        CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
        CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY); /* the second one reads it */
        CHECK(!quoit_mpmc.is_over(&fixture->places[0]));
        fixture->dead[2] = true;
        pops(fixture, 1, 42);
        CHECK_STATUS(pop(fixture, 1, &value), finished ? QUOIT_CLOSED : QUOIT_EMPTY);
        if (!finished)
            whole_again(fixture);
        tear_down(fixture);
    }
}

/* A consumer that comes in a dead one's place begins with what that one had. */
static void successor_goes_on(void)
{
    struct fixture *fixture = set_up(5, sizeof(uint64_t), 0);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_STATUS(push(fixture, 0, i), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 1), 0);
    fixture->dead[1] = true;
    enter(fixture, 2);
    for (uint64_t i = 0; i < 4; i++)
        pops(fixture, 2, i);
    enter(fixture, 1);
    whole_again(fixture);
    tear_down(fixture);
}

/* Who goes leaves nothing: a claim is void, what it looked at is the others'. */
static void leaving(void)
{
    struct fixture *fixture = set_up(3, sizeof(uint64_t), 0);
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 1);
    claims_one(fixture, 3);
    quoit_mpmc.detach(&fixture->producers[3], &fixture->consumers[3], &fixture->places[3]);
    CHECK_STATUS(push(fixture, 0, 2), QUOIT_OK);
    pops(fixture, 1, 1);
    pops(fixture, 1, 2);
    whole_again(fixture);
    tear_down(fixture);
}

/* A row whose dead holder had claims is taken by another: what the dead left is nobody's. */
static void rows_are_used_again(void)
{
    struct fixture *fixture = set_up(4, sizeof(uint64_t), 0);
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 1);
    claims_one(fixture, 3);
    CHECK_STATUS(push(fixture, 0, 2), QUOIT_OK);
    fixture->dead[3] = true;
    fixture->consumers[3] = (struct quoit_ring_consumer){0};
    fixture->producers[3] = (struct quoit_ring_producer){0};
    enter(fixture, 3);
    pops(fixture, 3, 1);
    pops(fixture, 1, 2);
    whole_again(fixture);
    tear_down(fixture);
}

/* An item adopted as often as generations can be told apart, and more. */
static void many_generations(void)
{
    struct fixture *fixture = set_up(2, sizeof(uint64_t), 0);
    CHECK_STATUS(push(fixture, 0, 42), QUOIT_OK);
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t member = 2 + i % 4;
        CHECK_EQUAL(peeks(fixture, member), 42);
        fixture->dead[member] = true;
        uint32_t next = 2 + (i + 1) % 4;
        fixture->consumers[next] = (struct quoit_ring_consumer){0};
        enter(fixture, next);
    }
    pops(fixture, 0, 42);
    whole_again(fixture);
    tear_down(fixture);
}

/* Random words over everything that is shared: no call faults, hangs or leaves the slots. */
static void spoiled_words(void)
{
    uint64_t state = 12345, value;
    for (int round = 0; round < 3000; round++) {
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
                memcpy((uint8_t *)fixture->claims + where / 4 % (MEMBERS * 16) * 8, &word, 8);
            (void)push(fixture, member, word);
            (void)pop(fixture, (member + 1) % MEMBERS, &value);
            (void)quoit_mpmc.has_items(&fixture->places[0]);
            (void)quoit_mpmc.has_room(&fixture->places[0]);
            (void)quoit_mpmc.check(&fixture->places[0]);
            CHECK(size_of(fixture) <= fixture->places[0].capacity);
        }
        free(fixture->memory);
        free(fixture);
    }
}

/* What check finds: a slot from nowhere, a head beyond the tail. (In an odd lap, a single bit would
   make a slot look claimed.) */
static void check_finds(void)
{
    const uint64_t start = 96;
    struct fixture *fixture = set_up(4, sizeof(uint64_t), start);
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);
    uint8_t *slot = quoit_mpmc_spot(&fixture->places[0], start + 1).slot;
    uint64_t word = quoit_mpmc_load(slot);
    for (uint64_t bad = 1; bad != 0; bad *= 2) {
        atomic_store(quoit_mpmc_word(slot), word ^ bad);
        CHECK_STATUS(quoit_mpmc.check(&fixture->places[0]), QUOIT_CORRUPT);
    }
    atomic_store(quoit_mpmc_word(slot), word);
    atomic_store(&fixture->shm.head, start + 2);
    CHECK_STATUS(quoit_mpmc.check(&fixture->places[0]), QUOIT_CORRUPT);
    atomic_store(&fixture->shm.head, start);
    pops(fixture, 0, 1);
    tear_down(fixture);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"fill_and_drain", fill_and_drain},
        {"every_item_size", every_item_size},
        {"batches", batches},
        {"in_place", in_place},
        {"the_end", the_end},
        {"dead_producers", dead_producers},
        {"dead_consumers", dead_consumers},
        {"adopted_while_another_looks", adopted_while_another_looks},
        {"successor_goes_on", successor_goes_on},
        {"leaving", leaving},
        {"rows_are_used_again", rows_are_used_again},
        {"many_generations", many_generations},
        {"spoiled_words", spoiled_words},
        {"check_finds", check_finds},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
