/* SPDX-License-Identifier: MIT */
/* Regions: named memory that processes share. <quoit.h>, which includes this, explains names,
   errors and what may overlap. */
#ifndef QUOIT_REGION_PUBLIC_H
#define QUOIT_REGION_PUBLIC_H

#include <quoit/status.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quoit_region quoit_region;

struct quoit_region_options { /* 64 bytes in every version; what is not needed is 0 */
    uint64_t data_bytes;      /* zeroed memory for a struct of your own: quoit_region_data */
    uint64_t size_bytes;      /* room for pieces: quoit_region_alloc. One of the two is above 0 */
    uint32_t permissions;     /* as of chmod, exact, whatever the umask; 0: 0600 */
    uint32_t memory;          /* reserved: 0 */
    uint64_t reserved[5];
};

/*
 * Make a region, open one, or (join) open it and make it if it does not exist. As for queues, but a
 * region has no producers and consumers, and keeps no members.
 *   options      join: DIFFERENT unless data_bytes is what is there, and size_bytes not more
 *   flags        0 or QUOIT_ANY_OWNER; of open also QUOIT_OBSERVER: read-only
 *   region_out   the handle, to be closed by quoit_region_close; NULL on failure
 * Creation is atomic: a process finds no region or a whole one, with its data zeroed. So any number
 * of processes may join at the same time, and a crash of the one that creates it blocks none.
 * With QUOIT_OBSERVER open accepts every object, also a queue, a pool or a lock; without it these
 * are DIFFERENT.
 */
quoit_status quoit_region_create(const char *name, const struct quoit_region_options *options,
                                 uint32_t flags, quoit_region **region_out);
quoit_status quoit_region_open(const char *name, uint32_t flags, quoit_region **region_out);
quoit_status quoit_region_join(const char *name, const struct quoit_region_options *options,
                               uint32_t flags, quoit_region **region_out);
/* Unmap the memory. The region, with its content, stays. NULL is allowed. */
void quoit_region_close(quoit_region *region);

/* The memory that options.data_bytes asked for, aligned to 64, NULL if none; for observers
   read-only. It was zeroed when the region was made. Its content, and the atomicity of access, is
   yours: a quoit_lock (<quoit/lock.h>) lets one process at a time use it. */
void *quoit_region_data(const quoit_region *region);
uint64_t quoit_region_data_bytes(const quoit_region *region);

/*
 * Take a piece of the region, for good; the offset means the same in every process. Pieces are
 * zeroed, lie one behind the other, and are not given back.
 *   align_bytes   a power of two up to 4096
 * OK NO_SPACE INVALID PERMISSION (an observer) CORRUPT. Lock-free; a caller that crashes may lose
 * its piece.
 */
quoit_status quoit_region_alloc(quoit_region *region, uint64_t size_bytes, uint64_t align_bytes,
                                uint64_t *offset_out);

/* Where [offset, offset + size_bytes) is in this process; NULL if any of it is outside. */
void *quoit_region_at(const quoit_region *region, uint64_t offset, uint64_t size_bytes);

/* One offset from which other processes begin; 0 before it is set. Set it when the data that it
   leads to is complete. Do not wait for it: the process that would set it may crash before. Share a
   struct through data_bytes instead, which exists from the beginning. */
quoit_status quoit_region_set_root(quoit_region *region, uint64_t offset);
uint64_t quoit_region_root(const quoit_region *region);

uint64_t quoit_region_size(const quoit_region *region);       /* bytes, all of it */
uint64_t quoit_region_bytes_left(const quoit_region *region); /* not yet taken as pieces */

#ifdef __cplusplus
}
#endif

#endif
