/* SPDX-License-Identifier: MIT */
/* "file:/var/tmp/products": an ordinary file, which survives a reboot. */
#include "lock_file.h"
#include "mapped_file.h"

const struct quoit_os_shm_ops quoit_os_shm_file = {
    .scheme = {.name = "file", .text_max = 4000, .is_path = true},
    .create = quoit_os_file_create,
    .publish = quoit_os_file_publish,
    .open = quoit_os_file_open,
    .open_locks = quoit_os_lock_file_open,
    .is_named = quoit_os_file_is_named,
    .peek = quoit_os_file_peek,
    .unlink = quoit_os_file_unlink,
    .close = quoit_os_file_close,
};
