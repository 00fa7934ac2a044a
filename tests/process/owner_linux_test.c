/* SPDX-License-Identifier: MIT */
/*
 * User namespaces: the kernel shows each user that is not mapped as 65534. An object of such a user
 * also belongs to another user for a process that runs as 65534, or as a user that is not mapped.
 */
#include "test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWNER = 1234, OVERFLOW_UID = 65534 };
static const struct quoit_queue_options options = {
    .item_bytes = 8, .capacity = 5, .permissions = 0666};
static const struct quoit_sem_options sem_options = {.permissions = 0666};

static const char *queue_names[3], *own_name, *sem_names[3];

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return written;
}

/* In the namespace. */
static void look(void)
{
    quoit_queue *queue;
    quoit_sem *sem;
    struct stat file;
    CHECK_EQUAL(geteuid(), OVERFLOW_UID);
    char path[200];
    (void)snprintf(path, sizeof path, "/dev/shm/%s", test_path(queue_names[0]));
    CHECK(stat(path, &file) == 0);
    CHECK_EQUAL(file.st_uid, OVERFLOW_UID); /* the user ID that an owner check reads */
    for (int i = 0; queue_names[i]; i++) {
        (void)snprintf(test_context, sizeof test_context, "%s", queue_names[i]);
        CHECK_STATUS(quoit_queue_open(queue_names[i], QUOIT_CONSUMER, &queue),
                     QUOIT_ERROR_OTHER_USER);
        CHECK_STATUS(quoit_queue_open(queue_names[i], QUOIT_OBSERVER, &queue),
                     QUOIT_ERROR_OTHER_USER);
        CHECK_STATUS(quoit_unlink(queue_names[i], 0), QUOIT_ERROR_OTHER_USER);
        CHECK_STATUS(quoit_unlink_abandoned(queue_names[i], 0), QUOIT_ERROR_OTHER_USER);
        CHECK_STATUS(
            quoit_queue_open(queue_names[i], (unsigned)QUOIT_CONSUMER | QUOIT_ANY_OWNER, &queue),
            QUOIT_OK);
        quoit_queue_close(queue);
    }
    for (int i = 0; sem_names[i]; i++) {
        (void)snprintf(test_context, sizeof test_context, "%s", sem_names[i]);
        CHECK_STATUS(quoit_sem_open(sem_names[i], 0, &sem), QUOIT_ERROR_OTHER_USER);
        CHECK_STATUS(quoit_sem_unlink(sem_names[i], 0), QUOIT_ERROR_OTHER_USER);
    }
    test_context[0] = '\0';
}

/* Objects that this process creates belong to it. */
static void use_own(void)
{
    quoit_queue *queue, *second;
    CHECK_STATUS(quoit_queue_create(own_name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(own_name, QUOIT_CONSUMER, &second), QUOIT_OK);
    quoit_queue_close(second);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(own_name, 0), QUOIT_OK);
}

/* Runs a process of user `uid` in a namespace with that map; a map of "" maps no user. Returns
   false if this system creates no namespaces. */
static bool in_namespace(const char *map, uid_t uid)
{
    int go[2], made[2];
    char byte, path[64];
    CHECK(pipe(go) == 0 && pipe(made) == 0);
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) {
        (void)close(go[1]);
        if (!*map && (setgid(uid) != 0 || setuid(uid) != 0))
            _exit(EXIT_FAILURE);
        if (unshare(CLONE_NEWUSER) != 0)
            _exit(TEST_SKIPPED);
        CHECK(write(made[1], "", 1) == 1 && read(go[0], &byte, 1) == 1);
        if (*map)
            CHECK(setgid(OVERFLOW_UID) == 0 && setuid(OVERFLOW_UID) == 0);
        look();
        use_own();
        _exit(EXIT_SUCCESS);
    }
    (void)close(made[1]);
    int status;
    if (read(made[0], &byte, 1) == 1) {
        (void)snprintf(path, sizeof path, "/proc/%d/uid_map", (int)child);
        CHECK(!*map || write_text(path, map));
        (void)snprintf(path, sizeof path, "/proc/%d/gid_map", (int)child);
        CHECK(!*map || write_text(path, map));
        CHECK(write(go[1], "", 1) == 1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == EXIT_SUCCESS || WEXITSTATUS(status) == TEST_SKIPPED);
    (void)close(made[0]);
    (void)close(go[0]);
    (void)close(go[1]);
    return WEXITSTATUS(status) != TEST_SKIPPED;
}

/* Objects of another user. */
static void make_foreign(void)
{
    quoit_queue *queue;
    quoit_sem *sem;
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) {
        CHECK(setgid(OWNER) == 0 && setuid(OWNER) == 0);
        for (int i = 0; queue_names[i]; i++)
            CHECK_STATUS(quoit_queue_create(queue_names[i], &options, QUOIT_PRODUCER, &queue),
                         QUOIT_OK);
        for (int i = 0; sem_names[i]; i++)
            CHECK_STATUS(quoit_sem_create(sem_names[i], &sem_options, 0, &sem), QUOIT_OK);
        _exit(EXIT_SUCCESS);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* By their owner. */
static void remove_foreign(void)
{
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) {
        CHECK(setgid(OWNER) == 0 && setuid(OWNER) == 0);
        for (int i = 0; queue_names[i]; i++)
            CHECK_STATUS(quoit_unlink(queue_names[i], 0), QUOIT_OK);
        for (int i = 0; sem_names[i]; i++)
            CHECK_STATUS(quoit_sem_unlink(sem_names[i], 0), QUOIT_OK);
        _exit(EXIT_SUCCESS);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void unmapped_owners(void)
{
    static const struct {
        const char *map;
        uid_t uid;
    } cases[] = {{"65534 65534 1", 0}, /* runs as 65534, which is mapped */
                 {"0 0 1\n65534 70000 1", 0},
                 {"", 4321}}; /* no user is mapped, not even the process's own */
    if (geteuid() != 0)
        test_skip("only root can map users");
    for (int i = 0; i < 3; i++) {
        queue_names[0] = test_name("posix");
        queue_names[1] = test_name("sysv");
        own_name = test_name("posix");
        sem_names[0] = test_name("posix");
        if (test_ipc_modes_are_reported())
            sem_names[1] = test_name("sysv");
        make_foreign();
        bool made = in_namespace(cases[i].map, cases[i].uid);
        remove_foreign(); /* this process must not remove another user's semaphores */
        if (!made)
            test_skip("user namespaces cannot be made here");
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"unmapped_owners", unmapped_owners}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
