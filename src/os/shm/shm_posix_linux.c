/* SPDX-License-Identifier: MIT */
/*
 * "posix:products": the object of shm_open("/products"). On Linux it is a file in /dev/shm. Using
 * the file by its path allows filling the object before it has a name, which shm_open does not.
 */
#include "lock_file.h"
#include "mapped_file.h"

#include <stdio.h>

static const char directory[] = "/dev/shm/";

struct shm_path {
    char text[sizeof directory + QUOIT_SHM_NAME_MAX];
};

static struct shm_path path_of(const char *text)
{
    struct shm_path path;
    (void)snprintf(path.text, sizeof path.text, "%s%s", directory, text);
    return path;
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    return quoit_os_file_create(path_of(text).text, size_bytes, permissions, shm_out);
}

static quoit_status publish(struct quoit_os_shm *shm, const char *text)
{
    return quoit_os_file_publish(shm, path_of(text).text);
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    return quoit_os_file_open(path_of(text).text, read_only, shm_out);
}

static quoit_status open_locks(struct quoit_os_shm *shm, const char *text)
{
    return quoit_os_lock_file_open(shm, path_of(text).text);
}

static bool is_named(const struct quoit_os_shm *shm, const char *text)
{
    return quoit_os_file_is_named(shm, path_of(text).text);
}

static quoit_status peek(const char *text, void *bytes, uint64_t count)
{
    return quoit_os_file_peek(path_of(text).text, bytes, count);
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *text)
{
    return quoit_os_file_unlink(shm, path_of(text).text);
}

const struct quoit_os_shm_ops quoit_os_shm_posix = {
    .scheme = {.name = "posix", .text_max = QUOIT_SHM_NAME_MAX},
    .create = create,
    .publish = publish,
    .open = open_existing,
    .open_locks = open_locks,
    .is_named = is_named,
    .peek = peek,
    .unlink = unlink_name,
    .close = quoit_os_file_close,
};
