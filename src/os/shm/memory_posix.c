/* SPDX-License-Identifier: MIT */
/* Memory without a name: a file that loses its name at once. */
#include "fd.h"

#include <unistd.h>

int quoit_os_memory_fd(const char *text)
{
    (void)text;
    char path[] = QUOIT_LOCK_DIRECTORY "/.quoit-XXXXXX";
    int fd = quoit_os_fd_temporary(path);
    if (fd < 0)
        return -1;
    (void)unlink(path);
    return quoit_os_fd_above_stdio(fd);
}

bool quoit_os_segment_is_whole(int id)
{
    (void)id; /* the system does not report it */
    return true;
}
