/* SPDX-License-Identifier: MIT */
/* Where there is no common way to choose a processor, the system does. */
#include "bench.h"

unsigned bench_pin(unsigned index)
{
    (void)index;
    return 0;
}

void bench_unpin(void)
{
}
