/* SPDX-License-Identifier: MIT */
/* Finds bits in a word. */
#ifndef QUOIT_BASE_BITS_H
#define QUOIT_BASE_BITS_H

#include <stdint.h>

/* The index, from 0, of the lowest bit that is 1. word must not be 0. */
static inline uint32_t quoit_lowest_bit(uint64_t word)
{
#if defined(__GNUC__)
    return (uint32_t)__builtin_ctzll(word);
#else
    uint32_t at = 0;
    while (!(word >> at & 1))
        at++;
    return at;
#endif
}

#endif
