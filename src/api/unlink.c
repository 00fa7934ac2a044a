/* SPDX-License-Identifier: MIT */
/* Removes objects that crashed members have abandoned, and transient ones without members.
   Unlinking by name is in region_unlink.c. */
#include "unlink.h"

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
    if (status == QUOIT_OK && region->transient)
        return quoit_members_remove_transient(&members, region);
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
            QUOIT_REGION_NAME(region));
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

/* ---- Transient objects ----------------------------------------------------------------------- */

bool quoit_make_way(const char *name, uint32_t flags)
{
    struct quoit_members members;
    quoit_region *region = NULL;
    quoit_status status = QUOIT_ERROR_EXISTS;
    if (quoit_region_is_transient(name))
        status = quoit_region_attach(name, flags & QUOIT_ANY_OWNER, &region);
    if (status == QUOIT_OK) {
        /* The name may lead to another object by now. */
        status = region->transient ? find_members(region, &members) : QUOIT_ERROR_EXISTS;
        if (status == QUOIT_OK)
            status = quoit_members_remove_transient(&members, region);
        quoit_region_close(region);
    }
    if (status == QUOIT_OK || status == QUOIT_ERROR_NOT_FOUND)
        return true;
    (void)quoit_fail(QUOIT_ERROR_EXISTS,
                     "'%s' exists already; open it or join it, or use another name", name);
    return false;
}

quoit_status quoit_remove_left_behind(const struct quoit_members *members, quoit_region *region)
{
    if (!region->transient || quoit_members_are_there(members))
        return QUOIT_OK;
    quoit_status status = quoit_members_remove_transient(members, region);
    if (status == QUOIT_ERROR_BUSY) /* a member has joined meanwhile */
        return QUOIT_OK;
    return status == QUOIT_OK
               ? quoit_fail(QUOIT_ERROR_NOT_FOUND, "the members of '%s:%s' crashed: it was removed",
                            QUOIT_REGION_NAME(region))
               : status;
}

void quoit_remove_if_last(const struct quoit_members *members, quoit_region *region)
{
    /* Checks for members here too, so that a call that fails keeps its sentence. */
    if (region->transient && !quoit_members_are_there(members) && quoit_region_is_named(region))
        (void)quoit_members_remove_transient(members, region);
}
