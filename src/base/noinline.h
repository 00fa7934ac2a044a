/* SPDX-License-Identifier: MIT */
/* QUOIT_NOINLINE, before a function that is rarely called. If it were inlined, each call of its
   caller would save the registers that only it needs. */
#ifndef QUOIT_BASE_NOINLINE_H
#define QUOIT_BASE_NOINLINE_H

#if defined(__GNUC__) || defined(__clang__)
#define QUOIT_NOINLINE __attribute__((noinline))
#elif defined(_MSC_VER)
#define QUOIT_NOINLINE __declspec(noinline)
#else
#define QUOIT_NOINLINE
#endif

#endif
