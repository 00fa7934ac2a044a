/* SPDX-License-Identifier: MIT */
/* Paths of files on Windows: refuses those that are no local file, and widens the others. */
#include "win32.h"

#include "fail.h"

#include <wchar.h>

enum { LONG_PREFIX = 4 };

/* Returns where the last part of a path begins. */
const wchar_t *quoit_os_path_base(const wchar_t *path)
{
    const wchar_t *base = path;
    for (const wchar_t *c = path; *c; c++)
        if (*c == L'\\' || *c == L'/' || *c == L':')
            base = c + 1;
    return base;
}

quoit_status quoit_os_path_not_a_file(const char *path)
{
    return quoit_fail(QUOIT_ERROR_NOT_QUOIT, "'%s': it is not an ordinary file; use another name",
                      path);
}

quoit_status quoit_os_path_on_network(const char *path)
{
    return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                      "'%.200s': it is on a network drive, where processes of other machines see "
                      "neither its locks nor its memory; use a path on a local disk",
                      path);
}

/*
 * Refuses a path that is no local file before it is opened: to open COM1 or a pipe has effects.
 * GetFullPathName makes "\\.\COM1" of the names of devices. A stream has the identity of its file,
 * so two streams would share their locks.
 */
static quoit_status check_path(const struct quoit_os_wide *given, const char *path)
{
    struct quoit_os_wide full;
    const wchar_t *from = full.text;
    DWORD length = GetFullPathNameW(given->text, QUOIT_OS_WIDE_ROOM, full.text, NULL);
    if (length == 0 || length >= QUOIT_OS_WIDE_ROOM)
        return QUOIT_OK; /* the call that opens it fails */
    if (wcsncmp(from, L"\\\\.\\", 4) == 0)
        return quoit_os_path_not_a_file(path);
    bool is_literal = wcsncmp(from, L"\\\\?\\", 4) == 0;
    if (is_literal)
        from += 4;
    if (is_literal ? _wcsnicmp(from, L"UNC\\", 4) == 0 : from[0] == L'\\')
        return quoit_os_path_on_network(path);
    if (is_literal && from[0] && from[1] != L':' && _wcsnicmp(from, L"Volume{", 7) != 0)
        return quoit_os_path_not_a_file(path);
    if (from[0] && from[1] && wcschr(from + 2, L':'))
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'%.200s': a colon in a file name begins a stream, which cannot be a "
                          "queue; use another name",
                          path);
    return QUOIT_OK;
}

/* The path as Windows accepts it: beyond MAX_PATH it must be absolute and have a prefix. */
quoit_status quoit_os_path_widen(const char *path, struct quoit_os_wide *out)
{
    static const wchar_t long_prefix[] = L"\\\\?\\";
    struct quoit_os_wide given;
    quoit_status status = quoit_os_widen(path, &given);
    if (status == QUOIT_OK)
        status = check_path(&given, path);
    if (status != QUOIT_OK)
        return status;
    DWORD length = GetFullPathNameW(given.text, QUOIT_OS_WIDE_ROOM - LONG_PREFIX, out->text, NULL);
    bool is_long = length + QUOIT_OS_TEMPORARY_LENGTH >= MAX_PATH;
    bool has_drive = length > 2 && out->text[1] == L':';
    if (length == 0 || length >= QUOIT_OS_WIDE_ROOM - LONG_PREFIX || !is_long || !has_drive) {
        *out = given;
        return QUOIT_OK;
    }
    (void)wmemmove(out->text + LONG_PREFIX, out->text, length + 1);
    (void)wmemcpy(out->text, long_prefix, LONG_PREFIX);
    return QUOIT_OK;
}
