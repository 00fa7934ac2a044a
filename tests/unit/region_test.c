/* SPDX-License-Identifier: MIT */
/* Regions of every scheme: create, open, unlink, pieces, permissions, and what else may stand under
   a name. */
#include "test.h"

#include "region_shm.h"
#include "sysv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct quoit_region_options small = {.size_bytes = 10000};

static quoit_region *create(const char *name)
{
    quoit_region *region;
    CHECK_STATUS(quoit_region_create(name, &small, &region), QUOIT_OK);
    return region;
}

static const char *path_of(const char *name)
{
    return strchr(name, ':') + 1;
}

static void share_bytes(const char *name)
{
    quoit_region *a = create(name), *b;
    uint64_t offset;
    CHECK_STATUS(quoit_region_create(name, &small, &b), QUOIT_EXISTS);
    CHECK(b == NULL);
    CHECK_STATUS(quoit_region_open(name, 0, &b), QUOIT_OK);
    CHECK_EQUAL(quoit_region_root(b), 0);
    CHECK_STATUS(quoit_region_allocate(a, 6, 8, &offset), QUOIT_OK);
    memcpy(quoit_region_at(a, offset, 6), "hello", 6);
    CHECK_STATUS(quoit_region_set_root(a, offset), QUOIT_OK);
    CHECK_EQUAL(quoit_region_root(b), offset);
    CHECK(strcmp(quoit_region_at(b, offset, 6), "hello") == 0);
    CHECK(quoit_region_at(a, offset, 6) != quoit_region_at(b, offset, 6));

    /* The name goes; who is in stays together, apart from a later region of the name. */
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_NOT_FOUND);
    quoit_region *c = create(name);
    CHECK_EQUAL(quoit_region_root(c), 0);
    memcpy(quoit_region_at(b, offset, 6), "world", 6);
    CHECK(strcmp(quoit_region_at(a, offset, 6), "world") == 0);
    quoit_region_close(a);
    quoit_region_close(b);
    quoit_region_close(c);
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
}

static void every_scheme(void)
{
    for (int i = 0; test_schemes[i]; i++)
        share_bytes(test_name(test_schemes[i]));
}

static void pieces(void)
{
    const char *name = test_name("posix");
    quoit_region *region = create(name);
    uint64_t offset, before = 0;
    CHECK(quoit_region_size(region) >= 10000);
    for (uint64_t align = 1; align <= 4096; align *= 2) {
        CHECK_STATUS(quoit_region_allocate(region, 3, align, &offset), QUOIT_OK);
        CHECK_EQUAL(offset % align, 0);
        CHECK_EQUAL((uintptr_t)quoit_region_at(region, offset, 3) % align, 0);
        CHECK(offset >= before + 3 || before == 0);
        before = offset;
    }
    CHECK_STATUS(quoit_region_allocate(region, 1, 3, &offset), QUOIT_INVALID);
    CHECK_STATUS(quoit_region_allocate(region, 1, 8192, &offset), QUOIT_INVALID);
    CHECK_STATUS(quoit_region_allocate(region, 0, 8, &offset), QUOIT_INVALID);
    CHECK_STATUS(quoit_region_allocate(region, UINT64_MAX, 8, &offset), QUOIT_NOSPACE);
    uint64_t left = quoit_region_free(region);
    CHECK_STATUS(quoit_region_allocate(region, left + 1, 1, &offset), QUOIT_NOSPACE);
    CHECK_STATUS(quoit_region_allocate(region, left, 1, &offset), QUOIT_OK);
    CHECK_EQUAL(offset + left, quoit_region_size(region));
    CHECK_EQUAL(quoit_region_free(region), 0);
    CHECK(quoit_region_at(region, offset, left) != NULL);
    CHECK(quoit_region_at(region, offset, left + 1) == NULL);
    CHECK(quoit_region_at(region, UINT64_MAX, 2) == NULL);
    CHECK_STATUS(quoit_region_set_root(region, quoit_region_size(region)), QUOIT_INVALID);
    quoit_region_close(region);
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
}

static void asked_for_is_there(void)
{
    static const uint64_t sizes[] = {1, 4096 - 384, 4096, 1 << 20};
    for (int i = 0; i < 4; i++) {
        const char *name = test_name("posix");
        struct quoit_region_options options = {.size_bytes = sizes[i]};
        quoit_region *region;
        uint64_t offset;
        CHECK_STATUS(quoit_region_create(name, &options, &region), QUOIT_OK);
        CHECK_STATUS(quoit_region_allocate(region, sizes[i], 1, &offset), QUOIT_OK);
        quoit_region_close(region);
        CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
    }
}

static void read_only(void)
{
    for (int i = 0; test_schemes[i]; i++) {
        const char *name = test_name(test_schemes[i]);
        quoit_region *region = create(name), *reader;
        uint64_t offset;
        CHECK_STATUS(quoit_region_open(name, QUOIT_READ_ONLY, &reader), QUOIT_OK);
        CHECK_STATUS(quoit_region_allocate(reader, 1, 1, &offset), QUOIT_PERMISSION);
        CHECK_STATUS(quoit_region_set_root(reader, 8), QUOIT_PERMISSION);
        quoit_region_close(reader);
        CHECK_STATUS(quoit_region_open(name, 8, &reader), QUOIT_INVALID);
        quoit_region_close(region);
        CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
    }
}

static unsigned mode_of(const char *name)
{
    struct stat file;
    char path[300];
    (void)snprintf(path, sizeof path, "%s%s", name[0] == 'f' ? "" : "/dev/shm/", path_of(name));
    CHECK(stat(path, &file) == 0);
    return file.st_mode & 07777;
}

/* Exact, whatever the umask. */
static void permissions(void)
{
    static const unsigned asked[] = {0, 0600, 0640, 0666};
    for (int i = 0; i < 4; i++) {
        struct quoit_region_options options = {.size_bytes = 100, .permissions = asked[i]};
        unsigned expected = asked[i] ? asked[i] : 0600;
        const char *posix = test_name("posix"), *file = test_name("file"),
                   *sysv = test_name("sysv");
        quoit_region *region;
        mode_t before = umask(077);
        CHECK_STATUS(quoit_region_create(posix, &options, &region), QUOIT_OK);
        quoit_region_close(region);
        CHECK_STATUS(quoit_region_create(file, &options, &region), QUOIT_OK);
        quoit_region_close(region);
        CHECK_STATUS(quoit_region_create(sysv, &options, &region), QUOIT_OK);
        quoit_region_close(region);
        (void)umask(before);
        CHECK_EQUAL(mode_of(posix), expected);
        CHECK_EQUAL(mode_of(file), expected);
        uint32_t key;
        struct shmid_ds segment;
        CHECK_STATUS(quoit_os_sysv_key(path_of(sysv), &key), QUOIT_OK);
        CHECK(shmctl(shmget((key_t)key, 0, 0), IPC_STAT, &segment) == 0);
        CHECK_EQUAL(segment.shm_perm.mode & 0777, expected);
        CHECK_STATUS(quoit_region_unlink(posix), QUOIT_OK);
        CHECK_STATUS(quoit_region_unlink(file), QUOIT_OK);
        CHECK_STATUS(quoit_region_unlink(sysv), QUOIT_OK);
    }
}

/* Neither opened, nor created over, nor removed; and the sentence says so. */
static void untouched(const char *name, quoit_status expected)
{
    quoit_region *region;
    CHECK_STATUS(quoit_region_open(name, 0, &region), expected);
    CHECK_STATUS(quoit_region_open(name, QUOIT_READ_ONLY, &region), expected);
    CHECK_STATUS(quoit_region_create(name, &small, &region), QUOIT_EXISTS);
    CHECK_STATUS(quoit_region_unlink(name), expected);
    CHECK_STATUS(quoit_queue_unlink(name), expected);
}

static void write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, count, file) == count && fclose(file) == 0);
}

static void foreign_objects(void)
{
    static const char text[5000] = "not a region";
    const char *name = test_name("file"), *path = path_of(name);
    struct stat before, after;

    write_file(path, text, 0);
    untouched(name, QUOIT_NOT_QUOIT);
    write_file(path, text, 100);
    untouched(name, QUOIT_NOT_QUOIT);
    write_file(path, text, sizeof text);
    CHECK(stat(path, &before) == 0);
    untouched(name, QUOIT_NOT_QUOIT);
    CHECK(stat(path, &after) == 0 && before.st_ino == after.st_ino &&
          before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && after.st_size == sizeof text);
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
    untouched(name, QUOIT_NOT_QUOIT);
    CHECK(rmdir(path) == 0 && mkfifo(path, 0600) == 0);
    untouched(name, QUOIT_NOT_QUOIT);
    CHECK(unlink(path) == 0 && symlink("/etc/passwd", path) == 0);
    untouched(name, QUOIT_NOT_QUOIT);
    CHECK(unlink(path) == 0 && symlink("/no/such/file", path) == 0);
    untouched(name, QUOIT_NOT_QUOIT);
    CHECK(unlink(path) == 0);
    untouched("file:/dev/null", QUOIT_NOT_QUOIT);
    untouched("file:/etc", QUOIT_NOT_QUOIT);
}

static void foreign_segment(void)
{
    const char *name = test_name("sysv");
    uint32_t key;
    CHECK_STATUS(quoit_os_sysv_key(path_of(name), &key), QUOIT_OK);
    int id = shmget((key_t)key, 5000, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    untouched(name, QUOIT_NOT_QUOIT);
    CHECK_EQUAL(shmget((key_t)key, 0, 0), id);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    char lock[QUOIT_OS_SYSV_LOCK_ROOM];
    quoit_os_sysv_lock_path(key, lock);
    CHECK(access(lock, F_OK) != 0);
}

/* A key named outright is one key in every spelling, and another name on it is told apart. */
static void keys(void)
{
    uint32_t key;
    quoit_region *region, *same;
    const char *derived = test_name("sysv");
    char outright[32], spelled[32];
    CHECK_STATUS(quoit_os_sysv_key(path_of(derived), &key), QUOIT_OK);
    (void)snprintf(outright, sizeof outright, "sysv:0x%x", key);
    (void)snprintf(spelled, sizeof spelled, "sysv:0x%08X", key);

    CHECK_STATUS(quoit_region_create(outright, &small, &region), QUOIT_OK);
    CHECK_STATUS(quoit_region_open(spelled, 0, &same), QUOIT_OK);
    quoit_region_close(same);
    CHECK_STATUS(quoit_region_open(derived, 0, &same), QUOIT_COLLISION);
    CHECK(strstr(quoit_error_text(), outright));
    CHECK_STATUS(quoit_region_unlink(derived), QUOIT_COLLISION);
    CHECK_STATUS(quoit_region_create(derived, &small, &same), QUOIT_EXISTS);
    CHECK_EQUAL(shmget((key_t)key, 0, 0) >= 0, 1);
    quoit_region_close(region);
    CHECK_STATUS(quoit_region_unlink(spelled), QUOIT_OK);
}

/* Without its lock file a System V region can be read and removed; who is alive in it cannot be
   known. */
static void lock_file_removed(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 4};
    const char *name = test_name("sysv");
    quoit_queue *queue;
    uint32_t key;
    char lock[QUOIT_OS_SYSV_LOCK_ROOM];
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_os_sysv_key(path_of(name), &key), QUOIT_OK);
    quoit_os_sysv_lock_path(key, lock);
    CHECK(unlink(lock) == 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_PRODUCER, &queue), QUOIT_CORRUPT);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_EXISTS);
    CHECK(access(lock, F_OK) != 0);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_OK);
    CHECK_EQUAL(quoit_queue_capacity(queue), 4);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_CORRUPT);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_unlink(name), QUOIT_OK);
}

static void write_lock_file(const char *name, uint64_t state, int64_t shmid, uint64_t creator)
{
    const struct {
        uint64_t state;
        int64_t shmid;
        uint64_t creator;
    } record = {state, shmid, creator};
    uint32_t key;
    char lock[QUOIT_OS_SYSV_LOCK_ROOM];
    CHECK_STATUS(quoit_os_sysv_key(path_of(name), &key), QUOIT_OK);
    quoit_os_sysv_lock_path(key, lock);
    write_file(lock, &record, sizeof record);
    CHECK(chmod(lock, 0600) == 0);
}

/* What a creator left that was killed: cleared up if it is that one's, else untouched. */
static void creator_killed(void)
{
    const char *name = test_name("sysv");
    uint32_t key;
    quoit_region *region;
    CHECK_STATUS(quoit_os_sysv_key(path_of(name), &key), QUOIT_OK);

    /* Between the note and shmget. */
    write_lock_file(name, 1, -1, test_own_pid());
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_NOT_FOUND);
    quoit_region_close(create(name));
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);

    /* Between shmget and the second note, and behind that one. */
    for (int noted = 0; noted < 2; noted++) {
        int id = shmget((key_t)key, 5000, IPC_CREAT | IPC_EXCL | 0600);
        write_lock_file(name, 1, noted ? id : -1, test_own_pid());
        CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_NOT_FOUND);
        quoit_region_close(create(name));
        CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
    }

    /* The same note, but another process's segment. */
    int id = shmget((key_t)key, 5000, IPC_CREAT | IPC_EXCL | 0600);
    write_lock_file(name, 1, -1, 1);
    CHECK_STATUS(quoit_region_create(name, &small, &region), QUOIT_EXISTS);
    CHECK_EQUAL(shmget((key_t)key, 0, 0), id);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

/* A segment that a person removed, from under a member too: its lock file is no obstacle. */
static void segment_removed(void)
{
    const struct quoit_queue_options options = {
        .item_bytes = 8, .capacity = 4, .permissions = 0666};
    const char *name = test_name("sysv");
    quoit_queue *old, *new;
    uint32_t key;
    char lock[QUOIT_OS_SYSV_LOCK_ROOM];
    struct stat file;
    CHECK_STATUS(quoit_os_sysv_key(path_of(name), &key), QUOIT_OK);
    quoit_os_sysv_lock_path(key, lock);
    write_lock_file(name, 2, 12345, 1);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &old), QUOIT_OK);
    CHECK(stat(lock, &file) == 0 && (file.st_mode & 0777) == 0666);
    CHECK(shmctl(shmget((key_t)key, 0, 0), IPC_RMID, NULL) == 0);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &new), QUOIT_OK);
    CHECK_STATUS(quoit_queue_unlink_self(old), QUOIT_NOT_FOUND);
    quoit_queue_close(old);
    CHECK_STATUS(quoit_queue_unlink_self(new), QUOIT_OK);
    quoit_queue_close(new);
}

/* Each byte of the header, each bit of it: opened or refused, never anything worse, and never
   another size. */
static void flipped_header(void)
{
    const char *name = test_name("file");
    quoit_region *region = create(name);
    uint64_t size = quoit_region_size(region);
    quoit_region_close(region);
    int fd = open(path_of(name), O_RDWR);
    CHECK(fd >= 0);
    for (off_t at = 0; at < (off_t)sizeof(struct quoit_region_shm); at++)
        for (int bit = 0; bit < 8; bit++) {
            uint8_t byte, flipped;
            uint64_t offset;
            CHECK(pread(fd, &byte, 1, at) == 1);
            flipped = (uint8_t)(byte ^ 1 << bit);
            CHECK(pwrite(fd, &flipped, 1, at) == 1);
            quoit_status status = quoit_region_open(name, 0, &region);
            if (at < 256)
                CHECK(status == QUOIT_NOT_QUOIT || status == QUOIT_VERSION ||
                      status == QUOIT_CORRUPT);
            if (status == QUOIT_OK) {
                CHECK_EQUAL(quoit_region_size(region), size);
                if (quoit_region_allocate(region, 8, 8, &offset) == QUOIT_OK)
                    CHECK(offset + 8 <= size);
                (void)quoit_region_at(region, quoit_region_root(region), 1);
                quoit_region_close(region);
            }
            CHECK(pwrite(fd, &byte, 1, at) == 1);
        }
    CHECK(close(fd) == 0);
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
}

static void other_version(void)
{
    const char *name = test_name("file");
    quoit_region *region = create(name);
    quoit_region_close(region);
    int fd = open(path_of(name), O_RDWR);
    uint32_t version = 7;
    CHECK(pwrite(fd, &version, 4, offsetof(struct quoit_region_shm, format)) == 4);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_VERSION);
    CHECK(strstr(quoit_error_text(), "format 7") && strstr(quoit_error_text(), "reads 1"));
    version = 1;
    CHECK(pwrite(fd, &version, 4, offsetof(struct quoit_region_shm, format)) == 4);
    CHECK(close(fd) == 0);
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
}

static void truncated(void)
{
    const char *name = test_name("file");
    quoit_region *region = create(name);
    uint64_t size = quoit_region_size(region);
    quoit_region_close(region);
    CHECK(truncate(path_of(name), (off_t)size - 1) == 0);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_CORRUPT);
    CHECK(truncate(path_of(name), 100) == 0);
    CHECK_STATUS(quoit_region_open(name, 0, &region), QUOIT_NOT_QUOIT);
    CHECK(unlink(path_of(name)) == 0);

    /* What is damaged can still be removed. */
    quoit_region_close(create(name));
    CHECK(truncate(path_of(name), (off_t)size - 1) == 0);
    CHECK_STATUS(quoit_region_unlink(name), QUOIT_OK);
}

/* A queue is no plain region, and the other way round. */
static void other_content(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 4};
    const char *queue_name = test_name("posix"), *region_name = test_name("posix");
    quoit_queue *queue;
    quoit_region *region = create(region_name);
    quoit_region_close(region);
    CHECK_STATUS(quoit_queue_create(queue_name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_region_open(queue_name, 0, &region), QUOIT_MISMATCH);
    CHECK_STATUS(quoit_region_open(queue_name, QUOIT_READ_ONLY, &region), QUOIT_OK);
    quoit_region_close(region);
    CHECK_STATUS(quoit_region_unlink(queue_name), QUOIT_MISMATCH);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_open(region_name, QUOIT_PRODUCER, &queue), QUOIT_MISMATCH);
    CHECK_STATUS(quoit_queue_unlink(region_name), QUOIT_MISMATCH);
    CHECK_STATUS(quoit_queue_unlink(queue_name), QUOIT_OK);
    CHECK_STATUS(quoit_region_unlink(region_name), QUOIT_OK);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_scheme", every_scheme},
                                             {"pieces", pieces},
                                             {"asked_for_is_there", asked_for_is_there},
                                             {"read_only", read_only},
                                             {"permissions", permissions},
                                             {"foreign_objects", foreign_objects},
                                             {"foreign_segment", foreign_segment},
                                             {"keys", keys},
                                             {"lock_file_removed", lock_file_removed},
                                             {"creator_killed", creator_killed},
                                             {"segment_removed", segment_removed},
                                             {"flipped_header", flipped_header},
                                             {"other_version", other_version},
                                             {"truncated", truncated},
                                             {"other_content", other_content},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
