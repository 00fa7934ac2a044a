/* SPDX-License-Identifier: MIT */
/* System V regions: keys, their lock files, and segments that other programs created, left, or
   removed. */
#include "test.h"

#include "shm/locked_object.h"
#include "sysv.h"

#include <stdio.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct quoit_region_options small = {.size_bytes = 10000};

static quoit_region *create(const char *name)
{
    quoit_region *region;
    CHECK_STATUS(quoit_region_create(name, &small, 0, &region), QUOIT_OK);
    return region;
}

static void lock_path(uint32_t key, char path[QUOIT_OS_LOCK_PATH_ROOM])
{
    char name[QUOIT_OS_SYSV_LOCK_ROOM];
    uint64_t ipc_namespace;
    CHECK_STATUS(quoit_os_ipc_namespace(&ipc_namespace), QUOIT_OK);
    quoit_os_sysv_lock_name(key, ipc_namespace, name);
    quoit_os_lock_path("sysv", geteuid(), name, path);
}

static void names(void)
{
    static const char *const bad[] = {"sysv:a/b", "sysv:0x", "sysv:0x0", "sysv:0x123456789",
                                      "sysv:0xkey"};
    for (int i = 0; i < 5; i++) {
        quoit_region *region;
        CHECK_STATUS(quoit_region_create(bad[i], &small, 0, &region), QUOIT_ERROR_NAME);
        CHECK(strstr(test_sentence(), test_path(bad[i])));
        CHECK_STATUS(quoit_region_open(bad[i], 0, &region), QUOIT_ERROR_NAME);
    }
}

/* The permissions are exact for any umask. */
static void permissions(void)
{
    static const unsigned asked[] = {0, 0600, 0640, 0666};
    if (!test_ipc_modes_are_reported())
        return;
    for (int i = 0; i < 4; i++) {
        struct quoit_region_options options = {.size_bytes = 100, .permissions = asked[i]};
        const char *name = test_name("sysv");
        quoit_region *region;
        uint32_t key;
        struct shmid_ds segment;
        mode_t before = umask(077);
        CHECK_STATUS(quoit_region_create(name, &options, 0, &region), QUOIT_OK);
        quoit_region_close(region);
        (void)umask(before);
        CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
        CHECK_EQ(shmctl(shmget((key_t)key, 0, 0), IPC_STAT, &segment), 0);
        CHECK_EQUAL(segment.shm_perm.mode & 0777, asked[i] ? asked[i] : 0600);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

static void foreign_segment(void)
{
    const char *name = test_name("sysv");
    uint32_t key;
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    int id = shmget((key_t)key, 5000, IPC_CREAT | IPC_EXCL | 0600);
    CHECK_GE(id, 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQUAL(shmget((key_t)key, 0, 0), id);
    CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    char lock[QUOIT_OS_LOCK_PATH_ROOM];
    lock_path(key, lock);
    CHECK(access(lock, F_OK) != 0);
}

/* An explicit key is the same key in every spelling. Another name with the same key is detected. */
static void keys(void)
{
    uint32_t key;
    quoit_region *region, *same;
    const char *derived = test_name("sysv");
    char outright[32], spelled[32];
    CHECK_STATUS(quoit_os_sysv_key(test_path(derived), &key), QUOIT_OK);
    (void)snprintf(outright, sizeof outright, "sysv:0x%x", key);
    (void)snprintf(spelled, sizeof spelled, "sysv:0x%08X", key);

    CHECK_STATUS(quoit_region_create(outright, &small, 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_region_open(spelled, 0, &same), QUOIT_OK);
    quoit_region_close(same);
    CHECK_STATUS(quoit_region_open(derived, 0, &same), QUOIT_ERROR_NAME);
    CHECK(strstr(test_sentence(), outright));
    CHECK_STATUS(quoit_unlink(derived, 0), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_region_create(derived, &small, 0, &same), QUOIT_ERROR_EXISTS);
    CHECK_EQUAL(shmget((key_t)key, 0, 0) >= 0, 1);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(spelled, 0), QUOIT_OK);
}

/* A System V region without its lock file can be read and removed, but its live members are
   unknown. */
static void lock_file_removed(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 4};
    const char *name = test_name("sysv");
    quoit_queue *queue;
    uint32_t key;
    char lock[QUOIT_OS_LOCK_PATH_ROOM];
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    lock_path(key, lock);
    CHECK(unlink(lock) == 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &queue), QUOIT_ERROR_CORRUPT);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_ERROR_EXISTS);
    CHECK_NE(access(lock, F_OK), 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_OK);
    CHECK_EQUAL(quoit_queue_capacity(queue), 4);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_ERROR_CORRUPT);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

static void write_lock_file(const char *name, uint64_t state, int64_t shmid, uint64_t creator)
{
    const struct {
        uint64_t state;
        int64_t shmid;
        uint64_t creator;
    } record = {state, shmid, creator};
    uint32_t key;
    char lock[QUOIT_OS_LOCK_PATH_ROOM];
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    lock_path(key, lock);
    test_write_file(lock, &record, sizeof record);
    CHECK_EQ(chmod(lock, 0600), 0);
}

/* A lock file that another user created in place of a lost one: its locks are ignored. */
static void lock_file_of_another_user(void)
{
    enum { OTHER_USER = 65534 };
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 4};
    const char *name = test_name("sysv");
    char lock[QUOIT_OS_LOCK_PATH_ROOM];
    quoit_queue *queue, *second;
    uint32_t key;
    if (geteuid() != 0) {
        (void)printf("  left out: only root can give a file away\n");
        return;
    }
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    lock_path(key, lock);
    CHECK(unlink(lock) == 0);
    write_lock_file(name, 2, shmget((key_t)key, 0, 0), test_own_pid());
    CHECK_EQ(chown(lock, OTHER_USER, OTHER_USER), 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &second), QUOIT_ERROR_OTHER_USER);
    CHECK_EQ(unlink(lock), 0);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* The remains of a creator that was killed: removed if they are that creator's, otherwise
   untouched. */
static void creator_killed(void)
{
    const char *name = test_name("sysv");
    uint32_t key;
    quoit_region *region;
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);

    /* Between the note and shmget. */
    write_lock_file(name, 1, -1, test_own_pid());
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_NOT_FOUND);
    quoit_region_close(create(name));
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);

    /* Between shmget and the second note, and after that one. */
    for (int noted = 0; noted < 2; noted++) {
        int id = shmget((key_t)key, 5000, IPC_CREAT | IPC_EXCL | 0600);
        write_lock_file(name, 1, noted ? id : -1, test_own_pid());
        CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_ERROR_NOT_FOUND);
        quoit_region_close(create(name));
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }

    /* The same note, but another process's segment. */
    int id = shmget((key_t)key, 5000, IPC_CREAT | IPC_EXCL | 0600);
    write_lock_file(name, 1, -1, 1);
    CHECK_STATUS(quoit_region_create(name, &small, 0, &region), QUOIT_ERROR_EXISTS);
    CHECK_EQUAL(shmget((key_t)key, 0, 0), id);
    CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
}

/* A segment that a person removed, also while a member uses it: its lock file does not prevent the
   next creation. */
static void segment_removed(void)
{
    const struct quoit_queue_options options = {
        .item_bytes = 8, .capacity = 4, .permissions = 0666};
    const char *name = test_name("sysv");
    quoit_queue *old, *new;
    uint32_t key;
    char lock[QUOIT_OS_LOCK_PATH_ROOM];
    struct stat file;
    CHECK_STATUS(quoit_os_sysv_key(test_path(name), &key), QUOIT_OK);
    lock_path(key, lock);
    write_lock_file(name, 2, 12345, 1);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &old), QUOIT_OK);
    CHECK_EQ(stat(lock, &file), 0);
    CHECK_EQ((file.st_mode & 0777), 0666);
    CHECK_EQ(shmctl(shmget((key_t)key, 0, 0), IPC_RMID, NULL), 0);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &new), QUOIT_OK);
    CHECK_STATUS(quoit_queue_unlink(old), QUOIT_ERROR_REMOVED);
    quoit_queue_close(old);
    CHECK_STATUS(quoit_queue_unlink(new), QUOIT_OK);
    quoit_queue_close(new);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"names", names},
        {"permissions", permissions},
        {"foreign_segment", foreign_segment},
        {"keys", keys},
        {"lock_file_removed", lock_file_removed},
        {"lock_file_of_another_user", lock_file_of_another_user},
        {"creator_killed", creator_killed},
        {"segment_removed", segment_removed},
        {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
