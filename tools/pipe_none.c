/* SPDX-License-Identifier: MIT */
/* For systems where the width of a pipe cannot be changed. */
#include "stream.h"

void stream_widen_stdin(void)
{
}

void stream_widen_stdout(void)
{
}
