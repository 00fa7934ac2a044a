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
    CHECK(strcmp(quoit_status_name(QUOIT_FULL), "QUOIT_FULL") == 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK(strncmp(quoit_status_name(all[i]), "QUOIT_", 6) == 0);
        CHECK(strlen(quoit_status_text(all[i])) > 5);
        for (int j = 0; j < i; j++) {
            CHECK(strcmp(quoit_status_name(all[i]), quoit_status_name(all[j])) != 0);
            CHECK(strcmp(quoit_status_text(all[i]), quoit_status_text(all[j])) != 0);
        }
    }
}

static void signs(void)
{
    CHECK_EQUAL(QUOIT_OK, 0);
    CHECK(QUOIT_FULL > 0 && QUOIT_EMPTY > 0 && QUOIT_TIMEOUT > 0 && QUOIT_CLOSED > 0);
    CHECK(QUOIT_INVALID < 0 && QUOIT_BUSY < 0 && QUOIT_FORKED < 0);
}

static void unknown_number(void)
{
    CHECK(strcmp(quoit_status_name((quoit_status)999), "QUOIT_?") == 0);
    CHECK(quoit_status_text((quoit_status)999) != NULL);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"names_and_sentences", names_and_sentences},
                                             {"signs", signs},
                                             {"unknown_number", unknown_number},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
