/* SPDX-License-Identifier: MIT */
/* quoit rm: removes names, of whatever kind of object. */
#include "fault.h"
#include "object.h"
#include "options.h"
#include "print.h"
#include "tool.h"

static const char help[] =
    "Removes queues, pools, regions and locks, also damaged ones. Only the name is removed:\n"
    "processes that have the object open continue to use it, and its memory is freed when the "
    "last\n"
    "of them closes it. Other processes can no longer find its content.\n"
    "\n"
    "  -f, --force    do not fail if a name does not exist\n"
    "  -d, --dead     remove only objects whose remaining members have all crashed, and transient\n"
    "                 ones without members (STATE dead of `quoit ls`). Without a NAME: all such\n"
    "                 objects of this user. The items in them are lost: a restarted program\n"
    "                 cannot pop them\n"
    "  -n, --dry-run  only print the names that would be removed\n"
    "      --any-owner\n"
    "                 also remove objects of other users, if the system's permissions allow that:\n"
    "                 root may remove the objects of all users\n"
    "  -h, --help     print this help\n"
    "\n"
    "--dead and --dry-run print each name that was, or would be, removed.\n"
    "\n"
    "Exit codes: 0 removed; 1 an object was not removed (the reason is on stderr), but the others\n"
    "were; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  quoit rm products sysv:readings\n"
    "  quoit rm --dead --dry-run     # lists the objects of crashed programs\n"
    "  sudo quoit rm --dead --any-owner\n";

struct rm {
    bool force, dead, dry_run;
    unsigned any_owner; /* 0 or QUOIT_ANY_OWNER */
};

static const struct tool_option options[] = {{"force", false, 'f'},   {"dead", false, 'd'},
                                             {"dry-run", false, 'n'}, {"any-owner", false, 'A'},
                                             {"help", false, 'h'},    {NULL, false, '\0'}};

static quoit_status unlink_now(const struct rm *rm, const char *name)
{
    fault_begin();
    quoit_status status = rm->dead ? quoit_unlink_abandoned(name, rm->any_owner)
                                   : quoit_unlink(name, rm->any_owner);
    (void)fault_end(); /* if the object was truncated meanwhile, the status covers it */
    return status;
}

/* Would unlinking refuse it, as another user's? */
static quoit_status check_owner(const struct rm *rm, const char *name)
{
    quoit_region *region;
    fault_begin();
    quoit_status status = quoit_region_open(name, QUOIT_OBSERVER | rm->any_owner, &region);
    if (status == QUOIT_OK)
        quoit_region_close(region);
    (void)fault_end(); /* object_read, called next, reports it */
    return status == QUOIT_ERROR_OTHER_USER ? status : QUOIT_OK;
}

/* Removes nothing. BUSY: the object is not dead. */
static quoit_status would_remove(const struct rm *rm, const char *name)
{
    struct object object = {0};
    quoit_status status = check_owner(rm, name);
    if (status == QUOIT_OK)
        status = object_read(name, &object);
    if (status == QUOIT_OK && rm->dead && !object_is_abandoned(&object))
        status = QUOIT_ERROR_BUSY;
    object_free(&object);
    return status;
}

/* Does --dead leave this object alone? It is in use or idle, keeps no members, or is damaged. */
static bool is_not_abandoned(quoit_status status)
{
    return status == QUOIT_ERROR_BUSY || status == QUOIT_ERROR_DIFFERENT ||
           status == QUOIT_ERROR_CORRUPT || status == QUOIT_ERROR_FORMAT;
}

/* lenient: for a list; an object that is gone or belongs to another user is skipped silently. */
static int remove_one(const struct rm *rm, const char *name, bool lenient)
{
    quoit_status status = rm->dry_run ? would_remove(rm, name) : unlink_now(rm, name);
    if (rm->dead && is_not_abandoned(status))
        return TOOL_OK;
    if (status == QUOIT_OK) {
        if (rm->dead || rm->dry_run)
            print_line(name);
        return TOOL_OK;
    }
    if (lenient && (status == QUOIT_ERROR_OTHER_USER || status == QUOIT_ERROR_PERMISSION))
        return TOOL_OK;
    if (status == QUOIT_ERROR_NOT_FOUND && (rm->force || lenient))
        return TOOL_OK;
    return object_fail(name, status);
}

static int remove_all(const struct rm *rm, char **names, size_t count, bool lenient)
{
    int code = TOOL_OK;
    for (size_t i = 0; i < count; i++)
        if (remove_one(rm, names[i], lenient) != TOOL_OK)
            code = TOOL_FAILED;
    return code;
}

static int run(int argc, char **argv)
{
    struct rm rm = {0};
    struct object_names names = {0};
    int letter;
    while ((letter = tool_option_next(argc, argv, "fdnh", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 'f':
            rm.force = true;
            break;
        case 'd':
            rm.dead = true;
            break;
        case 'n':
            rm.dry_run = true;
            break;
        case 'A':
            rm.any_owner = QUOIT_ANY_OWNER;
            break;
        case 'h':
            return tool_help();
        default:
            return tool_option_refuse();
        }
    if (tool_operand < argc)
        return print_end(
            remove_all(&rm, argv + tool_operand, (size_t)(argc - tool_operand), false));
    if (!rm.dead)
        return tool_usage("no NAME was given; pass one, or --dead");
    int code = object_list(NULL, &names) ? remove_all(&rm, names.names, names.count, true)
                                         : TOOL_FAILED;
    object_free_names(&names);
    return print_end(code);
}

const struct tool_command tool_rm = {.name = "rm",
                                     .arguments = "[OPTION...] NAME...|--dead",
                                     .summary = "remove objects, or those of crashed programs",
                                     .help = help,
                                     .any_owner = true,
                                     .run = run};
