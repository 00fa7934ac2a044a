/* SPDX-License-Identifier: MIT */
/* errno values of POSIX systems as Quoit's statuses. */
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <string.h>

static quoit_status status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return QUOIT_ERROR_NOT_FOUND;
    case EEXIST:
        return QUOIT_ERROR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return QUOIT_ERROR_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return QUOIT_ERROR_NO_SPACE;
    case EMFILE:
    case ENFILE:
    case ENOLCK:
        return QUOIT_ERROR_LIMIT;
    case ENOMEM:
        return QUOIT_ERROR_NO_MEMORY;
    case ENAMETOOLONG:
        return QUOIT_ERROR_NAME;
    case ELOOP:
    case EISDIR:
    case ENXIO:
    case EMLINK: /* FreeBSD's error for a symbolic link that is not followed */
#ifdef EFTYPE
    case EFTYPE: /* NetBSD's */
#endif
        return QUOIT_ERROR_NOT_QUOIT;
    default:
        return QUOIT_ERROR_SYSTEM;
    }
}

quoit_status quoit_os_fail(int error, const char *doing, const char *what)
{
    return quoit_fail(status_of(error), "cannot %s '%s': %s%s", doing, what, strerror(error),
                      quoit_os_advice(status_of(error)));
}
