/* SPDX-License-Identifier: MIT */
/* quoit bench in two: what is measured (bench_rows.c), and the command around it (bench.c). */
#ifndef QUOIT_TOOLS_BENCH_H
#define QUOIT_TOOLS_BENCH_H

#include <stdbool.h>
#include <stdint.h>

enum bench_way {
    BENCH_ITEMS,  /* items of a fixed size, one way */
    BENCH_SIZED,  /* messages with lengths, one way */
    BENCH_SPIN,   /* an item there and back, both sides awake */
    BENCH_SLEEP,  /* the same, both asleep in between */
    BENCH_BOUNCE, /* a cache line there and back: what no queue can beat */
    BENCH_MEMCPY  /* memory copied by one processor */
};

struct bench_row {
    const char *name;
    enum bench_way way;
    bool mpmc;
    uint32_t bytes;
    uint32_t batch; /* items at a time; 1: by push and pop */
};

extern const struct bench_row bench_rows[];
extern const unsigned bench_row_count;

/* Items a second, bytes a second (BENCH_MEMCPY), or nanoseconds there and back. false has said what
   is wrong. */
bool bench_measure(const char *program, unsigned row, uint64_t slice_ns, double *value_out);
/* The second process; an exit code. */
int bench_side(unsigned index, const char *there_name, const char *back_name);

/* Of the system. start runs this program again, as `quoit bench --side ROW THERE BACK`; -1 on an
   error. join waits for its end, and returns its exit code. */
int64_t bench_start(const char *program, const char *row, const char *there, const char *back);
int bench_join(int64_t process);
unsigned bench_id(void); /* of this process */
void bench_yield(void);
/* Keeps this process on one processor, the index-th of those that it may use, where the system
   lets it; returns how many these are, 0 if that is not known. */
unsigned bench_pin(unsigned index);
void bench_unpin(void); /* as before the first; a process started while pinned would stay so */

#endif
