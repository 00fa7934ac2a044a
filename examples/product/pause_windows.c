/* SPDX-License-Identifier: MIT */
/* Sleeping, console events and arguments on Windows. */
#include "pause.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <windows.h>

#include <shellapi.h>

static _Atomic bool stopped;

/*
 * Runs in a thread of its own. After the last three events Windows ends the process as soon as this
 * function returns. So it does not return: main ends the process, or the system does so after its
 * time limit (5 s).
 */
static BOOL WINAPI on_event(DWORD event)
{
    /* Relaxed: the flag asks main to stop, and publishes nothing. */
    atomic_store_explicit(&stopped, true, memory_order_relaxed);
    if (event == CTRL_CLOSE_EVENT || event == CTRL_LOGOFF_EVENT || event == CTRL_SHUTDOWN_EVENT)
        Sleep(INFINITE);
    return TRUE;
}

void stop_catch(void)
{
    (void)SetConsoleCtrlHandler(on_event, TRUE);
}

bool stop_requested(void)
{
    /* Relaxed: the flag asks main to stop, and publishes nothing. */
    return atomic_load_explicit(&stopped, memory_order_relaxed);
}

static double now(void)
{
    LARGE_INTEGER ticks, per_second;
    (void)QueryPerformanceCounter(&ticks);
    (void)QueryPerformanceFrequency(&per_second);
    return (double)ticks.QuadPart / (double)per_second.QuadPart;
}

void pause_for(double seconds)
{
    const double slice = 0.05; /* between checks for a request to stop */
    double deadline = now() + seconds;
    for (double left = seconds; left > 0 && !stop_requested(); left = deadline - now())
        Sleep((DWORD)((left < slice ? left : slice) * 1e3));
}

uint64_t pause_seed(void)
{
    LARGE_INTEGER ticks;
    FILETIME time;
    (void)QueryPerformanceCounter(&ticks);
    GetSystemTimeAsFileTime(&time);
    return ((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) * 1000000007u ^
           (uint64_t)ticks.QuadPart << 20 ^ GetCurrentProcessId();
}

static char *narrow(const wchar_t *wide)
{
    int room = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = malloc((size_t)room);
    if (text)
        (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, room, NULL, NULL);
    return text;
}

/* main gets them in the system's legacy code page. */
char **arguments_utf8(int argc, char **argv)
{
    int count;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    for (int i = 0; wide && i < argc && i < count; i++) {
        char *text = narrow(wide[i]);
        argv[i] = text ? text : argv[i];
    }
    (void)LocalFree(wide);
    return argv;
}
