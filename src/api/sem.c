/* SPDX-License-Identifier: MIT */
/* Named semaphores: the name's scheme picks the mechanism, which does the rest. */
#include <quoit.h>
#include <quoit/sem.h>

#include "fail.h"
#include "name.h"
#include "permissions.h"
#include "region_handle.h"
#include "reserved.h"

#include <stdlib.h>

_Static_assert(QUOIT_FOREVER == QUOIT_OS_FOREVER, "time-outs are passed on as they are");

struct quoit_sem {
    const struct quoit_os_sem_ops *ops;
    struct quoit_os_sem os;
};

/* Returns the mechanism that a name's scheme picks. NULL: *status_out is the reason. */
static const struct quoit_os_sem_ops *resolve(const char *name, struct quoit_name *name_out,
                                              quoit_status *status_out)
{
    const struct quoit_os_sem_ops *found = NULL;
    *status_out = quoit_name_split(name, name_out);
    if (*status_out != QUOIT_OK)
        return NULL;
    for (const struct quoit_os_sem_ops *const *ops = quoit_os_sem_schemes; *ops; ops++)
        if (quoit_name_matches(name_out, &(*ops)->scheme, ops == quoit_os_sem_schemes))
            found = *ops;
    *status_out = found ? quoit_name_check(name_out, &found->scheme)
                        : quoit_name_unmatched(name_out, " for semaphores");
    return *status_out == QUOIT_OK ? found : NULL;
}

static quoit_status check_flags(uint32_t flags)
{
    if (flags & ~(unsigned)QUOIT_ANY_OWNER)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "flags 0x%x are not valid here; pass 0 or QUOIT_ANY_OWNER",
                          (unsigned)flags);
    return QUOIT_OK;
}

static quoit_status check_call(uint32_t flags, quoit_sem **sem_out)
{
    if (!sem_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "sem_out is NULL; pass the address of a variable");
    *sem_out = NULL;
    return check_flags(flags);
}

static quoit_status check_options(const struct quoit_sem_options *options,
                                  const struct quoit_os_sem_ops *ops, uint32_t *permissions_out)
{
    if (options->value > ops->value_max)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "value is %u, but a '%s:' semaphore can hold at most %u",
                          (unsigned)options->value, ops->scheme.name, (unsigned)ops->value_max);
    quoit_status status = QUOIT_CHECK_RESERVED(options, options->reserved_word);
    if (status != QUOIT_OK)
        return status;
    if (options->give_back > 1)
        return quoit_fail(QUOIT_ERROR_INVALID, "give_back is %u; it must be 0 or 1",
                          (unsigned)options->give_back);
    if (options->give_back && !ops->gives_back)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "give_back is 1, but '%s:' semaphores give nothing back after a crash; "
                          "use a 'sysv:' semaphore, or give_back 0",
                          ops->scheme.name);
    return quoit_permissions(options->permissions, permissions_out);
}

/* Makes a handle: creates the semaphore if there are options, else opens it. */
static quoit_status make_held(const struct quoit_os_sem_ops *ops, const char *text,
                              const struct quoit_sem_options *options, uint32_t permissions,
                              uint32_t flags, quoit_sem **sem_out)
{
    quoit_status status;
    quoit_sem *sem = calloc(1, sizeof *sem);
    if (!sem)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY,
                          "out of memory: cannot allocate a semaphore handle");
    sem->ops = ops;
    if (options)
        status = ops->create(text, options->value, permissions, options->give_back == 1, &sem->os);
    else
        status = ops->open(text, (flags & QUOIT_ANY_OWNER) != 0, &sem->os);
    if (status == QUOIT_OK)
        *sem_out = sem;
    else
        free(sem);
    return status;
}

static quoit_status make(const char *name, const struct quoit_sem_options *options, uint32_t flags,
                         quoit_sem **sem_out)
{
    struct quoit_name parts;
    quoit_status status;
    const struct quoit_os_sem_ops *ops = resolve(name, &parts, &status);
    uint32_t permissions = 0;
    if (ops && options)
        status = check_options(options, ops, &permissions);
    if (!ops || status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* for calloc, too: a handler that forks needs the allocator's lock */
    status = make_held(ops, parts.text, options, permissions, flags, sem_out);
    quoit_os_fork_release();
    return status;
}

quoit_status quoit_sem_create(const char *name, const struct quoit_sem_options *options,
                              uint32_t flags, quoit_sem **sem_out)
{
    quoit_status status = check_call(flags, sem_out);
    if (status == QUOIT_OK && !options)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "options is NULL; pass options that describe the semaphore");
    return status == QUOIT_OK ? make(name, options, 0, sem_out) : status;
}

quoit_status quoit_sem_open(const char *name, uint32_t flags, quoit_sem **sem_out)
{
    quoit_status status = check_call(flags, sem_out);
    return status == QUOIT_OK ? make(name, NULL, flags, sem_out) : status;
}

static quoit_status join_held(const char *name, const struct quoit_sem_options *options,
                              uint32_t flags, quoit_sem **sem_out)
{
    do {
        quoit_status status = quoit_sem_create(name, options, 0, sem_out);
        if (status != QUOIT_ERROR_EXISTS)
            return status;
        status = quoit_sem_open(name, flags, sem_out);
        if (status != QUOIT_ERROR_NOT_FOUND)
            return status;
    } while (quoit_os_hold_left_ns() > 0);
    return quoit_region_fail_replaced(name);
}

quoit_status quoit_sem_join(const char *name, const struct quoit_sem_options *options,
                            uint32_t flags, quoit_sem **sem_out)
{
    quoit_status status = check_call(flags, sem_out);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold();
    status = join_held(name, options, flags, sem_out);
    quoit_os_fork_release();
    return status;
}

void quoit_sem_close(quoit_sem *sem)
{
    if (!sem)
        return;
    quoit_os_fork_hold();
    sem->ops->close(&sem->os);
    free(sem); /* held: a handler that forks needs the allocator's lock */
    quoit_os_fork_release();
}

quoit_status quoit_sem_unlink(const char *name, uint32_t flags)
{
    struct quoit_name parts;
    quoit_status status = check_flags(flags);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_os_sem_ops *ops = resolve(name, &parts, &status);
    if (!ops)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold();
    status = ops->unlink(parts.text, (flags & QUOIT_ANY_OWNER) != 0);
    quoit_os_fork_release();
    return status;
}

quoit_status quoit_sem_wait(quoit_sem *sem, int64_t timeout_ns)
{
    if (!sem)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "sem is NULL; pass a handle from quoit_sem_create, open or join");
    quoit_os_cancel_point();
    return sem->ops->wait(&sem->os, timeout_ns);
}

quoit_status quoit_sem_post(quoit_sem *sem)
{
    if (!sem)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "sem is NULL; pass a handle from quoit_sem_create, open or join");
    return sem->ops->post(&sem->os);
}

quoit_status quoit_sem_value(quoit_sem *sem, uint32_t *value_out)
{
    if (!sem || !value_out)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "sem or value_out is NULL; pass a handle and the address of a variable");
    return sem->ops->value(&sem->os, value_out);
}
