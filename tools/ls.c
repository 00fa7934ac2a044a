/* SPDX-License-Identifier: MIT */
/* quoit ls: all objects on the machine, in a table. */
#include "object.h"
#include "print.h"
#include "tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

static const char help[] =
    "Lists the queues, pools and regions on this machine, of all kinds of names, sorted by name:\n"
    "how large an item (a block) is, how many there is room for, how many there are, and who is\n"
    "in it. Regions count bytes. What this user may not read is left out.\n"
    "\n"
    "  WHERE        a scheme: posix, sysv, windows, file; or file:DIRECTORY, which lists the\n"
    "               objects in that directory. Without a directory, file: objects are found while\n"
    "               a process has them open (Linux)\n"
    "  -j, --json   an array of objects, as below\n"
    "  -n, --names  the names alone, one a line\n"
    "  -h, --help\n"
    "\n"
    "STATE is one of\n"
    "  in use    with \"N dead\" where members died in it and left their rows\n"
    "  idle      nobody has it open (looking at it does not count); regions keep no members: -\n"
    "  dead      everybody who was left in it has died\n"
    "  damaged   its header or its lock file cannot be right; the reason follows\n"
    "  foreign   another user's, of which nothing but its first bytes was read; `quoit stat NAME`\n"
    "            reads it\n"
    "and \"finished\" where the producer has ended the stream.\n"
    "\n"
    "JSON keys, of `quoit ls` and `quoit stat`:\n"
    "  name, kind (spsc mpmc broadcast pool region unknown), state (\"in use\" idle dead damaged\n"
    "  foreign unknown), damage (null, or why), members: an array of {pid, process, roles, alive,\n"
    "  holds_up, lag, joined_at_unix_ns};\n"
    "  but for foreign ones, and damaged ones that cannot be opened: item_bytes, capacity, size, "
    "fill (0 to 1);\n"
    "  of queues: sized, lossy, tuning, finished, user_bytes, pushed, popped, full, empty, "
    "sleeps,\n"
    "  wakes, repairs, high_water, created_by, created_at_unix_ns\n"
    "\n"
    "Exit codes: 0 listed, also where there is nothing; 1 trouble, said on stderr; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  quoit ls file:/var/tmp\n"
    "  quoit ls --json | jq -r '.[] | select(.state == \"dead\") | .name'\n";

static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                        {"names", no_argument, NULL, 'n'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

/* What can be read of them, in their order. NULL: out of memory. */
static struct object *read_all(const struct object_names *names, size_t *count_out)
{
    struct object *objects = calloc(names->count + 1, sizeof *objects);
    *count_out = 0;
    for (size_t i = 0; objects && i < names->count; i++)
        if (object_read_listed(names->names[i], &objects[*count_out]) == QUOIT_OK)
            (*count_out)++;
    return objects;
}

static void print_json(const struct object *objects, size_t count)
{
    printf("[");
    for (size_t i = 0; i < count; i++) {
        printf("%s\n", i > 0 ? "," : "");
        object_print_json(stdout, &objects[i], "  ");
    }
    printf("%s]\n", count > 0 ? "\n" : "");
}

static void print_row(const struct object *object, int name_columns)
{
    char state[sizeof object->damage + PRINT_ROOM], item[PRINT_ROOM] = "-";
    print_state(object, state, sizeof state);
    print_padded(object->name, name_columns);
    if (object->type == OBJECT_UNKNOWN) {
        printf("  %-9s %10s %12s %12s %5s %7s", "?", "-", "-", "-", "-", "-");
    } else {
        if (object->item_bytes > 0)
            (void)snprintf(item, sizeof item, "%" PRIu64, object->item_bytes);
        printf("  %-9s %10s %12" PRIu64 " %12" PRIu64 " %4.0f%%", object_kind(object), item,
               object->capacity, object->used, object->fill * 100);
        if (object->type == OBJECT_REGION)
            printf(" %7s", "-");
        else
            printf(" %7" PRIu64, object->living);
    }
    printf("  %s%s%s\n", print_colour(print_state_colour(object)), state,
           print_colour(PRINT_PLAIN));
}

static void print_table(const struct object *objects, size_t count)
{
    int columns = print_columns("NAME");
    for (size_t i = 0; i < count; i++)
        if (print_columns(objects[i].name) > columns)
            columns = print_columns(objects[i].name);
    printf("%s", print_colour(PRINT_BOLD));
    print_padded("NAME", columns);
    printf("  %-9s %10s %12s %12s %5s %7s  %s%s\n", "KIND", "ITEM BYTES", "CAPACITY", "SIZE",
           "FILL", "MEMBERS", "STATE", print_colour(PRINT_PLAIN));
    for (size_t i = 0; i < count; i++)
        print_row(&objects[i], columns);
}

static int show(const struct object_names *names, bool json)
{
    size_t count;
    struct object *objects = read_all(names, &count);
    if (!objects)
        return tool_fail("out of memory for %zu objects", names->count);
    if (json)
        print_json(objects, count);
    else
        print_table(objects, count);
    free(objects);
    return TOOL_OK;
}

static int run(int argc, char **argv)
{
    struct object_names names = {0};
    bool json = false, names_only = false, found = true;
    int letter;
    while ((letter = getopt_long(argc, argv, ":jnh", options, NULL)) != -1)
        switch (letter) {
        case 'j':
            json = true;
            break;
        case 'n':
            names_only = true;
            break;
        case 'h':
            return tool_help();
        default:
            return print_bad_option(argv, letter);
        }
    if (json && names_only)
        return tool_usage("--json and --names exclude each other");
    if (optind == argc)
        found = object_list(NULL, &names);
    for (int i = optind; i < argc && found; i++)
        found = object_list(argv[i], &names);
    int code = found ? TOOL_OK : TOOL_FAILED;
    for (size_t i = 0; found && names_only && i < names.count; i++)
        puts(names.names[i]);
    if (found && !names_only)
        code = show(&names, json);
    object_free_names(&names);
    return print_end(code);
}

const struct tool_command tool_ls = {.name = "ls",
                                     .arguments = "[OPTION...] [WHERE...]",
                                     .summary = "list the queues, pools and regions there are",
                                     .help = help,
                                     .run = run};
