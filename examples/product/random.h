/* SPDX-License-Identifier: MIT */
/* SplitMix64: a small generator. A seed gives the same numbers on every system. */
#ifndef PRODUCT_RANDOM_H
#define PRODUCT_RANDOM_H

#include <stdint.h>

struct random_source {
    uint64_t state;
};

static inline uint64_t random_bits(struct random_source *source)
{
    uint64_t z = source->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Uniform in [0, 1), with 53 bits, the precision of a double. */
static inline double random_unit(struct random_source *source)
{
    return (double)(random_bits(source) >> 11) * 0x1p-53;
}

#endif
