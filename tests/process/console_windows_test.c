/* SPDX-License-Identifier: MIT */
/* Ctrl-C, Ctrl-Break and a closed console end the example programs cleanly and with success. A
   helper shares its own console with them, so no other process gets the events. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { TIMEOUT_MS = 20000, NO_CONSOLE = 50 };

static BOOL WINAPI stay(DWORD event)
{
    (void)event;
    return TRUE;
}

/* The output of a program goes to a file. This test does not check what a console shows. */
struct output {
    char path[200];
};

static struct output output_path(const char *program, const char *name)
{
    struct output output;
    (void)snprintf(output.path, sizeof output.path, "%s-%s.txt", test_path(name), program);
    return output;
}

static HANDLE output_of(const char *program, const char *name)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE file = CreateFileA(output_path(program, name).path, GENERIC_WRITE, FILE_SHARE_READ,
                              &inherited, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    CHECK_NE(file, INVALID_HANDLE_VALUE);
    return file;
}

static HANDLE start(const char *program, const char *name)
{
    char command[600];
    HANDLE output = output_of(program, name);
    STARTUPINFOA startup = {.cb = sizeof startup,
                            .dwFlags = STARTF_USESTDHANDLES,
                            .hStdOutput = output,
                            .hStdError = output};
    PROCESS_INFORMATION made;
    (void)snprintf(command, sizeof command,
                   "\"%s/%s.exe\" --name %s --interval 1000:1000 --sync semaphore",
                   QUOIT_TEST_EXAMPLES, program, name);
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made))
        test_fail(__FILE__, __LINE__, "cannot start %s: error %d", command, (int)GetLastError());
    CHECK(CloseHandle(made.hThread));
    CHECK(CloseHandle(output));
    return made.hProcess;
}

/* Waits until both have their roles, and therefore handle events. */
static quoit_queue *wait_for_both(const char *name)
{
    quoit_queue *queue;
    struct quoit_queue_info info = {0};
    quoit_status status;
    while ((status = quoit_queue_open(name, QUOIT_OBSERVER, &queue)) == QUOIT_ERROR_NOT_FOUND)
        test_sleep_ms(1);
    CHECK_STATUS(status, QUOIT_OK);
    while (info.producer_pid == 0 || info.consumer_pid == 0) {
        test_sleep_ms(1);
        CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    }
    return queue;
}

/* Does what the system does: a thread in the process, at the routine that calls the handlers. */
static void deliver(HANDLE process, DWORD number)
{
    union {
        FARPROC found;
        LPTHREAD_START_ROUTINE routine;
    } entry = {.found = GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CtrlRoutine")};
    union {
        uintptr_t number;
        void *pass;
    } event = {.number = number};
    CHECK(entry.found);
    HANDLE thread = CreateRemoteThread(process, NULL, 0, entry.routine, event.pass, 0, NULL);
    CHECK(thread);
    CHECK(CloseHandle(thread));
}

static void check_ended(HANDLE process)
{
    DWORD code = 99;
    CHECK_EQ(WaitForSingleObject(process, TIMEOUT_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(process, &code));
    CHECK(CloseHandle(process));
    CHECK_EQUAL(code, 0);
}

/* arguments: the queue, the event's number */
static void send_event(char **arguments)
{
    DWORD event = (DWORD)strtoul(arguments[1], NULL, 10);
    (void)FreeConsole();
    if (!AllocConsole())
        exit(NO_CONSOLE);
    CHECK(SetConsoleCtrlHandler(stay, TRUE));
    HANDLE producer = start("producer", arguments[0]), consumer = start("consumer", arguments[0]);
    quoit_queue *queue = wait_for_both(arguments[0]);
    CHECK_EQ(WaitForSingleObject(producer, 0), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(consumer, 0), WAIT_TIMEOUT);
    /* No program can close a console; and Wine 8 sends no Ctrl-Break. */
    if (event == CTRL_CLOSE_EVENT || !GenerateConsoleCtrlEvent(event, 0)) {
        CHECK_NE(event, CTRL_C_EVENT);
        deliver(producer, event);
        deliver(consumer, event);
    }
    check_ended(producer);
    check_ended(consumer);
    /* Neither program ended the stream, and neither was killed during it. */
    CHECK(!test_is_finished(queue));
    CHECK_STATUS(quoit_queue_check(queue), QUOIT_OK);
    quoit_queue_close(queue);
}

static void sent(DWORD event)
{
    char number[16];
    const char *name = test_name("windows");
    const char *const arguments[] = {name, number, NULL};
    (void)snprintf(number, sizeof number, "%lu", (unsigned long)event);
    int code = test_wait(test_spawn("send_event", arguments));
    if (code == NO_CONSOLE)
        test_skip("this system gives no console");
    CHECK_EQUAL(code, 0);
    CHECK_EQ(remove(output_path("producer", name).path), 0);
    CHECK_EQ(remove(output_path("consumer", name).path), 0);
}

static void ctrl_c(void)
{
    sent(CTRL_C_EVENT);
}

static void ctrl_break(void)
{
    sent(CTRL_BREAK_EVENT);
}

static void console_closed(void)
{
    sent(CTRL_CLOSE_EVENT);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"ctrl_c", ctrl_c},
                                             {"ctrl_break", ctrl_break},
                                             {"console_closed", console_closed},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"send_event", send_event}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
