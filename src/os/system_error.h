/* SPDX-License-Identifier: MIT */
/* From an errno value to a status and a sentence. */
#ifndef QUOIT_OS_SYSTEM_ERROR_H
#define QUOIT_OS_SYSTEM_ERROR_H

#include <quoit/status.h>

/* Sets the sentence "cannot DOING 'WHAT': reason", and returns the status that fits error. */
quoit_status quoit_os_fail(int error, const char *doing, const char *what);

#endif
