/* SPDX-License-Identifier: MIT */
/*
 * Two processes wake each other in turn, in quoit_wait_any, and are delayed at the labelled points
 * of waiting and waking (docs/ORDERING.md). No sleeper checks its queues by itself, so a wake that
 * is lost is a wait whose time runs out. The linker puts the functions below in place of the
 * library's: see CMakeLists.txt.
 */
#include "test.h"

#include "os.h"
#include "poller.h"
#include "queue_handle.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);

enum { MOST = 160 };
static const int64_t minute = INT64_C(60000000000), hours = INT64_C(36000000000000);

/* Of the library: from here on a wake that is lost is a wait that does not end. */
extern int64_t quoit_wait_slice_ns;

/* ---- Delays ---------------------------------------------------------------------------------- */

static _Atomic bool delays;
static _Atomic uint64_t delayed;

/* Mostly nothing; a time up to that of a sleep's steps; rarely the rest of a time slice. */
static void delay(void)
{
    static _Thread_local uint64_t state;
    if (!atomic_load_explicit(&delays, memory_order_relaxed))
        return;
    if (state == 0)
        state = test_seed ^ (uint64_t)(uintptr_t)&state ^ UINT64_C(0x9e3779b97f4a7c15);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    if (state % 4 != 0)
        return;
    (void)atomic_fetch_add_explicit(&delayed, 1, memory_order_relaxed);
    if (state >> 8 & 63)
        quoit_os_spin((uint32_t)(state >> 16 & 4095));
    else
        (void)sched_yield();
}

#define WRAPPED(type, name, parameters, arguments) \
    type __real_##name parameters;                 \
    type __wrap_##name parameters;                 \
    type __wrap_##name parameters                  \
    {                                              \
        delay();                                   \
        type result = __real_##name arguments;     \
        delay();                                   \
        return result;                             \
    }
#define WRAPPED_VOID(name, parameters, arguments) \
    void __real_##name parameters;                \
    void __wrap_##name parameters;                \
    void __wrap_##name parameters                 \
    {                                             \
        delay();                                  \
        __real_##name arguments;                  \
        delay();                                  \
    }

/* Between publishing and WAIT-F1, and between WAIT-W2 and the system's wake. */
WRAPPED_VOID(quoit_queue_wake, (quoit_queue * queue, uint32_t role), (queue, role))
WRAPPED_VOID(quoit_wake, (quoit_queue * queue, struct quoit_waiter *sleeper), (queue, sleeper))
WRAPPED_VOID(quoit_os_wake,
             (const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
              uint32_t value),
             (shm, number, word, value))
/* Before WAIT-S2, between WAIT-S3 and the barrier, after it, and around the last poll. */
WRAPPED_VOID(quoit_sleep_unless_any,
             (struct quoit_sleep * sleeps, uint32_t count, struct quoit_os_word *words,
              uint32_t known, quoit_is_ready *ready, int64_t timeout_ns),
             (sleeps, count, words, known, ready, timeout_ns))
WRAPPED(bool, quoit_os_barrier_impose, (void), ())
WRAPPED(bool, quoit_is_ready_or_interrupted, (quoit_queue * queue, unsigned role), (queue, role))
/* Between the last poll and the sleep. */
WRAPPED_VOID(quoit_os_sleep_any,
             (const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns),
             (words, count, timeout_ns))
/* Before POLL-N2, between POLL-U1 and POLL-U3. */
WRAPPED(struct quoit_os_word, quoit_poller_notices, (void), ())
WRAPPED(struct quoit_poll_thread *, quoit_poller_arm,
        (struct quoit_poller * poller, uint32_t targets), (poller, targets))
WRAPPED_VOID(quoit_poll_thread_wake, (struct quoit_poll_thread * thread), (thread))

/* ---- Turns ----------------------------------------------------------------------------------- */

static quoit_queue *queues[MOST], *answers;
static char prefix[64];

static const char *numbered(const char *base, int number)
{
    static char text[96];
    (void)snprintf(text, sizeof text, "%s.%d", base, number);
    return text;
}

/* Queue number `count` has the answers. */
static quoit_queue *join(const char *base, int number, uint32_t role)
{
    const struct quoit_queue_options options = {
        .kind = (uint32_t)number % 3, .item_bytes = 8, .capacity = 4};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_join(numbered(base, number), &options, role, &queue), QUOIT_OK);
    return queue;
}

/* Waits, most times with the shortest spin. */
static void wait(struct quoit_wait *waits, int count)
{
    if (test_random() % 8 != 0)
        quoit_waiter_of(waits[0].queue, QUOIT_CONSUMER)->spins = 1;
    CHECK_STATUS(quoit_wait_any(waits, (size_t)count, minute), QUOIT_OK);
}

/* As many checks for sleepers as a waker makes before it clears wake_needed, if it finds none. Then
   the next push has no fence, and relies on the barrier that the sleeper imposes. */
static void clear_wake_needed(quoit_queue *queue)
{
    for (int i = 0; i < 20; i++)
        __real_quoit_wake(queue, quoit_waiter_of(queue, QUOIT_CONSUMER));
    for (uint64_t i = test_random() % 8; i > 0; i--)
        delay();
}

/* arguments: the names' beginning, how many queues, rounds, the seed. */
static void ask(char **arguments)
{
    int count = atoi(arguments[1]);
    uint64_t rounds = strtoull(arguments[2], NULL, 10), value = 0;
    test_seed = strtoull(arguments[3], NULL, 10);
    for (int i = 0; i < count; i++)
        queues[i] = join(arguments[0], i, QUOIT_PRODUCER);
    answers = join(arguments[0], count, QUOIT_CONSUMER);
    struct quoit_wait waits[] = {{answers, QUOIT_ITEMS, 0}, {answers, QUOIT_ITEMS, 0}};
    quoit_wait_slice_ns = hours;
    atomic_store(&delays, true);
    for (uint64_t round = 0; TEST_LOOP(round < rounds, 0, "round", round); round++) {
        struct word_queue queue = {queues[test_random() % (uint64_t)count]};
        if (test_random() % 2 == 0)
            clear_wake_needed(queue.queue);
        CHECK_STATUS(word_push(queue, &round, QUOIT_NOW), QUOIT_OK);
        wait(waits, 1 + (int)(round % 2));
        CHECK_STATUS(word_pop((struct word_queue){answers}, &value, QUOIT_NOW), QUOIT_OK);
        CHECK_EQ(value, round);
    }
    atomic_store(&delays, false);
}

static void answer_all(int count, uint64_t rounds)
{
    static struct quoit_wait waits[MOST];
    for (uint64_t round = 0; TEST_LOOP(round < rounds, 0, "round", round); round++) {
        int ready = 0;
        for (int i = 0; i < count; i++)
            waits[i] = (struct quoit_wait){queues[i], QUOIT_ITEMS, 0};
        wait(waits, count);
        for (int i = 0; i < count; i++) {
            uint64_t value = 0;
            if (waits[i].ready == 0)
                continue;
            ready++;
            CHECK_STATUS(word_pop((struct word_queue){queues[i]}, &value, QUOIT_NOW), QUOIT_OK);
            CHECK_EQ(value, round);
        }
        CHECK_EQ(ready, 1);
        CHECK_STATUS(word_push((struct word_queue){answers}, &round, QUOIT_NOW), QUOIT_OK);
    }
}

static void take_turns(int count, uint64_t rounds)
{
    char texts[3][24];
    if (!quoit_os_barrier_join() || !quoit_os_can_sleep_any()) {
        (void)printf("  left out: without membarrier and futex_waitv, sleeps are short anyway\n");
        return;
    }
    (void)snprintf(prefix, sizeof prefix, "%s", test_name(""));
    for (int i = 0; i < count; i++)
        queues[i] = join(prefix, i, QUOIT_CONSUMER);
    answers = join(prefix, count, QUOIT_PRODUCER);
    (void)snprintf(texts[0], sizeof texts[0], "%d", count);
    (void)snprintf(texts[1], sizeof texts[1], "%llu", (unsigned long long)rounds);
    (void)snprintf(texts[2], sizeof texts[2], "%llu", (unsigned long long)test_random());
    test_process other = test_spawn(
        "ask", (const char *const[]){prefix, texts[0], texts[1], texts[2], NULL});
    quoit_wait_slice_ns = hours;
    atomic_store(&delays, true);
    answer_all(count, rounds);
    atomic_store(&delays, false);
    CHECK_EQ(test_wait(other), 0);
    CHECK_GT(atomic_load(&delayed), 0); /* the functions above are in place of the library's */
    for (int i = 0; i <= count; i++) {
        quoit_queue_close(i < count ? queues[i] : answers);
        CHECK_STATUS(quoit_unlink(numbered(prefix, i), 0), test_after_close(prefix));
    }
    (void)printf("  %llu rounds on %d queues, %llu delays\n", (unsigned long long)rounds, count,
                 (unsigned long long)atomic_exchange(&delayed, 0));
}

/* QUOIT_LOST_WAKE_ROUNDS in the environment: another number of rounds. */
static void a_few_queues(void)
{
    const char *rounds = getenv("QUOIT_LOST_WAKE_ROUNDS");
    take_turns(4, rounds ? strtoull(rounds, NULL, 10) : test_effort(20000, 10000000));
}

/* More than a thread can sleep on: the library's threads sleep on the others. */
static void many_queues(void)
{
    take_turns(MOST - 1, test_effort(1000, 300000));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"a_few_queues", a_few_queues}, {"many_queues", many_queues}, {NULL, NULL}};
    static const struct test_role roles[] = {{"ask", ask}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
