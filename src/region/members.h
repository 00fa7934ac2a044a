/* SPDX-License-Identifier: MIT */
/*
 * Who is attached. Each member has a row in shared memory, and a lock that the kernel drops when it
 * dies: the lock is the truth, the row says who it was. A role that one member has at a time is a
 * lock likewise, so that taking over from the dead is taking the lock.
 */
#ifndef QUOIT_REGION_MEMBERS_H
#define QUOIT_REGION_MEMBERS_H

#include "region.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quoit_member_shm {
    _Atomic uint32_t pid;               /*  0  member  in its own PID namespace */
    _Atomic uint32_t roles;             /*  4  member  enum quoit_role          */
    _Atomic uint64_t joined_at_unix_ns; /*  8  member                           */
    uint8_t reserved[48];               /* 16  0                                */
};
_Static_assert(offsetof(struct quoit_member_shm, roles) == 4, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, joined_at_unix_ns) == 8, "FORMAT.md 5");
_Static_assert(sizeof(struct quoit_member_shm) == 64, "FORMAT.md 5");

enum { QUOIT_MEMBER_ROWS = 64 };

struct quoit_members {
    const struct quoit_os_shm *shm;
    struct quoit_member_shm *rows;
    uint32_t count;
    uint32_t own_row;
    unsigned exclusive; /* roles that have one holder at a time */
};

/* Takes a row, and of the roles those that are exclusive. BUSY: a living member has one of them;
   LIMIT: no row left; CORRUPT: it has lost its lock file. On failure nothing stays taken. */
quoit_status quoit_members_join(struct quoit_members *members, unsigned roles,
                                const quoit_region *region);
void quoit_members_leave(struct quoit_members *members, unsigned roles);

/* Does a living member other than this handle have that role? */
bool quoit_members_has(const struct quoit_members *members, unsigned role);

/* Does a living member other than this handle have that row? members: a struct quoit_members. */
bool quoit_members_is_alive(const void *members, uint32_t row);

/* The PID of a living member with that role, this handle included; 0 if there is none. */
uint32_t quoit_members_holder(const struct quoit_members *members, unsigned role,
                              unsigned own_roles);

#endif
