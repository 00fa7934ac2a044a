/* SPDX-License-Identifier: MIT */
/* "windows:products", "windows:Global\products": a section, found through an entry. It exists
   while a process has it open, under its name or, after unlink, without one. */
#include "win32.h"

#include "system_error.h"

enum { TEXT_MAX = 200 };

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    struct quoit_os_entry entry;
    quoit_status status = quoit_os_entry_name(QUOIT_OS_ENTRY_MEMORY, text, &entry);
    if (status != QUOIT_OK)
        return status;
    uint64_t identity;
    do {
        identity = quoit_os_new_identity();
        struct quoit_os_object_name name = quoit_os_entry_target(&entry, identity);
        status = quoit_os_section_create(name.text, size_bytes, permissions, text, shm_out);
    } while (status == QUOIT_ERROR_EXISTS); /* another object has the same identity */
    if (status != QUOIT_OK)
        return status;
    shm_out->identity = identity;
    shm_out->key = entry.scope;
    return QUOIT_OK;
}

static quoit_status publish(struct quoit_os_shm *shm, const char *text)
{
    struct quoit_os_entry entry;
    quoit_status status = quoit_os_entry_name(QUOIT_OS_ENTRY_MEMORY, text, &entry);
    if (status == QUOIT_OK)
        status = quoit_os_entry_make(&entry, shm->permissions);
    if (status != QUOIT_OK)
        return status;
    shm->id = (intptr_t)entry.section;
    return quoit_os_entry_link(&entry, shm->identity);
}

/* Maps the object that an entry leads to. NOT_FOUND: it leads to none, or to a former one. */
static quoit_status follow(const struct quoit_os_entry *entry, uint64_t identity, bool read_only,
                           struct quoit_os_shm *shm_out)
{
    struct quoit_os_object_name name = quoit_os_entry_target(entry, identity);
    HANDLE section = NULL;
    DWORD access = READ_CONTROL | (read_only ? FILE_MAP_READ : FILE_MAP_READ | FILE_MAP_WRITE);
    SetLastError(ERROR_FILE_NOT_FOUND);
    if (identity != 0)
        section = OpenFileMappingW(access, FALSE, name.text);
    if (!section)
        return quoit_os_fail((int)GetLastError(), "open", entry->name);
    quoit_status status = quoit_os_section_map(section, read_only, entry->name, shm_out);
    if (status != QUOIT_OK) {
        (void)CloseHandle(section);
        return status;
    }
    status = quoit_os_security_read(section, false, entry->name, shm_out);
    if (status != QUOIT_OK) {
        quoit_os_section_close(shm_out);
        return status;
    }
    shm_out->identity = identity;
    shm_out->key = entry->scope;
    shm_out->id = (intptr_t)entry->section;
    return QUOIT_OK;
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    struct quoit_os_entry entry;
    quoit_status status = quoit_os_entry_name(QUOIT_OS_ENTRY_MEMORY, text, &entry);
    if (status == QUOIT_OK)
        status = quoit_os_entry_open(&entry, read_only);
    if (status != QUOIT_OK)
        return status;
    uint64_t identity = 0, before;
    do {
        before = identity;
        identity = quoit_os_entry_read(&entry);
        status = follow(&entry, identity, read_only, shm_out);
    } while (status == QUOIT_ERROR_NOT_FOUND && identity != before && /* replaced meanwhile? */
             quoit_os_hold_left_ns() > 0);
    if (status != QUOIT_OK)
        (void)CloseHandle(entry.section);
    return status;
}

static bool is_named(const struct quoit_os_shm *shm, const char *text)
{
    struct quoit_os_entry entry;
    if (quoit_os_entry_name(QUOIT_OS_ENTRY_MEMORY, text, &entry) != QUOIT_OK)
        return false;
    entry.section = (HANDLE)shm->id;
    return quoit_os_entry_read(&entry) == shm->identity;
}

static quoit_status unlink_name(struct quoit_os_shm *shm, const char *text)
{
    struct quoit_os_entry entry;
    quoit_status status = quoit_os_entry_name(QUOIT_OS_ENTRY_MEMORY, text, &entry);
    entry.section = (HANDLE)shm->id;
    return status == QUOIT_OK ? quoit_os_entry_unlink(&entry, shm->identity) : status;
}

const struct quoit_os_shm_ops quoit_os_shm_windows = {
    .scheme = {.name = "windows", .text_max = TEXT_MAX},
    .create = create,
    .publish = publish,
    .open = open_existing,
    .is_named = is_named,
    .unlink = unlink_name,
    .close = quoit_os_section_close,
};
