/* SPDX-License-Identifier: MIT */
/* A hint to the processor that this loop waits for memory to change. */
#ifndef QUOIT_BASE_RELAX_H
#define QUOIT_BASE_RELAX_H

static inline void quoit_relax(void)
{
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    __builtin_ia32_pause();
#elif defined(__GNUC__) && (defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7))
    __asm__ volatile("yield");
#endif
}

#endif
