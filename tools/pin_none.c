/* SPDX-License-Identifier: MIT */
/* For systems without a common way to choose a processor: the system chooses. */
#include "pin.h"

unsigned bench_pin(unsigned index)
{
    (void)index;
    return 0;
}

void bench_unpin(void)
{
}
