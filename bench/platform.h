/* SPDX-License-Identifier: MIT */
/* System calls that benchmarks need. */
#ifndef BENCH_PLATFORM_H
#define BENCH_PLATFORM_H

#include <stdint.h>

uint64_t bench_now_ns(void);

/* Starts this program again as a second process, with these two arguments. It is not pinned. */
int64_t bench_start(const char *program, const char *role, const char *name);
/* Waits for it; its exit code. */
int bench_join(int64_t process);

void bench_yield(void);

#endif
