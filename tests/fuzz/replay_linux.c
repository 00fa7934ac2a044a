/* SPDX-License-Identifier: MIT */
/* The main function of a fuzzer's program if there is no fuzzer: runs one file, or each file of
   a directory, once. Prints each file name before its run, so the last name is the one that
   failed. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay(const char *program, const char *path)
{
    static uint8_t data[1 << 16];
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t size = fread(data, 1, sizeof data, file);
    (void)fclose(file);
    (void)printf("again: %s %s\n", program, path);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(data, size);
    return true;
}

int main(int argc, char **argv)
{
    DIR *directory = argc > 1 ? opendir(argv[1]) : NULL;
    int count = 0;
    if (!directory && argc > 1)
        count = replay(argv[0], argv[1]);
    for (const struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        count += replay(argv[0], path);
    }
    if (directory)
        (void)closedir(directory);
    (void)printf("%d inputs\n", count);
    if (count == 0)
        (void)fprintf(stderr, "usage: %s DIRECTORY | FILE\n", argv[0]);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
