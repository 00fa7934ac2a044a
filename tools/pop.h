/* SPDX-License-Identifier: MIT */
/* The parts of quoit pop: the options and one queue (pop.c), taking messages (pop_take.c), several
   queues (pop_many.c). */
#ifndef QUOIT_TOOLS_POP_H
#define QUOIT_TOOLS_POP_H

#include "stream.h"

enum { POP_POLL_MS = 10 }; /* between tries to open a queue that does not exist yet */

struct pop_crashed {
    uint64_t joined_at[QUOIT_MEMBERS_MAX];
    uint64_t count;
};

/* The options, and a queue. */
struct pop {
    const char *name;
    bool raw, follow, no_wait, keep, counted, oldest;
    bool printable;             /* stdout is a terminal */
    bool hinted;                /* the hint about what this waits for is printed */
    struct pop_crashed crashed; /* producers that had crashed before this began */
    unsigned any_owner;         /* 0 or QUOIT_ANY_OWNER */
    uint64_t left;              /* of --count */
    uint64_t written;
    int64_t timeout_ns;
    quoit_queue *queue;
    struct quoit_queue_info info;
    struct stream_mark *mark; /* of an SPSC queue: --count counts the lines in its blocks */
    size_t joined;            /* most bytes of several messages in one write */
    char *text;               /* to be written: room for them, and for an item and a newline */
};

/* Opens the queue, and prepares to take from it. NOT_FOUND: it does not exist. */
quoit_status pop_open(struct pop *pop);
/* Closes it, and reports the messages that it has missed. */
void pop_leave(struct pop *pop);
/* Does pop wait for another producer? If the last one closed without finishing, the stream is to
   continue (push --keep). A crash is an error unless --follow is given. */
bool pop_may_go_on(const struct pop *pop);
/* The stream has ended: removes the queue. Returns an exit code, or -1: continue with the next
   queue of that name. */
int pop_end_stream(struct pop *pop);
int pop_fail_crashed(const struct pop *pop);
int pop_fail_write(void);

/* Writes one message or more, and takes them. Returns what a peek returns. written_out: false if
   stdout cannot be written. */
quoit_status pop_take(struct pop *pop, bool *written_out);

/* Pops from all of these queues, with the options in `pop`. Returns an exit code. */
int pop_from_many(const struct pop *pop, char *const *names, int count);

#endif
