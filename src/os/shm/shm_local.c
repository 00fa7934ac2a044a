/* SPDX-License-Identifier: MIT */
/* "local:products": memory without a name in the system, for this process's threads, and for the
   children that it forks. */
#include "fd.h"
#include "liveness.h"
#include "local_names.h"
#include "mapped_file.h"
#include "system_error.h"

#include "fail.h"

#include <errno.h>

quoit_status quoit_os_local_share(intptr_t memory, bool read_only, const char *text,
                                  intptr_t *memory_out)
{
    *memory_out = quoit_os_fd_share((int)memory, read_only);
    if (*memory_out >= 0)
        return QUOIT_OK;
    if (errno == ENOENT)
        return quoit_fail(
            QUOIT_ERROR_UNSUPPORTED,
            "'local:%s': the scheme 'local:' needs /proc, which is not mounted; mount it", text);
    return quoit_os_fail(errno, "open", text);
}

void quoit_os_local_drop(intptr_t memory)
{
    quoit_os_fd_close((int)memory, NULL);
}

/* Maps the memory of fd, or closes fd. */
static quoit_status map(int fd, bool read_only, uint64_t identity, const char *text,
                        struct quoit_os_shm *shm_out)
{
    quoit_status status = quoit_os_file_map(fd, read_only, text, shm_out);
    if (status == QUOIT_OK)
        shm_out->identity = identity;
    else
        quoit_os_fd_close(fd, NULL);
    return status;
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    static _Atomic uint64_t made;
    quoit_status status = quoit_os_check_memory(size_bytes, "local", text);
    if (status != QUOIT_OK)
        return status;
    int fd = quoit_os_fd_adopt(quoit_os_memory_fd(text), true);
    if (fd < 0)
        return quoit_os_fail(errno, "create", text);
    status = quoit_os_file_reserve(fd, size_bytes, permissions, text);
    if (status != QUOIT_OK) {
        quoit_os_fd_close(fd, NULL);
        return status;
    }
    /* Relaxed: a number that differs from all others. */
    uint64_t identity = atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    return map(fd, false, identity, text, shm_out);
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    intptr_t fd = -1;
    uint64_t identity = 0;
    quoit_status status = quoit_os_local_find(text, read_only, &fd, &identity);
    return status == QUOIT_OK ? map((int)fd, read_only, identity, text, shm_out) : status;
}

const struct quoit_os_shm_ops quoit_os_shm_local = {
    .scheme = {.name = "local", .text_max = QUOIT_OS_LOCAL_TEXT_MAX},
    .create = create,
    .publish = quoit_os_local_publish,
    .open = open_existing,
    .is_named = quoit_os_local_is_named,
    .unlink = quoit_os_local_unlink,
    .close = quoit_os_file_close,
};
