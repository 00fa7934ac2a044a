/* SPDX-License-Identifier: MIT */
/* The items and claims that members of an MPMC ring leave when they crash or close, and the members
   that get them. */
#include "mpmc_fixture.h"

/* Consumers and producers skip the claims of crashed members. */
static void crashed_producers(void)
{
    for (int c = 0; TEST_LOOP(c < CAPACITIES, 0, "capacity", capacities[c]); c++) {
        struct fixture *fixture = set_up(capacities[c], sizeof(uint64_t), starts[c % STARTS]);
        uint64_t value;
        uint64_t claimed = capacities[c] < 3 ? capacities[c] : 3;
        for (uint32_t i = 0; i < claimed; i++)
            claims_one(fixture, 3 + i);
        bool room = capacities[c] > claimed;
        CHECK_STATUS(push(fixture, 0, 7), room ? QUOIT_OK : QUOIT_FULL);
        CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
        CHECK(!quoit_mpmc.has_items(&fixture->views[1]));
        CHECK_EQ(quoit_mpmc.has_room(&fixture->views[0]), (room && capacities[c] > claimed + 1));
        for (uint32_t i = 0; i < claimed; i++)
            fixture->crashed[3 + i] = true;
        CHECK(quoit_mpmc.has_items(&fixture->views[1]));
        CHECK(quoit_mpmc.has_room(&fixture->views[0]) || room);
        if (room)
            pops(fixture, 1, 7);
        else
            CHECK_STATUS(push(fixture, 0, 7), QUOIT_OK); /* the producer frees the slot itself */
        if (!room)
            pops(fixture, 1, 7);
        whole_again(fixture);
        tear_down(fixture);
    }
}

static void third_commits(struct fixture *fixture)
{
    (void)quoit_mpmc.commit(&fixture->producers[3], &fixture->views[3], 1,
                            fixture->views[3].item_bytes);
}

/* A claim that is committed while another member checks its owner is not skipped. */
static void committed_while_another_looks(void)
{
    for (int looks = 0; TEST_LOOP(looks < 2, 0, "look", looks); looks++) {
        struct fixture *fixture = set_up(1, sizeof(uint64_t), 0);
        uint64_t value;
        claims_one(fixture, 3);
        fixture->crashed[3] = true;
        CHECK_EQUAL(quoit_mpmc.repair(&fixture->views[0], true), 1);
        fixture->meanwhile = third_commits;
        if (looks == 0)
            CHECK_EQUAL(quoit_mpmc.repair(&fixture->views[0], true), 0);
        else
            CHECK(!quoit_mpmc.has_room(&fixture->views[0]));
        CHECK_STATUS(pop(fixture, 1, &value), QUOIT_OK);
        whole_again(fixture);
        tear_down(fixture);
    }
}

/* Items that crashed consumers were reading are delivered to other consumers, once. */
static void crashed_consumers(void)
{
    struct fixture *fixture = set_up(5, sizeof(uint64_t), 0);
    uint64_t value;
    for (uint64_t i = 0; i < 5; i++)
        CHECK_STATUS(push(fixture, 0, i), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 0);
    CHECK_EQUAL(peeks(fixture, 4), 1);
    CHECK_EQUAL(peeks(fixture, 5), 2);
    fixture->crashed[3] = fixture->crashed[5] = true;
    pops(fixture, 1, 3);
    pops(fixture, 1, 4);
    CHECK(quoit_mpmc.has_items(&fixture->views[1]));
    pops(fixture, 1, 0);
    CHECK_EQUAL(peeks(fixture, 2), 2); /* adopted, ... */
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
    fixture->crashed[2] = true; /* ... and abandoned again */
    pops(fixture, 1, 2);
    CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
    CHECK(!quoit_mpmc.has_items(&fixture->views[1]));
    CHECK(quoit_mpmc.release(&fixture->consumers[4], &fixture->views[4], 1));
    whole_again(fixture);
    tear_down(fixture);
}

/* Of two consumers that find an abandoned item, one gets it. */
static void adopted_once(void)
{
    struct fixture *fixture = set_up(2, sizeof(uint64_t), starts[2]);
    uint64_t value, from = starts[2], end = from + 1;
    CHECK_STATUS(push(fixture, 0, 42), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 42);
    fixture->crashed[3] = true;
    struct quoit_mpmc_taken one = quoit_mpmc_find_taken(&fixture->views[1], &from, end);
    from = starts[2];
    struct quoit_mpmc_taken other = quoit_mpmc_find_taken(&fixture->views[2], &from, end);
    CHECK(one.abandoned);
    CHECK(other.abandoned);
    CHECK(quoit_mpmc_adopt(fixture->consumer_states[1].mpmc.claim, &one));
    CHECK(!quoit_mpmc_adopt(fixture->consumer_states[2].mpmc.claim, &other));
    CHECK_STATUS(pop(fixture, 2, &value), QUOIT_EMPTY);
    fixture->crashed[1] = true;
    pops(fixture, 2, 42);
    enter(fixture, 1);
    whole_again(fixture);
    tear_down(fixture);
}

/* The item of a crashed consumer blocks a full ring. The next pop gets it, before queued items. */
static void abandoned_blocks(void)
{
    struct fixture *fixture = set_up(3, sizeof(uint64_t), 0);
    uint64_t value;
    CHECK_STATUS(pop(fixture, 0, &value), QUOIT_EMPTY); /* in any state of its flags */
    for (uint64_t i = 0; i < 3; i++)
        CHECK_STATUS(push(fixture, 1, i), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 0);
    fixture->crashed[3] = true;
    CHECK_STATUS(push(fixture, 1, 3), QUOIT_FULL);
    for (uint64_t i = 0; i < 3; i++)
        pops(fixture, 0, i);
    whole_again(fixture);
    tear_down(fixture);
}

static void second_adopts(struct fixture *fixture)
{
    CHECK_EQUAL(peeks(fixture, 2), 42);
}

/* An abandoned item that one member adopts while another checks it is not finished: its new owner
   may crash. */
static void adopted_while_another_looks(void)
{
    for (int finished = 0; TEST_LOOP(finished < 2, 0, "finished", finished); finished++) {
        struct fixture *fixture = set_up(2, sizeof(uint64_t), 0);
        uint64_t value;
        CHECK_STATUS(push(fixture, 0, 42), QUOIT_OK);
        CHECK_EQUAL(peeks(fixture, 3), 42);
        if (finished)
            quoit_mpmc.end(&fixture->views[0]);
        fixture->crashed[3] = true;
        fixture->meanwhile = second_adopts;
        CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY);
        CHECK_STATUS(pop(fixture, 1, &value), QUOIT_EMPTY); /* the second one reads it */
        CHECK(!quoit_mpmc.is_over(&fixture->views[0]));
        fixture->crashed[2] = true;
        pops(fixture, 1, 42);
        CHECK_STATUS(pop(fixture, 1, &value), finished ? QUOIT_FINISHED : QUOIT_EMPTY);
        if (!finished)
            whole_again(fixture);
        tear_down(fixture);
    }
}

/* A consumer that takes the entry of a crashed one starts with the items of that one. */
static void successor_goes_on(void)
{
    struct fixture *fixture = set_up(5, sizeof(uint64_t), 0);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_STATUS(push(fixture, 0, i), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 1), 0);
    fixture->crashed[1] = true;
    enter(fixture, 2);
    for (uint64_t i = 0; i < 4; i++)
        pops(fixture, 2, i);
    enter(fixture, 1);
    whole_again(fixture);
    tear_down(fixture);
}

/* A member that closes leaves nothing: its claim is skipped, and its peeked item goes to others. */
static void leaving(void)
{
    struct fixture *fixture = set_up(3, sizeof(uint64_t), 0);
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 1);
    claims_one(fixture, 3);
    quoit_mpmc.detach(&fixture->producers[3], &fixture->consumers[3], &fixture->views[3]);
    CHECK_STATUS(push(fixture, 0, 2), QUOIT_OK);
    pops(fixture, 1, 1);
    pops(fixture, 1, 2);
    whole_again(fixture);
    tear_down(fixture);
}

/* The entry of a crashed member with claims is taken by another member: the remaining claims have
   no owner. */
static void entries_are_used_again(void)
{
    struct fixture *fixture = set_up(4, sizeof(uint64_t), 0);
    CHECK_STATUS(push(fixture, 0, 1), QUOIT_OK);
    CHECK_EQUAL(peeks(fixture, 3), 1);
    claims_one(fixture, 3);
    CHECK_STATUS(push(fixture, 0, 2), QUOIT_OK);
    fixture->crashed[3] = true;
    memset((void *)&fixture->consumer_states[3], 0, sizeof fixture->consumer_states[3]);
    memset((void *)&fixture->producer_states[3], 0, sizeof fixture->producer_states[3]);
    enter(fixture, 3);
    pops(fixture, 3, 1);
    pops(fixture, 1, 2);
    whole_again(fixture);
    tear_down(fixture);
}

/* An item adopted as often as its generations are distinct, and more often. */
static void many_generations(void)
{
    struct fixture *fixture = set_up(2, sizeof(uint64_t), 0);
    CHECK_STATUS(push(fixture, 0, 42), QUOIT_OK);
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t member = 2 + i % 4;
        CHECK_EQUAL(peeks(fixture, member), 42);
        fixture->crashed[member] = true;
        uint32_t next = 2 + (i + 1) % 4;
        memset((void *)&fixture->consumer_states[next], 0, sizeof fixture->consumer_states[next]);
        enter(fixture, next);
    }
    pops(fixture, 0, 42);
    whole_again(fixture);
    tear_down(fixture);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"crashed_producers", crashed_producers},
        {"committed_while_another_looks", committed_while_another_looks},
        {"crashed_consumers", crashed_consumers},
        {"adopted_once", adopted_once},
        {"abandoned_blocks", abandoned_blocks},
        {"adopted_while_another_looks", adopted_while_another_looks},
        {"successor_goes_on", successor_goes_on},
        {"leaving", leaving},
        {"entries_are_used_again", entries_are_used_again},
        {"many_generations", many_generations},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
