/* SPDX-License-Identifier: MIT */
/*
 * What every test is made of: checks that end the process with a sentence, names that are unique
 * per run and must be gone at the end, and real second processes, which are this program again in
 * another role.
 */
#ifndef TEST_H
#define TEST_H

#include <quoit.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEST_SKIPPED = 77 };

#define CHECK(condition)                                     \
    do {                                                     \
        if (!(condition))                                    \
            test_fail(__FILE__, __LINE__, "%s", #condition); \
    } while (0)

/* Both sides as numbers, shown where they differ. */
#define CHECK_EQUAL(actual, expected) \
    test_check_equal(__FILE__, __LINE__, #actual, (uint64_t)(actual), (uint64_t)(expected))

/* The call's status; where it is trouble, the error text must not be empty. */
#define CHECK_STATUS(call, expected) \
    test_check_status(__FILE__, __LINE__, #call, (call), (expected))

/* test_fail(file, line, format, …): says so, and ends the process without its objects. */
#define test_fail(file, line, ...) \
    (fprintf(stderr, "%s:%d: ", file, line), fprintf(stderr, __VA_ARGS__), test_give_up())
_Noreturn void test_give_up(void);
/* What is being tried, where that is one of many: shown with a failure. */
extern char test_context[200];
_Noreturn void test_skip(const char *reason);
void test_check_equal(const char *file, int line, const char *what, uint64_t actual,
                      uint64_t expected);
void test_check_status(const char *file, int line, const char *what, quoit_status actual,
                       quoit_status expected);

/* A name that no other test has, "scheme:…", or for "" one of the native kind; valid to the end of
   the process, which checks that it is gone. test_remember has that checked of any other name. */
const char *test_name(const char *scheme);
const char *test_remember(const char *name);

/* What unlinking gives when the last handle is closed: OK, or NOT_FOUND where objects end with
   their last handle. */
quoit_status test_after_close(const char *name);
bool test_outlives_handles(const char *name);

/* What stands under the name is no region: neither opened, nor created over, nor removed. */
void test_untouched(const char *name, quoit_status expected);

/* The path of a "file:…" name, or any name's text; a file made of those bytes; one cut off. */
const char *test_path(const char *name);
void test_write_file(const char *path, const void *bytes, size_t count);
void test_truncate(const char *path, uint64_t size_bytes);

/* Zeroed memory for the test's processes to meet in, and the same memory in another process. */
void *test_share(const char *name, uint64_t size_bytes, quoit_region **region_out);
void *test_shared(const char *name, uint64_t size_bytes, quoit_region **region_out);

/* The schemes of regions, the native one first, of those that two processes can share, and of
   semaphores, each ended by NULL. */
extern const char *const test_schemes[];
extern const char *const test_shared_schemes[];
extern const char *const test_sem_schemes[];

/* One part of a test; prints its name. All parts run in one process, in order. */
struct test_part {
    const char *name;
    void (*run)(void);
};

/* What this program does when it is started again as a second process. */
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

extern const char *test_program; /* what test_spawn starts */

/* Once, first: the arguments, as UTF-8. */
char **test_begin(int argc, char **argv);

/* Those that are running when the test fails are killed. */
void test_child_began(test_process process);
void test_child_ended(test_process process);

enum { TEST_KILLED = 1000 }; /* test_wait's answer for a process that was killed */

/* Starts this program again in that role; up to six arguments, ended by NULL. */
test_process test_spawn(const char *role, const char *const *arguments);
void test_kill(test_process process); /* at once, as kill -9 does; test_wait is still due */
int test_wait(test_process process);  /* its exit code, or TEST_KILLED */
bool test_is_running(test_process process);
void test_pause(test_process process); /* stopped, and alive */
void test_resume(test_process process);
void test_sleep_ms(int milliseconds);
/* To be called in a loop that waits for another process: lets it run, on one processor too. */
void test_idle(void);
uint32_t test_own_pid(void);
int test_open_descriptors(void);

/* POSIX: is this a build for plain POSIX, with fcntl locks and lock files in /tmp? */
extern const bool test_plain_posix;
/* POSIX: does the system tell a System V object's permissions right? qemu does not everywhere. */
bool test_ipc_modes_are_told(void);

/* ---- threads --------------------------------------------------------------------------------- */

typedef struct test_thread test_thread;

test_thread *test_thread_start(void (*run)(void *), void *argument);
void test_thread_join(test_thread *thread);

#endif
