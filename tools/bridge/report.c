/* SPDX-License-Identifier: MIT */
/* The bridge's output: errors on stderr, and counters as Prometheus text. */
#include "bridge.h"

#include <errno.h>
#include <fcntl.h>
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
    return bridge_get(route->stop) != 0;
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
static void print_plain(const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, stderr);
}

static void print_line(const struct bridge_route *route)
{
    pthread_mutex_lock(&print_lock);
    fputs("quoit-bridge: ", stderr);
    if (route) {
        print_plain(route->settings.name);
        fputs(": ", stderr);
    }
    print_plain(bridge_text);
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
        print_line(route);
    return BRIDGE_FAILED;
}

void bridge_end_note(const struct bridge_route *route)
{
    print_line(route);
}

/* ---- Metrics --------------------------------------------------------------------------------- */

struct metric {
    const char *key, *type, *help;
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
        fprintf(file, "# HELP quoit_bridge_%s %s\n# TYPE quoit_bridge_%s %s\n", metrics[i].key,
                metrics[i].help, metrics[i].key, metrics[i].type);
        for (size_t r = 0; r < count; r++) {
            const void *at = (const char *)&routes[r].counters + metrics[i].offset;
            fprintf(file, "quoit_bridge_%s", metrics[i].key);
            write_labels(file, &routes[r]);
            fprintf(file, "} %" PRIu64 "\n", bridge_get(at));
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
    const int descriptor = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (file)
        write_all(file, routes, count);
    const bool good = file && fclose(file) == 0 && rename(other, path) == 0;
    if (!good)
        (void)bridge_error(NULL, "cannot write the metrics to '%s': %s", path, strerror(errno));
    free(other);
    return good;
}
