/* SPDX-License-Identifier: MIT */
/* Two queries that ntdll has had since the first Windows NT, and that <windows.h> does not
   declare. */
#include "win32.h"

typedef LONG(WINAPI *query)(HANDLE, int information, void *out, ULONG room, ULONG *size_out);

static bool ask(const char *function, HANDLE object, void *out, ULONG room)
{
    union {
        FARPROC found;
        query call;
    } address = {.found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), function)};
    return address.found && address.call(object, 0, out, room, NULL) >= 0;
}

bool quoit_os_semaphore_count(HANDLE semaphore, uint32_t *count_out)
{
    struct {
        ULONG current, maximum;
    } counts = {0, 0};
    if (!ask("NtQuerySemaphore", semaphore, &counts, sizeof counts))
        return false;
    *count_out = counts.current;
    return true;
}

bool quoit_os_mutex_query(HANDLE mutex, bool *held_out, bool *by_caller_out)
{
    struct {
        LONG count; /* 1 free, below that held */
        BOOLEAN is_ours, is_abandoned;
    } state = {1, FALSE, FALSE};
    if (!ask("NtQueryMutant", mutex, &state, sizeof state))
        return false;
    *held_out = state.count < 1;
    *by_caller_out = state.is_ours;
    return true;
}
