/* SPDX-License-Identifier: MIT */
/* The portable half of the test support. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAMES_MAX = 4096, CHILDREN_MAX = 256 };

const char *test_program;

static char *names[NAMES_MAX];
static int name_count;
static bool is_second_process;
static test_process children[CHILDREN_MAX];
static int child_count;

static void remove_names(void)
{
    for (int i = 0; i < name_count; i++) {
        (void)quoit_queue_unlink(names[i]);
        (void)quoit_pool_unlink(names[i]);
        (void)quoit_region_unlink(names[i]);
        (void)quoit_sem_unlink(names[i]);
    }
}

void test_child_began(test_process process)
{
    if (child_count < CHILDREN_MAX)
        children[child_count++] = process;
}

void test_child_ended(test_process process)
{
    for (int i = 0; i < child_count; i++)
        if (children[i].id == process.id)
            children[i--] = children[--child_count];
}

/* Else they would go on for ever, and hold the test's output open. */
static void kill_children(void)
{
    for (int i = 0; i < child_count; i++)
        test_kill(children[i]);
}

char test_context[200];

void test_give_up(void)
{
    if (test_context[0])
        (void)fprintf(stderr, " [%s]", test_context);
    (void)fprintf(stderr, " [latest error text: %s]\n", quoit_error_text());
    kill_children();
    remove_names();
    exit(EXIT_FAILURE);
}

void test_skip(const char *reason)
{
    (void)printf("skipped: %s\n", reason);
    kill_children();
    remove_names();
    exit(TEST_SKIPPED);
}

void test_check_equal(const char *file, int line, const char *what, uint64_t actual,
                      uint64_t expected)
{
    if (actual != expected)
        test_fail(file, line, "%s is %llu, not %llu", what, (unsigned long long)actual,
                  (unsigned long long)expected);
}

void test_check_status(const char *file, int line, const char *what, quoit_status actual,
                       quoit_status expected)
{
    if (actual != expected)
        test_fail(file, line, "%s gives %s, not %s", what, quoit_status_name(actual),
                  quoit_status_name(expected));
    if (actual < 0 && !quoit_error_text()[0])
        test_fail(file, line, "%s gives %s without a sentence", what, quoit_status_name(actual));
}

const char *test_name(const char *scheme)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s%sqt-%u-%u-%d", scheme, scheme[0] ? ":" : "",
                   (unsigned)test_own_pid(), (unsigned)time(NULL), name_count);
    return test_remember(name);
}

const char *test_remember(const char *name)
{
    if (name_count == NAMES_MAX)
        test_fail(__FILE__, __LINE__, "more than %d names", NAMES_MAX);
    char *kept = malloc(strlen(name) + 1);
    if (!kept)
        test_fail(__FILE__, __LINE__, "out of memory");
    (void)strcpy(kept, name);
    names[name_count++] = kept;
    return kept;
}

void *test_share(const char *name, uint64_t size_bytes, quoit_region **region_out)
{
    const struct quoit_region_options options = {.size_bytes = size_bytes + 64};
    uint64_t offset;
    CHECK_STATUS(quoit_region_create(name, &options, region_out), QUOIT_OK);
    CHECK_STATUS(quoit_region_allocate(*region_out, size_bytes, 64, &offset), QUOIT_OK);
    CHECK_STATUS(quoit_region_set_root(*region_out, offset), QUOIT_OK);
    return quoit_region_at(*region_out, offset, size_bytes);
}

void *test_shared(const char *name, uint64_t size_bytes, quoit_region **region_out)
{
    CHECK_STATUS(quoit_region_open(name, 0, region_out), QUOIT_OK);
    void *memory = quoit_region_at(*region_out, quoit_region_root(*region_out), size_bytes);
    CHECK(memory != NULL);
    return memory;
}

const char *test_path(const char *name)
{
    return strchr(name, ':') + 1;
}

void test_write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, count, file) == count && fclose(file) == 0);
}

quoit_status test_after_close(const char *name)
{
    return test_outlives_handles(name) ? QUOIT_OK : QUOIT_NOT_FOUND;
}

void test_untouched(const char *name, quoit_status expected)
{
    const struct quoit_region_options small = {.size_bytes = 10000};
    quoit_region *region;
    CHECK_STATUS(quoit_region_open(name, 0, &region), expected);
    CHECK_STATUS(quoit_region_open(name, QUOIT_READ_ONLY, &region), expected);
    CHECK_STATUS(quoit_region_create(name, &small, &region), QUOIT_EXISTS);
    CHECK_STATUS(quoit_region_unlink(name), expected);
    CHECK_STATUS(quoit_queue_unlink(name), expected);
}

static bool is_there(const char *name)
{
    quoit_region *region;
    quoit_sem *sem;
    quoit_status status = quoit_region_open(name, QUOIT_READ_ONLY | QUOIT_ANY_OWNER, &region);
    if (status == QUOIT_OK)
        quoit_region_close(region);
    bool region_is = status != QUOIT_NOT_FOUND;
    status = quoit_sem_open(name, QUOIT_ANY_OWNER, &sem);
    if (status == QUOIT_OK)
        quoit_sem_close(sem);
    return region_is || (status != QUOIT_NOT_FOUND && status != QUOIT_UNSUPPORTED);
}

static void check_names_gone(void)
{
    for (int i = 0; i < name_count; i++)
        if (is_there(names[i]))
            test_fail(__FILE__, __LINE__, "'%s' was left behind", names[i]);
    for (int i = 0; i < name_count; i++)
        free(names[i]);
    name_count = 0;
}

static int run_role(const struct test_role *roles, char **argv)
{
    is_second_process = true;
    for (; roles && roles->name; roles++)
        if (strcmp(roles->name, argv[2]) == 0) {
            roles->run(argv + 3);
            return EXIT_SUCCESS;
        }
    test_fail(__FILE__, __LINE__, "no role '%s'", argv[2]);
}

int test_main(int argc, char **argv, const struct test_part *parts, const struct test_role *roles)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 4096);
    argv = test_begin(argc, argv);
    test_program = argv[0];
    if (argc > 2 && strcmp(argv[1], "--role") == 0)
        return run_role(roles, argv);
    int descriptors = test_open_descriptors(), ran = 0;
    for (; parts->name; parts++) {
        if (argc > 1 && strcmp(argv[1], parts->name) != 0)
            continue;
        (void)printf("%s\n", parts->name);
        (void)fflush(stdout);
        parts->run();
        ran++;
        CHECK_EQUAL(test_open_descriptors(), descriptors);
    }
    check_names_gone();
    if (ran == 0)
        test_fail(__FILE__, __LINE__, "there is no part '%s'", argc > 1 ? argv[1] : "");
    return EXIT_SUCCESS;
}
