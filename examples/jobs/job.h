/* SPDX-License-Identifier: MIT */
/* Shared by the submitters and the workers. There may be several of each. */
#include <quoit/typed.h>

struct job { /* count the primes from first to last */
    uint64_t first;
    uint64_t last;
};
QUOIT_DEFINE_QUEUE(job, struct job);

static inline quoit_status join_jobs(uint32_t flags, struct job_queue *jobs)
{
    struct quoit_queue_options options = job_options(16);
    options.kind = QUOIT_MPMC;
    quoit_queue *queue;
    quoit_status status = quoit_queue_join("prime-jobs", &options, flags, &queue);
    return status == QUOIT_OK ? job_from(queue, jobs) : status;
}
