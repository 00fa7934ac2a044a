/* SPDX-License-Identifier: MIT */
/* ask NUMBER: a client, which asks a server for the square of a number. */
#include "request.h"

#include <stdlib.h>

static const int64_t timeout_ns = INT64_C(10000000000); /* 10 seconds, for each of the two waits */

static quoit_status ask(struct request_queue requests, uint32_t number, struct reply *reply)
{
    struct clients *clients = quoit_queue_user_area(requests.queue);
    struct request request = {.number = number};
    /* Relaxed: only the number itself matters; each client gets a different one. */
    request.client = atomic_fetch_add_explicit(&clients->last, 1, memory_order_relaxed) + 1;
    char name[REPLY_NAME_BYTES];
    name_replies(name, request.client);
    struct reply_queue replies;
    quoit_status status = reply_join(name, 1, QUOIT_CONSUMER, &replies);
    if (status != QUOIT_OK)
        return status;
    status = request_push(requests, &request, timeout_ns);
    if (status == QUOIT_OK)
        status = reply_pop(replies, reply, timeout_ns);
    quoit_status unlinked = quoit_queue_unlink(replies.queue);
    quoit_queue_close(replies.queue);
    return status == QUOIT_OK ? unlinked : status;
}

int main(int argc, char **argv)
{
    struct request_queue requests = {NULL};
    uint32_t number = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 12;
    struct reply reply = {0};
    quoit_status status = join_requests(QUOIT_PRODUCER, &requests);
    if (status == QUOIT_OK)
        status = ask(requests, number, &reply);
    if (status == QUOIT_OK)
        printf("%lu squared is %llu\n", (unsigned long)number, (unsigned long long)reply.square);
    else if (status == QUOIT_FULL || status == QUOIT_EMPTY)
        fprintf(stderr, "ask: no server has answered within 10 seconds\n");
    else
        fprintf(stderr, "ask: %s\n", quoit_describe(status));
    quoit_queue_close(requests.queue);
    return status != QUOIT_OK;
}
