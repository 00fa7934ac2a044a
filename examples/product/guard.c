/* SPDX-License-Identifier: MIT */
/* The two semaphores of --sync semaphore. */
#include "guard.h"

#include "pause.h"

#include <quoit/inspect.h>

#include <inttypes.h>
#include <stdio.h>

/* A wait checks this often for a request to stop, and for items that the semaphore missed. */
static const int64_t slice_ns = 20000000;

enum { NAME_ROOM = 100 };

/*
 * System V first, wherever the queue is: if a process is killed while it has the turn, the kernel
 * gives the turn back. A system without System V semaphores uses its native kind.
 */
static const char *const schemes[] = {"sysv:", ""};
enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

static quoit_status sem_name(char name[NAME_ROOM], const char *scheme, const char *what,
                             const quoit_queue *queue)
{
    struct quoit_queue_info info;
    quoit_status status = quoit_queue_inspect(queue, &info);
    if (status == QUOIT_ERROR_CORRUPT) /* its members are unknown, but its identity is valid */
        status = QUOIT_OK;
    if (status == QUOIT_OK)
        (void)snprintf(name, NAME_ROOM, "%sproducts %s %" PRIu32 " %" PRIu64, scheme, what,
                       info.created_by, info.created_at_unix_ns);
    return status;
}

static quoit_status join(const char *what, const quoit_queue *queue,
                         const struct quoit_sem_options *options, quoit_sem **sem_out)
{
    quoit_status status = QUOIT_ERROR_UNSUPPORTED;
    for (int i = 0; i < SCHEMES && status == QUOIT_ERROR_UNSUPPORTED; i++) {
        char name[NAME_ROOM];
        status = sem_name(name, schemes[i], what, queue);
        if (status == QUOIT_OK)
            status = quoit_sem_join(name, options, 0, sem_out);
    }
    return status;
}

static void unlink_one(const char *what, const quoit_queue *queue)
{
    for (int i = 0; i < SCHEMES; i++) {
        char name[NAME_ROOM];
        if (sem_name(name, schemes[i], what, queue) != QUOIT_OK ||
            quoit_sem_unlink(name, 0) != QUOIT_ERROR_UNSUPPORTED)
            return;
    }
}

quoit_status guard_open(struct guard *guard, const quoit_queue *queue, bool semaphore)
{
    *guard = (struct guard){NULL, NULL};
    if (!semaphore)
        return QUOIT_OK;
    struct quoit_sem_options one_turn = {.value = 1, .give_back = 1};
    const struct quoit_sem_options no_items = {.value = 0};
    quoit_status status = join("turn", queue, &one_turn, &guard->turn);
    if (status == QUOIT_ERROR_UNSUPPORTED) { /* a turn is lost if its holder is killed */
        one_turn.give_back = 0;
        status = join("turn", queue, &one_turn, &guard->turn);
    }
    if (status != QUOIT_OK)
        return status;
    status = join("items", queue, &no_items, &guard->items);
    if (status != QUOIT_OK)
        guard_close(guard);
    return status;
}

void guard_close(struct guard *guard)
{
    quoit_sem_close(guard->turn);
    quoit_sem_close(guard->items);
    *guard = (struct guard){NULL, NULL};
}

void guard_unlink(const quoit_queue *queue)
{
    unlink_one("turn", queue);
    unlink_one("items", queue);
}

quoit_status guard_enter(struct guard *guard)
{
    if (!guard->turn)
        return QUOIT_OK;
    quoit_status status;
    while ((status = quoit_sem_wait(guard->turn, slice_ns)) == QUOIT_TIMEOUT)
        if (stop_requested())
            return QUOIT_TIMEOUT;
    return status;
}

void guard_leave(struct guard *guard)
{
    if (guard->turn)
        (void)quoit_sem_post(guard->turn);
}

void guard_announce(struct guard *guard)
{
    if (guard->items)
        (void)quoit_sem_post(guard->items);
}

void guard_await(struct guard *guard)
{
    if (guard->items)
        (void)quoit_sem_wait(guard->items, slice_ns);
    else
        pause_for(0.001);
}

void guard_took(struct guard *guard)
{
    if (guard->items)
        (void)quoit_sem_wait(guard->items, QUOIT_NOW);
}
