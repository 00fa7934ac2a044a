/* SPDX-License-Identifier: MIT */
/* From an errno value to a status and a sentence. */
#ifndef QUOIT_OS_SYSTEM_ERROR_H
#define QUOIT_OS_SYSTEM_ERROR_H

#include <quoit/status.h>

/* Returns the end of a sentence about a system error: the advice, or "". */
static inline const char *quoit_os_advice(quoit_status status)
{
    switch ((int)status) {
    case QUOIT_ERROR_NOT_FOUND:
        return "; check the name";
    case QUOIT_ERROR_PERMISSION:
        return "; check its owner and its permissions";
    case QUOIT_ERROR_LIMIT:
        return "; close some objects, or raise the limit";
    case QUOIT_ERROR_NO_SPACE:
        return "; free some space";
    default:
        return "";
    }
}

/* Sets the sentence "cannot DOING 'WHAT': reason; advice", and returns the status that fits the
   error. */
quoit_status quoit_os_fail(int error, const char *doing, const char *what);

#endif
