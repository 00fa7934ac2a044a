/* SPDX-License-Identifier: MIT */
/*
 * Blocks of one size, over memory that the caller passes. Plain C11, no system calls, as the rings.
 *
 * A block's state names its stage and owner. Each step is one compare-and-exchange of it:
 *
 *     FREE --alloc--> OWNED --send--> SENT --take--> TAKEN --keep--> OWNED
 *      ^               | ^             |
 *      +-----free------+ +---unsend----+
 *
 * So at every instruction a block is free, or has an owner, or is on its way through a queue. Each
 * state names its owner, so any process can find a crashed owner's blocks. The owner is an entry,
 * and the number of members that the entry has had. FREE increments the generation, so that an old
 * block id is detected.
 *
 * Through a queue: the sender sets SENT before the push. A consumer peeks at the block id, sets
 * TAKEN, and then releases the item. So while a block id is queued, its block is SENT, by any
 * member, or TAKEN, by the one consumer that peeks at it. A block of a crashed member
 *     OWNED            is in no queue
 *     SENT or TAKEN    is in the queue that the block names, or its owner crashed before the push,
 *                      or after the release. A crashed member pushes nothing more: a block that a
 *                      search of the queue does not find will never be there
 * The search need not be atomic. An item stays in one slot until it is released. The member that
 * releases it has exchanged the state before, so the exchange that would free the block fails.
 *
 * Hints, one bit for each block, show where free blocks are. They may be wrong: the state decides.
 * A bit is cleared after the block is taken, and set after it is freed. A crash in between leaves a
 * wrong bit, so alloc reads every state before it returns EXHAUSTED.
 *
 * No value that is read here is used as an index or a length before it is checked.
 */
#ifndef QUOIT_RING_BLOCKS_H
#define QUOIT_RING_BLOCKS_H

#include <quoit/ring.h>
#include <quoit/status.h>

#include <stddef.h>

/* A state, from the lowest bit on: 2 bits of stage, 8 of member entry, 22 of incarnation, 32 of
   generation; free: the stage, 30 bits of 0, the generation (FORMAT.md 8). */
enum quoit_block_stage {
    QUOIT_BLOCK_FREE = 0,
    QUOIT_BLOCK_OWNED = 1,
    QUOIT_BLOCK_SENT = 2,
    QUOIT_BLOCK_TAKEN = 3
};

enum { QUOIT_BLOCK_MEMBERS_MOST = 256 };
#define QUOIT_BLOCKS_MOST        UINT32_C(0xfffffffe)
#define QUOIT_BLOCK_INCARNATIONS UINT32_C(0x3fffff)
#define QUOIT_BLOCK_NONE         UINT64_C(0) /* a block id is never 0 */

typedef uint64_t quoit_block; /* as in <quoit.h>, which is not seen here */

/* Shared, one for each block. */
struct quoit_block_shm {
    quoit_atomic_u64 state; /*  0  the owner and the state               */
    quoit_atomic_u64 queue; /*  8  owner  the queue that it was sent to  */
};
_Static_assert(offsetof(struct quoit_block_shm, queue) == 8, "FORMAT.md 8");
_Static_assert(sizeof(struct quoit_block_shm) == 16, "FORMAT.md 8");

/* The members that share the pool. */
struct quoit_block_members {
    quoit_atomic_u64 *incarnations; /* count of them: how many members each entry has had */
    uint32_t count;                 /* <= QUOIT_BLOCK_MEMBERS_MOST */
    uint32_t own;
    uint32_t own_incarnation;
    /* Does a live process hold that entry? Not called for the own entry. */
    bool (*is_alive)(const void *context, uint32_t entry);
    const void *context;
};

/* Where a pool is in this process, after validation. */
struct quoit_blocks {
    struct quoit_block_shm *entries; /* count of them */
    quoit_atomic_u64 *hints;         /* a bit for each block */
    uint8_t *bytes;                  /* stride * count of them */
    uint64_t stride;
    uint32_t count; /* 1 to QUOIT_BLOCKS_MOST */
    struct quoit_block_members members;
};

static inline uint64_t quoit_blocks_hints(uint32_t count)
{
    return ((uint64_t)count + 63) / 64;
}

/* Makes a new pool; all blocks are free. Their generations begin at a number that is unlikely in
   another pool, so that a block id of another pool is detected. */
void quoit_blocks_init(const struct quoit_blocks *blocks, uint32_t generation);

/* This member joins, in its entry. From here on the entry's last holder counts as crashed. */
void quoit_blocks_enter(struct quoit_blocks *blocks);

/* OK EXHAUSTED. next_hint: where the search begins; a number that the handle keeps. */
quoit_status quoit_blocks_alloc(const struct quoit_blocks *blocks, quoit_atomic_u32 *next_hint,
                                quoit_block *block_out);
/* OK; NOT_YOURS: this member does not own it. */
quoit_status quoit_blocks_free(const struct quoit_blocks *blocks, quoit_atomic_u32 *next_hint,
                               quoit_block block);
/* NULL: this member does not own it. */
void *quoit_blocks_at(const struct quoit_blocks *blocks, quoit_block block);
/* Of any owner. NULL: the block is free, or was freed and allocated again. */
const void *quoit_blocks_at_any(const struct quoit_blocks *blocks, quoit_block block);

/* ---- Through a queue ------------------------------------------------------------------------- */

/* send: before the push. unsend: after a push that failed. OK NOT_YOURS. */
quoit_status quoit_blocks_send(const struct quoit_blocks *blocks, quoit_block block,
                               uint64_t queue);
quoit_status quoit_blocks_unsend(const struct quoit_blocks *blocks, quoit_block block);
/* Takes the block of an item that is peeked at. OK; BUSY: another live member has taken it;
   NOT_YOURS: no block was sent with that block id. */
quoit_status quoit_blocks_take(const struct quoit_blocks *blocks, quoit_block block);
/* After the item is released: this member owns the block. OK NOT_YOURS. */
quoit_status quoit_blocks_keep(const struct quoit_blocks *blocks, quoit_block block);

/* ---- After crashes, and by any process ------------------------------------------------------- */

/* May the block id be in that queue? true if that cannot be found out. */
typedef bool quoit_blocks_queued(const void *context, uint64_t queue, quoit_block block);

/* Frees the blocks of crashed members; returns how many. */
uint64_t quoit_blocks_reclaim(const struct quoit_blocks *blocks, quoit_blocks_queued *is_queued,
                              const void *context);

/* A snapshot. */
uint64_t quoit_blocks_count_free(const struct quoit_blocks *blocks);

/* Checks the pool's invariants in untrusted shared memory: OK, or CORRUPT with the error text. */
quoit_status quoit_blocks_check(const struct quoit_blocks *blocks);

#endif
