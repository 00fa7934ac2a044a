/* SPDX-License-Identifier: MIT */
/* Connections to NATS, and requests about the stream: link.h. */
#include "link.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_EVERY_MS = 250,
    REQUEST_MS = 3000,
    RECONNECT_BYTES = 1, /* keeps no message while there is no connection: the queue does */
    REFUSALS_MAX = 3,    /* so many refusals in a row end a route that has not worked yet */
    SERVERS_MAX = 64
};

/* ---- Connecting ------------------------------------------------------------------------------ */

static void on_disconnected(natsConnection *connection, void *closure)
{
    struct link *link = closure;
    (void)connection;
    bridge_add(&link->breaks, 1);
    bridge_put(&link->route->counters.connected, 0);
}

static void on_reconnected(natsConnection *connection, void *closure)
{
    struct link *link = closure;
    (void)connection;
    bridge_add(&link->route->counters.reconnects, 1);
    bridge_put(&link->route->counters.connected, 1);
}

/* Splits the list of servers, in a copy, and sets it. */
static natsStatus set_servers(natsOptions *options, const char *urls)
{
    const char *servers[SERVERS_MAX];
    int count = 0;
    char *copy = malloc(strlen(urls) + 1);
    if (!copy)
        return NATS_NO_MEMORY;
    memcpy(copy, urls, strlen(urls) + 1);
    for (char *at = copy; at && count < SERVERS_MAX;) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma++ = '\0';
        servers[count++] = at;
        at = comma;
    }
    natsStatus status = natsOptions_SetServers(options, servers, count);
    free(copy);
    return status;
}

static natsStatus set_identity(natsOptions *options, const struct bridge_server *server)
{
    natsStatus status = NATS_OK;
    if (server->user)
        status = natsOptions_SetUserInfo(options, server->user,
                                         server->password ? server->password : "");
    if (status == NATS_OK && server->token)
        status = natsOptions_SetToken(options, server->token);
    if (status == NATS_OK && server->credentials)
        status = natsOptions_SetUserCredentialsFromFiles(options, server->credentials, NULL);
    if (status == NATS_OK && server->nkey_public)
        status = natsOptions_SetNKeyFromSeed(options, server->nkey_public, server->nkey_seed);
    if (status == NATS_OK && (server->tls || server->ca || server->certificate))
        status = natsOptions_SetSecure(options, true);
    if (status == NATS_OK && server->ca)
        status = natsOptions_LoadCATrustedCertificates(options, server->ca);
    if (status == NATS_OK && server->certificate)
        status = natsOptions_LoadCertificatesChain(options, server->certificate, server->key);
    return status;
}

static natsStatus set_options(struct link *link)
{
    const struct bridge_settings *settings = &link->route->settings;
    char name[128];
    (void)snprintf(name, sizeof name, "quoit-bridge %.96s", settings->name);
    natsStatus status = natsOptions_Create(&link->options);
    if (status != NATS_OK)
        return status;
    natsOptions *options = link->options;
    status = set_servers(options, settings->server.urls);
    if (status == NATS_OK)
        status = set_identity(options, &settings->server);
    if (status == NATS_OK)
        status = natsOptions_SetName(options, name);
    if (status == NATS_OK)
        status = natsOptions_SetMaxReconnect(options, -1);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectWait(options, CONNECT_EVERY_MS);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectBufSize(options, RECONNECT_BYTES);
    if (status == NATS_OK) /* finds a broken connection within 15 seconds */
        status = natsOptions_SetPingInterval(options, 5000);
    if (status == NATS_OK)
        status = natsOptions_SetFailRequestsOnDisconnect(options, true);
    if (status == NATS_OK)
        status = natsOptions_SetDisconnectedCB(options, on_disconnected, link);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectedCB(options, on_reconnected, link);
    return status;
}

static const char *what_follows(enum link_result result)
{
    return result == LINK_AGAIN ? "; the bridge tries again" : "";
}

static enum link_result report_connect(struct link *link, natsStatus status)
{
    const struct bridge_settings *settings = &link->route->settings;
    const char *detail = nats_GetLastError(NULL);
    const char *text = detail && *detail ? detail : natsStatus_GetText(status);
    if (status == NATS_NO_SERVER || status == NATS_TIMEOUT || status == NATS_IO_ERROR ||
        status == NATS_CONNECTION_CLOSED || status == NATS_SYS_ERROR) { /* no address, say */
        link->refusals = 0;
        (void)bridge_error(link->route,
                           "server '%s': cannot be reached (%s); the bridge tries again",
                           settings->server.urls, text);
        return LINK_AGAIN;
    }
    const char *remedy = status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED
                             ? "check user, password and credentials"
                             : "check the options of the connection";
    const enum link_result result = link_failed(link);
    (void)bridge_error(link->route, "server '%s': refuses the connection (%s); %s%s",
                       settings->server.urls, text, remedy, what_follows(result));
    return result;
}

/* A file that cannot be used, say: no later try is made, least of all without that option. */
static enum link_result fail_options(struct link *link, natsStatus status)
{
    const char *detail = nats_GetLastError(NULL);
    (void)bridge_error(link->route,
                       "server '%s': the options of the connection cannot be used (%s); correct "
                       "them",
                       link->route->settings.server.urls,
                       detail && *detail ? detail : natsStatus_GetText(status));
    natsOptions_Destroy(link->options);
    link->options = NULL;
    return LINK_FATAL;
}

static enum link_result connect_once(struct link *link)
{
    natsStatus status = link->options ? NATS_OK : set_options(link);
    if (status != NATS_OK)
        return fail_options(link, status);
    status = natsConnection_Connect(&link->connection, link->options);
    if (status != NATS_OK)
        return report_connect(link, status);
    jsOptions options;
    (void)jsOptions_Init(&options);
    options.Wait = REQUEST_MS;
    status = natsConnection_JetStream(&link->js, link->connection, &options);
    if (status != NATS_OK)
        return report_connect(link, status);
    bridge_put(&link->route->counters.connected, 1);
    return LINK_OK;
}

static void drop_connection(struct link *link)
{
    jsCtx_Destroy(link->js);
    natsConnection_Destroy(link->connection);
    link->js = NULL;
    link->connection = NULL;
    bridge_put(&link->route->counters.connected, 0);
}

enum link_result link_connect(struct link *link, struct bridge_route *route)
{
    link->route = route;
    if (link->connection && natsConnection_IsClosed(link->connection)) {
        const natsStatus status = natsConnection_GetLastError(link->connection, NULL);
        const enum link_result result = report_connect(link, status);
        drop_connection(link);
        return result;
    }
    if (!link->connection)
        return connect_once(link);
    if (link_is_up(link))
        return LINK_OK;
    (void)bridge_error(route, "server '%s': the connection was lost; the bridge reconnects",
                       route->settings.server.urls);
    return LINK_AGAIN;
}

void link_close(struct link *link)
{
    if (link->route)
        drop_connection(link);
    natsOptions_Destroy(link->options);
    link->options = NULL;
}

bool link_is_up(const struct link *link)
{
    return link->connection &&
           natsConnection_Status(link->connection) == NATS_CONN_STATUS_CONNECTED;
}

enum link_result link_failed(struct link *link)
{
    return link->route->started || ++link->refusals < REFUSALS_MAX ? LINK_AGAIN : LINK_FATAL;
}

/* ---- The stream ------------------------------------------------------------------------------ */

/* Without a code the server did not answer: it may be electing a leader. These codes are of a
   cluster that is starting. */
static bool is_temporary(natsStatus status, jsErrCode code)
{
    return (code == 0 && status != NATS_NO_RESPONDERS) || code == JSClusterNoPeersErr ||
           code == JSClusterNotAvailErr || code == JSClusterNotLeaderErr;
}

enum link_result link_not_done(struct link *link, natsStatus status, jsErrCode code)
{
    if (!is_temporary(status, code))
        return link_failed(link);
    link->refusals = 0;
    return LINK_AGAIN;
}

static enum link_result report_stream(struct link *link, const char *what, natsStatus status,
                                      jsErrCode code)
{
    const char *stream = link->route->settings.stream;
    const char *detail = nats_GetLastError(NULL);
    const enum link_result result = link_not_done(link, status, code);
    if (code == JSStreamNotFoundErr)
        (void)bridge_error(
            link->route, "stream '%s': does not exist; create it, or pass --create-stream", stream);
    else if (code == JSNotEnabledErr || code == JSNotEnabledForAccountErr ||
             (code == 0 && status == NATS_NO_RESPONDERS))
        (void)bridge_error(link->route,
                           "stream '%s': JetStream is not enabled in the server, or not for this "
                           "account; start nats-server with --jetstream",
                           stream);
    else
        (void)bridge_error(link->route, "stream '%s': %s (%s)%s", stream, what,
                           detail && *detail ? detail : natsStatus_GetText(status),
                           what_follows(result));
    return result;
}

static bool create_stream(struct link *link, jsStreamInfo **info_out, natsStatus *status_out,
                          jsErrCode *code_out)
{
    const struct bridge_settings *settings = &link->route->settings;
    const struct bridge_stream *options = &settings->options;
    const char *subjects[] = {settings->subject};
    jsStreamConfig config;
    (void)jsStreamConfig_Init(&config);
    config.Name = settings->stream;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Replicas = options->replicas > 0 ? options->replicas : 1;
    config.Storage = options->memory ? js_MemoryStorage : js_FileStorage;
    config.Discard = options->discard_old ? js_DiscardOld : js_DiscardNew;
    config.Retention = strcmp(options->retention, "workqueue") == 0  ? js_WorkQueuePolicy
                       : strcmp(options->retention, "interest") == 0 ? js_InterestPolicy
                                                                     : js_LimitsPolicy;
    config.MaxMsgs = options->max_messages > 0 ? options->max_messages : -1;
    config.MaxBytes = options->max_bytes > 0 ? options->max_bytes : -1;
    config.MaxAge = options->max_age_ns;
    *status_out = js_AddStream(info_out, link->js, &config, NULL, code_out);
    if (*status_out == NATS_OK)
        bridge_note(link->route, "stream '%s': was created", settings->stream);
    return *status_out == NATS_OK;
}

/* Does the pattern of a stream take the subject? The subject may be a pattern itself. */
bool link_takes(const char *pattern, const char *subject)
{
    while (*pattern && *subject) {
        if (*pattern == '>')
            return true;
        if (*pattern == '*' && *subject != '>') {
            subject += strcspn(subject, ".");
            pattern++;
        } else {
            size_t length = strcspn(pattern, ".");
            if (length != strcspn(subject, ".") || memcmp(pattern, subject, length) != 0)
                return false;
            pattern += length;
            subject += length;
        }
        if (*pattern != *subject) /* a dot in both, or the end of both */
            return false;
        if (*pattern) {
            pattern++;
            subject++;
        }
    }
    return *pattern == *subject;
}

static enum link_result check_stream(struct link *link, const jsStreamInfo *info)
{
    const struct bridge_settings *settings = &link->route->settings;
    bool taken = info->Config->Mirror || info->Config->SourcesLen > 0;
    for (int i = 0; i < info->Config->SubjectsLen && !taken; i++)
        taken = link_takes(info->Config->Subjects[i], settings->subject);
    if (taken)
        return LINK_OK;
    (void)bridge_error(link->route,
                       "stream '%s': does not take the subject '%s'; use one of its subjects, such "
                       "as '%s'",
                       settings->stream, settings->subject,
                       info->Config->SubjectsLen > 0 ? info->Config->Subjects[0] : "");
    return link_failed(link);
}

enum link_result link_find_stream(struct link *link, struct link_stream *stream_out)
{
    const struct bridge_settings *settings = &link->route->settings;
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    nats_GetLastError(NULL);
    natsStatus status = js_GetStreamInfo(&info, link->js, settings->stream, NULL, &code);
    if (code == JSStreamNotFoundErr && settings->options.create)
        (void)create_stream(link, &info, &status, &code);
    if (status != NATS_OK)
        return report_stream(link, "cannot be inspected", status, code);
    *stream_out = (struct link_stream){.last_sequence = info->State.LastSeq,
                                       .created = info->Created};
    enum link_result result = check_stream(link, info);
    jsStreamInfo_Destroy(info);
    return result;
}

/* ---- Messages of the stream ------------------------------------------------------------------ */

static enum link_result read_message(struct link *link, natsMsg *message, natsStatus status,
                                     jsErrCode code, struct link_message *message_out)
{
    *message_out = (struct link_message){0};
    if (code == JSNoMessageFoundErr || status == NATS_NOT_FOUND)
        return LINK_OK;
    if (status != NATS_OK)
        return report_stream(link, "its messages cannot be read", status, code);
    const char *id = NULL;
    message_out->found = true;
    message_out->sequence = natsMsg_GetSequence(message);
    if (natsMsgHeader_Get(message, "Nats-Msg-Id", &id) == NATS_OK && id) {
        char end;
        message_out->has_id = sscanf(id, "%" SCNu64 ":%" SCNu64 "%c", &message_out->created_at,
                                     &message_out->position, &end) == 2;
    }
    natsMsg_Destroy(message);
    return LINK_OK;
}

enum link_result link_last_message(struct link *link, struct link_message *message_out)
{
    const struct bridge_settings *settings = &link->route->settings;
    natsMsg *message = NULL;
    jsErrCode code = 0;
    natsStatus status = js_GetLastMsg(&message, link->js, settings->stream, settings->subject, NULL,
                                      &code);
    return read_message(link, message, status, code, message_out);
}

enum link_result link_message_at(struct link *link, uint64_t sequence,
                                 struct link_message *message_out)
{
    natsMsg *message = NULL;
    jsErrCode code = 0;
    natsStatus status = js_GetMsg(&message, link->js, link->route->settings.stream, sequence, NULL,
                                  &code);
    return read_message(link, message, status, code, message_out);
}

/* ---- The servers' JSON: one flat object ------------------------------------------------------ */

static size_t skip_blanks(const char *json, size_t bytes, size_t at)
{
    while (at < bytes && json[at] == ' ')
        at++;
    return at;
}

/* Where the value of the key begins; the end if there is none. A value can be the same word, such
   as the name of a stream: only a key has a colon behind it. */
static size_t find_value(const char *json, size_t bytes, const char *key)
{
    const size_t length = strlen(key);
    for (size_t at = 0; at + length + 3 <= bytes; at++) {
        if (json[at] != '"' || memcmp(json + at + 1, key, length) != 0 ||
            json[at + 1 + length] != '"')
            continue;
        const size_t colon = skip_blanks(json, bytes, at + length + 2);
        if (colon < bytes && json[colon] == ':')
            return skip_blanks(json, bytes, colon + 1);
    }
    return bytes;
}

bool link_has(const char *json, size_t bytes, const char *key)
{
    return find_value(json, bytes, key) < bytes;
}

bool link_number(const char *json, size_t bytes, const char *key, uint64_t *number_out)
{
    size_t at = find_value(json, bytes, key);
    *number_out = 0;
    if (at == bytes || json[at] < '0' || json[at] > '9')
        return false;
    for (; at < bytes && json[at] >= '0' && json[at] <= '9'; at++)
        *number_out = *number_out * 10 + (uint64_t)(json[at] - '0');
    return true;
}

void link_text(const char *json, size_t bytes, const char *key, char *text_out, size_t room)
{
    size_t at = find_value(json, bytes, key), length = 0;
    if (at < bytes && json[at] == '"')
        for (at++; at < bytes && json[at] != '"' && length + 1 < room; at++)
            text_out[length++] = json[at];
    text_out[length] = '\0';
}
