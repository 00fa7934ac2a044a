/* SPDX-License-Identifier: MIT */
/* A variant of genmc_wait.c: the first sleeper is the thread of a descriptor
   (src/api/queue_poll.c), and the subscriber's own thread takes the item meanwhile. */
#define TAKER
#include "genmc_wait.c"
