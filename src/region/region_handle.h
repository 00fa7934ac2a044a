/* SPDX-License-Identifier: MIT */
/*
 * Named regions: created completely or not at all, validated once at attach, and then handed out by
 * offset. The public quoit_region functions are in the same files (region_plain.c, region_pieces.c,
 * region_unlink.c). Queues, pools and locks are built with those and with the functions declared
 * here.
 */
#ifndef QUOIT_REGION_HANDLE_H
#define QUOIT_REGION_HANDLE_H

#include <quoit.h>

#include "name.h"
#include "os.h"
#include "region_shm.h"

/* The pieces of queues, pools and locks, and a plain region's data, begin at multiples of this. */
enum { QUOIT_PIECE_ALIGN = 128 };

struct quoit_region {
    const struct quoit_os_shm_ops *ops;
    struct quoit_os_shm shm;
    struct quoit_region_shm *header;
    uint64_t size_bytes; /* validated: the mapping has at least these */
    uint64_t data_bytes; /* validated: they lie behind the header, inside the region */
    uint32_t content;
    uint32_t created_by;
    uint64_t created_at_unix_ns;
    bool has_lock_file;    /* from the header's lock_file */
    bool transient;        /* its name is removed when its last member leaves */
    uint32_t memory;       /* options.memory of its creator */
    bool is_new;           /* not published yet: no name leads to it */
    _Atomic int shared_fd; /* that quoit_region_share has returned; 0: none yet */
    uint64_t identity;     /* the header's checksum: of the name, the size, the creator, the time */
    struct quoit_name name;
};

struct quoit_region_plan {
    uint32_t content;     /* a QUOIT_CONTENT_ value */
    uint32_t permissions; /* as in the options */
    uint64_t piece_bytes; /* room for pieces */
    uint32_t memory;      /* QUOIT_PREFAULT, ... */
    bool transient;
};

/* Makes a region that no process can find before quoit_region_publish. name NULL, of a transient
   one only: it gets no name. */
quoit_status quoit_region_begin(const char *name, const struct quoit_region_plan *plan,
                                quoit_region **region_out);
quoit_status quoit_region_publish(quoit_region *region);

/* UNSUPPORTED: options.memory has a bit that this version does not know. */
quoit_status quoit_region_check_memory(uint32_t memory);

/* Called for a member of an attached region before it uses the memory, which may move: does with
   this process's mapping what the object's creator asked for, and what `also` asks for beside
   that. */
quoit_status quoit_region_place(quoit_region *region, uint32_t also);

/* A flag beside enum quoit_region_flags and QUOIT_ANY_OWNER: also attaches a damaged region, or one
   of another format. Its content is then QUOIT_CONTENT_UNKNOWN, and it can only be unlinked. */
enum { QUOIT_REGION_DAMAGED_TOO = 0x1000 };

/* Is there a Quoit object with that name, of any kind, even a damaged one? Reads only its first
   bytes, and maps nothing if a mapping could do harm. */
bool quoit_region_is_there(const char *name);
/* Is that object transient, by its own header? Maps nothing if a mapping could do harm. */
bool quoit_region_is_transient(const char *name);

quoit_status quoit_region_attach(const char *name, uint32_t flags, quoit_region **region_out);
/* The same for a descriptor: of a region without a name, or of a file with one. */
quoit_status quoit_region_attach_fd(int fd, uint32_t flags, quoit_region **region_out);
/* The same for the object that a region is in. NOT_FOUND: its name is gone. */
quoit_status quoit_region_attach_again(const quoit_region *region, uint32_t flags,
                                       quoit_region **region_out);
/* Returns a descriptor of a region without a name, to be passed on. It belongs to the region. The
   region's own descriptor carries its locks, and a process that got it would hold these locks after
   a crash of this one. UNSUPPORTED if the region has a name. */
quoit_status quoit_region_share(quoit_region *region, int *fd_out);

/* Removes the name if it leads to this region. PERMISSION if the region was opened read-only: then
   it cannot lock out other processes meanwhile. */
quoit_status quoit_region_unlink_self(quoit_region *region);

/* Returns the piece that a header in the region names, or NULL if it is not aligned as all pieces
   are, or not inside the region. */
uint8_t *quoit_region_piece(const quoit_region *region, uint64_t offset, uint64_t size_bytes);

/* Describes a QUOIT_CONTENT_ value, also an unknown one: "a queue". */
const char *quoit_region_what(uint32_t content);

/* Fail with DIFFERENT and both values, or with CORRUPT. noun: what the region holds, "queue" or
   "pool". what: which option differs, or what is wrong with the header. */
quoit_status quoit_region_differs(const quoit_region *region, const char *noun, const char *what,
                                  uint64_t there, uint64_t asked);
quoit_status quoit_region_damaged(const quoit_region *region, const char *noun, const char *what);

/* Fails with BUSY: other processes created and removed the name again and again, until the call's
   time was over. */
quoit_status quoit_region_fail_replaced(const char *name);
/* Called in a join with the status of its open, or of the create after it. true: another process
   has created the object in between, so that the join must try again. If the call's time is over,
   sets the status of quoit_region_fail_replaced. */
bool quoit_region_join_again(const char *name, quoit_status *status_inout);

/* Does its name still lead to it? True for a region that is not published yet: if the name is
   taken, publishing fails. */
bool quoit_region_is_named(const quoit_region *region);

/* CORRUPT if the object has lost its lock file. */
quoit_status quoit_region_check_locks(const quoit_region *region);

/* For errors: the arguments of "'%s:%s'". */
#define QUOIT_REGION_NAME(region) quoit_region_scheme(region), quoit_region_text(region)
const char *quoit_region_scheme(const quoit_region *region);
const char *quoit_region_text(const quoit_region *region);

#endif
