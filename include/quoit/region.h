/* SPDX-License-Identifier: MIT */
/* Regions: named memory that processes share. <quoit.h>, which includes this, explains names,
   errors and concurrency. */
#ifndef QUOIT_REGION_PUBLIC_H
#define QUOIT_REGION_PUBLIC_H

#include <quoit/status.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_region quoit_region;

struct quoit_region_options { /* 64 bytes in every version; fields not needed are 0 */
    uint64_t data_bytes;      /* zeroed memory for a struct of your own: quoit_region_data */
    uint64_t size_bytes;      /* room for quoit_region_alloc. One of these two is above 0 */
    uint32_t permissions;     /* as for chmod; the umask has no effect; 0: 0600 */
    uint32_t memory;          /* QUOIT_PREFAULT, ...; 0: none of them */
    uint64_t reserved[5];
};

/*
 * Create a region, open one, or join it: open it, or create it if it does not exist. As for queues,
 * but a region has no producers and consumers, and keeps no members.
 *   options      join: DIFFERENT if data_bytes is not the region's, or size_bytes is more than it
 *                has
 *   flags        0 or QUOIT_ANY_OWNER; open also QUOIT_OBSERVER: read-only
 *   region_out   the handle, to be closed by quoit_region_close; NULL on failure
 * Creation is atomic: a process finds no region or a complete one, with its data zeroed. So any
 * number of processes may join at the same time, and none is blocked if the creator crashes. With
 * QUOIT_OBSERVER, open accepts each kind of object: also a queue, a pool or a lock. Otherwise it
 * returns DIFFERENT for these.
 */
quoit_status quoit_region_create(const char *name, const struct quoit_region_options *options,
                                 uint32_t flags, quoit_region **region_out);
quoit_status quoit_region_open(const char *name, uint32_t flags, quoit_region **region_out);
quoit_status quoit_region_join(const char *name, const struct quoit_region_options *options,
                               uint32_t flags, quoit_region **region_out);
/* Unmap the memory. The region stays, with its content. NULL is allowed. */
void quoit_region_close(quoit_region *region);

/* Return the memory of options.data_bytes, aligned to 64; NULL if there is none. Observers can only
   read it. It was zeroed when the region was created. You decide what it contains, and how access
   to it is synchronized: with a quoit_lock (<quoit/lock.h>), one process at a time can use it. */
void *quoit_region_data(const quoit_region *region);
uint64_t quoit_region_data_bytes(const quoit_region *region);

/*
 * Allocate a piece of the region. Its offset is the same in every process. Pieces are zeroed, lie
 * one behind the other, and cannot be freed.
 *   align_bytes   a power of two up to 4096
 * Returns OK, NO_SPACE, INVALID, PERMISSION (an observer) or CORRUPT. Lock-free. If the process
 * crashes in the call, the piece may be lost.
 */
quoit_status quoit_region_alloc(quoit_region *region, uint64_t size_bytes, uint64_t align_bytes,
                                uint64_t *offset_out);

/* Return the address of [offset, offset + size_bytes) in this process; NULL if any of it is outside
   the region. */
void *quoit_region_at(const quoit_region *region, uint64_t offset, uint64_t size_bytes);

/* Set or get the root: an offset at which other processes begin; 0 before it is set. Set it when
   the data at that offset is complete. Do not wait for it, since the process that should set it may
   crash before. To share a struct, use data_bytes instead: it exists as soon as the region does. */
quoit_status quoit_region_set_root(quoit_region *region, uint64_t offset);
uint64_t quoit_region_root(const quoit_region *region);

uint64_t quoit_region_size(const quoit_region *region);       /* bytes of the whole region */
uint64_t quoit_region_bytes_left(const quoit_region *region); /* not yet allocated as pieces */

#ifdef __cplusplus
}
#endif

#endif
