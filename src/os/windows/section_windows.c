/* SPDX-License-Identifier: MIT */
/* Sections of the paging file as shared memory: creates, maps and closes them. */
#include "win32.h"

#include "fail.h"
#include "system_error.h"

static quoit_status no_space(uint64_t size_bytes, const char *what, const char *why)
{
    return quoit_fail(QUOIT_ERROR_NO_SPACE,
                      "cannot reserve %llu bytes for '%s': %s; use a smaller capacity",
                      (unsigned long long)size_bytes, what, why);
}

quoit_status quoit_os_section_map(HANDLE section, bool read_only, const char *what,
                                  struct quoit_os_shm *shm_out)
{
    MEMORY_BASIC_INFORMATION memory;
    void *base = MapViewOfFile(section, read_only ? FILE_MAP_READ : FILE_MAP_READ | FILE_MAP_WRITE,
                               0, 0, 0);
    if (!base)
        return quoit_os_fail((int)GetLastError(), "map", what);
    if (VirtualQuery(base, &memory, sizeof memory) == 0) {
        (void)UnmapViewOfFile(base);
        return quoit_os_fail((int)GetLastError(), "read the attributes of the memory of", what);
    }
    if (memory.State != MEM_COMMIT) { /* another program's, made with SEC_RESERVE */
        (void)UnmapViewOfFile(base);
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "'%s': it has no memory (reserved, not committed), so Quoit did not "
                          "create it; use another name",
                          what);
    }
    *shm_out = (struct quoit_os_shm){
        .base = base,
        .size_bytes = memory.RegionSize,
        .lock = (intptr_t)section,
        .read_only = read_only,
    };
    return QUOIT_OK;
}

quoit_status quoit_os_section_create(const wchar_t *name, uint64_t size_bytes, uint32_t permissions,
                                     const char *what, struct quoit_os_shm *shm_out)
{
    MEMORYSTATUSEX machine = {.dwLength = sizeof machine};
    struct quoit_os_security security;
    (void)GlobalMemoryStatusEx(&machine);
    if (size_bytes > machine.ullTotalPageFile || size_bytes > SIZE_MAX)
        return no_space(size_bytes, what, "the machine has less memory");
    quoit_status status = quoit_os_security_make(permissions, false, &security);
    if (status != QUOIT_OK)
        return status;
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, &security.attributes,
                                        PAGE_READWRITE | SEC_COMMIT, (DWORD)(size_bytes >> 32),
                                        (DWORD)size_bytes, name);
    DWORD error = GetLastError();
    quoit_os_security_free(&security);
    if (section && error == ERROR_ALREADY_EXISTS) {
        (void)CloseHandle(section);
        return quoit_fail(QUOIT_ERROR_EXISTS,
                          "'%s' exists already; open it or join it, or use another name", what);
    }
    if (!section && (error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_COMMITMENT_LIMIT))
        return no_space(size_bytes, what, "not enough memory is free");
    if (!section)
        return quoit_os_fail((int)error, "create", what);
    status = quoit_os_section_map(section, false, what, shm_out);
    if (status != QUOIT_OK) {
        (void)CloseHandle(section);
        return status;
    }
    shm_out->owner = quoit_os_user_id();
    shm_out->permissions = permissions;
    return QUOIT_OK;
}

void quoit_os_section_close(struct quoit_os_shm *shm)
{
    quoit_os_lock_release_all(shm);
    if (shm->base)
        (void)UnmapViewOfFile(shm->base);
    if (shm->lock != -1)
        (void)CloseHandle((HANDLE)shm->lock);
    if (shm->id)
        (void)CloseHandle((HANDLE)shm->id);
    *shm = (struct quoit_os_shm){.lock = -1};
}
