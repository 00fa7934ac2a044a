/* SPDX-License-Identifier: MIT */
/*
 * Locks as objects. Each handle is a member of the lock. It has an entry, and a kernel lock that
 * the kernel releases when the process ends. One word of shared memory, the state, names the member
 * that has the lock:
 *
 *     free --lock--> owned --unlock--> free
 *                      | close, or the entry's next member finds it
 *                      v
 *                  abandoned --lock--> owned
 *
 * Each step is one exchange of the word, so a crash leaves one of these states. A process that
 * finds the lock owned asks the kernel whether the owner is alive, and takes the lock over from one
 * that crashed. No state occurs twice, so an exchange succeeds only if the owner is still the one
 * that the kernel was asked about.
 */
#include <quoit.h>
#include <quoit/inspect.h>
#include <quoit/lock.h>

#include "lock_shm.h"

#include "fail.h"
#include "relax.h"

#include <stdlib.h>

enum { SPINS = 100 };
enum { SLEEPERS = 1 }; /* the number of this word among the object's words to sleep on */

/* If the holder crashes, no process wakes the sleepers. So a sleeper checks the lock by itself this
   often. */
static const int64_t slice_ns = 100000000;

struct quoit_lock {
    quoit_region *region;
    struct quoit_lock_view view;
    bool forked; /* this is a forked child's copy of the handle */
    struct quoit_os_fork_guard guard;
};

static bool is_observer(const quoit_lock *lock)
{
    return lock->region->shm.read_only;
}

/* INVALID for NULL, FORKED in a child that inherited the handle. */
static quoit_status check_handle(const quoit_lock *lock)
{
    if (!lock)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "lock is NULL; pass a handle from quoit_lock_create, open or join");
    if (lock->forked)
        return quoit_fail(
            QUOIT_ERROR_FORKED,
            "this lock handle belongs to the parent process; open the lock again in the child");
    return QUOIT_OK;
}

/* As check_handle; WRONG_ROLE for an observer. */
static quoit_status check_member(const quoit_lock *lock)
{
    quoit_status status = check_handle(lock);
    if (status == QUOIT_OK && is_observer(lock))
        return quoit_fail(QUOIT_ERROR_WRONG_ROLE,
                          "lock '%s:%s': this handle was opened with QUOIT_OBSERVER; open it "
                          "without that flag to lock or unlock",
                          QUOIT_REGION_NAME(lock->region));
    return status;
}

/* ---- The state ------------------------------------------------------------------------------- */

static uint64_t load_state(const quoit_lock *lock)
{
    /* Relaxed: LOCK-A1, an exchange from this state, orders what follows. */
    return atomic_load_explicit(&lock->view.shm->state, memory_order_relaxed);
}

static uint64_t owner_of(uint64_t state)
{
    return state & QUOIT_LOCK_OWNER;
}

static uint64_t own_number(const quoit_lock *lock)
{
    return (uint64_t)lock->view.members.own_entry + 1;
}

static bool is_possible(const quoit_lock *lock, uint64_t state)
{
    return owner_of(state) <= lock->view.members.count;
}

static quoit_status fail_corrupt(const quoit_lock *lock, uint64_t state)
{
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "lock '%s:%s': its state names member %llu as the holder, but there are only "
                      "%u member entries; remove it with 'quoit rm'",
                      QUOIT_REGION_NAME(lock->region), (unsigned long long)owner_of(state),
                      (unsigned)lock->view.members.count);
}

/* Does a possible state name a live owner? This handle counts as live. */
static bool is_owner_alive(const quoit_lock *lock, uint64_t state)
{
    return owner_of(state) == own_number(lock) ||
           quoit_members_is_alive(&lock->view.members, (uint32_t)(owner_of(state) - 1));
}

static quoit_status report_abandoned(const quoit_lock *lock)
{
    return quoit_fail(QUOIT_ABANDONED,
                      "lock '%s:%s': its last holder crashed, or closed its handle, without "
                      "unlocking; repair the data that the lock protects",
                      QUOIT_REGION_NAME(lock->region));
}

static bool take_from(quoit_lock *lock, uint64_t state)
{
    const uint64_t kept = QUOIT_LOCK_OWNER | QUOIT_LOCK_ABANDONED;
    uint64_t taken = ((state & ~kept) + QUOIT_LOCK_TURN) | own_number(lock);
    /* LOCK-A1: after this exchange, everything that the last holder wrote is visible. Pairs with
       LOCK-R1. */
    return atomic_compare_exchange_strong_explicit(&lock->view.shm->state, &state, taken,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* One try. TIMEOUT: another live member, or this handle itself, has the lock. Asks the kernel
   whether the owner is alive only if `asks`. */
static quoit_status try_lock(quoit_lock *lock, bool asks)
{
    for (;;) {
        uint64_t state = load_state(lock);
        if (!is_possible(lock, state))
            return fail_corrupt(lock, state);
        bool is_clean = owner_of(state) == 0 && !(state & QUOIT_LOCK_ABANDONED);
        if (owner_of(state) != 0 && (!asks || is_owner_alive(lock, state)))
            return QUOIT_TIMEOUT;
        if (take_from(lock, state))
            return is_clean ? QUOIT_OK : report_abandoned(lock);
    }
}

static void full_barrier(void)
{
    /* LOCK-F1: between the store to one word and the load of the other. Either a process that is
       about to sleep sees the lock free, or the one that frees it sees a sleeper. Pairs with
       LOCK-F1. */
    atomic_thread_fence(memory_order_seq_cst);
}

static void wake_sleepers(quoit_lock *lock)
{
    _Atomic uint32_t *sleepers = &lock->view.shm->sleepers;
    full_barrier();
    /* Relaxed: LOCK-F1 came before it. */
    uint32_t word = atomic_load_explicit(sleepers, memory_order_relaxed), seen = word;
    if (word % 2 == 0)
        return;
    /* WAIT-W2: the word changes before a sleeper is woken. Pairs with WAIT-S2. */
    if (atomic_compare_exchange_strong_explicit(sleepers, &seen, word + 1, memory_order_seq_cst,
                                                memory_order_relaxed))
        quoit_os_wake(&lock->region->shm, SLEEPERS, sleepers, word);
}

/* false: this handle does not have the lock. */
static bool give_up(quoit_lock *lock, uint64_t mark)
{
    uint64_t state = load_state(lock);
    while (owner_of(state) == own_number(lock)) {
        /* LOCK-R1: publishes what this holder wrote. Pairs with LOCK-A1. */
        if (atomic_compare_exchange_weak_explicit(&lock->view.shm->state, &state,
                                                  (state & ~QUOIT_LOCK_OWNER) | mark,
                                                  memory_order_release, memory_order_relaxed)) {
            wake_sleepers(lock);
            return true;
        }
    }
    return false;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static quoit_status spin(quoit_lock *lock)
{
    for (int i = 0; i < SPINS; i++) {
        quoit_status status = try_lock(lock, false);
        if (status != QUOIT_TIMEOUT)
            return status;
        quoit_relax();
    }
    return QUOIT_TIMEOUT;
}

static quoit_status sleep_or_lock(quoit_lock *lock, int64_t timeout_ns)
{
    _Atomic uint32_t *sleepers = &lock->view.shm->sleepers;
    /* WAIT-S2: stored before the system compares the word. Pairs with WAIT-W2. */
    uint32_t word = atomic_fetch_or_explicit(sleepers, 1, memory_order_seq_cst) | 1;
    full_barrier();
    quoit_status status = try_lock(lock, true);
    if (status != QUOIT_TIMEOUT)
        return status;
    quoit_os_sleep(&lock->region->shm, SLEEPERS, sleepers, word,
                   timeout_ns < slice_ns ? timeout_ns : slice_ns);
    quoit_os_cancel_point();
    status = check_handle(lock); /* a signal handler may have forked */
    return status == QUOIT_OK ? try_lock(lock, true) : status;
}

static quoit_status wait_for_lock(quoit_lock *lock, int64_t timeout_ns)
{
    uint64_t start = quoit_os_monotonic_ns();
    int64_t left = timeout_ns;
    quoit_os_cancel_point();
    quoit_status status = spin(lock);
    while (status == QUOIT_TIMEOUT && left > 0) {
        status = sleep_or_lock(lock, left);
        if (timeout_ns != QUOIT_FOREVER)
            left = timeout_ns - (int64_t)(quoit_os_monotonic_ns() - start);
    }
    return status;
}

/* ---- The public calls ------------------------------------------------------------------------ */

quoit_status quoit_lock_lock(quoit_lock *lock, int64_t timeout_ns)
{
    quoit_status status = check_member(lock);
    if (status == QUOIT_OK)
        status = try_lock(lock, timeout_ns <= 0);
    return status == QUOIT_TIMEOUT && timeout_ns > 0 ? wait_for_lock(lock, timeout_ns) : status;
}

quoit_status quoit_lock_unlock(quoit_lock *lock)
{
    quoit_status status = check_member(lock);
    if (status == QUOIT_OK && !give_up(lock, 0))
        return quoit_fail(QUOIT_ERROR_NOT_YOURS,
                          "lock '%s:%s': this handle does not hold it; lock it before unlocking",
                          QUOIT_REGION_NAME(lock->region));
    return status;
}

quoit_status quoit_lock_holder(const quoit_lock *lock, uint32_t *pid_out)
{
    if (!pid_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "pid_out is NULL; pass the address of a variable");
    *pid_out = 0;
    quoit_status status = check_handle(lock);
    if (status != QUOIT_OK)
        return status;
    uint64_t state = load_state(lock), owner = owner_of(state);
    if (!is_possible(lock, state))
        return fail_corrupt(lock, state);
    if (owner == 0)
        return state & QUOIT_LOCK_ABANDONED ? report_abandoned(lock) : QUOIT_OK;
    if (!is_owner_alive(lock, state))
        return report_abandoned(lock);
    *pid_out = quoit_members_pid(&lock->view.members, (uint32_t)(owner - 1));
    return QUOIT_OK;
}

quoit_status quoit_lock_members(const quoit_lock *lock, struct quoit_member_info *members_out,
                                uint64_t room, uint64_t *count_out)
{
    uint32_t entries[QUOIT_MEMBERS_MAX];
    quoit_status status = check_handle(lock);
    if (status != QUOIT_OK)
        return status;
    status = quoit_members_list(&lock->view.members, lock->region, members_out, entries, room,
                                count_out);
    if (status != QUOIT_OK)
        return status;
    uint64_t owner = owner_of(load_state(lock));
    for (uint64_t i = 0; i < *count_out && i < room && i < QUOIT_MEMBERS_MAX; i++)
        members_out[i].holds_up = (uint64_t)entries[i] + 1 == owner;
    return QUOIT_OK;
}

/* ---- Coming and going ------------------------------------------------------------------------ */

/* Called in a forked child: disables the handle, and releases the inherited memory and locks. */
static void drop_in_child(struct quoit_os_fork_guard *guard)
{
    quoit_lock *lock = (quoit_lock *)(void *)((char *)guard - offsetof(quoit_lock, guard));
    lock->forked = true;
    quoit_os_shm_abandon(&lock->region->shm);
}

/* Takes an entry. If the state names this entry as the owner, a member crashed in it with the
   lock. */
static quoit_status become_member(quoit_lock *lock)
{
    quoit_status status = quoit_members_join(&lock->view.members, 0, lock->region);
    if (status == QUOIT_OK)
        (void)give_up(lock, QUOIT_LOCK_ABANDONED);
    return status;
}

/* Makes a handle that owns a region and the lock in it. On failure the caller keeps both. */
static quoit_status enter(quoit_region *region, const struct quoit_lock_view *view,
                          quoit_lock **lock_out)
{
    quoit_lock *lock = calloc(1, sizeof *lock);
    if (!lock)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a lock handle");
    lock->region = region;
    lock->view = *view;
    quoit_status status = is_observer(lock) ? QUOIT_OK : become_member(lock);
    if (status != QUOIT_OK)
        goto free_lock;
    lock->guard.dropped = drop_in_child;
    status = quoit_os_fork_guard_add(&lock->guard);
    if (status != QUOIT_OK)
        goto leave;
    *lock_out = lock;
    return QUOIT_OK;

leave:
    if (!is_observer(lock))
        quoit_members_leave(&lock->view.members, 0);
free_lock:
    free(lock);
    return status;
}

static quoit_status check_call(uint32_t flags, unsigned known, quoit_lock **lock_out)
{
    if (!lock_out)
        return quoit_fail(QUOIT_ERROR_INVALID, "lock_out is NULL; pass the address of a variable");
    *lock_out = NULL;
    if (flags & QUOIT_TRANSIENT)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "QUOIT_TRANSIENT is for queues alone; remove a lock with quoit_unlink");
    if (flags & ~known)
        return quoit_fail(QUOIT_ERROR_INVALID, "flags 0x%x are not valid for this call; pass 0",
                          (unsigned)flags);
    return QUOIT_OK;
}

static const struct quoit_lock_options *or_default(const struct quoit_lock_options *options)
{
    static const struct quoit_lock_options all_zero = {0};
    return options ? options : &all_zero;
}

static quoit_status create_held(const char *name, const struct quoit_lock_options *options,
                                quoit_lock **lock_out)
{
    quoit_region *region;
    struct quoit_lock_view view;
    quoit_lock *lock;
    quoit_status status = quoit_lock_make(name, options, &region, &view);
    if (status != QUOIT_OK)
        return status;
    status = enter(region, &view, &lock);
    if (status != QUOIT_OK)
        goto close_region;
    status = quoit_region_publish(region);
    if (status != QUOIT_OK)
        goto free_lock;
    *lock_out = lock;
    return QUOIT_OK;

free_lock:
    quoit_os_fork_guard_remove(&lock->guard);
    free(lock);
close_region:
    quoit_region_close(region);
    return status;
}

quoit_status quoit_lock_create(const char *name, const struct quoit_lock_options *options,
                               uint32_t flags, quoit_lock **lock_out)
{
    quoit_status status = check_call(flags, QUOIT_ANY_OWNER, lock_out);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* until the handle's guard is in its place */
    status = create_held(name, or_default(options), lock_out);
    quoit_os_fork_release();
    return status;
}

static quoit_status open_held(const char *name, uint32_t flags, quoit_lock **lock_out)
{
    quoit_region *region;
    struct quoit_lock_view view;
    quoit_status status = quoit_region_attach(name, flags, &region);
    if (status != QUOIT_OK)
        return status;
    status = quoit_lock_find(region, &view);
    if (status == QUOIT_OK)
        status = enter(region, &view, lock_out);
    if (status != QUOIT_OK)
        quoit_region_close(region);
    return status;
}

quoit_status quoit_lock_open(const char *name, uint32_t flags, quoit_lock **lock_out)
{
    quoit_status status = check_call(flags, QUOIT_OBSERVER | QUOIT_ANY_OWNER, lock_out);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* until the handle's guard is in its place */
    status = open_held(name, flags, lock_out);
    quoit_os_fork_release();
    return status;
}

quoit_status quoit_lock_join(const char *name, const struct quoit_lock_options *options,
                             uint32_t flags, quoit_lock **lock_out)
{
    quoit_status status = check_call(flags, QUOIT_ANY_OWNER, lock_out);
    if (status == QUOIT_OK)
        status = quoit_lock_check_options(or_default(options));
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* so that all tries share one time limit */
    do {
        status = open_held(name, flags, lock_out);
        if (status == QUOIT_ERROR_NOT_FOUND)
            status = create_held(name, or_default(options), lock_out);
    } while (quoit_region_join_again(name, &status));
    quoit_os_fork_release();
    return status;
}

void quoit_lock_close(quoit_lock *lock)
{
    if (!lock)
        return;
    quoit_os_fork_hold(); /* else a child could inherit memory that no guard releases */
    quoit_os_fork_guard_remove(&lock->guard);
    if (!lock->forked && !is_observer(lock)) {
        (void)give_up(lock, QUOIT_LOCK_ABANDONED);
        quoit_members_leave(&lock->view.members, 0);
    }
    quoit_region_close(lock->region);
    free(lock); /* held: a handler that forks needs the allocator's lock */
    quoit_os_fork_release();
}
