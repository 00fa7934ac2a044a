/* SPDX-License-Identifier: MIT */
/* Submits 100 jobs, and waits for room if the queue is full. */
#include "job.h"
#include "stop.h"

int main(void)
{
    struct job_queue jobs = {NULL};
    quoit_status status = join_jobs(QUOIT_PRODUCER, &jobs);
    if (status == QUOIT_OK)
        stop_on_signals(jobs.queue);
    for (uint64_t first = 0; first < 100000 && !stopped && status == QUOIT_OK; first += 1000) {
        struct job job = {.first = first, .last = first + 999};
        do /* until a worker has made room; more workers may start */
            status = job_push(jobs, &job, QUOIT_FOREVER);
        while (!stopped && status == QUOIT_ABANDONED);
    }
    if (status != QUOIT_OK && !stopped)
        fprintf(stderr, "submit: %s\n", quoit_describe(status));
    stop_ends();
    quoit_queue_close(jobs.queue);
    return status != QUOIT_OK && !stopped;
}
