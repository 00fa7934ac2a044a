/* SPDX-License-Identifier: MIT */
/* Files and POSIX shared memory as the system shows them: permissions, and other kinds of files
   under a path. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

/* The object as the system shows it, in any place where it keeps POSIX shared memory. */
static unsigned mode_of(const char *name)
{
    struct stat file;
    char path[300];
    (void)snprintf(path, sizeof path, "/%s", test_path(name));
    int fd = name[0] == 'f' ? open(test_path(name), O_RDONLY) : shm_open(path, O_RDONLY, 0);
    CHECK_GE(fd, 0);
    CHECK_EQ(fstat(fd, &file), 0);
    CHECK_EQ(close(fd), 0);
    return file.st_mode & 07777;
}

/* The permissions are exact for any umask. */
static void permissions(void)
{
    static const unsigned asked[] = {0, 0600, 0640, 0666};
    for (int i = 0; i < 8; i++) {
        struct quoit_region_options options = {.size_bytes = 100, .permissions = asked[i % 4]};
        const char *name = test_name(i < 4 ? "posix" : "file");
        quoit_region *region;
        mode_t before = umask(077);
        CHECK_STATUS(quoit_region_create(name, &options, 0, &region), QUOIT_OK);
        quoit_region_close(region);
        (void)umask(before);
        CHECK_EQUAL(mode_of(name), asked[i % 4] ? asked[i % 4] : 0600);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    }
}

static void foreign_objects(void)
{
    static const char text[5000] = "not a region";
    const char *name = test_name("file"), *path = test_path(name);
    struct stat before, after;

    test_write_file(path, text, 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    test_write_file(path, text, 100);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    test_write_file(path, text, sizeof text);
    CHECK_EQ(utime(path, &(struct utimbuf){.modtime = 1}), 0);
    CHECK_EQ(stat(path, &before), 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(stat(path, &after), 0);
    CHECK_EQ(before.st_ino, after.st_ino);
    CHECK_EQ(after.st_mtime, 1);
    CHECK_EQ(after.st_size, sizeof text);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(mkdir(path, 0700), 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(rmdir(path), 0);
    CHECK_EQ(mkfifo(path, 0600), 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(symlink("/etc/passwd", path), 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(symlink("/no/such/file", path), 0);
    test_untouched(name, QUOIT_ERROR_NOT_QUOIT);
    CHECK_EQ(unlink(path), 0);
    test_untouched("file:/dev/null", QUOIT_ERROR_NOT_QUOIT);
    test_untouched("file:/etc", QUOIT_ERROR_NOT_QUOIT);
}

/* The next creation in the same directory removes a temporary file that a crashed creator left. If
   files are created without a name, there is none to remove. */
static void left_by_crashed_members(void)
{
    const struct quoit_region_options small = {.size_bytes = 10000};
    char directory[64], left[80], name[80];
    quoit_region *region;
    (void)snprintf(directory, sizeof directory, "%s", test_path(test_name("file")));
    (void)snprintf(left, sizeof left, "%s/.quoit-a1B2c3", directory);
    (void)snprintf(name, sizeof name, "file:%s/region", directory);
    CHECK_EQ(mkdir(directory, 0700), 0);
    test_write_file(left, "dead", 4);
    CHECK_STATUS(quoit_region_create(test_remember(name), &small, 0, &region), QUOIT_OK);
    CHECK_EQUAL(access(left, F_OK) != 0, test_plain_posix);
    quoit_region_close(region);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK(test_plain_posix || unlink(left) == 0);
    CHECK_EQ(rmdir(directory), 0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"permissions", permissions},
                                             {"foreign_objects", foreign_objects},
                                             {"left_by_crashed_members", left_by_crashed_members},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
