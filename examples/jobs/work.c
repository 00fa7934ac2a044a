/* SPDX-License-Identifier: MIT */
/* Does jobs and prints the results. It releases a job only after it has written the result: if this
   program crashes before that, another worker does the job. */
#include "job.h"
#include "stop.h"

static int primes_in(const struct job *job)
{
    int primes = 0;
    for (uint64_t n = job->first; n <= job->last; n++) {
        uint64_t divisor = 2;
        while (divisor * divisor <= n && n % divisor != 0)
            divisor++;
        primes += n >= 2 && divisor * divisor > n;
    }
    return primes;
}

int main(void)
{
    struct job_queue jobs = {NULL};
    const struct job *job;
    quoit_status status = join_jobs(QUOIT_CONSUMER, &jobs);
    if (status == QUOIT_OK)
        stop_on_signals(jobs.queue);
    while (status == QUOIT_OK && !stopped) {
        status = job_peek(jobs, &job, QUOIT_FOREVER);
        if (status == QUOIT_OK) {
            printf("%d to %d: %d primes\n", (int)job->first, (int)job->last, primes_in(job));
            if (fflush(stdout) != 0) {
                perror("work: standard output");
                break; /* close leaves the job to another worker */
            }
            status = job_release(jobs);
        } else if (status == QUOIT_INTERRUPTED || status == QUOIT_ABANDONED) {
            status = QUOIT_OK; /* another submitter may start */
        }
    }
    if (status != QUOIT_OK)
        fprintf(stderr, "work: %s\n", quoit_describe(status));
    stop_ends();
    quoit_queue_close(jobs.queue);
    return stopped ? 0 : 1;
}
