/* SPDX-License-Identifier: MIT */
/* errno values of POSIX systems as Quoit's statuses. */
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ADVICE_BYTES = 240 };

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

/* Writes the end of the sentence: the values that explain the error, and the advice. `what` is a
   path or another name. */
static void advise(int error, const char *what, char *advice)
{
    static const char shm[] = "/dev/shm/"; /* Linux */
    struct stat file;
    if (error == EROFS)
        (void)snprintf(advice, ADVICE_BYTES,
                       "; mount it writable, or use the object as an observer only");
    else if (error == ENOENT && strncmp(what, shm, sizeof shm - 1) == 0)
        (void)snprintf(advice, ADVICE_BYTES,
                       "; check the name; a container must share /dev/shm with the other process");
    else if ((error == EACCES || error == EPERM) && what[0] == '/' && lstat(what, &file) == 0)
        (void)snprintf(advice, ADVICE_BYTES,
                       "; it belongs to user %llu, group %llu, with permissions %o, and this "
                       "process runs as user %llu, group %llu; change the permissions, or run as "
                       "its owner",
                       (unsigned long long)file.st_uid, (unsigned long long)file.st_gid,
                       (unsigned)file.st_mode & 07777, (unsigned long long)geteuid(),
                       (unsigned long long)getegid());
    else
        (void)snprintf(advice, ADVICE_BYTES, "%s", quoit_os_advice(status_of(error)));
}

quoit_status quoit_os_fail(int error, const char *doing, const char *what)
{
    char advice[ADVICE_BYTES];
    advise(error, what, advice);
    return quoit_fail(status_of(error), "cannot %s '%s': %s%s", doing, what, strerror(error),
                      advice);
}
