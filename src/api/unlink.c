/* SPDX-License-Identifier: MIT */
/* Removes objects that crashed members have abandoned. Unlinking by name is in region.c. */
#include <quoit.h>
#include <quoit/inspect.h>

#include "lock_shm.h"
#include "pool_shm.h"
#include "queue_shm.h"

#include "fail.h"

static quoit_status find_members(quoit_region *region, struct quoit_members *members_out)
{
    struct quoit_queue_view queue;
    struct quoit_pool_view pool;
    struct quoit_lock_view lock;
    const struct quoit_members *members = &queue.members;
    quoit_status status;
    if (region->content == QUOIT_CONTENT_POOL) {
        status = quoit_pool_find(region, &pool);
        members = &pool.members;
    } else if (region->content == QUOIT_CONTENT_LOCK) {
        status = quoit_lock_find(region, &lock);
        members = &lock.members;
    } else {
        status = quoit_queue_find(region, &queue);
    }
    if (status == QUOIT_OK)
        *members_out = *members;
    return status;
}

static quoit_status unlink_held(quoit_region *region)
{
    struct quoit_members members;
    quoit_status status = find_members(region, &members);
    if (status == QUOIT_OK)
        status = quoit_members_block_joins(&members, region);
    if (status != QUOIT_OK)
        return status;
    status = quoit_region_unlink_self(region);
    quoit_members_allow_joins(&members);
    if (status == QUOIT_ERROR_REMOVED)
        return quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'%s:%s': another process removed it during this call; there is nothing left to remove",
            quoit_region_scheme(region), quoit_region_text(region));
    return status;
}

quoit_status quoit_unlink_abandoned(const char *name, uint32_t flags)
{
    quoit_region *region;
    if (flags & ~(unsigned)QUOIT_ANY_OWNER)
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "flags 0x%x are not valid for quoit_unlink_abandoned; pass 0 or QUOIT_ANY_OWNER",
            (unsigned)flags);
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* else a forked child keeps the locks */
    quoit_status status = quoit_region_attach(name, flags, &region);
    if (status == QUOIT_OK) {
        status = unlink_held(region);
        quoit_region_close(region);
    }
    quoit_os_fork_release();
    return status;
}
