/* SPDX-License-Identifier: MIT */
/* The settings of a route, from the command line or from a file: one table for both. */
#include "bridge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, TEXT_IN_FILE, NUMBER, SECONDS, SWITCH, CHOICE };

struct option {
    const char *name;
    enum kind kind;
    size_t offset;       /* of the setting */
    const char *choices; /* CHOICE: the first is false, the second is true */
};

#define AT(member) offsetof(struct bridge_settings, member)
static const struct option options[] = {
    {"name", TEXT, AT(name), NULL},
    {"queue", TEXT, AT(queue), NULL},
    {"stream", TEXT, AT(stream), NULL},
    {"subject", TEXT, AT(subject), NULL},
    {"url", TEXT, AT(server.urls), NULL},
    {"user", TEXT, AT(server.user), NULL},
    {"password-file", TEXT_IN_FILE, AT(server.password), NULL},
    {"token-file", TEXT_IN_FILE, AT(server.token), NULL},
    {"creds", TEXT, AT(server.credentials), NULL},
    {"nkey", TEXT, AT(server.nkey_public), NULL},
    {"nkey-seed", TEXT, AT(server.nkey_seed), NULL},
    {"tls", SWITCH, AT(server.tls), NULL},
    {"ca", TEXT, AT(server.ca), NULL},
    {"cert", TEXT, AT(server.certificate), NULL},
    {"key", TEXT, AT(server.key), NULL},
    {"create-stream", SWITCH, AT(options.create), NULL},
    {"replicas", NUMBER, AT(options.replicas), NULL},
    {"retention", TEXT, AT(options.retention), NULL},
    {"max-messages", NUMBER, AT(options.max_messages), NULL},
    {"max-bytes", NUMBER, AT(options.max_bytes), NULL},
    {"max-age", SECONDS, AT(options.max_age_ns), NULL},
    {"storage", CHOICE, AT(options.memory), "file memory"},
    {"discard", CHOICE, AT(options.discard_old), "new old"},
    {"window", NUMBER, AT(window), NULL},
    {"durable", TEXT, AT(durable), NULL},
    {"capacity", NUMBER, AT(capacity), NULL},
    {"item-bytes", NUMBER, AT(item_bytes), NULL},
    {"messages", SWITCH, AT(messages), NULL},
    {"broadcast", SWITCH, AT(broadcast), NULL},
    {"any-owner", SWITCH, AT(any_owner), NULL},
};
#undef AT
_Static_assert(sizeof options / sizeof options[0] <= 64, "a bit for each in given");

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

bool bridge_is_switch(const char *option)
{
    const struct option *found = find(option);
    return found && found->kind == SWITCH;
}

static bool copy_text(char **text_out, const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy) {
        (void)bridge_error(NULL, "out of memory: cannot copy %zu bytes", length);
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    free(*text_out);
    *text_out = copy;
    return true;
}

bool bridge_set_text(char **text_out, const char *text)
{
    return copy_text(text_out, text, strlen(text));
}

/* The first line of the file. So passwords are not in the list of processes. */
static bool read_line(char **text_out, const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "re");
    if (!file || !fgets(line, sizeof line, file)) {
        (void)bridge_error(NULL,
                           "cannot read a line of '%s'; the file must have the password or "
                           "the token",
                           path);
        if (file)
            (void)fclose(file);
        return false;
    }
    (void)fclose(file);
    return copy_text(text_out, line, strcspn(line, "\r\n"));
}

static bool set_number(int64_t *number_out, const struct option *option, const char *value)
{
    char *end;
    const long long number = strtoll(value, &end, 10);
    const long long most = option->kind == SECONDS ? INT64_MAX / 1000000000 : INT64_MAX;
    if (end == value || *end != '\0' || number < 0 || number >= most) {
        (void)bridge_error(NULL, "%s is '%s'; it must be a number from 0 on", option->name, value);
        return false;
    }
    *number_out = option->kind == SECONDS ? number * 1000000000 : number;
    return true;
}

/* words are two, with a blank between them. */
static bool set_word(bool *is_second_out, const char *words, const char *name, const char *value)
{
    const size_t first = strcspn(words, " "), length = strlen(value);
    *is_second_out = strcmp(value, words + first + 1) == 0;
    if (*is_second_out || (length == first && memcmp(value, words, length) == 0))
        return true;
    (void)bridge_error(NULL, "%s is '%s'; it must be %.*s or %s", name, value, (int)first, words,
                       words + first + 1);
    return false;
}

bool bridge_set(struct bridge_settings *settings, const char *option, const char *value)
{
    const struct option *found = find(option);
    if (!found) {
        (void)bridge_error(NULL, "unknown option '%s'; see quoit-bridge --help", option);
        return false;
    }
    void *at = (char *)settings + found->offset;
    settings->given |= UINT64_C(1) << (found - options);
    switch (found->kind) {
    case TEXT:
        return bridge_set_text(at, value);
    case TEXT_IN_FILE:
        return read_line(at, value);
    case SWITCH:
        return set_word(at, "no yes", option, value ? value : "yes");
    case CHOICE:
        return set_word(at, found->choices, option, value);
    default:
        return set_number(at, found, value);
    }
}

static bool is_stream_name(const char *name)
{
    return *name != '\0' && !strpbrk(name, " .*>/\\");
}

/* nats://HOST:PORT[,HOST:PORT...]/STREAM/SUBJECT */
bool bridge_set_url(struct bridge_settings *settings, const char *url)
{
    const char *host = strstr(url, "://");
    const char *stream = host ? strchr(host + 3, '/') : NULL;
    const char *subject = stream ? strchr(stream + 1, '/') : NULL;
    if (!subject || subject[1] == '\0' || subject == stream + 1) {
        (void)bridge_error(NULL,
                           "the address is '%s'; it must be nats://HOST:PORT/STREAM/SUBJECT, with "
                           "commas between several HOST:PORT",
                           url);
        return false;
    }
    return copy_text(&settings->server.urls, url, (size_t)(stream - url)) &&
           copy_text(&settings->stream, stream + 1, (size_t)(subject - stream - 1)) &&
           bridge_set_text(&settings->subject, subject + 1);
}

static bool needs(const struct bridge_settings *settings, const char *value, const char *name)
{
    if (!value)
        (void)bridge_error(NULL, "route '%s': has no %s; set it", settings->name, name);
    return value != NULL;
}

/* A durable consumer has a name without points; the queue's name makes one. */
static bool default_durable(struct bridge_settings *settings)
{
    if (!bridge_set_text(&settings->durable, settings->queue))
        return false;
    for (char *at = settings->durable; *at; at++)
        if (strchr(" .*>/\\:", *at))
            *at = '-';
    return true;
}

static bool check_retention(const struct bridge_settings *settings)
{
    const char *retention = settings->options.retention;
    if (strcmp(retention, "limits") == 0 || strcmp(retention, "interest") == 0 ||
        strcmp(retention, "workqueue") == 0)
        return true;
    (void)bridge_error(NULL, "retention is '%s'; it must be limits, interest or workqueue",
                       retention);
    return false;
}

bool bridge_complete(struct bridge_settings *settings)
{
    enum { WINDOW = 1024 };
    const struct bridge_server *server = &settings->server;
    if (!settings->name && settings->queue && !bridge_set_text(&settings->name, settings->queue))
        return false;
    if (!needs(settings, settings->queue, "queue") || !needs(settings, server->urls, "url") ||
        !needs(settings, settings->stream, "stream") ||
        !needs(settings, settings->subject, "subject"))
        return false;
    if (!is_stream_name(settings->stream)) {
        (void)bridge_error(NULL, "stream '%s': its name must have no blank, point, slash, * or >",
                           settings->stream);
        return false;
    }
    if (!settings->inbound && strpbrk(settings->subject, "*> ")) {
        (void)bridge_error(NULL,
                           "subject '%s': has * or > or a blank; a queue needs one subject to "
                           "publish to",
                           settings->subject);
        return false;
    }
    if ((server->nkey_public != NULL) != (server->nkey_seed != NULL) ||
        (server->certificate != NULL) != (server->key != NULL)) {
        (void)bridge_error(NULL, "nkey needs nkey-seed, and cert needs key, and the reverse");
        return false;
    }
    if (settings->window == 0)
        settings->window = WINDOW;
    if (!settings->options.retention && !bridge_set_text(&settings->options.retention, "limits"))
        return false;
    return check_retention(settings) && (settings->durable || default_durable(settings));
}

void bridge_free_settings(struct bridge_settings *settings)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].kind == TEXT || options[i].kind == TEXT_IN_FILE) {
            char **text = (char **)(void *)((char *)settings + options[i].offset);
            free(*text);
            *text = NULL;
        }
}

/* Returns the size of an option that is no text. */
static size_t size_of(const struct option *option)
{
    return option->kind == NUMBER || option->kind == SECONDS ? sizeof(int64_t) : sizeof(bool);
}

bool bridge_set_defaults(struct bridge_settings *settings, const struct bridge_settings *defaults)
{
    const uint64_t missing = defaults->given & ~settings->given;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const size_t offset = options[i].offset;
        char *to = (char *)settings + offset;
        const char *from = (const char *)defaults + offset;
        if (options[i].kind != TEXT && options[i].kind != TEXT_IN_FILE) {
            memcpy(to, from, missing >> i & 1 ? size_of(&options[i]) : 0);
            continue;
        }
        char **text = (char **)(void *)to;
        char *const *text_of_defaults = (char *const *)(const void *)from;
        if (!*text && *text_of_defaults && !bridge_set_text(text, *text_of_defaults))
            return false;
    }
    return true;
}
