/* SPDX-License-Identifier: MIT */
/* Processors on Linux. */
#include "platform.h"

#include <sched.h>

static cpu_set_t allowed; /* before the first pin */

void bench_pin(int index)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    if (CPU_COUNT(&allowed) == 0 && sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    int wanted = index % CPU_COUNT(&allowed), seen = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && seen++ == wanted)
            CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

void bench_unpin(void)
{
    if (CPU_COUNT(&allowed) > 0)
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
}
