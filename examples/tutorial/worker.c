/* SPDX-License-Identifier: MIT */
/* Takes jobs, and passes their results on. As many of it as you like, killed as you like. */
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

/* A job is given back only when its result is on its way: a worker that dies leaves it to another.
 */
static quoit_status work(quoit_queue *jobs, quoit_queue *results)
{
    const void *item;
    uint64_t count;
    quoit_status status = quoit_queue_wait_for_items(jobs, QUOIT_FOREVER);
    if (status == QUOIT_OK)
        status = quoit_queue_peek(jobs, &item, &count);
    if (status != QUOIT_OK)
        return status;
    const struct job *job = item;
    struct result result = {.number = job->number, .primes = primes_below(50000 + job->number)};
    do
        status = result_push_wait(results, &result, QUOIT_FOREVER);
    while (status == QUOIT_ABANDONED); /* the collector is gone; another may come */
    return status == QUOIT_OK ? quoit_queue_release(jobs, 1) : status;
}

int main(void)
{
    quoit_queue *jobs, *results;
    quoit_status status = quoit_queue_join("jobs", &jobs_options, QUOIT_CONSUMER, &jobs);
    if (status != QUOIT_OK)
        return fail("join the jobs", status);
    status = quoit_queue_join("results", &results_options, QUOIT_PRODUCER, &results);
    if (status != QUOIT_OK)
        return fail("join the results", status);
    do
        status = work(jobs, results);
    while (status == QUOIT_OK || status == QUOIT_EMPTY || status == QUOIT_ABANDONED);
    quoit_queue_close(results);
    quoit_queue_close(jobs);
    return status == QUOIT_FINISHED ? 0 : fail("work", status);
}
