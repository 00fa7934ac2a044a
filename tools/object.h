/* SPDX-License-Identifier: MIT */
/* An object of Quoit as ls, stat, top, check and rm see it: one struct for queues, pools, locks
   and regions. It is read again by its name each time. */
#ifndef QUOIT_TOOLS_OBJECT_H
#define QUOIT_TOOLS_OBJECT_H

#include <quoit/inspect.h>

#include <stddef.h>
#include <stdio.h>

enum object_type { OBJECT_UNKNOWN, OBJECT_QUEUE, OBJECT_POOL, OBJECT_REGION, OBJECT_LOCK };

struct object {
    const char *name; /* the caller's */
    enum object_type type;
    char damage[400];              /* "" if there is none */
    bool foreign;                  /* another user's, and not read: its type is unknown */
    struct quoit_queue_info queue; /* for queues only */
    uint64_t item_bytes;           /* an item, a block; of a region and a lock 0 */
    uint64_t capacity; /* items, blocks, bytes; of a ring of bytes longest messages; of a lock 1 */
    uint64_t used;     /* in units */
    double fill;       /* 0 to 1 */
    struct quoit_member_info *members; /* NULL if there are none */
    uint64_t member_count;
    uint64_t alive, crashed, producers, consumers; /* the roles: of live members */
    uint64_t stopped;                              /* live members that a signal has stopped */
    /* The unit of used, pushed and popped: "items"; "messages"; "lines" if `quoit push` has made
       the queue for blocks of lines; "blocks" for a pool; "bytes" for a region; "holders" for a
       lock. */
    const char *unit;
    uint64_t pushed, popped; /* of a queue */
    uint32_t holder;         /* of a lock: the PID of the process that has it, or 0 */
    uint64_t data_bytes;     /* of a region */
    bool abandoned;          /* of a lock: its last holder crashed or closed with it */
    /* Of a ring of bytes: the bytes that its messages take, and those that `capacity` messages of
       the greatest length would take. Otherwise 0. */
    uint64_t used_bytes, capacity_bytes;
};

/* Returns QUOIT_OK also for a damaged object, and describes the damage in it. Otherwise returns the
   status of opening it. In each case, free it with object_free. */
quoit_status object_read(const char *name, struct object *object_out);
/* The same for a name that the user did not give. An object of another user is not read, since that
   user may change it in any way at the same time. */
quoit_status object_read_listed(const char *name, struct object *object_out);

/* Frees what object_read has allocated; a zeroed object has nothing. */
void object_free(struct object *object);

const char *object_kind(const struct object *object); /* "mpmc", "pool"; "?" */
const char *
object_state(const struct object *object); /* "in use", "idle", "dead", "damaged", "foreign" */
bool object_is_abandoned(const struct object *object);
/* A ring of bytes: its counters count bytes, and a message may be a block of many lines, so used
   may be beyond capacity. */
bool object_is_bytes(const struct object *object);
/* Prints "queue 'x' was not found" and what it may mean, or quoit_describe(status). Returns
   TOOL_FAILED. */
int object_fail(const char *name, quoit_status status);

struct object_names {
    char **names;
    size_t count, room;
};

/* Adds to `names` what quoit_list lists for `where`, and sorts all of them. On an error, prints it
   and returns false. */
bool object_list(const char *where, struct object_names *names);
bool object_add(struct object_names *names, const char *name);
void object_sort(struct object_names *names);
void object_free_names(struct object_names *names);

/* In object_json.c and object_prometheus.c. */
void object_print_json(FILE *out, const struct object *object, const char *indent);
void object_print_prometheus(FILE *out, const struct object *objects, size_t count);
/* Prints the text in quotes. */
void object_print_json_text(FILE *out, const char *text);

#endif
