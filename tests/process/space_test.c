/* SPDX-License-Identifier: MIT */
/* A full /dev/shm, and no free descriptors: a clear status at creation, nothing left, and never
   SIGBUS later. */
#include "test.h"

#include "os.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

static int entries_in(const char *path)
{
    DIR *directory = opendir(path);
    int count = -2; /* "." and ".." */
    CHECK(directory);
    while (readdir(directory))
        count++;
    (void)closedir(directory);
    return count;
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t written = write(fd, text, strlen(text));
    (void)written;
    (void)close(fd);
}

/* A /dev/shm of 64 KiB that only this process sees. */
static void shrink_dev_shm(void)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/dev/shm", NULL, MS_PRIVATE, NULL) != 0))
        test_skip("this system gives no mount namespace");
    write_text("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
    write_text("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)gid);
    write_text("/proc/self/gid_map", map);
    if (mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64k") != 0)
        test_skip("this system mounts no tmpfs in a namespace");
}

/* Plain POSIX handles share the descriptor of the table of local names. */
static bool needs_none(const char *scheme)
{
    return test_plain_posix && strcmp(scheme, "local") == 0;
}

static void no_descriptors_left(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};
    struct rlimit before, none;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        const char *name = test_name(test_schemes[i]), *there = test_name(test_schemes[i]);
        quoit_queue *second;
        CHECK_STATUS(quoit_queue_create(there, &options, QUOIT_PRODUCER, &second), QUOIT_OK);
        quoit_queue_close(second);
        /* Allows as many descriptors as are open, then one more, and so on: each call that needs
           one fails in turn. */
        for (unsigned spare = 0;; spare++) {
            none = before;
            none.rlim_cur = (rlim_t)dup(0) + spare;
            (void)close((int)(none.rlim_cur - spare));
            CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
            quoit_status created = quoit_queue_create(name, &options, QUOIT_CONSUMER, &second);
            CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
            if (created == QUOIT_OK) {
                CHECK_GT(spare, 0);
                quoit_queue_close(second);
                CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
                break;
            }
            CHECK_STATUS(created, QUOIT_ERROR_LIMIT);
            CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
            quoit_status opened = quoit_queue_open(there, QUOIT_CONSUMER, &second);
            CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
            CHECK(opened == QUOIT_ERROR_LIMIT || spare > 0 || needs_none(test_schemes[i]));
            quoit_queue_close(second);
            CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &second), QUOIT_ERROR_NOT_FOUND);
        }
        CHECK_STATUS(quoit_unlink(there, 0), QUOIT_OK);
    }
}

/* ulimit -f: growing a file beyond it sends SIGXFSZ, which would end this process. */
static void file_size_limit(void)
{
    static const rlim_t limits[] = {0, 4096};
    const struct quoit_queue_options options = {.item_bytes = 64, .capacity = 4096};
    const struct quoit_sem_options one = {.value = 1};
    struct rlimit before, low;
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    (void)fflush(NULL); /* this test's own output may be a file */
    for (int k = 0; k < 2; k++)
        for (int i = 0; test_schemes[i]; i++) {
            const char *name = test_name(test_schemes[i]);
            quoit_queue *queue;
            low = before;
            low.rlim_cur = limits[k];
            CHECK(setrlimit(RLIMIT_FSIZE, &low) == 0);
            quoit_status created = quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue);
            CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
            /* A segment is not a file, but its lock file is. */
            bool fits = limits[k] > 0 && strcmp(test_schemes[i], "sysv") == 0;
            CHECK_STATUS_IS(created, ==, (fits ? QUOIT_OK : QUOIT_ERROR_NO_SPACE));
            const char *text = quoit_describe(created);
            CHECK(fits || strstr(text, "File too large") || strstr(text, "ulimit -f"));
            quoit_queue_close(queue);
            CHECK_EQUAL(quoit_unlink(name, 0), fits ? QUOIT_OK : QUOIT_ERROR_NOT_FOUND);
        }
    for (int i = 0; test_sem_schemes[i]; i++) {
        const char *name = test_name(test_sem_schemes[i]);
        quoit_sem *sem;
        low = before;
        low.rlim_cur = 0;
        CHECK(setrlimit(RLIMIT_FSIZE, &low) == 0);
        quoit_status created = quoit_sem_create(name, &one, 0, &sem);
        CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
        bool fits = strcmp(test_sem_schemes[i], "sysv") == 0;
        CHECK_STATUS_IS(created, ==, (fits ? QUOIT_OK : QUOIT_ERROR_NO_SPACE));
        if (fits) {
            quoit_sem_close(sem);
            CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
        }
    }
}

/* A SIGXFSZ that was pending before the call stays pending; one that the library causes does
   not. */
static void pending_file_signal(void)
{
    const struct quoit_queue_options options = {.item_bytes = 64, .capacity = 4096};
    struct rlimit before, low;
    sigset_t blocked, pending, mask;
    int taken;
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(sigemptyset(&blocked) == 0 && sigaddset(&blocked, SIGXFSZ) == 0);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, &mask) == 0);
    (void)fflush(NULL);
    for (int raised = 0; raised < 2; raised++) {
        const char *name = test_name("posix");
        quoit_queue *queue;
        CHECK(!raised || raise(SIGXFSZ) == 0);
        low = before;
        low.rlim_cur = 4096;
        CHECK(setrlimit(RLIMIT_FSIZE, &low) == 0);
        quoit_status created = quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue);
        CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
        CHECK_STATUS_IS(created, ==, QUOIT_ERROR_NO_SPACE);
        CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == raised);
    }
    CHECK(sigwait(&blocked, &taken) == 0 && sigprocmask(SIG_SETMASK, &mask, NULL) == 0);
}

/* ---- A signal that another thread takes ------------------------------------------------------ */

static _Atomic uint32_t calls;
static _Atomic bool ending;

static void *take_file_signals(void *unused)
{
    sigset_t file_signal;
    int taken;
    CHECK(sigemptyset(&file_signal) == 0 && sigaddset(&file_signal, SIGXFSZ) == 0);
    while (!atomic_load(&ending))
        CHECK(sigwait(&file_signal, &taken) == 0);
    return unused;
}

static void *remove_for_ever(void *name)
{
    while (!atomic_load(&ending)) {
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
        (void)atomic_fetch_add(&calls, 1);
    }
    return NULL;
}

/* A signal sent to the process is pending for each thread until one takes it. No call of the
   library may wait for it. */
static void file_signal_for_another_thread(void)
{
    const uint64_t second = 1000000000, begin = quoit_os_monotonic_ns();
    char name[100];
    sigset_t file_signal, mask;
    pthread_t taker, caller;
    CHECK(sigemptyset(&file_signal) == 0 && sigaddset(&file_signal, SIGXFSZ) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &file_signal, &mask) == 0);
    (void)snprintf(name, sizeof name, "%s", test_name("local"));
    CHECK(pthread_create(&taker, NULL, take_file_signals, NULL) == 0);
    CHECK(pthread_create(&caller, NULL, remove_for_ever, name) == 0);
    while (quoit_os_monotonic_ns() - begin < second) {
        uint64_t sent = quoit_os_monotonic_ns();
        uint32_t before = atomic_load(&calls);
        CHECK(kill(getpid(), SIGXFSZ) == 0);
        while (atomic_load(&calls) - before < 3)
            if (quoit_os_monotonic_ns() - sent > 5 * second)
                test_fail(__FILE__, __LINE__, "a call waits for a signal");
    }
    atomic_store(&ending, true);
    CHECK(pthread_join(caller, NULL) == 0);
    CHECK(pthread_kill(taker, SIGXFSZ) == 0 && pthread_join(taker, NULL) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);
}

static void too_large_for_what_is_left(void)
{
    struct quoit_queue_options options = {.item_bytes = 64, .capacity = 4096};
    const char *name = test_name("posix");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_ERROR_NO_SPACE);
    CHECK_STATUS(quoit_queue_join(name, &options, QUOIT_PRODUCER, &queue), QUOIT_ERROR_NO_SPACE);
    CHECK_EQUAL(entries_in("/dev/shm"), 0);

    /* Reserved memory exists, also after the file system is full. */
    options.capacity = 256;
    uint8_t item[64] = {7};
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    int fill = open("/dev/shm/fill", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    while (write(fill, item, sizeof item) > 0)
        ;
    for (int i = 0; i < 256; i++)
        CHECK_STATUS(
            quoit_queue_push(queue, item, (size_t)quoit_queue_item_bytes(queue), QUOIT_NOW),
            QUOIT_OK);
    CHECK_STATUS(quoit_queue_push(queue, item, (size_t)quoit_queue_item_bytes(queue), QUOIT_NOW),
                 QUOIT_FULL);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    while (write(fill, item, sizeof item) > 0)
        ;
    CHECK_EQ(close(fill), 0);
    CHECK_EQUAL(entries_in("/dev/shm"), 1);
}

/* On the /dev/shm that is full by now: the segment would fit, but the record of its lock file does
   not. */
static void no_room_for_the_lock_file(void)
{
    const struct quoit_queue_options options = {.item_bytes = 64, .capacity = 4};
    const struct quoit_sem_options one = {.value = 1};
    const char *name = test_name("sysv"), *sem_name = test_name("posix");
    quoit_queue *queue;
    quoit_sem *sem;
    struct shm_info segments;
    CHECK_EQ(unshare(CLONE_NEWIPC), 0); /* here no other process creates segments */
    quoit_status created = quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue);
    CHECK_EQUAL(created,
                test_plain_posix ? QUOIT_OK : QUOIT_ERROR_NO_SPACE); /* its lock file: in /tmp */
    quoit_queue_close(queue);
    CHECK_EQUAL(quoit_unlink(name, 0), test_plain_posix ? QUOIT_OK : QUOIT_ERROR_NOT_FOUND);
    CHECK_GE(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&segments), 0);
    CHECK_EQUAL(segments.used_ids, 0);
    CHECK_EQUAL(entries_in("/dev/shm"), 1);
    quoit_status status = quoit_sem_create(sem_name, &one, 0, &sem);
    if (status == QUOIT_OK) { /* the C library may have found 32 free bytes */
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(sem_name, 0), QUOIT_OK);
    }
    CHECK_EQ(unlink("/dev/shm/fill"), 0);
}

/* Without /proc, nameless files cannot be linked: a temporary name is used instead, and removed. */
static void no_proc(void)
{
    const struct quoit_queue_options options = {.item_bytes = 64, .capacity = 4};
    quoit_queue *queue, *second;
    CHECK_EQ(mount("tmpfs", "/proc", "tmpfs", 0, "size=4k"), 0);
    const char *name = test_name("posix"), *local = test_name("local");
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_EQUAL(entries_in("/dev/shm"), 1);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &second), QUOIT_ERROR_EXISTS);
    quoit_status status = quoit_queue_create(local, &options, QUOIT_PRODUCER, &second);
    CHECK_EQUAL(status, test_plain_posix ? QUOIT_OK : QUOIT_ERROR_UNSUPPORTED);
    quoit_queue_close(second);
    if (status == QUOIT_OK)
        CHECK_STATUS(quoit_unlink(local, 0), QUOIT_OK);
    CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_EQUAL(entries_in("/dev/shm"), 0);
    CHECK_EQ(umount("/proc"), 0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"no_descriptors_left", no_descriptors_left},
        {"file_size_limit", file_size_limit},
        {"pending_file_signal", pending_file_signal},
        {"file_signal_for_another_thread", file_signal_for_another_thread},
        {"shrink_dev_shm", shrink_dev_shm},
        {"too_large_for_what_is_left", too_large_for_what_is_left},
        {"no_room_for_the_lock_file", no_room_for_the_lock_file},
        {"no_proc", no_proc},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
