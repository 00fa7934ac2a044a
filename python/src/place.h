/* SPDX-License-Identifier: MIT */
/* A claim or a peek whose block is open: place.c begins and ends it, place_methods.c has the
   queue's methods. */
#ifndef QUOIT_PYTHON_PLACE_H
#define QUOIT_PYTHON_PLACE_H

#include "core.h"

/* Commits or releases; count: of claim_many and peek_many, or what the user asked for. */
typedef quoit_status core_place_action(quoit_queue *queue, size_t count);

struct core_place {
    PyObject ob_base;
    struct core_queue *queue;
    enum core_role role;
    bool is_many;
    bool is_borrow; /* the block gets the message's object */
    size_t wanted;  /* bytes of a claim; items of claim_many and peek_many */
    size_t count;   /* what action gets */
    core_place_action *action;
    struct core_deadline deadline;

    struct core_memory *memory;
    PyObject *view;
    unsigned long thread;
    bool is_begun, is_ended, is_done; /* ended: the view raises; done: committed, dropped, … */
};

/* Waits until there is an item, or room. 0, or -1 with an exception set. */
int core_place_begin(struct core_place *place);
/* Ends the view and calls action; NULL drops a claim and leaves an item. 0, or -1 with an exception
   set: BufferError if a slice is in use, then the side stays taken. */
int core_place_end(struct core_place *place, core_place_action *action);
quoit_status core_give_up_claim(quoit_queue *queue);

struct core_place *core_peek(PyObject *self, PyObject *timeout);
/* Objects (objects.c). */
PyObject *core_object_in_place(struct core_place *place, PyObject *view);
quoit_status core_release_one(quoit_queue *queue);

#endif
