/* SPDX-License-Identifier: MIT */
/* What there is, on Windows: files in a directory. */
#include "list.h"

#include "system_error.h"
#include "win32.h"

#include "fail.h"

#include <stdio.h>
#include <string.h>

quoit_status quoit_os_list_unsupported(const char *scheme)
{
    return quoit_fail(QUOIT_UNSUPPORTED, "this system does not list what '%s' names", scheme);
}

/* Entry by entry; a name that is no UTF-16 is left out. */
quoit_status quoit_os_list_directory(const char *directory, bool paths, quoit_os_visit *visit,
                                     void *context)
{
    struct quoit_os_wide wide;
    WIN32_FIND_DATAW found;
    char pattern[QUOIT_OS_WIDE_ROOM], path[2 * QUOIT_OS_WIDE_ROOM];
    (void)snprintf(pattern, sizeof pattern, "%s\\*", directory);
    quoit_status status = quoit_os_widen(pattern, &wide);
    if (status != QUOIT_OK)
        return status;
    HANDLE search = FindFirstFileW(wide.text, &found);
    if (search == INVALID_HANDLE_VALUE)
        return quoit_os_fail((int)GetLastError(), "list the directory", directory);
    bool more = true;
    do {
        char name[1024];
        if (found.cFileName[0] == L'.' || !quoit_os_narrow(found.cFileName, name, sizeof name))
            continue;
        (void)snprintf(path, sizeof path, "%s%s%s", paths ? directory : "", paths ? "\\" : "",
                       name);
        more = visit(context, path);
    } while (more && FindNextFileW(search, &found));
    (void)FindClose(search);
    return QUOIT_OK;
}

quoit_status quoit_os_list(const char *scheme, const char *directory, quoit_os_visit *visit,
                           void *context)
{
    if (strcmp(scheme, "file") == 0 && directory)
        return quoit_os_list_directory(directory, true, visit, context);
    return quoit_os_list_unsupported(scheme);
}
