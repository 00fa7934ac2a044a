/* SPDX-License-Identifier: MIT */
/* Closing a queue while a DLL is detached: when the process ends, and in FreeLibrary. A failure is
   a process that never ends, which the time limit shows. */
#include "test.h"

#include <windows.h>

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};

struct loaded {
    HMODULE quoit, dll;
    int (*keep_open)(const char *name);
    void (*close_kept)(void);
};

static struct loaded load(void)
{
    union {
        FARPROC found;
        int (*keep_open)(const char *name);
        void (*close_kept)(void);
    } keep, close;
    struct loaded loaded = {.quoit = LoadLibraryA(QUOIT_TEST_LIBRARY),
                            .dll = LoadLibraryA(QUOIT_TEST_DLL)};
    CHECK(loaded.quoit);
    CHECK(loaded.dll);
    keep.found = GetProcAddress(loaded.dll, "keep_open");
    close.found = GetProcAddress(loaded.dll, "close_kept");
    CHECK(keep.found);
    CHECK(close.found);
    loaded.keep_open = keep.keep_open;
    loaded.close_kept = close.close_kept;
    return loaded;
}

static void check_role_is_free(const char *name, bool is_free)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &queue),
                 is_free ? QUOIT_OK : QUOIT_ERROR_ROLE_TAKEN);
    quoit_queue_close(queue);
}

/* Windows ends all other threads before it detaches the DLL. */
static void end_process(char **arguments)
{
    struct loaded loaded = load();
    CHECK_STATUS(loaded.keep_open(arguments[0]), QUOIT_OK);
    check_role_is_free(arguments[0], false);
    ExitProcess(0);
}

/* FreeLibrary holds the loader lock, which each thread needs to end. */
static void free_library(char **arguments)
{
    struct loaded loaded = load();
    CHECK_STATUS(loaded.keep_open(arguments[0]), QUOIT_OK);
    check_role_is_free(arguments[0], false);
    CHECK(FreeLibrary(loaded.dll));
    check_role_is_free(arguments[0], true);
}

/* Once its queues are closed, a DLL with Quoit can be unloaded. No thread is left in its code. */
static void unload(char **arguments)
{
    struct loaded loaded = load();
    for (int round = 0; round < 20; round++) {
        CHECK_STATUS(loaded.keep_open(arguments[0]), QUOIT_OK);
        loaded.close_kept();
        CHECK(FreeLibrary(loaded.dll));
        CHECK(FreeLibrary(loaded.quoit));
        while (GetModuleHandleA("quoit.dll")) /* the lock thread ends by itself */
            test_idle();
        loaded = load();
    }
}

static void in_child(const char *role)
{
    const char *name = test_name("windows");
    const char *const arguments[] = {name, NULL};
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
    CHECK_EQUAL(test_wait(test_spawn(role, arguments)), 0);
    check_role_is_free(name, true);
    quoit_queue_close(queue);
}

static void process_ends(void)
{
    in_child("end_process");
}

static void library_is_freed(void)
{
    in_child("free_library");
}

static void library_is_unloaded(void)
{
    in_child("unload");
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"process_ends", process_ends},
                                             {"library_is_freed", library_is_freed},
                                             {"library_is_unloaded", library_is_unloaded},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"end_process", end_process},
                                             {"free_library", free_library},
                                             {"unload", unload},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
