/* SPDX-License-Identifier: MIT */
/* Objects without a name, for systems that have none: a descriptor there cannot be opened anew,
   with locks of its own, or its memory cannot be sealed. */
#include "os.h"

#include "fail.h"

static quoit_status unsupported(void)
{
    return quoit_fail(QUOIT_ERROR_UNSUPPORTED, "this system has no queues without a name");
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    (void)text;
    (void)size_bytes;
    (void)permissions;
    (void)shm_out;
    return unsupported();
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    (void)text;
    (void)read_only;
    (void)shm_out;
    return unsupported();
}

const struct quoit_os_shm_ops quoit_os_shm_nameless = {
    .scheme = {.name = "fd", .text_max = 16},
    .create = create,
    .open = open_existing,
};

void quoit_os_fd_end_share(int fd)
{
    (void)fd;
}

quoit_status quoit_os_fd_find_path(int fd, char *path, uint64_t room)
{
    (void)fd;
    if (room > 0)
        path[0] = '\0';
    return unsupported();
}

bool quoit_os_fd_is_at(int fd, const char *path)
{
    (void)fd;
    (void)path;
    return false;
}
