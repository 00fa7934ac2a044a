/* SPDX-License-Identifier: MIT */
/* Shared by the parts of `quoit replay`: replay.c reads the file and keeps the time, replay_queue.c
   makes the queues and pushes. */
#ifndef QUOIT_TOOLS_REPLAY_H
#define QUOIT_TOOLS_REPLAY_H

#include "recording.h"

struct replay_rename {
    const char *from, *to;
    bool used;
};

struct replay_queue {
    struct replay_queue *next;
    const char *name; /* of a channel, or of --rename */
    quoit_queue *queue;
    struct quoit_queue_info info;
    size_t unfinished; /* channels of the file that go into this queue, whose end was not read */
    bool finished;
};

struct replay {
    const char *path;
    double speed; /* 0: as fast as possible */
    bool wait, finish;
    unsigned any_owner; /* 0 or QUOIT_ANY_OWNER */
    struct replay_rename *renames;
    size_t rename_count;
    struct replay_queue *queues;
    bool begun; /* the first message was read, at begin_ns of the monotonic clock */
    bool hinted;
    uint64_t begin_ns, first_ns; /* first_ns: its log time */
    uint64_t messages;           /* pushed */
    uint64_t made_bytes;         /* the items and user areas of the queues that it has created */
};

/* They return exit codes, after a message on stderr; TOOL_NOTHING: Ctrl-C. */
/* Joins the channel's queue, or creates it; the channel's `user` is then the queue. */
int replay_enter(struct replay *replay, struct recording_channel *channel);
/* Waits until each queue has a consumer. */
int replay_wait(const struct replay *replay);
int replay_push(struct replay *replay, const struct recording_channel *channel,
                const struct mcap_message *message);
/* Finishes the queue, if this channel is the last one that goes into it. */
int replay_finish(struct recording_channel *channel);
int replay_finish_all(struct replay *replay);
void replay_close(struct replay *replay);

#endif
