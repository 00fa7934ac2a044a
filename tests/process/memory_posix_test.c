/* SPDX-License-Identifier: MIT */
/* Where a queue's memory is: touched beforehand, so that the first lap has no page fault; locked,
   or refused with the limit's name; in huge pages, or refused with what is missing. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, ITEM = 4096, CAPACITY = 2048, MOST_FAULTS = 64 };

static struct quoit_queue_options options_of(uint32_t memory)
{
    return (struct quoit_queue_options){
        .kind = QUOIT_MPMC, .item_bytes = ITEM, .capacity = CAPACITY, .memory = memory};
}

static long faults(void)
{
    struct rusage usage;
    CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_minflt + usage.ru_majflt;
}

/* Page faults of this process in one lap of these sides. */
static long lap(quoit_queue *queue, unsigned sides)
{
    static char item[ITEM];
    long before = faults();
    for (int i = 0; i < CAPACITY; i++) {
        if (sides & QUOIT_PRODUCER)
            CHECK_STATUS(quoit_queue_push(queue, item, ITEM, QUOIT_NOW), QUOIT_OK);
        if (sides & QUOIT_CONSUMER)
            CHECK_STATUS(quoit_queue_pop(queue, item, ITEM, NULL, QUOIT_NOW), QUOIT_OK);
    }
    return faults() - before;
}

static void check_info(const quoit_queue *queue, uint32_t memory)
{
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_EQ(info.memory, memory);
}

/* Both in the process that makes the queue and in one that opens it. */
static void prefault(void)
{
    if (getenv("QUOIT_TEST_EMULATOR"))
        return; /* its own faults are counted, too */
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        const struct quoit_queue_options plain = options_of(0),
                                         touched = options_of(QUOIT_PREFAULT);
        quoit_queue *maker, *opener;
        CHECK_STATUS(quoit_queue_create(name, &touched, QUOIT_PRODUCER, &maker), QUOIT_OK);
        check_info(maker, QUOIT_PREFAULT);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &opener), QUOIT_OK);
        CHECK_LT(lap(maker, QUOIT_PRODUCER), MOST_FAULTS);
        CHECK_LT(lap(opener, QUOIT_CONSUMER), MOST_FAULTS);
        quoit_queue_close(opener);
        quoit_queue_close(maker);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        /* A joiner may ask for it alone. */
        CHECK_STATUS(quoit_queue_create(name, &plain, QUOIT_PRODUCER, &maker), QUOIT_OK);
        CHECK_STATUS(quoit_queue_join(name, &touched, BOTH, &opener), QUOIT_OK);
        check_info(opener, 0);
        CHECK_LT(lap(opener, BOTH), MOST_FAULTS);
        quoit_queue_close(opener);
        quoit_queue_close(maker);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

#ifdef RLIMIT_MEMLOCK
/* A process that may lock one page: not root, which may lock any number. */
static void refuse_more_than_the_limit(void)
{
    const struct quoit_queue_options options = options_of(QUOIT_LOCK_MEMORY);
    quoit_queue *queue;
    struct rlimit limit;
    int status = -1;
    int pid = fork();
    if (pid == 0) {
        CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
        limit.rlim_cur = 4096;
        if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || (getuid() == 0 && setuid(65534) != 0))
            _exit(TEST_SKIPPED);
        bool refused = quoit_queue_create("local:memory", &options, BOTH, &queue) ==
                       QUOIT_ERROR_LIMIT;
        const char *text = quoit_describe(QUOIT_ERROR_LIMIT);
        _exit(refused && strstr(text, "RLIMIT_MEMLOCK") && strstr(text, "is 4096 bytes") ? 0 : 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(status == 0 || WEXITSTATUS(status) == TEST_SKIPPED);
}
#else
static void refuse_more_than_the_limit(void)
{
    (void)printf("  left out: this system has no such limit\n"); /* illumos and Solaris */
}
#endif

static void lock(void)
{
    const char *name = test_name("");
    const struct quoit_queue_options options = options_of(QUOIT_LOCK_MEMORY);
    quoit_queue *queue;
    quoit_status created = quoit_queue_create(name, &options, BOTH, &queue);
    CHECK_STATUS_ANY(created, QUOIT_OK, QUOIT_ERROR_LIMIT);
    if (created == QUOIT_OK) {
        check_info(queue, QUOIT_LOCK_MEMORY);
        (void)lap(queue, BOTH);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
    refuse_more_than_the_limit();
}

static void huge_pages(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]);
        const struct quoit_queue_options options = options_of(QUOIT_HUGE_PAGES | QUOIT_PREFAULT);
        quoit_queue *queue, *other;
        quoit_status status = quoit_queue_create(name, &options, BOTH, &queue);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_UNSUPPORTED, QUOIT_ERROR_NO_SPACE);
        if (status != QUOIT_OK) {
            CHECK(strstr(test_sentence(), "QUOIT_HUGE_PAGES"));
            (void)printf("  %s: %s\n", test_schemes[i], test_sentence());
            CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
            continue;
        }
        check_info(queue, QUOIT_HUGE_PAGES | QUOIT_PREFAULT);
        CHECK_STATUS(quoit_queue_open(name, BOTH, &other), QUOIT_OK);
        (void)lap(queue, QUOIT_PRODUCER);
        (void)lap(other, QUOIT_CONSUMER);
        CHECK_STATUS(quoit_queue_check(other), QUOIT_OK);
        quoit_queue_close(other);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* Pages of this process's address space. */
static long address_space(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld", &pages) == 1);
    CHECK_EQ(fclose(file), 0);
    return pages;
}

/* A file that a peer has made longer, by less than a page: moving its mapping leaves nothing
   behind. */
static void longer_file(void)
{
    const struct quoit_queue_options options = options_of(QUOIT_HUGE_PAGES);
    const char *name = test_name("posix");
    char path[200];
    quoit_queue *queue, *other;
    (void)snprintf(path, sizeof path, "/dev/shm/%s", test_path(name));
    if (getenv("QUOIT_TEST_EMULATOR")) {
        (void)printf("  left out: the address space is the emulator's, which also uses it\n");
        return;
    }
    if (test_plain_posix || quoit_queue_create(name, &options, BOTH, &queue) != QUOIT_OK) {
        (void)printf("  left out: no huge pages\n");
        return;
    }
    int file = open(path, O_RDWR | O_CLOEXEC);
    CHECK_GE(file, 0);
    CHECK_EQ(ftruncate(file, lseek(file, 0, SEEK_END) + 100), 0);
    CHECK_EQ(close(file), 0);
    for (long i = 0, before = 0; i < 8; i++) {
        CHECK_STATUS(quoit_queue_open(name, BOTH, &other), QUOIT_OK);
        quoit_queue_close(other);
        before = i == 0 ? address_space() : before; /* the first one may have grown the heap */
        CHECK_EQ(address_space(), before);
    }
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* Pools and regions take the same bits. */
static void pools_and_regions(void)
{
    const struct quoit_pool_options pool_options = {
        .block_bytes = ITEM, .blocks = CAPACITY, .memory = QUOIT_PREFAULT};
    const struct quoit_region_options region_options = {.data_bytes = ITEM * CAPACITY,
                                                        .memory = QUOIT_PREFAULT};
    const char *name = test_name("");
    quoit_pool *pool, *opener;
    quoit_region *region, *other;
    CHECK_STATUS(quoit_pool_create(name, &pool_options, 0, &pool), QUOIT_OK);
    CHECK_STATUS(quoit_pool_open(name, 0, &opener), QUOIT_OK);
    long before = faults();
    for (int i = 0; i < CAPACITY; i++) {
        quoit_block block;
        CHECK_STATUS(quoit_pool_alloc(i % 2 ? pool : opener, &block), QUOIT_OK);
        memset(quoit_pool_at(i % 2 ? pool : opener, block), i, ITEM);
    }
    CHECK(faults() - before < MOST_FAULTS || getenv("QUOIT_TEST_EMULATOR"));
    quoit_pool_close(opener);
    quoit_pool_close(pool);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_region_create(name, &region_options, 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_region_open(name, 0, &other), QUOIT_OK);
    before = faults();
    memset(quoit_region_data(region), 1, ITEM * CAPACITY);
    CHECK_EQ(memcmp(quoit_region_data(region), quoit_region_data(other), ITEM * CAPACITY), 0);
    CHECK(faults() - before < MOST_FAULTS || getenv("QUOIT_TEST_EMULATOR"));
    quoit_region_close(other);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"prefault", prefault},
                                             {"lock", lock},
                                             {"huge pages", huge_pages},
                                             {"longer file", longer_file},
                                             {"pools and regions", pools_and_regions},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
