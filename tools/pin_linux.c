/* SPDX-License-Identifier: MIT */
/* Processors on Linux. */
#include "pin.h"

#include <sched.h>

static cpu_set_t allowed; /* the processors allowed before the first pin */

unsigned bench_pin(unsigned index)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    if (CPU_COUNT(&allowed) == 0 && sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 0;
    unsigned count = (unsigned)CPU_COUNT(&allowed), seen = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && seen++ == index % count)
            CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
    return count;
}

void bench_unpin(void)
{
    if (CPU_COUNT(&allowed) > 0)
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
}
