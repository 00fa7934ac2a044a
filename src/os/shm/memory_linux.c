/* SPDX-License-Identifier: MIT */
/* Memory without a name: a memfd. Also whether a System V segment has all its memory. */
#include "fd.h"

#include <stdio.h>
#include <sys/mman.h>

int quoit_os_memory_fd(const char *text)
{
    return quoit_os_fd_above_stdio(memfd_create(text, MFD_CLOEXEC));
}

bool quoit_os_segment_is_whole(int id)
{
    char line[512];
    long long found;
    unsigned long long size, resident, swapped;
    bool is_whole = true;
    FILE *file = fopen("/proc/sysvipc/shm", "re");
    while (file && fgets(line, sizeof line, file)) {
        /* key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap */
        if (sscanf(line, "%*d %lld %*s %llu %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu",
                   &found, &size, &resident, &swapped) != 4 ||
            found != id)
            continue;
        is_whole = resident + swapped >= size;
        break;
    }
    if (file)
        (void)fclose(file);
    return is_whole;
}
