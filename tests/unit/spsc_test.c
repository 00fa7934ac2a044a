/* SPDX-License-Identifier: MIT */
/* The SPSC ring's two layouts in plain memory: no region, no second process, no operating system.
   */
#include "ring_finish.h"
#include "spsc_fixture.h"

/* Does a lap divide 2^64, or is the counters' end out of reach? */
static bool may_start(uint64_t start, uint64_t capacity)
{
    return start != UINT64_MAX - 3 || (capacity & (capacity - 1)) == 0;
}

/* Values from 0 on, so that the empty mark, 7, is among them. */
static void fill_and_drain(const struct quoit_ring_ops *layout, uint64_t capacity, uint64_t start)
{
    struct fixture *fixture = set_up(layout, capacity, sizeof(uint64_t), start);
    uint64_t value = 0, next_in = 0, next_out = 0;
    for (int round = 0; TEST_LOOP(round < 12, 3, "round", round); round++) {
        for (uint64_t i = 0; i < capacity; i++) {
            CHECK_EQUAL(size_of(fixture), i);
            CHECK_STATUS(push(fixture, next_in++), QUOIT_OK);
        }
        CHECK_STATUS(push(fixture, 99), QUOIT_FULL);
        CHECK_STATUS(push(fixture, empty_word), QUOIT_FULL);
        CHECK_EQUAL(size_of(fixture), capacity);
        for (uint64_t i = 0; i < capacity; i++) {
            CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
            CHECK_EQUAL(value, next_out++);
        }
        CHECK_STATUS(pop(fixture, &value), QUOIT_EMPTY);
        CHECK_EQUAL(size_of(fixture), 0);
    }
    tear_down(fixture);
}

static void exact_capacity(void)
{
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++)
        for (int i = 0; TEST_LOOP(i < CAPACITIES, 1, "capacity", capacities[i]); i++)
            for (int j = 0; TEST_LOOP(j < STARTS, 2, "start", starts[j]); j++)
                if (may_start(starts[j], capacities[i]))
                    fill_and_drain(layouts[l], capacities[i], starts[j]);
}

/* Neither empty nor full, so that the ring's end is at every place. */
static void wrap_around(void)
{
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++)
        for (int i = 0; TEST_LOOP(i < CAPACITIES, 1, "capacity", capacities[i]); i++)
            for (int j = 0; TEST_LOOP(j < STARTS, 2, "start", starts[j]); j++) {
                if (!may_start(starts[j], capacities[i]))
                    continue;
                struct fixture *fixture = set_up(layouts[l], capacities[i], sizeof(uint64_t),
                                                 starts[j]);
                uint64_t value = 0;
                for (uint64_t n = 0; n < 3 * capacities[i] + 10; n++) {
                    CHECK_STATUS(push(fixture, n), QUOIT_OK);
                    CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
                    CHECK_EQUAL(value, n);
                }
                tear_down(fixture);
            }
}

/* Items of every size up to a limit: all their bytes arrive, and no other bytes change. */
static void every_size(void)
{
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++)
        for (uint64_t bytes = 1; TEST_LOOP(bytes <= LARGEST_ITEM, 1, "bytes", bytes); bytes++) {
            struct fixture *fixture = set_up(layouts[l], 3, bytes, 0);
            uint8_t in[LARGEST_ITEM], out[LARGEST_ITEM + 1];
            for (uint8_t n = 0; n < 10; n++) {
                for (uint64_t i = 0; i < bytes; i++)
                    in[i] = (uint8_t)(n == 5 ? i == 0 ? empty_word : 0 : n + i);
                memset(out, guard_byte, sizeof out);
                CHECK_STATUS(push_item(fixture, in), QUOIT_OK);
                CHECK_STATUS(pop_item(fixture, out), QUOIT_OK);
                CHECK_EQ(memcmp(in, out, (size_t)bytes), 0);
                CHECK_EQUAL(out[bytes], guard_byte);
            }
            tear_down(fixture);
        }
}

/* Batches of every size at every fill, across the ring's end. */
static void batches(void)
{
    enum { MOST = 12 };
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++)
        for (int i = 0; TEST_LOOP(i < CAPACITIES - 1, 1, "capacity", capacities[i]); i++)
            for (uint64_t in = 1; TEST_LOOP(in <= MOST, 2, "in", in); in++)
                for (uint64_t out = 1; TEST_LOOP(out <= MOST, 3, "out", out); out++) {
                    struct fixture *fixture = set_up(layouts[l], capacities[i], sizeof(uint64_t),
                                                     UINT32_MAX - 7);
                    const struct quoit_ring_ops *ops = layouts[l];
                    uint64_t next_in = 0, next_out = 0, values[MOST];
                    for (int round = 0; round < 40; round++) {
                        for (uint64_t k = 0; k < in; k++)
                            values[k] = next_in + k;
                        uint64_t room = capacities[i] - size_of(fixture);
                        uint64_t pushed = ops->push_many(&fixture->producer, &fixture->view, values,
                                                         in);
                        CHECK_EQUAL(pushed, in < room ? in : room);
                        next_in += pushed;
                        uint64_t there = size_of(fixture);
                        uint64_t popped = ops->pop_many(&fixture->consumer, &fixture->view, values,
                                                        out);
                        CHECK_EQUAL(popped, out < there ? out : there);
                        for (uint64_t k = 0; k < popped; k++)
                            CHECK_EQUAL(values[k], next_out++);
                    }
                    tear_down(fixture);
                }
}

/* Claims and peeks of every size, committed or released completely, in part, or not at all. */
static void in_place(void)
{
    enum { MOST = 9 };
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++)
        for (int i = 0; TEST_LOOP(i < CAPACITIES - 1, 1, "capacity", capacities[i]); i++)
            for (uint64_t wanted = 1; TEST_LOOP(wanted <= MOST, 2, "wanted", wanted); wanted++) {
                struct fixture *fixture = set_up(layouts[l], capacities[i], sizeof(uint64_t), 0);
                const struct quoit_ring_ops *ops = layouts[l];
                uint64_t next_in = 0, next_out = 0, count, value;
                void *room;
                const void *items;
                for (uint64_t round = 0; TEST_LOOP(round < 60, 3, "round", round); round++) {
                    uint64_t before = size_of(fixture);
                    quoit_status status = claim(fixture, wanted, &room, &count);
                    CHECK_STATUS(status, before == capacities[i] ? QUOIT_FULL : QUOIT_OK);
                    if (status == QUOIT_OK) {
                        CHECK_GE(count, 1);
                        CHECK_LE(count, wanted);
                        CHECK_LE(count, capacities[i] - before);
                        uint64_t used = round % (count + 1);
                        for (uint64_t k = 0; k < count; k++)
                            ((uint64_t *)room)[k] = k < used ? next_in + k : 1234567;
                        CHECK_EQUAL(size_of(fixture), before); /* no other handle sees it yet */
                        CHECK(!commit(fixture, count + 1));
                        if (round % 5 == 4)
                            continue; /* abandoned */
                        CHECK(commit(fixture, used));
                        CHECK(!commit(fixture, 1));
                        next_in += used;
                        CHECK_EQUAL(size_of(fixture), before + used);
                    }
                    if (round % 3 == 0)
                        continue;
                    before = size_of(fixture);
                    status = peek(fixture, &items, &count);
                    CHECK_STATUS(status, before == 0 ? QUOIT_EMPTY : QUOIT_OK);
                    if (status != QUOIT_OK)
                        continue;
                    CHECK_GE(count, 1);
                    CHECK_LE(count, before);
                    uint64_t one = 1, bytes;
                    CHECK_STATUS(
                        ops->peek(&fixture->consumer, &fixture->view, &items, &one, &bytes),
                        QUOIT_OK);
                    CHECK_EQUAL(one, ops == &quoit_spsc_slots ? 1 : count); /* reads no more */
                    for (uint64_t k = 0; k < count; k++)
                        CHECK_EQUAL(((const uint64_t *)items)[k], next_out + k);
                    uint64_t used = (round + 1) % (count + 1);
                    CHECK(!ops->release(&fixture->consumer, &fixture->view, before + 1));
                    CHECK(ops->release(&fixture->consumer, &fixture->view, used));
                    next_out += used;
                    CHECK_EQUAL(size_of(fixture), before - used);
                }
                while (pop(fixture, &value) == QUOIT_OK)
                    CHECK_EQUAL(value, next_out++);
                CHECK_EQUAL(next_out, next_in);
                tear_down(fixture);
            }
}

/* Items whose first word equals the empty mark, mixed with others, at every fill. */
static void hidden_items(void)
{
    for (int i = 0; TEST_LOOP(i < CAPACITIES, 0, "capacity", capacities[i]); i++)
        for (uint64_t every = 1; TEST_LOOP(every <= 4, 1, "every", every); every++) {
            struct fixture *fixture = set_up(&quoit_spsc_slots, capacities[i], 24, 0);
            uint64_t in[3] = {0}, out[3], pushed = 0, popped = 0;
            for (int round = 0; TEST_LOOP(round < 4000, 2, "round", round); round++) {
                in[0] = pushed % every == 0 ? empty_word : pushed;
                in[1] = pushed;
                in[2] = ~pushed;
                uint64_t size = pushed - popped;
                CHECK_STATUS(push_item(fixture, in), size == capacities[i] ? QUOIT_FULL : QUOIT_OK);
                pushed += size != capacities[i];
                CHECK_EQUAL(size_of(fixture), pushed - popped);
                if (round % 7 < 3 || round % 13 == 5)
                    continue;
                size = pushed - popped;
                CHECK_STATUS(pop_item(fixture, out), size == 0 ? QUOIT_EMPTY : QUOIT_OK);
                if (size == 0)
                    continue;
                CHECK_EQUAL(out[0], popped % every == 0 ? empty_word : popped);
                CHECK_EQUAL(out[1], popped);
                CHECK_EQUAL(out[2], ~popped);
                popped++;
            }
            tear_down(fixture);
        }
}

/* A push between a claim and its commit drops the claim: the pushed item stays, and nothing more is
   committed. */
static void claim_given_up(void)
{
    struct fixture *fixture = set_up(&quoit_spsc_spans, 4, sizeof(uint64_t), 0);
    uint64_t count, value = 0;
    void *room;
    CHECK_STATUS(claim(fixture, 4, &room, &count), QUOIT_OK);
    CHECK_EQUAL(count, 4);
    CHECK_STATUS(push(fixture, 11), QUOIT_OK);
    CHECK(!commit(fixture, 4));
    CHECK_EQUAL(size_of(fixture), 1);
    CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
    CHECK_EQUAL(value, 11);
    CHECK_STATUS(pop(fixture, &value), QUOIT_EMPTY);
    tear_down(fixture);
}

static void finish_after_drain(void)
{
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++) {
        struct fixture *fixture = set_up(layouts[l], 5, sizeof(uint64_t), 0);
        uint64_t value = 0;
        CHECK_STATUS(push(fixture, 1), QUOIT_OK);
        CHECK_STATUS(push(fixture, empty_word), QUOIT_OK);
        test_finish(&fixture->producer, &fixture->view);
        CHECK_STATUS(push(fixture, 3), QUOIT_FINISHED);
        CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
        CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
        CHECK_EQUAL(value, empty_word);
        CHECK_STATUS(pop(fixture, &value), QUOIT_FINISHED);
        CHECK_STATUS(pop(fixture, &value), QUOIT_FINISHED);
        CHECK_STATUS(layouts[l]->attach_producer(&fixture->producer, &fixture->view), QUOIT_OK);
        CHECK_STATUS(push(fixture, 3), QUOIT_FINISHED);
        tear_down(fixture);
    }
}

/* A new holder of a side continues exactly where the last one stopped, at every fill and item. */
static void attach_again(void)
{
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++)
        for (int i = 0; TEST_LOOP(i < CAPACITIES - 1, 1, "capacity", capacities[i]); i++)
            for (int j = 0; TEST_LOOP(j < STARTS, 2, "start", starts[j]); j++) {
                if (!may_start(starts[j], capacities[i]))
                    continue;
                struct fixture *fixture = set_up(layouts[l], capacities[i], sizeof(uint64_t),
                                                 starts[j]);
                uint64_t in = 0, out = 0, value = 0;
                for (int round = 0; TEST_LOOP(round < 200, 3, "round", round); round++) {
                    uint64_t size = in - out;
                    CHECK_STATUS(layouts[l]->attach_producer(&fixture->producer, &fixture->view),
                                 QUOIT_OK);
                    CHECK_STATUS(push(fixture, in % 11),
                                 size == capacities[i] ? QUOIT_FULL : QUOIT_OK);
                    in += size != capacities[i];
                    CHECK_STATUS(layouts[l]->attach_consumer(&fixture->consumer, &fixture->view),
                                 QUOIT_OK);
                    if (round % 3 == 0)
                        continue;
                    CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
                    CHECK_EQUAL(value, out++ % 11);
                    CHECK_EQUAL(size_of(fixture), in - out);
                }
                tear_down(fixture);
            }
}

/* The state after a crash between two steps of a push or a pop, at every fill, with and without
   progress of the other side in between. */
static void half_done(void)
{
    for (int i = 0; TEST_LOOP(i < CAPACITIES - 1, 0, "capacity", capacities[i]); i++)
        for (uint64_t fill = 0; TEST_LOOP(fill <= capacities[i], 1, "fill", fill); fill++)
            for (uint64_t refilled = 0; TEST_LOOP(refilled < 2, 2, "refilled", refilled);
                 refilled++) {
                struct fixture *fixture = set_up(&quoit_spsc_slots, capacities[i], sizeof(uint64_t),
                                                 0);
                const struct quoit_ring_ops *ops = &quoit_spsc_slots;
                uint64_t in = 0, out = 0, value = 0;
                for (; in < fill; in++)
                    CHECK_STATUS(push(fixture, in), QUOIT_OK);
                if (fill < capacities[i]) { /* counted, not committed */
                    quoit_spsc_count_push(&fixture->shm.tail);
                    CHECK_EQUAL(size_of(fixture), fill);
                    if (refilled && fill > 0) {
                        CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
                        CHECK_EQUAL(value, out++);
                    }
                    CHECK_STATUS(ops->attach_producer(&fixture->producer, &fixture->view),
                                 QUOIT_OK);
                    CHECK_EQUAL(size_of(fixture), in - out);
                }
                if (fill > out) { /* counted as popped, but the slot is not returned */
                    quoit_spsc_count_pop(&fixture->shm.head, 1);
                    out++;
                    for (; in - out < capacities[i] - 1; in++)
                        CHECK_STATUS(push(fixture, in), QUOIT_OK);
                    if (refilled) { /* or returned after all, and filled again */
                        if (out == 1)
                            atomic_store(quoit_spsc_word(fixture->view.slots), empty_word);
                        CHECK_STATUS(push(fixture, in), out == 1 ? QUOIT_OK : QUOIT_FULL);
                        in += out == 1;
                    } else {
                        CHECK_STATUS(push(fixture, in), QUOIT_FULL);
                    }
                    CHECK_STATUS(ops->attach_consumer(&fixture->consumer, &fixture->view),
                                 QUOIT_OK);
                }
                for (; push(fixture, in) == QUOIT_OK; in++)
                    ;
                CHECK_EQUAL(in - out, capacities[i]);
                for (; out < in; out++) {
                    CHECK_STATUS(pop(fixture, &value), QUOIT_OK);
                    CHECK_EQUAL(value, out);
                }
                CHECK_STATUS(pop(fixture, &value), QUOIT_EMPTY);
                tear_down(fixture);
            }
}

/* A hostile peer writes any value: the result is an error or other data, but never an access
   outside the slots (guards and ASan would detect it), nor an endless loop. */
static void spoiled_words(void)
{
    static const uint64_t spoiled[] = {0, 6, 7, UINT32_MAX, UINT64_MAX, 1ull << 63, UINT64_MAX - 5};
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++)
        for (uint64_t i = 0; TEST_LOOP(i < sizeof spoiled / sizeof spoiled[0], 1, "spoiled", i);
             i++)
            for (int word = 0; TEST_LOOP(word < 4, 2, "word", word); word++) {
                struct fixture *fixture = set_up(layouts[l], 5, sizeof(uint64_t), 1000);
                struct quoit_ring_shm *shm = &fixture->shm;
                quoit_atomic_u64 *const words[] = {&shm->tail, &shm->head, &shm->committed_below,
                                                   &shm->finished};
                uint64_t value = 0, count;
                void *room;
                const void *items;
                for (int round = 0; TEST_LOOP(round < 30, 3, "round", round); round++) {
                    atomic_store(words[word], spoiled[i]);
                    (void)push(fixture, (uint64_t)round % 8);
                    CHECK_LE(size_of(fixture), 5);
                    atomic_store(words[word], spoiled[i]);
                    if (round % 2)
                        (void)pop(fixture, &value);
                    atomic_store(words[word], spoiled[i]);
                    if (peek(fixture, &items, &count) == QUOIT_OK)
                        (void)layouts[l]->release(&fixture->consumer, &fixture->view, count / 2);
                    atomic_store(words[word], spoiled[i]);
                    if (claim(fixture, 9, &room, &count) == QUOIT_OK) {
                        memset(room, 1, (size_t)count * sizeof(uint64_t));
                        (void)commit(fixture, count);
                    }
                }
                (void)quoit_spsc_check(&fixture->view);
                (void)layouts[l]->attach_producer(&fixture->producer, &fixture->view);
                (void)layouts[l]->attach_consumer(&fixture->consumer, &fixture->view);
                layouts[l]->init(&fixture->view, 0);
                tear_down(fixture);
            }
}

/* Counters that differ by more than the capacity are reported. */
static void counters_apart(void)
{
    for (int l = 0; TEST_LOOP_TEXT(l < LAYOUTS, 0, layout_names[l]); l++) {
        struct fixture *fixture = set_up(layouts[l], 5, sizeof(uint64_t), 1000);
        atomic_store(&fixture->shm.tail, 1006);
        CHECK_STATUS(quoit_spsc_check(&fixture->view), QUOIT_ERROR_CORRUPT);
        CHECK_STATUS(layouts[l]->attach_producer(&fixture->producer, &fixture->view),
                     QUOIT_ERROR_CORRUPT);
        CHECK_STATUS(layouts[l]->attach_consumer(&fixture->consumer, &fixture->view),
                     QUOIT_ERROR_CORRUPT);
        atomic_store(&fixture->shm.tail, 1000);
        atomic_store(&fixture->shm.finished, 2);
        CHECK_STATUS(quoit_spsc_check(&fixture->view), QUOIT_ERROR_CORRUPT);
        atomic_store(&fixture->shm.finished, 0);
        tear_down(fixture);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"exact_capacity", exact_capacity},
                                             {"wrap_around", wrap_around},
                                             {"every_size", every_size},
                                             {"batches", batches},
                                             {"in_place", in_place},
                                             {"hidden_items", hidden_items},
                                             {"claim_given_up", claim_given_up},
                                             {"finish_after_drain", finish_after_drain},
                                             {"attach_again", attach_again},
                                             {"half_done", half_done},
                                             {"spoiled_words", spoiled_words},
                                             {"counters_apart", counters_apart},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
