/* SPDX-License-Identifier: MIT */
/* The status table: names, sentences, and that each number is one code's. */
#include "test.h"

#include <string.h>

static const quoit_status all[] = {
#define NUMBER(name, number, sentence) name,
    QUOIT_STATUS_TABLE(NUMBER)
#undef NUMBER
};
enum { COUNT = sizeof all / sizeof all[0] };

static void names_and_sentences(void)
{
    CHECK_STR(quoit_status_name(QUOIT_FULL), "QUOIT_FULL");
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(strncmp(quoit_status_name(all[i]), "QUOIT_", 6), 0);
        CHECK_GT(strlen(quoit_status_text(all[i])), 5);
        for (int j = 0; j < i; j++) {
            CHECK_NE(strcmp(quoit_status_name(all[i]), quoit_status_name(all[j])), 0);
            CHECK_NE(strcmp(quoit_status_text(all[i]), quoit_status_text(all[j])), 0);
        }
    }
}

static void signs(void)
{
    CHECK_EQUAL(QUOIT_OK, 0);
    CHECK_GT(QUOIT_FULL, 0);
    CHECK_GT(QUOIT_EMPTY, 0);
    CHECK_GT(QUOIT_TIMEOUT, 0);
    CHECK_GT(QUOIT_CLOSED, 0);
    CHECK_LT(QUOIT_INVALID, 0);
    CHECK_LT(QUOIT_BUSY, 0);
    CHECK_LT(QUOIT_FORKED, 0);
}

static void unknown_number(void)
{
    CHECK_STR(quoit_status_name((quoit_status)999), "QUOIT_?");
    CHECK_NE(quoit_status_text((quoit_status)999), NULL);
}

/* Programs print error texts on terminals, and a name in one may be another user's choice. */
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
        CHECK(quoit_unlink(cases[i].name, 0) < 0);
        CHECK(strstr(quoit_error_text(), cases[i].shown) != NULL);
    }
    char name[400];
    memset(name, '\x9b', sizeof name); /* its escapes are longer than the text's room */
    name[sizeof name - 1] = '\0';
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_NAME_TOO_LONG);
    CHECK(strstr(quoit_error_text(), "\\x9b") != NULL && !strchr(quoit_error_text(), '\x9b'));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"names_and_sentences", names_and_sentences},
                                             {"signs", signs},
                                             {"unknown_number", unknown_number},
                                             {"names_are_made_printable", names_are_made_printable},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
