/* SPDX-License-Identifier: MIT */
/* The program quoit-bridge: its command line, its threads, and its end. */
#include "bridge.h"

#include <nats/nats.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: quoit-bridge COMMAND [OPTION...] ARGUMENT...\n"
    "\n"
    "  quoit-bridge out QUEUE nats://HOST:PORT/STREAM/SUBJECT   from a queue into a stream\n"
    "  quoit-bridge in nats://HOST:PORT/STREAM/SUBJECT QUEUE    from a stream into a queue\n"
    "  quoit-bridge run CONFIG                                  many of both, from a file\n"
    "\n"
    "Carries the items of a queue into a stream of NATS JetStream, or the messages of a stream\n"
    "into a queue. Each item comes exactly once and in order, also if the bridge, the server or\n"
    "the connection fails. Several servers of a cluster: "
    "nats://HOST:PORT,HOST:PORT/STREAM/SUBJECT.\n"
    "\n"
    "Each queue needs a stream of its own. No other program may publish to the stream.\n"
    "\n"
    "Options:\n"
    "  --user NAME          log in with this name,\n"
    "  --password-file FILE and with the password in the first line of FILE\n"
    "  --token-file FILE    log in with the token in the first line of FILE\n"
    "  --creds FILE         log in with a credentials file, as nsc writes it\n"
    "  --nkey PUBLIC        log in with this public key,\n"
    "  --nkey-seed FILE     and the seed in FILE\n"
    "  --tls                use TLS; --ca, --cert and --key imply it\n"
    "  --ca FILE            trust the certificates in FILE\n"
    "  --cert FILE          show this certificate,\n"
    "  --key FILE           with this private key\n"
    "  --create-stream      create the stream if it does not exist\n"
    "  --replicas N         with N replicas (1)\n"
    "  --storage KIND       in a file, or in memory (file)\n"
    "  --retention POLICY   limits, interest or workqueue (limits)\n"
    "  --max-messages N     with at most N messages (no limit)\n"
    "  --max-bytes N        with at most N bytes (no limit)\n"
    "  --max-age SECONDS    without older messages (no limit)\n"
    "  --discard WHICH      if it is full: new refuses messages, old removes the oldest (new)\n"
    "  --window N           out: N messages may wait for an acknowledgement (1024)\n"
    "  --durable NAME       in: the name of the durable consumer (the queue's name)\n"
    "  --capacity N         in: create the queue with room for N items,\n"
    "  --item-bytes N       of N bytes\n"
    "  --messages           as messages, of up to --item-bytes bytes each\n"
    "  --broadcast          as a broadcast\n"
    "  --any-owner          accept a queue of another user\n"
    "  --metrics FILE       write counters to FILE each second, for Prometheus\n"
    "  --help, --version\n"
    "\n"
    "CONFIG is an INI file. The section [server] has options that all routes share, and url. A\n"
    "section [out QUEUE] or [in QUEUE] is a route; it has stream, subject, and options by their\n"
    "names without dashes. The value of an option without an argument is yes or no. Several lines\n"
    "with url list the servers of a cluster.\n"
    "\n"
    "Exit codes: 0 a signal ended the bridge, or the queue's stream of items has ended; 1 "
    "failure;\n"
    "2 wrong command line.\n"
    "\n"
    "Examples:\n"
    "  quoit-bridge out --create-stream readings nats://127.0.0.1:4222/READINGS/readings\n"
    "  quoit-bridge in nats://127.0.0.1:4222/READINGS/readings readings --capacity 4096 "
    "--item-bytes 16\n"
    "  quoit-bridge run /etc/quoit/bridge.ini\n";

struct bridge { /* the process */
    struct bridge_settings *settings;
    struct bridge_route *routes;
    pthread_t *threads; /* one for each route */
    size_t count;
    char *metrics;
    const char *words[3]; /* what is no option */
    size_t word_count;
};

static _Atomic uint64_t stop, running, ended;

static int usage(void)
{
    fputs("see `quoit-bridge --help`\n", stderr);
    return BRIDGE_USAGE;
}

/* ---- The command line ------------------------------------------------------------------------ */

/* --name VALUE, --name=VALUE or --name. */
static bool read_option(struct bridge *bridge, char **argv, int *at)
{
    char name[32];
    const char *text = argv[*at] + 2;
    const size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : NULL;
    (void)snprintf(name, sizeof name, "%.*s", (int)(length < 31 ? length : 31), text);
    if (!bridge_is_switch(name) && !value)
        value = argv[++*at];
    if (!bridge_is_switch(name) && !value) {
        (void)bridge_error(NULL, "option '--%s' has no value; add one", name);
        return false;
    }
    if (strcmp(name, "metrics") == 0)
        return bridge_set_text(&bridge->metrics, value);
    return bridge_set(bridge->settings, name, value);
}

static bool read_words(struct bridge *bridge, int argc, char **argv)
{
    bool options = true;
    for (int at = 1; at < argc; at++) {
        if (options && strcmp(argv[at], "--") == 0)
            options = false;
        else if (options && argv[at][0] == '-' && argv[at][1] == '-') {
            if (!read_option(bridge, argv, &at))
                return false;
        } else if (bridge->word_count == sizeof bridge->words / sizeof bridge->words[0]) {
            (void)bridge_error(NULL, "'%s' is one word too many; omit it", argv[at]);
            return false;
        } else
            bridge->words[bridge->word_count++] = argv[at];
    }
    return true;
}

static bool read_command(struct bridge *bridge)
{
    const char *const *words = bridge->words;
    const char *command = bridge->word_count > 0 ? words[0] : "";
    if (strcmp(command, "run") == 0 && bridge->word_count == 2) {
        bridge_free_settings(bridge->settings);
        free(bridge->settings);
        bridge->settings = NULL;
        bridge->count = 0;
        return bridge_read_config(words[1], &bridge->settings, &bridge->count);
    }
    const bool inbound = strcmp(command, "in") == 0;
    if (bridge->word_count == 3 && (inbound || strcmp(command, "out") == 0)) {
        bridge->settings->inbound = inbound;
        return bridge_set_url(bridge->settings, words[inbound ? 1 : 2]) &&
               bridge_set_text(&bridge->settings->queue, words[inbound ? 2 : 1]) &&
               bridge_complete(bridge->settings);
    }
    (void)bridge_error(NULL, "use quoit-bridge out QUEUE ADDRESS, quoit-bridge in ADDRESS QUEUE or "
                             "quoit-bridge run CONFIG");
    return false;
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static void *run_route(void *context)
{
    struct bridge_route *route = context;
    const int code = route->settings.inbound ? bridge_run_in(route) : bridge_run_out(route);
    bridge_put(&route->code, (uint64_t)code);
    bridge_add(&ended, 1);
    return NULL;
}

/* Returns how many routes have a thread: if not all of them, the others are to stop. */
static size_t start(struct bridge *bridge)
{
    for (size_t i = 0; i < bridge->count; i++) {
        struct bridge_route *route = &bridge->routes[i];
        route->settings = bridge->settings[i];
        route->stop = &stop;
        pthread_mutex_init(&route->lock, NULL);
    }
    for (size_t i = 0; i < bridge->count; i++) {
        const int error = pthread_create(&bridge->threads[i], NULL, run_route, &bridge->routes[i]);
        if (error != 0) {
            (void)bridge_error(NULL,
                               "cannot start a thread for the route '%s': %s; allow more threads "
                               "(ulimit -u), or use fewer routes",
                               bridge->settings[i].name, strerror(error));
            bridge_put(&stop, 1);
            return i;
        }
        bridge_add(&running, 1);
    }
    return bridge->count;
}

/* Has a route failed? That ends the bridge: systemd or the user shall see it. */
static bool has_failed(const struct bridge *bridge)
{
    for (size_t i = 0; i < bridge->count; i++)
        if (bridge_get(&bridge->routes[i].code) != BRIDGE_OK)
            return true;
    return false;
}

/* Waits for a signal, until all routes have ended, or until one has failed. */
static void supervise(struct bridge *bridge, const sigset_t *signals)
{
    enum { LOOKS = 10 }; /* in a second */
    for (unsigned look = 0; bridge_get(&running) > bridge_get(&ended) && !bridge_get(&stop);
         look++) {
        const struct timespec pause = {.tv_nsec = 1000000000L / LOOKS};
        if (sigtimedwait(signals, NULL, &pause) > 0 || has_failed(bridge))
            bridge_put(&stop, 1);
        if (bridge->metrics && look % LOOKS == 0)
            (void)bridge_write_metrics(bridge->metrics, bridge->routes, bridge->count);
    }
}

static int run(struct bridge *bridge)
{
    enum { CLOSE_MS = 3000 };
    bridge->threads = calloc(bridge->count, sizeof *bridge->threads);
    bridge->routes = calloc(bridge->count, sizeof *bridge->routes);
    sigset_t signals;
    int code = BRIDGE_OK;
    if (!bridge->threads || !bridge->routes)
        return bridge_error(NULL, "out of memory: cannot allocate %zu routes", bridge->count);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* also in the threads */
    if (nats_Open(-1) != NATS_OK)
        return bridge_error(NULL, "out of memory: cannot start the library of NATS");
    const size_t started = start(bridge);
    supervise(bridge, &signals);
    if (started < bridge->count)
        code = BRIDGE_FAILED;
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(bridge->threads[i], NULL);
        if (bridge_get(&bridge->routes[i].code) != BRIDGE_OK)
            code = (int)bridge_get(&bridge->routes[i].code);
    }
    if (bridge->metrics)
        (void)bridge_write_metrics(bridge->metrics, bridge->routes, bridge->count);
    (void)nats_CloseAndWait(CLOSE_MS);
    for (size_t i = 0; i < bridge->count; i++)
        free(bridge->routes[i].state);
    return code;
}

int main(int argc, char **argv)
{
    struct bridge bridge = {.count = 1, .settings = calloc(1, sizeof *bridge.settings)};
    int code = BRIDGE_USAGE;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        code = BRIDGE_OK;
    } else if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("quoit-bridge %s\n", QUOIT_BRIDGE_VERSION);
        code = BRIDGE_OK;
    } else if (bridge.settings && read_words(&bridge, argc, argv) && read_command(&bridge))
        code = run(&bridge);
    else
        code = usage();
    for (size_t i = 0; i < bridge.count && bridge.settings; i++)
        bridge_free_settings(&bridge.settings[i]);
    free(bridge.settings);
    free(bridge.routes);
    free(bridge.threads);
    free(bridge.metrics);
    return code;
}
