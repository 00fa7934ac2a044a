/* SPDX-License-Identifier: MIT */
/* What dispatcher, workers and collector agree on: two queues, and where each keeps its place. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include <quoit.h>

#include <stdio.h>

enum { JOBS = 2000 };

struct job {
    uint64_t number; /* 0 to JOBS - 1 */
};
QUOIT_DEFINE_QUEUE(job, struct job)

struct result {
    uint64_t number; /* of the job */
    uint64_t primes;
};
QUOIT_DEFINE_QUEUE(result, struct result)

/* Beside the jobs: what the dispatcher has passed on. Beside the results: all that came. */
struct dispatched {
    uint64_t next;
};
struct collected {
    uint64_t primes[JOBS]; /* 0: not yet */
};

static const struct quoit_queue_options jobs_options = {.kind = QUOIT_MPMC,
                                                        .item_bytes = sizeof(struct job),
                                                        .capacity = 16,
                                                        .user_bytes = sizeof(struct dispatched)};
static const struct quoit_queue_options results_options = {.kind = QUOIT_MPMC,
                                                           .item_bytes = sizeof(struct result),
                                                           .capacity = 16,
                                                           .user_bytes = sizeof(struct collected)};

static inline int fail(const char *doing, quoit_status status)
{
    fprintf(stderr, "cannot %s: %s\n", doing, quoit_describe(status));
    return 1;
}

#endif
