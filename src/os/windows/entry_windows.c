/* SPDX-License-Identifier: MIT */
/*
 * Names that can be removed while the object is in use. An entry is a section of one page, named
 * after the text. Every handle to the object also holds the entry open, so the name lasts as long
 * as the object. A process changes the entry's content only while it holds the gate; reading needs
 * no gate.
 */
#include "win32.h"

#include "fail.h"
#include "system_error.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* In the page; FORMAT.md 6. */
#define ENTRY_MAGIC UINT64_C(0x7972746e65007471) /* "qt", 0, "entry" */
struct page {
    _Atomic uint64_t magic;
    _Atomic uint64_t identity;
};

static const wchar_t *const kind_names[] = {L"memory", L"semaphore"};

/* Is this process in session 0, that of services? Its own names are those of all sessions, so
   "products" and "Global\products" are one object there (Microsoft: Kernel object namespaces). */
static bool is_session_0(void)
{
    DWORD session = 1;
    return ProcessIdToSessionId(GetCurrentProcessId(), &session) && session == 0;
}

quoit_status quoit_os_entry_name(enum quoit_os_entry_kind kind, const char *text,
                                 struct quoit_os_entry *entry_out)
{
    static const char global[] = "Global\\", local[] = "Local\\";
    *entry_out = (struct quoit_os_entry){.kind = kind, .name = text, .text = text};
    if (strncmp(text, global, sizeof global - 1) == 0) {
        entry_out->scope = QUOIT_OS_GLOBAL;
        entry_out->text += sizeof global - 1;
    } else if (strncmp(text, local, sizeof local - 1) == 0) {
        entry_out->text += sizeof local - 1;
    }
    if (is_session_0())
        entry_out->scope = QUOIT_OS_GLOBAL;
    if (!entry_out->text[0])
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'windows:%s': the name is empty after its namespace; add a name, such "
                          "as Global\\products",
                          text);
    if (strchr(entry_out->text, '\\'))
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'windows:%.200s': a name cannot contain a backslash, except the one in "
                          "Local\\ or Global\\ at its beginning",
                          text);
    return QUOIT_OK;
}

static quoit_status system_name(const struct quoit_os_entry *entry, const wchar_t *what,
                                struct quoit_os_wide *name_out)
{
    struct quoit_os_wide text;
    quoit_status status = quoit_os_widen(entry->text, &text);
    if (status == QUOIT_OK)
        (void)swprintf(name_out->text, QUOIT_OS_WIDE_ROOM, L"%ls\\quoit.%ls.%ls.%ls",
                       entry->scope == QUOIT_OS_GLOBAL ? L"Global" : L"Local", what,
                       kind_names[entry->kind], text.text);
    return status;
}

/* NULL also if the page has no memory: another program's section, made with SEC_RESERVE, would
   crash the process that reads it. */
static struct page *map_page(const struct quoit_os_entry *entry, bool read_only)
{
    MEMORY_BASIC_INFORMATION memory;
    void *page = MapViewOfFile(entry->section,
                               read_only ? FILE_MAP_READ : FILE_MAP_READ | FILE_MAP_WRITE, 0, 0,
                               sizeof(struct page));
    if (!page || (VirtualQuery(page, &memory, sizeof memory) > 0 && memory.State == MEM_COMMIT))
        return page;
    (void)UnmapViewOfFile(page);
    SetLastError(ERROR_INVALID_HANDLE);
    return NULL;
}

static quoit_status not_ours(const struct quoit_os_entry *entry)
{
    return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                      "'windows:%s': Quoit did not create this object; use another name",
                      entry->name);
}

/* Was a section opened, and is it an entry? A page of zeros is an entry that is not filled yet. */
static quoit_status check_section(struct quoit_os_entry *entry, DWORD error, const char *doing)
{
    if (!entry->section && error == ERROR_INVALID_HANDLE) /* an object of another kind */
        return not_ours(entry);
    if (!entry->section)
        return quoit_os_fail((int)error, doing, entry->name);
    struct page *page = map_page(entry, true);
    /* Relaxed: decides only whether to refuse the section; no other load depends on it. */
    uint64_t magic = page ? atomic_load_explicit(&page->magic, memory_order_relaxed) : 1;
    if (page)
        (void)UnmapViewOfFile(page);
    if (magic == ENTRY_MAGIC || magic == 0)
        return QUOIT_OK;
    (void)CloseHandle(entry->section);
    return not_ours(entry);
}

quoit_status quoit_os_entry_open(struct quoit_os_entry *entry, bool read_only)
{
    struct quoit_os_wide name;
    quoit_status status = system_name(entry, L"name", &name);
    if (status != QUOIT_OK)
        return status;
    DWORD access = READ_CONTROL | (read_only ? FILE_MAP_READ : FILE_MAP_READ | FILE_MAP_WRITE);
    entry->section = OpenFileMappingW(access, FALSE, name.text);
    return check_section(entry, GetLastError(), "open");
}

/* Creates the section, or opens it if it exists. PERMISSION also if it exists and does not grant
   this process all that a creator asks for. */
static quoit_status create_section(struct quoit_os_entry *entry, uint32_t permissions)
{
    struct quoit_os_wide name;
    struct quoit_os_security security;
    quoit_status status = system_name(entry, L"name", &name);
    if (status == QUOIT_OK)
        status = quoit_os_security_make(permissions, false, &security);
    if (status != QUOIT_OK)
        return status;
    entry->section = CreateFileMappingW(INVALID_HANDLE_VALUE, &security.attributes, PAGE_READWRITE,
                                        0, sizeof(struct page), name.text);
    DWORD error = GetLastError();
    quoit_os_security_free(&security);
    return check_section(entry, error, "create");
}

quoit_status quoit_os_entry_make(struct quoit_os_entry *entry, uint32_t permissions)
{
    quoit_status status = quoit_os_entry_open(entry, false);
    if (status == QUOIT_ERROR_NOT_FOUND)
        status = create_section(entry, permissions);
    if (status == QUOIT_ERROR_PERMISSION) /* another user made it, or access is denied */
        status = quoit_os_entry_open(entry, false);
    return status == QUOIT_ERROR_NOT_FOUND ? create_section(entry, permissions) : status;
}

static uint64_t read_page(const struct page *page)
{
    /* ENTRY-I2: the object of the identity that this load returns was created before. Pairs with
       ENTRY-I1. */
    return atomic_load_explicit(&page->identity, memory_order_acquire);
}

uint64_t quoit_os_entry_read(const struct quoit_os_entry *entry)
{
    struct page *page = map_page(entry, true);
    uint64_t identity = page ? read_page(page) : 0;
    if (page)
        (void)UnmapViewOfFile(page);
    return identity;
}

struct quoit_os_object_name quoit_os_entry_target(const struct quoit_os_entry *entry,
                                                  uint64_t identity)
{
    return quoit_os_name_object(entry->scope, kind_names[entry->kind], identity);
}

/* Does an object of that identity exist? True also if this process may not open it. */
static bool is_alive(const struct quoit_os_entry *entry, uint64_t identity)
{
    struct quoit_os_object_name name = quoit_os_entry_target(entry, identity);
    HANDLE object = NULL;
    if (identity == 0)
        return false;
    if (entry->kind == QUOIT_OS_ENTRY_MEMORY)
        object = OpenFileMappingW(FILE_MAP_READ, FALSE, name.text);
    else
        object = OpenSemaphoreW(SYNCHRONIZE, FALSE, name.text);
    if (!object)
        return GetLastError() != ERROR_FILE_NOT_FOUND;
    (void)CloseHandle(object);
    return true;
}

/* Called with the gate held. links: stores the identity, unless the entry leads to a live object.
   Otherwise clears the entry, if it still holds the identity. */
static quoit_status change(const struct quoit_os_entry *entry, struct page *page, bool links,
                           uint64_t identity)
{
    uint64_t present = read_page(page);
    if (links && is_alive(entry, present))
        return quoit_fail(QUOIT_ERROR_EXISTS,
                          "'windows:%s' exists already; open it or join it, or use another name",
                          entry->name);
    if (!links && present != identity)
        return quoit_fail(
            QUOIT_ERROR_NOT_FOUND,
            "'windows:%s': another process removed or replaced it during this call; open it again",
            entry->name);
    /* Relaxed: only marks the page as Quoit's, and publishes nothing. */
    atomic_store_explicit(&page->magic, ENTRY_MAGIC, memory_order_relaxed);
    /* ENTRY-I1: after the object was created. Pairs with ENTRY-I2. */
    atomic_store_explicit(&page->identity, links ? identity : 0, memory_order_release);
    return QUOIT_OK;
}

static quoit_status change_gated(const struct quoit_os_entry *entry, bool links, uint64_t identity)
{
    struct quoit_os_wide name;
    HANDLE gate = NULL;
    struct quoit_os_shm object = {.permissions = 0};
    quoit_status status = quoit_os_security_read(entry->section, false, entry->name, &object);
    if (status == QUOIT_OK)
        status = system_name(entry, L"gate", &name);
    if (status == QUOIT_OK)
        status = quoit_os_gate_enter(name.text, object.permissions, entry->name, &gate);
    if (status != QUOIT_OK)
        return status;
    struct page *page = map_page(entry, false);
    if (page) {
        status = change(entry, page, links, identity);
        (void)UnmapViewOfFile(page);
    } else {
        status = quoit_os_fail((int)GetLastError(), "map the name of", entry->name);
    }
    quoit_os_gate_leave(gate);
    return status;
}

quoit_status quoit_os_entry_link(const struct quoit_os_entry *entry, uint64_t identity)
{
    return change_gated(entry, true, identity);
}

quoit_status quoit_os_entry_unlink(const struct quoit_os_entry *entry, uint64_t identity)
{
    return change_gated(entry, false, identity);
}
