/* SPDX-License-Identifier: MIT */
/* Another process holds the gate of a lock file, or replaces the file by the next one, whose gate
   it holds. A call does not wait at another user's gate. At gates of its own user it waits for one
   limited time in total. */
#include "test.h"

#include "os.h"
#include "shm/locked_object.h"
#include "sysv.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#ifdef QUOIT_TEST_OFD_LOCKS
enum { OFD_LOCKS = 1 };
#else
enum { OFD_LOCKS = 0 };
#endif
enum { OTHER_USER = 65534, PATH_ROOM = QUOIT_OS_LOCK_PATH_ROOM };
static const struct quoit_queue_options options = {
    .item_bytes = 8, .capacity = 5, .permissions = 0666};
static const unsigned any_owner = QUOIT_ANY_OWNER;

/* The lock file of an object with a "sysv:" name; in a build for plain POSIX also with a "posix:"
   one. */
static void lock_path_of(const char *name, uid_t owner, char path[PATH_ROOM])
{
    char sysv[QUOIT_OS_SYSV_LOCK_ROOM];
    uint64_t ipc_namespace;
    uint32_t key;
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    CHECK_STATUS(quoit_os_ipc_namespace(&ipc_namespace), QUOIT_OK);
    quoit_os_sysv_lock_name(key, ipc_namespace, sysv);
    if (strncmp(name, "posix:", 6) == 0)
        quoit_os_lock_path("posix", owner, test_path(name), path);
    else
        quoit_os_lock_path("sysv", owner, sysv, path);
}

static int lock_gate(int fd)
{
    struct flock gate = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    CHECK(fd >= 0 && fcntl(fd, F_SETLK, &gate) == 0);
    return fd;
}

static int make_held(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    CHECK(fd >= 0 && fchmod(fd, 0666) == 0);
    return lock_gate(fd);
}

/* Arguments: the lock file, the uid, a region whose word becomes 1 when the gate is held, and the
   time in ms between two swaps, 0 for none. */
static void hold_gate(char **arguments)
{
    const char *path = arguments[0];
    char next[PATH_ROOM + 8];
    quoit_region *region;
    volatile uint64_t *held = test_shared(arguments[2], sizeof *held, &region);
    uid_t user = (uid_t)atoi(arguments[1]);
    int every_ms = atoi(arguments[3]);
    CHECK(user == geteuid() || (setgid(OTHER_USER) == 0 && setuid(user) == 0));
    (void)snprintf(next, sizeof next, "%s.next", path);
    int fd = make_held(path);
    *held = 1;
    for (;;) {
        test_sleep_ms(every_ms > 0 ? every_ms : 1000);
        if (every_ms == 0)
            continue;
        int replaced = fd;
        fd = make_held(next);
        CHECK(rename(next, path) == 0);
        CHECK(close(replaced) == 0); /* its waiter finds it gone, and starts again */
    }
}

static quoit_region *word_region;
static volatile uint64_t *word;
static const char *word_name;

static test_process start_holder(const char *path, const char *user, const char *every_ms)
{
    const char *const arguments[] = {path, user, word_name, every_ms, NULL};
    *word = 0;
    test_process holder = test_spawn("hold_gate", arguments);
    while (*word == 0 && test_is_running(holder))
        test_idle();
    CHECK_EQ(*word, 1);
    return holder;
}

static void end_holder(test_process holder, const char *path)
{
    char next[PATH_ROOM + 8];
    test_kill(holder);
    CHECK_EQUAL(test_wait(holder), TEST_KILLED);
    (void)snprintf(next, sizeof next, "%s.next", path);
    (void)unlink(path);
    (void)unlink(next);
}

static void prepare(void)
{
    word_name = test_name("");
    word = test_share(word_name, sizeof *word, &word_region);
}

static void clear_up(void)
{
    quoit_region_close(word_region);
    CHECK_STATUS(quoit_unlink(word_name, 0), QUOIT_OK);
}

static double seconds_since(uint64_t start)
{
    return (double)(quoit_os_monotonic_ns() - start) * 1e-9;
}

static const char *const locked_schemes[] = {"sysv", "posix"};
static int locked_count(void)
{
    return test_plain_posix ? 2 : 1;
}

static void another_users_gate_is_not_waited_for(void)
{
    static const char *const every_ms[] = {"0", "50"};
    const double limit = 5; /* far below the ten seconds that a call waits at its own user's gate */
    if (geteuid() != 0)
        test_skip("only root can become another user");
    prepare();
    for (int i = 0; i < locked_count(); i++)
        for (int k = 0; k < 2; k++) {
            const char *name = test_name(locked_schemes[i]);
            char path[PATH_ROOM];
            quoit_queue *queue;
            lock_path_of(name, geteuid(), path);
            test_process holder = start_holder(path, "65534", every_ms[k]);
            uint64_t start = quoit_os_monotonic_ns();
            quoit_status created = quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue);
            quoit_status joined = quoit_queue_join(name, &options, QUOIT_PRODUCER, &queue);
            quoit_status opened = quoit_queue_open(name, QUOIT_PRODUCER | any_owner, &queue);
            quoit_status unlinked = quoit_unlink(name, 0);
            double seconds = seconds_since(start);
            end_holder(holder, path);
            CHECK_LT(seconds, limit);
            CHECK_STATUS_IS(created, ==, QUOIT_ERROR_OTHER_USER);
            CHECK_STATUS_IS(joined, ==, QUOIT_ERROR_OTHER_USER);
            CHECK_STATUS_IS(opened, ==, QUOIT_ERROR_NOT_FOUND);
            CHECK_STATUS_IS(unlinked, ==, QUOIT_ERROR_NOT_FOUND);
        }
    clear_up();
}

/* This user's queue has lost its lock file, and another user created one. */
static void another_users_file_beside_an_own_object(void)
{
    if (geteuid() != 0)
        test_skip("only root can become another user");
    prepare();
    for (int i = 0; i < locked_count(); i++) {
        const char *name = test_name(locked_schemes[i]);
        char path[PATH_ROOM];
        quoit_queue *queue, *second;
        lock_path_of(name, geteuid(), path);
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
        CHECK(unlink(path) == 0);
        test_process holder = start_holder(path, "65534", "50");
        uint64_t start = quoit_os_monotonic_ns();
        quoit_status opened = quoit_queue_open(name, QUOIT_CONSUMER | any_owner, &second);
        double seconds = seconds_since(start);
        end_holder(holder, path);
        CHECK_LT(seconds, 5);
        CHECK_STATUS_IS(opened, ==, QUOIT_ERROR_OTHER_USER);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
    clear_up();
}

/* ---- One time limit for all waits ------------------------------------------------------------ */

static void on_signal(int number)
{
    (void)number;
}

/* Signals arrive so often that each pause is interrupted: the limit counts time, not pauses. */
static void interrupt(bool begin)
{
    struct itimerval every = {.it_interval.tv_usec = begin ? 200 : 0,
                              .it_value.tv_usec = begin ? 200 : 0};
    struct sigaction action = {.sa_handler = on_signal};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
}

static void check_limit(double seconds)
{
    const double limit = (double)quoit_os_hold_ns * 1e-9;
    if (seconds < limit || seconds > limit + 4)
        test_fail(__FILE__, __LINE__, "waited %.3f s, the limit is %.3f s", seconds, limit);
}

static void one_limit_for_all_retries(void)
{
    const int64_t before_ns = quoit_os_hold_ns;
    char user[20];
    (void)snprintf(user, sizeof user, "%u", (unsigned)geteuid());
    prepare();
    quoit_os_hold_ns = 600000000;
    for (int i = 0; i < locked_count(); i++)
        for (int joins = 0; joins < 2; joins++) {
            const char *name = test_name(locked_schemes[i]);
            char path[PATH_ROOM];
            quoit_queue *queue;
            lock_path_of(name, geteuid(), path);
            test_process holder = start_holder(path, user, "150");
            interrupt(true);
            uint64_t start = quoit_os_monotonic_ns();
            quoit_status status = joins
                                      ? quoit_queue_join(name, &options, QUOIT_PRODUCER, &queue)
                                      : quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue);
            interrupt(false); /* an emulated handler may change floating-point registers */
            double seconds = seconds_since(start);
            end_holder(holder, path);
            CHECK_STATUS_IS(status, ==, QUOIT_ERROR_BUSY);
            check_limit(seconds);
        }
    quoit_os_hold_ns = before_ns;
    clear_up();
}

/* The gate of a queue itself, which unlink takes. Tests every scheme that has one. */
static void unlink_waits_as_long(void)
{
    static const char *const schemes[] = {"file", "posix"};
    const int64_t before_ns = quoit_os_hold_ns;
    quoit_os_hold_ns = 300000000;
    for (int i = 0; i < (test_plain_posix ? 1 : 2); i++) {
        const char *name = test_name(schemes[i]);
        char path[PATH_ROOM];
        quoit_queue *queue;
        int ends[2];
        char byte;
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
        (void)snprintf(path, sizeof path, "%s%s", i == 0 ? "" : "/dev/shm/", test_path(name));
        CHECK(pipe(ends) == 0);
        (void)fflush(NULL);
        pid_t holder = fork();
        if (holder == 0) {
            (void)lock_gate(open(path, O_RDWR | O_CLOEXEC));
            CHECK(write(ends[1], "", 1) == 1);
            for (;;)
                (void)pause();
        }
        CHECK(read(ends[0], &byte, 1) == 1);
        interrupt(true);
        uint64_t start = quoit_os_monotonic_ns();
        quoit_status status = quoit_queue_unlink(queue);
        interrupt(false); /* an emulated handler may change floating-point registers */
        double seconds = seconds_since(start);
        CHECK(kill(holder, SIGKILL) == 0);
        CHECK_EQUAL(test_wait((test_process){.id = holder}), TEST_KILLED);
        CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
        CHECK_STATUS_IS(status, ==, QUOIT_ERROR_BUSY);
        check_limit(seconds);
        CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
        quoit_queue_close(queue);
    }
    quoit_os_hold_ns = before_ns;
}

/* ---- Another user's queue, on purpose -------------------------------------------------------- */

/* Creates a queue as another user, holds its gate, and waits to be killed. */
static void own_and_hold(char **arguments)
{
    quoit_queue *queue;
    quoit_region *region;
    volatile uint64_t *held = test_shared(arguments[1], sizeof *held, &region);
    CHECK(setgid(OTHER_USER) == 0 && setuid(OTHER_USER) == 0);
    CHECK_STATUS(quoit_queue_create(arguments[0], &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    (void)lock_gate(open(arguments[2], O_RDWR | O_CLOEXEC));
    *held = 1;
    for (;;)
        test_sleep_ms(1000);
}

static void another_users_queue(void)
{
    const int64_t before_ns = quoit_os_hold_ns;
    if (geteuid() != 0)
        test_skip("only root can become another user");
    prepare();
    for (int i = 0; i < locked_count(); i++) {
        const char *name = test_name(locked_schemes[i]);
        char path[PATH_ROOM];
        quoit_queue *queue;
        lock_path_of(name, OTHER_USER, path);
        const char *const arguments[] = {name, word_name, path, NULL};
        *word = 0;
        test_process owner = test_spawn("own_and_hold", arguments);
        while (*word == 0 && test_is_running(owner))
            test_idle();
        uint64_t start = quoit_os_monotonic_ns();
        quoit_status refused = quoit_queue_open(name, QUOIT_CONSUMER, &queue);
        double refused_after = seconds_since(start);
        quoit_os_hold_ns = 300000000;
        start = quoit_os_monotonic_ns();
        quoit_status wanted = quoit_queue_open(name, QUOIT_CONSUMER | any_owner, &queue);
        double wanted_after = seconds_since(start);
        quoit_os_hold_ns = before_ns;
        test_kill(owner);
        CHECK_EQUAL(test_wait(owner), TEST_KILLED);
        CHECK_STATUS_IS(refused, ==, QUOIT_ERROR_OTHER_USER);
        CHECK_LT(refused_after, 5);
        CHECK_STATUS_IS(wanted, ==, QUOIT_ERROR_BUSY);
        CHECK_LT(wanted_after, 5);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER | any_owner, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
        quoit_queue_close(queue);
    }
    clear_up();
}

/* ---- A program that opens the file itself ---------------------------------------------------- */

/* Argument: the name of a queue whose only producer is alive. */
static void see_producer(char **arguments)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_PRODUCER, &queue), QUOIT_ERROR_ROLE_TAKEN);
}

/* Closing a file drops the locks that its process has on it, unless these belong to open file
   descriptions. */
static void program_closes_the_file(void)
{
    const char *name = test_name("file");
    const char *const arguments[] = {name, NULL};
    quoit_queue *queue;
    if (!OFD_LOCKS) {
        (void)printf("  left out: locks belong to processes in this build\n");
        return;
    }
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    int fd = open(test_path(name), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK_EQUAL(test_wait(test_spawn("see_producer", arguments)), 0);
    CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

/* ---- Lock files that outlive their objects --------------------------------------------------- */

/* Arguments: the name, and the step: "create" a queue, or fail to while another user's "exists",
   but "join" that one. */
static void as_other_user(char **arguments)
{
    const char *name = arguments[0];
    quoit_queue *queue;
    CHECK(setgid(OTHER_USER) == 0 && setuid(OTHER_USER) == 0);
    if (strcmp(arguments[1], "exists") == 0) {
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue),
                     QUOIT_ERROR_EXISTS);
        CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_CONSUMER | any_owner, &queue),
                     QUOIT_OK);
    } else {
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    }
    quoit_queue_close(queue);
}

static void step_as_other_user(const char *name, const char *step)
{
    const char *const arguments[] = {name, step, NULL};
    CHECK_EQUAL(test_wait(test_spawn("as_other_user", arguments)), 0);
}

/* Removes the object and not its lock file, as a restart of the system does where the lock files
   are in a directory that it keeps. */
static void lose_object(const char *name)
{
    uint32_t key;
    if (strncmp(name, "posix:", 6) == 0) {
        char text[256];
        (void)snprintf(text, sizeof text, "/%s", test_path(name));
        CHECK(shm_unlink(text) == 0);
        return;
    }
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    CHECK(shmctl(shmget((key_t)key, 0, 0), IPC_RMID, NULL) == 0);
}

/* A stale lock file of one user does not keep the name from another, whose queue both can use. */
static void stale_file_of_another_user(void)
{
    if (geteuid() != 0)
        test_skip("only root can become another user");
    if (!test_plain_posix) {
        (void)printf("  left out: a restart of this system removes the lock files as well\n");
        return;
    }
    for (int i = 0; i < locked_count(); i++) {
        const char *name = test_name(locked_schemes[i]);
        char stale[PATH_ROOM];
        quoit_queue *queue;
        lock_path_of(name, OTHER_USER, stale);
        step_as_other_user(name, "create");
        lose_object(name);
        CHECK(access(stale, F_OK) == 0);
        CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &queue), QUOIT_ERROR_NOT_FOUND);
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queue, "12345678", 8, QUOIT_NOW), QUOIT_OK);
        step_as_other_user(name, "exists");
        CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
        quoit_queue_close(queue);
        step_as_other_user(name,
                           "create"); /* it replaces its own stale file, if there still is one */
        CHECK_STATUS(quoit_unlink(name, any_owner), QUOIT_OK);
        CHECK(access(stale, F_OK) != 0);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"one_limit_for_all_retries", one_limit_for_all_retries},
        {"unlink_waits_as_long", unlink_waits_as_long},
        {"another_users_gate_is_not_waited_for", another_users_gate_is_not_waited_for},
        {"another_users_file_beside_an_own_object", another_users_file_beside_an_own_object},
        {"another_users_queue", another_users_queue},
        {"stale_file_of_another_user", stale_file_of_another_user},
        {"program_closes_the_file", program_closes_the_file},
        {NULL, NULL}};
    static const struct test_role roles[] = {{"see_producer", see_producer},
                                             {"hold_gate", hold_gate},
                                             {"own_and_hold", own_and_hold},
                                             {"as_other_user", as_other_user},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
