/* SPDX-License-Identifier: MIT */
/* An observer's copy of an item reads no byte behind the item, which ends where the mapping
   ends. */
#include "test.h"

#include "ring_ops.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LARGEST = 301, GUARD = 16 };

/* Maps two pages, of which the second cannot be read. Returns the address of the second. */
static uint8_t *make_pages(size_t page_bytes)
{
    char path[] = TEST_WATCHED_FILE "XXXXXX";
    int file = mkstemp(path);
    CHECK_GE(file, 0);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(ftruncate(file, (off_t)(2 * page_bytes)), 0);
    uint8_t *pages = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(pages != MAP_FAILED);
    CHECK_EQ(close(file), 0);
    CHECK_EQ(mprotect(pages + page_bytes, page_bytes, PROT_NONE), 0);
    return pages + page_bytes;
}

static void ends_with_the_item(void)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *end = make_pages(page_bytes), item[LARGEST], copy[LARGEST + GUARD];
    for (size_t bytes = 1; TEST_LOOP(bytes <= LARGEST, 0, "bytes", bytes); bytes++) {
        for (size_t i = 0; i < bytes; i++)
            item[i] = (uint8_t)(i + bytes);
        memcpy(end - bytes, item, bytes);
        memset(copy, 0, sizeof copy);
        quoit_ring_load(copy, end - bytes, bytes);
        CHECK_EQ(memcmp(copy, item, bytes), 0);
        for (size_t i = 0; i < GUARD; i++)
            CHECK_EQ(copy[bytes + i], 0);
    }
    CHECK_EQ(munmap(end - page_bytes, 2 * page_bytes), 0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"ends_with_the_item", ends_with_the_item},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
