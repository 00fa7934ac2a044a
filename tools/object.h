/* SPDX-License-Identifier: MIT */
/* An object of Quoit's as ls, stat, top, check and rm see it: one struct for queues, pools,
   locks and regions, read anew each time, by its name. */
#ifndef QUOIT_TOOLS_OBJECT_H
#define QUOIT_TOOLS_OBJECT_H

#include <quoit/inspect.h>

#include <stddef.h>
#include <stdio.h>

enum object_type { OBJECT_UNKNOWN, OBJECT_QUEUE, OBJECT_POOL, OBJECT_REGION, OBJECT_LOCK };

struct object {
    const char *name; /* the caller's */
    enum object_type type;
    char damage[400];              /* "" if it is sound */
    bool foreign;                  /* another user's, and not read: its type is unknown */
    struct quoit_queue_info queue; /* of a queue alone */
    uint64_t item_bytes;           /* an item, a block; of a region and a lock 0 */
    uint64_t capacity; /* items, blocks, bytes; of a ring of bytes longest messages; of a lock 1 */
    uint64_t used;     /* in units */
    double fill;       /* 0 to 1 */
    struct quoit_member_info members[QUOIT_MEMBERS_MAX];
    uint64_t member_count;
    uint64_t living, dead, producers, consumers; /* living ones */
    uint64_t stopped;                            /* living ones that do not run, by a signal */
    /* The unit of used, pushed and popped: "items"; "messages"; "lines", if `quoit push` has made
       the queue for blocks of lines; "blocks", of a pool; "bytes", of a region; "holders", of a
       lock. */
    const char *unit;
    uint64_t pushed, popped; /* of a queue */
    uint32_t holder;         /* of a lock: the PID of the process that has it, or 0 */
    uint64_t data_bytes;     /* of a region */
    bool abandoned;          /* of a lock: its last holder crashed or closed with it */
    /* Of a ring of bytes: how many bytes its messages take, and how many longest ones would; else
       0. */
    uint64_t used_bytes, capacity_bytes;
};

/* OK also for a damaged one, which then says so; else what opening it said. */
quoit_status object_read(const char *name, struct object *object_out);
/* The same for a name that the user did not give. An object of another user is not read, since that
   user may change it in any way meanwhile. */
quoit_status object_read_listed(const char *name, struct object *object_out);

const char *object_kind(const struct object *object); /* "mpmc", "pool"; "?" */
const char *
object_state(const struct object *object); /* "in use", "idle", "dead", "damaged", "foreign" */
bool object_is_dead(const struct object *object);
/* A ring of bytes: its counters count bytes, and a message may be a block of many lines, so used
   may be beyond capacity. */
bool object_is_bytes(const struct object *object);
/* "queue 'x' was not found" and what it may mean, or quoit_describe(status); returns TOOL_FAILED.
   */
int object_fail(const char *name, quoit_status status);

struct object_names {
    char **names;
    size_t count, room;
};

/* The names of what there is, sorted; where as of quoit_list. Adds to those that are there. false
   has said what is wrong. */
bool object_list(const char *where, struct object_names *names);
bool object_add(struct object_names *names, const char *name);
void object_sort(struct object_names *names);
void object_free_names(struct object_names *names);

/* In object_json.c and object_prometheus.c. */
void object_print_json(FILE *out, const struct object *object, const char *indent);
void object_print_prometheus(FILE *out, const struct object *objects, size_t count);
/* "text", in quotes. */
void object_print_json_text(FILE *out, const char *text);

#endif
