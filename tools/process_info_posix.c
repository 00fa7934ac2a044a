/* SPDX-License-Identifier: MIT */
/* On a system without a /proc like that of Linux, names are empty and no mapping is found. */
#include "process_info.h"

#include <quoit.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void process_name(uint32_t pid, char name_out[PROCESS_NAME_ROOM])
{
    char path[40];
    name_out[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%" PRIu32 "/comm", pid);
    FILE *file = pid != 0 ? fopen(path, "re") : NULL;
    if (!file)
        return;
    size_t length = fread(name_out, 1, PROCESS_NAME_ROOM - 1, file);
    (void)fclose(file);
    if (length > 0 && name_out[length - 1] == '\n') /* the kernel's; a name may contain others */
        length--;
    name_out[length] = '\0';
}

bool process_is_stopped(uint32_t pid)
{
    char path[40], text[400];
    (void)snprintf(path, sizeof path, "/proc/%" PRIu32 "/stat", pid);
    FILE *file = pid != 0 ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    const char *name_end = strrchr(text, ')'); /* a name may contain one, too */
    return name_end && name_end[1] == ' ' && (name_end[2] == 'T' || name_end[2] == 't');
}

size_t process_count_unreadable(void)
{
    char path[PATH_MAX];
    size_t count = 0;
    const struct dirent *entry;
    DIR *files = opendir("/dev/shm");
    while (files && (entry = readdir(files))) {
        (void)snprintf(path, sizeof path, "/dev/shm/%s", entry->d_name);
        count += entry->d_name[0] != '.' && access(path, R_OK) != 0 && errno == EACCES;
    }
    if (files)
        (void)closedir(files);
    return count;
}

enum { PATH_ROOM = QUOIT_PATH_MAX + 40, LINE_ROOM = PATH_ROOM + 200 };

static bool exists(const char *path)
{
    FILE *file = fopen(path, "re");
    return file && fclose(file) == 0;
}

/* Writes a file's path without symbolic links. false: its directory does not exist. */
static bool resolve(const char *text, char path_out[PATH_ROOM])
{
    const char *slash = strrchr(text, '/');
    char directory[PATH_ROOM];
    (void)snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - text) + 1 : 1,
                   slash ? text : ".");
    char *whole = realpath(directory, NULL);
    if (whole)
        (void)snprintf(path_out, PATH_ROOM, "%s%s%s", whole, whole[1] != '\0' ? "/" : "",
                       slash ? slash + 1 : text);
    free(whole);
    return whole != NULL;
}

/* Writes the path that /proc/PID/maps shows for a file whose name was unlinked. false: it shows
   none for this scheme, or another file has that path. */
static bool unlinked_path(const char *name, char path_out[PATH_ROOM])
{
    const char *colon = strchr(name, ':');
    const char *text = colon ? colon + 1 : name;
    if (!colon || strncmp(name, "posix:", 6) == 0)
        (void)snprintf(path_out, PATH_ROOM, "/dev/shm/%s", text);
    else if (strncmp(name, "file:", 5) != 0 || !resolve(text, path_out))
        return false;
    size_t length = strlen(path_out);
    (void)snprintf(path_out + length, PATH_ROOM - length, " (deleted)");
    return !exists(path_out);
}

/* Does that process have a mapping of that path, or of that file? `file` is a device and an inode.
   If it is "" and the path is found, they are filled in. */
static bool has_mapped(const char *pid, const char *path, char file[60])
{
    char name[300], line[LINE_ROOM];
    bool found = false;
    (void)snprintf(name, sizeof name, "/proc/%s/maps", pid);
    FILE *maps = fopen(name, "re");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        char device[20], inode[25], of_line[60]; /* address, rights, offset, device, inode, path */
        int at = 0;
        if (sscanf(line, "%*s %*s %*s %19s %24s %n", device, inode, &at) != 2 || at == 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(of_line, sizeof of_line, "%s %s", device, inode);
        found = strcmp(line + at, path) == 0 || strcmp(of_line, file) == 0;
        if (found && file[0] == '\0')
            (void)snprintf(file, sizeof of_line, "%s", of_line);
    }
    if (maps)
        (void)fclose(maps);
    return found;
}

size_t process_find_unlinked(const char *name, uint32_t *pids_out, size_t most)
{
    char path[PATH_ROOM], file[60] = "";
    size_t count = 0;
    const struct dirent *entry;
    DIR *processes = unlinked_path(name, path) ? opendir("/proc") : NULL;
    while (processes && file[0] == '\0' && (entry = readdir(processes)))
        (void)has_mapped(entry->d_name, path, file);
    if (processes)
        rewinddir(processes); /* the creator's mapping shows the file, but not its name */
    while (processes && file[0] != '\0' && count < most && (entry = readdir(processes))) {
        unsigned long pid = strtoul(entry->d_name, NULL, 10);
        if (pid > 0 && has_mapped(entry->d_name, path, file))
            pids_out[count++] = (uint32_t)pid;
    }
    if (processes)
        (void)closedir(processes);
    return count;
}
