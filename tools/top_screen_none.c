/* SPDX-License-Identifier: MIT */
/* Without a curses library there is only the plain mode. */
#include "top.h"

int top_screen(struct top *top)
{
    (void)top;
    return -1;
}
