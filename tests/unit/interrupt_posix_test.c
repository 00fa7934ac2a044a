/* SPDX-License-Identifier: MIT */
/* quoit_queue_interrupt in a signal handler ends the wait of the thread that the handler runs in,
   whatever instruction of the wait it runs at. */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

/* Of the library: from here on a wake that is lost is a wait that does not end. */
extern int64_t quoit_wait_slice_ns;

static quoit_queue *queue, *other;
static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    (void)number;
    handled = handled + 1;
    (void)quoit_queue_interrupt(queue);
}

static quoit_status pop(void)
{
    uint64_t value;
    return quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_FOREVER);
}

static quoit_status wait_any(void)
{
    struct quoit_wait waits[] = {{other, QUOIT_ITEMS, 0}, {queue, QUOIT_ITEMS, 0}};
    return quoit_wait_any(waits, 2, QUOIT_FOREVER);
}

static quoit_queue *create(uint32_t kind, const char *name)
{
    const struct quoit_queue_options options = {.kind = kind, .item_bytes = 8, .capacity = 1};
    quoit_queue *made;
    CHECK_STATUS(quoit_queue_create(name, &options, BOTH, &made), QUOIT_OK);
    return made;
}

/* The signal comes after so many microseconds: at first in the spin, then in the sleep. */
static void interrupt_by_signals(quoit_status (*wait)(void))
{
    const uint64_t rounds = test_effort(300, 20000);
    for (uint64_t i = 0; i < rounds; i++) {
        const struct itimerval once = {.it_value.tv_usec = 1 + (suseconds_t)(test_random() % 700)};
        sig_atomic_t before = handled;
        CHECK(setitimer(ITIMER_REAL, &once, NULL) == 0);
        CHECK_STATUS(wait(), QUOIT_INTERRUPTED);
        CHECK_EQ(handled, before + 1);
    }
}

static void in_a_handler(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    int64_t slice = quoit_wait_slice_ns;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    quoit_wait_slice_ns = INT64_C(36000000000000);
    for (uint32_t kind = QUOIT_SPSC; TEST_LOOP(kind <= QUOIT_BROADCAST, 0, "kind", kind); kind++) {
        const char *name = test_name(""), *other_name = test_name("");
        queue = create(kind, name);
        other = create(QUOIT_SPSC, other_name);
        interrupt_by_signals(pop);
        interrupt_by_signals(wait_any);
        quoit_queue_close(queue);
        quoit_queue_close(other);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        CHECK_STATUS(quoit_unlink(other_name, 0), QUOIT_OK);
    }
    quoit_wait_slice_ns = slice;
}

/* In a forked child it changes nothing, not even the sentence of the latest error. */
static void in_a_forked_child(void)
{
    const char *name = test_name("");
    int status = -1;
    queue = create(QUOIT_SPSC, name);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        char before[512];
        bool failed = quoit_wait_any(NULL, 0, QUOIT_NOW) == QUOIT_ERROR_INVALID;
        (void)snprintf(before, sizeof before, "%s", quoit_describe(QUOIT_ERROR_INVALID));
        bool refused = quoit_queue_interrupt(queue) == QUOIT_ERROR_FORKED;
        bool kept = strcmp(quoit_describe(QUOIT_ERROR_INVALID), before) == 0;
        _exit(!failed ? 1 : !refused ? 2 : !kept ? 3 : 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* A handler must not change errno, either. */
static void keeps_errno(void)
{
    const char *name = test_name("");
    queue = create(QUOIT_SPSC, name);
    for (int i = 0; i < 3; i++) {
        errno = E2BIG;
        CHECK_STATUS_IS(quoit_queue_interrupt(i == 0 ? queue : NULL), ==,
                        i == 0 ? QUOIT_OK : QUOIT_ERROR_INVALID);
        CHECK_EQ(errno, E2BIG);
    }
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"in_a_handler", in_a_handler},
                                             {"in_a_forked_child", in_a_forked_child},
                                             {"keeps_errno", keeps_errno},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
