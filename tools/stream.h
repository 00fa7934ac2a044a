/* SPDX-License-Identifier: MIT */
/* What push, pop, tail and bench share: numbers on the command line, and what they need of the
   system (system_posix.c, system_windows.c; pipe_linux.c, pipe_none.c). */
#ifndef QUOIT_TOOLS_STREAM_H
#define QUOIT_TOOLS_STREAM_H

#include <quoit/inspect.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of options; false has said what is wrong. Sizes may end in K, M or G (1024). */
bool stream_number(const char *option, const char *text, uint64_t *value_out);
bool stream_seconds(const char *option, const char *text, int64_t *timeout_ns_out);

/* The one NAME behind the options; NULL has said what is wrong. */
const char *stream_name(int argc, char **argv, int index);

/* In the user area of a queue that `quoit push` has made for blocks of lines. */
#define STREAM_MARK "blocks\n"
struct stream_mark {
    char text[8];
    /* SPSC: of the message at this position, as info.popped has it, so many bytes are popped. */
    uint64_t position;
    uint64_t offset;
    uint64_t pushed_lines; /* since the queue was made, by `quoit push` */
};
/* NULL if it is no such queue. */
struct stream_mark *stream_mark(const quoit_queue *queue, const struct quoit_queue_info *info);

/* The number of newlines. */
uint64_t stream_count_lines(const char *text, size_t count);
/* Bytes up to the end of the last whole line in the first `count`, of `most` lines at most. */
size_t stream_whole_lines(const char *text, size_t count, uint64_t most);

/* Bytes, on stdin and stdout as they are: no line ends are changed. */
void stream_binary(void);
/* Of text at once, where so much is at hand: a pipe's first width. */
enum { STREAM_BLOCK_BYTES = 64 * 1024 };
/* What is there, at least one byte; 0 at the end, -1 on an error (errno). */
int64_t stream_read(void *buffer, size_t room_bytes);
/* All of it; false on an error (errno). */
bool stream_write(const void *bytes, size_t count);
/* The same for a message on a terminal: as print_text, but lines and tabs stay. */
bool stream_write_printable(const char *text, size_t count);
/* How many bytes of messages may be joined in one write to stdout, which nobody else's tears. 0:
   each write is a message by itself there (a socket, a device). */
size_t stream_joined_bytes(void);
/* If it is a pipe that may be widened: more in flight, for fewer switches between processes. Only
   for blocks and records: who shares messages with others shall not run ahead of them, nor single
   lines of their reader. */
void stream_widen_stdin(void);
void stream_widen_stdout(void);
bool stream_is_terminal(int descriptor);
/* How long to wait before a hint is printed at what this waits for. */
enum { STREAM_HINT_MS = 700 };
void stream_sleep_ms(unsigned milliseconds);
uint64_t stream_now_ns(void); /* monotonic */

/* What is left of a time-out that began then: 0 if nothing is; QUOIT_FOREVER stays. */
int64_t stream_left_ns(int64_t timeout_ns, uint64_t begin_ns);

#endif
