/* SPDX-License-Identifier: MIT */
/*
 * The members of an object. Each member has an entry in shared memory, and a lock that the kernel
 * releases when the member's process ends. The lock decides whether the member is alive; the entry
 * describes the member. A role that only one member has at a time is a lock, too: a successor takes
 * over from a crashed member by taking that lock.
 */
#ifndef QUOIT_REGION_MEMBERS_H
#define QUOIT_REGION_MEMBERS_H

#include <quoit/inspect.h>

#include "region_handle.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quoit_member_shm {
    _Atomic uint32_t pid;               /*  0  member  in its own PID namespace */
    _Atomic uint32_t roles;             /*  4  member  enum quoit_role          */
    _Atomic uint64_t joined_at_unix_ns; /*  8  member                           */
    /* Counters of all members that have had the entry, for people (struct quoit_queue_info). */
    _Atomic uint64_t full;       /* 16  member */
    _Atomic uint64_t empty;      /* 24  member */
    _Atomic uint64_t sleeps;     /* 32  member */
    _Atomic uint64_t wakes;      /* 40  member */
    _Atomic uint64_t repairs;    /* 48  member */
    _Atomic uint64_t high_water; /* 56  member */
};
_Static_assert(offsetof(struct quoit_member_shm, pid) == 0, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, roles) == 4, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, joined_at_unix_ns) == 8, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, full) == 16, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, empty) == 24, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, sleeps) == 32, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, wakes) == 40, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, repairs) == 48, "FORMAT.md 5");
_Static_assert(offsetof(struct quoit_member_shm, high_water) == 56, "FORMAT.md 5");
_Static_assert(sizeof(struct quoit_member_shm) == 64, "FORMAT.md 5");

/* How many entries an object has, unless a queue's options ask for another number; and how many
   members such options may ask for. */
enum { QUOIT_MEMBER_ENTRIES = 64, QUOIT_MOST_MEMBERS = 4096, QUOIT_PEER_ROLES = 2 };

/* Further bits of an entry's roles. REPAIRS: its member repairs, holds the locks of these roles,
   and is no peer. REPLACED: the holder of the entry's lock is not the member that the entry
   names. */
enum { QUOIT_MEMBER_REPAIRS = 8, QUOIT_MEMBER_REPLACED = 16 };

struct quoit_members {
    const struct quoit_os_shm *shm;
    struct quoit_member_shm *entries;
    uint32_t count;
    uint32_t own_entry; /* UINT32_MAX: this handle is no member */
    unsigned exclusive; /* roles that have one holder at a time */
    /* How many producers, and consumers, have ever joined; in the ring. NULL: not a queue. */
    _Atomic uint32_t *joined[QUOIT_PEER_ROLES];
    uint32_t known[QUOIT_PEER_ROLES]; /* from these counts, as this handle joined: peers.h */
};

/* Takes an entry, and the exclusive ones of these roles; roles may have QUOIT_MEMBER_REPAIRS.
   ROLE_TAKEN: a live member has one of them; LIMIT: no entry left; NOT_FOUND: the object's name was
   removed meanwhile; CORRUPT: the object has lost its lock file; FORKED: this is a child that a
   signal handler made during the wait. On failure nothing stays taken. Called within
   quoit_os_fork_hold. */
quoit_status quoit_members_join(struct quoit_members *members, unsigned roles,
                                quoit_region *region);
void quoit_members_leave(struct quoit_members *members, unsigned roles);

/* Takes all entries, so that no process can join. Requires that members crashed in the object and
   that none is alive. BUSY: one is alive, or none crashed. CORRUPT: the object has lost its lock
   file. On failure no entry stays taken. */
quoit_status quoit_members_block_joins(const struct quoit_members *members,
                                       const quoit_region *region);
void quoit_members_allow_joins(const struct quoit_members *members);

/* Does another live handle hold an entry, as a member or for a moment? */
bool quoit_members_are_there(const struct quoit_members *members);

/* Removes the name of a transient object that has no live member. Called by a process that is about
   to join it, and by each that has given an entry back: it may have been the last. OK: the name
   does not lead to the object any more. BUSY: it has a live member, which does the same when it
   leaves. Within quoit_os_fork_hold. */
quoit_status quoit_members_remove_transient(const struct quoit_members *members,
                                            quoit_region *region);

/* Increments a counter. Called only by the entry's holder; if two of its threads count at once, one
   count may be lost. */
static inline void quoit_member_count(_Atomic uint64_t *counter)
{
    /* Relaxed: a number for people. */
    uint64_t count = atomic_load_explicit(counter, memory_order_relaxed);
    /* Relaxed: a number for people; no other memory depends on it. */
    atomic_store_explicit(counter, count + 1, memory_order_relaxed);
}

static inline void quoit_member_note_high(struct quoit_member_shm *entry, uint64_t size)
{
    /* Relaxed: a number for people. */
    if (atomic_load_explicit(&entry->high_water, memory_order_relaxed) < size)
        /* Relaxed: a number for people; no other memory depends on it. */
        atomic_store_explicit(&entry->high_water, size, memory_order_relaxed);
}

/* The sums over all entries; high_water: the highest. */
struct quoit_member_counts {
    uint64_t full, empty, sleeps, wakes, repairs, high_water;
};
struct quoit_member_counts quoit_members_counts(const struct quoit_members *members);

/* Lists the live members, and the crashed ones whose entries no member has taken. Leaves out the
   fields that only a ring knows. entries_out gets the entry of each member written. Writes at most
   `room`, and at most QUOIT_MEMBERS_MAX, entries of members_out and of entries_out. */
quoit_status quoit_members_list(const struct quoit_members *members, const quoit_region *region,
                                struct quoit_member_info *members_out, uint32_t *entries_out,
                                uint64_t room, uint64_t *count_out);

/* Returns how many entries crashed members have left; clear_crashed clears them. */
uint64_t quoit_members_clear_crashed(const struct quoit_members *members);
uint64_t quoit_members_count_crashed(const struct quoit_members *members);

/* Does a live member other than this handle have that role, and not only to repair? */
bool quoit_members_has(const struct quoit_members *members, unsigned role);

/* Does a live member other than this handle have that entry? members: a struct quoit_members. */
bool quoit_members_is_alive(const void *members, uint32_t entry);

/* The PID that an entry names: of the member that has it, or that had it last. */
uint32_t quoit_members_pid(const struct quoit_members *members, uint32_t entry);

/* The PID of a live member with that role, this handle included; 0 if there is none. */
uint32_t quoit_members_holder(const struct quoit_members *members, unsigned role,
                              unsigned own_roles);

#endif
