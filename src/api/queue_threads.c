/* SPDX-License-Identifier: MIT */
/* Finds two threads on one side of a handle, in builds for debugging: queue_threads.h. This is the
   only place where the library prints, and ends the process. */
#define QUOIT_KEEPS_NAMES
#include "queue_threads.h"

#ifdef QUOIT_CHECK_THREADS
#include "queue_handle.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local char own_byte; /* its address identifies this thread */

static struct quoit_shown_queue *shown_of(const quoit_queue *used)
{
    return (struct quoit_shown_queue *)(void *)((char *)used->handle->queue + QUOIT_SHOWN_AT);
}

quoit_queue *quoit_threads_show(quoit_queue *queue)
{
    struct quoit_shown_queue *shown = shown_of(queue);
    shown->queue.handle = queue->handle;
    shown->queue.producer.tail = queue->producer.tail;
    shown->queue.producer.empty = queue->producer.empty;
    shown->queue.producer.wake_needed = queue->producer.wake_needed;
    shown->queue.consumer.head = queue->consumer.head;
    shown->queue.consumer.empty = queue->consumer.empty;
    shown->queue.consumer.wake_needed = queue->consumer.wake_needed;
    quoit_ring_producer_disable(&shown->queue.producer);
    quoit_ring_consumer_disable(&shown->queue.consumer);
    return &shown->queue;
}

static quoit_atomic_u64 *user_of(const quoit_queue *queue, uint32_t role)
{
    return &shown_of(queue)->users[role == QUOIT_CONSUMER];
}

static _Noreturn void report(const quoit_queue *queue, uint32_t role)
{
    const quoit_region *region = queue->handle->region;
    (void)fprintf(stderr,
                  "quoit: queue '%s:%s': two threads use the %s side of one handle at the same "
                  "time; give each thread a handle of its own (quoit_queue_again)\n",
                  QUOIT_REGION_NAME(region), role == QUOIT_CONSUMER ? "consumer" : "producer");
    (void)fflush(stderr); /* a program may have made it buffered */
    abort();
}

/* Notes that this thread uses the side. A signal handler may make a call inside another call of its
   thread. In a forked child, another thread's note is a copy that no thread clears. */
static void enter(quoit_queue *queue, uint32_t role)
{
    const uint64_t self = QUOIT_ADDRESS(&own_byte);
    uint64_t user = 0;
    /* Relaxed: it must order nothing, so that ThreadSanitizer still finds races between callers. */
    if (!atomic_compare_exchange_strong_explicit(user_of(queue, role), &user, self,
                                                 memory_order_relaxed, memory_order_relaxed) &&
        user != self && !queue->handle->forked)
        report(queue, role);
}

static void leave(quoit_queue *queue, uint32_t role)
{
    /* Relaxed: it must order nothing, so that ThreadSanitizer still finds races. */
    atomic_store_explicit(user_of(queue, role), 0, memory_order_relaxed);
}

void quoit_threads_pause(quoit_queue *queue, uint32_t role)
{
    leave(queue, role);
}

void quoit_threads_resume(quoit_queue *queue, uint32_t role)
{
    enter(queue, role);
}

/* Returns the queue that is used behind the one that the program has. NULL is left to the call. */
static quoit_queue *begin(quoit_queue *queue, uint32_t role)
{
    if (!queue)
        return NULL;
    enter(queue, role);
    return queue->handle->queue;
}

static void end(quoit_queue *queue, uint32_t role)
{
    if (queue)
        leave(queue, role);
}

/* clang-format off */
#define DEFINE(role, name, parameters, arguments) \
    quoit_status quoit_##name parameters \
    { \
        quoit_queue *used = begin(queue, role); \
        quoit_status status = quoit_unchecked_##name arguments; \
        end(queue, role); \
        return status; \
    }
#define DEFINE_PUSH(name, parameters, arguments) \
    DEFINE(QUOIT_PRODUCER, name, parameters, arguments)
#define DEFINE_POP(name, parameters, arguments) \
    DEFINE(QUOIT_CONSUMER, name, parameters, arguments)
/* clang-format on */
QUOIT_PUSH_CALLS(DEFINE_PUSH)
QUOIT_POP_CALLS(DEFINE_POP)

quoit_status quoit_queue_poll_fd(quoit_queue *queue, uint32_t events, int *fd_out)
{
    uint32_t role = events == QUOIT_ITEMS ? QUOIT_CONSUMER : QUOIT_PRODUCER;
    quoit_queue *used = begin(queue, role);
    quoit_status status = quoit_unchecked_queue_poll_fd(used, events, fd_out);
    end(queue, role);
    return status;
}

uint64_t quoit_queue_missed(const quoit_queue *queue)
{
    return quoit_unchecked_queue_missed(queue ? queue->handle->queue : NULL);
}

void quoit_queue_close(quoit_queue *queue)
{
    quoit_queue *used = begin(queue, QUOIT_PRODUCER);
    (void)begin(queue, QUOIT_CONSUMER);
    quoit_unchecked_queue_close(used);
}

#endif
