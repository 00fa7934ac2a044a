/* SPDX-License-Identifier: MIT */
/* Shared memory with a lock. Each run adds 1000 visits to a struct that all runs share, and prints
   the total. Start several runs at once, kill some of them, and start another one.
   `quoit rm visits visits-lock` removes the struct and the lock. */
#include <quoit.h>
#include <quoit/lock.h>

#include <stdio.h>

struct visits {     /* zeroed when the region is created */
    uint64_t count; /* without the lock two runs might read the same number */
    uint64_t sum;   /* of all numbers up to count */
};

static quoit_status visit(quoit_lock *lock, struct visits *visits, uint64_t *count_out)
{
    quoit_status status = quoit_lock_lock(lock, QUOIT_FOREVER);
    if (status == QUOIT_ABANDONED) /* the last holder crashed: sum may lack the last count */
        visits->sum = visits->count * (visits->count + 1) / 2;
    else if (status != QUOIT_OK)
        return status;
    visits->count++;
    visits->sum += visits->count;
    *count_out = visits->count;
    return quoit_lock_unlock(lock);
}

int main(void)
{
    const struct quoit_region_options options = {.data_bytes = sizeof(struct visits)};
    quoit_region *region = NULL;
    quoit_lock *lock = NULL;
    uint64_t count = 0;
    quoit_status status = quoit_lock_join("visits-lock", NULL, 0, &lock);
    if (status == QUOIT_OK)
        status = quoit_region_join("visits", &options, 0, &region);
    for (int i = 0; i < 1000 && status == QUOIT_OK; i++)
        status = visit(lock, quoit_region_data(region), &count);
    if (status == QUOIT_OK)
        printf("%llu visits\n", (unsigned long long)count);
    else
        fprintf(stderr, "%s\n", quoit_describe(status));
    quoit_region_close(region);
    quoit_lock_close(lock);
    return status != QUOIT_OK;
}
