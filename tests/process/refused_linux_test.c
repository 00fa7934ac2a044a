/* SPDX-License-Identifier: MIT */
/* A seccomp filter makes some system calls of a process fail every time. Each library call returns
   a status, and the next process removes the remains. */
#include "test.h"

#include "sysv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, NO_FILTER = 78, SECONDS = 15 };

enum refusal { SHMCTL, FSTAT, CHMOD };
static const char *const refusal_names[] = {"shmctl", "fstat", "chmod"};

static bool install(struct sock_filter *filter, size_t count)
{
    struct sock_fprog program = {.len = (unsigned short)count, .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { NUMBER = offsetof(struct seccomp_data, nr) };
#define LOAD(where)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (where))
#define REFUSE              BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW               BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
/* The lower half of an argument. */
#define ARGUMENT(index) \
    ((uint32_t)offsetof(struct seccomp_data, args) + 8 * (index) + QUOIT_TEST_LOW_HALF)
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define QUOIT_TEST_LOW_HALF 4
#else
#define QUOIT_TEST_LOW_HALF 0
#endif

/* On i386, C libraries implement it by ipc, whose first argument selects the call. */
static bool refuse_shmctl(void)
{
#if defined(SYS_shmctl) && defined(SYS_ipc)
    enum { IPC_SHMCTL = 24 };
    struct sock_filter filter[] = {
        LOAD(NUMBER),      UNLESS(SYS_shmctl, 1), REFUSE, UNLESS(SYS_ipc, 3),
        LOAD(ARGUMENT(0)), UNLESS(IPC_SHMCTL, 1), REFUSE, ALLOW};
    return install(filter, sizeof filter / sizeof filter[0]);
#elif defined(SYS_shmctl)
    struct sock_filter filter[] = {LOAD(NUMBER), UNLESS(SYS_shmctl, 1), REFUSE, ALLOW};
    return install(filter, sizeof filter / sizeof filter[0]);
#else
    return false;
#endif
}

/* C libraries implement fstat by newfstatat and an empty path, too. */
static bool refuse_fstat(void)
{
#if defined(SYS_newfstatat) && defined(SYS_fstat)
    struct sock_filter filter[] = {
        LOAD(NUMBER),      UNLESS(SYS_fstat, 1),     REFUSE, UNLESS(SYS_newfstatat, 3),
        LOAD(ARGUMENT(3)), UNLESS(AT_EMPTY_PATH, 1), REFUSE, ALLOW};
    return install(filter, sizeof filter / sizeof filter[0]);
#else
    return false;
#endif
}

/* C libraries call fchmodat for chmod on systems without that call. */
static bool refuse_chmod(void)
{
#ifdef SYS_chmod
    struct sock_filter filter[] = {
        LOAD(NUMBER), UNLESS(SYS_chmod, 1), REFUSE, UNLESS(SYS_fchmodat, 1), REFUSE, ALLOW};
#else
    struct sock_filter filter[] = {LOAD(NUMBER), UNLESS(SYS_fchmodat, 1), REFUSE, ALLOW};
#endif
    return install(filter, sizeof filter / sizeof filter[0]);
}

static bool refuse(enum refusal refusal)
{
    return refusal == SHMCTL ? refuse_shmctl() : refusal == FSTAT ? refuse_fstat() : refuse_chmod();
}

static int refused_call(enum refusal refusal, const char *name, quoit_status (*call)(const char *))
{
    int status = -1;
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) {
        (void)alarm(SECONDS); /* which ends it */
        if (!refuse(refusal))
            _exit(NO_FILTER);
        _exit(call(name) == QUOIT_OK ? 1 : 0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        test_fail(__FILE__, __LINE__, "%s: ended by signal %d", test_context, WTERMSIG(status));
    return WEXITSTATUS(status);
}

static quoit_status unlink_it(const char *name)
{
    return quoit_unlink(name, 0);
}

static quoit_status create(const char *name)
{
    quoit_queue *queue;
    return quoit_queue_create(name, &options, BOTH, &queue);
}

static quoit_status open_it(const char *name)
{
    quoit_queue *queue;
    return quoit_queue_open(name, BOTH, &queue);
}

/* The next creator succeeds, and leaves nothing. */
static void check_next(const char *name)
{
    quoit_queue *queue;
    uint32_t key;
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    CHECK_LT(shmget((key_t)key, 0, 0), 0);
}

static void refused_for_ever(void)
{
    for (int refusal = SHMCTL; refusal <= FSTAT; refusal++)
        for (int i = 0; test_shared_schemes[i]; i++) {
            const char *name = test_name(test_shared_schemes[i]);
            quoit_queue *queue;
            (void)snprintf(test_context, sizeof test_context, "%s, %s refused", name,
                           refusal_names[refusal]);
            int code = refused_call((enum refusal)refusal, name, create);
            if (code == NO_FILTER) {
                printf("  %s left out: this system installs no such filter\n",
                       refusal_names[refusal]);
                break;
            }
            bool needs = refusal == FSTAT || i == 1; /* "sysv" */
            CHECK_EQUAL(code, needs ? 0 : 1);
            if (code == 1)
                CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
            check_next(name);
            CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
            quoit_queue_close(queue);
            CHECK_EQUAL(refused_call((enum refusal)refusal, name, open_it), needs ? 0 : 1);
            CHECK_EQUAL(refused_call((enum refusal)refusal, name, unlink_it), needs ? 0 : 1);
            if (needs)
                CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
            check_next(name);
        }
    test_context[0] = 0;
}

static quoit_status create_sem(const char *name)
{
    const struct quoit_sem_options none = {.value = 0};
    quoit_sem *sem;
    quoit_status status = quoit_sem_create(name, &none, 0, &sem);
    if (status == QUOIT_OK)
        quoit_sem_close(sem);
    return status;
}

/* A semaphore whose permissions cannot be set is removed. */
static void refused_semaphore(void)
{
    const char *name = test_name("posix");
    TEST_CONTEXT("%s, %s refused", name, refusal_names[CHMOD]);
    int code = refused_call(CHMOD, name, create_sem);
    if (code == NO_FILTER)
        test_skip("this system installs no such filter");
    quoit_status second = create_sem(name);
    (void)quoit_sem_unlink(name, 0);
    CHECK_EQ(code, 0);
    CHECK_STATUS_IS(second, ==, QUOIT_OK);
}

/* ---- Listing --------------------------------------------------------------------------------- */

/* Refuses to map files: if another process truncates a mapped file, its reader crashes. */
static bool refuse_mapped_files(void)
{
#if defined(SYS_mmap) && !defined(SYS_mmap2)
    enum { SHARED = 1 };
    struct sock_filter filter[] = {LOAD(NUMBER),
                                   UNLESS(SYS_mmap, 3),
                                   LOAD(ARGUMENT(3)),
                                   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SHARED, 0, 1),
                                   REFUSE,
                                   ALLOW};
    return install(filter, sizeof filter / sizeof filter[0]);
#else
    return false;
#endif
}

struct wanted {
    const char *name;
    bool found;
};

static bool find(void *context, const char *name)
{
    struct wanted *wanted = context;
    wanted->found = strcmp(name, wanted->name) == 0;
    return !wanted->found;
}

static void listed_without_a_mapping(void)
{
    const char *name = test_name("posix");
    quoit_queue *queue;
    int status = -1;
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &queue), QUOIT_OK);
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) {
        struct wanted wanted = {.name = name};
        (void)alarm(SECONDS);
        if (!refuse_mapped_files())
            _exit(NO_FILTER);
        _exit(quoit_list("posix", find, &wanted) == QUOIT_OK && wanted.found ? 0 : 1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_FILTER)
        printf("  left out: this system installs no such filter\n");
    else
        CHECK_EQ(WEXITSTATUS(status), 0);
}

/* ---- Descriptors that a child could inherit -------------------------------------------------- */

/* Refuses each call that makes a descriptor without close-on-exec. A program that another thread
   starts before a second call sets the flag would inherit such a descriptor. */
static bool refuse_inheritable(void)
{
#if defined(SYS_openat) && defined(SYS_pipe2) && defined(SYS_memfd_create)
    enum { MEMFD_CLOEXEC = 1 };
#define UNLESS_HAS(flag, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (flag), (skip), 0)
#define REFUSE_WITHOUT(call, index, flag) \
    LOAD(NUMBER), UNLESS(call, 3), LOAD(ARGUMENT(index)), UNLESS_HAS(flag, 1), REFUSE
    struct sock_filter filter[] = {REFUSE_WITHOUT(SYS_openat, 2, O_CLOEXEC),
                                   REFUSE_WITHOUT(SYS_pipe2, 1, O_CLOEXEC),
                                   REFUSE_WITHOUT(SYS_memfd_create, 1, MEMFD_CLOEXEC),
#ifdef SYS_open
                                   REFUSE_WITHOUT(SYS_open, 1, O_CLOEXEC),
#endif
#ifdef SYS_pipe
                                   LOAD(NUMBER),
                                   UNLESS(SYS_pipe, 1),
                                   REFUSE,
#endif
                                   LOAD(NUMBER),
                                   UNLESS(SYS_dup, 1),
                                   REFUSE,
                                   ALLOW};
    return install(filter, sizeof filter / sizeof filter[0]);
#else
    return false;
#endif
}

/* Every call that makes a descriptor. Returns the number of the first one that failed, or 0. */
static int make_descriptors(const char *name, bool has_readers)
{
    struct quoit_queue_options readable = options;
    quoit_queue *queue = NULL, *second = NULL;
    int fd, failed = 0;
    readable.permissions = has_readers ? 0644 : 0600;
    if (quoit_queue_create(name, &readable, BOTH, &queue) != QUOIT_OK)
        failed = 1;
    else if (quoit_queue_open(name, QUOIT_OBSERVER, &second) != QUOIT_OK)
        failed = 2;
    else if (quoit_queue_poll_fd(queue, QUOIT_ITEMS, &fd) != QUOIT_OK)
        failed = 3;
    quoit_queue_close(second);
    quoit_queue_close(queue);
    if (failed == 0 && quoit_unlink(name, 0) != QUOIT_OK)
        failed = 4;
    return failed;
}

static void close_on_exec_at_once(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++)
        for (int has_readers = 0; TEST_LOOP(has_readers < 2, 1, "has readers", has_readers);
             has_readers++) {
            const char *name = test_name(test_schemes[i]);
            int status = -1;
            (void)fflush(NULL);
            pid_t child = fork();
            CHECK_GE(child, 0);
            if (child == 0) {
                (void)alarm(SECONDS);
                _exit(refuse_inheritable() ? make_descriptors(name, has_readers != 0) : NO_FILTER);
            }
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK(WIFEXITED(status));
            if (WEXITSTATUS(status) == NO_FILTER) {
                printf("  left out: this system installs no such filter\n");
                return;
            }
            CHECK_EQ(WEXITSTATUS(status), 0); /* 1 create, 2 open, 3 poll_fd, 4 unlink */
        }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"refused_for_ever", refused_for_ever},
                                             {"listed_without_a_mapping", listed_without_a_mapping},
                                             {"close_on_exec_at_once", close_on_exec_at_once},
                                             {"refused_semaphore", refused_semaphore},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
