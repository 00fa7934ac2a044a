/* SPDX-License-Identifier: MIT */
/* "local:products": a section without a name, for this process's threads. */
#include "win32.h"

#include "local_names.h"
#include "system_error.h"

quoit_status quoit_os_local_share(intptr_t memory, bool read_only, const char *text,
                                  intptr_t *memory_out)
{
    HANDLE process = GetCurrentProcess(), shared = NULL;
    (void)read_only; /* the mapping is read-only */
    (void)text;
    if (!DuplicateHandle(process, (HANDLE)memory, process, &shared, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return quoit_os_fail((int)GetLastError(), "open", "a second handle of local memory");
    *memory_out = (intptr_t)shared;
    return QUOIT_OK;
}

void quoit_os_local_drop(intptr_t memory)
{
    (void)CloseHandle((HANDLE)memory);
}

static quoit_status create(const char *text, uint64_t size_bytes, uint32_t permissions,
                           struct quoit_os_shm *shm_out)
{
    quoit_status status = quoit_os_section_create(NULL, size_bytes, permissions, text, shm_out);
    if (status == QUOIT_OK)
        shm_out->identity = quoit_os_new_identity(); /* names the locks, too */
    return status;
}

static quoit_status open_existing(const char *text, bool read_only, struct quoit_os_shm *shm_out)
{
    intptr_t section = 0;
    uint64_t identity = 0;
    quoit_status status = quoit_os_local_find(text, read_only, &section, &identity);
    if (status != QUOIT_OK)
        return status;
    status = quoit_os_section_map((HANDLE)section, read_only, text, shm_out);
    if (status != QUOIT_OK) {
        quoit_os_local_drop(section);
        return status;
    }
    shm_out->identity = identity;
    shm_out->owner = quoit_os_user_id();
    shm_out->permissions = 0600; /* for its locks, which have names in the system */
    return QUOIT_OK;
}

const struct quoit_os_shm_ops quoit_os_shm_local = {
    .scheme = {.name = "local", .text_max = QUOIT_OS_LOCAL_TEXT_MAX},
    .create = create,
    .publish = quoit_os_local_publish,
    .open = open_existing,
    .is_named = quoit_os_local_is_named,
    .unlink = quoit_os_local_unlink,
    .close = quoit_os_section_close,
};
