/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for macOS's waits on an address, made of Linux's futexes. With it the build
 * QUOIT_LIKE_MACOS runs wait_macos.c. If the environment variable QUOIT_TEST_OS_SYNC is "fails", a
 * wait fails at once with ENOMEM, which macOS documents.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SHARED = 1, CLOCK_MACH_ABSOLUTE_TIME = 32 };

int os_sync_wait_on_address_with_timeout(void *address, uint64_t value, size_t size, uint32_t flags,
                                         uint32_t clock, uint64_t timeout_ns);
int os_sync_wake_by_address_all(void *address, size_t size, uint32_t flags);

int os_sync_wait_on_address_with_timeout(void *address, uint64_t value, size_t size, uint32_t flags,
                                         uint32_t clock, uint64_t timeout_ns)
{
    const char *how = getenv("QUOIT_TEST_OS_SYNC");
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                                     .tv_nsec = (long)(timeout_ns % 1000000000)};
    if (size != 4 || flags != SHARED || clock != CLOCK_MACH_ABSOLUTE_TIME || timeout_ns == 0 ||
        value > UINT32_MAX)
        abort(); /* the documentation forbids it */
    if (how && strcmp(how, "fails") == 0) {
        errno = ENOMEM;
        return -1;
    }
    if (syscall(SYS_futex, address, FUTEX_WAIT, (uint32_t)value, &timeout, NULL, 0) == 0 ||
        errno == EAGAIN)
        return 0;
    return -1;
}

int os_sync_wake_by_address_all(void *address, size_t size, uint32_t flags)
{
    if (size != 4 || flags != SHARED)
        abort();
    long woken = syscall(SYS_futex, address, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    if (woken > 0)
        return 0;
    errno = ENOENT;
    return -1;
}
