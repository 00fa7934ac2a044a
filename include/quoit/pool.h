/* SPDX-License-Identifier: MIT */
/* Pools: blocks of one size that processes pass to each other. <quoit.h>, which includes this,
   explains names, errors and concurrency. */
#ifndef QUOIT_POOL_PUBLIC_H
#define QUOIT_POOL_PUBLIC_H

#include <quoit.h> /* the queues that blocks are sent through */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_pool quoit_pool;

/* The id of a block, the same in every process; never 0. It contains the block's generation: when
   the block is freed, its id becomes invalid. (Ids repeat after 2^32 frees of one block.) */
typedef uint64_t quoit_block;

struct quoit_pool_options { /* 64 bytes in every version; fields not needed are 0 */
    uint64_t block_bytes;   /* size of a block; at least 1 */
    uint64_t blocks;        /* how many, exactly; at least 1 */
    uint32_t permissions;   /* as for chmod; the umask has no effect; 0: 0600 */
    uint32_t members;       /* reserved: 0 */
    uint32_t memory;        /* QUOIT_PREFAULT, ...; 0: none of them */
    uint32_t reserved_word; /* 0 */
    uint64_t reserved[4];
};

/*
 * Create a pool, open one, or join it (either); as for queues, and with the same statuses. A pool
 * has at most 2^32 - 2 blocks (else INVALID), and 64 handles that are members (else LIMIT).
 *   options    join: DIFFERENT unless block_bytes and blocks are those of the pool
 *   flags      0 or QUOIT_ANY_OWNER; open also QUOIT_OBSERVER: an observer, not a member
 *   pool_out   the handle, to be closed by quoit_pool_close; NULL on failure
 * A block belongs to the handle that allocated or popped it, not to other handles of the process.
 * Concurrency of all calls on pools: any thread, except close; one thread at a time for one block;
 * push and pop also follow the rules of their queue. After fork the child's copy is disabled: calls
 * return QUOIT_ERROR_FORKED, NULL or 0.
 */
quoit_status quoit_pool_create(const char *name, const struct quoit_pool_options *options,
                               uint32_t flags, quoit_pool **pool_out);
quoit_status quoit_pool_open(const char *name, uint32_t flags, quoit_pool **pool_out);
quoit_status quoit_pool_join(const char *name, const struct quoit_pool_options *options,
                             uint32_t flags, quoit_pool **pool_out);
/* Leave the pool. Blocks that this handle still has are then like those of a crashed process:
   quoit_pool_reclaim frees them. NULL is allowed. */
void quoit_pool_close(quoit_pool *pool);

/*
 * Allocate a block for this handle, or free one. A new block contains what its last owner left in
 * it.
 *   block_out   0 unless the call returns OK
 * alloc returns OK or EXHAUSTED (no block is free; blocks of crashed processes are freed only by
 * quoit_pool_reclaim). free returns OK, or NOT_YOURS if the block does not belong to this handle:
 * it was freed or pushed, belongs to another handle or pool, or does not exist; nothing was done.
 * Both: INVALID FORKED WRONG_ROLE (an observer). Lock-free, no system call. Before EXHAUSTED, alloc
 * checks each block. While other threads allocate and free, it may return EXHAUSTED although one
 * block was free at each moment.
 */
quoit_status quoit_pool_alloc(quoit_pool *pool, quoit_block *block_out);
quoit_status quoit_pool_free(quoit_pool *pool, quoit_block block);

/*
 * Return the address of a block in this process, aligned to 64; NULL if the block does not belong
 * to this handle. The pointer is valid until the block is freed or pushed. An observer gets the
 * address of each block that is not free. It may read the block while the owner writes to it.
 */
void *quoit_pool_at(const quoit_pool *pool, quoit_block block);

/*
 * Send a block through a queue of 8-byte items, of any kind, that is used only for blocks of this
 * pool. The process that pops the block sees all that was written to it before.
 * push returns what quoit_queue_push returns, and NOT_YOURS. Unless it returns OK, the block still
 * belongs to this handle.
 * pop returns what quoit_queue_pop returns, and
 *   NOT_YOURS   the next item was not a block that was pushed here; it is removed
 *   BUSY        another consumer is between peek and release of the next block, or crashed there;
 *               the block stays queued, and this consumer gets it a moment later
 * Both: INVALID if the queue's items do not have 8 bytes; WRONG_ROLE for an observer of the pool.
 * If a process crashes at any instruction, each block is in the queue or belongs to a member. A
 * block that was pushed is not lost with its producer. A block that was popped belongs to its
 * consumer until it is reclaimed.
 */
quoit_status quoit_pool_push(quoit_pool *pool, quoit_queue *queue, quoit_block block,
                             int64_t timeout_ns);
quoit_status quoit_pool_pop(quoit_pool *pool, quoit_queue *queue, quoit_block *block_out,
                            int64_t timeout_ns);

/*
 * Free the blocks of members that crashed, or closed without freeing them.
 *   queues      queues that blocks are sent through, with any flags; queue_count of them, or NULL
 *   count_out   how many blocks were freed; may be NULL
 * A block that a crashed member sent is freed if the queue that it was sent to is among `queues`,
 * and does not contain it. Otherwise it is left alone. So pop all items of a queue before you
 * unlink it. (After a crash of an SPSC consumer, a new consumer may have to open the queue first.)
 * Returns OK, INVALID, FORKED or WRONG_ROLE. Any member may call it at any time, also several at
 * once. Cost: a check of each block, a system call for each owner, and a search of the queue for
 * each block that a crashed member sent.
 */
quoit_status quoit_pool_reclaim(quoit_pool *pool, quoit_queue *const *queues, uint64_t queue_count,
                                uint64_t *count_out);

/* Return the options of the pool, and how many blocks are free (a snapshot that checks each block).
   Any handle, any thread; in a forked child 0. */
uint64_t quoit_pool_block_bytes(const quoit_pool *pool);
uint64_t quoit_pool_blocks(const quoit_pool *pool);
uint64_t quoit_pool_free_count(const quoit_pool *pool);

/* Check the pool's shared memory, also while it is in use. Returns OK, or CORRUPT with a
   sentence. */
quoit_status quoit_pool_check(const quoit_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
