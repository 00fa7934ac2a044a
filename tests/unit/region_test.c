/* SPDX-License-Identifier: MIT */
/* Regions of every scheme: create, open, unlink, pieces, and files that are damaged or not
   Quoit's. */
#include "test.h"

#include "region_shm.h"

#include <stdio.h>
#include <string.h>

static const struct quoit_region_options small = {.size_bytes = 10000};

static quoit_region *create(const char *name)
{
    quoit_region *region;
    CHECK_STATUS(quoit_region_create(name, &small, 0, &region), QUOIT_OK);
    return region;
}

static void share_bytes(const char *name)
{
    quoit_region *a = create(name), *b;
    uint64_t offset;
    CHECK_STATUS(quoit_region_create(name, &small, 0, &b), QUOIT_ERROR_EXISTS);
    CHECK_EQ(b, NULL);
    CHECK_STATUS(quoit_region_open(name, 0, &b), QUOIT_OK);
    CHECK_EQUAL(quoit_region_root(b), 0);
    CHECK_STATUS(quoit_region_alloc(a, 6, 8, &offset), QUOIT_OK);
    memcpy(quoit_region_at(a, offset, 6), "hello", 6);
    CHECK_STATUS(quoit_region_set_root(a, offset), QUOIT_OK);
    CHECK_EQUAL(quoit_region_root(b), offset);
    CHECK_STR(quoit_region_at(b, offset, 6), "hello");
    CHECK_NE(quoit_region_at(a, offset, 6), quoit_region_at(b, offset, 6));

    /* The name is removed. Handles that are open stay on the same region, separate from a later one
       of that name. */
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
    quoit_region *c = create(name);
    CHECK_EQUAL(quoit_region_root(c), 0);
    memcpy(quoit_region_at(b, offset, 6), "world", 6);
    CHECK_STR(quoit_region_at(a, offset, 6), "world");
    quoit_region_close(a);
    quoit_region_close(b);
    quoit_region_close(c);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++)
        share_bytes(test_name(test_schemes[i]));
}

static void pieces(void)
{
    const char *name = test_name("");
    quoit_region *region = create(name);
    uint64_t offset, before = 0;
    CHECK_GE(quoit_region_size(region), 10000);
    for (uint64_t align = 1; TEST_LOOP(align <= 4096, 0, "align", align); align *= 2) {
        CHECK_STATUS(quoit_region_alloc(region, 3, align, &offset), QUOIT_OK);
        CHECK_EQUAL(offset % align, 0);
        CHECK_EQUAL((uintptr_t)quoit_region_at(region, offset, 3) % align, 0);
        CHECK(offset >= before + 3 || before == 0);
        before = offset;
    }
    CHECK_STATUS(quoit_region_alloc(region, 1, 3, &offset), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_alloc(region, 1, 8192, &offset), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_alloc(region, 0, 8, &offset), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_alloc(region, UINT64_MAX, 8, &offset), QUOIT_ERROR_NO_SPACE);
    uint64_t left = quoit_region_bytes_left(region);
    CHECK_STATUS(quoit_region_alloc(region, left + 1, 1, &offset), QUOIT_ERROR_NO_SPACE);
    CHECK_STATUS(quoit_region_alloc(region, left, 1, &offset), QUOIT_OK);
    CHECK_EQUAL(offset + left, quoit_region_size(region));
    CHECK_EQUAL(quoit_region_bytes_left(region), 0);
    CHECK_NE(quoit_region_at(region, offset, left), NULL);
    CHECK_EQ(quoit_region_at(region, offset, left + 1), NULL);
    CHECK_EQ(quoit_region_at(region, UINT64_MAX, 2), NULL);
    CHECK_STATUS(quoit_region_set_root(region, quoit_region_size(region)), QUOIT_ERROR_INVALID);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

struct shared {
    uint64_t count;
    char text[100];
};

/* The data exists and is zeroed before any process can see the region. Pieces lie behind it. */
static void data(void)
{
    const struct quoit_region_options options = {.data_bytes = sizeof(struct shared),
                                                 .size_bytes = 100};
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_region *a, *b, *reader;
        uint64_t offset;
        CHECK_STATUS(quoit_region_join(name, &options, 0, &a), QUOIT_OK);
        CHECK_STATUS(quoit_region_join(name, &options, 0, &b), QUOIT_OK);
        CHECK_STATUS(quoit_region_open(name, QUOIT_OBSERVER, &reader), QUOIT_OK);
        struct shared *mine = quoit_region_data(a), *theirs = quoit_region_data(b);
        const struct shared *seen = quoit_region_data(reader);
        CHECK_EQUAL(quoit_region_data_bytes(reader), sizeof(struct shared));
        CHECK_NE(mine, theirs);
        CHECK_EQ((uintptr_t)mine % 64, 0);
        CHECK_EQUAL(theirs->count, 0);
        mine->count = 7;
        memset(mine->text, 'x', sizeof mine->text);
        CHECK_EQUAL(theirs->count, 7);
        CHECK_EQUAL(seen->count, 7);
        CHECK_EQUAL(quoit_region_root(b), 0);
        CHECK_STATUS(quoit_region_alloc(b, 100, 1, &offset), QUOIT_OK);
        const char *piece = quoit_region_at(a, offset, 100);
        CHECK_GE(piece, (const char *)mine + sizeof *mine);
        for (int k = 0; k < 100; k++)
            CHECK_EQ(piece[k], 0);
        quoit_region_close(reader);
        quoit_region_close(b);
        quoit_region_close(a);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

static void without_data(void)
{
    const char *name = test_name("");
    quoit_region *region = create(name);
    CHECK_EQ(quoit_region_data(region), NULL);
    CHECK_EQUAL(quoit_region_data_bytes(region), 0);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    CHECK_EQ(quoit_region_data(NULL), NULL);
    CHECK_EQUAL(quoit_region_data_bytes(NULL), 0);
    CHECK_EQUAL(quoit_region_bytes_left(NULL), 0);
}

/* The options that join accepts for an existing region, and those that it refuses. */
static void joined(void)
{
    static const struct {
        struct quoit_region_options options;
        quoit_status status;
    } tries[] = {{{.data_bytes = 8, .size_bytes = 100}, QUOIT_OK},
                 {{.data_bytes = 8}, QUOIT_OK}, /* less space for pieces than the region has */
                 {{.data_bytes = 8, .size_bytes = 100, .permissions = 0660}, QUOIT_OK},
                 {{.data_bytes = 9, .size_bytes = 100}, QUOIT_ERROR_DIFFERENT},
                 {{.size_bytes = 100}, QUOIT_ERROR_DIFFERENT},
                 {{.data_bytes = 8, .size_bytes = 1 << 20}, QUOIT_ERROR_DIFFERENT},
                 {{.permissions = 0600}, QUOIT_ERROR_INVALID},
                 {{.data_bytes = 8, .permissions = 0700}, QUOIT_ERROR_INVALID},
                 {{.data_bytes = 8, .memory = 8}, QUOIT_ERROR_UNSUPPORTED},
                 {{.data_bytes = 8, .reserved = {0, 0, 0, 0, 1}}, QUOIT_ERROR_INVALID},
                 {{.data_bytes = UINT64_MAX}, QUOIT_ERROR_INVALID},
                 {{.data_bytes = 8, .size_bytes = UINT64_MAX}, QUOIT_ERROR_INVALID}};
    const char *name = test_name(""), *none = test_name("");
    quoit_region *region, *other;
    CHECK_STATUS(quoit_region_join(name, &tries[0].options, 0, &region), QUOIT_OK);
    for (size_t i = 0; TEST_LOOP(i < sizeof tries / sizeof tries[0], 0, "try", i); i++) {
        other = region;
        CHECK_STATUS(quoit_region_join(name, &tries[i].options, 0, &other), tries[i].status);
        if (tries[i].status != QUOIT_OK)
            CHECK_EQ(other, NULL);
        quoit_region_close(other);
        if (tries[i].status == QUOIT_ERROR_INVALID || tries[i].status == QUOIT_ERROR_UNSUPPORTED)
            CHECK_STATUS(quoit_region_create(none, &tries[i].options, 0, &other), tries[i].status);
    }
    CHECK_STATUS(quoit_region_join(name, NULL, 0, &other), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_create(name, NULL, 0, &other), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_join(name, &tries[0].options, 0, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_open(name, 0, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_join(NULL, &tries[0].options, 0, &other), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_join(name, &tries[0].options, QUOIT_OBSERVER, &other),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_create(none, &tries[0].options, QUOIT_PRODUCER, &other),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_region_join(name, &tries[0].options, QUOIT_ANY_OWNER, &other), QUOIT_OK);
    quoit_region_close(other);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static void asked_for_is_there(void)
{
    static const uint64_t sizes[] = {1, 4096 - 384, 4096, 1 << 20};
    for (int i = 0; i < 4; i++) {
        const char *name = test_name("");
        struct quoit_region_options options = {.size_bytes = sizes[i]};
        quoit_region *region;
        uint64_t offset;
        CHECK_STATUS(quoit_region_create(name, &options, 0, &region), QUOIT_OK);
        CHECK_STATUS(quoit_region_alloc(region, sizes[i], 1, &offset), QUOIT_OK);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

static void read_only(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_region *region = create(name), *reader;
        uint64_t offset;
        CHECK_STATUS(quoit_region_open(name, QUOIT_OBSERVER, &reader), QUOIT_OK);
        CHECK_STATUS(quoit_region_alloc(reader, 1, 1, &offset), QUOIT_ERROR_PERMISSION);
        CHECK_STATUS(quoit_region_set_root(reader, 8), QUOIT_ERROR_PERMISSION);
        quoit_region_close(reader);
        CHECK_STATUS(quoit_region_open(name, 8, &reader), QUOIT_ERROR_INVALID);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* A region without a handle exists with its content, or is gone, depending on its scheme. */
static void without_a_handle(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_region *region = create(name);
        CHECK_STATUS(quoit_region_set_root(region, 8), QUOIT_OK);
        quoit_region_close(region);
        CHECK_STATUS(quoit_region_open(name, 0, &region), test_after_close(name));
        if (test_outlives_handles(name))
            CHECK_EQUAL(quoit_region_root(region), 8);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* Files of other programs are refused, and not changed. */
static void foreign_file(void)
{
    static const char text[5000] = "not a region";
    static const size_t sizes[] = {0, 100, sizeof text};
    const char *name = test_name("file"), *path = test_path(name);
    for (int i = 0; i < 3; i++) {
        char after[sizeof text + 1];
        test_write_file(path, text, sizes[i]);
        test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
        FILE *file = fopen(path, "rb");
        CHECK(file);
        CHECK_EQ(fread(after, 1, sizeof after, file), sizes[i]);
        CHECK_EQ(fclose(file), 0);
        CHECK_EQ(memcmp(after, text, sizes[i]), 0);
    }
    CHECK_EQ(remove(path), 0);
}

static void put(FILE *file, long at, const void *bytes, size_t count)
{
    CHECK_EQ(fseek(file, at, SEEK_SET), 0);
    CHECK_EQ(fwrite(bytes, 1, count, file), count);
    CHECK_EQ(fflush(file), 0);
}

/* Each bit of each byte of the header: the region opens or is refused; it never crashes, and never
   opens with another size. */
static void flipped_header(void)
{
    const char *name = test_name("file");
    quoit_region *region = create(name);
    uint64_t size = quoit_region_size(region);
    quoit_region_close(region);
    FILE *file = fopen(test_path(name), "r+b");
    CHECK(file);
    for (long at = 0; TEST_LOOP(at < (long)sizeof(struct quoit_region_shm), 0, "at", at); at++)
        for (int bit = 0; TEST_LOOP(bit < 8, 1, "bit", bit); bit++) {
            uint64_t offset;
            uint8_t byte, flipped;
            CHECK_EQ(fseek(file, at, SEEK_SET), 0);
            CHECK_EQ(fread(&byte, 1, 1, file), 1);
            flipped = (uint8_t)(byte ^ 1 << bit);
            put(file, at, &flipped, 1);
            quoit_status status = quoit_region_open(name, 0, &region);
            if (at < 256)
                CHECK(status == QUOIT_ERROR_NOT_QUOIT || status == QUOIT_ERROR_FORMAT ||
                      status == QUOIT_ERROR_CORRUPT);
            if (status == QUOIT_OK) {
                CHECK_EQUAL(quoit_region_size(region), size);
                CHECK_LE(quoit_region_data_bytes(region), size - sizeof(struct quoit_region_shm));
                if (quoit_region_alloc(region, 8, 8, &offset) == QUOIT_OK)
                    CHECK_LE(offset + 8, size);
                (void)quoit_region_at(region, quoit_region_root(region), 1);
                quoit_region_close(region);
            }
            put(file, at, &byte, 1);
        }
    CHECK_EQ(fclose(file), 0);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static void other_version(void)
{
    const char *name = test_name("file");
    quoit_region *region = create(name);
    quoit_region_close(region);
    FILE *file = fopen(test_path(name), "r+b");
    CHECK(file);
    uint32_t version = 77;
    put(file, offsetof(struct quoit_region_shm, format), &version, 4);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_FORMAT);
    CHECK(strstr(test_sentence(), "format 77") && strstr(test_sentence(), "reads format 6"));
    version = 1;
    put(file, offsetof(struct quoit_region_shm, format), &version, 4);
    CHECK_EQ(fclose(file), 0);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static void truncated(void)
{
    const char *name = test_name("file");
    quoit_region *region = create(name);
    uint64_t size = quoit_region_size(region);
    quoit_region_close(region);
    test_truncate(test_path(name), size - 1);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_CORRUPT);
    test_truncate(test_path(name), 100);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(remove(test_path(name)), 0);

    /* A damaged region can still be removed. */
    quoit_region_close(create(name));
    test_truncate(test_path(name), size - 1);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* A queue is not a plain region, and a plain region is not a queue. */
static void other_content(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 4};
    const char *queue_name = test_name(""), *region_name = test_name("");
    quoit_queue *queue, *other;
    quoit_region *plain = create(region_name), *region;
    CHECK_STATUS(quoit_queue_create(queue_name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_region_open(queue_name, 0, &region), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_region_open(queue_name, QUOIT_OBSERVER, &region), QUOIT_OK);
    quoit_region_close(region);
    CHECK_STATUS(quoit_queue_open(region_name, QUOIT_PRODUCER, &other), QUOIT_ERROR_DIFFERENT);
    CHECK_STATUS(quoit_unlink(queue_name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_unlink(region_name, 0), QUOIT_OK);
    quoit_queue_close(queue);
    quoit_region_close(plain);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_scheme", every_scheme},
                                             {"pieces", pieces},
                                             {"data", data},
                                             {"without_data", without_data},
                                             {"joined", joined},
                                             {"asked_for_is_there", asked_for_is_there},
                                             {"read_only", read_only},
                                             {"without_a_handle", without_a_handle},
                                             {"foreign_file", foreign_file},
                                             {"flipped_header", flipped_header},
                                             {"other_version", other_version},
                                             {"truncated", truncated},
                                             {"other_content", other_content},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
