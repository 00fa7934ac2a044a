/* SPDX-License-Identifier: MIT */
/* Pipes on Linux, which may be wider than the 64 KiB that they begin with. */
#include "stream.h"

#include <fcntl.h>
#include <unistd.h>

/* By default an ordinary user may have 64 MiB of pipe buffers; after that, new pipes are small. */
enum { PIPE_BYTES = 1 << 18 };

/* Fails if the descriptor is no pipe, or the system's limit is lower: it then stays as it is. */
static void widen(int descriptor)
{
    if (fcntl(descriptor, F_GETPIPE_SZ) < PIPE_BYTES)
        (void)fcntl(descriptor, F_SETPIPE_SZ, PIPE_BYTES);
}

void stream_widen_stdin(void)
{
    widen(STDIN_FILENO);
}

void stream_widen_stdout(void)
{
    widen(STDOUT_FILENO);
}
