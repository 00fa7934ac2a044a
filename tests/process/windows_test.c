/* SPDX-License-Identifier: MIT */
/* Windows only: the lifetime of objects, names in UTF-8 and in namespaces, other programs' objects
   under a name, and roles of threads that have ended. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};

static quoit_queue *open_as(const char *name, unsigned role)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_join(name, &options, role, &queue), QUOIT_OK);
    return queue;
}

static void push_three_and_leave(char **arguments)
{
    quoit_queue *queue = open_as(arguments[0], QUOIT_PRODUCER);
    for (uint64_t n = 1; n <= 3; n++)
        CHECK_STATUS(quoit_queue_push(queue, &n, sizeof n, QUOIT_NOW), QUOIT_OK);
    CHECK_STATUS(quoit_queue_finish(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

static void drain(const char *name)
{
    quoit_queue *queue = open_as(name, QUOIT_CONSUMER);
    uint64_t value = 0;
    for (uint64_t n = 1; n <= 3; n++) {
        CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_OK);
        CHECK_EQUAL(value, n);
    }
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_FINISHED);
    quoit_queue_close(queue);
}

/* If a process has the queue open, everything stays; otherwise the queue ends with its items. */
static void producer_leaves_first(void)
{
    const char *name = test_name("windows");
    const char *const arguments[] = {name, NULL};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
    CHECK_EQUAL(test_wait(test_spawn("push_three_and_leave", arguments)), 0);
    drain(name);
    quoit_queue_close(queue);

    CHECK_EQUAL(test_wait(test_spawn("push_three_and_leave", arguments)), 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &queue), QUOIT_ERROR_NOT_FOUND);
    queue = open_as(name, QUOIT_CONSUMER);
    CHECK((quoit_queue_size(queue) == 0));
    CHECK(!test_is_finished(queue));
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
}

/* A name that a second process, this program's arguments and the system all understand. */
static void names_in_utf8(void)
{
    static const char *const schemes[] = {"windows", "file"};
    for (int i = 0; i < 2; i++) {
        char text[100];
        (void)snprintf(text, sizeof text, "%s:qt-%u-Grüße-产品", schemes[i],
                       (unsigned)test_own_pid());
        const char *name = test_remember(text);
        const char *const arguments[] = {name, NULL};
        quoit_queue *queue = open_as(name, QUOIT_OBSERVER);
        CHECK_EQUAL(test_wait(test_spawn("push_three_and_leave", arguments)), 0);
        drain(name);
        wchar_t wide[100];
        (void)swprintf(wide, 100, L"qt-%u-Gr\u00fc\u00dfe-\u4ea7\u54c1", (unsigned)test_own_pid());
        if (i == 1)
            CHECK_NE(GetFileAttributesW(wide), INVALID_FILE_ATTRIBUTES);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        if (i == 1)
            CHECK_EQ(GetFileAttributesW(wide), INVALID_FILE_ATTRIBUTES);
        quoit_queue_close(queue);
    }
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create("windows:qt-\xff\xfe", &options, QUOIT_PRODUCER, &queue),
                 QUOIT_ERROR_NAME);
}

/* Longer than the 260 characters that Windows accepts by default. */
static void long_paths(void)
{
    char directory[4][300] = {"qt-long"}, name[400];
    (void)snprintf(directory[0], sizeof directory[0], "qt-long-%u", (unsigned)test_own_pid());
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            (void)snprintf(directory[i], sizeof directory[0], "%.220s/%064d", directory[i - 1], i);
        CHECK(CreateDirectoryA(directory[i], NULL));
    }
    (void)snprintf(name, sizeof name, "file:%s/%0100d", directory[3], 7);
    CHECK_GT(strlen(name), 300);
    const char *const arguments[] = {test_remember(name), NULL};
    CHECK_EQUAL(test_wait(test_spawn("push_three_and_leave", arguments)), 0);
    drain(name);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    for (int i = 3; i >= 0; i--) /* empty again: no temporary name is left */
        CHECK(RemoveDirectoryA(directory[i]));
}

/* Temporary files beside a new one: those of crashed processes are removed, those of live processes
   stay. */
static void left_by_crashed_members(void)
{
    static const char crashed[] = ".quoit-0123456789abcdef", alive[] = ".quoit-fedcba9876543210";
    const char *name = test_name("file");
    quoit_queue *queue;
    HANDLE held = CreateFileA(alive, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                              CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    CHECK_NE(held, INVALID_HANDLE_VALUE);
    test_write_file(crashed, "dead", 4);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_EQ(GetFileAttributesA(crashed), INVALID_FILE_ATTRIBUTES);
    CHECK_NE(GetFileAttributesA(alive), INVALID_FILE_ATTRIBUTES);
    CHECK(CloseHandle(held));
    CHECK(DeleteFileA(alive));
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* Global\ is another namespace than the session's own; Local\ is the same. */
static void namespaces(void)
{
    char text[3][64];
    static const char *const prefixes[] = {"", "Global\\", "Local\\"};
    for (int i = 0; i < 3; i++)
        (void)snprintf(text[i], sizeof text[0], "windows:%sqt-%u-namespace", prefixes[i],
                       (unsigned)test_own_pid());
    const char *const arguments[] = {test_remember(text[1]), NULL};
    quoit_queue *queue, *other;
    CHECK_STATUS(quoit_queue_create(text[1], &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(text[0], QUOIT_OBSERVER, &other), QUOIT_ERROR_NOT_FOUND);
    CHECK_EQUAL(test_wait(test_spawn("push_three_and_leave", arguments)), 0);
    drain(text[1]);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_create(text[0], &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(text[1], QUOIT_OBSERVER, &other), QUOIT_ERROR_NOT_FOUND);
    CHECK_STATUS(quoit_queue_open(text[2], QUOIT_OBSERVER, &other), QUOIT_OK);
    quoit_queue_close(other);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_create("windows:a\\b", &options, QUOIT_PRODUCER, &queue),
                 QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_queue_create("windows:Global\\", &options, QUOIT_PRODUCER, &queue),
                 QUOIT_ERROR_NAME);
}

static void entry_name(const char *name, const wchar_t *kind, wchar_t wide_out[128])
{
    wchar_t text[64];
    CHECK_GT(MultiByteToWideChar(CP_UTF8, 0, test_path(name), -1, text, 64), 0);
    (void)swprintf(wide_out, 128, L"Local\\quoit.name.%ls.%ls", kind, text);
}

/* Another program's event, and its section, under the name that Quoit would use. */
static void foreign_objects(void)
{
    const char *name = test_name("windows");
    const struct quoit_sem_options one = {.value = 1};
    wchar_t wide[128];
    quoit_queue *queue;
    quoit_sem *sem;
    entry_name(name, L"memory", wide);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, wide);
    CHECK(event);
    CHECK_EQ(GetLastError(), 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(CloseHandle(event));

    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 8192, wide);
    CHECK(section);
    CHECK_EQ(GetLastError(), 0);
    char *bytes = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 8192);
    CHECK(bytes);
    memset(bytes, 'x', 8192);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_QUOIT);
    for (int i = 0; i < 8192; i++)
        CHECK_EQUAL(bytes[i], 'x');
    CHECK(UnmapViewOfFile(bytes));
    CHECK(CloseHandle(section));

    entry_name(name, L"semaphore", wide);
    event = CreateEventW(NULL, TRUE, FALSE, wide);
    CHECK(event);
    CHECK_EQ(GetLastError(), 0);
    CHECK_STATUS(quoit_sem_create(name, &one, 0, &sem), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(CloseHandle(event));
}

struct opening {
    const char *name;
    quoit_queue *queue;
};

static void open_in_thread(void *opening)
{
    struct opening *it = opening;
    it->queue = open_as(it->name, QUOIT_PRODUCER);
}

/* A mutex is abandoned when its thread ends; a role is not. */
static void thread_that_opened_ends(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++) {
        struct opening opening = {.name = test_name(test_schemes[i])};
        quoit_queue *other;
        uint64_t value = 1;
        test_thread_join(test_thread_start(open_in_thread, &opening));
        CHECK_STATUS(quoit_queue_open(opening.name, QUOIT_PRODUCER, &other),
                     QUOIT_ERROR_ROLE_TAKEN);
        CHECK_STATUS(quoit_queue_push(opening.queue, &value, sizeof value, QUOIT_NOW), QUOIT_OK);
        other = open_as(opening.name, QUOIT_OBSERVER);
        quoit_queue_close(opening.queue); /* in a thread other than the one that opened it */
        opening.queue = open_as(opening.name, QUOIT_PRODUCER);
        quoit_queue_close(opening.queue);
        quoit_queue_close(other);
        CHECK_STATUS(quoit_unlink(opening.name, 0), test_after_close(opening.name));
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"producer_leaves_first", producer_leaves_first},
                                             {"names_in_utf8", names_in_utf8},
                                             {"long_paths", long_paths},
                                             {"left_by_crashed_members", left_by_crashed_members},
                                             {"namespaces", namespaces},
                                             {"foreign_objects", foreign_objects},
                                             {"thread_that_opened_ends", thread_that_opened_ends},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"push_three_and_leave", push_three_and_leave},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
