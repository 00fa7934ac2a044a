/* SPDX-License-Identifier: MIT */
/* The second process of quoit bench, on POSIX systems, and its pipe. */
#include "bench.h"

#include "pin.h"
#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int64_t bench_start(const char *program, const char *row, const char *there, const char *back)
{
    pid_t child;
    const char *const words[] = {program, "bench", "--side", row, there, back, NULL};
    /* The prototype is older than const; nothing is written. */
    union {
        const char *const *words;
        char *const *argv;
    } arguments = {words};
    return posix_spawnp(&child, program, NULL, NULL, arguments.argv, environ) == 0 ? child : -1;
}

int bench_join(int64_t process)
{
    int status = -1;
    while (waitpid((pid_t)process, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

unsigned bench_id(void)
{
    return (unsigned)getpid();
}

enum { MESSAGE_MAX = 4096, MESSAGES = 64 /* between two readings of the clock */ };

static void read_messages(int fd, uint32_t bytes)
{
    char message[MESSAGE_MAX];
    (void)bench_pin(1);
    while (read(fd, message, bytes) > 0) {
    }
}

/* Returns the number of messages that were written; fewer than MESSAGES after an error. */
static unsigned write_messages(int fd, uint32_t bytes)
{
    static const char message[MESSAGE_MAX] = {0};
    unsigned done = 0;
    while (done < MESSAGES && write(fd, message, bytes) == (ssize_t)bytes)
        done++;
    return done;
}

bool bench_pipe(uint32_t bytes, uint64_t slice_ns, double *value_out)
{
    int ends[2];
    if (pipe(ends) != 0) /* not close-on-exec: no other process is started meanwhile */
        return (void)tool_fail("cannot make a pipe; free some descriptors (ulimit -n)"), false;
    (void)signal(SIGPIPE, SIG_IGN); /* if the second process is killed, write fails */
    bench_unpin();
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[1]);
        read_messages(ends[0], bytes);
        _exit(0);
    }
    (void)bench_pin(0);
    (void)close(ends[0]);
    uint64_t count = 0, begin = stream_now_ns(), now = begin;
    unsigned done = child < 0 ? 0 : MESSAGES;
    for (; done == MESSAGES && now - begin < slice_ns; now = stream_now_ns())
        count += done = write_messages(ends[1], bytes);
    (void)close(ends[1]);
    if (child < 0 || bench_join(child) != 0 || done != MESSAGES)
        return (void)tool_fail("the second process of the pipe did not run to its end"), false;
    *value_out = (double)count * 1e9 / (double)(now - begin);
    return true;
}

void bench_yield(void)
{
    (void)sched_yield();
}
