/* SPDX-License-Identifier: MIT */
/* "posix:products": the semaphore of sem_open("/products"). The system does not return the count
   that a crashed process has taken. */
#include "os.h"
#include "owner.h"
#include "sem_timed.h"
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* NetBSD's is ~0U. illumos and Solaris define none; their libraries accept up to INT_MAX. */
#ifdef SEM_VALUE_MAX
static const unsigned long long value_most = SEM_VALUE_MAX;
#define SEM_VALUES_AS_INT (SEM_VALUE_MAX < INT_MAX ? SEM_VALUE_MAX : INT_MAX)
#else
static const unsigned long long value_most = INT_MAX;
#define SEM_VALUES_AS_INT INT_MAX
#endif

struct sem_name {
    char text[sizeof QUOIT_SEM_NAME_PREFIX + QUOIT_SHM_NAME_MAX];
};

static struct sem_name name_of(const char *text)
{
    struct sem_name name;
    (void)snprintf(name.text, sizeof name.text, "%s%s", QUOIT_SEM_NAME_PREFIX, text);
    return name;
}

#ifdef QUOIT_SEM_FILE_PREFIX
/* Linux's C libraries keep a semaphore as a file of this name. The functions below set its
   permissions and read its owner there. */
struct sem_file {
    char path[sizeof QUOIT_SEM_FILE_PREFIX + QUOIT_SHM_NAME_MAX];
};

static struct sem_file file_of(const char *text)
{
    struct sem_file file;
    (void)snprintf(file.path, sizeof file.path, "%s%s", QUOIT_SEM_FILE_PREFIX, text);
    return file;
}

static quoit_status set_permissions(const char *text, uint32_t permissions)
{
    /* No such file: another process has unlinked the semaphore since. */
    if (chmod(file_of(text).path, (mode_t)permissions) != 0 && errno != ENOENT)
        return quoit_os_fail(errno, "set the permissions of semaphore", text);
    return QUOIT_OK;
}

static uint64_t owner_of(const char *text, const struct stat *file)
{
    int fd = open(file_of(text).path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    uint64_t owner = quoit_os_owner_of(file->st_uid, fd);
    if (fd >= 0)
        (void)close(fd);
    return owner;
}

static quoit_status check_owner(const char *text, bool any_owner)
{
    struct stat file;
    if (lstat(file_of(text).path, &file) != 0)
        return quoit_os_fail(errno, "open semaphore", text);
    if (!S_ISREG(file.st_mode) || file.st_size != (off_t)sizeof(sem_t))
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT, "'%s': it is not a semaphore; use another name",
                          file_of(text).path);
    uint64_t owner = any_owner ? quoit_os_user_id() : owner_of(text, &file);
    return owner == quoit_os_user_id() ? QUOIT_OK
                                       : quoit_os_fail_owner("semaphore ", "posix", text, owner);
}
#else
/* POSIX does not report a semaphore's owner, and the umask removes some of the permissions that
   sem_open gets. So only the permissions keep other users out. */
static quoit_status set_permissions(const char *text, uint32_t permissions)
{
    (void)text;
    (void)permissions;
    return QUOIT_OK;
}

static quoit_status check_owner(const char *text, bool any_owner)
{
    (void)text;
    (void)any_owner;
    return QUOIT_OK;
}
#endif

static quoit_status create(const char *text, uint32_t value, uint32_t permissions, bool undo,
                           struct quoit_os_sem *sem_out)
{
    (void)undo; /* not available here */
    sem_t *sem = sem_open(name_of(text).text, O_CREAT | O_EXCL, (mode_t)permissions, value);
    if (sem == SEM_FAILED)
        return quoit_os_fail(errno, "create semaphore", text);
    quoit_status status = set_permissions(text, permissions); /* sem_open obeyed the umask */
    if (status != QUOIT_OK) {
        (void)sem_unlink(name_of(text).text); /* otherwise every later create returns EXISTS */
        (void)sem_close(sem);
        return status;
    }
    *sem_out = (struct quoit_os_sem){.pointer = sem};
    return QUOIT_OK;
}

static quoit_status open_existing(const char *text, bool any_owner, struct quoit_os_sem *sem_out)
{
    quoit_status status = check_owner(text, any_owner);
    if (status != QUOIT_OK)
        return status;
    sem_t *sem = sem_open(name_of(text).text, 0);
    if (sem == SEM_FAILED)
        return quoit_os_fail(errno, "open semaphore", text);
    *sem_out = (struct quoit_os_sem){.pointer = sem};
    return QUOIT_OK;
}

static quoit_status unlink_name(const char *text, bool any_owner)
{
    quoit_status status = check_owner(text, any_owner);
    if (status != QUOIT_OK)
        return status;
    if (sem_unlink(name_of(text).text) != 0)
        return quoit_os_fail(errno, "remove semaphore", text);
    return QUOIT_OK;
}

static void close_sem(struct quoit_os_sem *sem)
{
    (void)sem_close(sem->pointer);
}

static quoit_status wait_sem(struct quoit_os_sem *sem, int64_t timeout_ns)
{
    uint64_t start = quoit_os_monotonic_ns();
    for (;;) {
        int result;
        if (timeout_ns == QUOIT_OS_FOREVER) {
            result = sem_wait(sem->pointer);
        } else {
            int64_t spent = (int64_t)(quoit_os_monotonic_ns() - start);
            int64_t left = spent < timeout_ns ? timeout_ns - spent : 0;
            bool in_parts = left > QUOIT_OS_SEM_LONGEST_NS;
            result = left > 0 ? quoit_os_sem_timed_wait(sem->pointer,
                                                        in_parts ? QUOIT_OS_SEM_LONGEST_NS : left)
                              : sem_trywait(sem->pointer);
            if (result != 0 && (errno == ETIMEDOUT || errno == EAGAIN) && in_parts)
                continue;
        }
        if (result == 0)
            return QUOIT_OK;
        if (errno == ETIMEDOUT || errno == EAGAIN)
            return QUOIT_TIMEOUT;
        if (errno != EINTR)
            return quoit_os_fail(errno, "wait for", "a POSIX semaphore");
    }
}

static quoit_status post(struct quoit_os_sem *sem)
{
    if (sem_post(sem->pointer) == 0)
        return QUOIT_OK;
    if (errno == EOVERFLOW)
        return quoit_fail(
            QUOIT_ERROR_LIMIT,
            "the semaphore's value is %llu, its maximum; wait on it before posting again",
            value_most);
    return quoit_os_fail(errno, "post", "a POSIX semaphore");
}

static quoit_status value_of(struct quoit_os_sem *sem, uint32_t *value_out)
{
#ifdef QUOIT_NO_SEM_GETVALUE
    (void)sem;
    (void)value_out;
    return quoit_fail(
        QUOIT_ERROR_UNSUPPORTED,
        "the value of a POSIX semaphore cannot be read on this system; use a 'sysv:' semaphore");
#else
    int value;
    if (sem_getvalue(sem->pointer, &value) != 0)
        return quoit_os_fail(errno, "read", "a POSIX semaphore");
    *value_out = value > 0 ? (uint32_t)value : 0;
    return QUOIT_OK;
#endif
}

const struct quoit_os_sem_ops quoit_os_sem_posix = {
    .scheme = {.name = "posix", .text_max = QUOIT_SHM_NAME_MAX},
    .value_max = SEM_VALUES_AS_INT, /* what sem_getvalue can return */
    .create = create,
    .open = open_existing,
    .unlink = unlink_name,
    .close = close_sem,
    .wait = wait_sem,
    .post = post,
    .value = value_of,
};
