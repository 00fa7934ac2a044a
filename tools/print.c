/* SPDX-License-Identifier: MIT */
/* Colours, widths, numbers and ages for people; error messages for options. */
#include "print.h"

#include "printable.h"
#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STDOUT = 1 };

static bool has_colours(void)
{
    static int known = -1;
    if (known < 0) {
        const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
        known = stream_is_terminal(STDOUT) && !(no && *no) && term && strcmp(term, "dumb") != 0;
    }
    return known == 1;
}

const char *print_colour(enum print_colour colour)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m",
                                        "\033[31m", "\033[32m", "\033[33m"};
    return has_colours() ? codes[colour] : "";
}

enum print_colour print_state_colour(const struct object *object)
{
    if (object->damage[0] != '\0' || object_is_abandoned(object))
        return PRINT_RED;
    if (object->crashed > 0 || object->stopped > 0)
        return PRINT_YELLOW;
    return object->alive > 0 ? PRINT_GREEN : PRINT_DIM;
}

void print_text(FILE *out, const char *text)
{
    char shown[QUOIT_PRINTABLE_ROOM];
    size_t left = strlen(text), taken;
    for (; (taken = quoit_printable_next(text, left, shown)) > 0; text += taken, left -= taken)
        (void)fputs(shown, out);
}

void print_line(const char *text)
{
    print_text(stdout, text);
    (void)putchar('\n');
}

int print_columns(const char *text)
{
    char shown[QUOIT_PRINTABLE_ROOM];
    size_t left = strlen(text), taken;
    int columns = 0;
    for (; (taken = quoit_printable_next(text, left, shown)) > 0; text += taken, left -= taken)
        for (const char *at = shown; *at; at++)
            columns += ((unsigned char)*at & 0xc0) != 0x80;
    return columns;
}

char *print_copy(const char *text)
{
    size_t bytes = strlen(text), room = bytes * QUOIT_PRINTABLE_ROOM + 1;
    char *copy = malloc(room);
    if (copy)
        (void)quoit_printable(text, bytes, copy, room);
    return copy;
}

void print_padded(const char *text, int columns)
{
    int blanks = columns - print_columns(text);
    print_text(stdout, text);
    printf("%*s", blanks > 0 ? blanks : 0, "");
}

void print_short(double value, char out[PRINT_ROOM])
{
    static const char units[] = " kMGTPE";
    int unit = 0;
    while (value >= 999.5 && units[unit + 1] != '\0') {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        (void)snprintf(out, PRINT_ROOM, "%.0f", value);
    else
        (void)snprintf(out, PRINT_ROOM, "%.*f%c", value < 99.95 ? 1 : 0, value, units[unit]);
}

void print_capacity(const struct object *object, char out[PRINT_ROOM])
{
    bool bytes = object_is_bytes(object);
    print_short((double)(bytes ? object->capacity_bytes : object->capacity), out);
    size_t length = strlen(out);
    if (bytes)
        (void)snprintf(out + length, PRINT_ROOM - length, "B");
}

void print_age(uint64_t since_unix_ns, char out[PRINT_ROOM])
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    uint64_t since = since_unix_ns / 1000000000, now = (uint64_t)time(NULL);
    uint64_t age = now > since ? now - since : 0;
    size_t unit = 0;
    while (unit < 3 && age < units[unit].seconds)
        unit++;
    int length = snprintf(out, PRINT_ROOM, "%" PRIu64 " %s", age / units[unit].seconds,
                          units[unit].name);
    if (unit < 3)
        (void)snprintf(out + length, (size_t)(PRINT_ROOM - length), " %" PRIu64 " %s",
                       age % units[unit].seconds / units[unit + 1].seconds, units[unit + 1].name);
}

void print_state(const struct object *object, char *out, size_t room)
{
    char crashed[PRINT_ROOM] = "", stopped[PRINT_ROOM] = "";
    if (object->damage[0] != '\0') {
        (void)snprintf(out, room, "damaged: %s", object->damage);
        return;
    }
    if (object->crashed > 0 && !object_is_abandoned(object))
        (void)snprintf(crashed, sizeof crashed, ", %" PRIu64 " crashed", object->crashed);
    if (object->stopped > 0)
        (void)snprintf(stopped, sizeof stopped, ", %" PRIu64 " stopped", object->stopped);
    bool is_queue = object->type == OBJECT_QUEUE;
    (void)snprintf(out, room, "%s%s%s%s%s", object_state(object), crashed, stopped,
                   is_queue && object->queue.finished ? ", finished" : "",
                   is_queue && object->queue.transient ? ", transient" : "");
}

int print_end(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return tool_fail("cannot write to stdout: %s", strerror(errno));
}
