/* SPDX-License-Identifier: MIT */
/* A route's connection to the NATS servers, and its stream. */
#ifndef QUOIT_BRIDGE_LINK_H
#define QUOIT_BRIDGE_LINK_H

#include "bridge.h"

#include <nats/nats.h>

struct link {
    struct bridge_route *route;
    natsOptions *options;
    natsConnection *connection;
    jsCtx *js;
    _Atomic uint64_t breaks; /* how often the connection was lost */
    int refusals;            /* in a row, before the route has worked */
};

enum link_result {
    LINK_OK,
    LINK_AGAIN, /* try again later; the reason was reported */
    LINK_FATAL  /* the route ends; the reason was reported */
};

struct link_stream {
    uint64_t last_sequence;
    int64_t created; /* which of the streams that had this name */
};

struct link_message { /* of the stream */
    bool found;
    uint64_t sequence;
    bool has_id;                   /* the id is of a queue */
    uint64_t created_at, position; /* of the id */
};

/* Connects, unless there is a connection, and waits until it is usable. */
enum link_result link_connect(struct link *link, struct bridge_route *route);
void link_close(struct link *link);
bool link_is_up(const struct link *link);
/* The result for a refusal: fatal if the route has not worked yet, and it is the third one in a
   row. A server that stops in the middle of an answer looks like one that refuses. */
enum link_result link_failed(struct link *link);
/* The result for a request that was not done: LINK_AGAIN if that changes when the cluster has
   started, or has elected a leader. */
enum link_result link_not_done(struct link *link, natsStatus status, jsErrCode code);
/* Checks that the stream is there and takes the subject; creates it if that was asked for. */
enum link_result link_find_stream(struct link *link, struct link_stream *stream_out);
/* The last message of the route's subject, or the message with that sequence. */
enum link_result link_last_message(struct link *link, struct link_message *message_out);
enum link_result link_message_at(struct link *link, uint64_t sequence,
                                 struct link_message *message_out);
bool link_has(const char *json, size_t bytes, const char *key);
/* Does a pattern of subjects take the subject, which may be a pattern itself? */
bool link_takes(const char *pattern, const char *subject);
/* The value of a key with a number in a server's answer: "seq":12. */
bool link_number(const char *json, size_t bytes, const char *key, uint64_t *number_out);
/* The value of a key with a text, cut off at room. */
void link_text(const char *json, size_t bytes, const char *key, char *text_out, size_t room);

#endif
