/* SPDX-License-Identifier: MIT */
/* Stores results until it has all of them, then removes the queues. A result may arrive twice. */
#include "pipeline.h"

static uint64_t how_many(const struct collected *collected)
{
    uint64_t there = 0;
    for (int i = 0; i < JOBS; i++)
        there += collected->primes[i] != 0;
    return there;
}

/* Stores the result, then releases it: after a crash in between, the next collector stores it
   again. */
static quoit_status collect(struct result_queue results, struct collected *collected)
{
    const struct result *result;
    quoit_status status = result_peek(results, &result, QUOIT_FOREVER);
    if (status != QUOIT_OK)
        return status;
    if (result->number < JOBS)
        collected->primes[result->number] = result->primes;
    return result_release(results);
}

int main(void)
{
    struct result_queue results;
    quoit_status status = join_results(QUOIT_CONSUMER, &results);
    if (status != QUOIT_OK)
        return fail("join the results", status);
    struct collected *collected = quoit_queue_user_area(results.queue);
    printf("%d of %d were there\n", (int)how_many(collected), JOBS);
    while (how_many(collected) < JOBS) {
        status = collect(results, collected);
        if (status != QUOIT_OK && status != QUOIT_ABANDONED) /* other workers may start */
            return fail("collect a result", status);
    }
    uint64_t sum = 0;
    for (int i = 0; i < JOBS; i++)
        sum += collected->primes[i];
    printf("%d jobs, %d primes\n", JOBS, (int)sum);
    status = quoit_queue_unlink(results.queue);
    if (status != QUOIT_OK)
        return fail("remove the results", status);
    quoit_queue_close(results.queue);
    status = quoit_unlink("jobs", 0);
    return status == QUOIT_OK ? 0 : fail("remove the jobs", status);
}
