/* SPDX-License-Identifier: MIT */
/*
 * The kernel reports which processes are alive: neither a PID, which other processes reuse and
 * other namespaces number differently, nor a clock does.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const uint32_t kinds[] = {QUOIT_SPSC, QUOIT_MPMC};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static quoit_queue *create(const char *name, uint32_t kind, unsigned roles)
{
    const struct quoit_queue_options options = {.kind = kind, .item_bytes = 8, .capacity = 5};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, roles, &queue), QUOIT_OK);
    return queue;
}

static int exit_code_of(pid_t pid)
{
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : TEST_KILLED;
}

/* ---- Namespaces ------------------------------------------------------------------------------ */

/* Claims an item, or peeks at one, in its own PID namespace, where it is number 1, and stays. */
static void hold_elsewhere(const char *name, unsigned role, int ready)
{
    quoit_queue *queue;
    void *room;
    const void *seen;
    size_t count;
    if (quoit_queue_open(name, role, &queue) != QUOIT_OK)
        _exit(EXIT_FAILURE);
    quoit_status status = role == QUOIT_PRODUCER
                              ? quoit_queue_claim_many(queue, 1, &room, &count, QUOIT_NOW)
                              : quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW);
    if (status != QUOIT_OK || write(ready, "", 1) != 1)
        _exit(EXIT_FAILURE);
    for (;;)
        (void)pause();
}

/* The process that is number 1 there is killed together with any of its parents. */
static pid_t start_elsewhere(const char *name, unsigned role)
{
    int ready[2];
    char byte;
    CHECK_EQ(pipe(ready), 0);
    (void)fflush(NULL);
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
            _exit(TEST_SKIPPED);
        pid_t inner = fork();
        if (inner == 0)
            hold_elsewhere(name, role, ready[1]);
        (void)close(ready[1]);
        _exit(exit_code_of(inner) == TEST_KILLED ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    (void)close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        CHECK_EQUAL(exit_code_of(pid), TEST_SKIPPED);
        test_skip("PID namespaces cannot be made here");
    }
    (void)close(ready[0]);
    return pid;
}

static void kill_elsewhere(pid_t outer)
{
    char command[80];
    (void)snprintf(command, sizeof command, "/proc/%d/task/%d/children", (int)outer, (int)outer);
    FILE *file = fopen(command, "r");
    int inner = 0;
    CHECK(file);
    CHECK_EQ(fscanf(file, "%d", &inner), 1);
    (void)fclose(file);
    CHECK_EQ(kill(inner, SIGKILL), 0);
    CHECK_EQUAL(exit_code_of(outer), EXIT_SUCCESS);
}

static void in_another_pid_namespace(void)
{
    uint64_t item = 7;
    for (int i = 0; i < KINDS; i++) {
        const char *name = test_name("");
        bool many = kinds[i] == QUOIT_MPMC;
        quoit_queue *consumer = create(name, kinds[i], QUOIT_CONSUMER), *producer;
        pid_t outer = start_elsewhere(name, QUOIT_PRODUCER);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &producer),
                     many ? QUOIT_OK : QUOIT_ERROR_ROLE_TAKEN);
        if (many) { /* its claim comes first, and is respected */
            CHECK_STATUS(quoit_queue_push(producer, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
            CHECK_STATUS(quoit_queue_pop(consumer, &item, sizeof item, NULL, QUOIT_NOW),
                         QUOIT_EMPTY);
        }
        kill_elsewhere(outer);
        if (!many) {
            CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &producer), QUOIT_OK);
            CHECK_STATUS(quoit_queue_push(producer, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
        }
        CHECK_STATUS(quoit_queue_pop(consumer, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
        quoit_queue_close(producer);
        quoit_queue_close(consumer);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* ---- A PID that is reused -------------------------------------------------------------------- */

/* The next process gets that number, unless another one is faster. false: this system does not
   allow it. */
static bool choose_next_pid(pid_t pid)
{
    FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "w");
    if (!file)
        return false;
    bool written = fprintf(file, "%d", (int)pid - 1) > 0;
    return fclose(file) == 0 && written;
}

static pid_t fork_other_process(void)
{
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid == 0)
        for (;;)
            (void)pause();
    return pid;
}

static void reused_pid(void)
{
    const char *name = test_name("");
    quoit_queue *consumer = create(name, QUOIT_SPSC, QUOIT_CONSUMER), *producer;
    (void)fflush(NULL);
    pid_t member = fork(), other_process = 0;
    CHECK_GE(member, 0);
    if (member == 0)
        _exit(quoit_queue_open(name, QUOIT_PRODUCER, &producer) == QUOIT_OK ? 0 : 1);
    CHECK_EQUAL(exit_code_of(member), 0); /* and its entry still has its PID */
    for (int tries = 0; tries < 200 && other_process != member; tries++) {
        if (other_process > 0)
            CHECK(kill(other_process, SIGKILL) == 0 && exit_code_of(other_process) == TEST_KILLED);
        if (!choose_next_pid(member)) {
            quoit_queue_close(consumer);
            CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
            test_skip("PIDs cannot be chosen here");
        }
        other_process = fork_other_process();
    }
    if (other_process != member) {
        (void)kill(other_process, SIGKILL);
        test_skip("the number never came again");
    }
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(consumer, &info), QUOIT_OK);
    CHECK_EQUAL(info.producer_pid, 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &producer), QUOIT_OK);
    CHECK_EQ(kill(other_process, SIGKILL), 0);
    CHECK_EQ(exit_code_of(other_process), TEST_KILLED);
    quoit_queue_close(producer);
    quoit_queue_close(consumer);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* ---- Stopped processes, and signals ---------------------------------------------------------- */

/* Waits for an item for a second. The parent stops it for as long, and then pushes. */
static void everybody_suspended(void)
{
    for (int i = 0; i < KINDS; i++) {
        const char *name = test_name("");
        quoit_queue *queue = create(name, kinds[i], QUOIT_PRODUCER);
        uint64_t item = 1;
        (void)fflush(NULL);
        pid_t pid = fork();
        CHECK_GE(pid, 0);
        if (pid == 0) {
            quoit_queue *own;
            if (quoit_queue_open(name, QUOIT_CONSUMER, &own) != QUOIT_OK)
                _exit(1);
            _exit(quoit_queue_pop(own, &item, sizeof item, NULL, INT64_C(20000000000)) == QUOIT_OK
                      ? 0
                      : 2);
        }
        struct quoit_queue_info info = {.consumer_pid = 0};
        while (info.consumer_pid == 0)
            CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
        CHECK_EQ(kill(pid, SIGSTOP), 0);
        test_sleep_ms(300); /* longer than the time after which a wait checks */
        CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
        CHECK_EQUAL(info.consumer_pid, (uint64_t)pid); /* a stopped process is alive */
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
        CHECK_EQ(kill(pid, SIGCONT), 0);
        CHECK_EQUAL(exit_code_of(pid), 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

static volatile sig_atomic_t rings;

static void ring(int unused)
{
    (void)unused;
    rings++;
}

static int64_t now_ns(void)
{
    struct timespec now;
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* 0: no more. */
static void ring_often(int microseconds)
{
    const struct itimerval often = {.it_interval = {.tv_usec = microseconds},
                                    .it_value = {.tv_usec = microseconds}};
    struct sigaction action = {.sa_handler = ring};
    if (microseconds > 0)
        rings = 0;
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
}

/* A wait continues after a signal handler until its own end, and not longer. */
static void signals_during_a_wait(void)
{
    const int64_t timeout_ns = 60000000;
    for (int i = 0; i < KINDS; i++) {
        const char *name = test_name("");
        quoit_queue *queue = create(name, kinds[i], QUOIT_PRODUCER | QUOIT_CONSUMER);
        uint64_t item = 0;
        int64_t start = now_ns();
        ring_often(3000);
        CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, timeout_ns), QUOIT_EMPTY);
        CHECK_GE(now_ns() - start, timeout_ns);
        while (quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW) == QUOIT_OK)
            ;
        CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, timeout_ns), QUOIT_FULL);
        CHECK_GE(now_ns() - start, 2 * timeout_ns);
        ring_often(0);
        CHECK_GT(rings, 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* On a busy machine an interrupted process may run again only after a short wait has expired. The
   system then reports the timeout, also if each signal restarts the wait. So this wait is long. */
static void signals_during_a_semaphores_wait(void)
{
    const int64_t timeout_ns = 500000000;
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++) {
        const char *name = test_name(test_sem_schemes[i]);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &(struct quoit_sem_options){.value = 0}, 0, &sem),
                     QUOIT_OK);
        int64_t start = now_ns();
        ring_often(3000);
        CHECK_STATUS(quoit_sem_wait(sem, timeout_ns), QUOIT_TIMEOUT);
        ring_often(0);
        CHECK_GE(now_ns() - start, timeout_ns);
        CHECK_GT(rings, 0);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
    }
}

/* ---- Read locks ------------------------------------------------------------------------------ */

/* Joins, pushes nothing, and crashes. */
static void join_and_crash(const char *name)
{
    quoit_queue *queue;
    (void)fflush(NULL);
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid == 0) {
        if (quoit_queue_open(name, QUOIT_PRODUCER, &queue) != QUOIT_OK)
            _exit(EXIT_FAILURE);
        (void)kill(getpid(), SIGKILL);
    }
    CHECK_EQ(exit_code_of(pid), TEST_KILLED);
}

/* Members hold write locks. A process that may only read the object can hold read locks on the same
   bytes; a crashed member is not alive because of them. */
static void read_locks_are_no_members(void)
{
    if (test_plain_posix) {
        printf("  left out: these locks are on another file\n");
        return;
    }
    for (int i = 0; i < KINDS; i++) {
        struct flock all = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        const char *name = test_name("posix");
        char path[300];
        uint64_t item;
        quoit_queue *queue = create(name, kinds[i], QUOIT_CONSUMER);
        join_and_crash(name);
        (void)snprintf(path, sizeof path, "/dev/shm/%s", test_path(name));
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        CHECK_GE(fd, 0);
        all.l_start = 17; /* the entries after the consumer's, to the end */
        CHECK_EQ(fcntl(fd, F_OFD_SETLK, &all), 0);
        CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, INT64_C(20000000000)),
                     QUOIT_ABANDONED);
        CHECK_EQ(close(fd), 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"members in different PID namespaces", in_another_pid_namespace},
        {"all processes stopped and continued", everybody_suspended},
        {"signals during a wait", signals_during_a_wait},
        {"signals during a semaphore's wait", signals_during_a_semaphores_wait},
        {"a PID that comes again", reused_pid},
        {"read locks are no members", read_locks_are_no_members},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
