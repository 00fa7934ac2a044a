/* SPDX-License-Identifier: MIT */
/* A DLL that closes its queue when it is detached, as the destructor of a global C++ object does.
   Loaded by detach_windows_test.c. */
#include <quoit.h>

#include <windows.h>

int keep_open(const char *name);
void close_kept(void);
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved);

static quoit_queue *kept;

int keep_open(const char *name)
{
    return quoit_queue_open(name, QUOIT_PRODUCER, &kept);
}

void close_kept(void)
{
    quoit_queue_close(kept);
    kept = NULL;
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    if (reason == DLL_PROCESS_DETACH)
        close_kept();
    return TRUE;
}
