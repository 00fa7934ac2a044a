/* SPDX-License-Identifier: MIT */
/* quoit stat: shows all that is known of an object. */
#include "object.h"
#include "options.h"
#include "print.h"
#include "process_info.h"
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Prints the type of an object, its members, the member that blocks it, and its counters:\n"
    "  pushed, popped   since its creation: items, messages, or lines for a queue of blocks of\n"
    "                   lines, which `quoit push` creates; a crash can make it one too small\n"
    "  found full       pushes that found no free slot\n"
    "  found empty      pops that found no item\n"
    "  sleeps, wakes    how often a side blocked in a wait, and was woken; each is a system call\n"
    "  repairs          how often a member repaired what a crashed member left\n"
    "  high-water mark  the largest number of items that its members saw in it\n"
    "  holder           of a lock: the process that holds it\n"
    "\n"
    "  -a, --all            print every object that `quoit ls` lists; other users' objects by "
    "name\n"
    "                       only\n"
    "  -F, --format FORMAT  text (default), json or prometheus\n"
    "  -j, --json           the same as --format json: an array of objects, with the keys that\n"
    "                       `quoit ls --help` lists\n"
    "  -h, --help           print this help\n"
    "\n"
    "A crashed member is printed until another process takes its entry; `quoit check --repair`\n"
    "clears such entries. \"holds up\" marks the member for which the next step of the queue "
    "waits;\n"
    "\"stopped\" marks a member that a signal or a debugger has stopped (Linux). For a name that "
    "was\n"
    "removed while in use, stat prints the processes that still use the object (Linux, posix: and\n"
    "file:).\n"
    "\n"
    "Exit codes: 0 printed; 1 an object does not exist, or another error, which is on stderr; the\n"
    "others are printed; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  quoit stat products\n"
    "  quoit stat --all --format prometheus > quoit.prom.new && mv quoit.prom.new quoit.prom\n"
    "                       # in the directory of node_exporter's textfile collector\n";

enum format { TEXT, JSON, PROMETHEUS };

static const struct tool_option options[] = {{"all", false, 'a'},
                                             {"format", true, 'F'},
                                             {"json", false, 'j'},
                                             {"help", false, 'h'},
                                             {NULL, false, '\0'}};

/* The PID of a crashed member may be another process's by now. */
static void print_process(const struct quoit_member_info *member)
{
    char name[PROCESS_NAME_ROOM];
    process_name(member->alive ? member->pid : 0, name);
    printf("%" PRIu32 "%s", member->pid, name[0] ? " (" : "");
    print_text(stdout, name);
    fputs(name[0] ? ")" : "", stdout);
}

static void print_created(const struct quoit_queue_info *info)
{
    char age[PRINT_ROOM];
    print_age(info->created_at_unix_ns, age);
    printf("  created          %s ago by process %" PRIu32 "\n", age, info->created_by);
}

static void print_queue(const struct object *object)
{
    const struct quoit_queue_info *info = &object->queue;
    const char *unit = strcmp(object->unit, "items") == 0 ? "" : object->unit;
    const char *blank = unit[0] ? " " : "";
    printf("  items            %s%" PRIu64 " bytes\n", info->messages ? "messages of up to " : "",
           object->item_bytes);
    if (info->type[0]) {
        fputs("  type             ", stdout);
        print_text(stdout, info->type);
        fputs("\n", stdout);
    }
    printf("  capacity         %" PRIu64 "\n", object->capacity);
    printf("  size             %" PRIu64 "%s%s", object->used, blank, unit);
    if (object_is_bytes(object))
        printf(", %" PRIu64 " of %" PRIu64 " bytes", object->used_bytes, object->capacity_bytes);
    printf(" (%.0f%%)%s\n", object->fill * 100, info->finished ? ", finished" : "");
    printf("  high-water mark  %" PRIu64 "%s\n", info->high_water,
           strcmp(unit, "lines") == 0 ? " (blocks of lines)" : "");
    printf("  pushed           %" PRIu64 "%s%s\n", object->pushed, blank, unit);
    printf("  popped           %" PRIu64 "%s%s\n", object->popped, blank, unit);
    printf("  found full       %" PRIu64 "\n", info->full);
    printf("  found empty      %" PRIu64 "\n", info->empty);
    printf("  sleeps           %" PRIu64 "\n", info->sleeps);
    printf("  wakes            %" PRIu64 "\n", info->wakes);
    printf("  repairs          %" PRIu64 "\n", info->repairs);
    if (info->memory != 0)
        printf("  memory          %s%s%s\n", info->memory & QUOIT_PREFAULT ? " prefaulted" : "",
               info->memory & QUOIT_LOCK_MEMORY ? " locked" : "",
               info->memory & QUOIT_HUGE_PAGES ? " huge pages" : "");
    if (info->user_bytes > 0)
        printf("  user area        %" PRIu64 " bytes\n", info->user_bytes);
    print_created(info);
}

static void print_lock(const struct object *object)
{
    if (object->abandoned)
        printf("  holder           %snone: the last one crashed, or closed its handle, without "
               "unlocking%s\n",
               print_colour(PRINT_YELLOW), print_colour(PRINT_PLAIN));
    else if (object->holder == 0)
        puts("  holder           none");
    else
        printf("  holder           %" PRIu32 "\n", object->holder);
}

static void print_other(const struct object *object)
{
    if (object->type == OBJECT_POOL)
        printf("  blocks           %" PRIu64 " bytes each\n", object->item_bytes);
    printf("  in use           %" PRIu64 " of %" PRIu64 "%s (%.0f%%)\n", object->used,
           object->capacity, object->type == OBJECT_REGION ? " bytes" : "", object->fill * 100);
    if (object->data_bytes > 0)
        printf("  data             %" PRIu64 " bytes\n", object->data_bytes);
}

static void print_member(const struct quoit_member_info *member)
{
    static const char *const roles[] = {"member", "producer", "consumer", "producer and consumer"};
    char age[PRINT_ROOM];
    print_age(member->joined_at_unix_ns, age);
    printf("    ");
    print_process(member);
    printf("  %s, joined %s ago", roles[member->roles & 3], age);
    if (member->lag > 0)
        printf(", %" PRIu64 " to take", member->lag);
    if (member->holds_up)
        printf(", %sholds up%s", print_colour(PRINT_YELLOW), print_colour(PRINT_PLAIN));
    if (member->alive && process_is_stopped(member->pid))
        printf(", %sstopped%s", print_colour(PRINT_YELLOW), print_colour(PRINT_PLAIN));
    if (!member->alive)
        printf(", %scrashed%s", print_colour(PRINT_RED), print_colour(PRINT_PLAIN));
    puts("");
}

static void print_member_count(const struct object *object)
{
    printf("  members          %" PRIu64, object->alive);
    if (object->type == OBJECT_QUEUE)
        printf(" of at most %" PRIu32 "%s", object->queue.members,
               object->queue.kind == QUOIT_BROADCAST ? ", and the producer" : "");
    puts("");
}

static void print_object(const struct object *object)
{
    char state[sizeof object->damage + PRINT_ROOM];
    print_state(object, state, sizeof state);
    fputs(print_colour(PRINT_BOLD), stdout);
    print_text(stdout, object->name);
    printf("%s\n", print_colour(PRINT_PLAIN));
    if (object->type != OBJECT_UNKNOWN)
        printf("  kind             %s%s\n", object_kind(object),
               object->type == OBJECT_QUEUE && object->queue.when_full == QUOIT_DROP_OLDEST
                   ? ", drops the oldest"
                   : "");
    printf("  state            %s", print_colour(print_state_colour(object)));
    print_text(stdout, state);
    printf("%s\n", print_colour(PRINT_PLAIN));
    if (object->type == OBJECT_QUEUE)
        print_queue(object);
    else if (object->type == OBJECT_LOCK)
        print_lock(object);
    else if (object->type != OBJECT_UNKNOWN)
        print_other(object);
    if (object->type != OBJECT_UNKNOWN && object->type != OBJECT_REGION)
        print_member_count(object);
    for (uint64_t i = 0; i < object->member_count; i++)
        print_member(&object->members[i]);
}

static void print_all(const struct object *objects, size_t count, enum format format)
{
    if (format == PROMETHEUS)
        object_print_prometheus(stdout, objects, count);
    if (format == JSON)
        printf("[");
    for (size_t i = 0; format != PROMETHEUS && i < count; i++) {
        printf("%s", i == 0 ? "" : format == JSON ? "," : "\n");
        if (format == JSON)
            puts("");
        if (format == JSON)
            object_print_json(stdout, &objects[i], "  ");
        else
            print_object(&objects[i]);
    }
    if (format == JSON)
        printf("%s]\n", count > 0 ? "\n" : "");
}

/* lenient: leaves out objects that cannot be read, such as one removed since it was listed. */
static int show(char **names, size_t name_count, enum format format, bool lenient)
{
    int code = TOOL_OK;
    size_t count = 0;
    struct object *objects = calloc(name_count + 1, sizeof *objects);
    if (!objects)
        return tool_fail("out of memory: cannot allocate %zu objects", name_count);
    for (size_t i = 0; i < name_count; i++) {
        quoit_status status = (lenient ? object_read_listed : object_read)(names[i],
                                                                           &objects[count]);
        if (status == QUOIT_OK)
            count++;
        else
            object_free(&objects[count]);
        if (status != QUOIT_OK && !lenient)
            code = object_fail(names[i], status);
    }
    print_all(objects, count, format);
    for (size_t i = 0; i < count; i++)
        object_free(&objects[i]);
    free(objects);
    return code;
}

static bool parse_format(const char *text, enum format *format_out)
{
    static const char *const names[] = {"text", "json", "prometheus"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *format_out = (enum format)i;
            return true;
        }
    return false;
}

static int run(int argc, char **argv)
{
    struct object_names names = {0};
    enum format format = TEXT;
    bool all = false;
    int letter;
    while ((letter = tool_option_next(argc, argv, "aF:jh", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 'a':
            all = true;
            break;
        case 'F':
            if (!parse_format(tool_option_value, &format))
                return tool_usage("--format is '%s'; it must be text, json or prometheus",
                                  tool_option_value);
            break;
        case 'j':
            format = JSON;
            break;
        case 'h':
            return tool_help();
        default:
            return tool_option_refuse();
        }
    if (all != (tool_operand == argc))
        return all ? tool_usage("--all cannot be combined with the name '%s'; omit one of them",
                                argv[tool_operand])
                   : tool_usage("no NAME was given; pass one, or --all");
    if (!all)
        return print_end(show(argv + tool_operand, (size_t)(argc - tool_operand), format, false));
    int code = object_list(NULL, &names) ? show(names.names, names.count, format, true)
                                         : TOOL_FAILED;
    object_free_names(&names);
    return print_end(code);
}

const struct tool_command tool_stat = {.name = "stat",
                                       .arguments = "[OPTION...] NAME...|--all",
                                       .summary = "print an object's members and counters",
                                       .help = help,
                                       .run = run};
