/* SPDX-License-Identifier: MIT */
/*
 * A hostile user that may read an object but not write to it. It takes all locks that it can.
 * Members still join, leave, take over from crashed members, and remove the name. The hostile user
 * also sees which members are alive.
 */
#include "test.h"

#include "os.h"
#include "shm/locked_object.h"
#include "sysv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER_USER = 65534, LOCKED_MS = 300 };

struct meeting {
    _Atomic uint32_t ready;
};

static void become_other_user(void)
{
    CHECK(setgid(OTHER_USER) == 0 && setuid(OTHER_USER) == 0);
}

/* ---- The reader ------------------------------------------------------------------------------ */

static void lock(const char *path, long start, long count, bool wait)
{
    struct flock range = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = count};
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return;
    int result = fcntl(fd, wait ? F_SETLKW : F_SETLK, &range);
    CHECK(result == 0 || (errno == EAGAIN || errno == EACCES));
}

/* Every file that may carry the locks of an object of this user, in any build: at most three, then
   an empty path. */
static void find_files(const char *name, char paths[5][400])
{
    const char *text = test_path(name), *slash = strrchr(text, '/');
    uint32_t key;
    uint64_t ipc_namespace;
    char sysv[QUOIT_OS_SYSV_LOCK_ROOM];
    memset(paths, 0, 5 * sizeof *paths);
    if (strncmp(name, "sysv:", 5) == 0) {
        CHECK_STATUS(quoit_os_sysv_key(text, &key), QUOIT_OK);
        CHECK_STATUS(quoit_os_ipc_namespace(&ipc_namespace), QUOIT_OK);
        quoit_os_sysv_lock_name(key, ipc_namespace, sysv);
        quoit_os_lock_path("sysv", geteuid(), sysv, paths[0]);
    } else if (strncmp(name, "file:", 5) == 0) {
        int directory = slash ? (int)(slash + 1 - text) : 0;
        (void)snprintf(paths[0], sizeof *paths, "%s", text);
        (void)snprintf(paths[1], sizeof *paths, "%.*s.quoit-locks.%s", directory, text,
                       text + directory);
    } else {
        (void)snprintf(paths[0], sizeof *paths, "/dev/shm/%s", text);
        (void)snprintf(paths[1], sizeof *paths, "/dev/shm/.quoit-locks.%s", text);
        quoit_os_lock_path("posix", geteuid(), text, paths[2]);
    }
}

/* Arguments: the name, the meeting's, two numbers, and "try": the first byte to be locked, and how
   many (0: all); or "wait": two bytes. */
static void reader(char **arguments)
{
    char paths[5][400];
    quoit_region *region;
    struct meeting *meeting = test_shared(arguments[1], sizeof *meeting, &region);
    find_files(arguments[0], paths);
    become_other_user();
    bool wait = strcmp(arguments[4], "wait") == 0;
    atomic_store(&meeting->ready, wait);
    long one = atol(arguments[2]), other = atol(arguments[3]);
    for (int i = 0; paths[i][0]; i++)
        if (!wait) {
            lock(paths[i], one, other, false);
        } else {
            lock(paths[i], one, 1, true);
            lock(paths[i], other, 1, true);
        }
    atomic_store(&meeting->ready, 1);
    for (;;)
        test_sleep_ms(1000);
}

static test_process start_reader(const char *name, const char *meeting_name,
                                 struct meeting *meeting, const char *first, const char *count,
                                 const char *how)
{
    const char *const arguments[] = {name, meeting_name, first, count, how, NULL};
    atomic_store(&meeting->ready, 0);
    test_process process = test_spawn("reader", arguments);
    while (!atomic_load(&meeting->ready))
        test_idle();
    if (strcmp(how, "wait") == 0)
        test_sleep_ms(LOCKED_MS);
    return process;
}

static void end(test_process process)
{
    test_kill(process);
    (void)test_wait(process);
}

/* ---- Locks on each kind of byte -------------------------------------------------------------- */

static quoit_queue *make(const char *name, uint32_t kind, unsigned roles)
{
    const struct quoit_queue_options options = {
        .kind = kind, .item_bytes = 8, .capacity = 5, .permissions = 0644};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, roles, &queue), QUOIT_OK);
    return queue;
}

/* Members join, work and leave, and the name is removed, without a wait. */
static void use(const char *name, uint32_t kind)
{
    quoit_queue *producer, *consumer;
    uint64_t item = 7;
    (void)snprintf(test_context, sizeof test_context, "%s, kind %d", name, (int)kind);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &producer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &consumer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_push(producer, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(consumer, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
    quoit_queue_close(producer);
    quoit_queue_close(consumer);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    test_context[0] = '\0';
}

static void hold(const char *first, const char *count)
{
    static const uint32_t kinds[] = {QUOIT_SPSC, QUOIT_MPMC, QUOIT_BROADCAST};
    if (geteuid() != 0)
        test_skip("only root can become another user");
    for (int i = 0; test_shared_schemes[i]; i++)
        for (int k = 0; k < 3; k++) {
            const char *name = test_name(test_shared_schemes[i]), *meeting_name = test_name("");
            quoit_region *region;
            struct meeting *meeting = test_share(meeting_name, sizeof *meeting, &region);
            quoit_queue_close(make(name, kinds[k], QUOIT_PRODUCER));
            test_process process = start_reader(name, meeting_name, meeting, first, count, "try");
            use(name, kinds[k]);
            end(process);
            quoit_region_close(region);
            CHECK_STATUS(quoit_unlink(meeting_name, 0), QUOIT_OK);
        }
}

static void roles_held(void)
{
    hold("1", "2");
}

static void entries_held(void)
{
    hold("16", "64");
}

static void gate_held(void)
{
    hold("0", "1");
}

static void all_held(void)
{
    hold("0", "0");
}

/* ---- A crashed producer ---------------------------------------------------------------------- */

/* Does an observer that may only read see a producer, and is it alive or crashed? */
static void observe(char **arguments)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t count, alive = 0, producers = 0;
    quoit_queue *queue;
    become_other_user();
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER | QUOIT_ANY_OWNER, &queue),
                 QUOIT_OK);
    CHECK_STATUS(quoit_queue_members(queue, members, QUOIT_MEMBERS_MAX, &count), QUOIT_OK);
    for (uint64_t i = 0; i < count; i++)
        if (members[i].roles & QUOIT_PRODUCER) {
            producers++;
            alive += members[i].alive;
        }
    quoit_queue_close(queue);
    CHECK_EQUAL(producers, 1);
    CHECK_EQUAL(alive, strcmp(arguments[1], "alive") == 0);
}

static void check_seen(const char *name, const char *expected)
{
    const char *const arguments[] = {name, expected, NULL};
    if (strcmp(expected, "crashed") == 0 && test_plain_posix)
        return; /* there a member counts as alive if the system cannot be asked */
    CHECK_EQUAL(test_wait(test_spawn("observe", arguments)), 0);
}

/* Pushes an item, claims the next one, and stays. */
static void producer(char **arguments)
{
    quoit_region *region;
    struct meeting *meeting = test_shared(arguments[1], sizeof *meeting, &region);
    quoit_queue *queue;
    uint64_t item = 42;
    size_t count;
    void *room;
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_claim_many(queue, 1, &room, &count, QUOIT_NOW), QUOIT_OK);
    atomic_store(&meeting->ready, 1);
    for (;;)
        test_sleep_ms(1000);
}

static void take_over(const char *name, quoit_queue *consumer)
{
    const int64_t second = 1000000000;
    quoit_queue *successor;
    uint64_t item = 0;
    CHECK_STATUS(quoit_queue_pop(consumer, &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(item, 42);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &successor), QUOIT_OK);
    item = 43;
    CHECK_STATUS(quoit_queue_push(successor, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(consumer, &item, sizeof item, NULL, 5 * second), QUOIT_OK);
    CHECK_EQUAL(item, 43);
    quoit_queue_close(successor);
}

static void producer_crashes(void)
{
    static const uint32_t kinds[] = {QUOIT_SPSC, QUOIT_MPMC, QUOIT_BROADCAST};
    for (int i = 0; test_shared_schemes[i]; i++)
        for (int k = 0; k < 3; k++) {
            const char *name = test_name(test_shared_schemes[i]), *meeting_name = test_name("");
            const char *const arguments[] = {name, meeting_name, NULL};
            quoit_region *region;
            struct meeting *meeting = test_share(meeting_name, sizeof *meeting, &region);
            (void)snprintf(test_context, sizeof test_context, "%s, kind %d", name, k);
            quoit_queue *consumer = make(name, kinds[k], QUOIT_CONSUMER);
            test_process crashing = test_spawn("producer", arguments);
            while (!atomic_load(&meeting->ready))
                test_idle();
            check_seen(name, "alive");
            test_process process = start_reader(name, meeting_name, meeting, "1", "17",
                                                "wait"); /* its role, its entry */
            ;
            end(crashing);
            test_sleep_ms(20); /* the lock that the reader waited for is its own now */
            check_seen(name, "crashed");
            take_over(name, consumer);
            end(process);
            quoit_queue_close(consumer);
            quoit_region_close(region);
            CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
            CHECK_STATUS(quoit_unlink(meeting_name, 0), QUOIT_OK);
            test_context[0] = '\0';
        }
}

/* Root replaces a stale lock file of another user's crashed creator. If that user still locks it,
   root does not wait. */
static void lock_file_of_another(void)
{
    const struct quoit_region_options options = {.size_bytes = 100, .permissions = 0644};
    const char *name = test_name("file"), *meeting_name = test_name("");
    char paths[5][400];
    quoit_region *region, *meeting_region;
    struct meeting *meeting = test_share(meeting_name, sizeof *meeting, &meeting_region);
    if (geteuid() != 0)
        test_skip("only root can become another user");
    find_files(name, paths);
    test_write_file(paths[1], "", 0);
    CHECK(chown(paths[1], OTHER_USER, OTHER_USER) == 0);
    test_process process = start_reader(name, meeting_name, meeting, "0", "1", "try");
    uint64_t start = quoit_os_monotonic_ns();
    quoit_status held = quoit_region_create(name, &options, 0, &region);
    uint64_t waited = quoit_os_monotonic_ns() - start;
    end(process);
    CHECK_STATUS_IS(held, ==, QUOIT_ERROR_OTHER_USER);
    CHECK_LT(waited, UINT64_C(5000000000));
    CHECK_STATUS(quoit_region_create(name, &options, 0, &region), QUOIT_OK);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    quoit_region_close(meeting_region);
    CHECK_STATUS(quoit_unlink(meeting_name, 0), QUOIT_OK);
}

/* ---- One handle with two roles --------------------------------------------------------------- */

/* An observer that may only read sees this process hold both roles. */
static void observe_roles(char **arguments)
{
    struct quoit_queue_info info;
    uint32_t pid = (uint32_t)strtoul(arguments[1], NULL, 10);
    quoit_queue *queue;
    become_other_user();
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER | QUOIT_ANY_OWNER, &queue),
                 QUOIT_OK);
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_EQ(info.producer_pid, pid);
    CHECK_EQ(info.consumer_pid, pid);
}

/* Its role locks are on neighbouring bytes, which the kernel lists as one lock. */
static void both_roles(void)
{
    char pid[20];
    (void)snprintf(pid, sizeof pid, "%lu", (unsigned long)getpid());
    if (geteuid() != 0)
        test_skip("only root can become another user");
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++) {
        const char *name = test_name(test_shared_schemes[i]);
        const char *const arguments[] = {name, pid, NULL};
        quoit_queue *queue = make(name, QUOIT_SPSC, QUOIT_PRODUCER | QUOIT_CONSUMER);
        CHECK_EQUAL(test_wait(test_spawn("observe_roles", arguments)), 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* ---- Permissions with readers ---------------------------------------------------------------- */

/* One name for each object, two if some users may only read; none is left. */
static void lock_files(void)
{
    static const struct {
        unsigned permissions, lock_permissions; /* 0: no second file */
    } cases[] = {{0600, 0},    {0660, 0},    {0666, 0},    {0644, 0600},
                 {0640, 0600}, {0664, 0660}, {0646, 0606}, {0444, 0600}};
    for (int i = 0; i < 8; i++) {
        const char *name = test_name("file");
        const struct quoit_region_options options = {.size_bytes = 100,
                                                     .permissions = cases[i].permissions};
        char paths[5][400];
        struct stat file;
        quoit_region *region;
        find_files(name, paths);
        CHECK_STATUS(quoit_region_create(name, &options, 0, &region), QUOIT_OK);
        CHECK(stat(paths[0], &file) == 0);
        CHECK_EQUAL(file.st_mode & 0777, cases[i].permissions);
        CHECK_EQUAL(stat(paths[1], &file) == 0, cases[i].lock_permissions != 0);
        if (cases[i].lock_permissions)
            CHECK_EQUAL(file.st_mode & 0777, cases[i].lock_permissions);
        quoit_region_close(region);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        CHECK(stat(paths[1], &file) != 0);
    }
}

/* A stale lock file of a crashed creator is replaced. A lock file that a person removed is reported
   as missing. */
static void lock_file_lost(void)
{
    const char *name = test_name("file");
    char paths[5][400];
    quoit_queue *queue, *second;
    find_files(name, paths);
    test_write_file(paths[1], "", 0);
    queue = make(name, QUOIT_MPMC, QUOIT_PRODUCER);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &second), QUOIT_OK);
    quoit_queue_close(second);
    CHECK(unlink(paths[1]) == 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &second), QUOIT_ERROR_CORRUPT);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &second), QUOIT_OK);
    quoit_queue_close(second);
    test_write_file(paths[1], "another object's", 16);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &second), QUOIT_ERROR_CORRUPT);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK(unlink(paths[1]) == 0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"lock_files", lock_files},
                                             {"lock_file_lost", lock_file_lost},
                                             {"lock_file_of_another", lock_file_of_another},
                                             {"roles_held", roles_held},
                                             {"entries_held", entries_held},
                                             {"gate_held", gate_held},
                                             {"all_held", all_held},
                                             {"producer_crashes", producer_crashes},
                                             {"both_roles", both_roles},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"reader", reader},
                                             {"observe", observe},
                                             {"observe_roles", observe_roles},
                                             {"producer", producer},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
