/* SPDX-License-Identifier: MIT */
/* One producer, killed at any step, its successor, and one consumer, in a ring of spans. */
#include "harness_posix.h"

#include "ring.c"
#include "spsc_spans.c"

#define OPS quoit_spsc_spans
#include "spsc_rounds.h"
