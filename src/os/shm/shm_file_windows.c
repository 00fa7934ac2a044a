/* SPDX-License-Identifier: MIT */
/*
 * "file:C:/data/products": an ordinary file. It is filled under a temporary name and then renamed,
 * which fails if the name is taken. Windows does not remove a file that is mapped. So unlink gives
 * it a temporary name again, and the last process that closes it removes it. The next creator
 * removes the temporary files that crashed processes left.
 */
#include "win32.h"

#include "fail.h"
#include "hash.h"
#include "system_error.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <winioctl.h>

enum { TEXT_MAX = 4000, ZEROS = 65536 };
static const wchar_t temporary_prefix[] = L".quoit-"; /* and 16 hexadecimal digits */
enum { PREFIX_LENGTH = 7, TEMPORARY_LENGTH = QUOIT_OS_TEMPORARY_LENGTH };

/* An unused name in the same directory. */
static void temporary_beside(const wchar_t *path, struct quoit_os_wide *out)
{
    uint64_t number = quoit_os_new_identity();
    (void)swprintf(out->text, QUOIT_OS_WIDE_ROOM, L"%.*ls%ls%08lx%08lx",
                   (int)(quoit_os_path_base(path) - path), path, temporary_prefix,
                   (unsigned long)(number >> 32), (unsigned long)(number & 0xffffffff));
}

/* The length of the directory in path, at most 200. */
static int directory_length(const char *path)
{
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] != '/' && path[length - 1] != '\\')
        length--;
    if (length > 1)
        length--;
    return length < 200 ? (int)length : 200;
}

/* A missing directory is an error, unlike a missing file: no other process's change to the object
   can repair it, so a retry is of no use. */
static quoit_status fail_at(DWORD error, const char *doing, const char *path)
{
    if (error == ERROR_PATH_NOT_FOUND)
        return quoit_fail(QUOIT_ERROR_SYSTEM,
                          "cannot %s '%.200s': the directory '%.*s' does not exist; create it, or "
                          "use another name",
                          doing, path, directory_length(path), path);
    return quoit_os_fail((int)error, doing, path);
}

/*
 * The identity of a file names its locks, so it must be unique, and outlive a rename. The 64-bit
 * index of GetFileInformationByHandle is neither on ReFS nor on FAT. The 128-bit one is; 0 and -1
 * mean that the file system has none (Microsoft: MS-FSCC 2.1.10; FILE_ID_INFO).
 */
static bool identity_of(HANDLE file, uint64_t *identity_out)
{
    FILE_ID_INFO info;
    if (!GetFileInformationByHandleEx(file, FileIdInfo, &info, sizeof info))
        return false;
    bool is_none = true, is_unknown = true;
    for (size_t i = 0; i < sizeof info.FileId.Identifier; i++) {
        is_none = is_none && info.FileId.Identifier[i] == 0;
        is_unknown = is_unknown && info.FileId.Identifier[i] == 0xff;
    }
    uint64_t hash = quoit_hash(QUOIT_HASH_START, &info.VolumeSerialNumber,
                               sizeof info.VolumeSerialNumber);
    *identity_out = quoit_hash(hash, info.FileId.Identifier, sizeof info.FileId.Identifier);
    return !is_none && !is_unknown;
}

static quoit_status no_identity(const char *path)
{
    return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                      "'%.200s': its file system has no lasting identity of a file, which names "
                      "the locks (FAT and exFAT have none); use a disk with NTFS or ReFS",
                      path);
}

/* Sets identity and has_holes. A sparse or compressed file has no room on the disk for each of its
   bytes. */
static quoit_status read_attributes(HANDLE file, const char *path, struct quoit_os_shm *shm)
{
    FILE_REMOTE_PROTOCOL_INFO remote;
    FILE_BASIC_INFO basic;
    if (GetFileInformationByHandleEx(file, FileRemoteProtocolInfo, &remote, sizeof remote))
        return quoit_os_path_on_network(path); /* local files have no such information */
    if (!GetFileInformationByHandleEx(file, FileBasicInfo, &basic, sizeof basic))
        return quoit_os_fail((int)GetLastError(), "read the attributes of", path);
    shm->has_holes = (basic.FileAttributes &
                      (FILE_ATTRIBUTE_SPARSE_FILE | FILE_ATTRIBUTE_COMPRESSED)) != 0;
    return identity_of(file, &shm->identity) ? QUOIT_OK : no_identity(path);
}

/* A file inherits compression from its directory. Without it, written zeros get room on the
   disk. */
static void end_compression(HANDLE file)
{
    USHORT format = COMPRESSION_FORMAT_NONE;
    DWORD size;
    (void)DeviceIoControl(file, FSCTL_SET_COMPRESSION, &format, sizeof format, NULL, 0, &size,
                          NULL);
}

/*
 * Scanners of viruses and indexers open a file that has just been closed or renamed, for a moment,
 * and some do not share it. After such an error: waits, and returns true to try again, for about a
 * second.
 */
static bool may_try_again(DWORD error, uint64_t start_ns)
{
    if (error != ERROR_SHARING_VIOLATION && error != ERROR_ACCESS_DENIED)
        return false;
    if (quoit_os_monotonic_ns() - start_ns > (uint64_t)quoit_os_hold_ns / 10)
        return false;
    Sleep(10);
    return true;
}

/* Fails if `to` exists. */
static bool rename_file(const wchar_t *from, const wchar_t *to, DWORD *error_out)
{
    uint64_t start = quoit_os_monotonic_ns();
    do {
        if (MoveFileExW(from, to, 0))
            return true;
        *error_out = GetLastError();
    } while (may_try_again(*error_out, start));
    return false;
}

static HANDLE open_file(const wchar_t *path, DWORD access, DWORD disposition,
                        SECURITY_ATTRIBUTES *security)
{
    return CreateFileW(path, access | READ_CONTROL,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, security,
                       disposition, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
}

/* On success the file belongs to shm_out. */
static quoit_status map(HANDLE file, bool read_only, const char *path, struct quoit_os_shm *shm_out)
{
    HANDLE section = CreateFileMappingW(file, NULL, read_only ? PAGE_READONLY : PAGE_READWRITE, 0,
                                        0, NULL);
    if (!section)
        return quoit_os_fail((int)GetLastError(), "map", path);
    LARGE_INTEGER size;
    quoit_status status = quoit_os_section_map(section, read_only, path, shm_out);
    (void)CloseHandle(section); /* the view keeps it open */
    if (status != QUOIT_OK)
        return status;
    if (!GetFileSizeEx(file, &size)) {
        status = quoit_os_fail((int)GetLastError(), "read the attributes of", path);
    } else {
        shm_out->size_bytes = (uint64_t)size.QuadPart;
        shm_out->key = QUOIT_OS_GLOBAL; /* all sessions see the file, so also its locks */
        status = read_attributes(file, path, shm_out);
        if (status == QUOIT_OK)
            status = quoit_os_security_read(file, true, path, shm_out);
    }
    shm_out->lock = (intptr_t)file;
    if (status != QUOIT_OK)
        (void)UnmapViewOfFile(shm_out->base);
    return status;
}

static quoit_status no_space(uint64_t size_bytes, const char *path)
{
    return quoit_fail(
        QUOIT_ERROR_NO_SPACE,
        "cannot reserve %llu bytes for '%s': the disk has less free space; use a smaller capacity",
        (unsigned long long)size_bytes, path);
}

/* Writes every byte, so that each has its place on the disk even if the file system defers that. */
static quoit_status reserve(HANDLE file, const wchar_t *wide, uint64_t size_bytes, const char *path)
{
    static const uint8_t zeros[ZEROS] = {0};
    struct quoit_os_wide directory;
    ULARGE_INTEGER available;
    (void)swprintf(directory.text, QUOIT_OS_WIDE_ROOM, L"%.*ls",
                   (int)(quoit_os_path_base(wide) - wide), wide);
    if (GetDiskFreeSpaceExW(directory.text[0] ? directory.text : L".", &available, NULL, NULL) &&
        available.QuadPart < size_bytes)
        return no_space(size_bytes, path);
    for (uint64_t at = 0; at < size_bytes;) {
        DWORD part = size_bytes - at < ZEROS ? (DWORD)(size_bytes - at) : ZEROS, written = 0;
        if (!WriteFile(file, zeros, part, &written, NULL) || written == 0)
            return GetLastError() == ERROR_DISK_FULL
                       ? no_space(size_bytes, path)
                       : quoit_os_fail((int)GetLastError(), "write", path);
        at += written;
    }
    return QUOIT_OK;
}

static quoit_status fill(HANDLE file, const wchar_t *wide, uint64_t size_bytes, const char *path,
                         struct quoit_os_shm *shm_out)
{
    struct quoit_os_shm attributes = {.has_holes = false};
    end_compression(file);
    quoit_status status = read_attributes(file, path, &attributes);
    if (status == QUOIT_OK && attributes.has_holes)
        status = quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                            "cannot reserve memory for '%.200s': its directory compresses files; "
                            "end that with 'compact /u', or use another directory",
                            path);
    if (status == QUOIT_OK)
        status = reserve(file, wide, size_bytes, path);
    return status == QUOIT_OK ? map(file, false, path, shm_out) : status;
}

/*
 * Removes the temporary files beside path that crashed processes left. A live creator or user has
 * its file open, so that opening it exclusively fails.
 */
static void sweep(const wchar_t *path)
{
    const int directory = (int)(quoit_os_path_base(path) - path);
    WIN32_FIND_DATAW found;
    struct quoit_os_wide name;
    (void)swprintf(name.text, QUOIT_OS_WIDE_ROOM, L"%.*ls%ls*", directory, path, temporary_prefix);
    HANDLE search = FindFirstFileW(name.text, &found);
    if (search == INVALID_HANDLE_VALUE)
        return;
    do {
        if (wcslen(found.cFileName) != TEMPORARY_LENGTH)
            continue;
        (void)swprintf(name.text, QUOIT_OS_WIDE_ROOM, L"%.*ls%ls", directory, path,
                       found.cFileName);
        HANDLE alone = CreateFileW(name.text, DELETE, 0, NULL, OPEN_EXISTING,
                                   FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        if (alone != INVALID_HANDLE_VALUE)
            (void)CloseHandle(alone);
    } while (FindNextFileW(search, &found));
    (void)FindClose(search);
}

static char *copy_path(const struct quoit_os_wide *path)
{
    enum { UTF8_ROOM = 3 * QUOIT_OS_WIDE_ROOM };
    char *text = malloc(UTF8_ROOM);
    if (text && quoit_os_narrow(path->text, text, UTF8_ROOM))
        return text;
    free(text);
    return NULL;
}

static quoit_status create(const char *path, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    struct quoit_os_wide wide, temporary;
    struct quoit_os_security security;
    quoit_status status = quoit_os_path_widen(path, &wide);
    if (status != QUOIT_OK)
        return status;
    if (GetFileAttributesW(wide.text) != INVALID_FILE_ATTRIBUTES)
        return quoit_fail(QUOIT_ERROR_EXISTS,
                          "'%s' exists already; open it or join it, or use another name", path);
    status = quoit_os_security_make(permissions, false, &security);
    if (status != QUOIT_OK)
        return status;
    sweep(wide.text);
    temporary_beside(wide.text, &temporary);
    HANDLE file = open_file(temporary.text, GENERIC_READ | GENERIC_WRITE, CREATE_NEW,
                            &security.attributes);
    DWORD error = GetLastError();
    quoit_os_security_free(&security);
    if (file == INVALID_HANDLE_VALUE)
        return fail_at(error, "create", path);
    status = fill(file, wide.text, size_bytes, path, shm_out);
    if (status == QUOIT_OK) {
        shm_out->temporary = copy_path(&temporary);
        if (shm_out->temporary)
            return QUOIT_OK;
        status = quoit_fail(QUOIT_ERROR_NO_MEMORY,
                            "out of memory: cannot allocate the name of '%s'", path);
        (void)UnmapViewOfFile(shm_out->base);
    }
    (void)CloseHandle(file);
    (void)DeleteFileW(temporary.text);
    return status;
}

/* The path that a file has now. */
static bool present_path(HANDLE file, struct quoit_os_wide *path_out)
{
    DWORD length = GetFinalPathNameByHandleW(file, path_out->text, QUOIT_OS_WIDE_ROOM,
                                             FILE_NAME_NORMALIZED);
    return length > 0 && length < QUOIT_OS_WIDE_ROOM;
}

static bool leads_to(const wchar_t *path, uint64_t identity)
{
    HANDLE file = open_file(path, 0, OPEN_EXISTING, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    uint64_t found;
    bool does = identity_of(file, &found) && found == identity;
    (void)CloseHandle(file);
    return does;
}

static quoit_status publish(struct quoit_os_shm *shm, const char *path)
{
    struct quoit_os_wide wide, temporary;
    DWORD error = 0;
    quoit_status status = quoit_os_path_widen(path, &wide);
    if (status == QUOIT_OK)
        status = quoit_os_widen(shm->temporary, &temporary);
    if (status != QUOIT_OK)
        return status;
    if (!rename_file(temporary.text, wide.text, &error))
        return quoit_os_fail((int)error, "create the name of", path);
    if (!leads_to(wide.text, shm->identity)) {                /* the rename has changed it */
        (void)rename_file(wide.text, temporary.text, &error); /* so that close removes it */
        return no_identity(path);
    }
    free(shm->temporary);
    shm->temporary = NULL;
    return QUOIT_OK;
}

/* Opens an ordinary file, and no device or pipe. */
static quoit_status open_ordinary(const char *path, bool read_only, HANDLE *file_out)
{
    struct quoit_os_wide wide;
    LARGE_INTEGER size;
    quoit_status status = quoit_os_path_widen(path, &wide);
    if (status != QUOIT_OK)
        return status;
    uint64_t start = quoit_os_monotonic_ns();
    DWORD attributes = GetFileAttributesW(wide.text);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return fail_at(GetLastError(), "open", path);
    if (attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT))
        return quoit_os_path_not_a_file(path);
    do
        *file_out = open_file(wide.text, read_only ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE,
                              OPEN_EXISTING, NULL);
    while (*file_out == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION &&
           may_try_again(ERROR_SHARING_VIOLATION, start));
    if (*file_out == INVALID_HANDLE_VALUE)
        return fail_at(GetLastError(), "open", path);
    if (GetFileType(*file_out) != FILE_TYPE_DISK)
        status = quoit_os_path_not_a_file(path);
    else if (!GetFileSizeEx(*file_out, &size) || size.QuadPart == 0)
        status = quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                            "'%s': it is empty, so Quoit did not create it; use another name",
                            path);
    if (status != QUOIT_OK)
        (void)CloseHandle(*file_out);
    return status;
}

static quoit_status open_existing(const char *path, bool read_only, struct quoit_os_shm *shm_out)
{
    HANDLE file = INVALID_HANDLE_VALUE;
    quoit_status status = open_ordinary(path, read_only, &file);
    if (status != QUOIT_OK)
        return status;
    status = map(file, read_only, path, shm_out);
    if (status == QUOIT_OK && shm_out->has_holes) {
        (void)UnmapViewOfFile(shm_out->base);
        status = quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                            "'%.200s': it is sparse or compressed, unlike all files that Quoit "
                            "creates; remove it, or use another name",
                            path);
    }
    if (status != QUOIT_OK)
        (void)CloseHandle(file);
    return status;
}

static bool is_named(const struct quoit_os_shm *shm, const char *path)
{
    struct quoit_os_wide wide;
    return quoit_os_path_widen(path, &wide) == QUOIT_OK && leads_to(wide.text, shm->identity);
}

/* Called with the gate held. */
static quoit_status take_name_away(const struct quoit_os_shm *shm, const wchar_t *wide,
                                   const char *path)
{
    struct quoit_os_wide temporary;
    DWORD error = 0;
    if (!leads_to(wide, shm->identity))
        return quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'%s': another process removed or replaced it during this call; open it again", path);
    temporary_beside(wide, &temporary);
    if (!rename_file(wide, temporary.text, &error))
        return quoit_os_fail((int)error, "remove", path);
    (void)DeleteFileW(temporary.text); /* fails while it is mapped: see close_file */
    return QUOIT_OK;
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *path)
{
    struct quoit_os_wide wide;
    struct quoit_os_object_name name = quoit_os_name_numbered(shm, L"lock", QUOIT_OS_LOCK_GATE);
    HANDLE gate = NULL;
    quoit_status status = quoit_os_path_widen(path, &wide);
    if (status == QUOIT_OK)
        status = quoit_os_gate_enter(name.text, shm->permissions, path, &gate);
    if (status != QUOIT_OK)
        return status;
    status = take_name_away(shm, wide.text, path);
    quoit_os_gate_leave(gate);
    return status;
}

/* The path of a file that was unlinked, or never published. false: it has its own name. */
static bool nameless_path(const struct quoit_os_shm *shm, struct quoit_os_wide *path_out)
{
    if (shm->temporary)
        return quoit_os_widen(shm->temporary, path_out) == QUOIT_OK;
    return present_path((HANDLE)shm->lock, path_out) &&
           wcsncmp(quoit_os_path_base(path_out->text), temporary_prefix, PREFIX_LENGTH) == 0;
}

static void close_file(struct quoit_os_shm *shm)
{
    struct quoit_os_wide path;
    quoit_os_lock_release_all(shm);
    if (shm->base)
        (void)UnmapViewOfFile(shm->base);
    if (shm->lock != -1) {
        bool is_nameless = nameless_path(shm, &path);
        (void)CloseHandle((HANDLE)shm->lock);
        if (is_nameless) /* succeeds in the last process that closes it */
            (void)DeleteFileW(path.text);
    }
    free(shm->temporary);
    *shm = (struct quoit_os_shm){.lock = -1};
}

const struct quoit_os_shm_ops quoit_os_shm_file = {
    .scheme = {.name = "file", .text_max = TEXT_MAX, .is_path = true},
    .create = create,
    .publish = publish,
    .open = open_existing,
    .is_named = is_named,
    .unlink = unlink_name,
    .close = close_file,
};
