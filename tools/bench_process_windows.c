/* SPDX-License-Identifier: MIT */
/* The second process of quoit bench, on Windows. */
#include "bench.h"

#include <stdio.h>
#include <windows.h>

int64_t bench_start(const char *program, const char *row, const char *there, const char *back)
{
    char path[MAX_PATH], line[2 * MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    (void)program; /* may lack its path */
    DWORD length = GetModuleFileNameA(NULL, path, sizeof path);
    if (length == 0 || length >= sizeof path)
        return -1;
    (void)snprintf(line, sizeof line, "\"%s\" bench --side %s %s %s", path, row, there, back);
    if (!CreateProcessA(path, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
        return -1;
    (void)CloseHandle(process.hThread);
    return (int64_t)(intptr_t)process.hProcess;
}

int bench_join(int64_t process)
{
    HANDLE handle = (HANDLE)(intptr_t)process;
    DWORD code = 1;
    (void)WaitForSingleObject(handle, INFINITE);
    (void)GetExitCodeProcess(handle, &code);
    (void)CloseHandle(handle);
    return (int)code;
}

unsigned bench_id(void)
{
    return GetCurrentProcessId();
}

bool bench_pipe(uint32_t bytes, uint64_t slice_ns, double *value_out)
{
    (void)bytes, (void)slice_ns;
    *value_out = 0;
    return true;
}

void bench_yield(void)
{
    (void)SwitchToThread();
}
