/* SPDX-License-Identifier: MIT */
/* Reads memory that another process may write at any time: each byte exactly once, so that the
   checked value is the value that is used. A compiler may read the source of a memcpy twice. */
#ifndef QUOIT_BASE_ONCE_H
#define QUOIT_BASE_ONCE_H

#include <stddef.h>
#include <stdint.h>

static inline void quoit_copy_once(void *to, const volatile void *from, size_t bytes)
{
    const volatile uint8_t *source = (const volatile uint8_t *)from;
    uint8_t *target = (uint8_t *)to;
    for (size_t i = 0; i < bytes; i++)
        target[i] = source[i];
}

#endif
