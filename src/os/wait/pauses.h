/* SPDX-License-Identifier: MIT */
/* Blocking on words by polling them, for POSIX systems without a call that does it. */
#ifndef QUOIT_OS_PAUSES_H
#define QUOIT_OS_PAUSES_H

#include "os.h"

/* Returns when one of the words has changed, after timeout_ns, or after a signal. */
void quoit_os_pause_while(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns);

#endif
