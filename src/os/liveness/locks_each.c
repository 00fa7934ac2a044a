/* SPDX-License-Identifier: MIT */
/* Several locks at once, one by one: for systems that cannot take a range of them in one call. */
#include "os.h"

quoit_status quoit_os_locks_try(const struct quoit_os_shm *shm, uint32_t first, uint32_t count)
{
    quoit_status status = QUOIT_OK;
    uint32_t taken = 0;
    while (status == QUOIT_OK && taken < count) {
        status = quoit_os_lock_try(shm, first + taken);
        taken += status == QUOIT_OK;
    }
    if (status != QUOIT_OK)
        quoit_os_locks_release(shm, first, taken);
    return status;
}

void quoit_os_locks_release(const struct quoit_os_shm *shm, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        quoit_os_lock_release(shm, first + i);
}

bool quoit_os_locks_are_held(const struct quoit_os_shm *shm, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (quoit_os_lock_is_held(shm, first + i))
            return true;
    return false;
}
