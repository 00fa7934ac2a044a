/* SPDX-License-Identifier: MIT */
/* Schemes, second processes and threads on POSIX systems. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { ARGUMENTS_MAX = 6, WORDS_MAX = 16, DESCRIPTORS_MAX = 1024 };

const char *const test_schemes[] = {"posix", "sysv", "file", "local", NULL};
const char *const test_shared_schemes[] = {"posix", "sysv", "file", NULL};
const char *const test_sem_schemes[] = {"posix", "sysv", NULL};

#ifdef QUOIT_PLAIN_POSIX
const bool test_plain_posix = true;
#else
const bool test_plain_posix = false;
#endif

bool test_ipc_modes_are_reported(void)
{
    struct shmid_ds segment = {.shm_segsz = 0};
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0640);
    CHECK_GE(id, 0);
    CHECK_EQ(shmctl(id, IPC_STAT, &segment), 0);
    CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    bool are = (segment.shm_perm.mode & 0777) == 0640;
    CHECK(are || getenv("QUOIT_TEST_EMULATOR")); /* a real kernel reports them correctly */
    if (!are)
        (void)printf("  skipped: this emulator reports wrong System V permissions\n");
    return are;
}

bool test_outlives_handles(const char *name)
{
    (void)name;
    return true;
}

char **test_begin(int argc, char **argv)
{
    (void)argc;
    (void)setvbuf(stdout, NULL, _IOLBF, 4096);
    return argv;
}

void test_truncate(const char *path, uint64_t size_bytes)
{
    CHECK_EQ(truncate(path, (off_t)size_bytes), 0);
}

/* QUOIT_TEST_EMULATOR: the command words that start a program here (qemu-user), before the
   program's own words. */
static int emulator_words(char *text, size_t room, char **words_out)
{
    const char *emulator = getenv("QUOIT_TEST_EMULATOR");
    int count = 0;
    char *rest = text;
    (void)snprintf(text, room, "%s", emulator ? emulator : "");
    for (char *word; count < WORDS_MAX && (word = strtok_r(rest, " ", &rest)) != NULL;)
        words_out[count++] = word;
    return count;
}

/* QUOIT_TEST_PEERS: a directory with another build's tests. Every other process that is spawned
   runs a program from there. */
static void choose_program(char *program, size_t room)
{
    static unsigned spawned;
    const char *peers = getenv("QUOIT_TEST_PEERS"), *slash = strrchr(test_program, '/');
    if (peers && slash && spawned++ % 2 == 1)
        (void)snprintf(program, room, "%s%s", peers, slash);
    else
        (void)snprintf(program, room, "%s", test_program);
}

test_process test_spawn(const char *role, const char *const *arguments)
{
    static char role_option[] = "--role";
    char emulator[1024], program[1024], role_text[64], texts[ARGUMENTS_MAX][256];
    char *argv[WORDS_MAX + ARGUMENTS_MAX + 4] = {NULL};
    int count = emulator_words(emulator, sizeof emulator, argv);
    choose_program(program, sizeof program);
    (void)snprintf(role_text, sizeof role_text, "%s", role);
    argv[count++] = program;
    argv[count++] = role_option;
    argv[count++] = role_text;
    for (int i = 0; i < ARGUMENTS_MAX && arguments[i]; i++) {
        (void)snprintf(texts[i], sizeof texts[0], "%s", arguments[i]);
        argv[count++] = texts[i];
    }
    pid_t pid;
    int error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (error != 0)
        test_fail(__FILE__, __LINE__, "cannot start '%s': %s", role, strerror(error));
    test_child_began((test_process){.id = pid});
    return (test_process){.id = pid};
}

void test_kill(test_process process)
{
    (void)kill((pid_t)process.id, SIGKILL);
}

int test_wait(test_process process)
{
    int status;
    while (waitpid((pid_t)process.id, &status, 0) < 0)
        if (errno != EINTR)
            test_fail(__FILE__, __LINE__, "waitpid: %s", strerror(errno));
    test_child_ended(process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : TEST_KILLED;
}

bool test_is_running(test_process process)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)process.id, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

void test_pause(test_process process)
{
    CHECK_EQ(kill((pid_t)process.id, SIGSTOP), 0);
}

void test_resume(test_process process)
{
    CHECK_EQ(kill((pid_t)process.id, SIGCONT), 0);
}

void test_sleep_ms(int milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

void test_idle(void)
{
    static _Thread_local unsigned calls;
    const struct timespec moment = {.tv_nsec = 20000};
    if (++calls % 64 == 0) /* after a yield alone the other may still wait for a whole time slice */
        (void)nanosleep(&moment, NULL);
    else if (calls % 8 == 0)
        (void)sched_yield();
}

uint32_t test_own_pid(void)
{
    return (uint32_t)getpid();
}

int test_open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

struct test_thread {
    pthread_t id;
    void (*run)(void *);
    void *argument;
};

static void *run_thread(void *thread)
{
    const struct test_thread *self = thread;
    self->run(self->argument);
    return NULL;
}

test_thread *test_thread_start(void (*run)(void *), void *argument)
{
    test_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread);
    thread->run = run;
    thread->argument = argument;
    CHECK_EQ(pthread_create(&thread->id, NULL, run_thread, thread), 0);
    return thread;
}

void test_thread_join(test_thread *thread)
{
    CHECK_EQ(pthread_join(thread->id, NULL), 0);
    free(thread);
}
