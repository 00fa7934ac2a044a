/* SPDX-License-Identifier: MIT */
/* An observer that reads the newest item, for genmc_latest_lossy.c and genmc_latest_lossless.c,
   which define OPS and LIMIT: the positions below it may be filled. */
#include "genmc_posix.h"

#include "broadcast.h"

#include "broadcast.c"
#include "broadcast_lossy.c"
#include "broadcast_pop.c"
#include "broadcast_push.c"
#define catch_up \
    browse_catch_up /* renames browse.c's function: a file above has one of that name */
#include "browse.c"
#include "ring.c"
#define QUOIT_BROADCAST_TRIES 2 /* more tries only repeat these */
#include "broadcast_latest.c"

/* Checks that the newest item is whole. There always is one, since the first item is pushed before
   the threads begin. */
static void observe_latest(const struct quoit_ring_view *view)
{
    static uint64_t item[WORDS];
    static struct quoit_snapshot snapshot;
    snapshot.buffer = (uint8_t *)item;
    snapshot.room_bytes = sizeof item;
    quoit_status status = quoit_broadcast_latest(view, &snapshot);
    assert(status == QUOIT_OK || status == QUOIT_ERROR_BUSY);
    assert(status != QUOIT_OK || (item[0] != 0 && item[0] == item[1]));
}

static void begin_ring(void)
{
    static struct quoit_ring_view view;
    fill_view(&view, &OPS, 0);
    producer_state.broadcast.slot = producer_side.slot;
    producer_state.broadcast.limit = LIMIT;
    (void)push_item(&view, 3);
}

#define NO_CONSUMER
#define OBSERVE observe_latest
#include "genmc_browse.h"
