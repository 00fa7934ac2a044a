/* SPDX-License-Identifier: MIT */
/* Shared by producer and consumer: the product, and the progress that is kept with the queue. */
#ifndef PRODUCT_H
#define PRODUCT_H

#include <quoit/typed.h>

#include <stdatomic.h>

struct product {
    uint64_t id; /* from 1 */
    double number;
};
QUOIT_DEFINE_QUEUE(product, struct product);

/* The queue's user area: the progress of each side, so that after a kill its successor continues
   there. Each side has a cache line of its own. */
struct product_progress {
    _Atomic uint64_t made; /* producer: the last id used up */
    uint8_t pad1[56];
    _Atomic uint64_t printed; /* consumer: the last id that it printed a line for */
    uint8_t pad2[56];
};

enum { PRODUCT_CAPACITY = 5 };

#endif
