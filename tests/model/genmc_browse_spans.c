/* SPDX-License-Identifier: MIT */
/* An observer browses a ring of spans while its one slot is filled, emptied and filled again. */
#include "genmc_posix.h"

#include "browse.c"
#include "ring.c"
#include "spsc_spans.c"

static void begin_ring(void)
{
}

#define OPS quoit_spsc_spans
#include "genmc_browse.h"
