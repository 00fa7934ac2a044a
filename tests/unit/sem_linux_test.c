/* SPDX-License-Identifier: MIT */
/* POSIX semaphores as files, on Linux. */
#include "test.h"

#include <stdio.h>
#include <sys/stat.h>

static void permissions(void)
{
    const struct quoit_sem_options options = {.value = 1, .permissions = 0660};
    const char *name = test_name("posix");
    char path[128];
    struct stat file;
    quoit_sem *sem;
    mode_t before = umask(077);
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
    quoit_sem_close(sem);
    (void)umask(before);
    (void)snprintf(path, sizeof path, "/dev/shm/sem.%s", test_path(name));
    CHECK_EQ(stat(path, &file), 0);
    CHECK_EQUAL(file.st_mode & 0777, 0660);
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
}

/* A file under a semaphore's name that is not a semaphore. */
static void foreign_file(void)
{
    static const char bytes[64] = {1};
    const char *name = test_name("posix");
    char path[128];
    quoit_sem *sem;
    (void)snprintf(path, sizeof path, "/dev/shm/sem.%s", test_path(name));
    test_write_file(path, bytes, sizeof bytes);
    CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(remove(path), 0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"permissions", permissions}, {"foreign_file", foreign_file}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
