/* SPDX-License-Identifier: MIT */
/*
 * The acknowledgements of published messages. A thread of libnats counts them, the route's thread
 * looks at the count.
 *
 * A session begins when the route has found out which messages the stream has. Message number n of
 * the session must get the sequence base + n + 1. So the count shows which ones are stored.
 */
#ifndef QUOIT_BRIDGE_ACKS_H
#define QUOIT_BRIDGE_ACKS_H

#include "bridge.h"

#include <nats/nats.h>

struct acks_state {
    uint64_t count;      /* so many of the session's messages are acknowledged, without a gap */
    uint64_t duplicates; /* since the route began */
    bool refused;        /* a message was refused, or got another sequence: the session is over */
    bool has_reason;     /* for what the message is, not for its sequence */
    char reason[256];
};

struct acks {
    pthread_mutex_t lock; /* of what follows, but the subscription */
    pthread_cond_t changed;
    uint64_t session, base;
    uint64_t wanted; /* the route's thread waits for this count; UINT64_MAX: it does not wait */
    struct acks_state state;
    natsSubscription *subscription;
    char inbox[128]; /* each reply subject is this, SESSION.NUMBER */
};

void acks_init(struct acks *acks);
/* Listens on this connection, unless it does already. */
natsStatus acks_listen(struct acks *acks, natsConnection *connection);
void acks_close(struct acks *acks);
void acks_begin(struct acks *acks, uint64_t base);
struct acks_state acks_look(struct acks *acks);
/* Waits until the count is at least `wanted`, or a message is refused; at most that long. */
void acks_wait(struct acks *acks, uint64_t wanted, long nanoseconds);

#endif
