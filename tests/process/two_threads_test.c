/* SPDX-License-Identifier: MIT */
/* Two threads on one side of a handle. A library that was built for debugging ends the process with
   a message if they use it at the same time. It accepts threads that pass the handle on. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

QUOIT_DEFINE_QUEUE(word, uint64_t);
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, CAPACITY = 2, TURNS = 6 };

static const struct quoit_queue_options kinds[] = {
    {.item_bytes = 8, .capacity = CAPACITY},
    {.item_bytes = 8, .capacity = CAPACITY}, /* spans */
    {.item_bytes = 8, .capacity = CAPACITY, .messages = 1},
    {.item_bytes = 8, .capacity = CAPACITY, .kind = QUOIT_MPMC},
    {.item_bytes = 8, .capacity = CAPACITY, .kind = QUOIT_BROADCAST}};
enum { KINDS = sizeof kinds / sizeof *kinds, SPANS = 1, MESSAGES = 2 };

/* ---- The calls of a side --------------------------------------------------------------------- */

static quoit_status copy_in(quoit_queue *queue, int64_t timeout_ns)
{
    const uint64_t word = 1;
    return quoit_queue_push(queue, &word, sizeof word, timeout_ns);
}

static quoit_status copy_in_typed(quoit_queue *queue, int64_t timeout_ns)
{
    const uint64_t word = 1;
    return word_push((struct word_queue){queue}, &word, timeout_ns);
}

static quoit_status make_in_place(quoit_queue *queue, int64_t timeout_ns)
{
    void *room;
    quoit_status status = quoit_queue_claim(queue, sizeof(uint64_t), &room, timeout_ns);
    if (status != QUOIT_OK)
        return status;
    memset(room, 1, sizeof(uint64_t));
    return quoit_queue_commit(queue, sizeof(uint64_t));
}

static quoit_status discard(quoit_queue *queue, int64_t timeout_ns)
{
    (void)timeout_ns;
    return quoit_queue_discard(queue);
}

static quoit_status copy_out(quoit_queue *queue, int64_t timeout_ns)
{
    uint64_t word;
    return quoit_queue_pop(queue, &word, sizeof word, NULL, timeout_ns);
}

static quoit_status copy_out_typed(quoit_queue *queue, int64_t timeout_ns)
{
    uint64_t word;
    return word_pop((struct word_queue){queue}, &word, timeout_ns);
}

static quoit_status read_in_place(quoit_queue *queue, int64_t timeout_ns)
{
    const void *data;
    quoit_status status = quoit_queue_peek(queue, &data, NULL, timeout_ns);
    return status == QUOIT_OK ? quoit_queue_release(queue) : status;
}

static quoit_status close_it(quoit_queue *queue, int64_t timeout_ns)
{
    (void)timeout_ns;
    quoit_queue_close(queue);
    return QUOIT_OK;
}

typedef quoit_status side_call(quoit_queue *queue, int64_t timeout_ns);
static side_call *const pushes[] = {copy_in, copy_in_typed, make_in_place, discard, close_it};
static side_call *const pops[] = {copy_out, copy_out_typed, read_in_place, close_it};
enum { PUSHES = sizeof pushes / sizeof *pushes, POPS = sizeof pops / sizeof *pops };
enum { WAITING = 3 }; /* the first calls of both lists, which wait */

static bool is_typed(side_call *call)
{
    return call == copy_in_typed || call == copy_out_typed;
}

static quoit_queue *first_handle; /* keeps the queue if it would end with its last handle */

static const char *make(int kind)
{
    const char *name = test_name("");
    test_keep_spans(kind == SPANS);
    CHECK_STATUS(quoit_queue_create(name, &kinds[kind], QUOIT_OBSERVER, &first_handle), QUOIT_OK);
    test_keep_spans(false);
    return name;
}

static void destroy(const char *name)
{
    quoit_queue_close(first_handle);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

static quoit_queue *enter(const char *name, uint32_t flags)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(name, flags, &queue), QUOIT_OK);
    return queue;
}

/* ---- One after the other --------------------------------------------------------------------- */

struct turn {
    quoit_queue *queue;
    side_call *call;
};

static void take_turn(void *argument)
{
    const struct turn *turn = argument;
    CHECK_STATUS(turn->call(turn->queue, QUOIT_FOREVER), QUOIT_OK);
}

/* Each call in its own thread, which ends before the next one starts. */
static void handed_on(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++) {
        const char *name = make(kind);
        quoit_queue *queue = enter(name, BOTH);
        for (int i = 0; TEST_LOOP(i < TURNS, 1, "turn", i); i++) {
            int typed = kind == MESSAGES ? 0 : 1;
            struct turn turns[] = {{queue, i % 2 ? pushes[typed] : make_in_place},
                                   {queue, i % 2 ? read_in_place : pops[typed]}};
            for (int k = 0; k < 2; k++)
                test_thread_join(test_thread_start(take_turn, &turns[k]));
        }
        CHECK_EQUAL(quoit_queue_size(queue), 0);
        quoit_queue_close(queue);
        destroy(name);
    }
}

/* Two threads use the two sides of a handle at the same time. */
static void produce(void *queue)
{
    for (int i = 0; i < 1000; i++)
        CHECK_STATUS(copy_in_typed(queue, QUOIT_FOREVER), QUOIT_OK);
}

static void two_sides(void)
{
    const char *name = make(0);
    quoit_queue *queue = enter(name, BOTH);
    test_thread *producer = test_thread_start(produce, queue);
    for (int i = 0; i < 1000; i++)
        CHECK_STATUS(copy_out_typed(queue, QUOIT_FOREVER), QUOIT_OK);
    test_thread_join(producer);
    quoit_queue_close(queue);
    destroy(name);
}

/* ---- At the same time ------------------------------------------------------------------------ */

#ifdef QUOIT_CHECK_THREADS
/* Waits in one thread, and calls in another while the first one is in its call. */
static void collide(char **arguments)
{
    const char *name = arguments[0];
    uint32_t role = arguments[1][0] == 'p' ? QUOIT_PRODUCER : QUOIT_CONSUMER;
    side_call *const *calls = role == QUOIT_PRODUCER ? pushes : pops;
    quoit_queue *queue = enter(name, role);
    struct turn turn = {queue, calls[arguments[2][0] - '0']};
    struct quoit_queue_info info = {.full = 0};
    CHECK(freopen(arguments[4], "w", stderr) != NULL);
    for (int i = 0; role == QUOIT_PRODUCER && i < CAPACITY; i++)
        CHECK_STATUS(copy_in(queue, QUOIT_NOW), QUOIT_OK);
    test_thread *other = test_thread_start(take_turn, &turn);
    do {
        test_idle();
        CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    } while (info.full + info.empty == 0); /* counted inside the other thread's call */
    (void)calls[arguments[3][0] - '0'](queue, QUOIT_NOW);
    test_thread_join(other);
}

static void check_sentence(const char *path, const char *name, bool produces)
{
    char text[400] = "";
    const char *colon = strchr(name, ':'), *shown = colon ? colon + 1 : name;
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    (void)!fgets(text, sizeof text, file);
    CHECK_EQ(fclose(file), 0);
    CHECK_EQ(remove(path), 0);
    bool is_right = strstr(text, shown) && strstr(text, "two threads") &&
                    strstr(text, produces ? "producer side" : "consumer side") &&
                    strstr(text, "quoit_queue_again");
    if (!is_right)
        test_fail(__FILE__, __LINE__, "the process wrote '%s'", text);
}

static void collides(int kind, bool produces, int first, int second)
{
    const char *name = make(kind), *file = test_path(test_name("file"));
    quoit_queue *peer = enter(name, produces ? QUOIT_CONSUMER : QUOIT_PRODUCER);
    const char one[] = {(char)('0' + first), 0}, two[] = {(char)('0' + second), 0};
    test_process process = test_spawn(
        "collide", (const char *const[]){name, produces ? "p" : "c", one, two, file, NULL});
    CHECK_NE(test_wait(process), EXIT_SUCCESS);
    check_sentence(file, name, produces);
    quoit_queue_close(peer);
    destroy(name);
}

static void found(void)
{
    for (int kind = 0; TEST_LOOP(kind < KINDS, 0, "kind", kind); kind++)
        for (int side = 0; TEST_LOOP(side < 2, 1, "side", side); side++) {
            side_call *const *calls = side == 0 ? pushes : pops;
            int count = side == 0 ? (int)PUSHES : (int)POPS;
            for (int i = 0; TEST_LOOP(i < count, 2, "call", i); i++)
                if (kind != MESSAGES || !is_typed(calls[i]))
                    collides(kind, side == 0, kind == MESSAGES ? 0 : i % WAITING, i);
        }
}
#else
static void found(void)
{
    (void)is_typed;
    (void)printf("  left out: only a library that was built for debugging finds it\n");
}
#endif

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"handed_on", handed_on}, {"two_sides", two_sides}, {"found", found}, {NULL, NULL}};
#ifdef QUOIT_CHECK_THREADS
    static const struct test_role roles[] = {{"collide", collide}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
#else
    return test_main(argc, argv, parts, NULL);
#endif
}
