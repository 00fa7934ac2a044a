/* SPDX-License-Identifier: MIT */
/* Finds bits in a word. */
#ifndef QUOIT_BASE_BITS_H
#define QUOIT_BASE_BITS_H

#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

/* The index, from 0, of the lowest bit that is 1. word must not be 0. */
static inline uint32_t quoit_lowest_bit(uint64_t word)
{
#if defined(__GNUC__) || defined(__clang__)
    return (uint32_t)__builtin_ctzll(word);
#elif defined(_M_X64) || defined(_M_ARM64)
    unsigned long at;
    (void)_BitScanForward64(&at, word);
    return (uint32_t)at;
#elif defined(_M_IX86)
    unsigned long at;
    if (_BitScanForward(&at, (unsigned long)word))
        return (uint32_t)at;
    (void)_BitScanForward(&at, (unsigned long)(word >> 32));
    return (uint32_t)at + 32;
#else
    uint32_t at = 0;
    while (!(word >> at & 1))
        at++;
    return at;
#endif
}

#endif
