/* SPDX-License-Identifier: MIT */
/*
 * Opens a queue, or a pool and the queue that its blocks go through, in regions whose bytes may all
 * be changed by a hostile process, before and during their use. Each call returns soon, with an
 * error or with garbage, and touches nothing outside the mapping. The input determines the objects,
 * the changes, the calls, and their order.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t sizes[] = {1, 8, 24, 300, 12, 16, 257, 301};
static const uint64_t capacities[] = {1, 5, 8, 13};
enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

/* The kinds of queue. */
static const struct quoit_queue_options shapes[] = {
    {.kind = QUOIT_SPSC},
    {.kind = QUOIT_SPSC}, /* spans */
    {.kind = QUOIT_MPMC},
    {.kind = QUOIT_BROADCAST},
    {.kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST},
    {.kind = QUOIT_SPSC, .messages = 1},
    {.kind = QUOIT_MPMC, .messages = 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], SPANS = 1 };
enum { POOLS = 32 * SHAPES }; /* a first byte from here on is a pool's shape */
static const uint64_t block_counts[] = {1, 5, 64, 70};

static void name_objects(struct fuzz *fuzz)
{
    (void)snprintf(fuzz->name, sizeof fuzz->name, "posix:fuzz-%d", (int)getpid());
    (void)snprintf(fuzz->pool_name, sizeof fuzz->pool_name, "posix:fuzz-pool-%d", (int)getpid());
}

void fuzz_fail(const char *file, int line, const char *condition)
{
    struct fuzz fuzz;
    name_objects(&fuzz);
    (void)fprintf(stderr, "%s:%d: %s is false\n", file, line, condition);
    (void)shm_unlink(fuzz.name + strlen("posix:"));
    (void)shm_unlink(fuzz.pool_name + strlen("posix:"));
    abort();
}

/* ---- The honest process ---------------------------------------------------------------------- */

static void leave(struct fuzz *fuzz)
{
    if (fuzz->queue)
        unfence_queue(fuzz->queue);
    quoit_queue_close(fuzz->queue);
    fuzz->queue = NULL;
}

static void enter(struct fuzz *fuzz, unsigned roles)
{
    struct quoit_queue_info info;
    leave(fuzz);
    fuzz->item_bytes = UINT32_MAX;
    if (quoit_queue_open(fuzz->name, roles, &fuzz->queue) != QUOIT_OK)
        fuzz->queue = NULL;
    else if (quoit_queue_inspect(fuzz->queue, &info) == QUOIT_OK)
        fuzz->item_bytes = (uint32_t)info.item_bytes;
    if (fuzz->queue)
        fence_queue(fuzz->queue);
}

static void ask(const quoit_queue *queue)
{
    struct quoit_queue_info info;
    (void)quoit_queue_size(queue);
    (void)quoit_queue_missed(queue);
    (void)quoit_queue_capacity(queue);
    (void)quoit_queue_item_bytes(queue);
    (void)quoit_queue_inspect(queue, &info);
    (void)quoit_queue_check(queue);
}

/* ---- With a pool ----------------------------------------------------------------------------- */

static void leave_pool(struct fuzz *fuzz)
{
    if (fuzz->pool)
        unfence_pool(fuzz->pool);
    quoit_pool_close(fuzz->pool);
    fuzz->pool = NULL;
}

static void enter_pool(struct fuzz *fuzz, unsigned flags)
{
    leave_pool(fuzz);
    if (quoit_pool_open(fuzz->pool_name, flags, &fuzz->pool) != QUOIT_OK)
        fuzz->pool = NULL;
    else
        fence_pool(fuzz->pool);
}

/* Checks that the whole block is inside the mapping, whatever its id, and touches it. An observer
   only reads it. */
static void touch_block(const quoit_pool *pool, quoit_block block, unsigned what)
{
    static uint8_t seen;
    uint64_t bytes = quoit_pool_block_bytes(pool);
    uint8_t *at = quoit_pool_at(pool, block);
    if (!at)
        return;
    uintptr_t start = (uintptr_t)pool->region->shm.base, place = (uintptr_t)at;
    uint64_t mapped = pool->region->shm.size_bytes;
    FUZZ_CHECK(place >= start && place - start <= mapped && mapped - (place - start) >= bytes);
    if (pool->region->shm.read_only)
        seen = (uint8_t)(seen + at[0] + at[bytes - 1]);
    else
        memset(at, (int)what, (size_t)bytes);
}

static void ask_pool(const quoit_pool *pool)
{
    struct quoit_member_info members[2];
    uint64_t count;
    (void)quoit_pool_blocks(pool);
    (void)quoit_pool_free_count(pool);
    (void)quoit_pool_check(pool);
    (void)quoit_pool_members(pool, members, 2, &count);
}

static void use_pool(struct fuzz *fuzz, unsigned what)
{
    quoit_pool *pool = fuzz->pool;
    quoit_queue *queue = fuzz->queue;
    quoit_block *block = &fuzz->blocks[what / 16 % MANY];
    switch (what % 10) {
    case 0:
        (void)quoit_pool_alloc(pool, block);
        break;
    case 1:
        (void)quoit_pool_free(pool, *block);
        break;
    case 2:
        (void)quoit_pool_push(pool, queue, *block, QUOIT_NOW);
        break;
    case 3:
        (void)quoit_pool_pop(pool, queue, block, QUOIT_NOW);
        break;
    case 4:
        (void)quoit_pool_push(pool, queue, *block, wait_ns(what));
        break;
    case 5:
        (void)quoit_pool_pop(pool, queue, block, wait_ns(what));
        break;
    case 6:
        (void)quoit_pool_reclaim(pool, &queue, 1, NULL);
        break;
    case 7:
        ask_pool(pool);
        break;
    case 8: /* any block id */
        *block = take(&fuzz->input, 8);
        break;
    default:
        touch_block(pool, *block, what);
    }
}

static void change_the_other(struct fuzz *fuzz)
{
    struct image image = fuzz->image;
    fuzz->image = fuzz->other;
    fuzz->other = image;
}

/* Makes a change if the step is one of the first three kinds; otherwise returns false. */
static bool change(struct fuzz *fuzz, unsigned what)
{
    static void (*const ways[])(struct fuzz *) = {change_byte, change_word, add_to_word};
    if (what % 8 >= sizeof ways / sizeof ways[0])
        return false;
    ways[what % 8](fuzz);
    return true;
}

static void mend_sometimes(struct fuzz *fuzz, unsigned what)
{
    if (what / 8 % 2)
        mend_checksums(fuzz);
}

static void step_pool(struct fuzz *fuzz)
{
    static const unsigned flags[] = {0, 0, 0, QUOIT_OBSERVER};
    unsigned what = (unsigned)take(&fuzz->input, 1);
    if (change(fuzz, what))
        return;
    switch (what % 8) {
    case 3:
        mend_sometimes(fuzz, what);
        enter_pool(fuzz, flags[what / 16 % 4]);
        break;
    case 4:
        mend_sometimes(fuzz, what);
        enter(fuzz, BOTH);
        break;
    case 5:
        if (what / 8 % 2 || !fuzz->queue)
            change_the_other(fuzz);
        else
            change_counter(fuzz);
        break;
    default:
        if (fuzz->pool && fuzz->queue)
            use_pool(fuzz, (unsigned)take(&fuzz->input, 1));
        if (fuzz->queue)
            check_sides(fuzz->queue);
    }
}

/* ---- Without a pool -------------------------------------------------------------------------- */

static void step(struct fuzz *fuzz)
{
    unsigned what = (unsigned)take(&fuzz->input, 1);
    static const unsigned roles[] = {BOTH, QUOIT_PRODUCER, QUOIT_CONSUMER | QUOIT_FROM_OLDEST,
                                     QUOIT_OBSERVER};
    if (change(fuzz, what))
        return;
    switch (what % 8) {
    case 3:
        mend_sometimes(fuzz, what);
        enter(fuzz, roles[what / 16 % 4]);
        break;
    case 4:
        if (fuzz->queue)
            ask(fuzz->queue);
        break;
    case 5:
        if (fuzz->queue)
            move_in_halves(fuzz, what / 8);
        break;
    case 6:
        if (fuzz->queue && fuzz->queue->handle->view.messages)
            move_messages(fuzz, (unsigned)take(&fuzz->input, 1));
        else if (fuzz->queue)
            move_more(fuzz, (unsigned)take(&fuzz->input, 1));
        break;
    default:
        if (fuzz->queue)
            move_items(fuzz, (unsigned)take(&fuzz->input, 1));
    }
    if (fuzz->queue)
        check_sides(fuzz->queue);
}

/* ---- The region ------------------------------------------------------------------------------ */

static struct image map_image(const char *name)
{
    struct image image;
    char path[80];
    struct stat info;
    (void)snprintf(path, sizeof path, "/dev/shm/%.63s", name + strlen("posix:"));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && fstat(fd, &info) == 0);
    image.count = (uint64_t)info.st_size;
    image.bytes = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FUZZ_CHECK(image.bytes != MAP_FAILED);
    (void)close(fd);
    return image;
}

static void remove_image(const char *name, const struct image *image)
{
    (void)munmap(image->bytes, (size_t)image->count);
    FUZZ_CHECK(shm_unlink(name + strlen("posix:")) == 0);
}

static void create_queue(struct fuzz *fuzz, const struct quoit_queue_options *options)
{
    (void)quoit_unlink(fuzz->name, 0);
    FUZZ_CHECK(quoit_queue_create(fuzz->name, options, BOTH, &fuzz->queue) == QUOIT_OK);
    fuzz->item_bytes = (uint32_t)options->item_bytes;
    fence_queue(fuzz->queue);
}

static void try_queue(struct fuzz *fuzz, unsigned shape)
{
    struct quoit_queue_options options = shapes[shape % SHAPES];
    quoit_queue_largest_in_slots = shape % SHAPES == SPANS ? 0 : QUOIT_SPSC_LARGEST_IN_SLOTS;
    options.item_bytes = sizes[shape / (16 * SHAPES) % 2 * 4 + shape / SHAPES % 4];
    options.capacity = capacities[shape / (4 * SHAPES) % 4];
    options.user_bytes = options.capacity == 13 ? 100 : 0;
    create_queue(fuzz, &options);
    fuzz->image = map_image(fuzz->name);
    fuzz->queue_image = fuzz->image;
    while (fuzz->input.next < fuzz->input.end)
        step(fuzz);
    leave(fuzz);
    remove_image(fuzz->name, &fuzz->image);
}

static void try_pool(struct fuzz *fuzz, unsigned shape)
{
    const struct quoit_pool_options options = {.block_bytes = sizes[shape / 2 % 4],
                                               .blocks = block_counts[shape / 8 % 4]};
    const struct quoit_queue_options through = {.kind = shape % 2 ? QUOIT_MPMC : QUOIT_SPSC,
                                                .item_bytes = sizeof(quoit_block),
                                                .capacity = 5};
    create_queue(fuzz, &through);
    (void)quoit_unlink(fuzz->pool_name, 0);
    FUZZ_CHECK(quoit_pool_create(fuzz->pool_name, &options, 0, &fuzz->pool) == QUOIT_OK);
    fence_pool(fuzz->pool);
    const struct image pool = map_image(fuzz->pool_name), queue = map_image(fuzz->name);
    fuzz->image = pool;
    fuzz->other = queue;
    fuzz->queue_image = queue;
    while (fuzz->input.next < fuzz->input.end)
        step_pool(fuzz);
    leave_pool(fuzz);
    leave(fuzz);
    remove_image(fuzz->pool_name, &pool);
    remove_image(fuzz->name, &queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {.input = {.next = data, .end = data + size}};
    unsigned shape = (unsigned)take(&fuzz.input, 1);
    name_objects(&fuzz);
    if (shape < POOLS)
        try_queue(&fuzz, shape);
    else
        try_pool(&fuzz, shape - POOLS);
    return 0;
}
