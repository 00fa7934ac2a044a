/* SPDX-License-Identifier: MIT */
/* Objects as metrics, in Prometheus' text exposition format. All samples of a metric must
   be adjacent. So each row of the tables here is a metric, printed for one object after another. */
#include "object.h"
#include "printable.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* Escapes as print_text does, so the label is UTF-8 and does no harm on a terminal. A backslash
   that looks like the beginning of an escape is escaped, too, so that different names have
   different labels: a scraper refuses a page with the same sample twice. Then quotes the label as
   the format requires. */
static void label(FILE *out, const char *text)
{
    char shown[QUOIT_PRINTABLE_ROOM];
    size_t left = strlen(text), taken;
    for (; (taken = quoit_printable_next(text, left, shown)) > 0; text += taken, left -= taken) {
        bool looks = text[0] == '\\' && (text[1] == 'x' || text[1] == 'u' || text[1] == 'U');
        for (const char *at = looks ? "\\x5c" : shown; *at; at++)
            fprintf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    }
}

static void head(FILE *out, const char *metric, const char *type, const char *about)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric, about, metric, type);
}

static void sample(FILE *out, const char *metric, const struct object *object)
{
    fprintf(out, "%s{name=\"", metric);
    label(out, object->name);
    fputc('"', out);
}

/* ---- One value for each object of a type ----------------------------------------------------- */

static double capacity(const struct object *object)
{
    return (double)object->capacity;
}
static double used(const struct object *object)
{
    return (double)object->used;
}
static double item_bytes(const struct object *object)
{
    return (double)object->item_bytes;
}
static double fill(const struct object *object)
{
    return object->fill;
}
static double high_water(const struct object *object)
{
    return (double)object->queue.high_water;
}
static double finished(const struct object *object)
{
    return object->queue.finished;
}
static double created(const struct object *object)
{
    uint64_t milliseconds = object->queue.created_at_unix_ns / 1000000;
    return (double)milliseconds / 1000;
}

static double abandoned(const struct object *object)
{
    return object->abandoned;
}
static double used_bytes(const struct object *object)
{
    return (double)object->used_bytes;
}
static double capacity_bytes(const struct object *object)
{
    return (double)object->capacity_bytes;
}

/* A ring of bytes fills by bytes, any other by items; its capacity is in that unit only. */
enum which { ALL, BY_ITEMS, BY_BYTES, NO_LINES };

static const struct gauge {
    enum object_type type;
    enum which which;
    const char *metric, *about;
    double (*value)(const struct object *object);
} gauges[] = {
    {OBJECT_QUEUE, ALL, "quoit_queue_size_items", "Number of queued items, messages or lines.",
     used},
    {OBJECT_QUEUE, BY_ITEMS, "quoit_queue_capacity_items",
     "Number of items that the queue can hold.", capacity},
    {OBJECT_QUEUE, BY_BYTES, "quoit_queue_size_bytes",
     "Bytes used by the queued messages of an SPSC queue of messages.", used_bytes},
    {OBJECT_QUEUE, BY_BYTES, "quoit_queue_capacity_bytes",
     "Bytes for messages of an SPSC queue of messages.", capacity_bytes},
    {OBJECT_QUEUE, ALL, "quoit_queue_fill_ratio", "Used part of the capacity, 0 to 1.", fill},
    {OBJECT_QUEUE, NO_LINES, "quoit_queue_high_water_items",
     "Largest number of queued items that members saw.", high_water},
    {OBJECT_QUEUE, ALL, "quoit_queue_item_size_bytes",
     "Size of an item, or of the longest message.", item_bytes},
    {OBJECT_QUEUE, ALL, "quoit_queue_finished", "1 after a producer has finished the stream.",
     finished},
    {OBJECT_QUEUE, ALL, "quoit_queue_created_timestamp_seconds",
     "Time at which the queue was created.", created},
    {OBJECT_POOL, ALL, "quoit_pool_used_blocks", "Number of blocks that are in use.", used},
    {OBJECT_POOL, ALL, "quoit_pool_capacity_blocks", "Number of blocks in the pool.", capacity},
    {OBJECT_POOL, ALL, "quoit_pool_block_size_bytes", "Size of a block.", item_bytes},
    {OBJECT_REGION, ALL, "quoit_region_used_bytes", "Bytes of the region that are in use.", used},
    {OBJECT_REGION, ALL, "quoit_region_size_bytes", "Bytes of the region.", capacity},
    {OBJECT_LOCK, ALL, "quoit_lock_held", "1 while a process holds the lock.", used},
    {OBJECT_LOCK, ALL, "quoit_lock_abandoned",
     "1 if the last holder crashed, or closed its handle, without unlocking.", abandoned},
};

static bool is_one(const struct object *object, enum which which)
{
    if (which == NO_LINES) /* the high-water mark counts messages, not lines */
        return strcmp(object->unit, "lines") != 0;
    return which == ALL || (which == BY_BYTES) == object_is_bytes(object);
}

static void print_gauge(FILE *out, const struct gauge *gauge, const struct object *objects,
                        size_t count)
{
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        if (objects[i].type != gauge->type || !is_one(&objects[i], gauge->which))
            continue;
        if (!begun)
            head(out, gauge->metric, "gauge", gauge->about);
        begun = true;
        sample(out, gauge->metric, &objects[i]);
        fprintf(out, "} %.15g\n", gauge->value(&objects[i]));
    }
}

/* ---- Counters -------------------------------------------------------------------------------- */

/* A broadcast queue's popped is that of its slowest subscriber. It decreases when a subscriber
   joins, so it is no counter. */
static bool has_popped(const struct object *object)
{
    return object->queue.kind != QUOIT_BROADCAST;
}
static bool any(const struct object *object)
{
    return object->type == OBJECT_QUEUE;
}

static const struct counter {
    const char *metric, *about;
    size_t offset; /* in struct object */
    bool (*has)(const struct object *object);
} counters[] = {
    {"quoit_queue_pushed_items_total", "Items, messages or lines pushed.",
     offsetof(struct object, pushed), any},
    {"quoit_queue_popped_items_total", "Items, messages or lines popped.",
     offsetof(struct object, popped), has_popped},
    {"quoit_queue_pushed_bytes_total",
     "Bytes pushed into an SPSC queue of messages; each message counts 8 more, rounded up to 8.",
     offsetof(struct object, queue.pushed), object_is_bytes},
    {"quoit_queue_popped_bytes_total",
     "Bytes popped from an SPSC queue of messages, counted in the same way.",
     offsetof(struct object, queue.popped), object_is_bytes},
    {"quoit_queue_found_full_total", "Pushes that found no free slot.",
     offsetof(struct object, queue.full), any},
    {"quoit_queue_found_empty_total", "Pops that found no item.",
     offsetof(struct object, queue.empty), any},
    {"quoit_queue_sleeps_total", "Number of times a side blocked in a wait.",
     offsetof(struct object, queue.sleeps), any},
    {"quoit_queue_wakes_total", "Number of times a side woke blocked waiters.",
     offsetof(struct object, queue.wakes), any},
    {"quoit_queue_repairs_total", "Number of repairs after crashed members.",
     offsetof(struct object, queue.repairs), any},
};

static void print_counter(FILE *out, const struct counter *counter, const struct object *objects,
                          size_t count)
{
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        if (objects[i].type != OBJECT_QUEUE || !counter->has(&objects[i]))
            continue;
        if (!begun)
            head(out, counter->metric, "counter", counter->about);
        begun = true;
        const char *object = (const char *)&objects[i];
        sample(out, counter->metric, &objects[i]);
        fprintf(out, "} %" PRIu64 "\n",
                *(const uint64_t *)(const void *)(object + counter->offset));
    }
}

/* ---- Members, kinds, damage ------------------------------------------------------------------ */

static void print_members(FILE *out, const struct object *object)
{
    const char *metric = "quoit_members";
    if (object->type == OBJECT_UNKNOWN || object->type == OBJECT_REGION)
        return;
    sample(out, metric, object);
    fprintf(out, ",state=\"alive\"} %" PRIu64 "\n", object->alive);
    sample(out, metric, object);
    fprintf(out, ",state=\"crashed\"} %" PRIu64 "\n", object->crashed);
}

void object_print_prometheus(FILE *out, const struct object *objects, size_t count)
{
    head(out, "quoit_objects", "gauge", "Number of objects that were read.");
    fprintf(out, "quoit_objects %zu\n", count);
    if (count == 0)
        return;
    head(out, "quoit_object_info", "gauge", "Kind of an object; the value is always 1.");
    for (size_t i = 0; i < count; i++) {
        sample(out, "quoit_object_info", &objects[i]);
        const char *kind = object_kind(&objects[i]);
        fprintf(out, ",kind=\"%s\"} 1\n", kind[0] == '?' ? "unknown" : kind);
    }
    head(out, "quoit_object_damaged", "gauge", "1 if the object's header or lock file is damaged.");
    for (size_t i = 0; i < count; i++) {
        sample(out, "quoit_object_damaged", &objects[i]);
        fprintf(out, "} %d\n", objects[i].damage[0] != '\0');
    }
    head(out, "quoit_members", "gauge", "Number of live and of crashed members.");
    for (size_t i = 0; i < count; i++)
        print_members(out, &objects[i]);
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        print_gauge(out, &gauges[i], objects, count);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        print_counter(out, &counters[i], objects, count);
}
