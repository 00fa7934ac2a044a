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
 * [server] has what all routes share. A section [out QUEUE] or [in QUEUE] is a route.
 */
#include "bridge.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

enum { SECTION_MOST = 48 }; /* libinih keeps so many characters of a section, and drops the rest */

struct config {
    struct bridge_settings defaults;
    struct bridge_settings *routes;
    size_t count;
    char section[256]; /* of the last route */
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
                           "section [%s...]: has more than %d characters; use a shorter name in the "
                           "section, and add the line queue = with the queue's name",
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

static int on_line(void *context, const char *section, const char *name, const char *value)
{
    struct config *config = context;
    const bool shared = strcmp(section, "server") == 0;
    struct bridge_settings *route = shared ? NULL : route_of(config, section);
    const bool good = shared  ? bridge_set(&config->defaults, name, value)
                      : route ? bridge_set(route, name, value)
                              : false;
    config->reported = config->reported || !good;
    return good;
}

bool bridge_read_config(const char *path, struct bridge_settings **routes_out, size_t *count_out)
{
    struct config config = {0};
    const int line = ini_parse(path, on_line, &config);
    bool good = line == 0;
    if (line < 0)
        (void)bridge_error(NULL, "cannot read the file '%s'", path);
    else if (line > 0)
        (void)bridge_error(NULL, "file '%s', line %d: %s", path, line,
                           config.reported ? "has the error above" : "is no line of an INI file");
    else if (config.count == 0) {
        (void)bridge_error(NULL, "file '%s': has no section [out QUEUE] or [in QUEUE]", path);
        good = false;
    }
    for (size_t i = 0; i < config.count && good; i++)
        good = bridge_set_defaults(&config.routes[i], &config.defaults) &&
               bridge_complete(&config.routes[i]);
    bridge_free_settings(&config.defaults);
    *routes_out = config.routes;
    *count_out = config.count;
    return good;
}
