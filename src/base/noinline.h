/* SPDX-License-Identifier: MIT */
/* QUOIT_NOINLINE, before a function that is seldom called: inlined, it would make each call of its
   caller save the registers that it alone needs. */
#ifndef QUOIT_BASE_NOINLINE_H
#define QUOIT_BASE_NOINLINE_H

#if defined(__GNUC__)
#define QUOIT_NOINLINE __attribute__((noinline))
#else
#define QUOIT_NOINLINE
#endif

#endif
