/* SPDX-License-Identifier: MIT */
/* A descriptor for event loops: Linux's eventfd, whose count is not 0 while an event is pending. */
#include "os.h"

#include "fd.h"
#include "process_posix.h"
#include "system_error.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

quoit_status quoit_os_notifier_make(struct quoit_os_notifier *notifier_out)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return quoit_os_fail(errno, "create", "an eventfd");
    fd = quoit_os_fd_above_stdio(fd);
    if (fd < 0)
        return quoit_os_fail(errno, "set the flags of", "an eventfd");
    *notifier_out = (struct quoit_os_notifier){.fd = fd, .write_fd = fd};
    return QUOIT_OK;
}

void quoit_os_notifier_set(const struct quoit_os_notifier *notifier)
{
    (void)!write(notifier->fd, &(uint64_t){1}, sizeof(uint64_t)); /* never full: it is cleared */
}

void quoit_os_notifier_clear(const struct quoit_os_notifier *notifier)
{
    uint64_t count;
    int cancel_state = quoit_os_cancel_disable(); /* a thread cancelled here would not rearm it */
    (void)!read(notifier->fd, &count, sizeof count);
    quoit_os_cancel_restore(cancel_state);
}

void quoit_os_notifier_close(const struct quoit_os_notifier *notifier)
{
    (void)close(notifier->fd);
}
