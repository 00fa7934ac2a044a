/* SPDX-License-Identifier: MIT */
/* Reading the command lines of producer and consumer. */
#include "options.h"

#include "pause.h"
#include "product.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
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

/* A number from the beginning of text that ends before `until`; digits or a point first, so no
   sign, no "nan". */
static bool read_real(const char *text, char until, double *value_out, const char **rest_out)
{
    char *end;
    *value_out = strtod(text, &end);
    *rest_out = end;
    bool begins_well = (text[0] >= '0' && text[0] <= '9') || text[0] == '.';
    return begins_well && end != text && *end == until && isfinite(*value_out);
}

static bool read_interval(const char *text, double *min_out, double *max_out)
{
    const char *rest;
    return read_real(text, ':', min_out, &rest) && read_real(rest + 1, '\0', max_out, &rest) &&
           *min_out <= *max_out && *max_out <= seconds_max;
}

static bool read_option(int option, const char *value, struct settings *settings)
{
    const char *program = settings->program, *rest;
    switch (option) {
    case 'n':
        settings->name = value;
        return true;
    case 'c':
        if (!read_whole(value, &settings->capacity) || settings->capacity == 0)
            refuse(program, "--capacity", value, "a whole number from 1 is");
        return true;
    case 'N':
        if (!read_whole(value, &settings->count) || settings->count == 0)
            refuse(program, "--count", value, "a whole number from 1 is");
        return true;
    case 'i':
        if (!read_interval(value, &settings->interval_min, &settings->interval_max))
            refuse(program, "--interval", value,
                   "MIN:MAX in seconds is, 0 <= MIN <= MAX <= 1000000, such as 0.5:1.5");
        return true;
    case 'l':
        if (!read_real(value, '\0', &settings->loss, &rest) || settings->loss > 1)
            refuse(program, "--loss", value, "a probability from 0 to 1 is");
        return true;
    case 's':
        if (!read_whole(value, &settings->seed))
            refuse(program, "--seed", value, "a whole number below 2^64 is");
        return true;
    case 'y':
        settings->semaphore = strcmp(value, "semaphore") == 0;
        if (!settings->semaphore && strcmp(value, "atomic") != 0)
            refuse(program, "--sync", value, "atomic or semaphore is");
        return true;
    default:
        return false;
    }
}

struct settings settings_read(const struct program *program, int argc, char **argv)
{
    /* The two that only a producer has come first. */
    static const struct option all[] = {{"capacity", required_argument, NULL, 'c'},
                                        {"loss", required_argument, NULL, 'l'},
                                        {"name", required_argument, NULL, 'n'},
                                        {"count", required_argument, NULL, 'N'},
                                        {"interval", required_argument, NULL, 'i'},
                                        {"seed", required_argument, NULL, 's'},
                                        {"sync", required_argument, NULL, 'y'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
    struct settings settings = {.program = program->name,
                                .name = "products",
                                .capacity = PRODUCT_CAPACITY,
                                .count = UINT64_MAX,
                                .interval_min = program->interval_min,
                                .interval_max = program->interval_max,
                                .loss = 0.05,
                                .seed = pause_seed()};
    static char name[64];
    (void)snprintf(name, sizeof name, "%s", program->name);
    argv[0] = name; /* what getopt_long begins its messages with */
    int option;
    while ((option = getopt_long(argc, argv, "", program->makes ? all : all + 2, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(program->help, stdout);
            exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        if (!read_option(option, optarg, &settings)) {
            fprintf(stderr, "Try '%s --help'.\n", program->name);
            exit(EXIT_BAD_USAGE);
        }
    }
    if (optind < argc)
        refuse(program->name, "argument", argv[optind], "options begin with --, see --help");
    return settings;
}

void settings_pause(const struct settings *settings, double share)
{
    pause_for(settings->interval_min + share * (settings->interval_max - settings->interval_min));
}
