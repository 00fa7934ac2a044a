/* SPDX-License-Identifier: MIT */
/* The shared library, with each function found by its name as a binding finds it, and objects for
   calls. */
#ifndef EXPORTS_FIXTURE_H
#define EXPORTS_FIXTURE_H

#include "exports.h"
#include "test.h"

#include <quoit/lock.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* The library's functions. */
static struct {
#define POINTER(result, name, parameters) result (*name) parameters;
    QUEUE_EXPORTS(POINTER)
    OTHER_EXPORTS(POINTER)
#undef POINTER
} library;
enum { VALID = 1, NULLS = 2, GARBAGE = 4 };
static struct export {
    const char *name, *parameters;
    void *slot; /* in library */
    unsigned called; /* VALID, ... */
} exports[] = {
#define ENTRY(result, name, parameters) \
    {"quoit_" #name, #parameters, &library.name, 0},
    QUEUE_EXPORTS(ENTRY)
    OTHER_EXPORTS(ENTRY)
#undef ENTRY
};
/* clang-format on */
enum { EXPORTS = sizeof exports / sizeof *exports };

static struct export *find(const char *name)
{
    for (size_t i = 0; i < EXPORTS; i++)
        if (strcmp(exports[i].name, name) == 0)
            return &exports[i];
    return NULL;
}

static void note(const char *name, unsigned how)
{
    struct export *found = find(name);
    CHECK(found != NULL);
    found->called |= how;
}
#define DO(how, name) (note("quoit_" #name, how), library.name)

/* clang-format off */
static void load(void)
{
    /* This program's own functions first: a type that differs from the header's does not
       compile. */
#define SAME_TYPE(result, name, parameters) library.name = quoit_##name;
    QUEUE_EXPORTS(SAME_TYPE)
    OTHER_EXPORTS(SAME_TYPE)
#undef SAME_TYPE
    void *handle = dlopen(QUOIT_TEST_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        test_fail(__FILE__, __LINE__, "%s", dlerror());
    for (size_t i = 0; TEST_LOOP_TEXT(i < EXPORTS, 0, exports[i].name); i++) {
        void *function = dlsym(handle, exports[i].name);
        CHECK(function != NULL);
        memcpy(exports[i].slot, &function, sizeof function);
    }
}

/* clang-format on */

#define GOOD(name, arguments) CHECK_STATUS_IS(DO(VALID, name) arguments, ==, QUOIT_OK)

/* ---- Objects for calls ----------------------------------------------------------------------- */

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, CAPACITY = 4 };
static const struct quoit_queue_options queue_options = {
    .capacity = CAPACITY, .item_bytes = 8, .user_bytes = 8};
static const struct quoit_pool_options pool_options = {.block_bytes = 8, .blocks = 2};
static const struct quoit_region_options region_options = {.size_bytes = 256};
static const struct quoit_sem_options sem_options = {.value = 1};

struct objects {
    const char *queue_name, *pool_name, *region_name, *sem_name;
    quoit_queue *queue;
    quoit_pool *pool;
    quoit_region *region;
    quoit_sem *sem;
};

static struct objects make(void)
{
    load();
    struct objects made = {test_name(""), test_name(""), test_name(""), test_name("sysv"),
                           NULL,          NULL,          NULL,          NULL};
    GOOD(queue_create, (made.queue_name, &queue_options, BOTH, &made.queue));
    GOOD(pool_create, (made.pool_name, &pool_options, 0, &made.pool));
    GOOD(region_create, (made.region_name, &region_options, 0, &made.region));
    GOOD(sem_create, (made.sem_name, &sem_options, 0, &made.sem));
    return made;
}

static void destroy(const struct objects *made)
{
    DO(VALID, queue_close)(made->queue);
    DO(VALID, pool_close)(made->pool);
    DO(VALID, region_close)(made->region);
    DO(VALID, sem_close)(made->sem);
    GOOD(unlink, (made->queue_name, 0));
    GOOD(unlink, (made->pool_name, 0));
    GOOD(unlink, (made->region_name, 0));
    GOOD(sem_unlink, (made->sem_name, 0));
}

#endif
