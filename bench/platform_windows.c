/* SPDX-License-Identifier: MIT */
/* Clocks and processes on Windows. */
#include "platform.h"

#include <process.h>
#include <stdlib.h>
#include <windows.h>

uint64_t bench_now_ns(void)
{
    LARGE_INTEGER ticks, per_second;
    (void)QueryPerformanceCounter(&ticks);
    (void)QueryPerformanceFrequency(&per_second);
    uint64_t count = (uint64_t)ticks.QuadPart, rate = (uint64_t)per_second.QuadPart;
    return count / rate * 1000000000 + count % rate * 1000000000 / rate;
}

int64_t bench_start(const char *program, const char *role, const char *name)
{
    (void)program;
    return _spawnl(_P_NOWAIT, _pgmptr, "throughput", role, name, NULL);
}

int bench_join(int64_t process)
{
    int code = -1;
    return _cwait(&code, (intptr_t)process, 0) == -1 ? -1 : code;
}

void bench_yield(void)
{
    (void)SwitchToThread();
}
