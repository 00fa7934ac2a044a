/* SPDX-License-Identifier: MIT */
/* Member entries and roles over kernel-held locks. */
#include "members.h"

#include "fail.h"
#include "peers.h"

#include <stdbool.h>

/* Lock numbers, FORMAT.md 5. */
enum { LOCK_ROLES = QUOIT_OS_LOCK_FIRST, LOCK_REMOVER = 3, LOCK_ENTRIES = 16 };

static const unsigned exclusive_roles[] = {QUOIT_PRODUCER, QUOIT_CONSUMER};
enum { ROLES = sizeof exclusive_roles / sizeof exclusive_roles[0] };

static uint32_t role_lock(unsigned role)
{
    return role == QUOIT_PRODUCER ? LOCK_ROLES : LOCK_ROLES + 1;
}

static unsigned entry_roles(const struct quoit_member_shm *entry)
{
    /* Relaxed: the locks decide. PEER-C1 orders the entry of a peer that has counted itself. */
    return atomic_load_explicit(&entry->roles, memory_order_relaxed);
}

/* Does the entry's member hold that role? */
static bool entry_has(const struct quoit_member_shm *entry, unsigned role)
{
    return (entry_roles(entry) & (role | QUOIT_MEMBER_REPLACED)) == role;
}

/* Is the entry's member a peer of that role? */
static bool entry_is_peer(const struct quoit_member_shm *entry, unsigned role)
{
    const unsigned not_a_peer = QUOIT_MEMBER_REPAIRS | QUOIT_MEMBER_REPLACED;
    return (entry_roles(entry) & (role | not_a_peer)) == role;
}

static uint32_t entry_pid(const struct quoit_member_shm *entry)
{
    /* Relaxed: a number for people; has_crashed_members reads it with the entries' locks held. */
    return atomic_load_explicit(&entry->pid, memory_order_relaxed);
}

uint32_t quoit_members_pid(const struct quoit_members *members, uint32_t entry)
{
    return entry_pid(&members->entries[entry]);
}

static void write_entry(struct quoit_member_shm *entry, uint32_t pid, unsigned roles, uint64_t at)
{
    /* Relaxed: only the holder of the entry's lock writes it; PEER-J1 orders it for peers. */
    atomic_store_explicit(&entry->pid, pid, memory_order_relaxed);
    /* Relaxed: only the holder of the entry's lock writes it; PEER-J1 orders it for peers. */
    atomic_store_explicit(&entry->roles, roles, memory_order_relaxed);
    /* Relaxed: only the holder of the entry's lock writes it; PEER-J1 orders it for peers. */
    atomic_store_explicit(&entry->joined_at_unix_ns, at, memory_order_relaxed);
}

bool quoit_members_is_alive(const void *members, uint32_t entry)
{
    const struct quoit_members *self = members;
    return quoit_os_lock_is_held(self->shm, LOCK_ENTRIES + entry);
}

/* Takes an entry's lock. The entry may still name a crashed member, which must not be taken for the
   lock's holder. QUOIT_MEMBER_REPLACED marks that. Between the lock and the mark, another process
   may still take it for the holder. */
static quoit_status lock_entry(const struct quoit_members *members, uint32_t entry)
{
    _Atomic uint32_t *roles = &members->entries[entry].roles;
    quoit_status status = quoit_os_lock_try(members->shm, LOCK_ENTRIES + entry);
    if (status == QUOIT_OK)
        /* Relaxed: only the holder of the entry's lock writes it. */
        atomic_store_explicit(roles, entry_roles(&members->entries[entry]) | QUOIT_MEMBER_REPLACED,
                              memory_order_relaxed);
    return status;
}

/* Keeps the entry's contents, which are the evidence of a crash. */
static void unlock_entry(const struct quoit_members *members, uint32_t entry)
{
    _Atomic uint32_t *roles = &members->entries[entry].roles;
    /* Relaxed: only the holder of the entry's lock writes it. */
    atomic_store_explicit(roles,
                          entry_roles(&members->entries[entry]) & ~(unsigned)QUOIT_MEMBER_REPLACED,
                          memory_order_relaxed);
    quoit_os_lock_release(members->shm, LOCK_ENTRIES + entry);
}

/* Checks the entries of exclusive roles too: a member that repairs holds the locks of these
   roles. */
bool quoit_members_has(const struct quoit_members *members, unsigned role)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (entry_is_peer(&members->entries[i], role) && quoit_members_is_alive(members, i) &&
            entry_is_peer(&members->entries[i],
                          role)) /* else another process has its lock by now */
            return true;
    return false;
}

uint32_t quoit_members_holder(const struct quoit_members *members, unsigned role,
                              unsigned own_roles)
{
    if (own_roles & role)
        return quoit_os_process_id();
    if (members->exclusive & role && !quoit_os_lock_is_held(members->shm, role_lock(role)))
        return 0;
    for (uint32_t i = 0; i < members->count; i++)
        if (entry_has(&members->entries[i], role) && quoit_members_is_alive(members, i))
            return entry_pid(&members->entries[i]);
    return 0; /* the holder of the role has not written its entry yet */
}

/* Takes the first free entry. BUSY: none is free. */
static quoit_status try_entries(struct quoit_members *members)
{
    for (uint32_t i = 0; i < members->count; i++) {
        quoit_status status = lock_entry(members, i);
        if (status == QUOIT_ERROR_BUSY)
            continue;
        members->own_entry = i;
        return status;
    }
    return QUOIT_ERROR_BUSY;
}

/* While a process removes an abandoned object, it holds all entries for a moment. A check after the
   removal decides: either the object has a free entry, or its name was removed. */
static quoit_status take_entry(struct quoit_members *members, quoit_region *region)
{
    const char *what = quoit_region_text(region);
    for (bool was_removed = true, is_removed = true; was_removed || is_removed;) {
        quoit_status status = try_entries(members);
        if (status != QUOIT_ERROR_BUSY)
            return status;
        was_removed = is_removed;
        is_removed = quoit_os_lock_is_held(members->shm, LOCK_REMOVER);
        status = is_removed ? quoit_os_pause(&region->shm, what) : QUOIT_OK;
        if (status != QUOIT_OK)
            return status;
    }
    return quoit_fail(
        QUOIT_ERROR_LIMIT,
        "'%s:%s': all its %u member entries are used by live members; close a handle first",
        quoit_region_scheme(region), what, (unsigned)members->count);
}

static quoit_status take_role(struct quoit_members *members, unsigned role, const char *what)
{
    quoit_status status = quoit_os_lock_try(members->shm, role_lock(role));
    if (status == QUOIT_ERROR_BUSY)
        return quoit_fail(QUOIT_ERROR_ROLE_TAKEN,
                          "queue '%s': it already has a live %s, process %u; stop that process "
                          "first, or use another queue",
                          what, role == QUOIT_PRODUCER ? "producer" : "consumer",
                          (unsigned)quoit_members_holder(members, role, 0));
    return status;
}

static void release_roles(struct quoit_members *members, unsigned roles)
{
    for (int i = 0; i < ROLES; i++)
        if (roles & exclusive_roles[i])
            quoit_os_lock_release(members->shm, role_lock(exclusive_roles[i]));
}

quoit_status quoit_members_join(struct quoit_members *members, unsigned roles, quoit_region *region)
{
    const char *what = quoit_region_text(region);
    if (region->shm.locks_missing)
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "'%s:%s': its lock file was removed, so live and crashed members cannot "
                          "be distinguished; remove it with 'quoit rm', and create it again",
                          quoit_region_scheme(region), what);
    quoit_status status = take_entry(members, region);
    if (status != QUOIT_OK)
        return status;
    unsigned taken = 0;
    for (int i = 0; status == QUOIT_OK && i < ROLES; i++) {
        unsigned role = exclusive_roles[i];
        if (!(roles & role & members->exclusive))
            continue;
        status = take_role(members, role, what);
        if (status == QUOIT_OK)
            taken |= role;
    }
    /* A process that removes the object checks for members first: either it finds this one, or it
       has removed the name already. */
    if (status == QUOIT_OK && !quoit_region_is_named(region))
        status = quoit_fail(QUOIT_ERROR_NOT_FOUND,
                            "'%s:%s': another process removed it during this call; create it again",
                            quoit_region_scheme(region), what);
    if (status == QUOIT_OK) {
        quoit_peers_begin(members, roles);
        write_entry(&members->entries[members->own_entry], quoit_os_process_id(), roles,
                    quoit_os_unix_time_ns());
        return QUOIT_OK;
    }
    release_roles(members, taken);
    unlock_entry(members, members->own_entry);
    return status;
}

void quoit_members_leave(struct quoit_members *members, unsigned roles)
{
    release_roles(members, roles & members->exclusive); /* free before the entry shows no peer */
    write_entry(&members->entries[members->own_entry], 0, 0, 0);
    quoit_os_lock_release(members->shm, LOCK_ENTRIES + members->own_entry);
}

/* ---- Removing an abandoned object ------------------------------------------------------------ */

static void let_in(const struct quoit_members *members, uint32_t entries)
{
    for (uint32_t i = 0; i < entries; i++)
        unlock_entry(members, i);
    quoit_os_lock_release(members->shm, LOCK_REMOVER);
}

static quoit_status not_abandoned(const quoit_region *region, const char *why)
{
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "'%s:%s': it is not abandoned: %s; quoit_unlink removes it all the same",
                      quoit_region_scheme(region), quoit_region_text(region), why);
}

/* Does an entry still name a member that did not leave properly? Called with all entries held. */
static bool has_crashed_members(const struct quoit_members *members)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (entry_pid(&members->entries[i]) != 0)
            return true;
    return false;
}

quoit_status quoit_members_block_joins(const struct quoit_members *members,
                                       const quoit_region *region)
{
    quoit_status status = quoit_region_check_locks(region);
    if (status == QUOIT_OK)
        status = quoit_os_lock_try(members->shm, LOCK_REMOVER);
    if (status != QUOIT_OK)
        return status == QUOIT_ERROR_BUSY ? not_abandoned(region, "another process is removing it")
                                          : status;
    uint32_t held = 0;
    while (status == QUOIT_OK && held < members->count) {
        status = lock_entry(members, held);
        held += status == QUOIT_OK;
    }
    if (status == QUOIT_ERROR_BUSY)
        status = not_abandoned(region, "it has a live member");
    if (status == QUOIT_OK && !has_crashed_members(members))
        status = not_abandoned(region, "no member crashed in it");
    if (status != QUOIT_OK)
        let_in(members, held);
    return status;
}

void quoit_members_allow_joins(const struct quoit_members *members)
{
    let_in(members, members->count);
}

/* ---- For people ------------------------------------------------------------------------------ */

static uint64_t load(const _Atomic uint64_t *counter)
{
    /* Relaxed: a number for people. */
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct quoit_member_counts quoit_members_counts(const struct quoit_members *members)
{
    struct quoit_member_counts counts = {0};
    for (uint32_t i = 0; i < members->count; i++) {
        const struct quoit_member_shm *entry = &members->entries[i];
        uint64_t high = load(&entry->high_water);
        counts.full += load(&entry->full);
        counts.empty += load(&entry->empty);
        counts.sleeps += load(&entry->sleeps);
        counts.wakes += load(&entry->wakes);
        counts.repairs += load(&entry->repairs);
        if (high > counts.high_water)
            counts.high_water = high;
    }
    return counts;
}

static bool is_there(const struct quoit_members *members, uint32_t entry)
{
    if (entry == members->own_entry)
        return true;
    return quoit_members_is_alive(members, entry) &&
           !(entry_roles(&members->entries[entry]) & QUOIT_MEMBER_REPLACED);
}

quoit_status quoit_members_list(const struct quoit_members *members, const quoit_region *region,
                                struct quoit_member_info *members_out, uint32_t *entries_out,
                                uint64_t room, uint64_t *count_out)
{
    if (!count_out || (!members_out && room > 0))
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "members_out or count_out is NULL; pass an array and the address of a count");
    uint64_t count = 0, most = room < QUOIT_MEMBERS_MAX ? room : QUOIT_MEMBERS_MAX;
    for (uint32_t i = 0; i < members->count; i++) {
        const struct quoit_member_shm *entry = &members->entries[i];
        uint32_t pid = entry_pid(entry);
        if (pid == 0)
            continue;
        if (count < most) {
            unsigned roles = entry_roles(entry);
            if (roles & QUOIT_MEMBER_REPAIRS)
                roles = 0; /* it neither pushes nor pops */
            members_out[count] = (struct quoit_member_info){
                .pid = pid,
                .roles = roles & (QUOIT_PRODUCER | QUOIT_CONSUMER),
                .joined_at_unix_ns = load(&entry->joined_at_unix_ns),
                .alive = is_there(members, i)};
            entries_out[count] = i;
        }
        count++;
    }
    *count_out = count;
    return quoit_region_check_locks(region);
}

uint64_t quoit_members_count_crashed(const struct quoit_members *members)
{
    uint64_t crashed = 0;
    for (uint32_t i = 0; i < members->count; i++)
        crashed += entry_pid(&members->entries[i]) != 0 && !is_there(members, i);
    return crashed;
}

uint64_t quoit_members_clear_crashed(const struct quoit_members *members)
{
    uint64_t cleared = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        if (i == members->own_entry || entry_pid(&members->entries[i]) == 0 ||
            lock_entry(members, i) != QUOIT_OK)
            continue;
        if (entry_pid(&members->entries[i]) != 0) {
            write_entry(&members->entries[i], 0, 0, 0);
            cleared++;
        }
        unlock_entry(members, i);
    }
    return cleared;
}
