/* SPDX-License-Identifier: MIT */
/* Owners on Linux. The kernel shows a user that this process's user namespace does not map as
   /proc/sys/kernel/overflowuid, 65534. */
#include "owner.h"

#include <fcntl.h>
#include <stdio.h>

/* Only the owner can set this flag, and the kernel compares its own numbers of users. A process
   with CAP_FOWNER can set it too, if its namespace maps the owner. */
static bool is_own(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NOATIME) == 0;
}

/* Reads the first numbers of a file. Returns how many there were, EOF if the file is empty, 0 if
   there is no file. */
static int read_numbers(const char *path, unsigned long long numbers[3])
{
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int count = fscanf(file, "%llu %llu %llu", &numbers[0], &numbers[1], &numbers[2]);
    (void)fclose(file);
    return count;
}

static bool is_overflow(uint64_t user_id)
{
    unsigned long long overflow[3] = {65534};
    (void)read_numbers("/proc/sys/kernel/overflowuid", overflow);
    return user_id == overflow[0];
}

/* Without /proc this returns true: most processes are in the first namespace, which maps all users.
   A new namespace maps no user, and its file is empty. */
static bool all_users_are_mapped(void)
{
    unsigned long long first[3];
    int count = read_numbers("/proc/self/uid_map", first);
    return count == 0 || (count == 3 && first[2] >= UINT32_MAX);
}

uint64_t quoit_os_owner_of(uint64_t user_id, int fd)
{
    if (user_id != quoit_os_user_id() || (fd >= 0 && is_own(fd)) || !is_overflow(user_id))
        return user_id;
    return fd < 0 && all_users_are_mapped() ? user_id : QUOIT_OS_OWNER_UNMAPPED;
}
