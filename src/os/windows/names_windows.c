/* SPDX-License-Identifier: MIT */
/* Names on Windows: UTF-8 outside, UTF-16 inside, and the names of kernel objects. */
#include "win32.h"

#include "fail.h"
#include "hash.h"

#include <stdio.h>

quoit_status quoit_os_widen(const char *utf8, struct quoit_os_wide *wide_out)
{
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8, -1, wide_out->text,
                            QUOIT_OS_WIDE_ROOM) > 0)
        return QUOIT_OK;
    if (GetLastError() == ERROR_NO_UNICODE_TRANSLATION)
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'%.40s': the name is not valid UTF-8; use a name that is", utf8);
    return quoit_fail(QUOIT_ERROR_NAME, "'%.40s…': the name is too long; use a shorter one", utf8);
}

bool quoit_os_narrow(const wchar_t *wide, char *utf8_out, int room)
{
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, utf8_out, room, NULL, NULL) > 0;
}

static const wchar_t *scope_name(enum quoit_os_scope scope)
{
    return scope == QUOIT_OS_GLOBAL ? L"Global" : L"Local";
}

struct quoit_os_object_name quoit_os_name_object(enum quoit_os_scope scope, const wchar_t *kind,
                                                 uint64_t identity)
{
    struct quoit_os_object_name name;
    (void)swprintf(name.text, sizeof name.text / sizeof name.text[0], L"%ls\\quoit.%ls.%08lx%08lx",
                   scope_name(scope), kind, (unsigned long)(identity >> 32),
                   (unsigned long)(identity & 0xffffffff));
    return name;
}

struct quoit_os_object_name quoit_os_name_numbered(const struct quoit_os_shm *shm,
                                                   const wchar_t *kind, uint32_t number)
{
    wchar_t numbered[24];
    (void)swprintf(numbered, sizeof numbered / sizeof numbered[0], L"%ls%lu", kind,
                   (unsigned long)number);
    return quoit_os_name_object((enum quoit_os_scope)shm->key, numbered, shm->identity);
}

uint64_t quoit_os_new_identity(void)
{
    static volatile LONG counter;
    LARGE_INTEGER ticks = {.QuadPart = 0};
    (void)QueryPerformanceCounter(&ticks);
    const uint64_t seed[] = {(uint64_t)ticks.QuadPart, quoit_os_unix_time_ns(),
                             quoit_os_process_id(), (uint64_t)InterlockedIncrement(&counter)};
    uint64_t identity = quoit_hash(QUOIT_HASH_START, seed, sizeof seed);
    return identity ? identity : 1; /* 0 means no object */
}
