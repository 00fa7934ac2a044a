/* SPDX-License-Identifier: MIT */
/* Mode bits as access control lists, and back. */
#include "win32.h"

#include "hash.h"
#include "system_error.h"

#include <aclapi.h>
#include <sddl.h>
#include <wchar.h>

enum { SID_TEXT = 192, TOKEN_ROOM = 256 };

/* Reads a piece of the token that begins with a pointer to a SID: of the user that this thread
   impersonates, since the system makes and opens objects as that user; else of this process. */
static bool token_sid(TOKEN_INFORMATION_CLASS piece, void *room, PSID *sid_out)
{
    HANDLE token;
    DWORD size;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) &&
        !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    bool found = GetTokenInformation(token, piece, room, TOKEN_ROOM, &size);
    (void)CloseHandle(token);
    if (found)
        *sid_out = piece == TokenUser ? ((TOKEN_USER *)room)->User.Sid
                                      : ((TOKEN_PRIMARY_GROUP *)room)->PrimaryGroup;
    return found;
}

/* A SID is compared as a number, like a user id: its hash. */
static uint64_t sid_number(PSID sid)
{
    return quoit_hash(QUOIT_HASH_START, sid, GetLengthSid(sid));
}

uint64_t quoit_os_user_id(void)
{
    _Alignas(8) char room[TOKEN_ROOM] = {0};
    PSID user = NULL;
    return token_sid(TokenUser, room, &user) ? sid_number(user) : 0;
}

static bool sid_text(TOKEN_INFORMATION_CLASS piece, wchar_t text[SID_TEXT])
{
    _Alignas(8) char room[TOKEN_ROOM] = {0};
    wchar_t *made = NULL;
    PSID sid = NULL;
    if (!token_sid(piece, room, &sid) || !ConvertSidToStringSidW(sid, &made))
        return false;
    (void)swprintf(text, SID_TEXT, L"%ls", made);
    (void)LocalFree(made);
    return true;
}

enum { LIST_TEXT = 4 * SID_TEXT };

/* Adds the rights that bits (4 reading, 2 writing) grant to a user or a group. Waiting needs the
   right to write, since it takes a mutex, a semaphore's unit or an event's signal. Readers can only
   query them. */
static void grant(wchar_t list[LIST_TEXT], uint32_t bits, bool waitable, const wchar_t *more,
                  const wchar_t *whom)
{
    size_t length = wcslen(list);
    if (bits & 6)
        (void)swprintf(list + length, LIST_TEXT - length, L"(A;;%ls%ls%ls%ls;;;%ls)",
                       bits & 4 ? L"GR" : L"", bits & 2 ? L"GW" : L"",
                       bits & 2 && waitable ? L"GX" : L"", more, whom);
}

quoit_status quoit_os_security_make(uint32_t permissions, bool waitable,
                                    struct quoit_os_security *security_out)
{
    wchar_t user[SID_TEXT], group[SID_TEXT], list[LIST_TEXT];
    security_out->attributes = (SECURITY_ATTRIBUTES){.nLength = sizeof(SECURITY_ATTRIBUTES)};
    if (!sid_text(TokenUser, user) || !sid_text(TokenPrimaryGroup, group))
        return quoit_os_fail((int)GetLastError(), "find the user that runs", "this process");
    (void)swprintf(list, LIST_TEXT, L"O:%lsD:P", user);
    grant(list, permissions >> 6, waitable, L"SD", user); /* SD, deleting, permits renaming */
    grant(list, permissions >> 3, waitable, L"", group);
    grant(list, permissions, waitable, L"", L"WD");
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            list, SDDL_REVISION_1, &security_out->attributes.lpSecurityDescriptor, NULL))
        return quoit_os_fail((int)GetLastError(), "set the permissions of", "a new object");
    return QUOIT_OK;
}

void quoit_os_security_free(struct quoit_os_security *security)
{
    (void)LocalFree(security->attributes.lpSecurityDescriptor);
}

/* The bits that an entry of the list grants: 4 reading, 2 writing. */
static uint32_t granted(ACCESS_MASK mask, bool is_file)
{
    const ACCESS_MASK reading = is_file ? FILE_READ_DATA : SECTION_MAP_READ;
    const ACCESS_MASK writing = is_file ? FILE_WRITE_DATA : SECTION_MAP_WRITE;
    return (mask & (reading | GENERIC_READ | GENERIC_ALL) ? 4u : 0u) |
           (mask & (writing | GENERIC_WRITE | GENERIC_ALL) ? 2u : 0u);
}

static uint32_t mode_of(PACL list, PSID owner, bool is_file)
{
    _Alignas(8) char room[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof room;
    PSID everyone = room;
    uint32_t mode = 0;
    if (!list || !CreateWellKnownSid(WinWorldSid, NULL, everyone, &size))
        return 0666; /* without a list, everyone may */
    for (DWORD i = 0; i < list->AceCount; i++) {
        void *at;
        if (!GetAce(list, i, &at) || ((ACE_HEADER *)at)->AceType != ACCESS_ALLOWED_ACE_TYPE)
            continue;
        ACCESS_ALLOWED_ACE *entry = at;
        PSID sid = &entry->SidStart;
        int class = EqualSid(sid, owner) ? 6 : EqualSid(sid, everyone) ? 0 : 3;
        mode |= granted(entry->Mask, is_file) << class;
    }
    return mode;
}

quoit_status quoit_os_security_read(HANDLE object, bool is_file, const char *what,
                                    struct quoit_os_shm *shm)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    PACL list = NULL;
    DWORD error = GetSecurityInfo(object, is_file ? SE_FILE_OBJECT : SE_KERNEL_OBJECT,
                                  OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                  NULL, &list, NULL, &descriptor);
    if (error != ERROR_SUCCESS)
        return quoit_os_fail((int)error, "find the owner of", what);
    /* Some file systems keep no owner: then owner is 0, and every user may read and write. */
    shm->owner = owner ? sid_number(owner) : 0;
    shm->permissions = owner ? mode_of(list, owner, is_file) : 0666;
    (void)LocalFree(descriptor);
    return QUOIT_OK;
}
