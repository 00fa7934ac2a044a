/* SPDX-License-Identifier: MIT */
/* Reporting a failure: a status for the program, a sentence for the person (quoit_error_text). */
#ifndef QUOIT_BASE_FAIL_H
#define QUOIT_BASE_FAIL_H

#include <quoit/status.h>

/* C's own formats, where the system's printf once had others. */
#if defined(__clang__)
#define QUOIT_PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#elif defined(__GNUC__)
#define QUOIT_PRINTF_LIKE(text, first) __attribute__((format(gnu_printf, text, first)))
#else
#define QUOIT_PRINTF_LIKE(text, first)
#endif

/* Sets the calling thread's error text. */
void quoit_describe(const char *format, ...) QUOIT_PRINTF_LIKE(1, 2);

/* Describes the failure, and is status: `return quoit_fail(QUOIT_INVALID, "…")`. A macro, so that
   compilers and analyzers see that the status is what it says. */
#define quoit_fail(status, ...) (quoit_describe(__VA_ARGS__), (status))

#endif
