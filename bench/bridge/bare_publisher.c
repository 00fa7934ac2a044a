/* SPDX-License-Identifier: MIT */
/*
 * A bare publisher over libnats' asynchronous JetStream calls, to compare quoit-bridge with:
 *     bare_publisher URL SUBJECT COUNT BYTES WINDOW HEADERS
 * HEADERS: none; id; sequence (id and expected last sequence, as the bridge); last-id (id and
 * expected last id).
 */
#include <inttypes.h>
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *url, *subject, *headers;
    uint64_t count, window;
    int bytes;
};

static void on_error(jsCtx *js, jsPubAckErr *error, void *closure)
{
    (void)js;
    (void)closure;
    fprintf(stderr, "bare_publisher: %s\n", error->ErrText);
    exit(1);
}

static natsStatus publish(jsCtx *js, const struct arguments *arguments, const char *data,
                          uint64_t number)
{
    char id[64], last[64];
    jsPubOptions options;
    (void)jsPubOptions_Init(&options);
    (void)snprintf(id, sizeof id, "1764547200000000000:%" PRIu64, number);
    (void)snprintf(last, sizeof last, "1764547200000000000:%" PRIu64, number - 1);
    if (strcmp(arguments->headers, "none") != 0)
        options.MsgId = id;
    if (strcmp(arguments->headers, "sequence") == 0)
        options.ExpectLastSeq = number;
    if (strcmp(arguments->headers, "last-id") == 0 && number > 0)
        options.ExpectLastMsgId = last;
    return js_PublishAsync(js, arguments->subject, data, arguments->bytes, &options);
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    const struct arguments arguments = {.url = argv[1],
                                        .subject = argv[2],
                                        .count = strtoull(argv[3], NULL, 10),
                                        .bytes = atoi(argv[4]),
                                        .window = strtoull(argv[5], NULL, 10),
                                        .headers = argv[6]};
    natsConnection *connection = NULL;
    jsCtx *js = NULL;
    jsOptions options;
    char *data = calloc(1, (size_t)arguments.bytes + 1);
    (void)jsOptions_Init(&options);
    options.PublishAsync.MaxPending = (int64_t)arguments.window;
    options.PublishAsync.StallWait = 10000;
    options.PublishAsync.ErrHandler = on_error;
    natsStatus status = natsConnection_ConnectTo(&connection, arguments.url);
    if (status == NATS_OK)
        status = natsConnection_JetStream(&js, connection, &options);
    for (uint64_t number = 0; number < arguments.count && status == NATS_OK; number++)
        status = publish(js, &arguments, data, number);
    if (status == NATS_OK)
        status = js_PublishAsyncComplete(js, NULL);
    if (status != NATS_OK)
        fprintf(stderr, "bare_publisher: %s\n", natsStatus_GetText(status));
    jsCtx_Destroy(js);
    natsConnection_Destroy(connection);
    nats_Close();
    free(data);
    return status == NATS_OK ? 0 : 1;
}
