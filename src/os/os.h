/* SPDX-License-Identifier: MIT */
/*
 * The porting contract: all that Quoit asks of an operating system, on one page. CMake picks one
 * file per mechanism (shm_posix.c, sem_sysv.c, liveness_ofd.c, …); docs/PORTING.md says what each
 * must promise. Failures are returned as a status, with its sentence set (fail.h); nothing here
 * leaves errno to the caller.
 */
#ifndef QUOIT_OS_H
#define QUOIT_OS_H

#include <quoit/status.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- Names ----------------------------------------------------------------------------------- */

/* What may stand in a name of this scheme, "scheme:text". */
struct quoit_os_scheme {
    const char *name;
    uint32_t text_max; /* bytes */
    bool is_path;      /* slashes are allowed */
    bool is_key;       /* 0x… is a number, and two names may collide on one */
};

/* ---- Shared memory --------------------------------------------------------------------------- */

/* An owner that this process's user namespace does not map. */
#define QUOIT_OS_OWNER_UNMAPPED UINT64_MAX

/* A mapped object. Each one has an open file description (or the like) of its own, which carries
   its locks. */
struct quoit_os_shm {
    uint8_t *base;
    uint64_t size_bytes; /* as the system reports it */
    uint64_t owner;      /* user id, or QUOIT_OS_OWNER_UNMAPPED */
    intptr_t lock;       /* what quoit_os_lock_… act upon; -1: nothing, see locks_missing */
    intptr_t id;         /* the mechanism's own, as are all down to temporary */
    uint32_t key;
    uint32_t permissions;
    uint64_t identity;
    char *lock_path;     /* of a lock file that the header must name; NULL: of none */
    uint64_t lock_inode; /* with locks_hidden */
    char *temporary;
    bool unpublished; /* created, and not yet to be found by others */
    bool
        locks_missing; /* the object is there, its lock file is not: members cannot be told apart */
    bool has_holes;    /* parts of it have no memory: touching them takes it, or ends the process */
    bool locks_hidden; /* this process may not open the lock file: it may only read the object */
    bool read_only;
    bool any_owner; /* an object of another user is accepted */
};

/*
 * One way to name shared memory. create, publish, close is the order of creation: until publish the
 * object cannot be found by its name, or is held back from others, and a close or a death makes it
 * vanish (or leaves what the next create removes).
 */
struct quoit_os_shm_ops {
    struct quoit_os_scheme scheme;

    /* Zeroed, reserved, mapped memory of exactly size_bytes. EXISTS NO_SPACE PERMISSION … */
    quoit_status (*create)(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out);
    /* From here others can open it. EXISTS where the name was taken meanwhile. */
    quoit_status (*publish)(struct quoit_os_shm *shm, const char *text);
    /* NOT_FOUND, NOT_QUOIT (not memory at all), PERMISSION … The caller sets shm_out->any_owner,
   which is read first: without it, opening does not wait for another user's process (OTHER_USER).
   */
    quoit_status (*open)(const char *text, bool read_only, struct quoit_os_shm *shm_out);
    /* Opens the lock file of an object whose header names one. NOT_FOUND: the object has lost its
       name. OK with locks_missing: it has lost its lock file. NULL: such objects have none. */
    quoit_status (*open_locks)(struct quoit_os_shm *shm, const char *text);
    /* Does the name still lead to this object? */
    bool (*is_named)(const struct quoit_os_shm *shm, const char *text);
    /* Reads the first bytes without mapping the object, so that a change by another process
       meanwhile cannot do harm. NOT_FOUND, NOT_QUOIT (too few bytes, or not memory at all),
       PERMISSION … NULL: opening is as safe as that. */
    quoit_status (*peek)(const char *text, void *bytes, uint64_t count);
    /* Removes the name if it still leads to this object; NOT_FOUND if not. */
    quoit_status (*unlink)(struct quoit_os_shm *shm, const char *text);
    void (*close)(struct quoit_os_shm *shm);
};

/* The ways that this system offers, ended by NULL; the first is the native one. */
extern const struct quoit_os_shm_ops *const quoit_os_shm_schemes[];

/* Called with a name's text; false ends the listing. */
typedef bool quoit_os_visit(void *context, const char *text);

/* Calls visit for what may be an object of that scheme, and may be something else; directory is for
   "file" alone, NULL: what processes have mapped. OK NOT_FOUND PERMISSION; UNSUPPORTED: this system
   does not list such. */
quoit_status quoit_os_list(const char *scheme, const char *directory, quoit_os_visit *visit,
                           void *context);

/* ---- Locks that the kernel drops when their holder dies -------------------------------------- */

/* Numbered locks on a mapped object. Only a process that may write to it can hold them, or keep
   others from them. A handle holds them, not a process or a thread. */
enum { QUOIT_OS_LOCK_GATE = 0, QUOIT_OS_LOCK_FIRST = 1 }; /* the gate is src/os's own */

quoit_status quoit_os_lock_try(const struct quoit_os_shm *shm, uint32_t number); /* OK or BUSY */
void quoit_os_lock_release(const struct quoit_os_shm *shm, uint32_t number);
/* Does a living handle other than this one hold it? */
bool quoit_os_lock_is_held(const struct quoit_os_shm *shm, uint32_t number);
/* In a forked child: lets go of all that was inherited, so that a dead parent is seen to be dead.
   The memory reads as zeros from then on, and what is written to it goes nowhere. */
void quoit_os_shm_abandon(struct quoit_os_shm *shm);

/* ---- Sleeping until a shared word changes ---------------------------------------------------- */

/* Sleeps while *word is value, at most timeout_ns; may return early, and then nothing is wrong.
   number tells the words of one object apart, for systems that sleep on something else. */
void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns);
/* Ends the sleep of all who sleep on that word while it is value, which the caller has changed. */
void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value);

/*
 * A full memory barrier that one process imposes on others, so that they need none of their own.
 * join: this process takes part from now on; false: it cannot, and has to fence for itself.
 * impose: every process that takes part passes a full barrier before this returns; false: not here.
 */
bool quoit_os_barrier_join(void);
bool quoit_os_barrier_impose(void);

/* ---- A descriptor for event loops, and the thread behind it ---------------------------------- */

struct quoit_os_bell {
    int fd; /* readable while it rings */
    int ring_fd;
};
/* UNSUPPORTED where the system has no such descriptors. */
quoit_status quoit_os_bell_make(struct quoit_os_bell *bell_out);
void quoit_os_bell_ring(const struct quoit_os_bell *bell);
void quoit_os_bell_silence(const struct quoit_os_bell *bell);
void quoit_os_bell_close(const struct quoit_os_bell *bell);

struct quoit_os_thread {
    void (*run)(void *argument);
    void *argument;
    void *system;
};
/* A thread that takes no signals. */
quoit_status quoit_os_thread_start(struct quoit_os_thread *thread);
void quoit_os_thread_join(struct quoit_os_thread *thread);

/* ---- Named semaphores ------------------------------------------------------------------------ */

struct quoit_os_sem {
    void *pointer;
    intptr_t id;
    bool undo; /* a wait is undone when the process dies */
};

#define QUOIT_OS_FOREVER INT64_MAX /* QUOIT_FOREVER */

struct quoit_os_sem_ops {
    struct quoit_os_scheme scheme;
    uint32_t value_max;
    bool gives_back; /* the count that a crashed process has taken */

    /* Atomic: nobody sees the semaphore without its value. */
    quoit_status (*create)(const char *text, uint32_t value, uint32_t permissions, bool undo,
                           struct quoit_os_sem *sem_out);
    quoit_status (*open)(const char *text, bool any_owner, struct quoit_os_sem *sem_out);
    quoit_status (*unlink)(const char *text, bool any_owner);
    void (*close)(struct quoit_os_sem *sem);
    /* timeout_ns: 0 or less polls, QUOIT_OS_FOREVER has no end. OK TIMEOUT REMOVED. */
    quoit_status (*wait)(struct quoit_os_sem *sem, int64_t timeout_ns);
    quoit_status (*post)(struct quoit_os_sem *sem);
    quoit_status (*value)(struct quoit_os_sem *sem, uint32_t *value_out);
};

extern const struct quoit_os_sem_ops *const quoit_os_sem_schemes[];

/* ---- Processes and clocks -------------------------------------------------------------------- */

uint32_t quoit_os_process_id(void);
uint64_t quoit_os_user_id(void);
uint64_t quoit_os_monotonic_ns(void);
/* The same clock, or one like it, as of its last tick, a few milliseconds ago at most: never a
   system call, where the system can do that. Compared with itself alone. */
uint64_t quoit_os_coarse_ns(void);
uint64_t quoit_os_unix_time_ns(void);
/* Keeps this thread busy for about so many ns: no system call, no access to shared memory. */
void quoit_os_spin(uint32_t ns);

/* Calls dropped(guard) in a child made by fork, for each guard added and not removed. */
struct quoit_os_fork_guard {
    struct quoit_os_fork_guard *next, *previous;
    void (*dropped)(struct quoit_os_fork_guard *guard);
};
/*
 * Around each call that opens, makes or removes something. They nest; the outermost counts. Until
 * the release this thread is not cancelled, and takes only signals of its own faults, so that it
 * leaves nothing held. No other thread forks: a fork waits for the release. Otherwise a child would
 * inherit locks that no guard releases yet.
 */
void quoit_os_fork_hold(void);
void quoit_os_fork_release(void);
/* A cancelled thread ends here. Called where the thread holds nothing and has left nothing half
   done: as calls begin that create, open, remove or wait. Within a hold it does nothing. */
void quoit_os_cancel_point(void);
/* Returns how long the calls within one outermost hold may still wait for other processes, by the
   monotonic clock; 0: no longer. The time runs from the first call of this function. */
int64_t quoit_os_hold_left_ns(void);
extern int64_t quoit_os_hold_ns; /* that time: ten seconds; tests take less */
/*
 * Within a hold: sleeps for at most a millisecond. Meanwhile this thread takes its signals, and
 * forks are allowed; this handle must hold no lock of shm. BUSY: the hold's time is over; `what`
 * names the object. FORKED: this is a child that a signal handler made meanwhile, and shm is
 * released.
 */
quoit_status quoit_os_pause(struct quoit_os_shm *shm, const char *what);
quoit_status quoit_os_fork_guard_add(struct quoit_os_fork_guard *guard);
void quoit_os_fork_guard_remove(struct quoit_os_fork_guard *guard);

#endif
