/* SPDX-License-Identifier: MIT */
/* Passes jobs on; killed and started again, it goes on where it was. */
#include "pipeline.h"

int main(void)
{
    quoit_queue *jobs;
    quoit_status status = quoit_queue_join("jobs", &jobs_options, QUOIT_PRODUCER, &jobs);
    if (status != QUOIT_OK)
        return fail("join the jobs", status);
    struct dispatched *dispatched = quoit_queue_user_area(jobs);
    while (dispatched->next < JOBS) {
        struct job job = {.number = dispatched->next};
        status = job_push_wait(jobs, &job, QUOIT_FOREVER);
        if (status == QUOIT_OK)
            dispatched->next++; /* killed just before this, it passes the job on twice */
        else if (status != QUOIT_ABANDONED) /* all workers are gone; others may come */
            return fail("push a job", status);
    }
    status = quoit_queue_finish(jobs);
    if (status != QUOIT_OK)
        return fail("end the jobs", status);
    quoit_queue_close(jobs);
    return 0;
}
