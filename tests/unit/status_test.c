/* SPDX-License-Identifier: MIT */
/* The statuses: their names and meanings, and the sentence that quoit_describe returns. */
#include "statuses.h"
#include "test.h"

#include <string.h>

static const struct {
    quoit_status status;
    int number;
    const char *name;
} all[] = {
#define STATUS(name, number) {name, number, #name},
    TEST_STATUSES(STATUS)
#undef STATUS
};
enum { COUNT = sizeof all / sizeof all[0] };

static void names_and_meanings(void)
{
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(all[i].status, all[i].number);
        CHECK_STR(quoit_status_name(all[i].status), all[i].name);
        CHECK_GT(strlen(quoit_describe(all[i].status)), 5);
        for (int j = 0; j < i; j++) {
            CHECK_NE(all[i].number, all[j].number);
            CHECK_NE(strcmp(quoit_describe(all[i].status), quoit_describe(all[j].status)), 0);
        }
    }
}

/* The list above is complete: no number near it has a name. */
static void no_others(void)
{
    for (int number = -100; number < 100; number++) {
        int found = 0;
        for (int i = 0; i < COUNT; i++)
            found += all[i].number == number;
        CHECK_EQ(strcmp(quoit_status_name((quoit_status)number), "QUOIT_?") != 0, found);
    }
}

/* Called in a thread that has had no failure. */
static void copy_meanings(void *meanings)
{
    for (int i = 0; i < COUNT; i++)
        (void)snprintf(((char(*)[200])meanings)[i], 200, "%s", quoit_describe(all[i].status));
}

/* Every status except that of the last failure has its plain meaning. */
static void check_only(quoit_status status, char meanings[COUNT][200])
{
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(strcmp(quoit_describe(all[i].status), meanings[i]) == 0, all[i].status != status);
}

static void never_stale(void)
{
    char meanings[COUNT][200];
    quoit_queue *queue;
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 1};
    uint64_t item = 0;
    test_thread_join(test_thread_start(copy_meanings, meanings));

    CHECK_STATUS_IS(quoit_sem_post(NULL), ==, QUOIT_ERROR_INVALID);
    check_only(QUOIT_ERROR_INVALID, meanings);
    CHECK_STATUS_IS(quoit_unlink("", 0), ==, QUOIT_ERROR_NAME);
    check_only(QUOIT_ERROR_NAME, meanings);
    /* Another failure with the same status replaces the sentence. */
    CHECK(strstr(quoit_describe(QUOIT_ERROR_NAME), "empty") != NULL);
    CHECK_STATUS_IS(quoit_unlink("nosuch:x", 0), ==, QUOIT_ERROR_NAME);
    CHECK(strstr(quoit_describe(QUOIT_ERROR_NAME), "nosuch") != NULL);

    /* Success and normal results do not change the sentence, and have none. */
    CHECK(quoit_queue_create("local:status", &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue) ==
          QUOIT_OK);
    CHECK_STATUS_IS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_NOW), ==, QUOIT_EMPTY);
    CHECK_STATUS_IS(quoit_queue_pop(queue, &item, sizeof item, NULL, 1), ==, QUOIT_EMPTY);
    CHECK_STATUS_IS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), ==, QUOIT_OK);
    CHECK_STATUS_IS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), ==, QUOIT_FULL);
    CHECK(strstr(quoit_describe(QUOIT_ERROR_NAME), "nosuch") != NULL);
    check_only(QUOIT_ERROR_NAME, meanings);
    CHECK_STR(quoit_describe(QUOIT_OK), "success");
    CHECK_STR(quoit_describe(QUOIT_TIMEOUT), "the timeout expired");
    CHECK_STATUS_IS(quoit_unlink("local:status", 0), ==, QUOIT_OK);
    quoit_queue_close(queue);
}

/* The sentence belongs to the calling thread. */
static void of_this_thread(void)
{
    char meanings[COUNT][200];
    CHECK_STATUS_IS(quoit_unlink("", 0), ==, QUOIT_ERROR_NAME);
    test_thread_join(test_thread_start(copy_meanings, meanings));
    check_only(QUOIT_ERROR_NAME, meanings);
}

static void signs(void)
{
    CHECK_EQUAL(QUOIT_OK, 0);
    CHECK_GT(QUOIT_FULL, 0);
    CHECK_GT(QUOIT_EMPTY, 0);
    CHECK_GT(QUOIT_TIMEOUT, 0);
    CHECK_GT(QUOIT_FINISHED, 0);
    CHECK_LT(QUOIT_ERROR_INVALID, 0);
    CHECK_LT(QUOIT_ERROR_BUSY, 0);
    CHECK_LT(QUOIT_ERROR_FORKED, 0);
}

static void unknown_number(void)
{
    CHECK_STR(quoit_status_name((quoit_status)999), "QUOIT_?");
    CHECK_GT(strlen(quoit_describe((quoit_status)999)), 5);
}

/* Programs print sentences on terminals, and another user may have chosen a name in one. */
static void names_are_made_printable(void)
{
    static const struct {
        const char *name, *shown;
    } cases[] = {
        {"posix:a\x9b\"/b", "a\\x9b\"/b"},
        {"posix:a\xc2\x9b/b", "a\\u009b/b"},
        {"posix:a\xe2\x80\xae/b", "a\\u202e/b"},
        {"posix:a\xf3\xa0\x81\x81/b", "a\\U000e0041/b"},
        {"posix:a\xed\xa0\x80/b", "a\\xed\\xa0\\x80/b"},
        {"posix:a\xc0\x9b/b", "a\\xc0\\x9b/b"},
        {"posix:a\xc3/b", "a\\xc3/b"},
        {"posix:caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/b",
         "caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/b"},
        {"a\x1b[m:b", "'a\\x1b[m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        quoit_status status = quoit_unlink(cases[i].name, 0);
        CHECK_LT(status, 0);
        CHECK(strstr(quoit_describe(status), cases[i].shown) != NULL);
    }
    char name[400];
    memset(name, '\x9b', sizeof name); /* its escapes are longer than the text's space */
    name[sizeof name - 1] = '\0';
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NAME);
    CHECK(strstr(test_sentence(), "\\x9b") != NULL && !strchr(test_sentence(), '\x9b'));
}

static void version(void)
{
    CHECK_EQ(QUOIT_VERSION, EXPECTED_VERSION);
    CHECK_EQ(quoit_version(), EXPECTED_VERSION);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"names_and_meanings", names_and_meanings},
                                             {"no_others", no_others},
                                             {"never_stale", never_stale},
                                             {"of_this_thread", of_this_thread},
                                             {"signs", signs},
                                             {"unknown_number", unknown_number},
                                             {"names_are_made_printable", names_are_made_printable},
                                             {"version", version},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
