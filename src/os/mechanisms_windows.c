/* SPDX-License-Identifier: MIT */
/* The mechanisms of Windows. A name without a scheme uses the first of each list. */
#include "os.h"

extern const struct quoit_os_shm_ops quoit_os_shm_windows, quoit_os_shm_file, quoit_os_shm_local;
extern const struct quoit_os_sem_ops quoit_os_sem_windows;

const char *const quoit_os_system = "Windows";
const struct quoit_os_shm_ops *const quoit_os_shm_schemes[] = {
    &quoit_os_shm_windows, &quoit_os_shm_file, &quoit_os_shm_local, 0};
const struct quoit_os_sem_ops *const quoit_os_sem_schemes[] = {&quoit_os_sem_windows, 0};
