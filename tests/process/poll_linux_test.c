/* SPDX-License-Identifier: MIT */
/* Descriptors for event loops, with a thread for many of them: when it is late, how many threads
   and descriptors there are, and after a fork. */
#include "test.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, MANY = 300, OF_A_THREAD = 127 };

/* ---- A thread that is late ------------------------------------------------------------------- */

static _Atomic int delays_writes, writing;
static _Thread_local bool is_main;

/* In place of the C library's: the library's threads make a descriptor readable with it. */
ssize_t write(int fd, const void *bytes, size_t count);
ssize_t write(int fd, const void *bytes, size_t count)
{
    if (!is_main && atomic_load(&delays_writes)) {
        atomic_store(&writing, 1);
        test_sleep_ms(100);
    }
    return syscall(SYS_write, fd, bytes, count);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, timeout_ms) == 1;
}

static quoit_queue *create(uint32_t kind, const char **name_out)
{
    const struct quoit_queue_options options = {.kind = kind, .item_bytes = 8, .capacity = 8};
    quoit_queue *queue;
    *name_out = test_name("local");
    CHECK_STATUS(quoit_queue_create(*name_out, &options, BOTH, &queue), QUOIT_OK);
    return queue;
}

static int descriptor(quoit_queue *queue)
{
    int fd;
    CHECK_STATUS(quoit_queue_poll_fd(queue, QUOIT_ITEMS, &fd), QUOIT_OK);
    return fd;
}

static quoit_status push(quoit_queue *queue)
{
    uint64_t value = 1;
    return word_push((struct word_queue){queue}, &value, QUOIT_NOW);
}

static quoit_status pop(quoit_queue *queue)
{
    uint64_t value;
    return word_pop((struct word_queue){queue}, &value, QUOIT_NOW);
}

/* The thread has seen an item, and is about to make the descriptor readable. Meanwhile the item is
   popped, and a call finds nothing. Afterwards the descriptor is not readable, also without a
   further call, and the next item makes it so. */
static void late_notification(void)
{
    is_main = true;
    for (int round = 0; TEST_LOOP(round < 3, 0, "round", round); round++) {
        const char *name;
        quoit_queue *queue = create(QUOIT_SPSC, &name);
        int fd = descriptor(queue);
        test_sleep_ms(20);
        atomic_store(&writing, 0);
        atomic_store(&delays_writes, 1);
        CHECK_STATUS(push(queue), QUOIT_OK);
        while (!atomic_load(&writing))
            test_sleep_ms(1);
        CHECK_STATUS(pop(queue), QUOIT_OK);
        CHECK_STATUS(pop(queue), QUOIT_EMPTY);
        atomic_store(&delays_writes, 0);
        if (round == 1) { /* an item comes before the thread is through */
            CHECK_STATUS(push(queue), QUOIT_OK);
            test_sleep_ms(300);
            CHECK(is_readable(fd, 10000));
            CHECK_STATUS(pop(queue), QUOIT_OK);
            CHECK_STATUS(pop(queue), QUOIT_EMPTY);
        }
        test_sleep_ms(300);
        CHECK(!is_readable(fd, 0));
        CHECK_STATUS(push(queue), QUOIT_OK);
        CHECK(is_readable(fd, 10000));
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

/* ---- Many of them ---------------------------------------------------------------------------- */

static int count_threads(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        count += entry->d_name[0] != '.';
    CHECK_EQ(closedir(tasks), 0);
    return count;
}

/* How many there are as a rule: a sanitizer may have threads of its own. */
static int usual_threads(void)
{
    int least = count_threads();
    for (int i = 0; i < 50; i++) { /* the kernel may still list those of the parts before */
        test_sleep_ms(10);
        int count = count_threads();
        least = count < least ? count : least;
    }
    return least;
}

/* The kernel lists a thread for a moment after pthread_join has returned. */
static void check_threads(int expected)
{
    for (int i = 0; i < 1000 && count_threads() != expected; i++)
        test_sleep_ms(10);
    CHECK_EQ(count_threads(), expected);
}

static void many_queues(void)
{
    static quoit_queue *queues[MANY];
    static const char *names[MANY];
    static struct pollfd polls[MANY];
    int usual = usual_threads();
    for (int i = 0; i < MANY; i++)
        queues[i] = create(i % 2 == 0 ? QUOIT_SPSC : QUOIT_MPMC, &names[i]);
    int before = test_open_descriptors();
    for (int i = 0; i < MANY; i++)
        polls[i] = (struct pollfd){.fd = descriptor(queues[i]), .events = POLLIN};
    check_threads(usual + (MANY + OF_A_THREAD - 1) / OF_A_THREAD);
    CHECK_EQ(test_open_descriptors(), before + (test_plain_posix ? 2 : 1) * MANY);
    for (int round = 0; TEST_LOOP(round < 200, 0, "round", round); round++) {
        int at = (int)(test_random() % MANY), first = (int)(test_random() % MANY);
        CHECK_STATUS(push(queues[at]), QUOIT_OK);
        CHECK(is_readable(polls[at].fd, 10000));
        CHECK_EQ(poll(polls, MANY, 0), 1);
        CHECK_STATUS(pop(queues[at]), QUOIT_OK);
        CHECK_STATUS(pop(queues[at]), QUOIT_EMPTY);
        CHECK_STATUS(pop(queues[first]), QUOIT_EMPTY);
        CHECK_EQ(poll(polls, MANY, 0), 0);
    }
    for (int i = 0; i < MANY; i++) { /* the first ones leave room for a new one */
        quoit_queue_close(queues[i]);
        CHECK_STATUS(quoit_unlink(names[i], 0), QUOIT_OK);
        if (i != 100)
            continue;
        quoit_queue *late = create(QUOIT_SPSC, &names[i]);
        int fd = descriptor(late);
        CHECK_STATUS(push(late), QUOIT_OK);
        CHECK(is_readable(fd, 10000));
        quoit_queue_close(late);
        CHECK_STATUS(quoit_unlink(names[i], 0), QUOIT_OK);
    }
    check_threads(usual);
}

/* Returns how many threads block that signal. */
static int count_blocking(int number)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], line[200];
        unsigned long long blocked = 0;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        while (file && fgets(line, sizeof line, file) &&
               sscanf(line, "SigBlk: %llx", &blocked) != 1)
            ;
        if (file)
            CHECK_EQ(fclose(file), 0);
        count += (blocked >> (number - 1) & 1) != 0;
    }
    CHECK_EQ(closedir(tasks), 0);
    return count;
}

/* A blocked SIGSEGV or SIGBUS would end the process without the program's handler. All other
   signals are for the program's own threads. (A sanitizer's thread blocks all.) */
static void faults_are_not_blocked(void)
{
    const char *name;
    int before[] = {count_blocking(SIGSEGV), count_blocking(SIGBUS), count_blocking(SIGTERM)};
    quoit_queue *queue = create(QUOIT_SPSC, &name);
    int fd = descriptor(queue);
    CHECK_STATUS(push(queue), QUOIT_OK);
    CHECK(is_readable(fd, 10000)); /* the thread runs: the C library has set its mask */
    CHECK_EQ(count_blocking(SIGSEGV), before[0]);
    CHECK_EQ(count_blocking(SIGBUS), before[1]);
    CHECK_EQ(count_blocking(SIGTERM), before[2] + 1);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* ---- Threads that rest ----------------------------------------------------------------------- */

/* How often the other threads of this process have gone to sleep. */
static unsigned long sleeps_of_others(void)
{
    unsigned long sum = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], line[200];
        unsigned long sleeps = 0;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        bool is_own = strtol(entry->d_name, NULL, 10) == (long)getpid();
        FILE *file = entry->d_name[0] == '.' || is_own ? NULL : fopen(path, "re");
        while (file && fgets(line, sizeof line, file) &&
               sscanf(line, "voluntary_ctxt_switches: %lu", &sleeps) != 1)
            ;
        if (file)
            CHECK_EQ(fclose(file), 0);
        sum += sleeps;
    }
    CHECK_EQ(closedir(tasks), 0);
    return sum;
}

static void *push_later(void *queue)
{
    test_sleep_ms(30);
    CHECK_STATUS(push(queue), QUOIT_OK);
    return NULL;
}

/* Sleeps on all, until another thread pushes to the last one. */
static void sleep_once(struct quoit_wait *waits)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, push_later, waits[MANY - 1].queue), 0);
    CHECK_STATUS(quoit_wait_any(waits, MANY, INT64_C(10000000000)), QUOIT_OK);
    CHECK_EQ(waits[MANY - 1].ready, QUOIT_ITEMS);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_STATUS(pop(waits[MANY - 1].queue), QUOIT_OK);
}

/* Items for a wait that does not sleep must not wake the threads that slept in its place. */
static void threads_rest(void)
{
    static quoit_queue *queues[MANY];
    static const char *names[MANY];
    static struct quoit_wait waits[MANY];
    for (int i = 0; i < MANY; i++) {
        queues[i] = create(QUOIT_SPSC, &names[i]);
        waits[i] = (struct quoit_wait){queues[i], QUOIT_ITEMS, 0};
    }
    for (int round = 0; TEST_LOOP(round < 3, 0, "round", round); round++)
        sleep_once(waits);
    unsigned long before = sleeps_of_others();
    for (int i = OF_A_THREAD; TEST_LOOP(i < MANY, 0, "queue", i); i++) {
        CHECK_STATUS(push(queues[i]), QUOIT_OK);
        CHECK_STATUS(quoit_wait_any(waits, MANY, INT64_C(10000000000)), QUOIT_OK);
        CHECK_EQ(waits[i].ready, QUOIT_ITEMS);
        CHECK_STATUS(pop(queues[i]), QUOIT_OK);
        test_sleep_ms(1); /* a thread that was woken sleeps again */
    }
    CHECK_LT(sleeps_of_others() - before, 40); /* of 173 items; each thread also checks at times */
    /* A descriptor works while the thread rests, also a new one. */
    int fd = descriptor(queues[MANY - 2]);
    CHECK(!is_readable(fd, 20));
    CHECK_STATUS(push(queues[MANY - 2]), QUOIT_OK);
    CHECK(is_readable(fd, 10000));
    CHECK_STATUS(pop(queues[MANY - 2]), QUOIT_OK);
    CHECK_STATUS(pop(queues[MANY - 2]), QUOIT_EMPTY);
    CHECK(!is_readable(fd, 20));
    sleep_once(waits);
    CHECK_STATUS(push(queues[MANY - 2]), QUOIT_OK);
    CHECK(is_readable(fd, 10000));
    for (int i = 0; i < MANY; i++) {
        quoit_queue_close(queues[i]);
        CHECK_STATUS(quoit_unlink(names[i], 0), QUOIT_OK);
    }
}

/* ---- After a fork ---------------------------------------------------------------------------- */

/* Both processes go on: the child with queues of its own, the parent with the old ones. */
#if !defined(__SANITIZE_THREAD__)
static void forked(void)
{
    if (getenv("QUOIT_TEST_EMULATOR")) {
        (void)printf("  left out: qemu starts no thread in a forked child of several threads\n");
        return;
    }
    const char *name;
    quoit_queue *queue = create(QUOIT_SPSC, &name);
    int fd = descriptor(queue), status = -1, unused;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const char *own_name;
        quoit_queue *own = create(QUOIT_SPSC, &own_name);
        int own_fd = descriptor(own);
        CHECK_STATUS(quoit_queue_poll_fd(queue, QUOIT_ITEMS, &unused), QUOIT_ERROR_FORKED);
        for (int i = 0; i < 2; i++) {
            CHECK_STATUS(push(own), QUOIT_OK);
            CHECK(is_readable(own_fd, 10000));
            CHECK_STATUS(pop(own), QUOIT_OK);
            CHECK_STATUS(pop(own), QUOIT_EMPTY);
            CHECK(!is_readable(own_fd, 20));
            if (i == 0)
                quoit_queue_close(queue); /* the parent's, and the copy of its thread */
        }
        quoit_queue_close(own);
        CHECK_STATUS(quoit_unlink(own_name, 0), QUOIT_OK);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
    CHECK_STATUS(push(queue), QUOIT_OK);
    CHECK(is_readable(fd, 10000));
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

#endif

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"late_notification", late_notification},
        {"many_queues", many_queues},
        {"threads_rest", threads_rest},
        {"faults_are_not_blocked", faults_are_not_blocked},
#if !defined(__SANITIZE_THREAD__) /* which refuses threads in a forked child */
        {"forked", forked},
#endif
        {NULL, NULL}
    };
    return test_main(argc, argv, parts, NULL);
}
