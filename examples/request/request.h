/* SPDX-License-Identifier: MIT */
/* Shared by clients and servers. All requests go through one queue. Each client gets its replies
   through a queue of its own, whose name contains the client's number. */
#include <quoit/typed.h>

#include <stdatomic.h>
#include <stdio.h>

struct request {
    uint32_t client;
    uint32_t number; /* to be squared */
};
QUOIT_DEFINE_QUEUE(request, struct request);

struct reply {
    uint64_t square;
};
QUOIT_DEFINE_QUEUE(reply, struct reply);

/* In the memory beside the queue of requests. */
struct clients {
    _Atomic uint32_t last; /* the number of the newest client */
};

enum { REPLY_NAME_BYTES = 32 };

static inline void name_replies(char name[REPLY_NAME_BYTES], uint32_t client)
{
    (void)snprintf(name, REPLY_NAME_BYTES, "reply-%lu", (unsigned long)client);
}

static inline quoit_status join_requests(uint32_t flags, struct request_queue *requests)
{
    struct quoit_queue_options options = request_options(64);
    options.kind = QUOIT_MPMC;
    options.user_bytes = sizeof(struct clients);
    quoit_queue *queue;
    quoit_status status = quoit_queue_join("requests", &options, flags, &queue);
    return status == QUOIT_OK ? request_from(queue, requests) : status;
}
