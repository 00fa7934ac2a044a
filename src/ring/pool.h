/* SPDX-License-Identifier: MIT */
/*
 * Blocks of one size over memory handed to them. Plain C11, no system calls, as the rings are.
 *
 * Whose a block is stands in the block's own word, and each step is one compare-and-exchange of it:
 *
 *     FREE --alloc--> OWNED --send--> SENT --take--> TAKEN --keep--> OWNED
 *      ^               | ^             |
 *      +-----free------+ +---unsend----+
 *
 * So at every instruction a block is free or is somebody's, or is on its way through a queue. What
 * the dead had, whoever looks sees, since the word names its owner: the member's row, and how many
 * members that row has had. FREE counts the generation up, by which an old handle shows.
 *
 * Through a queue: SENT comes before the push, and TAKEN before the release of what a consumer
 * peeks at. Then, while a handle is queued, its block's word is SENT, by anybody, or TAKEN, by the
 * one consumer that has the item in hand; and
 *     OWNED by the dead            is in no queue
 *     SENT or TAKEN by the dead    is in the queue that the block notes, or its owner died before
 *                                  the push, or behind the release. Who is dead pushes no more: if
 *                                  a look at the queue does not find it, it never will be there
 * The look need not be atomic. An item lies in one slot until it is released, and the one who
 * releases it has exchanged the word before: then the exchange that was to free it fails.
 *
 * Where free blocks are, hints say, a bit each. They may be wrong: the word decides. A bit is
 * cleared after the word is taken and set after it is freed; a death between the two leaves one
 * that is wrong, so that alloc looks at every word before it says that none is free.
 *
 * Nothing that is read here is an index or a length before it is within what the place says.
 */
#ifndef QUOIT_RING_POOL_H
#define QUOIT_RING_POOL_H

#include <quoit/ring.h>
#include <quoit/status.h>

#include <stddef.h>

/* A word, from the lowest bit on: 2 bits of state, 8 of row, 22 of incarnation, 32 of generation;
   free: the state, 30 bits of 0, the generation (FORMAT.md 8). */
enum quoit_block_state {
    QUOIT_BLOCK_FREE = 0,
    QUOIT_BLOCK_OWNED = 1,
    QUOIT_BLOCK_SENT = 2,
    QUOIT_BLOCK_TAKEN = 3
};

enum { QUOIT_BLOCK_ROWS_MOST = 256 };
#define QUOIT_BLOCKS_MOST        UINT32_C(0xfffffffe)
#define QUOIT_BLOCK_INCARNATIONS UINT32_C(0x3fffff)
#define QUOIT_BLOCK_NONE         UINT64_C(0) /* a handle is never 0 */

typedef uint64_t quoit_block; /* as in <quoit.h>, which is not seen here */

/* Shared, one for each block. */
struct quoit_block_shm {
    quoit_atomic_u64 word;  /*  0  whose it is, and in what state        */
    quoit_atomic_u64 queue; /*  8  owner  the queue that it was sent to  */
};
_Static_assert(offsetof(struct quoit_block_shm, queue) == 8, "FORMAT.md 8");
_Static_assert(sizeof(struct quoit_block_shm) == 16, "FORMAT.md 8");

/* Who shares the pool. */
struct quoit_block_members {
    quoit_atomic_u64 *incarnations; /* count of them: members that the row has had, ever */
    uint32_t count;                 /* <= QUOIT_BLOCK_ROWS_MOST */
    uint32_t own;
    uint32_t own_incarnation;
    /* Does a living process have that row? Never asked of the own one. */
    bool (*is_alive)(const void *context, uint32_t row);
    const void *context;
};

/* Where a pool is, as this process validated it. */
struct quoit_blocks {
    struct quoit_block_shm *words; /* count of them */
    quoit_atomic_u64 *hints;       /* a bit for each block */
    uint8_t *bytes;                /* stride * count of them */
    uint64_t stride;
    uint32_t count; /* 1 to QUOIT_BLOCKS_MOST */
    struct quoit_block_members members;
};

static inline uint64_t quoit_blocks_hints(uint32_t count)
{
    return ((uint64_t)count + 63) / 64;
}

/* A new pool, all blocks free, their generations beginning at one that other pools hardly have: so
   a handle of another pool shows. */
void quoit_blocks_init(const struct quoit_blocks *blocks, uint32_t generation);

/* This member comes, in its row: from here on who was in it before is dead. */
void quoit_blocks_enter(struct quoit_blocks *blocks);

/* OK EXHAUSTED. rotor: where to begin to look; a number that the handle keeps. */
quoit_status quoit_blocks_alloc(const struct quoit_blocks *blocks, quoit_atomic_u32 *rotor,
                                quoit_block *block_out);
/* OK NOT_YOURS: it is not this member's. */
quoit_status quoit_blocks_free(const struct quoit_blocks *blocks, quoit_atomic_u32 *rotor,
                               quoit_block block);
/* NULL: it is not this member's. */
void *quoit_blocks_at(const struct quoit_blocks *blocks, quoit_block block);
/* NULL: it is free, or another block by now. */
const void *quoit_blocks_see(const struct quoit_blocks *blocks, quoit_block block);

/* ---- Through a queue ------------------------------------------------------------------------- */

/* Before the push; and after one that did not succeed. OK NOT_YOURS. */
quoit_status quoit_blocks_send(const struct quoit_blocks *blocks, quoit_block block,
                               uint64_t queue);
quoit_status quoit_blocks_unsend(const struct quoit_blocks *blocks, quoit_block block);
/* Of an item that is peeked at. OK, or BUSY: another live member holds it; NOT_YOURS: no block
   was sent by that handle. */
quoit_status quoit_blocks_take(const struct quoit_blocks *blocks, quoit_block block);
/* The item is released. OK NOT_YOURS. */
quoit_status quoit_blocks_keep(const struct quoit_blocks *blocks, quoit_block block);

/* ---- After deaths, and by anyone ------------------------------------------------------------- */

/* May the handle be in that queue? true where nobody can tell. */
typedef bool quoit_blocks_queued(const void *context, uint64_t queue, quoit_block block);

/* Frees what the dead had; returns how many. */
uint64_t quoit_blocks_reclaim(const struct quoit_blocks *blocks, quoit_blocks_queued *is_queued,
                              const void *context);

/* A snapshot. */
uint64_t quoit_blocks_count_free(const struct quoit_blocks *blocks);

/* The pool's invariants, over shared memory that nobody vouches for: OK, or CORRUPT with the error
   text. */
quoit_status quoit_blocks_check(const struct quoit_blocks *blocks);

#endif
