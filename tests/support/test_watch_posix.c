/* SPDX-License-Identifier: MIT */
/* The watcher of a test on POSIX systems: the test's parent process, which outlives it. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t watched;
static char names_path[] = TEST_WATCHED_FILE "names-XXXXXX";
static volatile sig_atomic_t ended_by; /* the signal that the watcher got */

/* Maps a file that has no name any more: plain POSIX has no anonymous shared memory. */
void *test_watched_memory(size_t bytes)
{
    char path[] = TEST_WATCHED_FILE "XXXXXX";
    int file = mkstemp(path);
    if (file < 0 || unlink(path) != 0 || ftruncate(file, (off_t)bytes) != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    if (memory == MAP_FAILED) {
        (void)fprintf(stderr, "mmap: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* Kills the process group: the test, and all the processes that it has started. */
static void kill_group(void)
{
    (void)kill(-watched, SIGKILL);
}

/* Second processes first print where they are (test_explain_ending). A stopped process cannot. */
static void end_it(int signal_number)
{
    const struct timespec moment = {.tv_nsec = 300000000};
    ended_by = signal_number;
    (void)kill(-watched, SIGTERM);
    (void)nanosleep(&moment, NULL);
    kill_group();
}

/* The signal may have interrupted a call of printf. Then nothing is printed, and SIGKILL
   follows. */
static void explain_and_end(int signal_number)
{
    test_print_place(stderr);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

void test_explain_ending(void)
{
    struct sigaction action = {.sa_handler = explain_and_end};
    (void)sigaction(SIGTERM, &action, NULL);
}

static void catch_signals(void)
{
    static const int signals[] = {SIGALRM, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_handler = end_it};
        (void)sigaction(signals[i], &action, NULL);
    }
}

static int wait_for_end(void)
{
    int status;
    while (waitpid(watched, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* Kills the group until its last process is gone, or a second has passed. */
static void clean_up(void)
{
    for (int i = 0; i < 100 && kill(-watched, SIGKILL) == 0; i++)
        test_sleep_ms(10);
    test_remove_names();
    test_remove_names_in(names_path);
}

static void explain(int status, unsigned seconds)
{
    (void)fflush(stdout);
    if (ended_by == SIGALRM)
        (void)fprintf(stderr,
                      "the test was ended after %u s, its time limit (QUOIT_TEST_TIMEOUT)\n",
                      seconds);
    else if (ended_by)
        (void)fprintf(stderr, "the test was ended: its watcher got signal %d\n", (int)ended_by);
    else
        (void)fprintf(stderr, "the test died of signal %d\n", WTERMSIG(status));
    test_print_place(stderr);
}

/* Returns in the test's own process. The caller's process waits for the end of that one, and ends
   with its exit code. */
void test_watch(unsigned seconds)
{
    int names = mkstemp(names_path);
    if (names < 0 || close(names) != 0 || chmod(names_path, 0666) != 0 ||
        setenv(TEST_NAMES_FILE, names_path, 1) != 0) {
        (void)fprintf(stderr, "%s: %s\n", names_path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    (void)fflush(NULL);
    watched = fork();
    if (watched == 0) {
        (void)setpgid(0, 0);
        return;
    }
    if (watched < 0) {
        (void)fprintf(stderr, "fork: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
    (void)setpgid(watched, watched); /* in both processes: either may run first */
    catch_signals();
    (void)alarm(seconds);
    int status = wait_for_end();
    (void)alarm(0);
    if (WIFSIGNALED(status))
        explain(status, seconds);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
        clean_up();
    kill_group();
    (void)unlink(names_path);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}
