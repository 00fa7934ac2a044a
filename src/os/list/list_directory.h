/* SPDX-License-Identifier: MIT */
/* Functions for listing that several systems share. */
#ifndef QUOIT_OS_LIST_DIRECTORY_H
#define QUOIT_OS_LIST_DIRECTORY_H

#include "os.h"

#include "fail.h"

/* Returns UNSUPPORTED with its sentence, for quoit_os_list. */
static inline quoit_status quoit_os_list_unsupported(const char *scheme)
{
    return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                      "%s cannot list the names of the scheme '%s:'; open objects by their names",
                      quoit_os_system, scheme);
}

/* Calls visit for each entry of a directory that is not hidden, with its name, or (paths) with its
   path, directory included. */
quoit_status quoit_os_list_directory(const char *directory, bool paths, quoit_os_visit *visit,
                                     void *context);

#endif
