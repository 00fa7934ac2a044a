/* SPDX-License-Identifier: MIT */
/* A descriptor for event loops: a pipe that holds a byte while an event is pending. */
#include "os.h"

#include "fd.h"
#include "process_posix.h"
#include "system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Makes a pipe that is close-on-exec from the start, with pipe2 (POSIX since 2024). Without pipe2,
   a fork of another thread waits for the end of this hold. A posix_spawn or vfork of another thread
   does not wait, and its program may inherit both ends. */
static int make_pipe(int ends[2])
{
#ifdef QUOIT_HAS_PIPE2
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
#else
    if (pipe(ends) != 0) /* not close-on-exec: POSIX.1-2008 has no such call */
        return -1;
    for (int i = 0; i < 2; i++)
        if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[i], F_SETFL, O_NONBLOCK) != 0) {
            int error = errno;
            (void)close(ends[0]);
            (void)close(ends[1]);
            errno = error;
            return -1;
        }
    return 0;
#endif
}

quoit_status quoit_os_notifier_make(struct quoit_os_notifier *notifier_out)
{
    int ends[2] = {-1, -1};
    if (make_pipe(ends) != 0)
        return quoit_os_fail(errno, "create", "a pipe");
    ends[0] = quoit_os_fd_above_stdio(ends[0]);
    int error = errno;
    ends[1] = quoit_os_fd_above_stdio(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0) {
        *notifier_out = (struct quoit_os_notifier){.fd = ends[0], .write_fd = ends[1]};
        return QUOIT_OK;
    }
    error = ends[0] < 0 ? error : errno;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    return quoit_os_fail(error, "set the flags of", "a pipe");
}

void quoit_os_notifier_set(const struct quoit_os_notifier *notifier)
{
    (void)!write(notifier->write_fd, "", 1); /* a full pipe is readable already */
}

void quoit_os_notifier_clear(const struct quoit_os_notifier *notifier)
{
    char bytes[16];
    int cancel_state = quoit_os_cancel_disable(); /* a thread cancelled here would not rearm it */
    while (read(notifier->fd, bytes, sizeof bytes) > 0)
        ;
    quoit_os_cancel_restore(cancel_state);
}

void quoit_os_notifier_close(const struct quoit_os_notifier *notifier)
{
    (void)close(notifier->fd);
    (void)close(notifier->write_fd);
}
