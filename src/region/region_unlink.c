/* SPDX-License-Identifier: MIT */
/* Removes the names of regions of any content. */
#include "region_handle.h"

#include "fail.h"

quoit_status quoit_region_unlink_self(quoit_region *region)
{
    if (region->shm.read_only)
        return quoit_fail(QUOIT_ERROR_PERMISSION,
                          "'%s:%s': it was opened read-only; open it without QUOIT_OBSERVER",
                          QUOIT_REGION_NAME(region));
    quoit_os_fork_hold(); /* else a forked child keeps a System V name's gate */
    quoit_status status = region->ops->unlink(&region->shm, region->name.text);
    quoit_os_fork_release();
    if (status == QUOIT_ERROR_NOT_FOUND)
        return quoit_fail(QUOIT_ERROR_REMOVED,
                          "'%s:%s': the name was removed before, or leads to another object; there "
                          "is nothing left to remove",
                          QUOIT_REGION_NAME(region));
    return status;
}

static quoit_status unlink_named(const char *name, uint32_t flags)
{
    quoit_region *region;
    quoit_status status;
    do {
        status = quoit_region_attach(name, flags | QUOIT_REGION_DAMAGED_TOO, &region);
        if (status != QUOIT_OK)
            return status;
        status = quoit_region_unlink_self(region);
        quoit_region_close(region);
    } while (status == QUOIT_ERROR_REMOVED && quoit_os_hold_left_ns() > 0);
    if (status == QUOIT_ERROR_REMOVED)
        return quoit_region_fail_replaced(name);
    return status;
}

quoit_status quoit_unlink(const char *name, uint32_t flags)
{
    if (flags & ~(uint32_t)QUOIT_ANY_OWNER)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "flags 0x%x are not valid for quoit_unlink; pass 0 or QUOIT_ANY_OWNER",
                          (unsigned)flags);
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* else a forked child keeps a System V name's gate */
    quoit_status status = unlink_named(name, flags);
    quoit_os_fork_release();
    return status;
}
