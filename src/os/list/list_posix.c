/* SPDX-License-Identifier: MIT */
/* Lists objects with POSIX alone, which can list directories and nothing else. */
#include "list_directory.h"

#include "process_posix.h"

#include <string.h>

quoit_status quoit_os_list(const char *scheme, const char *directory, quoit_os_visit *visit,
                           void *context)
{
    if (strcmp(scheme, "file") != 0 || !directory)
        return quoit_os_list_unsupported(scheme);
    int cancel_state = quoit_os_cancel_disable(); /* a cancelled thread would leave it open */
    quoit_status status = quoit_os_list_directory(directory, true, visit, context);
    quoit_os_cancel_restore(cancel_state);
    return status;
}
