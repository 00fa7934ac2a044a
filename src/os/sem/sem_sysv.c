/* SPDX-License-Identifier: MIT */
/*
 * "sysv:products", "sysv:0x51a7": a System V semaphore set. semget makes a set visible before it
 * has its value. So one semop sets all words at once, and only if none is set yet. No process sees
 * a partly filled set. If a creator crashes before the semop, the next creator completes the set.
 * The set has more words than the one counter: the others mark it as Quoit's and identify its name
 * (FORMAT.md 6).
 */
#include "os.h"
#include "owner.h"
#include "sem_timed.h"
#include "system_error.h"
#include "sysv.h"

#include "fail.h"
#include "hash.h"

#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>

enum {
    WORD_VALUE = 0,
    WORD_MAGIC = 1,
    WORD_NAME = 2, /* and the next: 30 bits of the name's hash */
    NAME_WORDS = 2,
    WORDS = 11, /* more than other programs use: part of the magic */
    MAGIC = 0x5155,
    MAGIC_UNDO = 0x5156,
    VALUE_MAX = 32767,
    BITS = 15,
};

static unsigned short name_word(const char *text, int index)
{
    uint64_t hash = quoit_hash(QUOIT_HASH_START, text, strlen(text));
    return (unsigned short)(hash >> (BITS * index) & ((1 << BITS) - 1));
}

static bool has_name(const unsigned short words[WORDS], const char *text)
{
    for (int i = 0; i < NAME_WORDS; i++)
        if (words[WORD_NAME + i] != name_word(text, i))
            return false;
    return true;
}

union semctl_argument {
    int value;
    struct semid_ds *set;
    unsigned short *words;
};

enum content { OURS, UNFINISHED, FOREIGN };

/* Reads the set of that id, and finds out whose it is. */
static quoit_status read_set(int id, const char *text, enum content *content_out,
                             struct semid_ds *set_out, unsigned short words_out[WORDS])
{
    if (semctl(id, 0, IPC_STAT, (union semctl_argument){.set = set_out}) != 0)
        return quoit_os_sysv_fail("inspect the System V semaphore", text);
    *content_out = FOREIGN;
    if (set_out->sem_nsems != WORDS)
        return QUOIT_OK;
    if (semctl(id, 0, GETALL, (union semctl_argument){.words = words_out}) != 0)
        return quoit_os_sysv_fail("read the System V semaphore", text);
    if (words_out[WORD_MAGIC] == MAGIC || words_out[WORD_MAGIC] == MAGIC_UNDO) {
        *content_out = OURS;
        return QUOIT_OK;
    }
    static const unsigned short zeros[WORDS] = {0};
    if (set_out->sem_otime == 0 && memcmp(words_out, zeros, sizeof zeros) == 0)
        *content_out = UNFINISHED;
    return QUOIT_OK;
}

/* Sets all words at once, if none is set yet. EAGAIN: another process has set them. */
static int fill(int id, const char *text, uint32_t value, bool undo)
{
    /* macOS takes at most five operations at once. */
    struct sembuf operations[5] = {{.sem_num = WORD_MAGIC, .sem_op = 0, .sem_flg = IPC_NOWAIT}};
    unsigned short words[WORDS] = {0};
    size_t count = 1;

    words[WORD_VALUE] = (unsigned short)value;
    words[WORD_MAGIC] = undo ? MAGIC_UNDO : MAGIC;
    for (int i = 0; i < NAME_WORDS; i++)
        words[WORD_NAME + i] = name_word(text, i);
    for (int i = 0; i < WORDS; i++)
        if (words[i])
            operations[count++] = (struct sembuf){.sem_num = (unsigned short)i,
                                                  .sem_op = (short)words[i]};
    return semop(id, operations, count) == 0 ? 0 : errno;
}

static quoit_status foreign(const char *text, uint32_t key)
{
    return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                      "semaphore 'sysv:%s': Quoit did not create the System V semaphores with its "
                      "key 0x%08x; use another name",
                      text, key);
}

static quoit_status collision(const char *text, uint32_t key)
{
    return quoit_fail(QUOIT_ERROR_NAME,
                      "semaphore 'sysv:%s': a semaphore of another name has the same key 0x%08x; "
                      "use another name",
                      text, key);
}

static quoit_status create(const char *text, uint32_t value, uint32_t permissions, bool undo,
                           struct quoit_os_sem *sem_out)
{
    uint32_t key;
    quoit_status status = quoit_os_sysv_key(text, &key);
    if (status != QUOIT_OK)
        return status;
    while (quoit_os_hold_left_ns() > 0) { /* others create and remove it meanwhile */
        int id = semget((key_t)key, WORDS, IPC_CREAT | (int)permissions);
        if (id < 0 && errno == EINVAL)
            return foreign(text, key); /* a set with fewer words */
        if (id < 0 && errno == ENOSPC)
            return quoit_fail(QUOIT_ERROR_LIMIT,
                              "semaphore 'sysv:%s': the system allows no more System V semaphores; "
                              "remove some with ipcrm, or raise " QUOIT_SEM_LIMITS,
                              text);
        if (id < 0)
            return quoit_os_fail(errno, "create the System V semaphore", text);

        enum content content = FOREIGN;
        struct semid_ds set = {0};
        unsigned short words[WORDS] = {0};
        status = read_set(id, text, &content, &set, words);
        if (status == QUOIT_ERROR_NOT_FOUND)
            continue; /* removed in between */
        if (status != QUOIT_OK)
            return status;
        if (content == FOREIGN)
            return foreign(text, key);
        if (content == OURS)
            return has_name(words, text) ? quoit_fail(QUOIT_ERROR_EXISTS,
                                                      "semaphore 'sysv:%s' exists already; open it "
                                                      "or join it, or use another name",
                                                      text)
                                         : collision(text, key);
        if (quoit_os_owner_of(set.sem_perm.uid, -1) != quoit_os_user_id())
            return quoit_fail(QUOIT_ERROR_OTHER_USER,
                              "semaphore 'sysv:%s': user %llu created it, but did not complete it; "
                              "use another name",
                              text, (unsigned long long)set.sem_perm.uid);
        int error = fill(id, text, value, undo);
        if (error == 0) {
            /* A creator that crashed before filling the set may have set other ones. */
            set.sem_perm.mode = (unsigned short)permissions;
            (void)semctl(id, 0, IPC_SET, (union semctl_argument){.set = &set});
            *sem_out = (struct quoit_os_sem){.id = id, .undo = undo};
            return QUOIT_OK;
        }
        if (error != EAGAIN && error != EIDRM && error != EINVAL)
            return quoit_os_fail(error, "initialize the System V semaphore", text);
    }
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "'sysv:%s': other processes keep creating and removing it; try again later",
                      text);
}

static quoit_status open_existing(const char *text, bool any_owner, struct quoit_os_sem *sem_out)
{
    uint32_t key;
    quoit_status status = quoit_os_sysv_key(text, &key);
    if (status != QUOIT_OK)
        return status;
    int id = semget((key_t)key, 0, 0);
    if (id < 0)
        return quoit_os_fail(errno, "open the System V semaphore", text);

    enum content content = FOREIGN;
    struct semid_ds set = {0};
    unsigned short words[WORDS] = {0};
    status = read_set(id, text, &content, &set, words);
    if (status != QUOIT_OK)
        return status;
    uint64_t owner = quoit_os_owner_of(set.sem_perm.uid, -1);
    if (!any_owner && owner != quoit_os_user_id())
        return quoit_os_fail_owner("semaphore ", "sysv", text, owner);
    if (content == FOREIGN)
        return foreign(text, key);
    if (content == UNFINISHED)
        return quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "semaphore 'sysv:%s': its creator has not completed it; try again later, or create it",
            text);
    if (!has_name(words, text))
        return collision(text, key);
    *sem_out = (struct quoit_os_sem){.id = id, .undo = words[WORD_MAGIC] == MAGIC_UNDO};
    return QUOIT_OK;
}

static quoit_status unlink_name(const char *text, bool any_owner)
{
    struct quoit_os_sem sem = {.id = -1};
    quoit_status status = open_existing(text, any_owner, &sem);
    if (status != QUOIT_OK)
        return status;
    if (semctl((int)sem.id, 0, IPC_RMID) != 0)
        return quoit_os_sysv_fail("remove the System V semaphore", text);
    return QUOIT_OK;
}

static void close_sem(struct quoit_os_sem *sem)
{
    (void)sem;
}

/*
 * Either the semaphore's value would exceed its maximum, or the number would by which the kernel
 * undoes this process's waits and posts when it ends. That number is at most 32767 in either
 * direction. A process that uses a semaphore as a lock stays far below; one that only posts, or
 * only waits, reaches it.
 */
static quoit_status out_of_range(const struct quoit_os_sem *sem, short by)
{
    if (!sem->undo || (by > 0 && semctl((int)sem->id, WORD_VALUE, GETVAL) == VALUE_MAX))
        return quoit_fail(
            QUOIT_ERROR_LIMIT,
            "the semaphore's value is %d, its maximum; wait on it before posting again", VALUE_MAX);
    return quoit_fail(QUOIT_ERROR_LIMIT,
                      "this process has %s the semaphore %d times more often than it has %s it, "
                      "the most that the system can give back after a crash; create the semaphore "
                      "without give_back if one process posts and another waits",
                      by > 0 ? "posted" : "waited for", VALUE_MAX,
                      by > 0 ? "waited for" : "posted");
}

static quoit_status removed(void)
{
    return quoit_fail(
        QUOIT_ERROR_REMOVED,
        "the System V semaphore was removed while it was open; create or open it again");
}

/* Adds by to the value. timeout_ns is not negative. BUSY: a signal interrupted the call. */
static quoit_status change(struct quoit_os_sem *sem, short by, int64_t timeout_ns)
{
    struct sembuf operation = {.sem_num = WORD_VALUE, .sem_op = by};
    if (timeout_ns == 0)
        operation.sem_flg |= IPC_NOWAIT;
    if (sem->undo)
        operation.sem_flg |= SEM_UNDO;
    bool is_timed = timeout_ns > 0 && timeout_ns != QUOIT_OS_FOREVER;
    int result = is_timed ? quoit_os_sem_timed_operation((int)sem->id, &operation, timeout_ns)
                          : semop((int)sem->id, &operation, 1);
    if (result == 0)
        return QUOIT_OK;
    switch (errno) {
    case EAGAIN:
        return QUOIT_TIMEOUT;
    case EIDRM:
    case EINVAL:
        return removed();
    case ERANGE:
        return out_of_range(sem, by);
    case ENOSPC:
        return quoit_fail(QUOIT_ERROR_LIMIT,
                          "the system has no more undo structures for System V semaphores; raise "
                          "its limits (" QUOIT_UNDO_LIMITS
                          "), or create the semaphore without give_back");
    default:
        return errno == EINTR ? QUOIT_ERROR_BUSY
                              : quoit_os_fail(errno, "use", "a System V semaphore");
    }
}

static quoit_status wait_sem(struct quoit_os_sem *sem, int64_t timeout_ns)
{
    uint64_t start = quoit_os_monotonic_ns();
    for (;;) {
        int64_t spent = timeout_ns > 0 ? (int64_t)(quoit_os_monotonic_ns() - start) : 0;
        int64_t left = spent < timeout_ns ? timeout_ns - spent : 0;
        bool in_parts = left > QUOIT_OS_SEM_LONGEST_NS;
        quoit_status status = change(sem, -1,
                                     timeout_ns == QUOIT_OS_FOREVER ? QUOIT_OS_FOREVER
                                     : in_parts                     ? QUOIT_OS_SEM_LONGEST_NS
                                                                    : left);
        if (status != QUOIT_ERROR_BUSY && !(status == QUOIT_TIMEOUT && in_parts))
            return status;
    }
}

static quoit_status post(struct quoit_os_sem *sem)
{
    return change(sem, 1, QUOIT_OS_FOREVER);
}

static quoit_status value_of(struct quoit_os_sem *sem, uint32_t *value_out)
{
    int value = semctl((int)sem->id, WORD_VALUE, GETVAL);
    if (value < 0)
        return errno == EINVAL || errno == EIDRM
                   ? removed()
                   : quoit_os_fail(errno, "read", "a System V semaphore");
    *value_out = (uint32_t)value;
    return QUOIT_OK;
}

const struct quoit_os_sem_ops quoit_os_sem_sysv = {
    .scheme = {.name = "sysv", .text_max = 200, .is_key = true},
    .value_max = VALUE_MAX,
    .gives_back = true,
    .create = create,
    .open = open_existing,
    .unlink = unlink_name,
    .close = close_sem,
    .wait = wait_sem,
    .post = post,
    .value = value_of,
};
