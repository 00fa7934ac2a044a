/* SPDX-License-Identifier: MIT */
/* What the bridge tells: errors on stderr, and counters as Prometheus text. */
#include "bridge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Thread_local char bridge_text[BRIDGE_TEXT];
static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;

uint64_t bridge_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool bridge_stopped(const struct bridge_route *route)
{
    return atomic_load(route->stop);
}

void bridge_sleep_ms(const struct bridge_route *route, uint32_t milliseconds)
{
    enum { AT_ONCE_MS = 50 };
    for (uint32_t slept = 0; slept < milliseconds && !bridge_stopped(route); slept += AT_ONCE_MS) {
        const struct timespec time = {.tv_nsec = AT_ONCE_MS * 1000000L};
        (void)nanosleep(&time, NULL);
    }
}

/* Texts of servers may have characters that a terminal obeys. */
static void print_text(const struct bridge_route *route)
{
    pthread_mutex_lock(&print_lock);
    fputs("quoit-bridge: ", stderr);
    if (route)
        fprintf(stderr, "%s: ", route->settings.name);
    for (const char *at = bridge_text; *at; at++)
        fputc((unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at, stderr);
    fputc('\n', stderr);
    pthread_mutex_unlock(&print_lock);
}

int bridge_end_error(struct bridge_route *route)
{
    static const uint64_t again_after_ns = UINT64_C(60) * 1000000000;
    bool print = true;
    if (route) {
        pthread_mutex_lock(&route->lock);
        const uint64_t now = bridge_now_ns();
        print = strcmp(route->error, bridge_text) != 0 || now - route->error_at > again_after_ns;
        if (print)
            route->error_at = now;
        (void)snprintf(route->error, sizeof route->error, "%s", bridge_text);
        pthread_mutex_unlock(&route->lock);
    }
    if (print)
        print_text(route);
    return BRIDGE_FAILED;
}

void bridge_end_note(const struct bridge_route *route)
{
    print_text(route);
}

/* ---- Metrics --------------------------------------------------------------------------------- */

struct metric {
    const char *name, *type, *help;
    size_t offset; /* of the counter */
};

#define AT(member) offsetof(struct bridge_counters, member)
static const struct metric metrics[] = {
    {"messages_total", "counter", "Messages that were acknowledged (out) or pushed (in)",
     AT(messages)},
    {"bytes_total", "counter", "Bytes of messages that were published (out) or pushed (in)",
     AT(bytes)},
    {"in_flight", "gauge", "Messages published and not acknowledged (out), or requested (in)",
     AT(in_flight)},
    {"queued_items", "gauge", "Items in the queue", AT(queued)},
    {"stream_pending", "gauge", "Messages of the stream that were not delivered yet (in)",
     AT(pending)},
    {"duplicates_total", "counter", "Messages that were recognized as known, and left out",
     AT(duplicates)},
    {"retries_total", "counter", "How often the route synchronized with the stream again",
     AT(retries)},
    {"reconnects_total", "counter", "How often the connection was made again", AT(reconnects)},
    {"missed_total", "counter",
     "Items of a lossy broadcast that were overwritten before they were read", AT(missed)},
    {"connected", "gauge", "1 if there is a connection to a server", AT(connected)},
    {"blocked", "gauge", "1 if the server refuses the next message, or the queue is full",
     AT(blocked)},
};
#undef AT

static void write_label(FILE *file, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', file);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
}

static void write_labels(FILE *file, const struct bridge_route *route)
{
    fputs("{route=\"", file);
    write_label(file, route->settings.name);
    fprintf(file, "\",direction=\"%s\",queue=\"", route->settings.inbound ? "in" : "out");
    write_label(file, route->settings.queue);
    fputs("\",stream=\"", file);
    write_label(file, route->settings.stream);
    fputc('"', file);
}

static void write_all(FILE *file, struct bridge_route *routes, size_t count)
{
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        fprintf(file, "# HELP quoit_bridge_%s %s\n# TYPE quoit_bridge_%s %s\n", metrics[i].name,
                metrics[i].help, metrics[i].name, metrics[i].type);
        for (size_t r = 0; r < count; r++) {
            const void *at = (const char *)&routes[r].counters + metrics[i].offset;
            fprintf(file, "quoit_bridge_%s", metrics[i].name);
            write_labels(file, &routes[r]);
            fprintf(file, "} %" PRIu64 "\n", atomic_load((const _Atomic uint64_t *)at));
        }
    }
    fputs("# HELP quoit_bridge_last_error The last error, as a label; 1 if there was one\n"
          "# TYPE quoit_bridge_last_error gauge\n",
          file);
    for (size_t r = 0; r < count; r++) {
        pthread_mutex_lock(&routes[r].lock);
        fputs("quoit_bridge_last_error", file);
        write_labels(file, &routes[r]);
        fputs(",error=\"", file);
        write_label(file, routes[r].error);
        fprintf(file, "\"} %d\n", routes[r].error[0] != '\0');
        pthread_mutex_unlock(&routes[r].lock);
    }
}

/* Writes another file and renames it, so that a reader finds a whole file. */
bool bridge_write_metrics(const char *path, struct bridge_route *routes, size_t count)
{
    const size_t length = strlen(path);
    char *other = malloc(length + sizeof ".new");
    if (!other)
        return false;
    memcpy(other, path, length);
    memcpy(other + length, ".new", sizeof ".new");
    FILE *file = fopen(other, "we");
    if (file)
        write_all(file, routes, count);
    const bool good = file && fclose(file) == 0 && rename(other, path) == 0;
    if (!good)
        (void)bridge_error(NULL, "cannot write the metrics to '%s': %s", path, strerror(errno));
    free(other);
    return good;
}
