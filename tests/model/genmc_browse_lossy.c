/* SPDX-License-Identifier: MIT */
/* An observer browses a lossy broadcast ring, and a subscriber takes from it, while the first of
   its two slots is overwritten. */
#include "genmc_posix.h"

#include "broadcast.c"
#include "broadcast_lossy.c"
#include "broadcast_pop.c"
#include "broadcast_push.c"
#define catch_up \
    browse_catch_up /* renames browse.c's function: a file above has one of that name */
#include "browse.c"
#include "ring.c"

/* The first slot is filled before the threads begin, so that the second push overwrites it. */
static void begin_ring(void)
{
    static struct quoit_ring_view view;
    fill_view(&view, &quoit_broadcast_lossy, 0);
    producer_state.broadcast.slot = producer_side.slot;
    producer_state.broadcast.limit = UINT64_MAX;
    consumer_state.broadcast.slot = consumer_side.slot;
    consumer_state.broadcast.record = &claim_records[1].subscriber;
    consumer_state.broadcast.tag = QUOIT_BROADCAST_THERE;
    (void)push_item(&view, 3);
}

#define OPS quoit_broadcast_lossy
#include "genmc_browse.h"
