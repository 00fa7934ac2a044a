/* SPDX-License-Identifier: MIT */
/* Owners by POSIX, where each number is one user. */
#include "owner.h"

uint64_t quoit_os_owner_of(uint64_t user_id, int fd)
{
    (void)fd;
    return user_id;
}
