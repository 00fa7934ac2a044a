/* SPDX-License-Identifier: MIT */
/* Checked arithmetic on sizes and alignment. Each returns false if the true
   result does not fit, and then does not change *result_out. */
#ifndef QUOIT_BASE_ARITHMETIC_H
#define QUOIT_BASE_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

static inline bool quoit_add(uint64_t a, uint64_t b, uint64_t *result_out)
{
    if (a > UINT64_MAX - b)
        return false;
    *result_out = a + b;
    return true;
}

static inline bool quoit_multiply(uint64_t a, uint64_t b, uint64_t *result_out)
{
    if (b != 0 && a > UINT64_MAX / b)
        return false;
    *result_out = a * b;
    return true;
}

static inline bool quoit_is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* The next multiple of alignment, a power of two. */
static inline bool quoit_align_up(uint64_t value, uint64_t alignment, uint64_t *result_out)
{
    if (value > UINT64_MAX - (alignment - 1))
        return false;
    *result_out = (value + alignment - 1) & ~(alignment - 1);
    return true;
}

/* Is [offset, offset + size) inside [0, limit)? */
static inline bool quoit_is_inside(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

#endif
