/* SPDX-License-Identifier: MIT */
/* Takes jobs and sends their results. Run as many workers as you like, and kill any of them. */
#include "pipeline.h"

static uint64_t primes_below(uint64_t end)
{
    uint64_t primes = 0;
    for (uint64_t n = 2; n < end; n++) {
        uint64_t divisor = 2;
        while (divisor * divisor <= n && n % divisor != 0)
            divisor++;
        primes += divisor * divisor > n;
    }
    return primes;
}

/* Releases a job only after its result was pushed: if this worker crashes, another gets the job. */
static quoit_status work(struct job_queue jobs, struct result_queue results)
{
    const struct job *job;
    quoit_status status = job_peek(jobs, &job, QUOIT_FOREVER);
    if (status != QUOIT_OK)
        return status;
    struct result result = {.number = job->number, .primes = primes_below(50000 + job->number)};
    do
        status = result_push(results, &result, QUOIT_FOREVER);
    while (status == QUOIT_ABANDONED); /* the collector has left; another may start */
    return status == QUOIT_OK ? job_release(jobs) : status;
}

int main(void)
{
    struct job_queue jobs;
    struct result_queue results;
    quoit_status status = join_jobs(QUOIT_CONSUMER, &jobs);
    if (status != QUOIT_OK)
        return fail("join the jobs", status);
    status = join_results(QUOIT_PRODUCER, &results);
    if (status != QUOIT_OK)
        return fail("join the results", status);
    do
        status = work(jobs, results);
    while (status == QUOIT_OK || status == QUOIT_ABANDONED); /* another dispatcher may start */
    quoit_queue_close(results.queue);
    quoit_queue_close(jobs.queue);
    return status == QUOIT_FINISHED ? 0 : fail("work", status);
}
