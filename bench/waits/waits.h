/* SPDX-License-Identifier: MIT */
/* Shared by the parts of bench_waits: results as lines of JSON, processes, names. */
#ifndef QUOIT_BENCH_WAITS_H
#define QUOIT_BENCH_WAITS_H

#include <quoit.h>
#include <quoit/typed.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each item is the moment at which it is sent, and the number of its queue. */
struct stamp {
    uint64_t moment_ns;
    uint64_t queue;
};
QUOIT_DEFINE_QUEUE(stamp, struct stamp);

enum { MOST = 1000 };

/* One result. question: what is measured; subject: of what. */
void result(const char *question, const char *subject, double value, const char *unit);

_Noreturn void die(const char *what);
void check(quoit_status status, const char *what);

uint64_t now_ns(void);
uint64_t dice(void); /* a random number */
/* A name for queue number i, the same in both processes of a measurement. */
const char *name_of(int i);
void remove_names(int count);
/* Lets this process run on one processor only; the first or the second that it may use. */
void pin(int processor);

/* Starts run(argument) in another process; ends it. */
int start(void (*run)(void *argument), void *argument);
void finish(int pid);
/* Memory that a process started by start() shares. */
void *shared_memory(size_t bytes);
void free_memory(void *memory, size_t bytes);

int threads_of_process(void);
int descriptors_of_process(void);
/* How often the threads of this process have blocked, all together. */
uint64_t blocks_of_process(void);

/* The parts. */
void measure_lateness(void);
void measure_trips(void);
void measure_idle(void);
void measure_memory(void);

#endif
