/* SPDX-License-Identifier: MIT */
/* POSIX leaves the processor to the system. */
#include "platform.h"

void bench_pin(int index)
{
    (void)index;
}

void bench_unpin(void)
{
}
