/* SPDX-License-Identifier: MIT */
/* Shared by dispatcher, workers and collector: two queues, and the memory beside each. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include <quoit/typed.h>

#include <stdio.h>

enum { JOBS = 2000 };

struct job {
    uint64_t number; /* 0 to JOBS - 1 */
};
QUOIT_DEFINE_QUEUE(job, struct job);

struct result {
    uint64_t number; /* of the job */
    uint64_t primes;
};
QUOIT_DEFINE_QUEUE(result, struct result);

/* The memory beside each queue. Beside the jobs: the next job to send. Beside the results: the
   results that have arrived. */
struct dispatched {
    uint64_t next;
};
struct collected {
    uint64_t primes[JOBS]; /* 0: the result has not arrived yet */
};

static inline quoit_status join_jobs(uint32_t flags, struct job_queue *jobs)
{
    struct quoit_queue_options options = job_options(16);
    options.kind = QUOIT_MPMC;
    options.user_bytes = sizeof(struct dispatched);
    quoit_queue *queue;
    quoit_status status = quoit_queue_join("jobs", &options, flags, &queue);
    return status == QUOIT_OK ? job_from(queue, jobs) : status;
}

static inline quoit_status join_results(uint32_t flags, struct result_queue *results)
{
    struct quoit_queue_options options = result_options(16);
    options.kind = QUOIT_MPMC;
    options.user_bytes = sizeof(struct collected);
    quoit_queue *queue;
    quoit_status status = quoit_queue_join("results", &options, flags, &queue);
    return status == QUOIT_OK ? result_from(queue, results) : status;
}

static inline int fail(const char *doing, quoit_status status)
{
    fprintf(stderr, "cannot %s: %s\n", doing, quoit_describe(status));
    return 1;
}

#endif
