/* SPDX-License-Identifier: MIT */
/* Processors on Windows, of the calling thread. A process that it starts is not pinned. */
#include "pin.h"

#include <windows.h>

static DWORD_PTR allowed; /* the processors allowed before the first pin */

unsigned bench_pin(unsigned index)
{
    DWORD_PTR whole;
    unsigned count = 0;
    if (!allowed && !GetProcessAffinityMask(GetCurrentProcess(), &allowed, &whole))
        return 0;
    for (DWORD_PTR bits = allowed; bits; bits &= bits - 1)
        count++;
    if (count == 0)
        return 0;
    DWORD_PTR left = allowed;
    for (unsigned skip = index % count; skip > 0; skip--)
        left &= left - 1;
    (void)SetThreadAffinityMask(GetCurrentThread(), left & ~(left - 1));
    return count;
}

void bench_unpin(void)
{
    if (allowed)
        (void)SetThreadAffinityMask(GetCurrentThread(), allowed);
}
