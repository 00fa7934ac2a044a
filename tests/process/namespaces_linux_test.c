/* SPDX-License-Identifier: MIT */
/* Processes in other IPC, PID, mount and user namespaces, with and without /proc, create, open and
   remove objects under the name of a live object here. That object does not change. */
#include "test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };
enum { IPC = 1, PID = 2, USER = 4, NO_PROC = 8, ALL = 16 };
static const char *const schemes[] = {"sysv", "posix", "file"};
enum { SCHEMES = 3, NOT_PERMITTED = 78 };
static const char *names[SCHEMES];

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK_GE(fd, 0);
    ssize_t written = write(fd, text, strlen(text));
    CHECK_EQ(written, (ssize_t)strlen(text));
    CHECK(close(fd) == 0);
}

static void map_user(uid_t uid, gid_t gid)
{
    char map[64];
    write_text("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof map, "%u %u 1", (unsigned)uid, (unsigned)uid);
    write_text("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof map, "%u %u 1", (unsigned)gid, (unsigned)gid);
    write_text("/proc/self/gid_map", map);
}

/* Creates, opens and removes the objects of these names. */
static void use_names(unsigned spaces)
{
    quoit_queue *queue;
    for (int i = 0; i < SCHEMES; i++) {
        (void)snprintf(test_context, sizeof test_context, "%s in namespaces 0x%x", names[i],
                       spaces);
        quoit_status status = quoit_queue_join(names[i], &options, BOTH, &queue);
        bool is_apart = spaces & IPC && strcmp(schemes[i], "sysv") == 0;
        if (status == QUOIT_ERROR_UNSUPPORTED && spaces & NO_PROC &&
            strcmp(schemes[i], "sysv") == 0) {
            CHECK_STATUS(quoit_unlink(names[i], 0), QUOIT_ERROR_UNSUPPORTED);
            CHECK(strstr(test_sentence(), "/proc"));
            continue; /* a kernel before 6.11 */
        }
        CHECK_STATUS(status, is_apart ? QUOIT_OK : QUOIT_ERROR_ROLE_TAKEN);
        if (!is_apart)
            continue;
        CHECK_EQUAL(quoit_queue_size(queue), 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(names[i], 0), QUOIT_OK);
        CHECK_STATUS(quoit_queue_open(names[i], QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_FOUND);
    }
}

static _Noreturn void visit(unsigned spaces)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int flags = (spaces & IPC ? CLONE_NEWIPC : 0) | (spaces & PID ? CLONE_NEWPID : 0) |
                (spaces & USER ? CLONE_NEWUSER : 0) | (spaces & NO_PROC ? CLONE_NEWNS : 0);
    if (flags && unshare(flags) != 0)
        _exit(NOT_PERMITTED);
    if (spaces & USER)
        map_user(uid, gid);
    if (spaces & NO_PROC && (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
                             mount("tmpfs", "/proc", "tmpfs", 0, "size=4k") != 0))
        _exit(NOT_PERMITTED);
    if (spaces & PID) { /* its first process: number 1 */
        pid_t first = fork();
        int status = -1;
        CHECK_GE(first, 0);
        if (first != 0) {
            CHECK(waitpid(first, &status, 0) == first);
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
        }
    }
    use_names(spaces);
    _exit(0);
}

static void check_alive(quoit_queue *const *queues)
{
    quoit_queue *second;
    uint64_t item = 0;
    for (int i = 0; i < SCHEMES; i++) {
        struct quoit_queue_info info;
        CHECK_STATUS(quoit_queue_open(names[i], QUOIT_PRODUCER, &second), QUOIT_ERROR_ROLE_TAKEN);
        CHECK_STATUS(quoit_queue_open(names[i], QUOIT_OBSERVER, &second), QUOIT_OK);
        CHECK_STATUS(quoit_queue_inspect(second, &info), QUOIT_OK);
        CHECK_EQUAL(info.producer_pid, test_own_pid());
        quoit_queue_close(second);
        CHECK_STATUS(quoit_queue_pop(queues[i], &item, sizeof item, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queues[i], &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    }
}

static void each_combination(void)
{
    quoit_queue *queues[SCHEMES];
    uint64_t item = 42;
    unsigned done = 0;
    for (int i = 0; i < SCHEMES; i++) {
        names[i] = test_name(schemes[i]);
        CHECK_STATUS(quoit_queue_create(names[i], &options, BOTH, &queues[i]), QUOIT_OK);
        CHECK_STATUS(quoit_queue_push(queues[i], &item, sizeof item, QUOIT_NOW), QUOIT_OK);
    }
    for (unsigned spaces = 0; spaces < ALL; spaces++) {
        int status = -1;
        (void)fflush(NULL);
        pid_t child = fork();
        CHECK_GE(child, 0);
        if (child == 0)
            visit(spaces);
        CHECK(waitpid(child, &status, 0) == child);
        (void)snprintf(test_context, sizeof test_context, "after namespaces 0x%x", spaces);
        check_alive(queues);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == NOT_PERMITTED);
        done += WEXITSTATUS(status) == 0;
    }
    test_context[0] = 0;
    (void)printf("  %u of %d combinations are permitted here\n", done, ALL);
    for (int i = 0; i < SCHEMES; i++) {
        quoit_queue_close(queues[i]);
        CHECK_STATUS(quoit_unlink(names[i], 0), QUOIT_OK);
    }
    if (done < 2)
        test_skip("this system gives no namespaces");
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"each_combination", each_combination}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
