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

static void mark_replaced(struct quoit_member_shm *entry, bool is_replaced)
{
    unsigned roles = entry_roles(entry) & ~(unsigned)QUOIT_MEMBER_REPLACED;
    /* Relaxed: only the holder of the entry's lock writes it. */
    atomic_store_explicit(&entry->roles, roles | (is_replaced ? QUOIT_MEMBER_REPLACED : 0u),
                          memory_order_relaxed);
}

/* Takes an entry's lock. The entry may still name a crashed member, which must not be taken for the
   lock's holder. QUOIT_MEMBER_REPLACED marks that. Between the lock and the mark, another process
   may still take it for the holder. */
static quoit_status lock_entry(const struct quoit_members *members, uint32_t entry)
{
    quoit_status status = quoit_os_lock_try(members->shm, LOCK_ENTRIES + entry);
    if (status == QUOIT_OK)
        mark_replaced(&members->entries[entry], true);
    return status;
}

/* Keeps the entry's contents, which are the evidence of a crash. */
static void unlock_entry(const struct quoit_members *members, uint32_t entry)
{
    mark_replaced(&members->entries[entry], false);
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

/* Takes the first free entry. BUSY: none is free. PERMISSION: none is free, and another user has
   made the lock of one (on Windows, where each lock has a name of its own). */
static quoit_status try_entries(struct quoit_members *members)
{
    quoit_status result = QUOIT_ERROR_BUSY;
    for (uint32_t i = 0; i < members->count; i++) {
        quoit_status status = lock_entry(members, i);
        if (status == QUOIT_ERROR_PERMISSION)
            result = status;
        if (status == QUOIT_ERROR_PERMISSION || status == QUOIT_ERROR_BUSY)
            continue;
        members->own_entry = i;
        return status;
    }
    return result;
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
        return quoit_region_check_locks(region);
    quoit_os_wake_begin(); /* from here on this process may wake others, also in a signal handler */
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

/* ---- Removing an object that has no live member ---------------------------------------------- */

static void let_in(const struct quoit_members *members)
{
    for (uint32_t i = 0; i < members->count; i++)
        mark_replaced(&members->entries[i], false);
    quoit_os_locks_release(members->shm, LOCK_ENTRIES, members->count);
    quoit_os_lock_release(members->shm, LOCK_REMOVER);
}

static quoit_status not_abandoned(const quoit_region *region, const char *why)
{
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "'%s:%s': it is not abandoned: %s; quoit_unlink removes it all the same",
                      QUOIT_REGION_NAME(region), why);
}

/* Does an entry still name a member that did not leave properly? Called with all entries held. */
static bool has_crashed_members(const struct quoit_members *members)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (entry_pid(&members->entries[i]) != 0)
            return true;
    return false;
}

/* Takes all entries, if no live member has one. BUSY: one has; *by_remover_out: another process
   removes the object. */
static quoit_status take_all(const struct quoit_members *members, const quoit_region *region,
                             bool *by_remover_out)
{
    quoit_status status = quoit_os_lock_try(members->shm, LOCK_REMOVER);
    *by_remover_out = status == QUOIT_ERROR_BUSY;
    if (status != QUOIT_OK)
        return *by_remover_out ? not_abandoned(region, "another process is removing it") : status;
    status = quoit_os_locks_try(members->shm, LOCK_ENTRIES, members->count);
    for (uint32_t i = 0; status == QUOIT_OK && i < members->count; i++)
        mark_replaced(&members->entries[i], true);
    if (status != QUOIT_OK)
        quoit_os_lock_release(members->shm, LOCK_REMOVER);
    return status == QUOIT_ERROR_BUSY ? not_abandoned(region, "it has a live member") : status;
}

quoit_status quoit_members_block_joins(const struct quoit_members *members,
                                       const quoit_region *region)
{
    bool by_remover;
    quoit_status status = quoit_region_check_locks(region);
    if (status == QUOIT_OK)
        status = take_all(members, region, &by_remover);
    if (status == QUOIT_OK && !has_crashed_members(members)) {
        status = not_abandoned(region, "no member crashed in it");
        let_in(members);
    }
    return status;
}

void quoit_members_allow_joins(const struct quoit_members *members)
{
    let_in(members);
}

bool quoit_members_are_there(const struct quoit_members *members)
{
    return quoit_os_locks_are_held(members->shm, LOCK_ENTRIES, members->count);
}

/*
 * Of two members that leave at the same time, each may find the other's entry still held, or held
 * by the other one's removal. One of them must remove the name. So a process that has held the
 * remover's lock, and found an entry held, looks again after it has released that lock: a member
 * that left meanwhile, and found the remover's lock held, relies on that.
 */
quoit_status quoit_members_remove_transient(const struct quoit_members *members,
                                            quoit_region *region)
{
    quoit_status status = quoit_region_check_locks(region);
    bool by_remover = false;
    if (status != QUOIT_OK)
        return status;
    do {
        if (by_remover || quoit_members_are_there(members))
            return not_abandoned(region, "it has a live member");
        status = take_all(members, region, &by_remover);
    } while (status == QUOIT_ERROR_BUSY && quoit_os_hold_left_ns() > 0);
    if (status != QUOIT_OK)
        return status;
    status = quoit_region_unlink_self(region);
    let_in(members);
    return status == QUOIT_ERROR_REMOVED ? QUOIT_OK : status;
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
