/* SPDX-License-Identifier: MIT */
/*
 * The porting contract: all that Quoit needs from an operating system, on one page. CMake picks one
 * file per mechanism (such as shm_posix.c, sem_sysv.c, liveness_ofd.c). docs/PORTING.md lists the
 * guarantees of each. Functions return a failure as a status, with its sentence set (fail.h), and
 * not in errno.
 */
#ifndef QUOIT_OS_H
#define QUOIT_OS_H

#include <quoit/status.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- Names ----------------------------------------------------------------------------------- */

/* The rules for a name of this scheme, "scheme:text". */
struct quoit_os_scheme {
    const char *name;
    uint32_t text_max; /* bytes */
    bool is_path;      /* slashes are allowed */
    bool is_key;       /* 0x and digits is a key; two names may collide on one key */
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
    intptr_t lock;       /* for the quoit_os_lock functions; -1: none, see locks_missing */
    intptr_t id;         /* private to the mechanism, like all members down to kind */
    uint32_t key;
    uint32_t permissions;
    uint64_t identity;
    char *lock_path;     /* of the lock file that the header must name; NULL: no lock file */
    uint64_t lock_inode; /* with locks_hidden */
    char *temporary;
    const struct quoit_os_locked_ops *kind; /* of an object beside a lock file */
    bool unpublished;                       /* created, but other processes cannot find it yet */
    bool
        locks_missing; /* the lock file is missing: the liveness of the members cannot be checked */
    bool has_holes;    /* parts have no memory: an access allocates it, or crashes the process */
    bool locks_hidden; /* this process may not open the lock file: it may only read the object */
    bool read_only;
    bool any_owner; /* an object of another user is accepted */
};

/*
 * One way to name shared memory. A creator calls create, publish and close, in this order. Until
 * publish, other processes either cannot find the object by its name, or wait at its gate. A close
 * or a crash before publish removes the object, or leaves remains that the next create removes.
 */
struct quoit_os_shm_ops {
    struct quoit_os_scheme scheme;

    /* Zeroed, reserved, mapped memory of exactly size_bytes. EXISTS, NO_SPACE and others. */
    quoit_status (*create)(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out);
    /* From here on other processes can open it. EXISTS if the name was taken meanwhile. */
    quoit_status (*publish)(struct quoit_os_shm *shm, const char *text);
    /* NOT_FOUND, NOT_QUOIT (not memory at all), PERMISSION and others. The caller sets
       shm_out->any_owner, which this reads first. Without it, opening does not wait for another
       user's process (OTHER_USER). */
    quoit_status (*open)(const char *text, bool read_only, struct quoit_os_shm *shm_out);
    /* Opens the lock file of an object whose header names one. NOT_FOUND: the object has lost its
       name. OK with locks_missing: it has lost its lock file. NULL: such objects have none. */
    quoit_status (*open_locks)(struct quoit_os_shm *shm, const char *text);
    /* Does the name still lead to this object? */
    bool (*is_named)(const struct quoit_os_shm *shm, const char *text);
    /* Reads the first bytes without mapping the object, so that a change by another process
       meanwhile cannot do harm. NOT_FOUND, NOT_QUOIT (too few bytes, or not memory at all),
       PERMISSION and others. NULL: opening is as safe as that. */
    quoit_status (*peek)(const char *text, void *bytes, uint64_t count);
    /* Removes the name if it still leads to this object; NOT_FOUND if not. */
    quoit_status (*unlink)(struct quoit_os_shm *shm, const char *text);
    /* Returns another descriptor of the memory, which has none of the handle's locks and is never
       0, to be closed by quoit_os_fd_end_share. NULL: such objects are found by their names. */
    quoit_status (*share)(const struct quoit_os_shm *shm, const char *text, int *fd_out);
    void (*close)(struct quoit_os_shm *shm);
};

/* For messages: "Linux". */
extern const char *const quoit_os_system;

/* The schemes of this system, ended by NULL; the first one is native. */
extern const struct quoit_os_shm_ops *const quoit_os_shm_schemes[];

/* Objects without a name. To open one, the text is a descriptor's number; to create one, it is for
   error messages. UNSUPPORTED if the system has none. */
extern const struct quoit_os_shm_ops quoit_os_shm_nameless;
void quoit_os_fd_end_share(int fd);
/* Sets path to that of an ordinary file's descriptor, and to "" for a file without a name. INVALID
   NOT_QUOIT UNSUPPORTED. */
quoit_status quoit_os_fd_find_path(int fd, char *path, uint64_t room);
bool quoit_os_fd_is_at(int fd, const char *path); /* does the path lead to the same file? */

/* Bits of options.memory, as <quoit.h> numbers them. */
enum { QUOIT_OS_PREFAULT = 1, QUOIT_OS_LOCK_MEMORY = 2, QUOIT_OS_HUGE_PAGES = 4 };
/* Touches, locks, or moves into huge pages what this process has mapped. May move the mapping.
   is_new: no other process has the object yet; without it, a lack of huge pages is no error. LIMIT
   NO_SPACE NO_MEMORY UNSUPPORTED. */
quoit_status quoit_os_place(struct quoit_os_shm *shm, uint32_t memory, bool is_new,
                            const char *scheme, const char *text);
uint64_t quoit_os_huge_page_bytes(void); /* 0: the system has none for shared memory */

/* Called with a name's text; false ends the listing. */
typedef bool quoit_os_visit(void *context, const char *text);

/* Calls visit for each possible object of that scheme; some may not be Quoit's. directory is for
   "file" alone; NULL lists the files that processes have mapped. OK NOT_FOUND PERMISSION;
   UNSUPPORTED: this system cannot list such objects. */
quoit_status quoit_os_list(const char *scheme, const char *directory, quoit_os_visit *visit,
                           void *context);

/* ---- Locks that the kernel drops when their holder ends -------------------------------------- */

/* Numbered locks on a mapped object. Only a process that may write to it can hold them, or keep
   others from them. A handle holds them, not a process or a thread. */
enum { QUOIT_OS_LOCK_GATE = 0, QUOIT_OS_LOCK_FIRST = 1 }; /* only src/os uses the gate */

quoit_status quoit_os_lock_try(const struct quoit_os_shm *shm, uint32_t number); /* OK or BUSY */
void quoit_os_lock_release(const struct quoit_os_shm *shm, uint32_t number);
/* Does another live handle hold it? */
bool quoit_os_lock_is_held(const struct quoit_os_shm *shm, uint32_t number);
/* The same for `count` locks from `first` on: takes all of them or none, releases all, and finds
   whether another live handle holds any of them. */
quoit_status quoit_os_locks_try(const struct quoit_os_shm *shm, uint32_t first, uint32_t count);
void quoit_os_locks_release(const struct quoit_os_shm *shm, uint32_t first, uint32_t count);
bool quoit_os_locks_are_held(const struct quoit_os_shm *shm, uint32_t first, uint32_t count);
/* In a forked child: releases all that was inherited, so that other processes see a crash of the
   parent. From then on the memory reads as zeros, and a write to it reaches no other process. */
void quoit_os_shm_abandon(struct quoit_os_shm *shm);

/* ---- Blocking until a shared word changes ---------------------------------------------------- */

/* Blocks while *word is value, for at most timeout_ns. It may return early without an error. number
   identifies the word within its object, for systems that wait on something else. */
void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns);
/* A word to block on, as the arguments of quoit_os_sleep. */
struct quoit_os_word {
    const struct quoit_os_shm *shm;
    const _Atomic uint32_t *word;
    uint32_t number;
    uint32_t value;
};
enum { QUOIT_OS_WORDS_MOST = 128 };
/* Blocks while each of the words has its value; count is at most QUOIT_OS_WORDS_MOST. It may return
   early, as quoit_os_sleep. */
void quoit_os_sleep_any(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns);
/* false: it polls the words, or some of them. */
bool quoit_os_can_sleep_any(void);

/* Called before the first quoit_os_sleep or quoit_os_wake on an object. */
void quoit_os_wake_begin(void);
/* Wakes all threads that block on that word with that value, which the caller has changed before.
   May be called in a signal handler, and keeps errno. */
void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value);

/*
 * A full memory barrier that one process imposes on others, so that they need none of their own.
 * join: this process takes part from now on; false: it cannot, and must use its own fences.
 * impose: every process that takes part passes a full barrier before this returns; false: this
 * system has no such call.
 */
bool quoit_os_barrier_join(void);
bool quoit_os_barrier_impose(void);

/* ---- Descriptors for event loops, and the threads behind them -------------------------------- */

struct quoit_os_notifier {
    int fd; /* readable from set until clear */
    int write_fd;
};
/* UNSUPPORTED if the system has no such descriptors. */
quoit_status quoit_os_notifier_make(struct quoit_os_notifier *notifier_out);
void quoit_os_notifier_set(const struct quoit_os_notifier *notifier);
void quoit_os_notifier_clear(const struct quoit_os_notifier *notifier);
void quoit_os_notifier_close(const struct quoit_os_notifier *notifier);

struct quoit_os_thread {
    void (*run)(void *argument);
    void *argument;
    void *system;
};
/* Starts a thread that takes no signals but those of its own faults. */
quoit_status quoit_os_thread_start(struct quoit_os_thread *thread);
void quoit_os_thread_join(struct quoit_os_thread *thread);
/* In a forked child, in place of join: the thread exists only in the parent. */
void quoit_os_thread_drop(struct quoit_os_thread *thread);

/* ---- Named semaphores ------------------------------------------------------------------------ */

struct quoit_os_sem {
    void *pointer;
    intptr_t id;
    bool undo; /* the kernel undoes waits and posts when the process ends */
};

#define QUOIT_OS_FOREVER INT64_MAX /* QUOIT_FOREVER */

struct quoit_os_sem_ops {
    struct quoit_os_scheme scheme;
    uint32_t value_max;
    bool gives_back; /* the system returns the count that a crashed process has taken */

    /* Atomic: no process sees the semaphore without its value. */
    quoit_status (*create)(const char *text, uint32_t value, uint32_t permissions, bool undo,
                           struct quoit_os_sem *sem_out);
    quoit_status (*open)(const char *text, bool any_owner, struct quoit_os_sem *sem_out);
    quoit_status (*unlink)(const char *text, bool any_owner);
    void (*close)(struct quoit_os_sem *sem);
    /* timeout_ns: 0 or less polls, QUOIT_OS_FOREVER waits without limit. OK TIMEOUT REMOVED. */
    quoit_status (*wait)(struct quoit_os_sem *sem, int64_t timeout_ns);
    quoit_status (*post)(struct quoit_os_sem *sem);
    quoit_status (*value)(struct quoit_os_sem *sem, uint32_t *value_out);
};

extern const struct quoit_os_sem_ops *const quoit_os_sem_schemes[];

/* ---- Processes and clocks -------------------------------------------------------------------- */

uint32_t quoit_os_process_id(void);
uint64_t quoit_os_user_id(void);
uint64_t quoit_os_monotonic_ns(void);
/* A monotonic clock as of its last tick, at most 16 ms ago (Windows; elsewhere a few milliseconds).
   Makes no system call if the system allows that. Its values are compared only with each other. */
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
 * Around each call that opens, makes or removes something. Holds nest; only the outermost has an
 * effect. Until the release this thread is not cancelled, and takes only signals of its own faults,
 * so that it leaves nothing held. No other thread forks: a fork waits for the release. Otherwise a
 * child would inherit locks that no guard releases yet.
 */
void quoit_os_fork_hold(void);
void quoit_os_fork_release(void);
/* A cancelled thread ends here. Called where the thread holds nothing and has no change unfinished:
   at the start of calls that create, open, remove or wait. Within a hold it does nothing. */
void quoit_os_cancel_point(void);
/* Returns how long the calls within one outermost hold may still wait for other processes, by the
   monotonic clock; 0: no longer. The time runs from the first call of this function. */
int64_t quoit_os_hold_left_ns(void);
extern int64_t quoit_os_hold_ns; /* that time: ten seconds; tests set less */
/*
 * Within a hold: sleeps for at most a millisecond. Meanwhile this thread takes its signals, and
 * forks are allowed; this handle must hold no lock of shm. BUSY: the hold's time is over; `what`
 * names the object. FORKED: this is a child that a signal handler made meanwhile, and shm is
 * released.
 */
quoit_status quoit_os_pause(struct quoit_os_shm *shm, const char *what);
/* One lock for the data that this process keeps beside its handles. It includes a hold. No thread
   forks while another one has it, so it is free in a forked child. */
quoit_status quoit_os_process_lock(void);
void quoit_os_process_unlock(void);
quoit_status quoit_os_fork_guard_add(struct quoit_os_fork_guard *guard);
void quoit_os_fork_guard_remove(struct quoit_os_fork_guard *guard);

#endif
