/* SPDX-License-Identifier: MIT */
/* Shared by the files of quoit-bridge: the settings of a route, its counters, and its loop. */
#ifndef QUOIT_BRIDGE_H
#define QUOIT_BRIDGE_H

#include <quoit/inspect.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { BRIDGE_OK = 0, BRIDGE_FAILED = 1, BRIDGE_USAGE = 2 }; /* exit codes */
enum { BRIDGE_TEXT = 512 };                                  /* room for a sentence */

/* How to reach the servers, and with which identity. Strings belong to the settings; NULL: none. */
struct bridge_server {
    char *urls; /* nats://HOST:PORT, or several with commas between them */
    char *user, *password, *token;
    char *credentials;             /* a file of nsc: JWT and seed */
    char *nkey_public, *nkey_seed; /* the public key, and a file with the seed */
    char *ca, *certificate, *key;  /* PEM files */
    bool tls;
};

struct bridge_stream { /* of --create-stream */
    bool create, memory, discard_old;
    int64_t replicas, max_messages, max_bytes, max_age_ns; /* 0: no limit */
    char *retention;                                       /* limits, interest or workqueue */
};

struct bridge_settings { /* of one route */
    char *name;
    bool inbound;
    char *queue, *stream, *subject;
    struct bridge_server server;
    struct bridge_stream options;
    uint64_t window;               /* out: messages that wait for an acknowledgement */
    char *durable;                 /* in: the consumer's name */
    uint64_t capacity, item_bytes; /* in: the queue to create; 0: it must exist */
    bool messages, broadcast, any_owner;
    uint64_t given; /* a bit for each option that was set: its place in the table of settings.c */
};

/* Written by the route's threads, read by the one that writes metrics. */
struct bridge_counters {
    _Atomic uint64_t messages, bytes; /* out: acknowledged; in: pushed */
    _Atomic uint64_t in_flight;       /* out: published; in: requested */
    _Atomic uint64_t queued;          /* items in the queue */
    _Atomic uint64_t pending;         /* in: messages that were not delivered yet */
    _Atomic uint64_t duplicates;      /* the stream, or the queue, had it already */
    _Atomic uint64_t retries;         /* how often the route began again at the last message */
    _Atomic uint64_t reconnects, missed;
    _Atomic uint64_t connected, blocked; /* 1 or 0 */
};

struct bridge_route {
    struct bridge_settings settings;
    struct bridge_counters counters;
    const _Atomic uint64_t *stop; /* not 0: the process is to end */
    pthread_mutex_t lock;         /* of error and error_at */
    char error[BRIDGE_TEXT];
    uint64_t error_at;
    void *state;  /* of out.c or in.c; threads of libnats may use it until nats_CloseAndWait */
    bool started; /* it has worked once: later failures are retried */
    _Atomic uint64_t code; /* how the route ended */
};

static inline void bridge_add(_Atomic uint64_t *counter, uint64_t count)
{
    /* Relaxed: numbers for people, and flags; no other memory is read because of them. */
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static inline void bridge_put(_Atomic uint64_t *counter, uint64_t value)
{
    /* Relaxed: as bridge_add, a number or a flag of its own. */
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline uint64_t bridge_get(const _Atomic uint64_t *counter)
{
    /* Relaxed: as bridge_add, a number or a flag of its own. */
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- quoit_bridge.c and report.c ------------------------------------------------------------- */

bool bridge_stopped(const struct bridge_route *route);
/* Prints a sentence about the route, unless it is the same as the last one of this minute. It is
   the last error in the metrics. Returns BRIDGE_FAILED. Macros, so that compilers check the
   arguments. */
#define bridge_error(route, ...) \
    ((void)snprintf(bridge_text, sizeof bridge_text, __VA_ARGS__), bridge_end_error(route))
#define bridge_note(route, ...) \
    ((void)snprintf(bridge_text, sizeof bridge_text, __VA_ARGS__), bridge_end_note(route))
extern _Thread_local char bridge_text[BRIDGE_TEXT];
int bridge_end_error(struct bridge_route *route); /* NULL: of no route */
void bridge_end_note(const struct bridge_route *route);
void bridge_sleep_ms(const struct bridge_route *route, uint32_t milliseconds);
uint64_t bridge_now_ns(void);
bool bridge_write_metrics(const char *path, struct bridge_route *routes, size_t count);

/* ---- settings.c and config.c ----------------------------------------------------------------- */

/* Copies the text. false: out of memory, which was reported. */
bool bridge_set_text(char **text_out, const char *text);
/* Sets an option by its long name, without dashes; value is NULL for a switch. false: reported. */
bool bridge_set(struct bridge_settings *settings, const char *option, const char *value);
bool bridge_set_url(struct bridge_settings *settings, const char *url);
bool bridge_is_switch(const char *option);
/* Takes from the defaults the options that the route does not have. */
bool bridge_set_defaults(struct bridge_settings *settings, const struct bridge_settings *defaults);
/* Checks that all that is needed is there, and fills in defaults. */
bool bridge_complete(struct bridge_settings *settings);
void bridge_free_settings(struct bridge_settings *settings);
/* Reads the file; routes_out is to be freed. */
bool bridge_read_config(const char *path, struct bridge_settings **routes_out, size_t *count_out);

/* ---- out.c and in.c -------------------------------------------------------------------------- */

int bridge_run_out(struct bridge_route *route);
int bridge_run_in(struct bridge_route *route);

#endif
