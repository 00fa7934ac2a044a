/* SPDX-License-Identifier: MIT */
/* Options for the item's type and alignment and for the end of the stream; and the fields that
   later versions use. */
#include "test.h"

#include "queue_shm.h"

#include <stdlib.h>
#include <string.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };
struct pair {
    double x, y;
};
struct numbers {
    uint64_t first, second;
};
QUOIT_DEFINE_QUEUE(pair, struct pair);
QUOIT_DEFINE_QUEUE(numbers, struct numbers);

static void refused(struct quoit_queue_options options, quoit_status expected, const char *word)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(test_name(""), &options, BOTH, &queue), expected);
    CHECK(strstr(test_sentence(), word));
    CHECK_EQ(queue, NULL);
}

static void later_versions(void)
{
    const struct quoit_queue_options good = {.item_bytes = 16, .capacity = 4};
    struct quoit_queue_options bad = good;
    for (size_t i = 0; i < sizeof bad.reserved / sizeof *bad.reserved; i++) {
        bad = good;
        bad.reserved[i] = UINT64_C(1) << (i * 13);
        refused(bad, QUOIT_ERROR_INVALID, "reserved");
    }
    bad = good;
    bad.members = 65;
    refused(bad, QUOIT_ERROR_INVALID, "1 to 64");
    bad.kind = QUOIT_MPMC;
    bad.members = 4097;
    refused(bad, QUOIT_ERROR_INVALID, "1 to 4096");
    bad = good;
    bad.memory = 8;
    refused(bad, QUOIT_ERROR_UNSUPPORTED, "memory");
    bad = good;
    memset(bad.type, 'x', sizeof bad.type);
    refused(bad, QUOIT_ERROR_INVALID, "type");
    bad = good;
    bad.messages = 2;
    refused(bad, QUOIT_ERROR_INVALID, "messages");
    bad = good;
    bad.when_full = QUOIT_DROP_OLDEST; /* which SPSC does not have */
    refused(bad, QUOIT_ERROR_INVALID, "when_full");
}

/* Two types of the same size. */
static void types(void)
{
    const char *name = test_name("");
    struct pair_queue pairs;
    struct numbers_queue numbers;
    quoit_queue *queue;
    struct quoit_queue_options options = pair_options(4);
    CHECK_STATUS(pair_join(name, 4, QUOIT_PRODUCER, &pairs), QUOIT_OK);
    CHECK_STATUS(numbers_open(name, QUOIT_CONSUMER, &numbers), QUOIT_ERROR_DIFFERENT);
    CHECK(strstr(test_sentence(), "its item type is pair, but numbers"));
    CHECK(!numbers.queue);
    CHECK_STATUS(numbers_join(name, 4, QUOIT_CONSUMER, &numbers), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(numbers_from(pairs.queue, &numbers), QUOIT_ERROR_DIFFERENT);
    memset(options.type, 0, sizeof options.type); /* not given, so not checked */
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_CONSUMER, &queue), QUOIT_OK);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_STR(info.type, "pair");
    quoit_queue_close(queue);
    quoit_queue_close(pairs.queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    name = test_name("");
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
    CHECK_STATUS(numbers_from(queue, &numbers), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static const struct quoit_queue_options every_kind[] = {
    {.kind = QUOIT_SPSC},
    {.kind = QUOIT_MPMC},
    {.kind = QUOIT_BROADCAST},
    {.kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST},
    {.kind = QUOIT_SPSC, .messages = 1},
    {.kind = QUOIT_MPMC, .messages = 1},
    {.kind = QUOIT_BROADCAST, .messages = 1},
    {.kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST, .messages = 1},
};
enum { KINDS = sizeof every_kind / sizeof every_kind[0] };

/* Claims, commits, peeks and releases items of that size, or messages up to it, twice around the
   ring. Uses two handles, since a region may lie at different addresses. */
static void use_in_place(const struct quoit_queue_options *options)
{
    const char *name = test_name("");
    quoit_queue *queue, *consumer;
    void *room;
    const void *item;
    CHECK_STATUS(quoit_queue_create(name, options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &consumer), QUOIT_OK);
    for (size_t n = 0; n < 7; n++) {
        size_t bytes = (size_t)options->item_bytes, found;
        if (options->messages)
            bytes = n == 6 ? bytes : 1 + n * 5 % bytes;
        CHECK_STATUS(quoit_queue_claim(queue, bytes, &room, QUOIT_NOW), QUOIT_OK);
        CHECK_EQUAL((uintptr_t)room % options->item_align, 0);
        memset(room, (int)n + 1, bytes);
        CHECK_STATUS(quoit_queue_commit(queue, bytes), QUOIT_OK);
        CHECK_STATUS(quoit_queue_peek(consumer, &item, &found, QUOIT_NOW), QUOIT_OK);
        CHECK_EQUAL((uintptr_t)item % options->item_align, 0);
        CHECK_EQUAL(found, bytes);
        CHECK_EQ(*(const char *)item, (int)n + 1);
        CHECK_EQ(((const char *)item)[bytes - 1], (int)n + 1);
        CHECK_STATUS(quoit_queue_release(consumer), QUOIT_OK);
    }
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(consumer);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* Items and messages in place lie at multiples of the alignment, from any position of the ring. */
static void alignments(void)
{
    static const uint64_t sizes[] = {16, 64, 4096}; /* slots and spans */
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (int i = 0; TEST_LOOP(i < 3, 1, "size", sizes[i]); i++)
            for (uint32_t align = 1; TEST_LOOP(align <= sizes[i], 2, "align", align); align *= 2) {
                struct quoit_queue_options options = every_kind[kind];
                options.item_bytes = sizes[i];
                options.capacity = 3;
                options.item_align = align;
                use_in_place(&options);
                options.item_bytes = 13; /* a message's size need not be a multiple */
                if (options.messages)
                    use_in_place(&options);
            }
}

struct vectors { /* two vectors of a processor with vectors of 16 bytes */
    _Alignas(16) float lanes[2][4];
};
QUOIT_DEFINE_QUEUE(vectors, struct vectors);

/* A typed claim returns memory with the alignment of the type, for every kind. */
static void typed_alignments(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        struct quoit_queue_options options = vectors_options(4);
        if (every_kind[kind].messages)
            continue;
        options.kind = every_kind[kind].kind;
        options.when_full = every_kind[kind].when_full;
        const char *name = test_name("");
        quoit_queue *queue;
        struct vectors_queue typed;
        struct vectors *room;
        const struct vectors *item;
        CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
        CHECK_STATUS(vectors_from(queue, &typed), QUOIT_OK);
        for (int n = 0; n < 9; n++) {
            CHECK_STATUS(vectors_claim(typed, &room, QUOIT_NOW), QUOIT_OK);
            CHECK_EQUAL((uintptr_t)room % _Alignof(struct vectors), 0);
            room->lanes[1][3] = (float)n;
            CHECK_STATUS(vectors_commit(typed), QUOIT_OK);
            CHECK_STATUS(vectors_peek(typed, &item, QUOIT_NOW), QUOIT_OK);
            CHECK_EQUAL((uintptr_t)item % _Alignof(struct vectors), 0);
            CHECK_EQ((int)item->lanes[1][3], n);
            CHECK_STATUS(vectors_release(typed), QUOIT_OK);
        }
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* Without the option, items are aligned to the largest power of two up to 16 that divides their
   size, and messages to 8. */
static void usual_alignments(void)
{
    static const struct {
        uint64_t item_bytes;
        uint32_t expected;
    } sizes[] = {{1, 1}, {12, 4}, {24, 8}, {48, 16}, {64, 16}};
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (int i = 0; TEST_LOOP(i < 5, 1, "size", sizes[i].item_bytes); i++) {
            struct quoit_queue_options options = every_kind[kind];
            struct quoit_queue_info info;
            quoit_queue *queue;
            options.item_bytes = sizes[i].item_bytes;
            options.capacity = 2;
            const char *name = test_name("");
            CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
            CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
            CHECK_EQUAL(info.item_align, options.messages ? 8 : sizes[i].expected);
            quoit_queue_close(queue);
            CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
        }
}

static void bad_alignments(void)
{
    const struct quoit_queue_options good = {.item_bytes = 48, .capacity = 4};
    static const uint32_t bad[] = {3, 8192, 32};
    struct quoit_queue_options options = good;
    for (int i = 0; i < 3; i++) {
        options.item_align = bad[i];
        refused(options, QUOIT_ERROR_INVALID, "item_align");
    }
    options.item_align = 32; /* not a multiple of it, for any kind */
    options.kind = QUOIT_MPMC;
    refused(options, QUOIT_ERROR_INVALID, "item_align");
    options = good;
    options.messages = 1;
    options.item_align = 8192;
    refused(options, QUOIT_ERROR_INVALID, "item_align");
    options = good;
    options.item_align = 16;
    const char *name = test_name("");
    quoit_queue *queue, *other;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    options.item_align = 8; /* the existing queue has a stricter one */
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_CONSUMER, &other), QUOIT_OK);
    quoit_queue_close(other);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    name = test_name("");
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    options.item_align = 16;
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_CONSUMER, &other), QUOIT_ERROR_DIFFERENT);
    CHECK(strstr(test_sentence(), "alignment"));
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static quoit_status push(quoit_queue *queue, uint64_t value)
{
    return quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW);
}

static quoit_status pop(quoit_queue *queue)
{
    uint64_t value;
    return quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW);
}

/* Two producers that both finish lose no item. */
static void two_finishes(void)
{
    const struct quoit_queue_options options = {
        .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 8, .finishes = 2};
    const char *name = test_name("");
    quoit_queue *first, *second, *third;
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &first), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &second), QUOIT_OK);
    CHECK_STATUS(push(first, 1), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(first), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(first), QUOIT_OK); /* counts once */
    CHECK_STATUS(push(first, 2), QUOIT_FINISHED);
    CHECK_STATUS(quoit_queue_push(first, &(uint64_t){2}, 8, QUOIT_FOREVER), QUOIT_FINISHED);
    CHECK_STATUS(push(second, 3), QUOIT_OK);
    CHECK_STATUS(pop(first), QUOIT_OK);
    CHECK_STATUS(pop(first), QUOIT_OK);
    CHECK_STATUS(pop(first), QUOIT_EMPTY);
    quoit_queue_close(second); /* without finish it does not count; its successor may finish */
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &third), QUOIT_OK);
    CHECK_STATUS(push(third, 4), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(third), QUOIT_OK);
    CHECK_STATUS(push(third, 5), QUOIT_FINISHED);
    CHECK_STATUS(pop(first), QUOIT_OK);
    CHECK_STATUS(pop(first), QUOIT_FINISHED);
    quoit_queue_close(third);
    quoit_queue_close(first);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static const struct quoit_queue_options ended[] = {
    {.item_bytes = 8, .capacity = 4},
    {.item_bytes = 264, .capacity = 4},
    {.item_bytes = 8, .capacity = 4, .messages = 1},
    {.item_bytes = 8, .capacity = 4, .kind = QUOIT_MPMC},
    {.item_bytes = 8, .capacity = 4, .kind = QUOIT_BROADCAST},
    {.item_bytes = 8, .capacity = 4, .kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST}};
enum { ENDED = sizeof ended / sizeof ended[0] };

/* A producer that crashes between counting itself and marking the end. */
static void crash_in_finish(const char *name)
{
    quoit_region *region;
    struct quoit_queue_view view;
    CHECK_STATUS(quoit_region_attach(name, 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_queue_find(region, &view), QUOIT_OK);
    atomic_store(&view.ring.shm->finishes, 1);
    quoit_region_close(region);
}

static void crashed_finish(void)
{
    for (int i = 0; TEST_LOOP(i < ENDED, 0, "kind", i); i++) {
        const char *name = test_name("");
        quoit_queue *queue, *successor;
        char item[264] = {0};
        CHECK_STATUS(quoit_queue_create(name, &ended[i], QUOIT_CONSUMER, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop(queue, item, sizeof item, NULL, QUOIT_NOW), QUOIT_EMPTY);
        crash_in_finish(name);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &successor), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(successor, item, (size_t)ended[i].item_bytes, QUOIT_NOW),
                     QUOIT_FINISHED);
        quoit_queue_close(successor);
        CHECK_STATUS(quoit_queue_pop(queue, item, sizeof item, NULL, QUOIT_FOREVER),
                     QUOIT_FINISHED);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* The consumer's side of a handle, possibly in another thread, marks the end while the producer's
   side has a claim: the claim can still be committed. */
static void end_leaves_claims(void)
{
    for (uint32_t messages = 0; TEST_LOOP(messages < 2, 0, "messages", messages); messages++) {
        const struct quoit_queue_options options = {
            .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 4, .messages = messages};
        const char *name = test_name("");
        quoit_queue *queue;
        void *room;
        uint64_t item = 0;
        CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_claim(queue, 8, &room, QUOIT_NOW), QUOIT_OK);
        crash_in_finish(name);
        CHECK_STATUS(quoit_queue_pop(queue, &item, 8, NULL, QUOIT_NOW), QUOIT_EMPTY);
        memcpy(room, &(uint64_t){5}, 8);
        CHECK_STATUS(quoit_queue_commit(queue, 8), QUOIT_OK);
        CHECK_STATUS(quoit_queue_pop(queue, &item, 8, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_EQUAL(item, 5);
        CHECK_STATUS(quoit_queue_pop(queue, &item, 8, NULL, QUOIT_NOW), QUOIT_FINISHED);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"later_versions", later_versions},
                                             {"types", types},
                                             {"alignments", alignments},
                                             {"typed_alignments", typed_alignments},
                                             {"usual_alignments", usual_alignments},
                                             {"bad_alignments", bad_alignments},
                                             {"two_finishes", two_finishes},
                                             {"crashed_finish", crashed_finish},
                                             {"end_leaves_claims", end_leaves_claims},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
