/* SPDX-License-Identifier: MIT */
/* Keeps results until all are there, however often one came; then removes the queues. */
#include "pipeline.h"

static uint64_t how_many(const struct collected *collected)
{
    uint64_t there = 0;
    for (int i = 0; i < JOBS; i++)
        there += collected->primes[i] != 0;
    return there;
}

/* Kept first, released then: a collector that dies in between keeps the same result once more. */
static quoit_status collect(quoit_queue *results, struct collected *collected)
{
    const void *item;
    uint64_t count;
    quoit_status status = quoit_queue_wait_for_items(results, QUOIT_FOREVER);
    if (status == QUOIT_OK)
        status = quoit_queue_peek(results, &item, &count);
    if (status != QUOIT_OK)
        return status;
    const struct result *result = item;
    if (result->number < JOBS)
        collected->primes[result->number] = result->primes;
    return quoit_queue_release(results, 1);
}

int main(void)
{
    quoit_queue *results;
    quoit_status status = quoit_queue_join("results", &results_options, QUOIT_CONSUMER, &results);
    if (status != QUOIT_OK)
        return fail("join the results", status);
    struct collected *collected = quoit_queue_user_area(results);
    printf("%d of %d were there\n", (int)how_many(collected), JOBS);
    while (how_many(collected) < JOBS) {
        status = collect(results, collected);
        if (status != QUOIT_OK && status != QUOIT_EMPTY && status != QUOIT_ABANDONED)
            return fail("collect a result", status);
    }
    uint64_t sum = 0;
    for (int i = 0; i < JOBS; i++)
        sum += collected->primes[i];
    printf("%d jobs, %d primes\n", JOBS, (int)sum);
    quoit_queue_unlink_self(results);
    quoit_queue_close(results);
    status = quoit_queue_unlink("jobs");
    return status == QUOIT_OK ? 0 : fail("remove the jobs", status);
}
