/* SPDX-License-Identifier: MIT */
/* The command's own reader of options returns the same as getopt_long, for random command lines.
   getopt_long of the C library is part of this test alone. */
#include "options.h"
#include "test.h"
#include "tool.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 6, ROUNDS = 20000, RESULTS = 32 };

char tool_text[TOOL_TEXT_ROOM];
static char program[] = "test";

int tool_end(int code)
{
    return code;
}

static const char short_letters[] = "ab:n:h";
static const struct option theirs[] = {
    {"all", no_argument, NULL, 'a'},       {"bytes", required_argument, NULL, 'b'},
    {"any-owner", no_argument, NULL, 'A'}, {"lines", required_argument, NULL, 'n'},
    {"linear", no_argument, NULL, 'L'},    {"line", required_argument, NULL, 'i'},
    {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};
static const struct tool_option ours[] = {
    {"all", false, 'a'},    {"bytes", true, 'b'}, {"any-owner", false, 'A'}, {"lines", true, 'n'},
    {"linear", false, 'L'}, {"line", true, 'i'},  {"help", false, 'h'},      {NULL, false, '\0'}};

static const char *const pieces[] = {
    "-a",      "-b",        "-b7",     "-ab",         "-abc",    "-n",        "-ha",
    "-x",      "-ax",       "-:",      "-",           "--",      "---",       "--all",
    "--a",     "--al",      "--an",    "--any-owner", "--l",     "--line",    "--lines",
    "--line=", "--lines=3", "--b=1=2", "--all=1",     "--bytes", "--nothing", "--=",
    "operand", "other",     "",        "--help",      "--he=1",  "-hb",       "-A"};
enum { PIECES = sizeof pieces / sizeof pieces[0] };

/* The result of a reader: the letters and the values, and the order of the arguments. */
struct reading {
    int letters[RESULTS];
    const char *values[RESULTS];
    int count, operand;
    char *argv[MOST + 2];
};

static void read_theirs(int argc, struct reading *out)
{
    static const char letters[] = ":ab:n:h";
    int letter;
    optind = 0; /* begins anew, in each C library that has getopt_long */
    opterr = 0;
    do {
        optarg = NULL;
        letter = getopt_long(argc, out->argv, letters, theirs, NULL);
        out->letters[out->count] = letter == ':' ? '?' : letter;
        out->values[out->count++] = letter == '?' || letter == ':' ? NULL : optarg;
    } while (letter != -1 && letter != '?' && letter != ':');
    out->operand = optind;
}

static void read_ours(int argc, struct reading *out)
{
    int letter;
    tool_option_restart();
    do {
        letter = tool_option_next(argc, out->argv, short_letters, ours);
        out->letters[out->count] = letter;
        out->values[out->count++] = letter == TOOL_OPTION_BAD ? NULL : tool_option_value;
    } while (letter != TOOL_OPTIONS_END && letter != TOOL_OPTION_BAD);
    out->operand = tool_operand;
}

static void print_line(int argc, char **argv, char out[256])
{
    out[0] = '\0';
    for (int i = 1; i < argc; i++) {
        (void)strcat(out, " ");
        (void)strcat(out, argv[i]);
    }
}

static void same_as_getopt_long(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct reading a = {.argv = {program}}, b = {.argv = {program}};
        int argc = 1 + (int)(test_random() % (MOST + 1));
        char line[256];
        for (int i = 1; i < argc; i++)
            a.argv[i] = b.argv[i] = (char *)(uintptr_t)pieces[test_random() % PIECES];
        print_line(argc, a.argv, line);
        TEST_CONTEXT("%.150s", line);
        read_theirs(argc, &a);
        read_ours(argc, &b);
        CHECK_EQ(a.count, b.count);
        for (int i = 0; i < a.count; i++) {
            CHECK_EQ(a.letters[i], b.letters[i]);
            CHECK_EQ(a.values[i], b.values[i]);
        }
        if (a.letters[a.count - 1] == '?')
            continue; /* the rest does not matter: the command ends */
        CHECK_EQ(a.operand, b.operand);
        for (int i = 0; i < argc; i++)
            CHECK_EQ(a.argv[i], b.argv[i]);
    }
}

/* Each refusal names the argument that it is about. */
static void refusals(void)
{
    static const struct {
        const char *arguments[3], *text;
    } cases[] = {{{"--all", "-xa", NULL}, "unknown option '-x'"},
                 {{"--all=3", "-a", NULL}, "option '--all=3' takes no value; omit it"},
                 {{"operand", "--byt", NULL}, "option '--byt' needs a value; pass one after it"},
                 {{"operand", "-ab", NULL}, "option '-ab' needs a value; pass one after it"},
                 {{"--lin", "-a", NULL}, "unknown or ambiguous option '--lin'"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *argv[] = {program, (char *)(uintptr_t)cases[i].arguments[0],
                        (char *)(uintptr_t)cases[i].arguments[1], NULL};
        int letter;
        TEST_CONTEXT("%s", cases[i].text);
        tool_option_restart();
        do
            letter = tool_option_next(3, argv, short_letters, ours);
        while (letter != TOOL_OPTIONS_END && letter != TOOL_OPTION_BAD);
        CHECK_EQ(letter, TOOL_OPTION_BAD);
        CHECK_EQ(tool_option_refuse(), TOOL_USAGE);
        CHECK_EQ(strcmp(tool_text, cases[i].text), 0);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"same_as_getopt_long", same_as_getopt_long}, {"refusals", refusals}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
