/* SPDX-License-Identifier: MIT */
/* Input, output and time on Windows. */
#include "stream.h"

#include <fcntl.h>
#include <io.h>
#include <string.h>
#include <windows.h>

enum { STDIN = 0, STDOUT = 1, PIPE_BYTES = 4096 };

void stream_binary(void)
{
    (void)_setmode(STDIN, _O_BINARY);
    (void)_setmode(STDOUT, _O_BINARY);
}

/* The C library counts in int. */
static unsigned piece(size_t count)
{
    const size_t most = 1u << 30;
    return (unsigned)(count < most ? count : most);
}

int64_t stream_read(void *buffer, size_t room_bytes)
{
    return stream_read_from(STDIN, buffer, room_bytes);
}

int64_t stream_read_from(int file, void *buffer, size_t room_bytes)
{
    return _read(file, buffer, piece(room_bytes));
}

int stream_open(const char *path)
{
    return strcmp(path, "-") == 0 ? STDIN : _open(path, _O_RDONLY | _O_BINARY | _O_NOINHERIT);
}

bool stream_sync(void)
{
    return _commit(STDOUT) == 0;
}

bool stream_write(const void *bytes, size_t count)
{
    const char *next = bytes;
    while (count > 0) {
        int written = _write(STDOUT, next, piece(count));
        if (written <= 0)
            return false;
        next += written;
        count -= (size_t)written;
    }
    return true;
}

size_t stream_joined_bytes(void)
{
    switch (GetFileType(GetStdHandle(STD_OUTPUT_HANDLE))) {
    case FILE_TYPE_DISK:
        return STREAM_BLOCK_BYTES;
    case FILE_TYPE_PIPE:
        return PIPE_BYTES;
    default:
        return 0;
    }
}

bool stream_is_terminal(int descriptor)
{
    return _isatty(descriptor) != 0;
}

void stream_sleep_ms(unsigned milliseconds)
{
    Sleep(milliseconds);
}

void stream_catch(void (*handler)(int number))
{
    (void)signal(SIGINT, handler);
    (void)signal(SIGTERM, handler);
}

void stream_sleep_ns(uint64_t nanoseconds)
{
    Sleep((DWORD)((nanoseconds + 999999) / 1000000));
}

uint64_t stream_now_ns(void)
{
    LARGE_INTEGER ticks, per_second;
    (void)QueryPerformanceCounter(&ticks);
    (void)QueryPerformanceFrequency(&per_second);
    return (uint64_t)((double)ticks.QuadPart * 1e9 / (double)per_second.QuadPart);
}

uint64_t stream_unix_ns(void)
{
    const uint64_t until_1970 = UINT64_C(116444736000000000); /* in units of 100 ns, from 1601 */
    FILETIME time;
    GetSystemTimePreciseAsFileTime(&time);
    return ((((uint64_t)time.dwHighDateTime << 32) | time.dwLowDateTime) - until_1970) * 100;
}
