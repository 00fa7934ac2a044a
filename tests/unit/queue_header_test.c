/* SPDX-License-Identifier: MIT */
/* A queue's header in shared memory: no field is used before it is checked. */
#include "test.h"

#include "hash.h"
#include "queue_shm.h"

#include <stdio.h>
#include <string.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

static quoit_queue *create(const char *name)
{
    static const struct quoit_queue_options five = {.item_bytes = 16, .capacity = 5};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &five, BOTH, &queue), QUOIT_OK);
    return queue;
}

/* Each byte of the queue's own header is flipped: the queue is refused, or opens unchanged. */
static void flipped_header(void)
{
    const char *name = test_name("file");
    quoit_queue *queue = create(name);
    quoit_queue_close(queue);
    FILE *file = fopen(strchr(name, ':') + 1, "r+b");
    CHECK(file);
    for (long at = 384; TEST_LOOP(at < 384 + (long)sizeof(struct quoit_queue_shm), 0, "byte", at);
         at++)
        for (int bit = 0; TEST_LOOP(bit < 8, 1, "bit", bit); bit++) {
            CHECK_EQ(fseek(file, at, SEEK_SET), 0);
            int byte = fgetc(file);
            CHECK(fseek(file, at, SEEK_SET) == 0 && fputc(byte ^ 1 << bit, file) != EOF);
            CHECK_EQ(fflush(file), 0);
            CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), QUOIT_ERROR_CORRUPT);
            CHECK(fseek(file, at, SEEK_SET) == 0 && fputc(byte, file) != EOF && fflush(file) == 0);
        }
    CHECK_EQ(fclose(file), 0);
    CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* A header with a valid checksum and impossible values: each value is checked too. */
static void signed_nonsense(void)
{
    static const struct {
        size_t at, bytes;
        uint64_t value;
    } lies[] = {
#define LIE(field, value) \
    {offsetof(struct quoit_queue_shm, field), sizeof(((struct quoit_queue_shm *)0)->field), value}
        LIE(kind, 9),
        LIE(item_bytes, 0),
        LIE(item_bytes, UINT32_MAX),
        LIE(capacity, 0),
        LIE(capacity, 100000),
        LIE(capacity, UINT64_MAX),
        LIE(members_offset, 0),
        LIE(members_offset, 8192),
        LIE(members_offset, UINT64_MAX - 127),
        LIE(ring_offset, 64),
        LIE(ring_offset, 8192),
        LIE(slots_offset, 8192),
        LIE(slots_offset, 8200),
        LIE(slots_offset, UINT64_MAX - 127),
        LIE(user_bytes, 64),
        LIE(messages, 2),
        LIE(item_align, 0),
        LIE(item_align, 3),
        LIE(item_align, 4096),
        LIE(finishes, 0),
        LIE(item_bytes, UINT64_MAX),
        LIE(member_entries, 0),
        LIE(member_entries, 1000),
        LIE(member_entries, UINT32_MAX),
        LIE(layout, 2),
        LIE(layout, UINT32_MAX),
#undef LIE
    };
    const char *name = test_name("file");
    quoit_queue *queue = create(name);
    struct quoit_queue_shm right, lie;
    quoit_queue_close(queue);
    FILE *file = fopen(strchr(name, ':') + 1, "r+b");
    CHECK(file && fseek(file, 384, SEEK_SET) == 0 && fread(&right, sizeof right, 1, file) == 1);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        lie = right;
        const uint32_t half = (uint32_t)lies[i].value; /* in any byte order */
        if (lies[i].bytes == sizeof half)
            memcpy((char *)&lie + lies[i].at, &half, sizeof half);
        else
            memcpy((char *)&lie + lies[i].at, &lies[i].value, sizeof lies[i].value);
        lie.checksum = quoit_hash(QUOIT_HASH_START, &lie,
                                  offsetof(struct quoit_queue_shm, checksum));
        CHECK(fseek(file, 384, SEEK_SET) == 0 && fwrite(&lie, sizeof lie, 1, file) == 1);
        CHECK_EQ(fflush(file), 0);
        (void)snprintf(test_context, sizeof test_context, "lie %zu", i);
        quoit_status status = quoit_queue_open(name, BOTH, &queue);
        CHECK(status == QUOIT_ERROR_CORRUPT ||
              (status == QUOIT_ERROR_UNSUPPORTED && lies[i].at == 0));
    }
    test_context[0] = 0;
    CHECK_EQ(fclose(file), 0);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"flipped_header", flipped_header}, {"signed_nonsense", signed_nonsense}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
