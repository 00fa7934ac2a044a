/* SPDX-License-Identifier: MIT */
/* Listing a directory, by POSIX. */
#include "list_directory.h"

#include "system_error.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PATH_ROOM = 4096 };

quoit_status quoit_os_list_directory(const char *directory, bool paths, quoit_os_visit *visit,
                                     void *context)
{
    DIR *entries = opendir(directory);
    if (!entries)
        return quoit_os_fail(errno, "list the directory", directory);
    size_t length = strlen(directory);
    const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";
    const struct dirent *entry = readdir(entries);
    for (bool more = true; entry && more; entry = readdir(entries)) {
        char path[PATH_ROOM];
        int bytes = snprintf(path, sizeof path, "%s%s%s", paths ? directory : "",
                             paths ? slash : "", entry->d_name);
        if (entry->d_name[0] != '.' && bytes > 0 && bytes < PATH_ROOM)
            more = visit(context, path);
    }
    (void)closedir(entries);
    return QUOIT_OK;
}
