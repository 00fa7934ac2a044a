/* SPDX-License-Identifier: MIT */
/* Windows error codes as Quoit's statuses. */
#include "system_error.h"

#include "fail.h"
#include "win32.h"

static quoit_status status_of(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
        return QUOIT_ERROR_NOT_FOUND;
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS:
        return QUOIT_ERROR_EXISTS;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
    case ERROR_SHARING_VIOLATION:
    case ERROR_PRIVILEGE_NOT_HELD:
        return QUOIT_ERROR_PERMISSION;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_FILE_TOO_LARGE:
        return QUOIT_ERROR_NO_SPACE;
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NO_SYSTEM_RESOURCES:
        return QUOIT_ERROR_LIMIT;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return QUOIT_ERROR_NO_MEMORY;
    case ERROR_FILENAME_EXCED_RANGE:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
        return QUOIT_ERROR_NAME;
    case ERROR_INVALID_HANDLE: /* the name belongs to an object of another kind */
    case ERROR_DIRECTORY:
        return QUOIT_ERROR_NOT_QUOIT;
    default:
        return QUOIT_ERROR_SYSTEM;
    }
}

quoit_status quoit_os_fail(int error, const char *doing, const char *what)
{
    wchar_t wide[256];
    char reason[512];
    quoit_status status = status_of((DWORD)error);
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                  (DWORD)error, 0, wide, sizeof wide / sizeof wide[0], NULL);
    while (length > 0 && (wide[length - 1] <= L' ' || wide[length - 1] == L'.'))
        wide[--length] = L'\0';
    if (length == 0 || !quoit_os_narrow(wide, reason, sizeof reason))
        return quoit_fail(status, "cannot %s '%s': Windows error %d%s", doing, what, error,
                          quoit_os_advice(status));
    return quoit_fail(status, "cannot %s '%s': %s (%d)%s", doing, what, reason, error,
                      quoit_os_advice(status));
}
