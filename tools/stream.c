/* SPDX-License-Identifier: MIT */
/* Numbers and names on the command line of push, pop, tail and bench; the mark of push's queues. */
#include "stream.h"

#include "printable.h"
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 }; /* bytes whose lines are counted in a byte: compilers make vectors of it */

/* 1024 to the power that the suffix names; 0 if it names none. */
static uint64_t unit(const char *suffix)
{
    static const char letters[] = "KMG";
    if (*suffix == '\0')
        return 1;
    const char *letter = suffix[1] == '\0' ? strchr(letters, toupper((unsigned char)*suffix))
                                           : NULL;
    return letter ? UINT64_C(1) << (10 * (letter - letters + 1)) : 0;
}

bool stream_number(const char *option, const char *text, uint64_t *value_out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    uint64_t factor = unit(end);
    if (!isdigit((unsigned char)text[0]) || errno != 0 || factor == 0 ||
        value > UINT64_MAX / factor) {
        (void)tool_usage("%s is '%s'; it must be a whole number, such as 100 or 64K", option, text);
        return false;
    }
    *value_out = value * factor;
    return true;
}

bool stream_seconds(const char *option, const char *text, int64_t *timeout_ns_out)
{
    char *end = NULL;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 1e9)) {
        (void)tool_usage("%s is '%s'; it must be 0 to 1e9 seconds, such as 2.5", option, text);
        return false;
    }
    *timeout_ns_out = (int64_t)(seconds * 1e9);
    return true;
}

const char *stream_name(int argc, char **argv, int index)
{
    if (index + 1 == argc)
        return argv[index];
    if (index == argc)
        (void)tool_usage("no NAME was given; pass the name of a queue");
    else
        (void)tool_usage("unexpected argument '%s'; pass only one NAME", argv[index + 1]);
    return NULL;
}

uint64_t stream_count_lines(const char *text, size_t count)
{
    uint64_t lines = 0;
    size_t at = 0;
    for (; count - at >= CHUNK; at += CHUNK) {
        uint8_t in_chunk = 0;
        for (size_t i = 0; i < CHUNK; i++)
            in_chunk = (uint8_t)(in_chunk + (text[at + i] == '\n'));
        lines += in_chunk;
    }
    for (; at < count; at++)
        lines += text[at] == '\n';
    return lines;
}

size_t stream_whole_lines(const char *text, size_t count, uint64_t most)
{
    if (most < count) { /* there may be more lines than that */
        size_t end = 0;
        const char *newline;
        while (most-- > 0 && (newline = memchr(text + end, '\n', count - end)) != NULL)
            end = (size_t)(newline - text) + 1;
        return end;
    }
    while (count > 0 && text[count - 1] != '\n')
        count--;
    return count;
}

/* "\r\n" ends a line. Any other "\r" is escaped: text after it would hide the text before it. */
static bool is_layout(const char *text, size_t count)
{
    return text[0] == '\n' || text[0] == '\t' ||
           (text[0] == '\r' && (count == 1 || text[1] == '\n'));
}

bool stream_write_printable(const char *text, size_t count)
{
    char out[4096];
    size_t filled = 0;
    while (count > 0) {
        char *shown = out + filled;
        size_t taken = 1;
        if (is_layout(text, count))
            (void)snprintf(shown, QUOIT_PRINTABLE_ROOM, "%c", text[0]);
        else
            taken = quoit_printable_next(text, count, shown);
        filled += strlen(shown);
        text += taken;
        count -= taken;
        if (filled + QUOIT_PRINTABLE_ROOM > sizeof out || count == 0) {
            if (!stream_write(out, filled))
                return false;
            filled = 0;
        }
    }
    return true;
}

struct stream_mark *stream_mark(const quoit_queue *queue, const struct quoit_queue_info *info)
{
    struct stream_mark *mark = quoit_queue_user_area(queue);
    bool is_one = info->messages && info->user_bytes == sizeof *mark &&
                  memcmp(mark->text, STREAM_MARK, sizeof mark->text) == 0;
    return is_one ? mark : NULL;
}

int64_t stream_left_ns(int64_t timeout_ns, uint64_t begin_ns)
{
    if (timeout_ns == QUOIT_FOREVER)
        return timeout_ns;
    const uint64_t passed = stream_now_ns() - begin_ns;
    return passed < (uint64_t)timeout_ns ? timeout_ns - (int64_t)passed : 0;
}

/* ---- Signals --------------------------------------------------------------------------------- */

volatile sig_atomic_t stream_stopped;
static quoit_queue *volatile waits_on;

static void on_signal(int number)
{
    (void)signal(number, SIG_DFL);
    stream_stopped = number;
    if (waits_on)
        (void)quoit_queue_interrupt(waits_on);
}

void stream_stop_begin(void)
{
    stream_catch(on_signal);
}

void stream_stop_waits_on(quoit_queue *queue)
{
    waits_on = queue;
}

void stream_stop_end(void)
{
    if (stream_stopped)
        (void)raise(stream_stopped);
}
