/* SPDX-License-Identifier: MIT */
/* Lists objects. The system lists names that may be objects, and each of them is checked. */
#include <quoit.h>
#include <quoit/inspect.h>

#include "region_handle.h"

#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listing {
    quoit_visit *visit;
    void *context;
    const char *scheme;
    char **seen; /* files are found once for each process that has them mapped */
    uint64_t count, room;
    quoit_status status;
    bool ended;
};

static bool was_seen(const struct listing *listing, const char *name)
{
    for (uint64_t i = 0; i < listing->count; i++)
        if (strcmp(listing->seen[i], name) == 0)
            return true;
    return false;
}

/* false: out of memory. */
static bool note_seen(struct listing *listing, const char *name)
{
    size_t bytes = strlen(name) + 1;
    if (listing->count == listing->room) {
        uint64_t room = listing->room ? 2 * listing->room : 64;
        char **seen = realloc(listing->seen, (size_t)room * sizeof *seen);
        if (!seen)
            return false;
        listing->seen = seen;
        listing->room = room;
    }
    char *copy = malloc(bytes);
    if (!copy)
        return false;
    memcpy(copy, name, bytes);
    listing->seen[listing->count++] = copy;
    return true;
}

/* Is it a Quoit object, of any kind, even a damaged one? */
static bool is_object(const char *name)
{
    quoit_os_fork_hold();
    bool found = quoit_region_is_there(name);
    quoit_os_fork_release();
    return found;
}

static bool visit_text(void *context, const char *text)
{
    struct listing *listing = context;
    char name[QUOIT_NAME_ROOM + 16];
    int bytes = snprintf(name, sizeof name, "%s:%s", listing->scheme, text);
    if (bytes < 0 || (size_t)bytes >= sizeof name || was_seen(listing, name) || !is_object(name))
        return true;
    if (!note_seen(listing, name)) {
        listing->status = quoit_fail(QUOIT_ERROR_NO_MEMORY,
                                     "out of memory: cannot allocate a list of objects");
        return false;
    }
    listing->ended = !listing->visit(listing->context, name);
    return !listing->ended;
}

static quoit_status list_scheme(struct listing *listing, const char *scheme, const char *directory)
{
    listing->scheme = scheme;
    listing->status = QUOIT_OK;
    quoit_status status = quoit_os_list(scheme, directory, visit_text, listing);
    return status == QUOIT_OK ? listing->status : status;
}

static quoit_status list_all(struct listing *listing)
{
    for (int i = 0; quoit_os_shm_schemes[i] && !listing->ended; i++) {
        quoit_status status = list_scheme(listing, quoit_os_shm_schemes[i]->scheme.name, NULL);
        /* If a scheme's directory is missing, such as /dev/shm, go on with the other schemes. */
        if (status != QUOIT_OK && status != QUOIT_ERROR_UNSUPPORTED &&
            status != QUOIT_ERROR_NOT_FOUND)
            return status;
    }
    return QUOIT_OK;
}

/* where: "sysv", "file" or "file:/var/tmp", for example. */
static quoit_status list_where(struct listing *listing, const char *where)
{
    const char *colon = strchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : strlen(where);
    for (int i = 0; quoit_os_shm_schemes[i]; i++) {
        const struct quoit_os_scheme *scheme = &quoit_os_shm_schemes[i]->scheme;
        if (strlen(scheme->name) != length || strncmp(scheme->name, where, length) != 0)
            continue;
        if (colon && !(scheme->is_path && colon[1]))
            break;
        return list_scheme(listing, scheme->name, colon ? colon + 1 : NULL);
    }
    return quoit_fail(
        QUOIT_ERROR_NAME,
        "cannot list '%.80s'; pass NULL, a scheme such as \"sysv\", or \"file:\" with a directory",
        where);
}

quoit_status quoit_list(const char *where, quoit_visit *visit, void *context)
{
    if (!visit)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "visit is NULL; pass the function to call for each name");
    struct listing listing = {.visit = visit, .context = context};
    quoit_status status = where ? list_where(&listing, where) : list_all(&listing);
    for (uint64_t i = 0; i < listing.count; i++)
        free(listing.seen[i]);
    free(listing.seen);
    return status;
}
