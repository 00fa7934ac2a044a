/* SPDX-License-Identifier: MIT */
/* The owner of an object, where the number that the system reports may stand for several users. */
#ifndef QUOIT_OS_OWNER_H
#define QUOIT_OS_OWNER_H

#include "os.h"

#include "fail.h"

/*
 * The owner that the system reports as user_id, or QUOIT_OS_OWNER_UNMAPPED. A user namespace shows
 * every user that it does not map as one number, which may be this process's own.
 *   fd   an open descriptor of the object, by which the kernel can decide; -1: there is none, and a
 *        number that may stand for other users is taken for theirs
 */
uint64_t quoit_os_owner_of(uint64_t user_id, int fd);

/* OTHER_USER; what: "semaphore ", or "". */
static inline quoit_status quoit_os_fail_owner(const char *what, const char *scheme,
                                               const char *text, uint64_t owner)
{
    if (owner == QUOIT_OS_OWNER_UNMAPPED)
        return quoit_fail(QUOIT_ERROR_OTHER_USER,
                          "%s'%s:%s': it belongs to a user that this process's user namespace does "
                          "not map; pass QUOIT_ANY_OWNER to accept it",
                          what, scheme, text);
    return quoit_fail(QUOIT_ERROR_OTHER_USER,
                      "%s'%s:%s': it belongs to user %llu, but this process runs as user %llu; "
                      "pass QUOIT_ANY_OWNER to accept it",
                      what, scheme, text, (unsigned long long)owner,
                      (unsigned long long)quoit_os_user_id());
}

#endif
