/* SPDX-License-Identifier: MIT */
/* What there is, where POSIX alone has to say it: it lists directories, and nothing else. */
#include "list.h"

#include <string.h>

quoit_status quoit_os_list(const char *scheme, const char *directory, quoit_os_visit *visit,
                           void *context)
{
    if (strcmp(scheme, "file") == 0 && directory)
        return quoit_os_list_directory(directory, true, visit, context);
    return quoit_os_list_unsupported(scheme);
}
