/* SPDX-License-Identifier: MIT */
/* Shared by the files of the region fuzzer: its state, the changes that a hostile peer makes
   (fuzz_peer.c), and the checks after each call (fuzz_fence.c). */
#ifndef FUZZ_H
#define FUZZ_H

#include <quoit/inspect.h>
#include <quoit/typed.h>

#include "pool_handle.h"
#include "queue_handle.h"

enum { MANY = 16, LARGEST = 301 };

struct input {
    const uint8_t *next, *end;
};

/* Returns the next bytes of the input as a number, 0 at its end. */
static inline uint64_t take(struct input *input, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && input->next < input->end; i++)
        value |= (uint64_t)*input->next++ << 8 * i;
    return value;
}

struct image {
    uint8_t *bytes;
    uint64_t count;
};

struct fuzz {
    char name[64], pool_name[64];
    struct input input;
    quoit_queue *queue; /* NULL if it is not open */
    quoit_pool *pool;   /* likewise */
    quoit_block blocks[MANY];
    struct quoit_browser browser;
    struct image image;       /* another mapping of the same region, through which it is changed */
    struct image other;       /* if there is a pool: of the other region */
    struct image queue_image; /* the one of the two that holds the queue */
    uint32_t item_bytes;
};

/* Prints the condition if it is false, removes this process's objects, and aborts, which the fuzzer
   reports. */
#define FUZZ_CHECK(condition)                          \
    do {                                               \
        if (!(condition))                              \
            fuzz_fail(__FILE__, __LINE__, #condition); \
    } while (0)
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* ---- fuzz_peer.c ----------------------------------------------------------------------------- */

void change_byte(struct fuzz *fuzz);
void change_word(struct fuzz *fuzz);
/* Adds a small step to a word, at a bit where a lap, generation, count or position may begin. */
void add_to_word(struct fuzz *fuzz);
/* Sets a counter, a member's claim or a slot's word of the open queue to a value that is near to a
   valid one. */
void change_counter(struct fuzz *fuzz);
/* Moves the head or the tail of the open queue back, by one item up to all. */
void rewind_counter(struct fuzz *fuzz, bool head);
/* Makes the checksum of a changed header valid, since a hostile peer can compute it. */
void mend_checksums(struct fuzz *fuzz);

/* ---- fuzz_calls.c ---------------------------------------------------------------------------- */

/* Each makes one call; `what` chooses the call and the number of items. */
void move_items(struct fuzz *fuzz, unsigned what);    /* of any size that a region can claim */
void move_more(struct fuzz *fuzz, unsigned what);     /* inlined, waiting alone, browsing */
void move_messages(struct fuzz *fuzz, unsigned what); /* of any length */
/* Claims and commits, or peeks and releases, with changes and another call in between. */
void move_in_halves(struct fuzz *fuzz, unsigned what);

/* Some calls wait for a moment. Not all: a wait without result takes longer than everything
   else. */
int64_t wait_ns(unsigned what);

/* ---- fuzz_fence.c ---------------------------------------------------------------------------- */

/* With AddressSanitizer, each access to a byte of the handle's mapping outside its pieces ends the
   program. Remove the fences before the handle is closed. */
void fence_queue(const quoit_queue *queue);
void fence_pool(const quoit_pool *pool);
void unfence_queue(const quoit_queue *queue);
void unfence_pool(const quoit_pool *pool);

/* Aborts if the handle's own state of its two sides could lead outside the ring, or beyond the
   items or slots that the other side has published. */
void check_sides(const quoit_queue *queue);

#endif
