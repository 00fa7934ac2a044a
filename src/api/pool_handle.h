/* SPDX-License-Identifier: MIT */
/* The contents of a pool's handle. */
#ifndef QUOIT_API_POOL_HANDLE_H
#define QUOIT_API_POOL_HANDLE_H

#include <quoit.h>

#include "pool_shm.h"

#include "fail.h"

struct quoit_pool {
    quoit_region *region;
    struct quoit_pool_view view;
    quoit_atomic_u32 next_hint; /* where it last found a free block */
    bool forked;                /* this is a forked child's copy of the handle */
    struct quoit_os_fork_guard guard;
};

static inline bool quoit_pool_is_observer(const quoit_pool *pool)
{
    return pool->region->shm.read_only;
}

/* INVALID for NULL, FORKED in a child that inherited the handle. */
static inline quoit_status quoit_pool_check_handle(const quoit_pool *pool)
{
    if (!pool)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "pool is NULL; pass a handle from quoit_pool_create, open or join");
    if (pool->forked)
        return quoit_fail(
            QUOIT_ERROR_FORKED,
            "this pool handle belongs to the parent process; open the pool again in the child");
    return QUOIT_OK;
}

/* As quoit_pool_check_handle; WRONG_ROLE for an observer. */
static inline quoit_status quoit_pool_check_member(const quoit_pool *pool)
{
    quoit_status status = quoit_pool_check_handle(pool);
    if (status == QUOIT_OK && quoit_pool_is_observer(pool))
        return quoit_fail(QUOIT_ERROR_WRONG_ROLE,
                          "pool '%s:%s': this handle was opened with QUOIT_OBSERVER; open it "
                          "without that flag to use blocks",
                          QUOIT_REGION_NAME(pool->region));
    return status;
}

#endif
