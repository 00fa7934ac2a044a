/* SPDX-License-Identifier: MIT */
/* The name of the program that a process runs, without its directory. */
#include "process_info.h"

#include <windows.h>

#include <string.h>

void process_name(uint32_t pid, char name_out[PROCESS_NAME_ROOM])
{
    wchar_t path[1024];
    DWORD length = sizeof path / sizeof *path;
    name_out[0] = '\0';
    HANDLE process = pid != 0 ? OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid) : NULL;
    if (!process)
        return;
    if (QueryFullProcessImageNameW(process, 0, path, &length)) {
        const wchar_t *slash = wcsrchr(path, L'\\');
        if (WideCharToMultiByte(CP_UTF8, 0, slash ? slash + 1 : path, -1, name_out,
                                PROCESS_NAME_ROOM, NULL, NULL) == 0)
            name_out[0] = '\0';
    }
    CloseHandle(process);
}

bool process_is_stopped(uint32_t pid)
{
    (void)pid;
    return false;
}

size_t process_count_unreadable(void)
{
    return 0;
}

/* On Windows a name exists as long as a process uses the object: none is unlinked in use. */
size_t process_find_unlinked(const char *name, uint32_t *pids_out, size_t most)
{
    (void)name;
    (void)pids_out;
    (void)most;
    return 0;
}
