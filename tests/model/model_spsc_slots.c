/* SPDX-License-Identifier: MIT */
/* One producer, killed at any step, its successor, and one consumer, in a ring of slots. */
#include "harness_posix.h"

#include "ring.c"
#include "spsc_slots.c"

#define OPS quoit_spsc_slots
#include "spsc_rounds.h"
