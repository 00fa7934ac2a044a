/* SPDX-License-Identifier: MIT */
/* quoit ls: all objects on the machine, in a table. */
#include "object.h"
#include "options.h"
#include "print.h"
#include "process_info.h"
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Lists the queues, pools, regions and locks on this machine, in all schemes, sorted by name.\n"
    "For each it prints the size of an item (or block), the capacity, the number of items, and "
    "the\n"
    "processes that are members. Regions count bytes, and locks count holders. An SPSC queue of\n"
    "variable-size messages counts bytes (B): FILL is the part of its memory that is used. A "
    "queue\n"
    "of blocks of lines, which `quoit push` creates, counts lines.\n"
    "Objects that you may not read are counted, but not listed (Linux, posix:).\n"
    "\n"
    "  WHERE        a NAME, or the beginning of names, such as products or sysv:prod; a scheme:\n"
    "               posix, sysv, windows or file; or file:DIRECTORY for the objects in that\n"
    "               directory. Without a directory, a file: object is found while a process has "
    "it\n"
    "               open (Linux)\n"
    "  -j, --json   print an array of objects; the keys are below\n"
    "  -n, --names  print only the names, one per line, escaped as in tables: \"\\x9b\", "
    "\"\\u202e\"\n"
    "               stand for characters that are unsafe on a terminal. JSON has the exact names\n"
    "  -h, --help   print this help\n"
    "\n"
    "STATE is one of\n"
    "  in use    a member has it open; with \"N crashed\" if members crashed and their entries "
    "still\n"
    "            exist, and with \"N stopped\" if a signal or a debugger has stopped members\n"
    "  idle      no member has it open (observers do not count); regions have no members: -\n"
    "  dead      all its remaining members have crashed, or it is transient and has no member\n"
    "  damaged   its header or its lock file is damaged; the reason follows\n"
    "  foreign   it belongs to another user; only its first bytes were read. `quoit stat NAME`\n"
    "            reads it completely\n"
    "and \"finished\" if the producer has finished the stream, \"transient\" if its name is "
    "removed\n"
    "with its last member.\n"
    "\n"
    "JSON keys of `quoit ls` and `quoit stat`:\n"
    "  name, kind (spsc mpmc broadcast pool region lock unknown), state (\"in use\" idle dead\n"
    "  damaged foreign unknown), damage (null, or the reason), members: an array of {pid, "
    "process,\n"
    "  roles, alive, stopped, holds_up, lag, joined_at_unix_ns};\n"
    "  except for foreign objects and damaged ones that cannot be opened: item_bytes, capacity,\n"
    "  size, unit (of size, pushed and popped: items, messages, lines, blocks, bytes, holders),\n"
    "  fill (0 to 1), size_bytes and capacity_bytes (null, except for SPSC queues of messages: "
    "the\n"
    "  bytes that the messages use, and that `capacity` of the longest messages would use);\n"
    "  for queues: item_type, item_align, finishes, most_members, messages, drop_oldest, "
    "finished,\n"
    "  transient, prefault, lock_memory, huge_pages, user_bytes, pushed, popped, full, empty,\n"
    "  sleeps, wakes, repairs, high_water, created_by, created_at_unix_ns;\n"
    "  for regions: data_bytes;\n"
    "  for locks: holder (a PID, or null), abandoned (the last holder crashed without unlocking)\n"
    "\n"
    "Exit codes: 0 listed, also if there is no object; 1 an error, which is on stderr; 2 wrong "
    "usage.\n"
    "\n"
    "Examples:\n"
    "  quoit ls products\n"
    "  quoit ls file:/var/tmp\n"
    "  quoit ls --json | jq -r '.[] | select(.state == \"dead\") | .name'\n";

static const struct tool_option options[] = {
    {"json", false, 'j'}, {"names", false, 'n'}, {"help", false, 'h'}, {NULL, false, '\0'}};

/* Is the name one of the arguments, with its scheme or without? A NULL ends the arguments. */
static bool is_asked_for(const char *name, char **arguments)
{
    const char *colon = strchr(name, ':');
    for (; *arguments; arguments++)
        if (strcmp(name, *arguments) == 0 || (colon && strcmp(colon + 1, *arguments) == 0))
            return true;
    return false;
}

/* Reads the objects of these names, in order, without those that fail. NULL: out of memory. */
static struct object *read_all(const struct object_names *names, char **arguments,
                               size_t *count_out)
{
    struct object *objects = calloc(names->count + 1, sizeof *objects);
    *count_out = 0;
    for (size_t i = 0; objects && i < names->count; i++) {
        const char *name = names->names[i];
        bool asked = is_asked_for(name, arguments);
        if ((asked ? object_read : object_read_listed)(name, &objects[*count_out]) == QUOIT_OK)
            (*count_out)++;
        else
            object_free(&objects[*count_out]);
    }
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
    char capacity[PRINT_ROOM];
    print_state(object, state, sizeof state);
    print_padded(object->name, name_columns);
    if (object->type == OBJECT_UNKNOWN) {
        printf("  %-9s %10s %12s %12s %5s %7s", "?", "-", "-", "-", "-", "-");
    } else {
        if (object->item_bytes > 0)
            (void)snprintf(item, sizeof item, "%" PRIu64, object->item_bytes);
        if (object_is_bytes(object))
            (void)snprintf(capacity, sizeof capacity, "%" PRIu64 "B", object->capacity_bytes);
        else
            (void)snprintf(capacity, sizeof capacity, "%" PRIu64, object->capacity);
        printf("  %-9s %10s %12s %12" PRIu64 " %4.0f%%", object_kind(object), item, capacity,
               object->used, object->fill * 100);
        if (object->type == OBJECT_REGION)
            printf(" %7s", "-");
        else
            printf(" %7" PRIu64, object->alive);
    }
    printf("  %s", print_colour(print_state_colour(object)));
    print_text(stdout, state);
    printf("%s\n", print_colour(PRINT_PLAIN));
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

static int show(const struct object_names *names, char **arguments, bool json, bool all)
{
    size_t count;
    struct object *objects = read_all(names, arguments, &count);
    if (!objects)
        return tool_fail("out of memory: cannot allocate %zu objects", names->count);
    if (json)
        print_json(objects, count);
    else
        print_table(objects, count);
    for (size_t i = 0; i < count; i++)
        object_free(&objects[i]);
    free(objects);
    size_t unreadable = json || !all ? 0 : process_count_unreadable();
    if (unreadable > 0)
        printf("%zu not readable\n", unreadable);
    return TOOL_OK;
}

/* ---- WHERE ----------------------------------------------------------------------------------- */

static bool is_scheme(const char *where)
{
    static const char *const schemes[] = {"posix", "sysv", "windows", "file"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strcmp(where, schemes[i]) == 0)
            return true;
    return false;
}

static bool is_file(const char *where)
{
    return strncmp(where, "file:", 5) == 0 && where[5] != '\0';
}

/* Adds all names that begin with `where`; if it has no scheme, in each scheme. */
static bool list_names(const char *where, struct object_names *names)
{
    struct object_names all = {0};
    const size_t length = strlen(where), before = names->count;
    bool enough = object_list(NULL, &all);
    for (size_t i = 0; i < all.count && enough; i++) {
        const char *name = all.names[i], *colon = strchr(name, ':');
        if (strncmp(name, where, length) == 0 ||
            (!strchr(where, ':') && colon && strncmp(colon + 1, where, length) == 0))
            enough = object_add(names, name) ||
                     (tool_fail("out of memory: cannot allocate a list of objects"), 0);
    }
    object_free_names(&all);
    if (enough && names->count == before)
        (void)tool_fail("no object has the name '%s', or a name that begins with it; `quoit ls` "
                        "lists all objects",
                        where);
    return enough && names->count > before;
}

static bool list_where(const char *where, struct object_names *names)
{
    struct object object = {0};
    if (is_scheme(where))
        return object_list(where, names);
    if (is_file(where)) {
        bool is_object = object_read(where, &object) == QUOIT_OK;
        object_free(&object);
        return is_object ? object_add(names, where) : object_list(where, names);
    }
    return list_names(where, names);
}

static int run(int argc, char **argv)
{
    struct object_names names = {0};
    bool json = false, names_only = false, found = true;
    int letter;
    while ((letter = tool_option_next(argc, argv, "jnh", options)) != TOOL_OPTIONS_END)
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
            return tool_option_refuse();
        }
    if (json && names_only)
        return tool_usage("--json cannot be combined with --names; omit one of them");
    bool all = tool_operand == argc; /* the list includes /dev/shm */
    if (all)
        found = object_list(NULL, &names);
    for (int i = tool_operand; i < argc && found; i++) {
        found = list_where(argv[i], &names);
        all = all || strcmp(argv[i], "posix") == 0;
    }
    object_sort(&names);
    int code = found ? TOOL_OK : TOOL_FAILED;
    for (size_t i = 0; found && names_only && i < names.count; i++)
        print_line(names.names[i]);
    if (found && !names_only)
        code = show(&names, argv + tool_operand, json, all);
    object_free_names(&names);
    return print_end(code);
}

const struct tool_command tool_ls = {.name = "ls",
                                     .arguments = "[OPTION...] [WHERE...]",
                                     .summary = "list the queues, pools, regions and locks",
                                     .help = help,
                                     .run = run};
