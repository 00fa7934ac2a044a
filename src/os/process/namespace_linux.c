/* SPDX-License-Identifier: MIT */
/*
 * Finds the IPC namespace of this process. A wrong answer would do harm: the lock file of a live
 * object in another namespace looks like one whose object was removed. So a process that cannot
 * find its namespace gets an error.
 */
#include "sysv.h"

#include "fail.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's numbers: some C libraries have no header for them. */
enum { PIDFD_OPEN = 434 };
#define GET_IPC_NAMESPACE _IO(0xff, 2) /* on a pidfd, since 6.11 */

/* Without /proc: the kernel opens the namespace through a descriptor of this process. */
static bool ask_kernel(struct stat *namespace_out)
{
    int self = (int)syscall(PIDFD_OPEN, getpid(), 0);            /* close-on-exec, always */
    int opened = self < 0 ? -1 : ioctl(self, GET_IPC_NAMESPACE); /* likewise */
    bool found = opened >= 0 && fstat(opened, namespace_out) == 0;
    if (opened >= 0)
        (void)close(opened);
    if (self >= 0)
        (void)close(self);
    return found;
}

quoit_status quoit_os_ipc_namespace(uint64_t *namespace_out)
{
    const uint64_t first = 0xefffffff; /* the first namespace's number on every Linux */
    static const char own[] = "/proc/self/ns/ipc";
    struct stat namespace, other;
    *namespace_out = 0;
    bool found = stat(own, &namespace) == 0;
    int error = errno;
    if (!found && !ask_kernel(&namespace)) {
        if (stat("/proc/self/ns/mnt", &other) == 0 && stat(own, &other) != 0 && errno == ENOENT)
            return QUOIT_OK; /* a kernel that was built without IPC namespaces */
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "names of the scheme 'sysv:' need '%s' to find this process's IPC "
                          "namespace, but it cannot be read: %s; mount /proc",
                          own, strerror(error));
    }
    if (namespace.st_ino != first)
        *namespace_out = namespace.st_ino;
    return QUOIT_OK;
}
