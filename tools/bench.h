/* SPDX-License-Identifier: MIT */
/* The two parts of quoit bench: the measurements (bench_rows.c) and the command (bench.c). */
#ifndef QUOIT_TOOLS_BENCH_H
#define QUOIT_TOOLS_BENCH_H

#include <stdbool.h>
#include <stdint.h>

enum bench_way {
    BENCH_ITEMS,    /* items of a fixed size, one way */
    BENCH_MESSAGES, /* messages with lengths, one way */
    BENCH_SPIN,     /* a round trip of an item; both sides spin */
    BENCH_SLEEP,    /* the same; both sides block between the items */
    BENCH_BOUNCE,   /* a round trip of a cache line: no queue can be faster */
    BENCH_LINES,    /* cache lines that move to the other processor, in one direction */
    BENCH_MEMCPY,   /* memory copied by one processor */
    BENCH_PIPE      /* messages of a fixed size through a pipe, one write and one read for each */
};

struct bench_row {
    const char *name;
    enum bench_way way;
    bool mpmc;
    uint32_t bytes;
    uint32_t batch; /* items per call; 1: push and pop */
};

extern const struct bench_row bench_rows[];
extern const unsigned bench_row_count;

/* value_out: items or lines per second, bytes per second (BENCH_MEMCPY), or nanoseconds per round
   trip. On an error, prints it and returns false. */
bool bench_measure(const char *program, unsigned row, uint64_t slice_ns, double *value_out);
/* Runs the second process's side; returns an exit code. */
int bench_side(unsigned index, const char *there_name, const char *back_name);

/* These depend on the system. bench_start runs this program again, as `quoit bench --side ROW THERE
   BACK`; it returns -1 on an error. bench_join waits for its end, and returns its exit code. */
int64_t bench_start(const char *program, const char *row, const char *there, const char *back);
int bench_join(int64_t process);
unsigned bench_id(void); /* of this process */
void bench_yield(void);
/* value_out: messages per second through a pipe to a second process; 0: not measured on this
   system. */
bool bench_pipe(uint32_t bytes, uint64_t slice_ns, double *value_out);

#endif
