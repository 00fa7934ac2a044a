/* SPDX-License-Identifier: MIT */
/* Pipes on Linux, which may be wider than the 64 KiB that they begin with. */
#include "stream.h"

#include <fcntl.h>
#include <unistd.h>

/* Linux, as it is set up, lets an ordinary user have 64 MiB of them; then new ones shrink. */
enum { PIPE_BYTES = 1 << 18 };

/* What is no pipe refuses, as does a system that is set up for less: it stays as it is. */
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
