/* SPDX-License-Identifier: MIT */
/*
 * --sync semaphore: the queue between two semaphores, as textbooks do it. One lets a single process
 * at the queue at a time, the other counts products and so wakes the consumer. The queue needs
 * neither; with --sync atomic all of this does nothing.
 */
#ifndef PRODUCT_GUARD_H
#define PRODUCT_GUARD_H

#include <quoit.h>
#include <quoit/sem.h>

#include <stdbool.h>

struct guard {
    quoit_sem *turn;  /* NULL: --sync atomic */
    quoit_sem *items; /* a hint: deaths can make it miscount, so nobody relies on it */
};

/* For that queue, under names made of its identity: a later queue of the same name has others.
   OK, or a failure that quoit_describe explains. */
quoit_status guard_open(struct guard *guard, const quoit_queue *queue, bool semaphore);
void guard_close(struct guard *guard);

/* Removes the semaphores of that queue, if there are any: to be done by who unlinked it. */
void guard_unlink(const quoit_queue *queue);

/* TIMEOUT: the end was requested (pause.h) while waiting for the turn. Or a failure. */
quoit_status guard_enter(struct guard *guard);
void guard_leave(struct guard *guard);

void guard_announce(struct guard *guard); /* one more product */
void guard_await(struct guard *guard);    /* a product, or a moment */
void guard_took(struct guard *guard);     /* one, without having waited */

#endif
