/* SPDX-License-Identifier: MIT */
/* The permissions that options ask for. */
#ifndef QUOIT_BASE_PERMISSIONS_H
#define QUOIT_BASE_PERMISSIONS_H

#include "fail.h"

#include <stdint.h>

/* 0 means 0600. INVALID: bits other than reading and writing are set. */
static inline quoit_status quoit_permissions(uint32_t asked, uint32_t *permissions_out)
{
    *permissions_out = asked ? asked : 0600;
    if (asked & ~0666u)
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "permissions 0%o are not valid; use only read and write bits, such as 0600 or 0660",
            (unsigned)asked);
    return QUOIT_OK;
}

#endif
