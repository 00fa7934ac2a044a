/* SPDX-License-Identifier: MIT */
/* The samples of `quoit top` (top_model.c), and its full screen (top_screen_curses.c, or none). */
#ifndef QUOIT_TOOLS_TOP_H
#define QUOIT_TOOLS_TOP_H

#include "object.h"

enum { TOP_HISTORY = 256 };
enum top_order { TOP_BY_NAME, TOP_BY_RATE, TOP_BY_FILL, TOP_ORDERS };

struct top_row {
    char *name;
    char *shown; /* the name, made safe for a terminal */
    struct object object;
    bool seen;      /* in this sample */
    bool has_rates; /* the object was in the last sample, too */
    double pushed_per_s, popped_per_s;
    double history[TOP_HISTORY]; /* pushed a second, or a pool's fill; a ring */
    uint64_t history_count;      /* samples since the object was first seen */
};

struct top {
    char **names; /* only these; NULL: all */
    size_t name_count;
    double interval_s;
    uint64_t count; /* of samples to show; UINT64_MAX: until a signal or a key ends it */
    enum top_order order;
    struct top_row **rows;
    size_t row_count, room;
    uint64_t sampled_ns;
};

/* Reads all objects again, and sorts them. On an error, prints it and returns false. */
bool top_sample(struct top *top);
void top_sort(struct top *top);
void top_free(struct top *top);
const char *top_order_name(enum top_order order);
/* "dead", "bad", "end", "stop", "full", "". */
const char *top_mark(const struct object *object);
/* The sample that is `back` before the latest one; 0 if there was none. */
double top_history(const struct top_row *row, uint64_t back);

bool top_is_ended(void); /* by a signal */

/* Runs until it is ended. Returns an exit code, or -1 if the terminal cannot show it. */
int top_screen(struct top *top);

#endif
