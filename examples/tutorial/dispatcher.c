/* SPDX-License-Identifier: MIT */
/* Sends the jobs. If it is killed and started again, it continues with the next job. */
#include "pipeline.h"

int main(void)
{
    struct job_queue jobs;
    quoit_status status = join_jobs(QUOIT_PRODUCER, &jobs);
    if (status != QUOIT_OK)
        return fail("join the jobs", status);
    struct dispatched *dispatched = quoit_queue_user_area(jobs.queue);
    while (dispatched->next < JOBS) {
        struct job job = {.number = dispatched->next};
        status = job_push(jobs, &job, QUOIT_FOREVER);
        if (status == QUOIT_OK)
            dispatched->next++; /* if it is killed just before this, it sends the job twice */
        else if (status != QUOIT_ABANDONED) /* all workers have left; others may start */
            return fail("push a job", status);
    }
    status = quoit_queue_finish(jobs.queue);
    if (status != QUOIT_OK)
        return fail("end the jobs", status);
    quoit_queue_close(jobs.queue);
    return 0;
}
