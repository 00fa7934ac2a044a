/* SPDX-License-Identifier: MIT */
/*
 * Decides when a call returns QUOIT_ABANDONED, and that it is reported once. <quoit/status.h>
 * defines it.
 *
 * The kernel knows which members are alive. Waits ask it after they have slept. Calls that do not
 * wait ask it only if their side has found nothing for 50 ms, and only if there was a peer. So a
 * program that polls while the other side works makes no system call. The 50 ms are measured with a
 * coarse clock, and most of these calls do not read even that.
 */
#include "queue_handle.h"

#include "fail.h"
#include "peers.h"

enum { CALLS_IN_A_TICK = 16 };
static const uint64_t idle_ns = 50000000;

static unsigned peer_of(const struct quoit_waiter *waiter)
{
    return waiter->role == QUOIT_CONSUMER ? QUOIT_PRODUCER : QUOIT_CONSUMER;
}

static uint32_t load_reported(const struct quoit_waiter *waiter)
{
    /* Relaxed: the side's own thread writes it. If a descriptor's thread sees it late, the
       descriptor becomes readable once without a reason. */
    return atomic_load_explicit(&waiter->reported, memory_order_relaxed);
}

void quoit_waiters_count(quoit_queue *queue)
{
    struct quoit_queue_handle *handle = queue->handle;
    struct quoit_waiter *const waiters[] = {&handle->consumer_waiter, &handle->producer_waiter};
    for (int i = 0; i < 2; i++)
        if (handle->roles & waiters[i]->role)
            /* Relaxed: no other thread has the handle yet. */
            atomic_store_explicit(&waiters[i]->reported,
                                  quoit_peers_known(&handle->view.members, peer_of(waiters[i])),
                                  memory_order_relaxed);
}

/* A finished stream is not abandoned, even if no call returns FINISHED yet: an item that another
   consumer peeks at may come back. A producer finishes before it leaves, so is_finished is checked
   last. */
bool quoit_peer_has_left(const quoit_queue *queue, const struct quoit_waiter *waiter,
                         uint32_t *joined_out)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    return !waiter->ignores_peer &&
           quoit_peers_have_left(&queue->handle->view.members, peer_of(waiter),
                                 load_reported(waiter), joined_out) &&
           !ring->ops->is_finished(ring);
}

quoit_status quoit_peer_report(const quoit_queue *queue, struct quoit_waiter *waiter,
                               uint32_t joined)
{
    /* Relaxed: this thread reads it itself. If a descriptor's thread sees it late, the descriptor
       becomes readable once without a reason. */
    atomic_store_explicit(&waiter->reported, joined, memory_order_relaxed);
    return quoit_fail(QUOIT_ABANDONED,
                      "queue '%s:%s': its last %s crashed, or closed without finish; call again to "
                      "wait for the next one",
                      QUOIT_QUEUE_NAME(queue),
                      waiter->role == QUOIT_CONSUMER ? "producer" : "consumer");
}

uint64_t quoit_queue_pushes(const quoit_queue *queue)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    return ring->ops->pushes(&queue->producer, ring);
}

uint64_t quoit_queue_pops(const quoit_queue *queue)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    return ring->ops->pops(&queue->consumer, ring);
}

static void note_idle(const quoit_queue *queue, struct quoit_waiter *waiter)
{
    struct quoit_idle *idle = &waiter->idle;
    uint64_t progress;
    if (waiter->ignores_peer ||
        !quoit_peers_came(&queue->handle->view.members, peer_of(waiter), load_reported(waiter)))
        return;
    progress = waiter->role == QUOIT_CONSUMER ? quoit_queue_pops(queue) : quoit_queue_pushes(queue);
    if (idle->since == 0 || progress != idle->progress) {
        uint64_t now = quoit_os_coarse_ns();
        *idle = (struct quoit_idle){.progress = progress, .since = now, .now = now};
    } else if (idle->skip > 0) {
        idle->skip--;
    } else {
        uint64_t now = quoit_os_coarse_ns();
        idle->skip = now == idle->now ? CALLS_IN_A_TICK - 1 : 0;
        idle->now = now;
    }
}

static bool is_due(struct quoit_waiter *waiter)
{
    /* Relaxed: POLL-T2 orders it before the notifier is set. If it is not visible yet, the next
       call sees it. */
    bool noticed = atomic_load_explicit(&waiter->noticed, memory_order_relaxed) != 0;
    if (noticed)
        /* Relaxed: POLL-U1 orders it before the poller's next store of 1. */
        atomic_store_explicit(&waiter->noticed, 0, memory_order_relaxed);
    const struct quoit_idle *idle = &waiter->idle;
    return noticed || (idle->since != 0 && idle->now - idle->since >= idle_ns);
}

quoit_status quoit_peer_check(quoit_queue *queue, struct quoit_waiter *waiter)
{
    const struct quoit_ring_view *ring = quoit_queue_ring(queue);
    bool pops = waiter->role == QUOIT_CONSUMER;
    quoit_status nothing = pops ? QUOIT_EMPTY : QUOIT_FULL;
    uint32_t joined;
    note_idle(queue, waiter);
    if (!is_due(waiter))
        return nothing;
    waiter->idle.since = 0; /* if the peer has not left, the next check is after another 50 ms */
    if (!quoit_peer_has_left(queue, waiter, &joined))
        return nothing;
    /* Items and room from before the peer left come first: the next call finds them. */
    quoit_status status = pops ? ring->ops->poll_items(&queue->consumer, ring)
                               : ring->ops->poll_room(&queue->producer, ring);
    return status == nothing ? quoit_peer_report(queue, waiter, joined) : nothing;
}

bool quoit_peer_notice(quoit_queue *queue, struct quoit_waiter *waiter, bool asks)
{
    uint32_t joined;
    bool noticed = quoit_is_noticed(waiter), was_woken = waiter->was_woken;
    waiter->was_woken = false;
    if (!noticed && !was_woken && !asks)
        return false;
    bool has_left = quoit_peer_has_left(queue, waiter, &joined);
    /* Relaxed: this thread's next call on the side reads it. */
    atomic_store_explicit(&waiter->noticed, has_left, memory_order_relaxed);
    return has_left;
}
