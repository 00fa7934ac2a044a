/* SPDX-License-Identifier: MIT */
/* "posix:products": what sem_open("/products") names. The system does not give a dead holder's
   count back. */
#include "os.h"
#include "system_error.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { TEXT_MAX = 200 };

/* The C library keeps a semaphore as a file of this name; its permissions and owner are looked at
   there. */
static const char file_prefix[] = "/dev/shm/sem.";

struct sem_path {
    char name[TEXT_MAX + 2];
    char file[sizeof file_prefix + TEXT_MAX];
};

static struct sem_path path_of(const char *text)
{
    struct sem_path path;
    (void)snprintf(path.name, sizeof path.name, "/%s", text);
    (void)snprintf(path.file, sizeof path.file, "%s%s", file_prefix, text);
    return path;
}

static quoit_status create(const char *text, uint32_t value, uint32_t permissions, bool undo,
                           struct quoit_os_sem *sem_out)
{
    (void)undo; /* not to be had here */
    struct sem_path path = path_of(text);
    sem_t *sem = sem_open(path.name, O_CREAT | O_EXCL, (mode_t)permissions, value);
    if (sem == SEM_FAILED)
        return quoit_os_fail(errno, "create semaphore", text);
    /* sem_open obeyed the umask. No such file: another has unlinked the semaphore since. */
    if (chmod(path.file, (mode_t)permissions) != 0 && errno != ENOENT) {
        quoit_status status = quoit_os_fail(errno, "set the permissions of semaphore", text);
        (void)sem_close(sem);
        return status;
    }
    *sem_out = (struct quoit_os_sem){.pointer = sem};
    return QUOIT_OK;
}

static quoit_status check_owner(const char *text, bool any_owner)
{
    struct stat file;
    if (lstat(path_of(text).file, &file) != 0)
        return quoit_os_fail(errno, "open semaphore", text);
    if (!S_ISREG(file.st_mode) || file.st_size != (off_t)sizeof(sem_t))
        return quoit_fail(QUOIT_NOT_QUOIT, "'%s' is no semaphore", path_of(text).file);
    if (!any_owner && file.st_uid != quoit_os_user_id())
        return quoit_fail(QUOIT_OWNER, "semaphore '%s' belongs to user %llu, this process to %llu",
                          text, (unsigned long long)file.st_uid,
                          (unsigned long long)quoit_os_user_id());
    return QUOIT_OK;
}

static quoit_status open_existing(const char *text, bool any_owner, struct quoit_os_sem *sem_out)
{
    quoit_status status = check_owner(text, any_owner);
    if (status != QUOIT_OK)
        return status;
    sem_t *sem = sem_open(path_of(text).name, 0);
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
    if (sem_unlink(path_of(text).name) != 0)
        return quoit_os_fail(errno, "remove semaphore", text);
    return QUOIT_OK;
}

static void close_sem(struct quoit_os_sem *sem)
{
    (void)sem_close(sem->pointer);
}

static int wait_until(sem_t *sem, int64_t timeout_ns)
{
    uint64_t now = quoit_os_monotonic_ns();
    uint64_t deadline = now + (uint64_t)timeout_ns; /* both below 2^63 */
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                             .tv_nsec = (long)(deadline % 1000000000)};
    return sem_clockwait(sem, CLOCK_MONOTONIC, &until);
}

static quoit_status wait_sem(struct quoit_os_sem *sem, int64_t timeout_ns)
{
    uint64_t start = quoit_os_monotonic_ns();
    for (;;) {
        int result;
        if (timeout_ns < 0) {
            result = sem_wait(sem->pointer);
        } else {
            int64_t spent = (int64_t)(quoit_os_monotonic_ns() - start);
            result = spent < timeout_ns ? wait_until(sem->pointer, timeout_ns - spent)
                                        : sem_trywait(sem->pointer);
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
        return quoit_fail(QUOIT_OVERFLOW, "the semaphore's value is at its largest, %d",
                          SEM_VALUE_MAX);
    return quoit_os_fail(errno, "post", "a POSIX semaphore");
}

static quoit_status value_of(struct quoit_os_sem *sem, uint32_t *value_out)
{
    int value;
    if (sem_getvalue(sem->pointer, &value) != 0)
        return quoit_os_fail(errno, "read", "a POSIX semaphore");
    *value_out = value > 0 ? (uint32_t)value : 0;
    return QUOIT_OK;
}

const struct quoit_os_sem_ops quoit_os_sem_posix = {
    .scheme = {.name = "posix", .text_max = TEXT_MAX},
    .value_max = SEM_VALUE_MAX,
    .create = create,
    .open = open_existing,
    .unlink = unlink_name,
    .close = close_sem,
    .wait = wait_sem,
    .post = post,
    .value = value_of,
};
