/* SPDX-License-Identifier: MIT */
/* Where there is no /proc in Linux's manner, processes have no names. */
#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void process_name(uint32_t pid, char name_out[PROCESS_NAME_ROOM])
{
    char path[40];
    name_out[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%" PRIu32 "/comm", pid);
    FILE *file = pid != 0 ? fopen(path, "r") : NULL;
    if (!file)
        return;
    if (!fgets(name_out, PROCESS_NAME_ROOM, file))
        name_out[0] = '\0';
    (void)fclose(file);
    name_out[strcspn(name_out, "\n")] = '\0';
    for (char *at = name_out; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
}
