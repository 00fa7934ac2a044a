/* SPDX-License-Identifier: MIT */
/* Semaphores in one process: counting, time-outs, names, and what stands under them. */
#include "test.h"

#include "os.h"
#include "sysv.h"

#include <stdio.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/stat.h>

static const char *const sem_schemes[] = {"posix", "sysv", NULL};

static uint32_t value_of(quoit_sem *sem)
{
    uint32_t value = 0;
    CHECK_STATUS(quoit_sem_value(sem, &value), QUOIT_OK);
    return value;
}

static void counting(const char *name)
{
    const struct quoit_sem_options options = {.value = 2};
    quoit_sem *sem, *same;
    CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_NOT_FOUND);
    CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_create(name, &options, &same), QUOIT_EXISTS);
    CHECK(same == NULL);
    CHECK_STATUS(quoit_sem_open(name, 0, &same), QUOIT_OK);
    CHECK_EQUAL(value_of(same), 2);
    CHECK_STATUS(quoit_sem_wait(sem, QUOIT_FOREVER), QUOIT_OK);
    CHECK_STATUS(quoit_sem_try_wait(same), QUOIT_OK);
    CHECK_STATUS(quoit_sem_try_wait(sem), QUOIT_TIMEOUT);
    CHECK_STATUS(quoit_sem_post(same), QUOIT_OK);
    CHECK_EQUAL(value_of(sem), 1);
    CHECK_STATUS(quoit_sem_wait(sem, 1), QUOIT_OK);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    quoit_sem_close(same);
    CHECK_STATUS(quoit_sem_join(name, &options, &same), QUOIT_OK);
    quoit_sem_close(same);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name), QUOIT_OK);
    CHECK_STATUS(quoit_sem_unlink(name), QUOIT_NOT_FOUND);
    CHECK_STATUS(quoit_sem_join(name, &options, &sem), QUOIT_OK);
    CHECK_EQUAL(value_of(sem), 2);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name), QUOIT_OK);
}

static void every_scheme(void)
{
    for (int i = 0; sem_schemes[i]; i++)
        counting(test_name(sem_schemes[i]));
}

static void timeouts(void)
{
    const struct quoit_sem_options options = {.value = 0, .use = QUOIT_SEM_SIGNAL};
    for (int i = 0; sem_schemes[i]; i++) {
        const char *name = test_name(sem_schemes[i]);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_OK);
        uint64_t start = quoit_os_monotonic_ns();
        CHECK_STATUS(quoit_sem_wait(sem, 30000000), QUOIT_TIMEOUT);
        CHECK(quoit_os_monotonic_ns() - start >= 30000000); /* never early */
        CHECK_STATUS(quoit_sem_wait(sem, 0), QUOIT_TIMEOUT);
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
        CHECK_STATUS(quoit_sem_wait(sem, INT64_MAX), QUOIT_OK);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name), QUOIT_OK);
    }
}

static void limits(void)
{
    const char *name = test_name("sysv");
    struct quoit_sem_options options = {.value = 32768};
    quoit_sem *sem;
    CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_OVERFLOW);
    options.value = 32767;
    options.use = QUOIT_SEM_SIGNAL;
    CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OVERFLOW);
    CHECK_EQUAL(value_of(sem), 32767);
    CHECK_STATUS(quoit_sem_unlink(name), QUOIT_OK);
    /* A System V semaphore dies for its users when it is unlinked. */
    CHECK_STATUS(quoit_sem_wait(sem, QUOIT_FOREVER), QUOIT_CLOSED);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_CLOSED);
    quoit_sem_close(sem);

    const char *posix = test_name("posix");
    options.value = UINT32_MAX;
    CHECK_STATUS(quoit_sem_create(posix, &options, &sem), QUOIT_OVERFLOW);
    options.value = 0x7fffffff;
    CHECK_STATUS(quoit_sem_create(posix, &options, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_post(sem), QUOIT_OVERFLOW);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(posix), QUOIT_OK);
}

static void bad_options(void)
{
    const char *name = test_name("sysv");
    quoit_sem *sem;
    struct quoit_sem_options options = {.permissions = 07000};
    CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_INVALID);
    options = (struct quoit_sem_options){.use = (enum quoit_sem_use)7};
    CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_INVALID);
    CHECK_STATUS(quoit_sem_create(name, NULL, &sem), QUOIT_INVALID);
    CHECK_STATUS(quoit_sem_open(name, 1, &sem), QUOIT_INVALID);
    CHECK_STATUS(quoit_sem_open("", 0, &sem), QUOIT_NAME_EMPTY);
    CHECK_STATUS(quoit_sem_open("posix:a/b", 0, &sem), QUOIT_NAME_CHARACTER);
    CHECK_STATUS(quoit_sem_wait(NULL, 0), QUOIT_INVALID);
    CHECK_STATUS(quoit_sem_post(NULL), QUOIT_INVALID);
}

static int set_with_key_of(const char *name, int count, int flags)
{
    uint32_t key;
    CHECK_STATUS(quoit_os_sysv_key(strchr(name, ':') + 1, &key), QUOIT_OK);
    return semget((key_t)key, count, flags);
}

/* Somebody else's set under the key: refused, and its values stay. */
static void foreign_set(void)
{
    const struct quoit_sem_options options = {.value = 1};
    for (int count = 1; count <= 12; count++) {
        const char *name = test_name("sysv");
        int id = set_with_key_of(name, count, IPC_CREAT | IPC_EXCL | 0600);
        CHECK(id >= 0);
        CHECK(semctl(id, 0, SETVAL, 3) == 0);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_NOT_QUOIT);
        CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_NOT_QUOIT);
        CHECK_STATUS(quoit_sem_unlink(name), QUOIT_NOT_QUOIT);
        CHECK_EQUAL(semctl(id, 0, GETVAL), 3);
        CHECK(semctl(id, 0, IPC_RMID) == 0);
    }
}

/* A creator that died between semget and the value: nobody sees the set, and the next one completes
   it. */
static void unfinished_set(void)
{
    const struct quoit_sem_options options = {.value = 4};
    const char *name = test_name("sysv");
    quoit_sem *sem;
    CHECK(set_with_key_of(name, 11, IPC_CREAT | IPC_EXCL | 0600) >= 0);
    CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_NOT_FOUND);
    CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_OK);
    CHECK_EQUAL(value_of(sem), 4);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name), QUOIT_OK);
}

static void colliding_names(void)
{
    const struct quoit_sem_options options = {.value = 1};
    const char *derived = test_name("sysv");
    char outright[32];
    uint32_t key;
    quoit_sem *sem, *other;
    CHECK_STATUS(quoit_os_sysv_key(strchr(derived, ':') + 1, &key), QUOIT_OK);
    (void)snprintf(outright, sizeof outright, "sysv:0x%x", key);
    CHECK_STATUS(quoit_sem_create(derived, &options, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_open(outright, 0, &other), QUOIT_COLLISION);
    CHECK_STATUS(quoit_sem_create(outright, &options, &other), QUOIT_COLLISION);
    CHECK_STATUS(quoit_sem_unlink(outright), QUOIT_COLLISION);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(derived), QUOIT_OK);
}

static void permissions(void)
{
    const struct quoit_sem_options options = {.value = 1, .permissions = 0660};
    const char *name = test_name("posix"), *sysv = test_name("sysv");
    char path[128];
    struct stat file;
    struct semid_ds set;
    quoit_sem *sem;
    mode_t before = umask(077);
    CHECK_STATUS(quoit_sem_create(name, &options, &sem), QUOIT_OK);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_create(sysv, &options, &sem), QUOIT_OK);
    quoit_sem_close(sem);
    (void)umask(before);
    (void)snprintf(path, sizeof path, "/dev/shm/sem.%s", strchr(name, ':') + 1);
    CHECK(stat(path, &file) == 0);
    CHECK_EQUAL(file.st_mode & 0777, 0660);
    CHECK(semctl(set_with_key_of(sysv, 0, 0), 0, IPC_STAT, &set) == 0);
    CHECK_EQUAL(set.sem_perm.mode & 0777, 0660);
    CHECK_STATUS(quoit_sem_unlink(name), QUOIT_OK);
    CHECK_STATUS(quoit_sem_unlink(sysv), QUOIT_OK);
}

/* A file under a semaphore's name that is none. */
static void foreign_file(void)
{
    static const char bytes[64] = {1};
    const char *name = test_name("posix");
    char path[128];
    quoit_sem *sem;
    (void)snprintf(path, sizeof path, "/dev/shm/sem.%s", strchr(name, ':') + 1);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes && fclose(file) == 0);
    CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_NOT_QUOIT);
    CHECK_STATUS(quoit_sem_unlink(name), QUOIT_NOT_QUOIT);
    CHECK(remove(path) == 0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_scheme", every_scheme},
                                             {"timeouts", timeouts},
                                             {"limits", limits},
                                             {"bad_options", bad_options},
                                             {"foreign_set", foreign_set},
                                             {"unfinished_set", unfinished_set},
                                             {"colliding_names", colliding_names},
                                             {"permissions", permissions},
                                             {"foreign_file", foreign_file},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
