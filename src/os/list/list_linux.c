/* SPDX-License-Identifier: MIT */
/* Lists objects on Linux. POSIX objects are files in /dev/shm. The kernel lists System V segments.
   Files are those in a directory, or those that processes have mapped. */
#include "list_directory.h"

#include "once.h"
#include "process_posix.h"
#include "region_shm.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>

enum { LINE_ROOM = 8192 };

/* ---- System V -------------------------------------------------------------------------------- */

/* An object's header holds its name (FORMAT.md 2); other segments may hold any bytes there. A
   segment without memory holds no name, and reading it would take memory. */
static bool visit_segment(int id, bool has_memory, quoit_os_visit *visit, void *context)
{
    struct shmid_ds segment;
    char name[QUOIT_REGION_NAME_ROOM + 1] = {0};
    if (shmctl(id, IPC_STAT, &segment) != 0 ||
        segment.shm_segsz < sizeof(struct quoit_region_shm) || !has_memory)
        return true;
    const struct quoit_region_shm *header = shmat(id, NULL, SHM_RDONLY);
    if ((intptr_t)header == -1)
        return true;
    quoit_copy_once(name, header->name, QUOIT_REGION_NAME_ROOM);
    (void)shmdt(header);
    return name[0] ? visit(context, name) : true;
}

static quoit_status list_segments(quoit_os_visit *visit, void *context)
{
    char line[LINE_ROOM];
    FILE *file = fopen("/proc/sysvipc/shm", "re");
    if (!file)
        return quoit_os_list_unsupported("sysv");
    bool more = fgets(line, sizeof line, file) != NULL; /* its heading */
    while (more && fgets(line, sizeof line, file)) {
        int id;
        unsigned long long resident = 0, swapped = 0;
        /* key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap */
        if (sscanf(line, "%*d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &id,
                   &resident, &swapped) == 3)
            more = visit_segment(id, resident + swapped > 0, visit, context);
    }
    (void)fclose(file);
    return QUOIT_OK;
}

/* ---- Files that processes have mapped -------------------------------------------------------- */

/* Returns the path in a line of /proc/PID/maps if the line is a shared mapping of a file outside
   /dev, else NULL. deleted_out: the kernel marks the path as deleted. */
static char *path_in(char *line, bool *deleted_out)
{
    static const char deleted[] = " (deleted)";
    char *permissions = strchr(line, ' '), *path = strchr(line, '/'), *end = strchr(line, '\n');
    if (!permissions || !path || !end || permissions[4] != 's' || strncmp(path, "/dev/", 5) == 0 ||
        strncmp(path, "/SYSV", 5) == 0)
        return NULL;
    *end = '\0';
    *deleted_out = end - path >= (int)sizeof deleted &&
                   strcmp(end - (sizeof deleted - 1), deleted) == 0;
    return path;
}

struct search {
    unsigned long long inode;
    bool ended;
    quoit_os_visit *visit;
    void *context;
};

static bool visit_inode(void *context, const char *path)
{
    struct search *search = context;
    struct stat file;
    if (lstat(path, &file) == 0 && file.st_ino == search->inode)
        search->ended = !search->visit(search->context, path);
    return !search->ended;
}

/* A file that was made without a name shows as "/directory/#5 (deleted)" in its creator's maps,
   even after it got a name. So this searches the directory for the file's inode. */
static bool visit_nameless(char *path, const char *line, quoit_os_visit *visit, void *context)
{
    char *last = strrchr(path, '/');
    struct search search = {.visit = visit, .context = context};
    if (last[1] != '#' || sscanf(line, "%*s %*s %*s %*s %llu", &search.inode) != 1)
        return true;
    last[last == path] = '\0';
    (void)quoit_os_list_directory(path, true, visit_inode, &search);
    return !search.ended;
}

static bool list_maps(const char *pid, quoit_os_visit *visit, void *context)
{
    char name[64], line[LINE_ROOM];
    (void)snprintf(name, sizeof name, "/proc/%.20s/maps", pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return true; /* another user's process, or it has exited */
    bool more = true;
    while (more && fgets(line, sizeof line, file)) {
        bool deleted;
        char *path = path_in(line, &deleted);
        if (path)
            more = deleted ? visit_nameless(path, line, visit, context) : visit(context, path);
    }
    (void)fclose(file);
    return more;
}

struct mapped {
    quoit_os_visit *visit;
    void *context;
};

static bool visit_process(void *context, const char *name)
{
    const struct mapped *mapped = context;
    return !isdigit((unsigned char)name[0]) || list_maps(name, mapped->visit, mapped->context);
}

/* ---- All ------------------------------------------------------------------------------------- */

static quoit_status list(const char *scheme, const char *directory, quoit_os_visit *visit,
                         void *context)
{
    struct mapped mapped = {.visit = visit, .context = context};
    if (strcmp(scheme, "posix") == 0)
        return quoit_os_list_directory("/dev/shm", false, visit, context);
    if (strcmp(scheme, "sysv") == 0)
        return list_segments(visit, context);
    if (strcmp(scheme, "file") == 0 && directory)
        return quoit_os_list_directory(directory, true, visit, context);
    if (strcmp(scheme, "file") == 0)
        return quoit_os_list_directory("/proc", false, visit_process, &mapped);
    return quoit_os_list_unsupported(scheme);
}

quoit_status quoit_os_list(const char *scheme, const char *directory, quoit_os_visit *visit,
                           void *context)
{
    int cancel_state = quoit_os_cancel_disable(); /* a cancelled thread would leave files open */
    quoit_status status = list(scheme, directory, visit, context);
    quoit_os_cancel_restore(cancel_state);
    return status;
}
