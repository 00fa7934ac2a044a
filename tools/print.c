/* SPDX-License-Identifier: MIT */
/* Colours, widths, numbers and ages for people; what is wrong with an option. */
#include "print.h"

#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
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
    if (object->damage[0] != '\0' || object_is_dead(object))
        return PRINT_RED;
    if (object->dead > 0)
        return PRINT_YELLOW;
    return object->living > 0 ? PRINT_GREEN : PRINT_DIM;
}

int print_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

void print_padded(const char *text, int columns)
{
    int blanks = columns - print_columns(text);
    printf("%s%*s", text, blanks > 0 ? blanks : 0, "");
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
    char dead[PRINT_ROOM] = "";
    if (object->damage[0] != '\0') {
        (void)snprintf(out, room, "damaged: %s", object->damage);
        return;
    }
    if (object->dead > 0 && !object_is_dead(object))
        (void)snprintf(dead, sizeof dead, ", %" PRIu64 " dead", object->dead);
    (void)snprintf(out, room, "%s%s%s", object_state(object), dead,
                   object->type == OBJECT_QUEUE && object->queue.finished ? ", finished" : "");
}

int print_bad_option(char **argv, int letter)
{
    const char *text = argv[optind - 1];
    if (letter == ':')
        return tool_usage("a value is missing after '%s'", text);
    if (optopt != 0 && strncmp(text, "--", 2) != 0)
        return tool_usage("there is no option '-%c'", optopt);
    if (optopt != 0)
        return tool_usage("no value belongs to '%s'", text);
    return tool_usage("there is no option '%s', or more than one begins so", text);
}

int print_end(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return tool_fail("stdout cannot be written: %s", strerror(errno));
}
