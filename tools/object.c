/* SPDX-License-Identifier: MIT */
/* Reading an object by its name, whatever it is, and finding the names of all. */
#include "object.h"

#include "fault.h"
#include "process_info.h"
#include "stream.h"
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void note_damage(struct object *object, quoit_status status)
{
    (void)snprintf(object->damage, sizeof object->damage, "%s", quoit_describe(status));
}

static bool is_damage(quoit_status status)
{
    return status == QUOIT_ERROR_CORRUPT || status == QUOIT_ERROR_FORMAT;
}

static double share(double part, double whole)
{
    if (whole <= 0)
        return 0;
    return part < whole ? part / whole : 1;
}

/* Counts the lines in a queue of blocks, without the popped ones of the first block. It reads each
   block, so there is a limit; false: there are more, or the queue changed too quickly. */
static bool count_lines(const quoit_queue *queue, const struct quoit_queue_info *info,
                        const struct stream_mark *mark, uint64_t *lines_out)
{
    const uint64_t most_bytes = UINT64_C(64) << 20;
    struct quoit_browser browser = {.next = info->popped, .begun = true};
    uint64_t begin = mark->position == info->popped ? mark->offset : 0, seen = 0, bytes;
    char *text = malloc((size_t)info->item_bytes);
    quoit_status status = text ? QUOIT_OK : QUOIT_ERROR_NO_MEMORY;
    *lines_out = 0;
    while (status == QUOIT_OK && seen < most_bytes && browser.next != info->pushed) {
        status = quoit_queue_browse(queue, &browser, text, info->item_bytes, &bytes);
        if (status != QUOIT_OK)
            break;
        begin = begin < bytes ? begin : 0;
        *lines_out += stream_count_lines(text + begin, (size_t)(bytes - begin));
        *lines_out += bytes == 0 || text[bytes - 1] != '\n';
        seen += bytes + 8; /* 8: so that empty messages reach the limit, too */
        begin = 0;
    }
    free(text);
    return (status == QUOIT_OK && seen < most_bytes && browser.missed == 0) ||
           status == QUOIT_EMPTY || status == QUOIT_FINISHED;
}

/* Counts the content in the unit that the user counts in. */
static void count_contents(const quoit_queue *queue, struct object *object)
{
    const struct quoit_queue_info *info = &object->queue;
    uint64_t lines;
    object->unit = info->messages ? "messages" : "items";
    object->used = info->size;
    object->pushed = info->pushed_messages;
    object->popped = info->popped_messages;
    object->fill = share((double)info->size, (double)info->capacity);
    if (!object_is_bytes(object))
        return;
    uint64_t longest = (info->item_bytes + UINT64_C(15)) / 8 * 8;
    object->capacity_bytes = longest * info->capacity;
    object->used_bytes = info->pushed - info->popped;
    if (object->used_bytes > object->capacity_bytes) /* it changed meanwhile, or is damaged */
        object->used_bytes = object->capacity_bytes;
    const struct stream_mark *mark = stream_mark(queue, info);
    if (!mark || !count_lines(queue, info, mark, &lines))
        return;
    object->unit = "lines";
    object->used = lines;
    object->pushed = mark->pushed_lines > lines ? mark->pushed_lines : lines;
    object->popped = object->pushed - lines;
}

/* Makes room for the members that there are, and for some that join meanwhile. Returns 0 if it is
   out of memory: the members are then left out. */
static uint64_t make_room(struct object *object, uint64_t count)
{
    const uint64_t room = count + 16;
    if (count > QUOIT_MEMBERS_MAX)
        return 0;
    object->members = calloc((size_t)room, sizeof *object->members);
    return object->members ? room : 0;
}

static void count_members(struct object *object, uint64_t count, uint64_t room)
{
    object->member_count = count < room ? count : room;
    for (uint64_t i = 0; i < object->member_count; i++) {
        const struct quoit_member_info *member = &object->members[i];
        object->alive += member->alive;
        object->crashed += !member->alive;
        object->stopped += member->alive && process_is_stopped(member->pid);
        object->producers += member->alive && (member->roles & QUOIT_PRODUCER);
        object->consumers += member->alive && (member->roles & QUOIT_CONSUMER);
    }
}

static quoit_status read_queue(const char *name, unsigned owners, struct object *object)
{
    quoit_queue *queue;
    uint64_t count = 0;
    quoit_status status = quoit_queue_open(name, QUOIT_OBSERVER | owners, &queue);
    if (status != QUOIT_OK)
        return status;
    object->type = OBJECT_QUEUE;
    /* CORRUPT here means that a lock file is lost; the rest of the info is valid. */
    status = quoit_queue_inspect(queue, &object->queue);
    if (status != QUOIT_OK)
        note_damage(object, status);
    (void)quoit_queue_members(queue, NULL, 0, &count);
    const uint64_t room = make_room(object, count);
    status = quoit_queue_members(queue, object->members, room, &count);
    if (status != QUOIT_OK)
        note_damage(object, status);
    object->item_bytes = object->queue.item_bytes;
    object->capacity = object->queue.capacity;
    count_contents(queue, object);
    quoit_queue_close(queue);
    count_members(object, count, room);
    return QUOIT_OK;
}

static quoit_status read_pool(const char *name, unsigned owners, struct object *object)
{
    quoit_pool *pool;
    uint64_t count = 0;
    quoit_status status = quoit_pool_open(name, QUOIT_OBSERVER | owners, &pool);
    if (status != QUOIT_OK)
        return status;
    object->type = OBJECT_POOL;
    (void)quoit_pool_members(pool, NULL, 0, &count);
    const uint64_t room = make_room(object, count);
    status = quoit_pool_members(pool, object->members, room, &count);
    if (status != QUOIT_OK)
        note_damage(object, status);
    object->item_bytes = quoit_pool_block_bytes(pool);
    object->capacity = quoit_pool_blocks(pool);
    object->used = object->capacity - quoit_pool_free_count(pool);
    object->unit = "blocks";
    object->fill = share((double)object->used, (double)object->capacity);
    quoit_pool_close(pool);
    count_members(object, count, room);
    return QUOIT_OK;
}

static quoit_status read_lock(const char *name, unsigned owners, struct object *object)
{
    quoit_lock *lock;
    uint64_t count = 0;
    quoit_status status = quoit_lock_open(name, QUOIT_OBSERVER | owners, &lock);
    if (status != QUOIT_OK)
        return status;
    object->type = OBJECT_LOCK;
    (void)quoit_lock_members(lock, NULL, 0, &count);
    const uint64_t room = make_room(object, count);
    status = quoit_lock_members(lock, object->members, room, &count);
    if (status != QUOIT_OK)
        note_damage(object, status);
    status = quoit_lock_holder(lock, &object->holder);
    object->abandoned = status == QUOIT_ABANDONED;
    if (is_damage(status))
        note_damage(object, status);
    object->capacity = 1;
    object->used = object->holder != 0;
    object->unit = "holders";
    object->fill = (double)object->used;
    quoit_lock_close(lock);
    count_members(object, count, room);
    return QUOIT_OK;
}

static quoit_status read_region(const char *name, unsigned owners, struct object *object)
{
    quoit_region *region;
    quoit_status status = quoit_region_open(name, QUOIT_OBSERVER | owners, &region);
    if (status != QUOIT_OK)
        return status;
    object->type = OBJECT_REGION;
    object->capacity = quoit_region_size(region);
    object->used = object->capacity - quoit_region_bytes_left(region);
    object->data_bytes = quoit_region_data_bytes(region);
    object->unit = "bytes";
    object->fill = share((double)object->used, (double)object->capacity);
    quoit_region_close(region);
    return QUOIT_OK;
}

/* owners: 0, or QUOIT_ANY_OWNER. */
static quoit_status read_object(const char *name, unsigned owners, struct object *object)
{
    memset(object, 0, sizeof *object);
    object->name = name;
    fault_begin();
    quoit_status status = read_queue(name, owners, object);
    if (status == QUOIT_ERROR_DIFFERENT)
        status = read_pool(name, owners, object);
    if (status == QUOIT_ERROR_DIFFERENT)
        status = read_lock(name, owners, object);
    if (status == QUOIT_ERROR_DIFFERENT)
        status = read_region(name, owners, object);
    bool is_cut_off = fault_end();
    if (is_damage(status))
        note_damage(object, status);
    if (is_cut_off)
        (void)snprintf(object->damage, sizeof object->damage,
                       "'%s' was truncated while it was read; remove it with `quoit rm`", name);
    return is_cut_off || is_damage(status) ? QUOIT_OK : status;
}

quoit_status object_read(const char *name, struct object *object_out)
{
    return read_object(name, QUOIT_ANY_OWNER, object_out);
}

quoit_status object_read_listed(const char *name, struct object *object_out)
{
    quoit_status status = read_object(name, 0, object_out);
    object_out->foreign = status == QUOIT_ERROR_OTHER_USER;
    return object_out->foreign ? QUOIT_OK : status;
}

void object_free(struct object *object)
{
    free(object->members);
    object->members = NULL;
    object->member_count = 0;
}

const char *object_kind(const struct object *object)
{
    static const char *const queues[] = {"spsc", "mpmc", "broadcast"};
    static const char *const others[] = {"?", "?", "pool", "region", "lock"};
    if (object->type != OBJECT_QUEUE)
        return others[object->type];
    return (unsigned)object->queue.kind < 3 ? queues[object->queue.kind] : "?";
}

bool object_is_abandoned(const struct object *object)
{
    bool transient = object->type == OBJECT_QUEUE && object->queue.transient;
    return object->damage[0] == '\0' && object->alive == 0 && (object->crashed > 0 || transient);
}

const char *object_state(const struct object *object)
{
    if (object->damage[0] != '\0')
        return "damaged";
    if (object->foreign)
        return "foreign";
    if (object_is_abandoned(object))
        return "dead";
    if (object->alive > 0)
        return "in use";
    /* A region does not know which processes use it. */
    return object->type == OBJECT_REGION ? "-" : "idle";
}

bool object_is_bytes(const struct object *object)
{
    return object->type == OBJECT_QUEUE && object->queue.messages &&
           object->queue.kind == QUOIT_SPSC;
}

int object_fail(const char *name, quoit_status status)
{
    uint32_t pids[9]; /* one more than are shown */
    char users[100] = "";
    if (status != QUOIT_ERROR_NOT_FOUND)
        return tool_fail_quoit(status);
    size_t count = process_find_unlinked(name, pids, 9);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(users);
        if (i < 8)
            (void)snprintf(users + length, sizeof users - length, " %" PRIu32, pids[i]);
        else
            (void)snprintf(users + length, sizeof users - length, " and others");
    }
    if (count > 0)
        return tool_fail(
            "the name '%s' was removed, but these processes still use the object: PID%s; a process "
            "that opens the name now does not reach them, so restart them",
            name, users);
    return tool_fail("no object has the name '%s' (if it was removed, only processes that have it "
                     "open can still use it; a container must share /dev/shm, and for sysv: the "
                     "IPC namespace); `quoit ls` lists the objects",
                     name);
}

/* ---- Names ----------------------------------------------------------------------------------- */

bool object_add(struct object_names *names, const char *name)
{
    if (names->count == names->room) {
        size_t room = names->room > 0 ? 2 * names->room : 64;
        char **grown = realloc(names->names, room * sizeof *grown);
        if (!grown)
            return false;
        names->names = grown;
        names->room = room;
    }
    size_t bytes = strlen(name) + 1;
    char *copy = malloc(bytes);
    if (!copy)
        return false;
    memcpy(copy, name, bytes);
    names->names[names->count++] = copy;
    return true;
}

struct gathering {
    struct object_names *names;
    bool failed;
};

static bool gather(void *context, const char *name)
{
    struct gathering *gathering = context;
    gathering->failed = !object_add(gathering->names, name);
    return !gathering->failed;
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

void object_sort(struct object_names *names)
{
    size_t kept = 0;
    if (names->count > 0)
        qsort(names->names, names->count, sizeof *names->names, compare);
    for (size_t i = 0; i < names->count; i++) {
        if (kept > 0 && strcmp(names->names[kept - 1], names->names[i]) == 0)
            free(names->names[i]);
        else
            names->names[kept++] = names->names[i];
    }
    names->count = kept;
}

bool object_list(const char *where, struct object_names *names)
{
    struct gathering gathering = {.names = names};
    fault_begin();
    quoit_status status = quoit_list(where, gather, &gathering);
    (void)fault_end();
    if (status != QUOIT_OK)
        (void)tool_fail_quoit(status);
    else if (gathering.failed)
        (void)tool_fail("out of memory: cannot allocate a list of objects");
    object_sort(names);
    return status == QUOIT_OK && !gathering.failed;
}

void object_free_names(struct object_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct object_names){0};
}
