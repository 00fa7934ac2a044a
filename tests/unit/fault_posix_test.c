/* SPDX-License-Identifier: MIT */
/* The quoit command's reading of truncated files: more pages than a process may have mappings. */
#include "fault.h"
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux allows 65530 mappings by default. */
enum { PAGES = 70000 };

static size_t page_bytes;

/* The file is empty, so the mapping takes only address space. at: the address, or NULL. */
static volatile char *map_empty_file(volatile char *at)
{
    char path[] = "/tmp/quoit-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && unlink(path) == 0);
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *base = mmap((void *)(uintptr_t)at, PAGES * page_bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | (at ? MAP_FIXED : 0), fd, 0);
    CHECK(base != MAP_FAILED && close(fd) == 0);
    return base;
}

/* With SIGBUS, qemu 7.2 passes a wrong address to 32-bit programs and to those of the other byte
   order. */
static bool addresses_are_right(void)
{
    const uint16_t one = 1;
    bool is_like_host = sizeof(void *) == 8 && *(const uint8_t *)&one == 1;
    return is_like_host || !getenv("QUOIT_TEST_EMULATOR");
}

static void check_reads(size_t step)
{
    if (!addresses_are_right())
        test_skip("this emulator gives a wrong address with SIGBUS");
    volatile char *base = map_empty_file(NULL);
    bool all_zeros = true;
    fault_begin();
    CHECK(!fault_seen());
    for (size_t i = 0; i < PAGES; i += step)
        all_zeros = all_zeros && base[i * page_bytes] == 0;
    CHECK(fault_seen());
    CHECK(fault_end());
    CHECK(all_zeros);
    fault_begin();
    CHECK(!fault_end());
    CHECK(munmap((void *)(uintptr_t)base, PAGES * page_bytes) == 0);
}

static void every_page(void)
{
    check_reads(1);
}

/* A ring whose slots take two pages each is read in this way. */
static void every_other_page(void)
{
    check_reads(2);
}

/* Under an emulator that reports a wrong address, the zeros do not end the faults. */
static void fault_again(char **arguments)
{
    (void)arguments;
    volatile char *base = map_empty_file(NULL);
    fault_begin();
    CHECK_EQ(base[0], 0);
    CHECK_EQ(map_empty_file(base), base);
    (void)base[0];
    exit(EXIT_SUCCESS);
}

static void ends_at_the_second_fault(void)
{
    if (!addresses_are_right())
        test_skip("this emulator gives a wrong address with SIGBUS");
    test_process process = test_spawn("fault_again", (const char *const[]){NULL});
    CHECK_EQ(test_wait(process), TEST_KILLED);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_page", every_page},
                                             {"every_other_page", every_other_page},
                                             {"ends_at_the_second_fault", ends_at_the_second_fault},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"fault_again", fault_again}, {NULL, NULL}};
    fault_begin(); /* which keeps a descriptor */
    CHECK(!fault_end());
    return test_main(argc, argv, parts, roles);
}
