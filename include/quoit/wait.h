/* SPDX-License-Identifier: MIT */
/* Waiting for several queues, and ending a wait. <quoit.h>, which includes this, explains queues,
   errors and concurrency. */
#ifndef QUOIT_WAIT_H
#define QUOIT_WAIT_H

#include <quoit.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Events; the end of the stream and a crash count as both. No flag has these numbers. */
enum { QUOIT_ITEMS = 0x10, QUOIT_ROOM = 0x20 };

struct quoit_wait { /* like struct pollfd */
    quoit_queue *queue;
    uint32_t events; /* QUOIT_ITEMS, for a consumer; QUOIT_ROOM, for a producer; or both */
    uint32_t ready;  /* set on return: those of the events that are ready; 0 unless OK */
};

/*
 * Wait until at least one side of some queues is ready, and report all that are ready. A side is
 * ready if a pop would find an item, or a push room, or if the call would return FINISHED or
 * ABANDONED.
 *   waits   count of them, at least one: queues of any kinds and schemes
 * Returns OK, TIMEOUT, INTERRUPTED (quoit_queue_interrupt, on one of these handles), INVALID,
 * WRONG_ROLE or FORKED. It takes no item and no room: until a call takes them, the next wait
 * reports the same. In an MPMC queue another handle may take them before your call. Spins and
 * blocks as one push or pop does, on all sides at once, without a descriptor, and on up to 127
 * sides without a thread. Beyond that, Linux takes a thread for each further 127, which stays until
 * the queues are closed. Other calls on the queues cost no more for it. Systems without a wait on
 * several words wake up every millisecond: Linux before 5.16, macOS and the BSDs for two sides and
 * more, Windows for more than 64. The cost grows with count.
 * Concurrency: the thread of each of these sides.
 */
quoit_status quoit_wait_any(struct quoit_wait *waits, size_t count, int64_t timeout_ns);

/* End the wait of the call that now waits on this handle, or of the next one that has to wait: it
   returns INTERRUPTED, once on each side. A call with QUOIT_NOW never returns INTERRUPTED. A
   descriptor stays readable until a call has returned it. Returns OK, INVALID or FORKED; for an
   observer WRONG_ROLE. The interrupted thread sees what this one stored before. Any thread, also in
   a signal handler: it is async-signal-safe. So an error sets no sentence for quoit_describe. */
quoit_status quoit_queue_interrupt(quoit_queue *queue);

/*
 * Get a descriptor for event loops (poll, epoll, libuv): it is readable while a call has something
 * to do. It stays readable until a call has found nothing. So repeat the call until it returns
 * EMPTY (or FULL); then nothing is missed.
 *   events   QUOIT_ITEMS, for a consumer, or QUOIT_ROOM, for a producer
 *   fd_out   belongs to the queue and is closed with it; only wait for it, never read it
 * Returns OK, WRONG_ROLE, FORKED, INVALID, LIMIT or NO_MEMORY; on Windows UNSUPPORTED. A thread
 * waits for the queues, one for 127 descriptors. It takes no signals but those of its own faults.
 * Concurrency: the thread of that side.
 */
quoit_status quoit_queue_poll_fd(quoit_queue *queue, uint32_t events, int *fd_out);

#ifdef __cplusplus
}
#endif

#endif
