/* SPDX-License-Identifier: MIT */
/*
 * The shared format. The folder golden has an object of each kind, as each byte order stores it.
 * This version must read the objects of its own byte order, refuse the others, and still store the
 * same bytes. A line of a golden file is an offset and 16 bytes; lines of zeros are omitted.
 *
 * After a change of the format: QUOIT_GOLDEN_WRITE=1 golden_posix_test writes the files of this
 * machine's byte order (qemu-s390x runs the test for the other one).
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ITEMS = 3, CAPACITY = 4, LINE = 16, ROOM = 65536, BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

struct object {
    size_t bytes;
    unsigned char at[ROOM];
};

struct kind {
    const char *name;
    struct quoit_queue_options options; /* of a queue */
    void (*make)(const struct kind *kind, const char *name);
    void (*use)(const struct kind *kind, const char *name);
};

/* ---- The objects ----------------------------------------------------------------------------- */

/* Fills the item with a text that names it. Returns the length of its message. */
static size_t fill(char *item, size_t bytes, int number)
{
    char text[32];
    int length = snprintf(text, sizeof text, "item %d, and its end", number);
    memset(item, 0, bytes);
    memcpy(item, text, bytes < (size_t)length ? bytes : (size_t)length);
    return 6 + (size_t)number; /* "item N" and the next N characters */
}

/* Three items are pushed after one has been popped. */
static void make_queue(const struct kind *kind, const char *name)
{
    quoit_queue *queue;
    char item[64];
    uint32_t roles = kind->options.kind == QUOIT_BROADCAST ? BOTH | QUOIT_FROM_OLDEST : BOTH;
    CHECK_STATUS(quoit_queue_create(name, &kind->options, roles, &queue), QUOIT_OK);
    memcpy(quoit_queue_user_area(queue), "user's", 7);
    for (int i = 0; i <= ITEMS; i++) {
        size_t length = fill(item, sizeof item, i);
        if (!kind->options.messages)
            length = (size_t)kind->options.item_bytes;
        CHECK_STATUS(quoit_queue_push(queue, item, length, QUOIT_NOW), QUOIT_OK);
        if (i == 0)
            CHECK_STATUS(quoit_queue_pop(queue, item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
    }
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

/* A broadcast still has the item that one subscriber has popped. */
static void use_queue(const struct kind *kind, const char *name)
{
    quoit_queue *queue;
    char item[64], expected[64];
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER | QUOIT_FROM_OLDEST, &queue), QUOIT_OK);
    CHECK_STR((const char *)quoit_queue_user_area(queue), "user's");
    for (int i = kind->options.kind == QUOIT_BROADCAST ? 0 : 1; i <= ITEMS; i++) {
        size_t length = fill(expected, sizeof expected, i), size;
        CHECK_STATUS(quoit_queue_pop(queue, item, sizeof item, &size, QUOIT_NOW), QUOIT_OK);
        CHECK_EQ(size, kind->options.messages ? length : kind->options.item_bytes);
        CHECK(memcmp(item, expected, size) == 0);
    }
    CHECK_STATUS(quoit_queue_pop(queue, item, sizeof item, NULL, QUOIT_NOW), QUOIT_FINISHED);
    quoit_queue_close(queue);
}

static void make_pool(const struct kind *kind, const char *name)
{
    const struct quoit_pool_options options = {.block_bytes = 24, .blocks = CAPACITY};
    quoit_pool *pool;
    quoit_block blocks[2];
    (void)kind;
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_OK);
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(quoit_pool_alloc(pool, &blocks[i]), QUOIT_OK);
        memcpy(quoit_pool_at(pool, blocks[i]), "block", 6);
    }
    CHECK_STATUS(quoit_pool_free(pool, blocks[0]), QUOIT_OK);
    quoit_pool_close(pool);
}

/* The block that was not freed belongs to a member that has left. */
static void use_pool(const struct kind *kind, const char *name)
{
    quoit_pool *pool;
    quoit_block block;
    uint64_t count;
    (void)kind;
    CHECK_STATUS(quoit_pool_open(name, 0, &pool), QUOIT_OK);
    CHECK_EQ(quoit_pool_block_bytes(pool), 24);
    CHECK_EQ(quoit_pool_blocks(pool), CAPACITY);
    CHECK_EQ(quoit_pool_free_count(pool), CAPACITY - 1);
    CHECK_STATUS(quoit_pool_reclaim(pool, NULL, 0, &count), QUOIT_OK);
    CHECK_EQ(count, 1);
    for (int i = 0; i < CAPACITY; i++)
        CHECK_STATUS(quoit_pool_alloc(pool, &block), QUOIT_OK);
    CHECK_STATUS(quoit_pool_check(pool), QUOIT_OK);
    quoit_pool_close(pool);
}

static void make_lock(const struct kind *kind, const char *name)
{
    const struct quoit_lock_options options = {.permissions = 0600};
    quoit_lock *lock;
    (void)kind;
    CHECK_STATUS(quoit_lock_create(name, &options, 0, &lock), QUOIT_OK);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_OK);
    quoit_lock_close(lock);
}

static void use_lock(const struct kind *kind, const char *name)
{
    quoit_lock *lock;
    (void)kind;
    CHECK_STATUS(quoit_lock_open(name, 0, &lock), QUOIT_OK);
    CHECK_STATUS(quoit_lock_lock(lock, QUOIT_NOW), QUOIT_ABANDONED);
    CHECK_STATUS(quoit_lock_unlock(lock), QUOIT_OK);
    quoit_lock_close(lock);
}

static void make_region(const struct kind *kind, const char *name)
{
    const struct quoit_region_options options = {.data_bytes = 100};
    quoit_region *region;
    (void)kind;
    CHECK_STATUS(quoit_region_create(name, &options, 0, &region), QUOIT_OK);
    memcpy(quoit_region_data(region), "data", 5);
    quoit_region_close(region);
}

static void use_region(const struct kind *kind, const char *name)
{
    quoit_region *region;
    (void)kind;
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_OK);
    CHECK_STR((const char *)quoit_region_data(region), "data");
    quoit_region_close(region);
}

#define QUEUE(label, ...)          \
    {                              \
        label,                     \
            {.capacity = CAPACITY, \
             .user_bytes = 100,    \
             .members = 4,         \
             .type = "golden",     \
             __VA_ARGS__},         \
            make_queue, use_queue  \
    }
static const struct kind kinds[] = {
    QUEUE("spsc_slots", .item_bytes = 16),
    QUEUE("spsc_spans", .item_bytes = 40),
    QUEUE("spsc_bytes", .item_bytes = 40, .messages = true),
    QUEUE("mpmc", .kind = QUOIT_MPMC, .item_bytes = 40),
    QUEUE("mpmc_messages", .kind = QUOIT_MPMC, .item_bytes = 40, .messages = true),
    QUEUE("broadcast", .kind = QUOIT_BROADCAST, .item_bytes = 40),
    QUEUE("broadcast_lossy", .kind = QUOIT_BROADCAST, .item_bytes = 40,
          .when_full = QUOIT_DROP_OLDEST),
    {"pool", {.capacity = 0}, make_pool, use_pool},
    {"lock", {.capacity = 0}, make_lock, use_lock},
    {"region", {.capacity = 0}, make_region, use_region},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- The files ------------------------------------------------------------------------------- */

static bool is_little_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1;
}

static const char *golden_path(const struct kind *kind, bool little)
{
    static char path[500];
    (void)snprintf(path, sizeof path, "%s/%s.%s.txt", QUOIT_TEST_GOLDEN, kind->name,
                   little ? "little" : "big");
    return path;
}

static void load_object(const char *name, struct object *object)
{
    memset(object, 0, sizeof *object);
    FILE *file = fopen(test_path(name), "rb");
    CHECK(file != NULL);
    object->bytes = fread(object->at, 1, ROOM, file);
    CHECK_LT(object->bytes, ROOM);
    CHECK_EQ(fclose(file), 0);
}

static void load_golden(const struct kind *kind, bool little, struct object *object)
{
    unsigned long at;
    memset(object, 0, sizeof *object);
    FILE *file = fopen(golden_path(kind, little), "r");
    CHECK(file != NULL);
    CHECK_EQ(fscanf(file, "size %lx", &at), 1);
    object->bytes = at;
    CHECK_LT(object->bytes, ROOM);
    while (fscanf(file, "%lx:", &at) == 1)
        for (int i = 0; i < LINE; i++) {
            unsigned byte;
            CHECK_EQ(fscanf(file, "%2x", &byte), 1);
            CHECK_LT(at + LINE, object->bytes + 1);
            object->at[at + (unsigned long)i] = (unsigned char)byte;
        }
    CHECK_EQ(fclose(file), 0);
}

static void write_golden(const struct kind *kind, const struct object *object)
{
    static const unsigned char zeros[LINE] = {0};
    FILE *file = fopen(golden_path(kind, is_little_endian()), "w");
    CHECK(file != NULL);
    (void)fprintf(file, "size %lx\n", (unsigned long)object->bytes);
    for (unsigned long at = 0; at < object->bytes; at += LINE) {
        if (memcmp(object->at + at, zeros, LINE) == 0)
            continue;
        (void)fprintf(file, "%lx:", at);
        for (int i = 0; i < LINE; i++)
            (void)fprintf(file, " %02x", object->at[at + (unsigned long)i]);
        (void)fprintf(file, "\n");
    }
    CHECK_EQ(fclose(file), 0);
}

static void create_golden(const struct kind *kind, const char *name)
{
    struct object *object = malloc(sizeof *object);
    CHECK(object != NULL);
    kind->make(kind, name);
    load_object(name, object);
    write_golden(kind, object);
    free(object);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static const char *store(const struct object *object)
{
    const char *name = test_name("file");
    test_write_file(test_path(name), object->at, object->bytes);
    return name;
}

/* ---- What is the same in each object --------------------------------------------------------- */

/* FORMAT.md has these offsets: of the region header, and of the headers of queue, pool and lock,
   which begin behind it. */
enum {
    CONTENT = 12,
    CREATED = 24,
    CREATED_END = 37,
    CHECKSUM = 40,
    NAME_END = 256,
    HEADER = 384,
    QUEUE_EMPTY = HEADER + 64,
    QUEUE_CHECKSUM = HEADER + 184,
    POOL_ENTRIES = HEADER + 32,
    QUEUE_MEMBERS = HEADER + 32,
    POOL_MEMBERS = HEADER + 16,
    LOCK_MEMBERS = HEADER,
    MEMBER_BYTES = 64,
    JOINED_AT = 8
};
enum content { PLAIN, IS_QUEUE, IS_POOL, IS_LOCK };

static uint64_t word_at(const struct object *object, uint64_t at)
{
    uint64_t word;
    CHECK_LE(at + sizeof word, object->bytes);
    memcpy(&word, object->at + at, sizeof word);
    return word;
}

static void store_word(struct object *object, uint64_t at, uint64_t word)
{
    memcpy(object->at + at, &word, sizeof word);
}

/* Each queue has another mark for its empty slots. */
static void blank_queue(struct object *object)
{
    uint64_t empty = word_at(object, QUEUE_EMPTY);
    store_word(object, QUEUE_CHECKSUM, 0);
    for (uint64_t at = 0; empty != 0 && at < object->bytes; at += 8)
        if (word_at(object, at) == empty)
            store_word(object, at, 1);
}

/* The generations of a pool's blocks begin at the lowest 32 bits of the region's checksum. */
static void blank_pool(struct object *object, uint64_t checksum)
{
    uint64_t at = word_at(object, POOL_ENTRIES);
    for (int i = 0; i < CAPACITY; i++, at += 16)
        store_word(object, at, word_at(object, at) - (checksum << 32));
}

/* Blanks the times, the creator, the name, the checksums, and what depends on them. */
static void blank(struct object *object)
{
    uint32_t content;
    uint64_t checksum = word_at(object, CHECKSUM);
    memcpy(&content, object->at + CONTENT, sizeof content);
    memset(object->at + CREATED, 0, CREATED_END - CREATED);
    memset(object->at + CHECKSUM, 0, NAME_END - CHECKSUM);
    if (content == PLAIN)
        return;
    if (content == IS_QUEUE)
        blank_queue(object);
    if (content == IS_POOL)
        blank_pool(object, checksum);
    uint64_t members = word_at(object, content == IS_QUEUE  ? QUEUE_MEMBERS
                                       : content == IS_POOL ? POOL_MEMBERS
                                                            : LOCK_MEMBERS);
    for (uint64_t i = 0; i < CAPACITY; i++)
        store_word(object, members + i * MEMBER_BYTES + JOINED_AT, 0);
}

/* ---- The parts ------------------------------------------------------------------------------- */

static void golden_files_are_read(void)
{
    struct object *object = malloc(sizeof *object);
    CHECK(object != NULL);
    for (int i = 0; TEST_LOOP_TEXT(i < KINDS, 0, kinds[i].name); i++) {
        load_golden(&kinds[i], is_little_endian(), object);
        const char *name = store(object);
        kinds[i].use(&kinds[i], name);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
    free(object);
}

static void the_other_byte_order_is_refused(void)
{
    struct object *object = malloc(sizeof *object);
    CHECK(object != NULL);
    for (int i = 0; TEST_LOOP_TEXT(i < KINDS, 0, kinds[i].name); i++) {
        quoit_queue *queue;
        quoit_region *region;
        load_golden(&kinds[i], !is_little_endian(), object);
        const char *name = store(object);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &queue), QUOIT_ERROR_FORMAT);
        CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_FORMAT);
        CHECK_EQ(unlink(test_path(name)), 0);
    }
    free(object);
}

static void the_same_bytes_are_stored(void)
{
    struct object *golden = malloc(sizeof *golden), *object = malloc(sizeof *object);
    CHECK(golden && object);
    for (int i = 0; TEST_LOOP_TEXT(i < KINDS, 0, kinds[i].name); i++) {
        const char *name = test_name("file");
        kinds[i].make(&kinds[i], name);
        load_object(name, object);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        load_golden(&kinds[i], is_little_endian(), golden);
        blank(object);
        blank(golden);
        CHECK_EQ(object->bytes, golden->bytes);
        for (uint64_t at = 0; TEST_LOOP(at < golden->bytes, 1, "offset", at); at++)
            CHECK_EQ(object->at[at], golden->at[at]);
    }
    free(golden);
    free(object);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"golden_files_are_read", golden_files_are_read},
        {"the_other_byte_order_is_refused", the_other_byte_order_is_refused},
        {"the_same_bytes_are_stored", the_same_bytes_are_stored},
        {NULL, NULL}};
    for (int i = 0; getenv("QUOIT_GOLDEN_WRITE") && i < KINDS; i++)
        create_golden(&kinds[i], "file:/tmp/quoit-golden");
    return test_main(argc, argv, parts, NULL);
}
