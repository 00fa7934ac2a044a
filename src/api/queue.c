/* SPDX-License-Identifier: MIT */
/* Queues as objects: create, open, join, close, finish and unlink. Pushing and popping are in
   queue_items.c, queries in queue_inspect.c. */
#include "queue_handle.h"

#include "fail.h"
#include "peers.h"
#include "unlink.h"

#include <stdlib.h>

enum { LINE = 64, LINES = 128, ALL_ROLES = QUOIT_PRODUCER | QUOIT_CONSUMER | QUOIT_OBSERVER };
enum { FLAGS = QUOIT_ANY_OWNER | QUOIT_FROM_OLDEST | QUOIT_FOR_REPAIR };

/* Disables the inlined fast paths: from here on each call checks everything. */
static void close_sides(quoit_queue *queue)
{
    queue->producer.item_bytes = 0;
    queue->consumer.item_bytes = 0;
    quoit_ring_producer_disable(&queue->producer);
    quoit_ring_consumer_disable(&queue->consumer);
}

/* Called in a forked child: disables the fast paths, and releases the inherited memory and
   locks. */
static void drop_in_child(struct quoit_os_fork_guard *guard)
{
    struct quoit_queue_handle *handle =
        (struct quoit_queue_handle *)(void *)((char *)guard -
                                              offsetof(struct quoit_queue_handle, guard));
    handle->forked = true;
    close_sides(handle->queue);
    quoit_os_shm_abandon(&handle->region->shm);
}

/* Returns a zeroed handle. Its queue begins at a pair of cache lines, which processors fetch
   together. */
static struct quoit_queue_handle *new_handle(void)
{
    struct quoit_queue_handle *handle = calloc(1, sizeof *handle);
    void *allocation = calloc(1, QUOIT_QUEUE_ROOM + LINES);
    if (!handle || !allocation) {
        free(handle);
        free(allocation);
        return NULL;
    }
    handle->allocation = allocation;
    handle->queue = (quoit_queue *)(void *)((char *)allocation + LINES -
                                            (uintptr_t)allocation % LINES);
    handle->queue->producer.state = &handle->producer_state;
    handle->queue->consumer.state = &handle->consumer_state;
    handle->queue->handle = handle;
    close_sides(handle->queue); /* a side that the handle does not get stays closed */
    return handle;
}

static void free_handle(struct quoit_queue_handle *handle)
{
    free(handle->scratch);
    free(handle->allocation);
    free(handle);
}

static bool is_member(uint32_t roles)
{
    return (roles & (QUOIT_PRODUCER | QUOIT_CONSUMER)) != 0;
}

/* Allocates private memory for items that are claimed or peeked at but cannot be so in the ring. */
static quoit_status allocate_scratch(struct quoit_queue_handle *handle)
{
    struct quoit_ring_view *ring = &handle->view.ring;
    uint64_t claimed = 0, peeked = 0;
    if (handle->roles & QUOIT_PRODUCER && ring->ops->copies_claims)
        claimed = ring->item_bytes > QUOIT_RING_SCRATCH_BYTES ? ring->item_bytes
                                                              : QUOIT_RING_SCRATCH_BYTES;
    if (handle->roles & QUOIT_CONSUMER && ring->ops->copies_peeks)
        peeked = ring->item_bytes;
    if (claimed + peeked == 0)
        return QUOIT_OK;
    uint64_t align = handle->view.item_align > LINE ? handle->view.item_align : LINE;
    claimed = quoit_ring_round_up(claimed, align);
    uint64_t bytes = claimed + peeked + 2 * align;
    handle->scratch = bytes <= SIZE_MAX ? calloc(1, (size_t)bytes) : NULL;
    if (!handle->scratch)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a queue handle");
    ring->scratch = handle->scratch + (2 * align - (uintptr_t)handle->scratch % align) -
                    ring->ops->record_bytes;
    ring->peeked = ring->scratch + claimed;
    return QUOIT_OK;
}

static quoit_status attach_sides(struct quoit_queue_handle *handle, bool from_oldest)
{
    struct quoit_ring_view *ring = &handle->view.ring;
    ring->members.own = handle->view.members.own_entry;
    ring->members.repairs = &quoit_queue_own_entry(handle->queue)->repairs;
    ring->from_oldest = from_oldest;
    quoit_status status = allocate_scratch(handle);
    if (status == QUOIT_OK && handle->roles & QUOIT_PRODUCER)
        status = ring->ops->attach_producer(&handle->queue->producer, ring);
    if (status == QUOIT_OK && handle->roles & QUOIT_CONSUMER)
        status = ring->ops->attach_consumer(&handle->queue->consumer, ring);
    if (status != QUOIT_OK)
        return status;
    if (handle->view.messages)
        close_sides(handle->queue);
    quoit_waiters_begin(handle->queue);
    quoit_queue_end_stream(handle->queue); /* before the first push */
    /* A new subscriber may make room: it may have taken the entry of a crashed subscriber that held
       the producer back. */
    if (quoit_ring_has_subscribers(ring->ops) && handle->roles & QUOIT_CONSUMER)
        quoit_wake(handle->queue, quoit_waiter_of(handle->queue, QUOIT_PRODUCER));
    return QUOIT_OK;
}

/* Makes a handle that owns a region and the queue in it. On failure the caller keeps both. */
static quoit_status enter(quoit_region *region, const struct quoit_queue_view *view, uint32_t flags,
                          struct quoit_queue_handle **handle_out)
{
    struct quoit_queue_handle *handle = new_handle();
    if (!handle)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a queue handle");
    handle->region = region;
    handle->view = *view;
    handle->view.ring.members.context = &handle->view.members;
    handle->roles = flags & ALL_ROLES;
    quoit_status status = QUOIT_OK;
    unsigned repairs = flags & QUOIT_FOR_REPAIR ? QUOIT_MEMBER_REPAIRS : 0u;
    if (is_member(flags))
        status = quoit_members_join(&handle->view.members, handle->roles | repairs, region);
    if (status != QUOIT_OK)
        goto free_handle;
    if (is_member(flags))
        status = attach_sides(handle, (flags & QUOIT_FROM_OLDEST) != 0);
    if (status != QUOIT_OK)
        goto leave;
    handle->guard.dropped = drop_in_child;
    status = quoit_os_fork_guard_add(&handle->guard);
    if (status != QUOIT_OK)
        goto leave;
    if (is_member(flags) && !(flags & QUOIT_FOR_REPAIR))
        quoit_peers_count(&handle->view.members, flags);
    quoit_waiters_count(handle->queue);
    *handle_out = handle;
    return QUOIT_OK;

leave:
    if (is_member(flags))
        quoit_members_leave(&handle->view.members, handle->roles);
free_handle:
    free_handle(handle);
    return status;
}

/* makes: the call may make the queue. */
static quoit_status check_call(uint32_t flags, bool makes, quoit_queue **queue_out)
{
    if (!queue_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "queue_out is NULL; pass the address of a variable");
    *queue_out = NULL;
    uint32_t known = (uint32_t)(ALL_ROLES | FLAGS) | (makes ? QUOIT_TRANSIENT : 0u);
    if (!(flags & ALL_ROLES) || flags & ~known)
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "flags 0x%x are not valid; pass QUOIT_PRODUCER, QUOIT_CONSUMER or QUOIT_OBSERVER",
            (unsigned)flags);
    if (flags & QUOIT_FROM_OLDEST && !(flags & QUOIT_CONSUMER))
        return quoit_fail(QUOIT_ERROR_INVALID, "QUOIT_FROM_OLDEST is valid for a consumer only; "
                                               "add QUOIT_CONSUMER, or remove the flag");
    if (flags & QUOIT_TRANSIENT && !is_member(flags))
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "QUOIT_TRANSIENT is valid for a member only; add QUOIT_PRODUCER or QUOIT_CONSUMER");
    if (flags & QUOIT_FOR_REPAIR && !is_member(flags))
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "QUOIT_FOR_REPAIR is valid for a member only; add QUOIT_PRODUCER or QUOIT_CONSUMER");
    return QUOIT_OK;
}

static quoit_status create_new(const char *name, const struct quoit_queue_options *options,
                               uint32_t flags, quoit_queue **queue_out)
{
    quoit_region *region;
    struct quoit_queue_view view;
    struct quoit_queue_handle *handle;
    quoit_status status = quoit_queue_make(name, options, flags, &region, &view);
    if (status != QUOIT_OK)
        return status;
    /* The roles are taken before another process can see the queue. */
    status = enter(region, &view, flags, &handle);
    if (status != QUOIT_OK)
        goto close_region;
    status = quoit_region_publish(region);
    if (status != QUOIT_OK)
        goto close_handle;
    *queue_out = quoit_threads_show(handle->queue);
    return QUOIT_OK;

close_handle:
    quoit_os_fork_guard_remove(&handle->guard);
    free_handle(handle);
close_region:
    quoit_region_close(region);
    return status;
}

quoit_status quoit_queue_create(const char *name, const struct quoit_queue_options *options,
                                uint32_t flags, quoit_queue **queue_out)
{
    quoit_status status = check_call(flags, true, queue_out);
    if (status == QUOIT_OK && !name && !(flags & QUOIT_TRANSIENT))
        status = quoit_fail(QUOIT_ERROR_INVALID,
                            "name is NULL; a queue without a name needs QUOIT_TRANSIENT");
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* until the handle's guard is in its place */
    do
        status = create_new(name, options, flags, queue_out);
    while (status == QUOIT_ERROR_EXISTS && quoit_make_way(name, flags) &&
           quoit_os_hold_left_ns() > 0);
    quoit_os_fork_release();
    return status;
}

static bool is_same(const quoit_queue *queue, const quoit_region *region,
                    const struct quoit_queue_view *view)
{
    return queue->handle->region->identity == region->identity &&
           queue->handle->view.ring.empty == view->ring.empty;
}

static uint32_t attach_flags(uint32_t flags)
{
    return (is_member(flags) ? 0u : QUOIT_OBSERVER) | (flags & QUOIT_ANY_OWNER);
}

/* Makes a handle of the queue in an attached region, which is closed on failure. options: NULL, or
   what a join asks for. same: NULL, or a queue; REMOVED if this is another one. */
static quoit_status open_attached(quoit_region *region, const struct quoit_queue_options *options,
                                  uint32_t flags, const quoit_queue *same, quoit_queue **queue_out)
{
    struct quoit_queue_view view;
    struct quoit_queue_handle *handle;
    quoit_status status = QUOIT_OK;
    if (is_member(flags))
        status = quoit_region_place(region, options ? options->memory : 0u);
    if (status == QUOIT_OK)
        status = quoit_queue_find(region, &view);
    if (status == QUOIT_OK && options && is_member(flags))
        status = quoit_remove_left_behind(&view.members, region);
    if (status == QUOIT_OK && options)
        status = quoit_queue_compare(region, &view, options);
    if (status == QUOIT_OK && same && !is_same(same, region, &view))
        status = quoit_fail(QUOIT_ERROR_REMOVED,
                            "queue '%s:%s': the name leads to another queue now; open the new "
                            "queue with quoit_queue_open",
                            QUOIT_REGION_NAME(region));
    if (status == QUOIT_OK) {
        status = enter(region, &view, flags, &handle);
        if (status != QUOIT_OK && is_member(flags))
            quoit_remove_if_last(&view.members, region);
    }
    if (status != QUOIT_OK) {
        quoit_region_close(region);
        return status;
    }
    *queue_out = quoit_threads_show(handle->queue);
    return QUOIT_OK;
}

/* How to find the object: by its name, by a descriptor, or by another handle of it. */
struct lookup {
    const char *name;
    const quoit_queue *same;
    int fd;
    bool is_fd;
};

static quoit_status open_by(struct lookup by, const struct quoit_queue_options *options,
                            uint32_t flags, quoit_queue **queue_out)
{
    quoit_region *region;
    quoit_status status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* until the handle's guard is in its place */
    if (by.same)
        status = quoit_region_attach_again(by.same->handle->region, attach_flags(flags), &region);
    else if (by.is_fd)
        status = quoit_region_attach_fd(by.fd, attach_flags(flags), &region);
    else
        status = quoit_region_attach(by.name, attach_flags(flags), &region);
    if (status == QUOIT_OK)
        status = open_attached(region, options, flags, by.same, queue_out);
    quoit_os_fork_release();
    return status;
}

quoit_status quoit_queue_open(const char *name, uint32_t flags, quoit_queue **queue_out)
{
    quoit_status status = check_call(flags, false, queue_out);
    return status == QUOIT_OK ? open_by((struct lookup){.name = name}, NULL, flags, queue_out)
                              : status;
}

quoit_status quoit_queue_join(const char *name, const struct quoit_queue_options *options,
                              uint32_t flags, quoit_queue **queue_out)
{
    quoit_status status = check_call(flags, true, queue_out);
    if (status == QUOIT_OK)
        status = quoit_queue_check_options(options);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* so that all tries share one time limit */
    do {
        status = open_by((struct lookup){.name = name}, options, flags, queue_out);
        if (status == QUOIT_ERROR_NOT_FOUND)
            status = quoit_queue_create(name, options, flags, queue_out);
    } while (quoit_region_join_again(name, &status));
    quoit_os_fork_release();
    return status;
}

quoit_status quoit_queue_again(const quoit_queue *queue, uint32_t flags, quoit_queue **queue_out)
{
    quoit_status status = check_call(flags, false, queue_out);
    if (status == QUOIT_OK)
        status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    const quoit_region *region = queue->handle->region;
    status = open_by((struct lookup){.same = queue}, NULL, flags, queue_out);
    if (status == QUOIT_ERROR_NOT_FOUND)
        return quoit_fail(QUOIT_ERROR_REMOVED,
                          "queue '%s:%s': its name was removed; call quoit_queue_again before the "
                          "name is removed",
                          QUOIT_REGION_NAME(region));
    return status;
}

/* ---- Queues without a name ------------------------------------------------------------------- */

quoit_status quoit_queue_open_fd(int fd, uint32_t flags, quoit_queue **queue_out)
{
    quoit_status status = check_call(flags, false, queue_out);
    const struct lookup by = {.fd = fd, .is_fd = true};
    return status == QUOIT_OK ? open_by(by, NULL, flags, queue_out) : status;
}

quoit_status quoit_queue_fd(const quoit_queue *queue, int *fd_out)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (!fd_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "fd_out is NULL; pass the address of a variable");
    *fd_out = -1;
    if (status != QUOIT_OK)
        return status;
    int fd = -1;
    quoit_os_fork_hold(); /* until the handle owns the descriptor */
    status = quoit_region_share(queue->handle->region, &fd);
    quoit_os_fork_release();
    if (status == QUOIT_OK)
        *fd_out = fd;
    return status;
}

/* Wakes the threads that wait until this handle's sides do something. In an MPMC queue it also
   wakes the threads that wait on the same side. */
static void wake_others(quoit_queue *queue)
{
    bool all = queue->handle->view.ring.ops->many_producers;
    if (all || queue->handle->roles & QUOIT_PRODUCER)
        quoit_wake(queue, quoit_waiter_of(queue, QUOIT_CONSUMER));
    if (all || queue->handle->roles & QUOIT_CONSUMER)
        quoit_wake(queue, quoit_waiter_of(queue, QUOIT_PRODUCER));
}

void quoit_queue_close(quoit_queue *queue)
{
    if (!queue)
        return;
    struct quoit_queue_handle *handle = queue->handle;
    quoit_os_fork_hold(); /* else a child could inherit memory that no guard releases */
    quoit_waiters_end(queue);
    quoit_os_fork_guard_remove(&handle->guard);
    if (is_member(handle->roles) && !handle->forked) {
        handle->view.ring.ops->detach(&queue->producer, &queue->consumer, &handle->view.ring);
        quoit_members_leave(&handle->view.members, handle->roles);
        wake_others(queue); /* to see that this side has left */
        quoit_remove_if_last(&handle->view.members, handle->region);
    }
    quoit_region_close(handle->region);
    free_handle(handle); /* held: a handler that forks needs the allocator's lock */
    quoit_os_fork_release();
}

/* The producer counts itself before it marks the end. If it crashes in between, the next call that
   finds nothing marks the end: quoit_queue_found_nothing. */
void quoit_queue_end_stream(quoit_queue *queue)
{
    struct quoit_queue_handle *handle = queue->handle;
    const struct quoit_ring_view *ring = &handle->view.ring;
    /* FINISH-C1: after this load, the pushes of all handles that it counts are visible. Pairs with
       FINISH-P1. */
    uint32_t finishes = atomic_load_explicit(&ring->shm->finishes, memory_order_acquire);
    if (finishes < handle->view.finishes || ring->ops->is_finished(ring))
        return;
    ring->ops->end(ring);
    wake_others(queue);
}

quoit_status quoit_queue_finish(quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    struct quoit_queue_handle *handle = queue->handle;
    if (!(handle->roles & QUOIT_PRODUCER))
        return quoit_fail(QUOIT_ERROR_WRONG_ROLE,
                          "queue '%s:%s': this handle was not opened with QUOIT_PRODUCER; only a "
                          "producer can finish the stream",
                          QUOIT_QUEUE_NAME(queue));
    if (handle->has_finished)
        return QUOIT_OK;
    (void)quoit_queue_discard(queue);
    handle->has_finished = true;
    queue->producer.item_bytes = 0;
    quoit_ring_producer_disable(&queue->producer);
    /* FINISH-P1: after this side's pushes. Pairs with FINISH-C1. */
    (void)atomic_fetch_add_explicit(&handle->view.ring.shm->finishes, 1, memory_order_release);
    quoit_queue_end_stream(queue);
    return QUOIT_OK;
}

quoit_status quoit_queue_unlink(quoit_queue *queue)
{
    quoit_status status = quoit_queue_check_handle(queue);
    return status == QUOIT_OK ? quoit_region_unlink_self(queue->handle->region) : status;
}

quoit_status quoit_queue_check_typed(const quoit_queue *queue, uint32_t inline_layout,
                                     size_t item_bytes, size_t item_align, const char *type)
{
    quoit_status status = quoit_queue_check_handle(queue);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_queue_view *view = &queue->handle->view;
    if (inline_layout != QUOIT_INLINE_LAYOUT)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "this program was compiled with inline layout %u of <quoit/typed.h>, but "
                          "the library has %u; compile it again with the library's headers",
                          (unsigned)inline_layout, QUOIT_INLINE_LAYOUT);
    if (view->messages || view->item_bytes != item_bytes)
        return quoit_fail(QUOIT_ERROR_DIFFERENT,
                          "queue '%s:%s': it holds %s of %u bytes, but the type has %zu; use the "
                          "type that the queue was created for",
                          QUOIT_QUEUE_NAME(queue), view->messages ? "messages" : "items",
                          (unsigned)view->item_bytes, item_bytes);
    if (view->item_align < item_align)
        return quoit_fail(QUOIT_ERROR_DIFFERENT,
                          "queue '%s:%s': its items are aligned to %u bytes, but the type needs "
                          "%zu; create it with item_align %zu",
                          QUOIT_QUEUE_NAME(queue), (unsigned)view->item_align, item_align,
                          item_align);
    return type ? quoit_queue_compare_type(queue->handle->region, view, type) : QUOIT_OK;
}
