/* SPDX-License-Identifier: MIT */
/* Threads that are cancelled, and processes that fork in a signal handler, inside the library's
   calls: no lock stays held, no descriptor open, and no operation incomplete. */
#include "cancel_fixture_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};
static const struct quoit_pool_options pool_options = {.block_bytes = 64, .blocks = 3};
static const struct quoit_region_options region_options = {.size_bytes = 100};
static const struct quoit_sem_options sem_options = {.value = 1};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

/* qemu allocates and locks its own memory at any instruction of the program that it runs. */
static bool is_emulated(void)
{
    bool is = getenv("QUOIT_TEST_EMULATOR") != NULL;
    if (is)
        (void)printf("  left out: an emulator cannot fork in a signal handler\n");
    return is;
}

/* ---- Cancelled while opening, creating, removing --------------------------------------------- */

static const char *queue_name, *pool_name, *region_name, *sem_name;

/* Every handle is closed before the next cancellation point. */
static void use_all(void)
{
    quoit_queue *queue;
    quoit_pool *pool;
    quoit_region *region;
    quoit_sem *sem;
    int fd;
    if (quoit_queue_join(queue_name, &options, BOTH, &queue) == QUOIT_OK) {
        (void)quoit_queue_poll_fd(queue, QUOIT_ITEMS, &fd);
        quoit_queue_close(queue);
    }
    if (quoit_queue_open(queue_name, QUOIT_OBSERVER, &queue) == QUOIT_OK)
        quoit_queue_close(queue);
    (void)quoit_unlink(queue_name, 0);
    if (quoit_pool_join(pool_name, &pool_options, 0, &pool) == QUOIT_OK)
        quoit_pool_close(pool);
    (void)quoit_unlink(pool_name, 0);
    if (quoit_region_create(region_name, &region_options, 0, &region) == QUOIT_OK)
        quoit_region_close(region);
    (void)quoit_unlink(region_name, 0);
    if (sem_name && quoit_sem_join(sem_name, &sem_options, 0, &sem) == QUOIT_OK) {
        quoit_sem_close(sem);
        (void)quoit_sem_unlink(sem_name, 0);
    }
}

static void *use_all_for_ever(void *unused)
{
    for (;;)
        use_all();
    return unused;
}

static void choose_names(const char *scheme)
{
    queue_name = test_name(scheme);
    pool_name = test_name(scheme);
    region_name = test_name(scheme);
    sem_name = strcmp(scheme, "sysv") == 0 || strcmp(scheme, "posix") == 0 ? test_name(scheme)
                                                                           : NULL;
}

static void remove_all(void)
{
    (void)quoit_unlink(queue_name, 0);
    (void)quoit_unlink(pool_name, 0);
    (void)quoit_unlink(region_name, 0);
    if (sem_name)
        (void)quoit_sem_unlink(sem_name, 0);
}

static void check_fork_returns(void)
{
    int status = -1;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void cancelled_while_opening(void)
{
    enum { THREADS = 30 };
    limit_time();
    for (int i = 0; test_schemes[i]; i++) {
        choose_names(test_schemes[i]);
        use_all();
        remove_all();
        int before = test_open_descriptors();
        for (int k = 0; k < THREADS; k++) {
            const struct timespec moment = {.tv_nsec = 500000 + k * 37000 % 1000000};
            pthread_t thread;
            void *result;
            CHECK(pthread_create(&thread, NULL, use_all_for_ever, NULL) == 0);
            (void)nanosleep(&moment, NULL);
            CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
            CHECK(result == PTHREAD_CANCELED);
        }
        remove_all();
        CHECK_EQUAL(test_open_descriptors(), before);
        check_fork_returns();
        use_all(); /* and no lock is held */
        remove_all();
    }
    (void)alarm(0);
}

/* ---- Cancelled while listing ----------------------------------------------------------------- */

static bool see(void *context, const char *name)
{
    (void)context;
    return name[0] != '\0';
}

static void *list_for_ever(void *unused)
{
    for (;;) {
        (void)quoit_list(NULL, see, NULL);
        (void)quoit_list("file:/tmp", see, NULL);
        pthread_testcancel();
    }
    return unused;
}

static void *inspect_for_ever(void *queue)
{
    struct quoit_queue_info info;
    struct quoit_member_info members[4];
    uint64_t count;
    for (;;) {
        (void)quoit_queue_inspect(queue, &info);
        (void)quoit_queue_members(queue, members, 4, &count);
        pthread_testcancel();
    }
    return NULL;
}

/* Checks that cancelled threads leave no descriptor open. */
static void cancel_often(void *(*run)(void *), void *argument)
{
    enum { THREADS = 100 };
    int before = test_open_descriptors();
    for (int k = 0; k < THREADS; k++) {
        const struct timespec moment = {.tv_nsec = 300000 + k * 37000 % 1000000};
        pthread_t thread;
        void *result;
        CHECK(pthread_create(&thread, NULL, run, argument) == 0);
        (void)nanosleep(&moment, NULL);
        CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
        CHECK(result == PTHREAD_CANCELED);
    }
    CHECK_EQUAL(test_open_descriptors(), before);
}

/* Argument: a queue that another user may read, but not its lock file. */
static void inspect_as_other_user(char **arguments)
{
    const unsigned other_user = 65534;
    quoit_queue *queue;
    CHECK(setgid(other_user) == 0 && setuid(other_user) == 0);
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER | QUOIT_ANY_OWNER, &queue),
                 QUOIT_OK);
    cancel_often(inspect_for_ever, queue);
    quoit_queue_close(queue);
}

static void cancelled_while_looking(void)
{
    struct quoit_queue_options readable = options;
    const char *name = test_name("");
    const char *const arguments[] = {name, NULL};
    quoit_queue *queue;
    limit_time();
    readable.permissions = 0644;
    CHECK_STATUS(quoit_queue_create(name, &readable, BOTH, &queue), QUOIT_OK);
    cancel_often(list_for_ever, NULL);
    if (geteuid() == 0)
        CHECK_EQUAL(test_wait(test_spawn("inspect_as_other_user", arguments)), 0);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    (void)alarm(0);
}

/* ---- fork in a signal handler ---------------------------------------------------------------- */

static volatile sig_atomic_t forks;

static void fork_in_handler(int number)
{
    int error = errno;
    (void)number;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    forks = forks + 1;
    errno = error;
}

static void fork_in_a_signal_handler(void)
{
    if (is_emulated())
        return;
    enum { FORKS = 25 };
    const struct itimerval every = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
    const struct itimerval never = {.it_value.tv_usec = 0};
    struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
    limit_time();
    for (int i = 0; test_schemes[i]; i++) {
        choose_names(test_schemes[i]);
        forks = 0;
        CHECK(sigaction(SIGPROF, &action, NULL) == 0);
        CHECK(setitimer(ITIMER_PROF, &every, NULL) == 0); /* by this process's own time */
        while (forks < FORKS)
            use_all();
        CHECK(setitimer(ITIMER_PROF, &never, NULL) == 0);
        remove_all();
    }
    (void)alarm(0);
}

/* ---- fork while a creator waits for the gate of a stale lock file ---------------------------- */

static struct {
    const char *name;
    int descriptors; /* open in the test itself */
    volatile sig_atomic_t child;
    quoit_status status;
} creation;

static pid_t hold_gate(const char *path)
{
    int ends[2];
    char byte;
    CHECK(pipe(ends) == 0);
    (void)fflush(NULL);
    pid_t holder = fork();
    if (holder == 0) {
        struct flock gate = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        CHECK(fd >= 0 && fcntl(fd, F_SETLK, &gate) == 0);
        CHECK(write(ends[1], "", 1) == 1);
        for (;;)
            (void)pause();
    }
    CHECK(holder > 0 && read(ends[0], &byte, 1) == 1);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    return holder;
}

static void become_two(int number)
{
    (void)number;
    creation.child = fork();
}

static void *create_for_readers(void *unused)
{
    const struct quoit_region_options readable = {.size_bytes = 100, .permissions = 0644};
    quoit_region *region;
    creation.child = -1;
    creation.status = quoit_region_create(creation.name, &readable, 0, &region);
    if (creation.child == 0) { /* the child that the handler forked */
        bool is_clean = test_open_descriptors() == creation.descriptors;
        _exit(creation.status != QUOIT_ERROR_FORKED ? 1 : !is_clean ? 2 : 0);
    }
    if (creation.status == QUOIT_OK)
        quoit_region_close(region);
    return unused;
}

static int child_code(pid_t child)
{
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Forks in another thread, or in a handler that interrupts the creator. The child keeps no
   descriptor of the object, and removes none of its parent's files. */
static void fork_while_creating(bool in_handler)
{
    char path[400];
    pthread_t thread;
    creation.name = test_name("file");
    const char *text = test_path(creation.name), *slash = strrchr(text, '/');
    int directory = slash ? (int)(slash + 1 - text) : 0;
    (void)snprintf(path, sizeof path, "%.*s.quoit-locks.%s", directory, text, text + directory);
    pid_t holder = hold_gate(path);
    creation.descriptors = test_open_descriptors();
    CHECK(pthread_create(&thread, NULL, create_for_readers, NULL) == 0);
    test_sleep_ms(50);
    if (in_handler) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        test_sleep_ms(50);
    } else {
        pid_t child = fork();
        if (child == 0)
            _exit(test_open_descriptors() != creation.descriptors);
        CHECK_EQUAL(child_code(child), 0);
    }
    CHECK(kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_STATUS(creation.status, QUOIT_OK);
    if (in_handler)
        CHECK_EQUAL(child_code(creation.child), 0);
    CHECK_STATUS(quoit_unlink(creation.name, 0), QUOIT_OK);
}

static void forked_while_creating(void)
{
    if (is_emulated())
        return;
    struct sigaction action = {.sa_handler = become_two};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    limit_time();
    fork_while_creating(false);
    fork_while_creating(true);
    (void)alarm(0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"cancelled_while_opening", cancelled_while_opening},
                                             {"cancelled_while_looking", cancelled_while_looking},
                                             {"fork_in_a_signal_handler", fork_in_a_signal_handler},
                                             {"forked_while_creating", forked_while_creating},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"inspect_as_other_user", inspect_as_other_user},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
