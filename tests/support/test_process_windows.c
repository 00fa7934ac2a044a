/* SPDX-License-Identifier: MIT */
/* Schemes, second processes and threads on Windows. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include <shellapi.h>

const bool test_plain_posix = false;

enum { COMMAND_ROOM = 4096, HANDLES_MAX = 4096 };

const char *const test_schemes[] = {"windows", "file", "local", NULL};
const char *const test_shared_schemes[] = {"windows", "file", NULL};
const char *const test_sem_schemes[] = {"windows", NULL};

bool test_outlives_handles(const char *name)
{
    return strncmp(name, "file:", 5) == 0 || strncmp(name, "local:", 6) == 0;
}

static char *narrow(const wchar_t *wide)
{
    int room = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = malloc((size_t)room);
    CHECK(text);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, room, NULL, NULL), room);
    return text;
}

static void idle_thread(void *nothing)
{
    (void)nothing;
    test_idle();
}

/* Opens everything that is opened once, at first use, and stays open: the system's own handles, the
   compiler's for thread-local variables, Quoit's thread. */
static void warm_up(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 1};
    quoit_queue *queue;
    const char *name = test_name("");
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
    test_thread_join(test_thread_start(idle_thread, NULL));
}

char **test_begin(int argc, char **argv)
{
    int count;
    (void)setvbuf(stdout, NULL, _IONBF, 0); /* Windows has no line buffers */
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    CHECK(wide);
    CHECK_EQ(count, argc);
    for (int i = 0; i < argc; i++)
        argv[i] = narrow(wide[i]);
    (void)LocalFree(wide);
    warm_up();
    return argv;
}

void test_truncate(const char *path, uint64_t size_bytes)
{
    wchar_t wide[MAX_PATH];
    LARGE_INTEGER size = {.QuadPart = (LONGLONG)size_bytes};
    CHECK_GT(MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, MAX_PATH), 0);
    HANDLE file = CreateFileW(wide, GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, 0, NULL);
    CHECK_NE(file, INVALID_HANDLE_VALUE);
    CHECK(SetFilePointerEx(file, size, NULL, FILE_BEGIN));
    CHECK(SetEndOfFile(file));
    CHECK(CloseHandle(file));
}

/* Adds an argument in quotes, which keep its spaces. No argument of the tests has quotes, or a
   backslash at its end. */
static void append(wchar_t *command, const char *argument)
{
    size_t length = wcslen(command);
    int room = (int)(COMMAND_ROOM - length - 3);
    CHECK_GT(room, 0);
    command[length++] = L'"';
    CHECK_GT(MultiByteToWideChar(CP_UTF8, 0, argument, -1, command + length, room), 0);
    (void)wcscat(command, L"\" ");
}

/* Under load Wine 8 sometimes fails to start a process, once in thousands of times, with this
   error. Windows does not return it. */
static BOOL create_process(const wchar_t *program, wchar_t *command, PROCESS_INFORMATION *made_out)
{
    BOOL done = FALSE;
    for (int tries = 0; !done && tries < 3; tries++) {
        STARTUPINFOW startup = {.cb = sizeof startup};
        done = CreateProcessW(program, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup,
                              made_out);
        if (!done && GetLastError() != ERROR_INTERNAL_ERROR)
            break;
        if (!done)
            (void)printf("  a process did not start: once more\n");
    }
    return done;
}

test_process test_spawn(const char *role, const char *const *arguments)
{
    wchar_t program[MAX_PATH], command[COMMAND_ROOM] = L"";
    PROCESS_INFORMATION made;
    append(command, test_program);
    append(command, "--role");
    append(command, role);
    for (; *arguments; arguments++)
        append(command, *arguments);
    CHECK_LT(GetModuleFileNameW(NULL, program, MAX_PATH), MAX_PATH);
    if (!create_process(program, command, &made))
        test_fail(__FILE__, __LINE__, "cannot start '%s': error %d", role, (int)GetLastError());
    (void)CloseHandle(made.hThread);
    test_process process = {.id = made.dwProcessId, .handle = made.hProcess};
    test_child_began(process);
    return process;
}

void test_kill(test_process process)
{
    (void)TerminateProcess(process.handle, TEST_KILLED);
}

int test_wait(test_process process)
{
    DWORD code;
    CHECK_EQ(WaitForSingleObject(process.handle, INFINITE), WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(process.handle, &code));
    CHECK(CloseHandle(process.handle));
    test_child_ended(process);
    return (int)code;
}

bool test_is_running(test_process process)
{
    return WaitForSingleObject(process.handle, 0) == WAIT_TIMEOUT;
}

/* Calls a function that only ntdll has. */
static void call_ntdll(const char *function, test_process process)
{
    union {
        FARPROC found;
        LONG(NTAPI *call)(HANDLE);
    } entry = {.found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), function)};
    CHECK(entry.found);
    CHECK_GE(entry.call(process.handle), 0);
}

void test_pause(test_process process)
{
    call_ntdll("NtSuspendProcess", process);
}

void test_resume(test_process process)
{
    call_ntdll("NtResumeProcess", process);
}

void test_sleep_ms(int milliseconds)
{
    Sleep((DWORD)milliseconds);
}

void test_idle(void)
{
    static _Thread_local unsigned calls;
    if (++calls % 64 == 0) /* after a yield alone the other may still wait for a whole time slice */
        Sleep(1);
    else if (calls % 8 == 0)
        (void)SwitchToThread();
}

uint32_t test_own_pid(void)
{
    return (uint32_t)GetCurrentProcessId();
}

/* Tests each handle, because Wine's GetProcessHandleCount does not count. */
int test_open_descriptors(void)
{
    int count = 0;
    DWORD flags;
    for (uintptr_t value = 4; value < 4 * HANDLES_MAX; value += 4) {
        union {
            uintptr_t value;
            HANDLE handle;
        } handle = {.value = value};
        count += GetHandleInformation(handle.handle, &flags) != 0;
    }
    return count;
}

struct test_thread {
    HANDLE handle;
    void (*run)(void *);
    void *argument;
};

static DWORD WINAPI run_thread(void *thread)
{
    const struct test_thread *self = thread;
    self->run(self->argument);
    return 0;
}

test_thread *test_thread_start(void (*run)(void *), void *argument)
{
    test_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread);
    thread->run = run;
    thread->argument = argument;
    thread->handle = CreateThread(NULL, 0, run_thread, thread, 0, NULL);
    CHECK(thread->handle);
    return thread;
}

void test_thread_join(test_thread *thread)
{
    CHECK_EQ(WaitForSingleObject(thread->handle, INFINITE), WAIT_OBJECT_0);
    CHECK(CloseHandle(thread->handle));
    free(thread);
}
