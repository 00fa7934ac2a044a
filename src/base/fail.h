/* SPDX-License-Identifier: MIT */
/* Reporting a failure: a status for the program, a sentence for the person (quoit_describe). */
#ifndef QUOIT_BASE_FAIL_H
#define QUOIT_BASE_FAIL_H

#include <quoit/status.h>

/* gnu_printf: C's own formats. Plain printf may mean older formats of the system. */
#if defined(__clang__)
#define QUOIT_PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#elif defined(__GNUC__)
#define QUOIT_PRINTF_LIKE(text, first) __attribute__((format(gnu_printf, text, first)))
#else
#define QUOIT_PRINTF_LIKE(text, first)
#endif

/* Sets the sentence that quoit_describe returns for this status in this thread. */
void quoit_set_sentence(quoit_status status, const char *format, ...) QUOIT_PRINTF_LIKE(2, 3);

/* Sets the sentence. Its value is the status: `return quoit_fail(QUOIT_ERROR_INVALID, "…")`.
   A macro, so that compilers and analyzers see which status it is. */
#define quoit_fail(status, ...) (quoit_set_sentence((status), __VA_ARGS__), (status))

#endif
