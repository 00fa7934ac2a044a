/* SPDX-License-Identifier: MIT */
/* Memory without a name: a memfd. */
#include "fd.h"

#include <sys/mman.h>

int quoit_os_memory_fd(const char *text)
{
    return quoit_os_fd_above_stdio(memfd_create(text, MFD_CLOEXEC));
}
