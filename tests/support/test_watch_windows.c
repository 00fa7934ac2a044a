/* SPDX-License-Identifier: MIT */
/* The watcher of a test on Windows: a thread. Objects of the scheme windows end with the last
   process that uses them. */
#include "test.h"

#include <stdlib.h>
#include <windows.h>

void *test_watched_memory(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory)
        exit(EXIT_FAILURE);
    return memory;
}

static DWORD WINAPI watch(void *seconds)
{
    Sleep((DWORD)(uintptr_t)seconds * 1000);
    (void)fprintf(stderr, "the test was ended after %u s, its time limit (QUOIT_TEST_TIMEOUT)\n",
                  (unsigned)(uintptr_t)seconds);
    test_print_place(stderr);
    test_kill_children();
    test_remove_names();
    (void)TerminateProcess(GetCurrentProcess(), EXIT_FAILURE);
    return 0;
}

void test_watch(unsigned seconds)
{
    HANDLE thread = CreateThread(NULL, 0, watch, (void *)(uintptr_t)seconds, 0, NULL);
    if (thread)
        (void)CloseHandle(thread);
}

void test_explain_ending(void)
{
}
