/* SPDX-License-Identifier: MIT */
/* Samples of all objects, the rates between two of them, and the rates' history. */
#include "top.h"

#include "print.h"
#include "process_info.h"
#include "stream.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

static struct top_row *find(const struct top *top, const char *name)
{
    for (size_t i = 0; i < top->row_count; i++)
        if (strcmp(top->rows[i]->name, name) == 0)
            return top->rows[i];
    return NULL;
}

static void free_row(struct top_row *row)
{
    object_free(&row->object);
    free(row->name);
    free(row->shown);
    free(row);
}

/* NULL: out of memory. */
static struct top_row *add(struct top *top, const char *name)
{
    if (top->row_count == top->room) {
        size_t room = top->room > 0 ? 2 * top->room : 32;
        struct top_row **rows = realloc(top->rows, room * sizeof(struct top_row *));
        if (!rows)
            return NULL;
        top->rows = rows;
        top->room = room;
    }
    struct top_row *row = calloc(1, sizeof *row);
    size_t bytes = strlen(name) + 1;
    char *copy = malloc(bytes), *shown = print_copy(name);
    if (!row || !copy || !shown) {
        free(row);
        free(copy);
        free(shown);
        return NULL;
    }
    memcpy(copy, name, bytes);
    row->name = copy;
    row->shown = shown;
    top->rows[top->row_count++] = row;
    return row;
}

/* A queue that was removed and made again starts with an empty history. */
static bool is_the_same(const struct object *object, const struct object *before)
{
    return object->type == before->type &&
           object->queue.created_at_unix_ns == before->queue.created_at_unix_ns &&
           object->queue.created_by == before->queue.created_by && object->unit == before->unit;
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

/* Moves the object to the row. */
static void update(struct top_row *row, struct object *object, double seconds)
{
    bool continues = row->history_count > 0 && is_the_same(object, &row->object);
    if (!continues)
        row->history_count = 0;
    row->has_rates = continues && object->type == OBJECT_QUEUE;
    row->pushed_per_s = row->has_rates ? rate(object->pushed, row->object.pushed, seconds) : 0;
    row->popped_per_s = row->has_rates ? rate(object->popped, row->object.popped, seconds) : 0;
    object_free(&row->object);
    row->object = *object;
    row->object.name = row->name;
    object->members = NULL;
    row->history[row->history_count++ % TOP_HISTORY] = object->type == OBJECT_POOL
                                                           ? object->fill
                                                           : row->pushed_per_s;
    row->seen = true;
}

static bool look_at(struct top *top, const char *name, struct object *object, double seconds)
{
    quoit_status status = (top->names ? object_read : object_read_listed)(name, object);
    bool is_still = object->type == OBJECT_REGION || object->type == OBJECT_LOCK;
    bool is_shown = status == QUOIT_OK && !is_still && !object->foreign;
    struct top_row *row = is_shown ? find(top, name) : NULL;
    if (is_shown && !row)
        row = add(top, name);
    if (row)
        update(row, object, seconds);
    object_free(object);
    return row || !is_shown; /* not shown: removed, of a type without rates, another user's */
}

static void drop_unseen(struct top *top)
{
    size_t kept = 0;
    for (size_t i = 0; i < top->row_count; i++) {
        if (top->rows[i]->seen)
            top->rows[kept++] = top->rows[i];
        else
            free_row(top->rows[i]);
    }
    top->row_count = kept;
}

static bool look_at_all(struct top *top, char *const *names, size_t count)
{
    uint64_t now = stream_now_ns();
    double seconds = (double)(now - top->sampled_ns) / 1e9;
    struct object *object = malloc(sizeof *object);
    bool enough = object != NULL;
    for (size_t i = 0; i < top->row_count; i++)
        top->rows[i]->seen = false;
    for (size_t i = 0; i < count && enough; i++)
        enough = look_at(top, names[i], object, seconds);
    free(object);
    drop_unseen(top);
    top->sampled_ns = now;
    return enough;
}

bool top_sample(struct top *top)
{
    struct object_names all = {0};
    if (!top->names && !object_list(NULL, &all)) {
        object_free_names(&all);
        return false;
    }
    bool enough = look_at_all(top, top->names ? top->names : all.names,
                              top->names ? top->name_count : all.count);
    object_free_names(&all);
    if (!enough)
        (void)tool_fail("out of memory: cannot allocate the list of objects");
    top_sort(top);
    return enough;
}

/* ---- Order ----------------------------------------------------------------------------------- */

static int by_name(const void *one, const void *other)
{
    return strcmp((*(struct top_row *const *)one)->name, (*(struct top_row *const *)other)->name);
}

/* The largest first. */
static int by_value(double one, double other, const void *one_row, const void *other_row)
{
    if (one > other)
        return -1;
    return one < other ? 1 : by_name(one_row, other_row);
}

static int by_rate(const void *one, const void *other)
{
    return by_value((*(struct top_row *const *)one)->pushed_per_s,
                    (*(struct top_row *const *)other)->pushed_per_s, one, other);
}

static int by_fill(const void *one, const void *other)
{
    return by_value((*(struct top_row *const *)one)->object.fill,
                    (*(struct top_row *const *)other)->object.fill, one, other);
}

void top_sort(struct top *top)
{
    static int (*const orders[TOP_ORDERS])(const void *, const void *) = {by_name, by_rate,
                                                                          by_fill};
    if (top->row_count > 0)
        qsort(top->rows, top->row_count, sizeof(struct top_row *), orders[top->order]);
}

const char *top_order_name(enum top_order order)
{
    static const char *const names[TOP_ORDERS] = {"name", "rate", "fill"};
    return names[order];
}

/* ---- One row --------------------------------------------------------------------------------- */

const char *top_mark(const struct object *object)
{
    if (object->damage[0] != '\0')
        return "bad";
    if (object_is_abandoned(object))
        return "dead";
    if (object->type == OBJECT_QUEUE && object->queue.finished)
        return "end";
    for (uint64_t i = 0; object->stopped > 0 && i < object->member_count; i++)
        if (object->members[i].holds_up && process_is_stopped(object->members[i].pid))
            return "stop";
    return object->type != OBJECT_UNKNOWN && object->fill >= 1 ? "full" : "";
}

double top_history(const struct top_row *row, uint64_t back)
{
    if (back >= row->history_count || back >= TOP_HISTORY)
        return 0;
    return row->history[(row->history_count - 1 - back) % TOP_HISTORY];
}

void top_free(struct top *top)
{
    for (size_t i = 0; i < top->row_count; i++)
        free_row(top->rows[i]);
    free(top->rows);
}
