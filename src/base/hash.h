/* SPDX-License-Identifier: MIT */
/* FNV-1a, 64 bits: the checksum of constant header fields, and System V keys from names. It is part
   of the shared format (FORMAT.md), so it never changes; it guards against accidents, not against
   attackers. */
#ifndef QUOIT_BASE_HASH_H
#define QUOIT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define QUOIT_HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t quoit_hash(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
