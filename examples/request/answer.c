/* SPDX-License-Identifier: MIT */
/* A server: takes requests, and sends each reply through the queue of the client. It does not wait
   for clients, so a client that crashed or gave up does not delay the others. */
#include "request.h"
#include "stop.h"

static void answer(const struct request *request)
{
    char name[REPLY_NAME_BYTES];
    struct reply_queue replies;
    struct reply reply = {.square = (uint64_t)request->number * request->number};
    name_replies(name, request->client);
    quoit_status status = reply_open(name, QUOIT_PRODUCER, &replies);
    if (status == QUOIT_OK)
        status = reply_push(replies, &reply, QUOIT_NOW);
    if (status != QUOIT_OK) /* NOT_FOUND: the client has given up */
        fprintf(stderr, "answer: no reply was sent: %s\n", quoit_describe(status));
    quoit_queue_close(replies.queue);
}

int main(void)
{
    struct request_queue requests = {NULL};
    struct request request;
    quoit_status status = join_requests(QUOIT_CONSUMER, &requests);
    if (status == QUOIT_OK)
        stop_on_signals(requests.queue);
    while (status == QUOIT_OK && !stopped) {
        status = request_pop(requests, &request, QUOIT_FOREVER);
        if (status == QUOIT_OK)
            answer(&request);
        else if (status == QUOIT_INTERRUPTED || status == QUOIT_ABANDONED)
            status = QUOIT_OK; /* another client may start */
    }
    if (status != QUOIT_OK)
        fprintf(stderr, "answer: %s\n", quoit_describe(status));
    stop_ends();
    quoit_queue_close(requests.queue);
    return status != QUOIT_OK;
}
