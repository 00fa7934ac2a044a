/* SPDX-License-Identifier: MIT */
/*
 * QUOIT_ABANDONED: whether it is due, and that it is reported once. <quoit/status.h> defines it.
 *
 * Who lives is asked of the kernel. Waits ask when they have slept. Calls that do not wait ask only
 * if their side has found nothing for 50 ms, and only if there was a peer at all: so a program that
 * looks again and again, while the other side is at work, makes no system call. How long that is a
 * coarse clock tells, which most of these calls do not look at either.
 */
#include "queue_handle.h"

#include "peers.h"

enum { CALLS_IN_A_TICK = 16 };
static const uint64_t idle_ns = 50000000;

static unsigned peer_of(const struct quoit_waiter *waiter)
{
    return waiter->role == QUOIT_CONSUMER ? QUOIT_PRODUCER : QUOIT_CONSUMER;
}

static uint32_t load_told(const struct quoit_waiter *waiter)
{
    /* Relaxed: the side's own thread writes it; a descriptor's thread may see it late, and its
       descriptor is then readable once in vain. */
    return atomic_load_explicit(&waiter->told, memory_order_relaxed);
}

void quoit_waiters_count(quoit_queue *queue)
{
    struct quoit_queue_handle *handle = queue->handle;
    struct quoit_waiter *const waiters[] = {&handle->consumer_waiter, &handle->producer_waiter};
    for (int i = 0; i < 2; i++)
        if (handle->roles & waiters[i]->role)
            /* Relaxed: nobody else has the handle yet. */
            atomic_store_explicit(&waiters[i]->told,
                                  quoit_peers_known(&handle->place.members, peer_of(waiters[i])),
                                  memory_order_relaxed);
}

bool quoit_peer_is_gone(const quoit_queue *queue, const struct quoit_waiter *waiter,
                        uint32_t *joined_out)
{
    return !waiter->ignores_peer &&
           quoit_peers_are_gone(&queue->handle->place.members, peer_of(waiter), load_told(waiter),
                                joined_out);
}

quoit_status quoit_peer_tell(struct quoit_waiter *waiter, uint32_t joined)
{
    /* Relaxed: as load_told. */
    atomic_store_explicit(&waiter->told, joined, memory_order_relaxed);
    return QUOIT_ABANDONED;
}

/* A number that is another one once this side has got on, or others of its kind. */
static uint64_t progress_of(const quoit_queue *queue, unsigned role)
{
    const struct quoit_ring_place *ring = &queue->handle->place.ring;
    bool pops = role == QUOIT_CONSUMER;
    if (queue->handle->place.kind == QUOIT_MPMC)
        return pops ? queue->consumer.mpmc.position : queue->producer.mpmc.position;
    if (queue->handle->place.kind == QUOIT_BROADCAST)
        return queue->consumer.broadcast.position;
    return pops ? quoit_ring_head(ring->shm) : quoit_ring_tail(ring->shm);
}

void quoit_peer_note_idle(const quoit_queue *queue, struct quoit_waiter *waiter)
{
    struct quoit_idle *idle = &waiter->idle;
    uint64_t progress;
    if (waiter->ignores_peer ||
        !quoit_peers_came(&queue->handle->place.members, peer_of(waiter), load_told(waiter)))
        return;
    progress = progress_of(queue, waiter->role);
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
    /* Relaxed: a bell that rang orders it; the next call finds what this one does not. */
    bool noticed = atomic_load_explicit(&waiter->noticed, memory_order_relaxed) != 0;
    if (noticed)
        /* Relaxed: as above. */
        atomic_store_explicit(&waiter->noticed, 0, memory_order_relaxed);
    const struct quoit_idle *idle = &waiter->idle;
    return noticed || (idle->since != 0 && idle->now - idle->since >= idle_ns);
}

quoit_status quoit_peer_check(quoit_queue *queue, struct quoit_waiter *waiter)
{
    const struct quoit_ring_place *ring = &queue->handle->place.ring;
    bool pops = waiter->role == QUOIT_CONSUMER;
    quoit_status nothing = pops ? QUOIT_EMPTY : QUOIT_FULL;
    uint32_t joined;
    quoit_peer_note_idle(queue, waiter);
    if (!is_due(waiter))
        return nothing;
    waiter->idle.since = 0; /* if it is not so, or no longer, it is asked again after as long */
    if (!quoit_peer_is_gone(queue, waiter, &joined))
        return nothing;
    /* What came before it went comes first: the next call finds it. */
    quoit_status status = pops ? ring->ops->look_for_items(&queue->consumer, ring)
                               : ring->ops->look_for_room(&queue->producer, ring);
    return status == nothing ? quoit_peer_tell(waiter, joined) : nothing;
}
