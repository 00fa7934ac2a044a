/* SPDX-License-Identifier: MIT */
/* Objects without memory behind them: valid headers, and holes instead of the rest. They are
   refused without reading the holes, and can be removed. */
#include "test.h"

#include "sysv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096, LARGE = 1 << 24 };

struct head {
    uint8_t bytes[HEAD_BYTES];
    uint64_t size_bytes;
};

enum content { QUEUE, POOL, REGION, CONTENTS };

/* Returns the first bytes of a large object of that name, which is removed again. */
static struct head head_of(const char *name, enum content content)
{
    const struct quoit_queue_options queue_options = {
        .kind = QUOIT_MPMC, .item_bytes = 64, .capacity = LARGE / 64};
    const struct quoit_pool_options pool_options = {.block_bytes = 4096, .blocks = LARGE / 4096};
    const struct quoit_region_options region_options = {.size_bytes = LARGE};
    struct head head;
    quoit_queue *queue = NULL;
    quoit_pool *pool = NULL;
    quoit_region *region = NULL;
    if (content == QUEUE)
        CHECK_STATUS(quoit_queue_create(name, &queue_options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    else if (content == POOL)
        CHECK_STATUS(quoit_pool_create(name, &pool_options, 0, &pool), QUOIT_OK);
    else
        CHECK_STATUS(quoit_region_create(name, &region_options, 0, &region), QUOIT_OK);
    quoit_region_close(region);
    CHECK_STATUS(quoit_region_open(name, QUOIT_OBSERVER, &region), QUOIT_OK);
    head.size_bytes = quoit_region_size(region);
    memcpy(head.bytes, quoit_region_at(region, 0, HEAD_BYTES), HEAD_BYTES);
    quoit_region_close(region);
    quoit_queue_close(queue);
    quoit_pool_close(pool);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    return head;
}

static void refused(const char *name)
{
    quoit_queue *queue;
    quoit_pool *pool;
    quoit_region *region;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_CORRUPT);
    CHECK(strstr(test_sentence(), "have no memory"));
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &queue), QUOIT_ERROR_CORRUPT);
    CHECK_STATUS(quoit_pool_open(name, QUOIT_OBSERVER, &pool), QUOIT_ERROR_CORRUPT);
    CHECK_STATUS(quoit_pool_open(name, 0, &pool), QUOIT_ERROR_CORRUPT);
    CHECK_STATUS(quoit_region_open(name, QUOIT_OBSERVER, &region), QUOIT_ERROR_CORRUPT);
    CHECK_STATUS(quoit_unlink_abandoned(name, 0), QUOIT_ERROR_CORRUPT);
}

static const char *path_of(const char *name)
{
    static char path[400];
    bool is_file = strncmp(name, "file:", 5) == 0;
    (void)snprintf(path, sizeof path, "%s%s", is_file ? "" : "/dev/shm/", test_path(name));
    return path;
}

static void make_sparse(const char *path, const struct head *head, size_t count)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && pwrite(fd, head->bytes, count, 0) == (ssize_t)count);
    CHECK(ftruncate(fd, (off_t)head->size_bytes) == 0);
    CHECK(close(fd) == 0);
}

static void sparse_files(void)
{
    static const char *const schemes[] = {"file", "posix"};
    for (int i = 0; TEST_LOOP_TEXT(i < (test_plain_posix ? 1 : 2), 0, schemes[i]); i++)
        for (int content = 0; TEST_LOOP(content < CONTENTS, 1, "content", content); content++) {
            const char *name = test_name(schemes[i]), *path = path_of(name);
            struct stat file;
            struct head head = head_of(name, (enum content)content);
            make_sparse(path, &head, HEAD_BYTES);
            CHECK(stat(path, &file) == 0);
            refused(name);
            blkcnt_t before = file.st_blocks;
            CHECK(stat(path, &file) == 0);
            CHECK_EQUAL(file.st_blocks, before); /* no hole was read */
            CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
            CHECK(stat(path, &file) != 0);
        }
}

/* Sparse files of other programs are not removed. */
static void foreign_sparse_file(void)
{
    const char *name = test_name("file"), *path = path_of(name);
    const struct head head = {.bytes = "a virtual disk", .size_bytes = LARGE};
    make_sparse(path, &head, HEAD_BYTES);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    make_sparse(path, &head, 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    CHECK(unlink(path) == 0);
}

/* Reserved memory that was never written is not a hole. */
static void reserved_is_whole(void)
{
    for (int i = 0; test_schemes[i]; i++) {
        const char *name = test_name(test_schemes[i]);
        const struct quoit_region_options options = {.size_bytes = LARGE};
        quoit_region *region, *second;
        CHECK_STATUS(quoit_region_create(name, &options, 0, &region), QUOIT_OK);
        CHECK_STATUS(quoit_region_open(name, 0, &second), QUOIT_OK);
        quoit_region_close(second);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

static void sparse_segment(void)
{
    const char *name = test_name("sysv");
    uint32_t key;
    if (test_plain_posix || access("/proc/sysvipc/shm", R_OK) != 0) {
        (void)printf("  left out: the system does not say what memory a segment has\n");
        return;
    }
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    struct head head = head_of(name, QUEUE);
    int id = shmget((key_t)key, (size_t)head.size_bytes, IPC_CREAT | IPC_EXCL | 0600);
    void *base = shmat(id, NULL, 0);
    CHECK(id >= 0 && (intptr_t)base != -1);
    memcpy(base, head.bytes, HEAD_BYTES);
    CHECK(shmdt(base) == 0);
    refused(name);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK_EQ(shmget((key_t)key, 0, 0), -1);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"sparse_files", sparse_files},
                                             {"foreign_sparse_file", foreign_sparse_file},
                                             {"reserved_is_whole", reserved_is_whole},
                                             {"sparse_segment", sparse_segment},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
