/* SPDX-License-Identifier: MIT */
/* The options of the command line. */
#include "options.h"

#include "tool.h"

#include <string.h>

char *tool_option_value;
int tool_operand = 1;

/* A process reads one command line, so the state is static. Before `next` are the options that were
   read, and then `skipped` operands. */
static int next = 1, skipped;
static char *element;   /* the argument that is being read */
static char *letters;   /* the rest of a group such as -ab; NULL: none */
static char bad_letter; /* 0: a long option */
enum { UNKNOWN, NEEDS_VALUE, TAKES_NONE };
static int bad_because;

static int refuse(int because)
{
    bad_because = because;
    letters = NULL;
    return TOOL_OPTION_BAD;
}

/* Returns the next argument, and moves it in front of the operands that were skipped. */
static char *take(char **argv)
{
    char *taken = argv[next];
    char **to = argv + next - skipped;
    memmove(to + 1, to, (size_t)skipped * sizeof *to);
    *to = taken;
    next++;
    return taken;
}

static int end(void)
{
    tool_operand = next - skipped;
    return TOOL_OPTIONS_END;
}

/* Sets the value of an option that takes one: the rest of the argument, or the next argument. */
static bool take_value(int argc, char **argv, char *rest)
{
    tool_option_value = rest ? rest : next < argc ? take(argv) : NULL;
    return tool_option_value != NULL;
}

void tool_option_restart(void)
{
    next = tool_operand = 1;
    skipped = 0;
    letters = NULL;
}

static int read_letter(int argc, char **argv, const char *short_letters)
{
    char letter = *letters++;
    const char *known = letter == ':' ? NULL : strchr(short_letters, letter);
    char *rest = *letters ? letters : NULL;
    bad_letter = letter;
    if (!known)
        return refuse(UNKNOWN);
    letters = rest;
    if (known[1] != ':')
        return letter;
    letters = NULL;
    return take_value(argc, argv, rest) ? letter : refuse(NEEDS_VALUE);
}

/* NULL: there is none, or an abbreviation of several. */
static const struct tool_option *find(const struct tool_option *options, const char *name,
                                      size_t length)
{
    const struct tool_option *found = NULL;
    int count = 0;
    for (const struct tool_option *option = options; option->name; option++)
        if (strncmp(option->name, name, length) == 0) {
            if (strlen(option->name) == length)
                return option;
            found = option;
            count++;
        }
    return count == 1 ? found : NULL;
}

static int read_long(int argc, char **argv, const struct tool_option *options)
{
    char *name = element + 2, *value = strchr(name, '=');
    size_t length = value ? (size_t)(value - name) : strlen(name);
    const struct tool_option *option = find(options, name, length);
    bad_letter = '\0';
    if (!option)
        return refuse(UNKNOWN);
    if (!option->takes_value)
        return value ? refuse(TAKES_NONE) : option->letter;
    if (!take_value(argc, argv, value ? value + 1 : NULL))
        return refuse(NEEDS_VALUE);
    return option->letter;
}

int tool_option_next(int argc, char **argv, const char *short_letters,
                     const struct tool_option *options)
{
    tool_option_value = NULL;
    if (letters)
        return read_letter(argc, argv, short_letters);
    for (; next < argc && (argv[next][0] != '-' || argv[next][1] == '\0'); next++)
        skipped++;
    if (next >= argc)
        return end();
    element = take(argv);
    if (strcmp(element, "--") == 0)
        return end();
    if (element[1] == '-')
        return read_long(argc, argv, options);
    letters = element + 1;
    return read_letter(argc, argv, short_letters);
}

int tool_option_refuse(void)
{
    if (bad_because == NEEDS_VALUE)
        return tool_usage("option '%s' needs a value; pass one after it", element);
    if (bad_letter != '\0')
        return tool_usage("unknown option '-%c'", bad_letter);
    if (bad_because == TAKES_NONE)
        return tool_usage("option '%s' takes no value; omit it", element);
    return tool_usage("unknown or ambiguous option '%s'", element);
}
