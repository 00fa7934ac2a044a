/* SPDX-License-Identifier: MIT */
/* What a queue's handle holds beside the inlined halves that <quoit.h> shows. */
#ifndef QUOIT_API_QUEUE_HANDLE_H
#define QUOIT_API_QUEUE_HANDLE_H

#include <quoit.h>

#include "queue_shm.h"

#include <stdbool.h>

struct quoit_queue_handle {
    quoit_region *region;
    struct quoit_queue_place place;
    unsigned roles;
    bool forked; /* made before a fork, seen in the child */
    struct quoit_os_fork_guard guard;
    quoit_queue *queue;
    void *allocation; /* what queue was aligned in */
};

#endif
