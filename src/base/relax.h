/* SPDX-License-Identifier: MIT */
/* A hint to the processor that this loop waits for memory to change. clang-cl does not define
   __GNUC__, and cl has intrinsics in place of assembler. */
#ifndef QUOIT_BASE_RELAX_H
#define QUOIT_BASE_RELAX_H

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

static inline void quoit_relax(void)
{
#if defined(__GNUC__) || defined(__clang__)
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
    __asm__ volatile("yield");
#endif
#elif defined(_M_X64) || defined(_M_IX86)
    _mm_pause();
#elif defined(_M_ARM64)
    __yield();
#endif
}

#endif
