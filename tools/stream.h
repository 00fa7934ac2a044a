/* SPDX-License-Identifier: MIT */
/* Shared by push, pop, tail and bench: numbers on the command line, and functions that depend on
   the system (system_posix.c, system_windows.c; pipe_linux.c, pipe_none.c). */
#ifndef QUOIT_TOOLS_STREAM_H
#define QUOIT_TOOLS_STREAM_H

#include <quoit/inspect.h>

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read an option's number; on an error, print it and return false. Sizes may end in K, M or G
   (1024). */
bool stream_number(const char *option, const char *text, uint64_t *value_out);
bool stream_seconds(const char *option, const char *text, int64_t *timeout_ns_out);

/* Returns the one NAME after the options; on an error, prints it and returns NULL. */
const char *stream_name(int argc, char **argv, int index);

/* In the user area of a queue that `quoit push` has made for blocks of lines. */
#define STREAM_MARK "blocks\n"
struct stream_mark {
    char text[8];
    /* SPSC: `offset` bytes of the message at `position`, as in info.popped, are popped already. */
    uint64_t position;
    uint64_t offset;
    uint64_t pushed_lines; /* since the queue was made, by `quoit push` */
};
/* Returns NULL if the queue has no mark. */
struct stream_mark *stream_mark(const quoit_queue *queue, const struct quoit_queue_info *info);

/* The number of newlines. */
uint64_t stream_count_lines(const char *text, size_t count);
/* Returns the number of bytes of the whole lines in the first `count`, of at most `most` lines. */
size_t stream_whole_lines(const char *text, size_t count, uint64_t most);

/* Makes stdin and stdout pass bytes unchanged, line ends included. */
void stream_binary(void);
/* The most text that is read or pushed at once: the width of a pipe by default. */
enum { STREAM_BLOCK_BYTES = 64 * 1024 };
/* Reads what is available, at least one byte. Returns 0 at the end, -1 on an error (errno). */
int64_t stream_read(void *buffer, size_t room_bytes); /* from stdin */
int64_t stream_read_from(int file, void *buffer, size_t room_bytes);
/* Opens a file for stream_read_from, "-" is stdin; -1: an error (errno). It stays open. */
int stream_open(const char *path);
/* Waits until what was written to stdout is on the disk; false on an error (errno). */
bool stream_sync(void);
/* Writes all bytes; false on an error (errno), or if stream_stopped was set meanwhile. */
bool stream_write(const void *bytes, size_t count);
/* The same for a message on a terminal: as print_text, but keeps line ends and tabs. */
bool stream_write_printable(const char *text, size_t count);
/* Returns how many bytes of messages may be joined in one write to stdout, so that no other
   process's write splits it. 0: each write is a message of its own (a socket, a device). */
size_t stream_joined_bytes(void);
/* Widens stdin, or stdout, if it is a pipe that may be widened: more bytes are then in flight, with
   fewer switches between processes. Only for blocks and records: otherwise pop would take messages
   too far ahead of other consumers, or single lines too far ahead of their reader. */
void stream_widen_stdin(void);
void stream_widen_stdout(void);
bool stream_is_terminal(int descriptor);
/* A wait that takes longer prints a hint about what it waits for. */
enum { STREAM_HINT_MS = 700 };
void stream_sleep_ms(unsigned milliseconds);
void stream_sleep_ns(uint64_t nanoseconds); /* less than a second */
uint64_t stream_now_ns(void);               /* monotonic */
uint64_t stream_unix_ns(void);              /* since 1970 */

/* Between begin and end, SIGINT and SIGTERM do not end the process: they set stream_stopped, and
   end waits on that queue, a sleep, and a write that is blocked. A second signal ends the process.
   end sends the process the signal again, if one came. */
extern volatile sig_atomic_t stream_stopped;
void stream_stop_begin(void);
void stream_stop_waits_on(quoit_queue *queue); /* NULL: on none. Before the queue is closed */
void stream_stop_end(void);
/* Calls handler for SIGINT and SIGTERM, unless they are ignored. For the functions above, and for
   record and replay, whose writes must end also after a signal. */
void stream_catch(void (*handler)(int number));

/* Returns the rest of a time-out that began at begin_ns: 0 if it has passed, QUOIT_FOREVER for
   QUOIT_FOREVER. */
int64_t stream_left_ns(int64_t timeout_ns, uint64_t begin_ns);

#endif
