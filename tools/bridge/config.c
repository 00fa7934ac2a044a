/* SPDX-License-Identifier: MIT */
/*
 * The file of `quoit-bridge run`, an INI file:
 *
 *     [server]
 *     url = nats://nats.example:4222
 *     [out readings]
 *     stream = READINGS
 *     subject = readings
 *
 * [server] has what all routes share. A section [out QUEUE] or [in QUEUE] is a route. libinih cuts
 * off long lines and long names of sections without a word, so they are refused.
 */
#include "bridge.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_MOST = 198,   /* characters; libinih has room for 200 with the newline */
    SECTION_MOST = 48, /* libinih has room for 50 */
    SECTION_ROOM = 64
};

struct config {
    struct bridge_settings defaults;
    struct bridge_settings *routes;
    size_t count;
    char section[SECTION_ROOM]; /* of the last route */
    bool reported;
};

/* The last route, or a new one if another section has begun. */
static struct bridge_settings *route_of(struct config *config, const char *section)
{
    const bool inbound = strncmp(section, "in ", 3) == 0;
    const char *queue = section + (inbound ? 3 : 4);
    if (!inbound && strncmp(section, "out ", 4) != 0) {
        (void)bridge_error(NULL, "section [%s]: must be [server], [out QUEUE] or [in QUEUE]",
                           section);
        return NULL;
    }
    if (strlen(section) > SECTION_MOST) {
        (void)bridge_error(NULL,
                           "section [%s...]: its name has more than %d characters; use a shorter "
                           "one, and set queue in the section",
                           section, SECTION_MOST);
        return NULL;
    }
    if (config->routes && strcmp(config->section, section) == 0)
        return &config->routes[config->count - 1];
    struct bridge_settings *grown = realloc(config->routes,
                                            (config->count + 1) * sizeof *config->routes);
    if (!grown) {
        (void)bridge_error(NULL, "out of memory: cannot allocate a route for [%s]", section);
        return NULL;
    }
    config->routes = grown;
    grown[config->count] = (struct bridge_settings){.inbound = inbound};
    (void)snprintf(config->section, sizeof config->section, "%s", section);
    if (!bridge_set_text(&grown[config->count].queue, queue) ||
        !bridge_set_text(&grown[config->count].name, section))
        return NULL;
    return &grown[config->count++];
}

/* Several lines with url list several servers, as commas do. */
static bool add_url(struct bridge_settings *settings, const char *url)
{
    const char *before = settings->server.urls;
    if (!before)
        return bridge_set_text(&settings->server.urls, url);
    const size_t room = strlen(before) + strlen(url) + 2;
    char *joined = malloc(room);
    if (!joined) {
        (void)bridge_error(NULL, "out of memory: cannot copy the url '%s'", url);
        return false;
    }
    (void)snprintf(joined, room, "%s,%s", before, url);
    free(settings->server.urls);
    settings->server.urls = joined;
    return true;
}

static bool set(struct bridge_settings *settings, const char *name, const char *value)
{
    return strcmp(name, "url") == 0 ? add_url(settings, value) : bridge_set(settings, name, value);
}

static int on_line(void *context, const char *section, const char *name, const char *value)
{
    struct config *config = context;
    const bool shared = strcmp(section, "server") == 0;
    struct bridge_settings *route = shared ? NULL : route_of(config, section);
    const bool good = shared  ? set(&config->defaults, name, value)
                      : route ? set(route, name, value)
                              : false;
    config->reported = config->reported || !good;
    return good;
}

static bool check_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    int line = 1, length = 0, next;
    bool good = true;
    while (file && good && (next = fgetc(file)) != EOF) {
        length = next == '\n' ? 0 : length + 1;
        good = length <= LINE_MOST;
        line += next == '\n';
    }
    if (file)
        (void)fclose(file);
    if (!good)
        (void)bridge_error(NULL,
                           "file '%s', line %d: has more than %d characters; a list of servers may "
                           "have several lines with url",
                           path, line, LINE_MOST);
    return good;
}

static bool is_same(const char *text, const char *other)
{
    return strcmp(text, other) == 0;
}

/* Two routes that cannot work beside each other: the second one would wait for ever, or take
   messages away from the first one. */
static bool check_pair(const struct bridge_settings *one, const struct bridge_settings *other)
{
    const bool same_stream = is_same(one->server.urls, other->server.urls) &&
                             is_same(one->stream, other->stream);
    if (one->inbound != other->inbound)
        return true;
    if (is_same(one->queue, other->queue))
        (void)bridge_error(NULL, "%s and %s: two routes have the queue '%s'; remove one", one->name,
                           other->name, one->queue);
    else if (same_stream && !one->inbound)
        (void)bridge_error(NULL,
                           "%s and %s: two routes publish to the stream '%s'; give each queue a "
                           "stream of its own",
                           one->name, other->name, one->stream);
    else if (same_stream && is_same(one->durable, other->durable))
        (void)bridge_error(NULL,
                           "%s and %s: two routes have the consumer '%s' of the stream '%s'; set "
                           "another name with durable",
                           one->name, other->name, one->durable, one->stream);
    else
        return true;
    return false;
}

static bool check_pairs(const struct config *config)
{
    for (size_t i = 0; i < config->count; i++)
        for (size_t j = 0; j < i; j++)
            if (!check_pair(&config->routes[j], &config->routes[i]))
                return false;
    return true;
}

static bool parse(struct config *config, const char *path)
{
    const int line = ini_parse(path, on_line, config);
    if (line < 0)
        (void)bridge_error(NULL, "cannot read the file '%s'", path);
    else if (line > 0)
        (void)bridge_error(NULL, "file '%s', line %d: %s", path, line,
                           config->reported ? "has the error above" : "is no line of an INI file");
    else if (config->count == 0)
        (void)bridge_error(NULL, "file '%s': has no section [out QUEUE] or [in QUEUE]", path);
    return line == 0 && config->count > 0;
}

bool bridge_read_config(const char *path, struct bridge_settings **routes_out, size_t *count_out)
{
    struct config config = {0};
    bool good = check_lines(path) && parse(&config, path);
    for (size_t i = 0; i < config.count && good; i++)
        good = bridge_set_defaults(&config.routes[i], &config.defaults) &&
               bridge_complete(&config.routes[i]);
    good = good && check_pairs(&config);
    bridge_free_settings(&config.defaults);
    *routes_out = config.routes;
    *count_out = config.count;
    return good;
}
