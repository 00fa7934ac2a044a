/* SPDX-License-Identifier: MIT */
/* The command lines of producer and consumer. */
#ifndef PRODUCT_OPTIONS_H
#define PRODUCT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct settings {
    const char *program;
    const char *name;
    uint64_t capacity;
    uint64_t count; /* UINT64_MAX: for ever */
    double interval_min, interval_max;
    double loss;
    uint64_t seed;
    bool semaphore;
};

/* The differences between the two programs. */
struct program {
    const char *name;
    const char *help;
    bool makes; /* has --capacity and --loss */
    double interval_min, interval_max;
};

enum { EXIT_BAD_USAGE = 2 };

/* Ends the process after --help, or with a sentence on stderr and EXIT_BAD_USAGE after a bad
   command line. */
struct settings settings_read(const struct program *program, int argc, char **argv);

/* Pauses between interval_min (share 0) and interval_max (share 1) seconds. */
void settings_pause(const struct settings *settings, double share);

#endif
