/* SPDX-License-Identifier: MIT */
/* Semaphores in one process: counting, timeouts, names, and limits. */
#include "test.h"

#include "os.h"

#include <stdio.h>
#include <string.h>

static void counting(const char *name)
{
    const struct quoit_sem_options options = {.value = 2};
    quoit_sem *sem, *same;
    CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_ERROR_NOT_FOUND);
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &same), QUOIT_ERROR_EXISTS);
    CHECK_EQ(same, NULL);
    CHECK_STATUS(quoit_sem_open(name, 0, &same), QUOIT_OK);
    CHECK_EQUAL(test_sem_value(same), 2);
    CHECK_STATUS(quoit_sem_wait(sem, QUOIT_FOREVER), QUOIT_OK);
    CHECK_STATUS(quoit_sem_wait(same, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_sem_wait(sem, QUOIT_NOW), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_sem_post(same), QUOIT_OK);
    CHECK_EQUAL(test_sem_value(sem), 1);
    CHECK_STATUS(quoit_sem_wait(sem, 1), QUOIT_OK);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    quoit_sem_close(same);
    CHECK_STATUS(quoit_sem_join(name, &options, 0, &same), QUOIT_OK);
    quoit_sem_close(same);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
    CHECK_STATUS(quoit_sem_join(name, &options, 0, &sem), QUOIT_OK);
    CHECK_EQUAL(test_sem_value(sem), 2);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
}

static void every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++)
        counting(test_name(test_sem_schemes[i]));
}

static void timeouts(void)
{
    const struct quoit_sem_options options = {.value = 0};
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        const char *name = test_name(test_sem_schemes[i]);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
        uint64_t start = quoit_os_monotonic_ns();
        CHECK_STATUS(quoit_sem_wait(sem, 30000000), QUOIT_TIMEOUT);
        CHECK_GE(quoit_os_monotonic_ns() - start, 30000000); /* never early */
        CHECK_STATUS(quoit_sem_wait(sem, 0), QUOIT_TIMEOUT);
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
        CHECK_STATUS(quoit_sem_wait(sem, INT64_MAX), QUOIT_OK);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
    }
}

static void limits(const char *name, uint32_t largest, bool dies_with_its_name)
{
    struct quoit_sem_options options = {.value = largest + 1};
    quoit_sem *sem;
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_ERROR_INVALID);
    options.value = UINT32_MAX;
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_ERROR_INVALID);
    options.value = largest;
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_ERROR_LIMIT);
    uint32_t found = largest; /* macOS cannot read it */
    CHECK(quoit_sem_value(sem, &found) == QUOIT_OK || found == largest);
    CHECK_EQUAL(found, largest);
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
    quoit_status expected = dies_with_its_name ? QUOIT_ERROR_REMOVED : QUOIT_OK;
    CHECK_STATUS(quoit_sem_wait(sem, QUOIT_FOREVER), expected);
    CHECK_STATUS(quoit_sem_post(sem), expected);
    if (dies_with_its_name) {
        uint32_t value;
        CHECK_STATUS(quoit_sem_value(sem, &value), QUOIT_ERROR_REMOVED);
    }
    quoit_sem_close(sem);
}

static void limits_of_every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        bool is_sysv = strcmp(test_sem_schemes[i], "sysv") == 0;
        limits(test_name(test_sem_schemes[i]), is_sysv ? 32767 : 0x7fffffff, is_sysv);
    }
}

static void bad_options(const char *name)
{
    quoit_sem *sem;
    struct quoit_sem_options options = {.permissions = 07000};
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_ERROR_INVALID);
    options = (struct quoit_sem_options){.give_back = 7};
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_ERROR_INVALID);
    options = (struct quoit_sem_options){.reserved = {0, 1}};
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_ERROR_INVALID);
    options = (struct quoit_sem_options){.value = 1};
    CHECK_STATUS(quoit_sem_create(name, &options, QUOIT_OBSERVER, &sem), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_sem_unlink(name, QUOIT_OBSERVER), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_sem_create(name, &options, 0, NULL), QUOIT_ERROR_INVALID);
    options.give_back = 1;
    if (strncmp(name, "sysv", 4) != 0)
        CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_ERROR_UNSUPPORTED);
    CHECK_STATUS(quoit_sem_create(name, NULL, 0, &sem), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_sem_open(name, 1, &sem), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_sem_open("", 0, &sem), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_sem_open("a/b", 0, &sem), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_sem_wait(NULL, 0), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_sem_post(NULL), QUOIT_ERROR_INVALID);
}

static void bad_options_on_every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++)
        bad_options(test_name(test_sem_schemes[i]));
}

/* A semaphore without a handle exists with its value, or is gone, depending on its scheme. */
static void without_a_handle(void)
{
    const struct quoit_sem_options options = {.value = 3};
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        const char *name = test_name(test_sem_schemes[i]);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_open(name, 0, &sem), test_after_close(name));
        if (sem)
            CHECK_EQUAL(test_sem_value(sem), 4);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), test_after_close(name));
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"every_scheme", every_scheme},
        {"timeouts", timeouts},
        {"limits_of_every_scheme", limits_of_every_scheme},
        {"bad_options_on_every_scheme", bad_options_on_every_scheme},
        {"without_a_handle", without_a_handle},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
