/* SPDX-License-Identifier: MIT */
/* quoit check: do the invariants hold? --repair repairs what crashed members have left. */
#include "fault.h"
#include "object.h"
#include "options.h"
#include "print.h"
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>

static const char help[] =
    "Checks the memory of objects: the header, and each invariant of the ring or of the blocks.\n"
    "Other processes may use the object at the same time.\n"
    "\n"
    "  -a, --all            check every object that `quoit ls` lists, except other users' objects\n"
    "  -r, --repair         also repair what crashed members left: skip claims that were never\n"
    "                       committed; pass on items that a crashed consumer took and did not\n"
    "                       release; clear the entries of crashed members; free the blocks that a\n"
    "                       crashed member of a pool owned. Without this option the members of a\n"
    "                       queue repair it when they find the damage. If there is something to\n"
    "                       repair, check joins the queue for a short time; other members do not\n"
    "                       count it as a peer. If live processes hold all roles of a queue, "
    "check\n"
    "                       leaves the repair to them\n"
    "  -t, --through QUEUE  with --repair: a queue through which the blocks of the pools are "
    "sent;\n"
    "                       may be repeated. A block that a crashed member sent is freed only if\n"
    "                       its queue is named\n"
    "      --any-owner      with --repair: also repair objects of other users, if you may write\n"
    "                       to them\n"
    "  -j, --json           print an array of {name, kind, ok, damage (null, or the reason),\n"
    "                       crashed_members, cleared_members, settled_items, freed_blocks, note "
    "(null,\n"
    "                       or text)}\n"
    "  -h, --help           print this help\n"
    "\n"
    "A damaged object is not repaired; remove it with `quoit rm`.\n"
    "\n"
    "Exit codes: 0 no damage; 1 an error, which is on stderr, such as an unknown name; 2 wrong "
    "usage;\n"
    "4 an object is damaged.\n"
    "\n"
    "Examples:\n"
    "  quoit check --all\n"
    "  quoit check --repair frames --through filled --through returned\n";

enum { THROUGH_MAX = 64 };

struct check {
    bool all, repair, json;
    unsigned any_owner;               /* 0 or QUOIT_ANY_OWNER: of --repair */
    const char *through[THROUGH_MAX]; /* names */
    quoit_queue *queues[THROUGH_MAX];
    uint64_t through_count;
};

struct finding {
    struct object object;
    uint64_t cleared, settled, freed;
    const char *note; /* NULL: none */
};

static const struct tool_option options[] = {
    {"all", false, 'a'},       {"repair", false, 'r'}, {"json", false, 'j'}, {"through", true, 't'},
    {"any-owner", false, 'A'}, {"help", false, 'h'},   {NULL, false, '\0'}};

static void note_damage(struct finding *finding, quoit_status status)
{
    (void)snprintf(finding->object.damage, sizeof finding->object.damage, "%s",
                   quoit_describe(status));
}

static uint64_t less(uint64_t value, uint64_t by)
{
    return value > by ? value - by : 0;
}

/* ---- Checking -------------------------------------------------------------------------------- */

static quoit_status look_at_queue(struct finding *finding)
{
    quoit_queue *queue;
    unsigned roles = QUOIT_OBSERVER | QUOIT_ANY_OWNER;
    quoit_status status = quoit_queue_open(finding->object.name, roles, &queue);
    if (status != QUOIT_OK)
        return status;
    status = quoit_queue_check(queue);
    quoit_queue_close(queue);
    return status;
}

static quoit_status look_at_pool(struct finding *finding)
{
    quoit_pool *pool;
    unsigned flags = QUOIT_OBSERVER | QUOIT_ANY_OWNER;
    quoit_status status = quoit_pool_open(finding->object.name, flags, &pool);
    if (status != QUOIT_OK)
        return status;
    status = quoit_pool_check(pool);
    quoit_pool_close(pool);
    return status;
}

/* Checks the invariants of an object in which object_read has found no damage. */
static quoit_status look_at(const struct check *check, const char *name, struct finding *finding)
{
    struct object *object = &finding->object;
    quoit_status status = (check->all ? object_read_listed : object_read)(name, object);
    if (object->foreign)
        finding->note = "it belongs to another user, so it was not checked";
    if (status != QUOIT_OK || object->damage[0] != '\0' || object->foreign)
        return status;
    fault_begin();
    if (object->type == OBJECT_QUEUE)
        status = look_at_queue(finding);
    else if (object->type == OBJECT_POOL)
        status = look_at_pool(finding);
    bool is_cut_off = fault_end();
    if (status == QUOIT_ERROR_CORRUPT)
        note_damage(finding, status);
    if (is_cut_off)
        (void)snprintf(object->damage, sizeof object->damage, "'%s' was truncated during the check",
                       name);
    return is_cut_off || status == QUOIT_ERROR_CORRUPT ? QUOIT_OK : status;
}

/* ---- Repairing ------------------------------------------------------------------------------- */

static uint64_t crashed_members(const quoit_queue *queue)
{
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t count, crashed = 0;
    if (quoit_queue_members(queue, members, QUOIT_MEMBERS_MAX, &count) != QUOIT_OK)
        return 0;
    for (uint64_t i = 0; i < count && i < QUOIT_MEMBERS_MAX; i++)
        crashed += !members[i].alive;
    return crashed;
}

/* Joins in a role that is free. Taking over a crashed member's role also settles the items that it
   had claimed or taken. */
static quoit_status join(const struct check *check, const struct finding *finding,
                         quoit_queue **queue_out)
{
    static const unsigned tries[] = {QUOIT_PRODUCER | QUOIT_CONSUMER, QUOIT_CONSUMER,
                                     QUOIT_PRODUCER};
    quoit_status status = QUOIT_ERROR_ROLE_TAKEN;
    for (int i = 0; i < 3 && status == QUOIT_ERROR_ROLE_TAKEN; i++)
        status = quoit_queue_open(finding->object.name,
                                  tries[i] | QUOIT_FOR_REPAIR | check->any_owner, queue_out);
    return status;
}

/* How much crashed members have left, counted without joining. */
static quoit_status count_what_is_left(const struct finding *finding, uint64_t *count_out)
{
    quoit_queue *queue;
    unsigned roles = QUOIT_OBSERVER | QUOIT_ANY_OWNER;
    quoit_status status = quoit_queue_open(finding->object.name, roles, &queue);
    if (status != QUOIT_OK)
        return status;
    status = quoit_queue_repair(queue, count_out);
    quoit_queue_close(queue);
    return status;
}

static quoit_status repair_queue(const struct check *check, struct finding *finding)
{
    quoit_queue *queue;
    uint64_t count = 0;
    quoit_status status = count_what_is_left(finding, &count);
    if (status != QUOIT_OK || count == 0) /* without a finding there is no need to join */
        return status;
    status = join(check, finding, &queue);
    if (status == QUOIT_ERROR_ROLE_TAKEN) {
        finding->note = "live processes hold all its roles and repair it themselves";
        return QUOIT_OK;
    }
    if (status != QUOIT_OK)
        return status;
    uint64_t before = crashed_members(queue);
    status = quoit_queue_repair(queue, &count);
    uint64_t after = crashed_members(queue);
    quoit_queue_close(queue);
    /* Member entries that join took over were cleared as well, but are not in count. */
    finding->settled = less(count, less(before, after));
    finding->cleared = less(finding->object.crashed, after);
    return status;
}

static quoit_status repair_pool(const struct check *check, struct finding *finding)
{
    quoit_pool *pool;
    quoit_status status = quoit_pool_open(finding->object.name, check->any_owner, &pool);
    if (status != QUOIT_OK)
        return status;
    status = quoit_pool_reclaim(pool, check->queues, check->through_count, &finding->freed);
    if (finding->object.crashed > 0 && check->through_count == 0)
        finding->note =
            "blocks that were sent through a queue are not freed; name the queue with --through";
    quoit_pool_close(pool);
    return status;
}

static quoit_status repair(const struct check *check, struct finding *finding)
{
    struct object *object = &finding->object;
    quoit_status status = QUOIT_OK;
    if (object->damage[0] != '\0') {
        finding->note = "a damaged object is not repaired; remove it with `quoit rm`";
        return QUOIT_OK;
    }
    fault_begin();
    if (object->type == OBJECT_QUEUE)
        status = repair_queue(check, finding);
    else if (object->type == OBJECT_POOL)
        status = repair_pool(check, finding);
    if (!fault_end())
        return status;
    (void)snprintf(object->damage, sizeof object->damage, "'%s'%s was truncated during the repair",
                   object->name, check->through_count > 0 ? ", or a queue of --through," : "");
    return QUOIT_OK;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void tell_text(const struct finding *finding)
{
    const struct object *object = &finding->object;
    bool sound = object->damage[0] == '\0';
    print_text(stdout, object->name);
    printf(": %s%s%s", print_colour(sound ? PRINT_GREEN : PRINT_RED),
           !sound            ? "damaged"
           : object->foreign ? "foreign"
                             : "ok",
           print_colour(PRINT_PLAIN));
    if (!sound) {
        fputs(": ", stdout);
        print_text(stdout, object->damage);
    }
    if (finding->cleared > 0)
        printf(", cleared %" PRIu64 " crashed member%s", finding->cleared,
               finding->cleared == 1 ? "" : "s");
    else if (object->crashed > 0)
        printf(", %" PRIu64 " crashed member%s", object->crashed, object->crashed == 1 ? "" : "s");
    if (finding->settled > 0)
        printf(", settled %" PRIu64 " item%s of crashed members", finding->settled,
               finding->settled == 1 ? "" : "s");
    if (finding->freed > 0)
        printf(", freed %" PRIu64 " block%s of crashed members", finding->freed,
               finding->freed == 1 ? "" : "s");
    if (finding->note)
        printf(" (%s)", finding->note);
    puts("");
}

static void tell_text_or_null(const char *text)
{
    if (text && *text)
        object_print_json_text(stdout, text);
    else
        printf("null");
}

static void tell_json(const struct finding *finding)
{
    const struct object *object = &finding->object;
    const char *kind = object_kind(object);
    printf("  {\"name\": ");
    object_print_json_text(stdout, object->name);
    printf(", \"kind\": \"%s\", \"ok\": %s, \"damage\": ", kind[0] == '?' ? "unknown" : kind,
           object->damage[0] == '\0' ? "true" : "false");
    tell_text_or_null(object->damage);
    printf(", \"crashed_members\": %" PRIu64 ", \"cleared_members\": %" PRIu64
           ", \"settled_items\": %" PRIu64 ", \"freed_blocks\": %" PRIu64 ", \"note\": ",
           object->crashed, finding->cleared, finding->settled, finding->freed);
    tell_text_or_null(finding->note);
    printf("}");
}

/* ---- The command ----------------------------------------------------------------------------- */

static int worse(int code, int other)
{
    return code > other ? code : other;
}

static int check_one(const struct check *check, const char *name, bool *begun)
{
    struct finding *finding = calloc(1, sizeof *finding);
    if (!finding)
        return tool_fail("out of memory: cannot allocate the result of a check");
    int code = TOOL_OK;
    quoit_status status = look_at(check, name, finding);
    bool seen = status == QUOIT_OK;
    if (seen && check->repair)
        status = repair(check, finding);
    if (status == QUOIT_ERROR_CORRUPT)
        note_damage(finding, status);
    else if (status == QUOIT_ERROR_NOT_FOUND && check->all)
        seen = false;
    else if (seen && check->all &&
             (status == QUOIT_ERROR_OTHER_USER || status == QUOIT_ERROR_PERMISSION))
        finding->note = "it belongs to another user, so it was not repaired";
    else if (status != QUOIT_OK)
        code = object_fail(name, status);
    if (seen && check->json)
        printf("%s\n", *begun ? "," : "");
    if (seen)
        (check->json ? tell_json : tell_text)(finding);
    *begun = *begun || seen;
    if (seen && finding->object.damage[0] != '\0')
        code = TOOL_DAMAGED;
    object_free(&finding->object);
    free(finding);
    return code;
}

static int check_names(const struct check *check, char **names, size_t count)
{
    int code = TOOL_OK;
    bool begun = false;
    if (check->json)
        printf("[");
    for (size_t i = 0; i < count; i++)
        code = worse(code, check_one(check, names[i], &begun));
    if (check->json)
        printf("%s]\n", begun ? "\n" : "");
    return code;
}

static void close_through(struct check *check)
{
    for (uint64_t i = 0; i < check->through_count; i++)
        quoit_queue_close(check->queues[i]);
}

static int open_through(struct check *check)
{
    for (uint64_t i = 0; i < check->through_count; i++) {
        unsigned roles = QUOIT_OBSERVER | QUOIT_ANY_OWNER;
        fault_begin();
        quoit_status status = quoit_queue_open(check->through[i], roles, &check->queues[i]);
        if (fault_end())
            return tool_fail("'%s' was truncated while it was opened; remove it with `quoit rm`",
                             check->through[i]);
        if (status != QUOIT_OK)
            return object_fail(check->through[i], status);
    }
    return TOOL_OK;
}

/* -1 to go on, else an exit code. */
static int parse(struct check *check, int argc, char **argv)
{
    int letter;
    while ((letter = tool_option_next(argc, argv, "arjt:h", options)) != TOOL_OPTIONS_END)
        switch (letter) {
        case 'a':
            check->all = true;
            break;
        case 'r':
            check->repair = true;
            break;
        case 'j':
            check->json = true;
            break;
        case 't':
            if (check->through_count == THROUGH_MAX)
                return tool_usage("--through is given more than %d times; pass at most that many",
                                  THROUGH_MAX);
            check->through[check->through_count++] = tool_option_value;
            break;
        case 'A':
            check->any_owner = QUOIT_ANY_OWNER;
            break;
        case 'h':
            return tool_help();
        default:
            return tool_option_refuse();
        }
    if (check->all != (tool_operand == argc))
        return check->all
                   ? tool_usage("--all cannot be combined with the name '%s'; omit one of them",
                                argv[tool_operand])
                   : tool_usage("no NAME was given; pass one, or --all");
    if (check->through_count > 0 && !check->repair)
        return tool_usage("--through has no effect without --repair; add --repair");
    if (check->any_owner && !check->repair)
        return tool_usage("--any-owner has no effect without --repair, since a check reads every "
                          "object that it may read; add --repair");
    return -1;
}

static int run(int argc, char **argv)
{
    struct check check = {0};
    struct object_names names = {0};
    int code = parse(&check, argc, argv);
    if (code >= 0)
        return code;
    code = open_through(&check);
    if (code == TOOL_OK && !check.all)
        code = check_names(&check, argv + tool_operand, (size_t)(argc - tool_operand));
    else if (code == TOOL_OK)
        code = object_list(NULL, &names) ? check_names(&check, names.names, names.count)
                                         : TOOL_FAILED;
    object_free_names(&names);
    close_through(&check);
    return print_end(code);
}

const struct tool_command tool_check = {
    .name = "check",
    .arguments = "[OPTION...] NAME...|--all",
    .summary = "check invariants; --repair cleans up after crashes",
    .help = help,
    .any_owner = true,
    .run = run};
