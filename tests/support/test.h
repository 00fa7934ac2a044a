/* SPDX-License-Identifier: MIT */
/*
 * The test support: checks that print a sentence and end the process; names that are unique in each
 * run and must be gone at the end; real second processes, which run this program again in another
 * role.
 */
#ifndef TEST_H
#define TEST_H

#include <quoit.h>
#include <quoit/inspect.h>
#include <quoit/lock.h>
#include <quoit/sem.h>
#include <quoit/typed.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEST_SKIPPED = 77 };

/* ---- checks: each prints the expression, the values, and where it was in its loops ----------- */

#define CHECK(condition)                                              \
    do {                                                              \
        if (!(condition))                                             \
            test_fail(__FILE__, __LINE__, "%s is false", #condition); \
    } while (0)

/* Numbers of any type, compared as numbers, and pointers: CHECK_EQ(count, 5). */
#define CHECK_EQ(actual, expected) TEST_COMPARE(actual, TEST_EQ, expected)
#define CHECK_NE(actual, other)    TEST_COMPARE(actual, TEST_NE, other)
#define CHECK_LT(actual, bound)    TEST_COMPARE(actual, TEST_LT, bound)
#define CHECK_LE(actual, bound)    TEST_COMPARE(actual, TEST_LE, bound)
#define CHECK_GT(actual, bound)    TEST_COMPARE(actual, TEST_GT, bound)
#define CHECK_GE(actual, bound)    TEST_COMPARE(actual, TEST_GE, bound)
#define CHECK_EQUAL                CHECK_EQ
#define CHECK_STR(actual, expected) \
    test_check_string(__FILE__, __LINE__, #actual, (actual), (expected))

/* The status that the call returns, by name. If it is an error, the call must have set a sentence
   of its own for it, and no other call of this thread may have failed in between. */
#define CHECK_STATUS(call, expected) \
    test_check_status(__FILE__, __LINE__, #call, (call), (expected))
/* Compares a status that was stored: CHECK_STATUS_IS(status, ==, QUOIT_OK). */
#define CHECK_STATUS_IS(status, relation, expected)                                            \
    do {                                                                                       \
        const quoit_status test_kept = (status);                                               \
        if (!(test_kept relation(expected)))                                                   \
            test_fail(__FILE__, __LINE__, "%s is %s; expected: %s %s", #status,                \
                      quoit_status_name(test_kept), #relation, quoit_status_name((expected))); \
    } while (0)
/* Accepts one of several: CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_FULL). */
#define CHECK_STATUS_ANY(status, ...)                                   \
    test_check_any(__FILE__, __LINE__, #status, (status), #__VA_ARGS__, \
                   (const quoit_status[]){__VA_ARGS__},                 \
                   sizeof((const quoit_status[]){__VA_ARGS__}) / sizeof(quoit_status))

/* The text of quoit_describe for the status of this thread's latest CHECK_STATUS or
   CHECK_STATUS_ANY; "" before the first. */
const char *test_sentence(void);

/* test_fail(file, line, format, arguments): prints the message, removes the test's objects, and
   ends the process. */
#define test_fail(file, line, ...)                                                        \
    (test_begin_failure(file, line), fprintf(stderr, __VA_ARGS__), fprintf(stderr, "\n"), \
     test_give_up())
void test_begin_failure(const char *file, int line);
_Noreturn void test_give_up(void);
_Noreturn void test_skip(const char *reason);

/* Notes which of many cases is being tried, for failure messages. There is one line for each level
   of loops, 0 for the outermost; a new line drops those of the inner loops. A part begins without
   lines. Only the first thread sets them. */
enum { TEST_LEVELS = 4, TEST_CONTEXT_ROOM = 200 };
#define TEST_CONTEXT(...) TEST_CONTEXT_AT(0, __VA_ARGS__)
#define TEST_CONTEXT_AT(level, ...) \
    ((void)snprintf(test_context_at(level), TEST_CONTEXT_ROOM, __VA_ARGS__))
/* A loop that sets its line: for (int i = 0; TEST_LOOP(i < 3, 1, "capacity", capacities[i]);
   i++). */
#define TEST_LOOP(condition, level, name, value) \
    ((condition) ? test_in_loop(level, name, TEST_VALUE(value)) : test_behind_loop(level))
#define TEST_LOOP_TEXT(condition, level, text) \
    ((condition) ? test_in_loop(level, text, test_of_nothing()) : test_behind_loop(level))
char *test_context_at(int level); /* room for the line; the lines of inner loops are dropped */
typedef char test_context_line[TEST_CONTEXT_ROOM];
extern test_context_line *test_contexts;
#define test_context test_contexts[0]

/* The parts of TEST_COMPARE. */
enum test_relation { TEST_EQ, TEST_NE, TEST_LT, TEST_LE, TEST_GT, TEST_GE };
struct test_value {
    enum { TEST_SIGNED, TEST_UNSIGNED, TEST_DOUBLE, TEST_POINTER, TEST_NOTHING } kind;
    union {
        int64_t i;
        uint64_t u;
        double d;
        const volatile void *p;
    } as;
};
struct test_value test_of_signed(int64_t value);
struct test_value test_of_unsigned(uint64_t value);
struct test_value test_of_double(double value);
struct test_value test_of_pointer(const volatile void *value);
struct test_value test_of_nothing(void);
bool test_in_loop(int level, const char *name, struct test_value value); /* returns true */
bool test_behind_loop(int level);                                        /* returns false */
/* clang-format off */
#define TEST_VALUE(value) _Generic((value),                                                      \
    bool: test_of_unsigned, char: test_of_signed, signed char: test_of_signed,                   \
    unsigned char: test_of_unsigned, short: test_of_signed, unsigned short: test_of_unsigned,    \
    int: test_of_signed, unsigned: test_of_unsigned, long: test_of_signed,                       \
    unsigned long: test_of_unsigned, long long: test_of_signed,                                  \
    unsigned long long: test_of_unsigned, float: test_of_double, double: test_of_double,         \
    default: test_of_pointer)(value)
/* clang-format on */
#define TEST_COMPARE(actual, relation, expected)                                       \
    test_compare(__FILE__, __LINE__, relation, #actual, #expected, TEST_VALUE(actual), \
                 TEST_VALUE(expected))
void test_compare(const char *file, int line, enum test_relation relation, const char *actual_text,
                  const char *expected_text, struct test_value actual, struct test_value expected);
void test_check_string(const char *file, int line, const char *what, const char *actual,
                       const char *expected);
void test_check_status(const char *file, int line, const char *what, quoit_status actual,
                       quoit_status expected);
void test_check_any(const char *file, int line, const char *what, quoit_status actual,
                    const char *text, const quoit_status *expected, size_t count);

/* ---- queues ---------------------------------------------------------------------------------- */

/* Push or pop a batch without waiting. Return how many items were pushed or popped. */
size_t test_push_many(quoit_queue *queue, const void *items, size_t count);
size_t test_pop_many(quoit_queue *queue, void *items, size_t count);
/* The value of a semaphore that no other thread uses meanwhile. If the system does not report it,
   takes and returns it. */
uint32_t test_sem_value(quoit_sem *sem);
/* Chooses whether the queues that this process creates from here on use the spans layout, for items
   of every size. */
void test_keep_spans(bool keep);
bool test_is_finished(const quoit_queue *queue);

/* ---- random numbers, effort ------------------------------------------------------------------ */

/* Random numbers from a seed, which is printed at the beginning; --seed repeats a run. */
extern uint64_t test_seed;
uint64_t test_random(void);

/* QUOIT_TEST_EFFORT in the environment: "short", the default, for tests that take some seconds, or
   "full", for nightly runs with the full number of kills, rounds, items and seconds. Under an
   emulator (QUOIT_TEST_EMULATOR) a short run has a quarter of the short number. */
bool test_is_full(void);
uint64_t test_effort(uint64_t when_short, uint64_t when_full);
/* For loops over many similar cases. In a short run under an emulator it returns false for three of
   four cases, which the seed chooses. */
bool test_is_in_sample(void);

/* Crash points: the argument of --point, or NULL; whether that point was reached; the point that is
   tried now, or "". */
extern const char *test_point;
extern bool test_point_met;
extern char *test_point_now;
enum { TEST_POINT_ROOM = 48 };
extern const char *test_part_name;

/* ---- names ----------------------------------------------------------------------------------- */

/* Returns a name that no other test has: "scheme:" and a unique text, or a name of the native
   scheme for "". It is valid until the process ends, which checks that the object is gone.
   test_remember adds any other name to that check. */
const char *test_name(const char *scheme);
const char *test_remember(const char *name);

/* The status of quoit_unlink after the last handle is closed: OK, or NOT_FOUND where objects end
   with their last handle. */
quoit_status test_after_close(const char *name);
bool test_outlives_handles(const char *name);

/* Checks that the object of that name is not a region: it can be neither opened, nor created over,
   nor removed. */
void test_untouched(const char *name, quoit_status expected);

/* The path of a "file:" name, or the text of any name after its scheme; writes a file of those
   bytes; truncates one. */
const char *test_path(const char *name);
void test_write_file(const char *path, const void *bytes, size_t count);
void test_truncate(const char *path, uint64_t size_bytes);

/* Creates zeroed memory that the test's processes share; opens the same memory in another
   process. */
void *test_share(const char *name, uint64_t size_bytes, quoit_region **region_out);
void *test_shared(const char *name, uint64_t size_bytes, quoit_region **region_out);

/* Each ended by NULL: the schemes of regions, the native one first; those that two processes can
   share; those of semaphores. */
extern const char *const test_schemes[];
extern const char *const test_shared_schemes[];
extern const char *const test_sem_schemes[];

/* One part of a test; prints its name. All parts run in one process, in order. */
struct test_part {
    const char *name;
    void (*run)(void);
};

/* A function that this program runs when it is started as a second process. */
struct test_role {
    const char *name;
    void (*run)(char **arguments);
};

/* parts and roles (NULL: none) end with a NULL name. */
int test_main(int argc, char **argv, const struct test_part *parts, const struct test_role *roles);

/* ---- second processes, test_process_FAMILY.c ------------------------------------------------- */

typedef struct test_process {
    int64_t id;
    void *handle; /* Windows */
} test_process;

extern const char *test_program; /* the program that test_spawn starts */

/* Call it once, first. Returns the arguments as UTF-8. */
char **test_begin(int argc, char **argv);

/* If the test fails, the children that are running are killed. */
void test_child_began(test_process process);
void test_child_ended(test_process process);

enum { TEST_KILLED = 1000 }; /* test_wait's result for a process that was killed */

/* Starts this program again in that role; up to six arguments, ended by NULL. */
test_process test_spawn(const char *role, const char *const *arguments);
void test_kill(test_process process); /* at once, as kill -9 does; then call test_wait */
int test_wait(test_process process);  /* its exit code, or TEST_KILLED */
bool test_is_running(test_process process);
void test_pause(test_process process); /* stops it, without killing it */
void test_resume(test_process process);
void test_sleep_ms(int milliseconds);
/* Call it in a loop that waits for another process: it lets that one run, also on one processor. */
void test_idle(void);
uint32_t test_own_pid(void);
int test_open_descriptors(void);

/* POSIX: is this a build for plain POSIX, with fcntl locks and lock files in /tmp? */
extern const bool test_plain_posix;
/* POSIX: does the system report the permissions of a System V object correctly? Some qemu emulators
   do not. */
bool test_ipc_modes_are_reported(void);

/* Zeroed memory that this process and its watcher share. The path of its file begins with the
   macro's text. */
#define TEST_WATCHED_FILE "/tmp/qt-watch-"
void *test_watched_memory(size_t bytes);
/* From here on the test is watched. If it crashes, or lasts longer than so many seconds, the
   watcher removes its children and its objects, and prints where it was. On POSIX systems the
   caller continues in a new process. */
void test_watch(unsigned seconds);
/* The environment variable with the path of a file in which second processes write their names, for
   the watcher. Unset: there is no watcher. */
#define TEST_NAMES_FILE "QUOIT_TEST_NAMES"
void test_remove_names_in(const char *path);
/* In a second process: prints where it is if the watcher ends the test. */
void test_explain_ending(void);
/* Prints where the test is; removes the objects that it remembers. */
void test_print_place(FILE *stream);
void test_remove_names(void);
void test_kill_children(void);

/* ---- threads --------------------------------------------------------------------------------- */

typedef struct test_thread test_thread;

test_thread *test_thread_start(void (*run)(void *), void *argument);
void test_thread_join(test_thread *thread);

#endif
