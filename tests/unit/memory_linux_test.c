/* SPDX-License-Identifier: MIT */
/* Out of memory at each allocation in turn: returns a clear status, leaks nothing, leaves no
   object. The linker redirects the library's allocations to this file. */
#include "test.h"

#include <stdlib.h>

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);

static long until_failure = -1; /* number of allocations that succeed; -1: all */
static bool failed;

static bool fails(void)
{
    if (until_failure < 0 || until_failure-- > 0)
        return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

/* Calls try(name) so that the first, the second, and each further allocation fails, until none
   does. */
static void fail_each(const char *scheme, quoit_status (*try)(const char *name))
{
    const char *name = test_name(scheme);
    for (long i = 0;; i++) {
        until_failure = i;
        failed = false;
        quoit_status status = try(name);
        until_failure = -1;
        if (!failed) {
            CHECK_STATUS(status, QUOIT_OK);
            printf("  %s: %ld allocations\n", scheme, i);
            return;
        }
        CHECK_STATUS(status, QUOIT_ERROR_NO_MEMORY);
        CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_FOUND);
    }
}

static const struct quoit_queue_options options = {
    .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 5};

static quoit_status use(const char *name)
{
    quoit_queue *queue = NULL, *second = NULL;
    int fd = -1;
    quoit_status status = quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER,
                                             &queue);
    if (status != QUOIT_OK)
        return status;
    status = quoit_queue_join(name, &options, QUOIT_PRODUCER, &second);
    if (status == QUOIT_OK)
        status = quoit_queue_poll_fd(queue, QUOIT_ITEMS, &fd);
    quoit_queue_close(second);
    quoit_queue_close(queue);
    until_failure = -1;
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    return status;
}

static void queues(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++)
        fail_each(test_schemes[i], use);
}

static const struct quoit_pool_options pool_options = {.block_bytes = 8, .blocks = 5};

static quoit_status use_pool(const char *name)
{
    quoit_pool *pool = NULL, *second = NULL;
    quoit_status status = quoit_pool_create(name, &pool_options, 0, &pool);
    if (status != QUOIT_OK)
        return status;
    status = quoit_pool_join(name, &pool_options, 0, &second);
    quoit_block block;
    if (status == QUOIT_OK)
        status = quoit_pool_alloc(second, &block);
    quoit_pool_close(second);
    quoit_pool_close(pool);
    until_failure = -1;
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    return status;
}

static void pools(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_schemes[i], 0, test_schemes[i]); i++)
        fail_each(test_schemes[i], use_pool);
}

static quoit_status use_semaphore(const char *name)
{
    const struct quoit_sem_options sem_options = {.value = 1};
    quoit_sem *sem = NULL;
    quoit_status status = quoit_sem_create(name, &sem_options, 0, &sem);
    if (status != QUOIT_OK)
        return status;
    quoit_sem_close(sem);
    return quoit_sem_unlink(name, 0);
}

static void semaphores(void)
{
    for (int i = 0; TEST_LOOP_TEXT(test_sem_schemes[i], 0, test_sem_schemes[i]); i++)
        fail_each(test_sem_schemes[i], use_semaphore);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"queues", queues}, {"pools", pools}, {"semaphores", semaphores}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
