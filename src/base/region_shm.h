/* SPDX-License-Identifier: MIT */
/* The region's header in shared memory, FORMAT.md 2: the first bytes of every Quoit object. */
#ifndef QUOIT_BASE_REGION_SHM_H
#define QUOIT_BASE_REGION_SHM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* In a little-endian machine's memory: "QUOIT", 0, 0x1a, 0x0a. */
#define QUOIT_REGION_MAGIC UINT64_C(0x0a1a0054494f5551)
/* The magic of a machine with the other byte order, as this one reads it. */
#define QUOIT_REGION_MAGIC_SWAPPED UINT64_C(0x51554f4954001a0a)

enum { QUOIT_FORMAT_VERSION = 6 };
enum {
    QUOIT_CONTENT_PLAIN = 0,
    QUOIT_CONTENT_QUEUE = 1,
    QUOIT_CONTENT_POOL = 2,
    QUOIT_CONTENT_LOCK = 3
};
enum { QUOIT_CONTENT_UNKNOWN = 255 }; /* in no header; stands for a damaged one */
enum { QUOIT_REGION_NAME_ROOM = 208 };

struct quoit_region_shm {
    _Atomic uint64_t magic;            /*   0  creator, last                                   */
    uint32_t format;                   /*   8  creator  QUOIT_FORMAT_VERSION                   */
    uint32_t content;                  /*  12  creator  a QUOIT_CONTENT_ value                 */
    uint64_t size_bytes;               /*  16  creator  of the whole region                    */
    uint64_t created_at_unix_ns;       /*  24  creator                                         */
    uint32_t created_by;               /*  32  creator  PID                                    */
    uint8_t lock_file;                 /*  36  creator  1: its locks are on a file beside it   */
    uint8_t transient;                 /*  37  creator  1: its name goes with its last member  */
    uint8_t memory;                    /*  38  creator  options.memory: QUOIT_PREFAULT, ...    */
    uint8_t reserved;                  /*  39  0                                               */
    uint64_t checksum;                 /*  40  creator  of bytes 8 to 39 and 48 to 255         */
    char name[QUOIT_REGION_NAME_ROOM]; /*  48  creator  text without the scheme; its end if long */
    _Atomic uint64_t used;             /* 256  users    bytes handed out, header included      */
    _Atomic uint64_t root;             /* 264  users    an offset, 0 before it is set          */
    uint64_t data_bytes;               /* 272  creator  of the user's data behind this header  */
    uint8_t pad[104];
};
_Static_assert(offsetof(struct quoit_region_shm, magic) == 0, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, format) == 8, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, content) == 12, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, size_bytes) == 16, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, created_at_unix_ns) == 24, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, created_by) == 32, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, lock_file) == 36, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, transient) == 37, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, memory) == 38, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, checksum) == 40, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, name) == 48, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, used) == 256, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, root) == 264, "FORMAT.md 2");
_Static_assert(offsetof(struct quoit_region_shm, data_bytes) == 272, "FORMAT.md 2");
_Static_assert(sizeof(struct quoit_region_shm) == 384, "FORMAT.md 2");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be lock-free to be shared");
_Static_assert(sizeof(_Atomic uint64_t) == 8, "64-bit atomics must be plain words to be shared");

#endif
