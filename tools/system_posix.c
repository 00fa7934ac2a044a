/* SPDX-License-Identifier: MIT */
/* Input, output and time on POSIX systems. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void stream_binary(void)
{
}

int64_t stream_read(void *buffer, size_t room_bytes)
{
    return stream_read_from(STDIN_FILENO, buffer, room_bytes);
}

int64_t stream_read_from(int file, void *buffer, size_t room_bytes)
{
    ssize_t count;
    do
        count = read(file, buffer, room_bytes);
    while (count < 0 && errno == EINTR);
    return count;
}

int stream_open(const char *path)
{
    return strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
}

bool stream_sync(void)
{
#if defined _POSIX_SYNCHRONIZED_IO && _POSIX_SYNCHRONIZED_IO > 0
    return fdatasync(STDOUT_FILENO) == 0;
#else
    return fsync(STDOUT_FILENO) == 0;
#endif
}

bool stream_write(const void *bytes, size_t count)
{
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, next, count);
        next += written > 0 ? written : 0;
        count -= written > 0 ? (size_t)written : 0;
        if ((written < 0 && errno != EINTR) || (count > 0 && stream_stopped))
            return false;
    }
    return true;
}

size_t stream_joined_bytes(void)
{
    struct stat status;
    if (fstat(STDOUT_FILENO, &status) != 0)
        return 0;
    if (S_ISREG(status.st_mode))
        return STREAM_BLOCK_BYTES;
    long whole = S_ISFIFO(status.st_mode) ? fpathconf(STDOUT_FILENO, _PC_PIPE_BUF) : 0;
    return whole >= 0 ? (size_t)whole : _POSIX_PIPE_BUF;
}

bool stream_is_terminal(int descriptor)
{
    return isatty(descriptor) == 1;
}

void stream_sleep_ms(unsigned milliseconds)
{
    struct timespec time = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&time, NULL);
}

void stream_sleep_ns(uint64_t nanoseconds)
{
    struct timespec time = {.tv_nsec = (long)nanoseconds};
    (void)nanosleep(&time, NULL);
}

/* Without SA_RESTART: a signal ends a write that is blocked. */
void stream_catch(void (*handler)(int number))
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = handler}, before;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t stream_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t stream_unix_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}
