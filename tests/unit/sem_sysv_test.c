/* SPDX-License-Identifier: MIT */
/* System V semaphores: their sets and keys, and other sets under the same keys. */
#include "test.h"

#include "sysv.h"

#include <stdio.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/stat.h>

union argument { /* the argument of semctl */
    int value;
    struct semid_ds *set;
};

static uint32_t value_of(quoit_sem *sem)
{
    uint32_t value = 0;
    CHECK_STATUS(quoit_sem_value(sem, &value), QUOIT_OK);
    return value;
}

static int set_with_key_of(const char *name, int count, int flags)
{
    uint32_t key;
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    return semget((key_t)key, count, flags);
}

/* Another program's set under the key is refused, and its values do not change. */
static void foreign_set(void)
{
    const struct quoit_sem_options options = {.value = 1};
    for (int count = 1; count <= 12; count++) {
        const char *name = test_name("sysv");
        int id = set_with_key_of(name, count, IPC_CREAT | IPC_EXCL | 0600);
        CHECK_GE(id, 0);
        CHECK_EQ(semctl(id, 0, SETVAL, (union argument){.value = 3}), 0);
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_ERROR_NOT_QUOIT);
        CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_ERROR_NOT_QUOIT);
        CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_ERROR_NOT_QUOIT);
        CHECK_EQUAL(semctl(id, 0, GETVAL), 3);
        CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
    }
}

/* A creator that crashed between semget and the value: no process sees the set, and the next
   creator completes it. */
static void unfinished_set(void)
{
    const struct quoit_sem_options options = {.value = 4};
    const char *name = test_name("sysv");
    quoit_sem *sem;
    CHECK_GE(set_with_key_of(name, 11, IPC_CREAT | IPC_EXCL | 0600), 0);
    CHECK_STATUS(quoit_sem_open(name, 0, &sem), QUOIT_ERROR_NOT_FOUND);
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
    CHECK_EQUAL(value_of(sem), 4);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
}

static void colliding_names(void)
{
    const struct quoit_sem_options options = {.value = 1};
    const char *derived = test_name("sysv");
    char outright[32];
    uint32_t key;
    quoit_sem *sem, *other;
    CHECK_STATUS(quoit_os_sysv_key(test_path(derived), &key), QUOIT_OK);
    (void)snprintf(outright, sizeof outright, "sysv:0x%x", key);
    CHECK_STATUS(quoit_sem_create(derived, &options, 0, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_open(outright, 0, &other), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_sem_create(outright, &options, 0, &other), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_sem_unlink(outright, 0), QUOIT_ERROR_NAME);
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(derived, 0), QUOIT_OK);
}

static void permissions(void)
{
    const struct quoit_sem_options options = {.value = 1, .permissions = 0660};
    const char *name = test_name("sysv");
    struct semid_ds set;
    quoit_sem *sem;
    if (!test_ipc_modes_are_reported())
        return;
    mode_t before = umask(077);
    CHECK_STATUS(quoit_sem_create(name, &options, 0, &sem), QUOIT_OK);
    quoit_sem_close(sem);
    (void)umask(before);
    CHECK_EQ(semctl(set_with_key_of(name, 0, 0), 0, IPC_STAT, &set), 0);
    CHECK_EQUAL(set.sem_perm.mode & 0777, 0660);
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
}

/*
 * For each process the kernel keeps a number of operations to undo at its end, at most 32767 in
 * each direction. If one process only posts a semaphore with give_back and another only waits for
 * it, both reach that limit, at any value of the semaphore. A semaphore without give_back has no
 * such limit.
 */
static void used_as_a_signal(void)
{
    enum { MOST = 32767, VALUE_MOST = 32767 };
    for (int posts = 0; posts < 2; posts++) {
        const struct quoit_sem_options hold = {.value = posts ? 1 : 0, .give_back = 1};
        const char *name = test_name("sysv");
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &hold, 0, &sem), QUOIT_OK);
        int id = set_with_key_of(name, 0, 0);
        struct sembuf other = {.sem_op = posts ? -1
                                               : 1}; /* stands for another process: not undone */
        quoit_status status = QUOIT_OK;
        for (int i = 0; i < MOST + 10 && status == QUOIT_OK; i++) {
            CHECK(semop(id, &other, 1) == 0);
            status = posts ? quoit_sem_post(sem) : quoit_sem_wait(sem, QUOIT_FOREVER);
        }
        CHECK_STATUS(status, QUOIT_ERROR_LIMIT);
        CHECK(strstr(test_sentence(), "give_back"));
        CHECK_LE(value_of(sem), 1); /* the failed call changed nothing */
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
    }
    for (int use = 0; use < 2; use++) { /* the value itself at its maximum */
        const struct quoit_sem_options full = {.value = VALUE_MOST, .give_back = (uint32_t)use};
        const char *name = test_name("sysv");
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(name, &full, 0, &sem), QUOIT_OK);
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_ERROR_LIMIT);
        CHECK(strstr(test_sentence(), "maximum"));
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
    }
    const struct quoit_sem_options signal = {.value = 0};
    const char *name = test_name("sysv");
    quoit_sem *sem;
    CHECK_STATUS(quoit_sem_create(name, &signal, 0, &sem), QUOIT_OK);
    struct sembuf take = {.sem_op = -1};
    for (int i = 0; i < MOST + 10; i++) {
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
        CHECK(semop(set_with_key_of(name, 0, 0), &take, 1) == 0);
    }
    quoit_sem_close(sem);
    CHECK_STATUS(quoit_sem_unlink(name, 0), QUOIT_OK);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"foreign_set", foreign_set},           {"unfinished_set", unfinished_set},
        {"colliding_names", colliding_names},   {"permissions", permissions},
        {"used_as_a_signal", used_as_a_signal}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
