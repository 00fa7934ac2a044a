/* SPDX-License-Identifier: MIT */
/* Reading the command lines of producer and consumer. */
#include "options.h"

#include "pause.h"
#include "product.h"

#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double seconds_max = 1e6;

static _Noreturn void refuse(const char *program, const char *option, const char *value,
                             const char *right)
{
    fprintf(stderr, "%s: %s '%s' is not valid: %s\n", program, option, value, right);
    exit(EXIT_BAD_USAGE);
}

static bool read_whole(const char *text, uint64_t *value_out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    *value_out = value;
    return is_number;
}

/* Reads a number at the beginning of text that ends before `until`. It must begin with a digit or a
   point: a sign or "nan" is refused. */
static bool read_real(const char *text, char until, double *value_out, const char **rest_out)
{
    char *end;
    *value_out = strtod(text, &end);
    *rest_out = end;
    bool begins_well = (text[0] >= '0' && text[0] <= '9') || text[0] == '.';
    return begins_well && end != text && *end == until && *value_out <= DBL_MAX;
}

static bool read_interval(const char *text, double *min_out, double *max_out)
{
    const char *rest;
    return read_real(text, ':', min_out, &rest) && read_real(rest + 1, '\0', max_out, &rest) &&
           *min_out <= *max_out && *max_out <= seconds_max;
}

static void read_option(int option, const char *value, struct settings *settings)
{
    const char *program = settings->program, *rest;
    switch (option) {
    case 'n':
        settings->name = value;
        break;
    case 'c':
        if (!read_whole(value, &settings->capacity) || settings->capacity == 0)
            refuse(program, "--capacity", value, "a whole number from 1 is");
        break;
    case 'N':
        if (!read_whole(value, &settings->count) || settings->count == 0)
            refuse(program, "--count", value, "a whole number from 1 is");
        break;
    case 'i':
        if (!read_interval(value, &settings->interval_min, &settings->interval_max))
            refuse(program, "--interval", value,
                   "MIN:MAX in seconds is, 0 <= MIN <= MAX <= 1000000, such as 0.5:1.5");
        break;
    case 'l':
        if (!read_real(value, '\0', &settings->loss, &rest) || settings->loss > 1)
            refuse(program, "--loss", value, "a probability from 0 to 1 is");
        break;
    case 's':
        if (!read_whole(value, &settings->seed))
            refuse(program, "--seed", value, "a whole number below 2^64 is");
        break;
    case 'y':
        settings->semaphore = strcmp(value, "semaphore") == 0;
        if (!settings->semaphore && strcmp(value, "atomic") != 0)
            refuse(program, "--sync", value, "atomic or semaphore is");
        break;
    default:
        break;
    }
}

enum { OPTIONS = 8 };

static const struct option {
    const char *name;
    int letter;
    bool is_producers; /* only the producer has it */
} all_options[OPTIONS] = {{"capacity", 'c', true}, {"loss", 'l', true},      {"name", 'n', false},
                          {"count", 'N', false},   {"interval", 'i', false}, {"seed", 's', false},
                          {"sync", 'y', false},    {"help", 'h', false}};

/* Returns the option that the argument names, up to a '='; NULL if this program has no such one. */
static const struct option *find_option(const struct program *program, const char *argument)
{
    size_t length = strcspn(argument, "=");
    for (const struct option *option = all_options; option < all_options + OPTIONS; option++)
        if (strlen(option->name) + 2 == length && memcmp(argument, "--", 2) == 0 &&
            memcmp(argument + 2, option->name, length - 2) == 0 &&
            (program->makes || !option->is_producers))
            return option;
    return NULL;
}

static _Noreturn void refuse_option(const char *program, const char *option, const char *fault)
{
    fprintf(stderr, "%s: %s '%s'\nTry '%s --help'.\n", program, fault, option, program);
    exit(EXIT_BAD_USAGE);
}

static _Noreturn void show_help(const struct program *program)
{
    (void)fputs(program->help, stdout);
    exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Reads the option at argv[at], --name VALUE or --name=VALUE. Returns the next one's index. */
static int read_next(const struct program *program, char **argv, int at, struct settings *settings)
{
    const char *argument = argv[at];
    if (strncmp(argument, "--", 2) != 0 || !argument[2])
        refuse(program->name, "argument", argument, "options begin with --, see --help");
    const struct option *option = find_option(program, argument);
    if (!option)
        refuse_option(program->name, argument, "there is no option");
    const char *value = strchr(argument, '=');
    if (option->letter == 'h') {
        if (value)
            refuse_option(program->name, argument, "no value belongs to");
        show_help(program);
    }
    if (value) {
        read_option(option->letter, value + 1, settings);
        return at + 1;
    }
    if (!argv[at + 1])
        refuse_option(program->name, argument, "a value is missing after");
    read_option(option->letter, argv[at + 1], settings);
    return at + 2;
}

struct settings settings_read(const struct program *program, int argc, char **argv)
{
    struct settings settings = {.program = program->name,
                                .name = "products",
                                .capacity = PRODUCT_CAPACITY,
                                .count = UINT64_MAX,
                                .interval_min = program->interval_min,
                                .interval_max = program->interval_max,
                                .loss = 0.05,
                                .seed = pause_seed()};
    argv = arguments_utf8(argc, argv);
    for (int at = 1; at < argc;)
        at = read_next(program, argv, at, &settings);
    return settings;
}

void settings_pause(const struct settings *settings, double share)
{
    pause_for(settings->interval_min + share * (settings->interval_max - settings->interval_min));
}
