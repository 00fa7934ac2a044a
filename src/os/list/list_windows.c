/* SPDX-License-Identifier: MIT */
/* Lists objects on Windows: the entries in the system's directories of names, of this session and
   of all sessions, which only ntdll can list; and files in a directory. */
#include "list_directory.h"

#include "system_error.h"
#include "win32.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <winternl.h>

static const wchar_t entry_prefix[] = L"quoit.name.memory.";
enum { PREFIX_LENGTH = sizeof entry_prefix / sizeof entry_prefix[0] - 1, DIRECTORY_QUERY = 1 };

/* Skips a name that is not valid UTF-16. */
quoit_status quoit_os_list_directory(const char *directory, bool paths, quoit_os_visit *visit,
                                     void *context)
{
    struct quoit_os_wide wide;
    WIN32_FIND_DATAW found;
    char pattern[QUOIT_OS_WIDE_ROOM], path[2 * QUOIT_OS_WIDE_ROOM];
    (void)snprintf(pattern, sizeof pattern, "%s\\*", directory);
    quoit_status status = quoit_os_widen(pattern, &wide);
    if (status != QUOIT_OK)
        return status;
    HANDLE search = FindFirstFileW(wide.text, &found);
    if (search == INVALID_HANDLE_VALUE)
        return quoit_os_fail((int)GetLastError(), "list the directory", directory);
    bool more = true;
    do {
        char name[1024];
        if (found.cFileName[0] == L'.' || !quoit_os_narrow(found.cFileName, name, sizeof name))
            continue;
        (void)snprintf(path, sizeof path, "%s%s%s", paths ? directory : "", paths ? "\\" : "",
                       name);
        more = visit(context, path);
    } while (more && FindNextFileW(search, &found));
    (void)FindClose(search);
    return QUOIT_OK;
}

/* ---- Names of objects ------------------------------------------------------------------------ */

typedef LONG(WINAPI *open_directory)(HANDLE *directory_out, ACCESS_MASK, OBJECT_ATTRIBUTES *);
typedef LONG(WINAPI *query_directory)(HANDLE, void *out, ULONG room, BOOLEAN one, BOOLEAN restart,
                                      ULONG *position, ULONG *size_out);

struct directory_entry {
    UNICODE_STRING name, type;
};

static FARPROC find_in_ntdll(const char *name)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name);
}

/* NULL: the system does not provide the listing. */
static HANDLE open_names(wchar_t *path)
{
    union {
        FARPROC found;
        open_directory call;
    } address = {.found = find_in_ntdll("NtOpenDirectoryObject")};
    UNICODE_STRING name = {.Length = (USHORT)(wcslen(path) * sizeof *path),
                           .MaximumLength = (USHORT)((wcslen(path) + 1) * sizeof *path),
                           .Buffer = path};
    OBJECT_ATTRIBUTES attributes;
    HANDLE directory = NULL;
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    if (!address.found || address.call(&directory, DIRECTORY_QUERY, &attributes) < 0)
        return NULL;
    return directory;
}

static bool visit_entry(const struct directory_entry *entry, const char *scope,
                        quoit_os_visit *visit, void *context)
{
    wchar_t wide[QUOIT_OS_WIDE_ROOM];
    char text[QUOIT_OS_WIDE_ROOM], name[QUOIT_OS_WIDE_ROOM + 16];
    size_t length = entry->name.Length / sizeof(wchar_t);
    if (length <= PREFIX_LENGTH || length >= QUOIT_OS_WIDE_ROOM ||
        wcsncmp(entry->name.Buffer, entry_prefix, PREFIX_LENGTH) != 0)
        return true;
    length -= PREFIX_LENGTH;
    wmemcpy(wide, entry->name.Buffer + PREFIX_LENGTH, length);
    wide[length] = L'\0';
    if (!quoit_os_narrow(wide, text, sizeof text))
        return true;
    (void)snprintf(name, sizeof name, "%s%s", scope, text);
    return visit(context, name);
}

/* false: visit ended the listing, or the system does not provide it. */
static bool list_names(wchar_t *path, const char *scope, quoit_os_visit *visit, void *context)
{
    union {
        FARPROC found;
        query_directory call;
    } address = {.found = find_in_ntdll("NtQueryDirectoryObject")};
    HANDLE directory = open_names(path);
    union {
        struct directory_entry entry;
        uint8_t bytes[8192];
    } out;
    ULONG position = 0, size;
    bool more = directory && address.found;
    while (more &&
           address.call(directory, &out, sizeof out, TRUE, position == 0, &position, &size) >= 0)
        more = visit_entry(&out.entry, scope, visit, context);
    if (directory)
        (void)CloseHandle(directory);
    return more;
}

static quoit_status list_objects(quoit_os_visit *visit, void *context)
{
    wchar_t own[64], all[] = L"\\BaseNamedObjects";
    DWORD session = 0;
    (void)ProcessIdToSessionId(GetCurrentProcessId(), &session);
    if (session == 0)
        (void)swprintf(own, sizeof own / sizeof own[0], L"%ls", all);
    else
        (void)swprintf(own, sizeof own / sizeof own[0], L"\\Sessions\\%lu%ls", session, all);
    if (list_names(own, "", visit, context) && session != 0)
        (void)list_names(all, "Global\\", visit, context);
    return QUOIT_OK;
}

quoit_status quoit_os_list(const char *scheme, const char *directory, quoit_os_visit *visit,
                           void *context)
{
    if (strcmp(scheme, "windows") == 0)
        return list_objects(visit, context);
    if (strcmp(scheme, "file") == 0 && directory)
        return quoit_os_list_directory(directory, true, visit, context);
    return quoit_os_list_unsupported(scheme);
}
