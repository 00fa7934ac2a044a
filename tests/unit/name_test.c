/* SPDX-License-Identifier: MIT */
/* Bad input: each fault has its own status, and a sentence that names the fault. */
#include "test.h"

#include <stdio.h>
#include <string.h>

static const struct quoit_queue_options good = {.item_bytes = 16, .capacity = 5};

/* Creating with these arguments returns that status and a NULL handle, and sets a sentence that
   contains the word. */
static void refused(const char *name, struct quoit_queue_options options, quoit_status expected,
                    const char *word)
{
    quoit_queue *queue = (quoit_queue *)(void *)&queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), expected);
    CHECK_EQ(queue, NULL);
    if (!strstr(test_sentence(), word))
        test_fail(__FILE__, __LINE__, "the sentence does not name '%s'", word);
    queue = (quoit_queue *)(void *)&queue;
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_PRODUCER, &queue), expected);
    CHECK_EQ(queue, NULL);
}

static void names(void)
{
    char longest[QUOIT_NAME_MAX + 2], path[5000];
    memset(longest, 'x', sizeof longest);
    longest[QUOIT_NAME_MAX + 1] = '\0';
    memset(path, 'x', sizeof path - 1);
    memcpy(path, "file:/", 6);
    path[sizeof path - 1] = '\0';

    refused("", good, QUOIT_ERROR_NAME, "empty");
    refused("file:", good, QUOIT_ERROR_NAME, "file:");
    refused(longest, good, QUOIT_ERROR_NAME, "201");
    refused(path, good, QUOIT_ERROR_NAME, "xxx");
    path[4500] = '\0';
    refused(path, good, QUOIT_ERROR_NAME, "xxx");
    refused("a/b", good, QUOIT_ERROR_NAME, "a/b");
    refused("/products", good, QUOIT_ERROR_NAME, "slash");
    refused("file:/tmp/", good, QUOIT_ERROR_NAME, "directory");
    refused("..", good, QUOIT_ERROR_NAME, "..");
    refused("a\nb", good, QUOIT_ERROR_NAME, "0x0a");
    refused("wrong:a", good, QUOIT_ERROR_NAME, "wrong");
    refused(":a", good, QUOIT_ERROR_NAME, ":a");
    refused("much-too-long-a-scheme:a", good, QUOIT_ERROR_NAME, "much-too-long");
    refused(NULL, good, QUOIT_ERROR_INVALID, "NULL");
    refused("file:/no/such/directory/q", good, QUOIT_ERROR_SYSTEM,
            "the directory '/no/such/directory' does not exist");
}

/* Names that one scheme has, tested on each scheme. */
static void names_of_every_scheme(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        char empty[32], slash[32];
        (void)snprintf(empty, sizeof empty, "%s:", test_schemes[i]);
        (void)snprintf(slash, sizeof slash, "%s:a/b", test_schemes[i]);
        refused(empty, good, QUOIT_ERROR_NAME, empty);
        if (strcmp(test_schemes[i], "file") != 0)
            refused(slash, good, QUOIT_ERROR_NAME, "a/b");
    }
}

static void longest_name(void)
{
    char longest[QUOIT_NATIVE_NAME_MAX + 1];
    quoit_queue *queue;
    int begin = snprintf(longest, sizeof longest, "qt-%u-", (unsigned)test_own_pid());
    memset(longest + begin, 'x', sizeof longest - (size_t)begin);
    longest[QUOIT_NATIVE_NAME_MAX] = '\0';
    CHECK_STATUS(quoit_queue_create(longest, &good, QUOIT_PRODUCER, &queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(longest, 0), test_after_close(longest));
}

static void options(void)
{
    struct quoit_queue_options bad = good;
    bad.capacity = 0;
    refused(test_name(""), bad, QUOIT_ERROR_INVALID, "capacity is 0");
    bad = good;
    bad.item_bytes = 0;
    refused(test_name(""), bad, QUOIT_ERROR_INVALID, "item_bytes is 0");
    bad = good;
    bad.capacity = UINT64_MAX / 8;
    refused(test_name(""), bad, QUOIT_ERROR_INVALID, "2305843009213693951");
    bad.capacity = UINT64_MAX;
    refused(test_name(""), bad, QUOIT_ERROR_INVALID, "18446744073709551615");
    bad = good;
    bad.item_bytes = UINT32_MAX;
    bad.capacity = UINT64_C(1) << 32;
    refused(test_name(""), bad, QUOIT_ERROR_INVALID, "4294967296");
    bad = good;
    bad.permissions = 01777;
    refused(test_name(""), bad, QUOIT_ERROR_INVALID, "01777");
    bad = good;
    bad.kind = (uint32_t)3;
    refused(test_name(""), bad, QUOIT_ERROR_UNSUPPORTED, "kind is 3");
}

/* More bytes than any machine has, on each scheme: returns NO_SPACE, and leaves nothing. */
static void no_space(void)
{
    struct quoit_queue_options huge = good;
    huge.capacity = UINT64_C(1) << 50;
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++)
        refused(test_name(test_schemes[i]), huge, QUOIT_ERROR_NO_SPACE, "reserve");
}

static void calls(void)
{
    quoit_queue *queue;
    const char *name = test_name("");
    CHECK_STATUS(quoit_queue_create(name, &good, 0, &queue), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_create(name, &good, 64, &queue), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_create(name, NULL, QUOIT_PRODUCER, &queue), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_create(name, &good, QUOIT_PRODUCER, NULL), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &queue), QUOIT_ERROR_NOT_FOUND);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
    quoit_queue_close(NULL);
    quoit_region_close(NULL);
    quoit_sem_close(NULL);
    CHECK_STATUS(quoit_queue_finish(NULL), QUOIT_ERROR_INVALID);
}

static bool is_here(const char *name)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++)
        if (strncmp(name, test_schemes[i], strlen(test_schemes[i])) == 0)
            return true;
    return false;
}

/* A known scheme that this system or this kind of object does not have. */
static void other_schemes(void)
{
    static const char *const known[] = {"posix:qt", "sysv:qt", "windows:qt"};
    quoit_sem *sem;
    const struct quoit_sem_options one = {.value = 1};
    int unsupported = 0;
    for (int i = 0; i < 3; i++) {
        if (is_here(known[i]))
            continue;
        refused(known[i], good, QUOIT_ERROR_UNSUPPORTED, known[i]);
        CHECK_STATUS(quoit_sem_create(known[i], &one, 0, &sem), QUOIT_ERROR_UNSUPPORTED);
        unsupported++;
    }
    CHECK_GT(unsupported, 0);
    CHECK_STATUS(quoit_sem_create("file:/tmp/qt", &one, 0, &sem), QUOIT_ERROR_UNSUPPORTED);
    CHECK_STATUS(quoit_sem_create("local:qt", &one, 0, &sem), QUOIT_ERROR_UNSUPPORTED);
    CHECK_STATUS(quoit_sem_create("wrong:qt", &one, 0, &sem), QUOIT_ERROR_NAME);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"names", names},
                                             {"names_of_every_scheme", names_of_every_scheme},
                                             {"longest_name", longest_name},
                                             {"options", options},
                                             {"no_space", no_space},
                                             {"calls", calls},
                                             {"other_schemes", other_schemes},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
