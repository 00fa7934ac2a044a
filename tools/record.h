/* SPDX-License-Identifier: MIT */
/* Shared by the parts of `quoit record`: record.c writes the file, record_queue.c takes the
   messages from the queues. */
#ifndef QUOIT_TOOLS_RECORD_H
#define QUOIT_TOOLS_RECORD_H

#include "recording.h"

#include <quoit/inspect.h>

#include <stdbool.h>

enum {
    RECORD_HANDLES_MOST = 32, /* of an MPMC queue: each peeks at one item */
    RECORD_CHUNK_BYTES = 1 << 20
};

struct record_queue {
    const char *name;
    enum recording_mode mode;
    quoit_queue *queue; /* NULL: it does not exist yet, or its recording has ended */
    bool ended, finished, awaited;
    bool due; /* the stream has ended: write and release what is held at once */
    quoit_queue *handles[RECORD_HANDLES_MOST]; /* the first one is `queue` */
    size_t handle_count;
    struct quoit_queue_info info;
    struct quoit_browser browser; /* of a consumer of SPSC: in front of its head */
    uint16_t channel;
    uint64_t next;     /* the sequence of the next message, if it has no position */
    uint64_t held;     /* taken, but to be released after the chunk is written */
    uint64_t held_max; /* with more of them, producers would wait */
    uint64_t messages, missed, missed_written;
};

struct record {
    bool observe, sync, oldest, keep;
    bool broken;        /* stdout could not be written */
    unsigned any_owner; /* 0 or QUOIT_ANY_OWNER */
    int64_t flush_ns;
    const char *encoding;
    struct record_queue *queues;
    size_t count;
    struct mcap_writer writer;
    uint64_t chunk_begun_ns; /* monotonic */
    uint64_t clock_ns;       /* to be added to the monotonic clock for the time since 1970 */
};

/* They return exit codes, after a message on stderr. */
int record_fail(struct record *record, enum mcap_status status);
/* Opens the queue, if it exists, and writes its channel. */
int record_open(struct record *record, struct record_queue *queue);
/* Copies messages into the chunk. moved_out: there was one. `finished` is set at the stream's end,
   when no message is held. */
int record_gather(struct record *record, struct record_queue *queue, bool *moved_out);
/* Releases the messages that the file has. */
int record_release(struct record_queue *queue);
/* Ends the recording of the queue, whose messages are written and released. */
int record_end(struct record *record, struct record_queue *queue);
void record_close(struct record_queue *queue);

#endif
