/* SPDX-License-Identifier: MIT */
/*
 * Each system call that creating, joining, opening, closing or unlinking a queue makes fails, one
 * after the other, in each of several ways. The process in which it fails returns a status, and
 * leaves open no descriptor of the failed call. The next process finds everything as it should be.
 */
#include "world.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static const struct quoit_queue_options options = {
    .kind = QUOIT_MPMC, .item_bytes = 24, .capacity = 5};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

enum deed { CREATE, JOIN_NEW, JOIN, ENTER, LEAVE, UNLINK, DEEDS };
static const char *const deed_names[] = {"create", "join a new one", "join",
                                         "enter",  "leave",          "unlink"};

struct life {
    enum deed deed;
    const char *name;
    quoit_status *status_out; /* shared with the victim */
    int *leaked_out;
};

/* Leaves out calls that release resources: they cannot fail on a real system, and a simulated
   failure would leave the resource in place. */
static bool may_fail(long number)
{
#ifdef SYS_unlink
    if (number == SYS_unlink)
        return false;
#endif
    return number != SYS_close && number != SYS_munmap && number != SYS_unlinkat &&
           number != SYS_shmdt && number != SYS_exit_group && number != SYS_rt_sigprocmask &&
           number != SYS_rt_sigpending && number != SYS_futex && number != SYS_brk;
}

static quoit_status do_deed(const struct life *life, quoit_queue **queue)
{
    switch (life->deed) {
    case CREATE:
        return quoit_queue_create(life->name, &options, BOTH, queue);
    case JOIN_NEW:
    case JOIN:
        return quoit_queue_join(life->name, &options, BOTH, queue);
    case ENTER:
        return quoit_queue_open(life->name, BOTH, queue);
    case LEAVE:
        quoit_queue_close(*queue);
        *queue = NULL;
        return QUOIT_OK;
    default:
        return quoit_unlink(life->name, 0);
    }
}

static void live(void *argument)
{
    const struct life *life = argument;
    quoit_queue *queue = NULL;
    int before = test_open_descriptors();
    if (life->deed == LEAVE)
        CHECK_STATUS(quoit_queue_open(life->name, BOTH, &queue), QUOIT_OK);
    stepper_begin();
    *life->status_out = do_deed(life, &queue);
    stepper_end();
    CHECK_EQ(*life->status_out == QUOIT_OK && life->deed <= ENTER, queue != NULL);
    quoit_queue_close(queue);
    *life->leaked_out = test_open_descriptors() - before;
}

static bool makes_new(enum deed deed)
{
    return deed == CREATE || deed == JOIN_NEW;
}

static void prepare(const struct life *life)
{
    quoit_queue *queue;
    if (makes_new(life->deed))
        return;
    CHECK_STATUS(quoit_queue_create(life->name, &options, BOTH, &queue), QUOIT_OK);
    quoit_queue_close(queue);
}

/* Checks that the queue exists, or can be created, and that nothing is left after it is
   unlinked. */
static void settle(const struct life *life)
{
    quoit_queue *queue;
    uint64_t item[3] = {1};
    CHECK_STATUS(quoit_queue_join(life->name, &options, BOTH, &queue), QUOIT_OK);
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(
            quoit_queue_push(queue, item, (size_t)quoit_queue_item_bytes(queue), QUOIT_NOW),
            QUOIT_OK);
    CHECK_STATUS(quoit_queue_push(queue, item, (size_t)quoit_queue_item_bytes(queue), QUOIT_NOW),
                 QUOIT_FULL);
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(life->name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_unlink(life->name, 0), QUOIT_ERROR_NOT_FOUND);
}

/* A short run tries a third of the errors at each call, and a third of the calls with each error.
   Each seed makes other pairs. A full run tries all pairs. */
static bool is_left_out(uint64_t call, uint64_t error)
{
    return !test_is_full() && (call + error + test_seed) % 3 != 0;
}

/* Returns false if there are fewer system calls than that. */
static bool fail_call(const struct life *life, uint64_t call, int error)
{
    (void)snprintf(test_context, sizeof test_context, "%s %s, call %llu fails: %d",
                   deed_names[life->deed], life->name, (unsigned long long)call, error);
    *life->leaked_out = -1;
    prepare(life);
    struct stepper victim = stepper_start(live, (void *)(uintptr_t)life);
    bool is_one = stepper_fail_call(&victim, call, error, may_fail);
    stepper_finish(&victim);
    CHECK_EQUAL((uint64_t)*life->leaked_out, 0);
    settle(life);
    return is_one;
}

static const int errors[] = {ENOENT, EACCES, ENOMEM, EMFILE, ENOSPC, EIO, EINTR, EEXIST, ENOSYS};
enum { ERRORS = sizeof errors / sizeof errors[0] };

static void try_scheme(const char *scheme, size_t count)
{
    struct {
        quoit_status status;
        int leaked;
    } *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0);
    CHECK_NE((void *)shared, MAP_FAILED);
    struct life life = {.status_out = &shared->status, .leaked_out = &shared->leaked};
    life.name = test_name(scheme);
    for (int i = 0; i < DEEDS; i++) {
        uint64_t points = 0, felt = 0;
        life.deed = (enum deed)i;
        for (size_t j = 0; j < count; j++)
            for (uint64_t call = 0;
                 (count == ERRORS && is_left_out(call, j)) || fail_call(&life, call, errors[j]);
                 call++) {
                if ((count == ERRORS && is_left_out(call, j)))
                    continue;
                points++;
                felt += shared->status != QUOIT_OK;
            }
        printf("  %-16s %llu failures, %llu of which it could not do without\n", deed_names[i],
               (unsigned long long)points, (unsigned long long)felt);
        CHECK_GT(points, 0);
        CHECK((felt > 0 || life.deed == LEAVE));
    }
    test_context[0] = 0;
}

static void posix(void)
{
    try_scheme("posix", ERRORS);
}

static void sysv(void)
{
    try_scheme("sysv", ERRORS);
}

static void file(void)
{
    try_scheme("file", ERRORS);
}

/* The name of the lock file depends on the IPC namespace, and reading that can fail. */
static void private_namespace(void)
{
    if (unshare(CLONE_NEWIPC) != 0) {
        (void)printf("  left out: this system gives no IPC namespace\n");
        return;
    }
    try_scheme("sysv", 2);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"steps can be taken", stepper_require},
                                             {"each system call fails in turn: posix", posix},
                                             {"each system call fails in turn: sysv", sysv},
                                             {"each system call fails in turn: file", file},
                                             {"in a private IPC namespace, too", private_namespace},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
