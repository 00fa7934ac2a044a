/* SPDX-License-Identifier: MIT */
/*
 * --sync semaphore: two semaphores guard the queue, as in textbooks. With one, a single process
 * uses the queue at a time. The other counts products, and so wakes the consumer. The queue needs
 * neither: with --sync atomic all functions here do nothing.
 */
#ifndef PRODUCT_GUARD_H
#define PRODUCT_GUARD_H

#include <quoit.h>
#include <quoit/sem.h>

#include <stdbool.h>

struct guard {
    quoit_sem *turn;  /* NULL: --sync atomic */
    quoit_sem *items; /* a hint: a crash can make it miscount, so no code relies on it */
};

/* Opens the semaphores of that queue. Their names contain its identity: a later queue of the same
   name has others. Returns OK, or a failure that quoit_describe explains. */
quoit_status guard_open(struct guard *guard, const quoit_queue *queue, bool semaphore);
void guard_close(struct guard *guard);

/* Removes the semaphores of that queue, if there are any. Call it after unlinking the queue. */
void guard_unlink(const quoit_queue *queue);

/* Waits for the turn. Returns OK, TIMEOUT (the end was requested meanwhile, pause.h), or a
   failure. */
quoit_status guard_enter(struct guard *guard);
void guard_leave(struct guard *guard);

void guard_announce(struct guard *guard); /* there is one more product */
void guard_await(struct guard *guard);    /* waits for a product, or for a moment */
void guard_took(struct guard *guard);     /* a product was taken without waiting */

#endif
