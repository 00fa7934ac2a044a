/* SPDX-License-Identifier: MIT */
/*
 * "posix:products": the object of shm_open("/products"), with no more than POSIX guarantees. It is
 * visible before it has its size. Some systems refuse to lock its descriptor. macOS lets its size
 * be set only once, rounded up to pages. So there is a lock file beside it,
 * quoit.posix.UID.products.
 */
#include "fd.h"
#include "locked_object.h"
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct shm_name {
    char text[QUOIT_SHM_NAME_MAX + 2];
};

static struct shm_name name_of(const char *text)
{
    struct shm_name name;
    (void)snprintf(name.text, sizeof name.text, "/%s", text);
    return name;
}

static void lock_path(const struct quoit_os_shm *shm, const char *text, uint64_t owner,
                      char path[QUOIT_OS_LOCK_PATH_ROOM])
{
    (void)shm;
    quoit_os_lock_path("posix", owner, text, path);
}

/* Calls fstat on the object of that name. Returns 0, or -1 and errno. */
static int stat_object(const char *text, struct stat *status_out)
{
    int fd = quoit_os_fd_above_stdio(shm_open(name_of(text).text, O_RDONLY, 0));
    if (fd < 0)
        return -1;
    int result = fstat(fd, status_out);
    (void)close(fd);
    return result;
}

/* On systems whose objects have no number it is 0 for all. Then only the lock file distinguishes
   an object from its successor. */
static int64_t number_of(const struct stat *status)
{
    return (int64_t)((uint64_t)status->st_ino & 0x7fffffff);
}

static int64_t find(const struct quoit_os_shm *shm, const char *text, uint64_t *owner_out)
{
    (void)shm;
    struct stat status;
    if (stat_object(text, &status) != 0)
        return -1;
    *owner_out = status.st_uid;
    return number_of(&status);
}

static bool is_abandoned(const struct quoit_os_shm *shm, const char *text, int64_t number,
                         int64_t noted, uint64_t creator_pid)
{
    (void)shm;
    (void)creator_pid;
    struct stat status;
    if (stat_object(text, &status) != 0 || status.st_uid != quoit_os_user_id())
        return false;
    return noted == number || status.st_size == 0; /* recorded before it gets a size */
}

static quoit_status make(struct quoit_os_shm *shm, const char *text, uint64_t size_bytes,
                         uint32_t permissions)
{
    struct stat status;
    quoit_status result = quoit_os_check_memory(size_bytes, "posix", text);
    if (result != QUOIT_OK)
        return result;
    int fd = quoit_os_fd_above_stdio(
        shm_open(name_of(text).text, O_RDWR | O_CREAT | O_EXCL, (mode_t)permissions));
    if (fd < 0)
        return quoit_os_fail(errno, "create", text);
    shm->id = 0; /* made: to be removed if the rest fails */
    if (fstat(fd, &status) == 0)
        shm->id = (intptr_t)number_of(&status);
    else
        result = quoit_os_fail(errno, "read the attributes of", text);
    /* The umask reduced what shm_open got. macOS refuses to correct it (EINVAL). */
    if (fchmod(fd, (mode_t)permissions) != 0 && errno != EINVAL)
        result = quoit_os_fail(errno, "set the permissions of", text);
    (void)close(fd);
    return result;
}

static quoit_status set_size(int fd, const char *text, uint64_t size_bytes)
{
    int error = size_bytes > LONG_MAX ? ENOSPC : 0;
    if (error == 0 && ftruncate(fd, (off_t)size_bytes) != 0)
        error = errno;
    if (error == 0)
        error = quoit_os_fd_reserve(fd, size_bytes);
    if (error == ENOTSUP) /* not possible for such objects; map populates them */
        error = 0;
    if (error == ENOSPC || error == ENOMEM || error == EFBIG)
        return quoit_fail(QUOIT_ERROR_NO_SPACE,
                          "cannot reserve %llu bytes for 'posix:%s'%s; use a smaller capacity, or "
                          "free some shared memory",
                          (unsigned long long)size_bytes, text, quoit_os_fd_limit_hint(error));
    return error == 0 ? QUOIT_OK : quoit_os_fail(error, "set the size of", text);
}

static quoit_status map(int fd, const char *text, uint64_t new_size_bytes, struct quoit_os_shm *shm)
{
    struct quoit_os_shm mapped = {.base = NULL};
    quoit_status status = QUOIT_OK;
    if (new_size_bytes > 0)
        status = set_size(fd, text, new_size_bytes);
    if (status == QUOIT_OK)
        status = quoit_os_fd_map(fd, shm->read_only, text, &mapped);
    if (status != QUOIT_OK)
        return status;
    shm->base = mapped.base;
    shm->size_bytes = mapped.size_bytes;
    shm->owner = mapped.owner;
    shm->has_holes = new_size_bytes == 0 && !quoit_os_fd_is_whole(fd);
    return new_size_bytes > 0 ? quoit_os_populate(shm, "posix", text) : QUOIT_OK;
}

static quoit_status attach(struct quoit_os_shm *shm, const char *text, uint64_t new_size_bytes)
{
    int fd = quoit_os_fd_above_stdio(
        shm_open(name_of(text).text, shm->read_only ? O_RDONLY : O_RDWR, 0));
    if (fd < 0)
        return quoit_os_fail(errno, "open", text);
    quoit_status status = map(fd, text, new_size_bytes, shm);
    (void)close(fd);
    return status;
}

static int remove_object(const struct quoit_os_shm *shm, const char *text)
{
    (void)shm;
    return shm_unlink(name_of(text).text);
}

static void detach(struct quoit_os_shm *shm)
{
    (void)munmap(shm->base, (size_t)shm->size_bytes);
}

static const struct quoit_os_locked_ops locked = {
    .scheme = "posix",
    .lock_path = lock_path,
    .find = find,
    .is_abandoned = is_abandoned,
    .make = make,
    .attach = attach,
    .remove = remove_object,
    .detach = detach,
};

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    *shm_out = quoit_os_locked_begin(&locked, false, false);
    return quoit_os_locked_create(text, size_bytes, permissions, shm_out);
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    *shm_out = quoit_os_locked_begin(&locked, read_only, shm_out->any_owner);
    return quoit_os_locked_open(text, shm_out);
}

/* On macOS a descriptor of shared memory can only be mapped (XNU: pshm_stat shows no type, and
   pshmops reads nothing). To map it is as safe there, since the size is set only once. */
#ifdef QUOIT_NO_SHM_READ
#define PEEK NULL
#else
#define PEEK peek
static quoit_status peek(const char *text, void *bytes, uint64_t count)
{
    int fd = quoit_os_fd_above_stdio(shm_open(name_of(text).text, O_RDONLY, 0));
    if (fd < 0)
        return quoit_os_fail(errno, "open", text);
    quoit_status status = quoit_os_fd_peek(fd, text, bytes, count);
    (void)close(fd);
    return status;
}
#endif

const struct quoit_os_shm_ops quoit_os_shm_posix = {
    .scheme = {.name = "posix", .text_max = QUOIT_SHM_NAME_MAX},
    .create = create,
    .publish = quoit_os_locked_publish,
    .open = open_existing,
    .is_named = quoit_os_locked_is_named,
    .peek = PEEK,
    .unlink = quoit_os_locked_unlink,
    .close = quoit_os_locked_close,
};
