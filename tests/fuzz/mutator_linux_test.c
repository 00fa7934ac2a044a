/* SPDX-License-Identifier: MIT */
/*
 * A process writes anything anywhere into the queue's memory, while another one uses the queue. The
 * second one gets garbage and errors, but no fault, and it never hangs.
 */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 40, OPERATIONS = 3000, MANY = 16384, BLOCKS = 8 };

/* The words of tail and head (FORMAT.md 4), if the queue begins at the same offset as in this
   version. */
enum { TAIL = 512 / 8, HEAD = (512 + 128) / 8, CAPACITY = 7 };

static uint64_t random_step(uint64_t random)
{
    return random % (2 * CAPACITY + 1) - CAPACITY;
}

/* Changes bytes and words at random. Large changes are rare, since most values of a word are far
   away. With a third argument it sets one counter to values near the other one, also between a
   claim and its commit and between a peek and its release. */
static void change_for_ever(char **arguments)
{
    char path[300];
    struct stat info;
    (void)snprintf(path, sizeof path, "/dev/shm/%s", arguments[0]);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK_GE(fd, 0);
    CHECK_EQ(fstat(fd, &info), 0);
    size_t size = (size_t)info.st_size;
    void *image = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_NE(image, MAP_FAILED);
    volatile uint8_t *bytes = image;
    volatile uint64_t *words = image;
    bool counters = arguments[2] != NULL;
    size_t counter = counters && strcmp(arguments[2], "head") == 0 ? HEAD : TAIL;
    for (uint64_t random = strtoull(arguments[1], NULL, 10);;) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t at = (size_t)(random >> 33) % (random >> 20 & 1 ? size : 4096);
        if (counters)
            words[counter] = words[TAIL + HEAD - counter] + random_step(random >> 50);
        else if (random >> 21 & 1)
            bytes[at] = (uint8_t)(random >> 24);
        else
            words[at / 8] += (random >> 22 & 1) << (random >> 26 & 63);
    }
}

static void browse(const quoit_queue *queue)
{
    struct quoit_browser browser = {0};
    uint64_t item, bytes;
    for (int i = 0; i < 2 * CAPACITY; i++)
        if (quoit_queue_browse(queue, &browser, &item, sizeof item, &bytes) != QUOIT_OK)
            break;
}

static void use(quoit_queue *queue, unsigned what)
{
    static uint64_t items[MANY];
    size_t count = what / 16 % 9 == 0 ? MANY : what / 16 % 9;
    struct quoit_queue_info info;
    void *room;
    const void *seen;
    switch (what % 18) {
    case 0:
        (void)quoit_queue_push(queue, items, (size_t)quoit_queue_item_bytes(queue), QUOIT_NOW);
        break;
    case 1:
        (void)quoit_queue_pop(queue, items, (size_t)quoit_queue_item_bytes(queue), NULL, QUOIT_NOW);
        break;
    case 2:
        (void)test_push_many(queue, items, count);
        break;
    case 3:
        (void)test_pop_many(queue, items, count);
        break;
    case 4:
        (void)quoit_queue_push(queue, items, (size_t)quoit_queue_item_bytes(queue), 1000);
        break;
    case 5:
        (void)quoit_queue_pop(queue, items, (size_t)quoit_queue_item_bytes(queue), NULL, 1000);
        break;
    case 6:
        if (quoit_queue_claim_many(queue, count, &room, &count, QUOIT_NOW) == QUOIT_OK)
            memset(room, 1, (size_t)count * sizeof *items);
        break;
    case 7:
        (void)quoit_queue_commit_many(queue, count);
        break;
    case 8:
        if (quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW) == QUOIT_OK && count <= MANY)
            memcpy(items, seen, (size_t)count * sizeof *items);
        break;
    case 9:
        (void)quoit_queue_release_many(queue, count);
        break;
    case 10:
        (void)quoit_queue_check(queue);
        break;
    case 11:
        (void)quoit_queue_inspect(queue, &info);
        break;
    case 12:
    case 13:
        (void)quoit_queue_discard(queue);
        break;
    case 14:
    case 15:
        (void)quoit_queue_peek(queue, &seen, NULL, QUOIT_NOW);
        break;
    case 16:
        browse(queue);
        break;
    default:
        (void)quoit_queue_size(queue);
    }
}

static void try_options(struct quoit_queue_options options)
{
    options.item_bytes = 8;
    options.capacity = CAPACITY;
    unsigned opened = 0;
    for (unsigned round = 0; round < test_effort(ROUNDS / 4, ROUNDS); round++) {
        const char *name = test_name("posix");
        char seed[24];
        static const char *const which[] = {NULL, "head", NULL, "tail"};
        (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)test_random());
        const char *const arguments[] = {test_path(name), seed, which[round % 4], NULL};
        quoit_queue *queue, *second;
        uint64_t random = round; /* each order of calls occurs */
        CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                     QUOIT_OK);
        test_process mutator = test_spawn("change_for_ever", arguments);
        for (unsigned i = 0; i < OPERATIONS; i++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            use(queue, (unsigned)(random >> 40));
            if (i % 100 == 0 && quoit_queue_open(name, QUOIT_OBSERVER, &second) == QUOIT_OK) {
                opened++;
                (void)quoit_queue_check(second);
                quoit_queue_close(second);
            }
        }
        test_kill(mutator);
        (void)test_wait(mutator);
        quoit_queue_close(queue);
        (void)quoit_unlink(name, 0); /* it may not be a queue any more */
        (void)shm_unlink(test_path(name));
    }
    printf("  opened %u times\n", opened);
}

static void slots(void)
{
    try_options((struct quoit_queue_options){.kind = QUOIT_SPSC});
}

static void spans(void)
{
    test_keep_spans(true);
    try_options((struct quoit_queue_options){.kind = QUOIT_SPSC});
    test_keep_spans(false);
}

static void mpmc(void)
{
    try_options((struct quoit_queue_options){.kind = QUOIT_MPMC});
}

static void lossless(void)
{
    try_options((struct quoit_queue_options){.kind = QUOIT_BROADCAST});
}

static void lossy(void)
{
    try_options(
        (struct quoit_queue_options){.kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST});
}

/* ---- A pool, and the queue that its blocks go through ---------------------------------------- */

static test_process start_mutator(const char *name)
{
    char seed[24];
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)test_random());
    const char *const arguments[] = {test_path(name), seed, NULL};
    return test_spawn("change_for_ever", arguments);
}

static void use_pool(quoit_pool *pool, quoit_queue *queue, unsigned what)
{
    static quoit_block blocks[BLOCKS];
    quoit_block *block = &blocks[what / 16 % BLOCKS];
    void *bytes;
    switch (what % 8) {
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
        (void)quoit_pool_pop(pool, queue, block, 1000);
        break;
    case 5:
        (void)quoit_pool_reclaim(pool, &queue, 1, NULL);
        break;
    case 6:
        (void)quoit_pool_check(pool);
        break;
    default:
        if ((bytes = quoit_pool_at(pool, *block)) != NULL)
            memset(bytes, (int)what, 100);
    }
}

static void try_pool_round(unsigned round)
{
    const struct quoit_pool_options pool_options = {.block_bytes = 100, .blocks = 70};
    const struct quoit_queue_options options = {
        .kind = round % 2 ? QUOIT_MPMC : QUOIT_SPSC, .item_bytes = 8, .capacity = 7};
    test_keep_spans(round % 4 / 2 != 0);
    const char *name = test_name("posix"), *queue_name = test_name("posix");
    quoit_pool *pool, *second;
    quoit_queue *queue;
    CHECK_STATUS(quoit_pool_create(name, &pool_options, 0, &pool), QUOIT_OK);
    CHECK_STATUS(quoit_queue_create(queue_name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    test_process mutators[] = {start_mutator(name), start_mutator(queue_name)};
    for (unsigned i = 0; i < OPERATIONS; i++) {
        use_pool(pool, queue, i * 2654435761u >> 8);
        if (i % 100 == 0 && quoit_pool_open(name, 0, &second) == QUOIT_OK) {
            use_pool(second, queue, i * 2654435761u >> 8);
            quoit_pool_close(second);
        }
    }
    for (int i = 0; i < 2; i++) {
        test_kill(mutators[i]);
        (void)test_wait(mutators[i]);
    }
    quoit_queue_close(queue);
    quoit_pool_close(pool);
    (void)shm_unlink(test_path(name));
    (void)shm_unlink(test_path(queue_name));
}

static void pools(void)
{
    for (unsigned round = 0; round < test_effort(ROUNDS / 4, ROUNDS); round++)
        try_pool_round(round);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"bytes change under slots", slots},
                                             {"bytes change under spans", spans},
                                             {"bytes change under mpmc", mpmc},
                                             {"bytes change under a pool", pools},
                                             {"bytes change under a lossless broadcast", lossless},
                                             {"bytes change under a lossy broadcast", lossy},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"change_for_ever", change_for_ever}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
