/* SPDX-License-Identifier: MIT */
/* Lays out a pool in a region, and validates an existing one. */
#include "pool_shm.h"

#include "arithmetic.h"
#include "fail.h"
#include "hash.h"
#include "once.h"
#include "reserved.h"

#include <string.h>

enum { STRIDE_ALIGN = 64 };
_Static_assert(sizeof(struct quoit_pool_options) == 64, "in every version");

static uint64_t checksum_of(const struct quoit_pool_shm *pool)
{
    return quoit_hash(QUOIT_HASH_START, pool, offsetof(struct quoit_pool_shm, checksum));
}

/* Bytes from one block to the next. The options are checked already. */
static uint64_t stride_of(uint64_t block_bytes)
{
    return (block_bytes + (STRIDE_ALIGN - 1)) & ~(uint64_t)(STRIDE_ALIGN - 1);
}

static uint64_t hints_bytes(uint64_t blocks)
{
    return quoit_blocks_hints((uint32_t)blocks) * sizeof(quoit_atomic_u64);
}

quoit_status quoit_pool_check_options(const struct quoit_pool_options *options)
{
    uint64_t stride, bytes;
    if (!options)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "options is NULL; pass options that describe the pool");
    if (options->block_bytes == 0)
        return quoit_fail(QUOIT_ERROR_INVALID, "block_bytes is 0; it must be at least 1");
    if (options->blocks == 0)
        return quoit_fail(QUOIT_ERROR_INVALID, "blocks is 0; it must be at least 1");
    if (options->blocks > QUOIT_BLOCKS_MOST ||
        !quoit_align_up(options->block_bytes, STRIDE_ALIGN, &stride) ||
        !quoit_multiply(options->blocks, stride, &bytes) || bytes > INT64_MAX / 2)
        return quoit_fail(
            QUOIT_ERROR_INVALID, "blocks is %llu and block_bytes %llu; a pool cannot be that large",
            (unsigned long long)options->blocks, (unsigned long long)options->block_bytes);
    if (options->members != 0)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "options.members is %u; this version accepts only 0 for a pool",
                          (unsigned)options->members);
    quoit_status status = quoit_region_check_memory(options->memory);
    if (status != QUOIT_OK)
        return status;
    return QUOIT_CHECK_RESERVED(options, options->reserved_word);
}

/* The pieces in the order in which FORMAT.md draws them. */
struct piece {
    uint64_t *offset;
    uint64_t bytes;
};
enum { PIECES = 5 };

static void list_pieces(struct quoit_pool_shm *pool, struct piece pieces[PIECES])
{
    const struct piece list[PIECES] = {
        {&pool->members_offset, pool->member_entries * sizeof(struct quoit_member_shm)},
        {&pool->incarnations_offset, pool->member_entries * sizeof(quoit_atomic_u64)},
        {&pool->hints_offset, hints_bytes(pool->blocks)},
        {&pool->entries_offset, pool->blocks * sizeof(struct quoit_block_shm)},
        {&pool->bytes_offset, pool->blocks * stride_of(pool->block_bytes)}};
    memcpy(pieces, list, sizeof list);
}

static quoit_status allocate_pieces(quoit_region *region, struct quoit_pool_shm *pool)
{
    struct piece pieces[PIECES];
    uint64_t at;
    list_pieces(pool, pieces);
    quoit_status status = quoit_region_alloc(region, sizeof *pool, QUOIT_PIECE_ALIGN, &at);
    for (int i = 0; i < PIECES && status == QUOIT_OK; i++)
        status = quoit_region_alloc(region, pieces[i].bytes, QUOIT_PIECE_ALIGN, pieces[i].offset);
    if (status != QUOIT_OK)
        return status;
    pool->checksum = checksum_of(pool);
    memcpy(region->shm.base + at, pool, sizeof *pool);
    return quoit_region_set_root(region, at);
}

quoit_status quoit_pool_make(const char *name, const struct quoit_pool_options *options,
                             quoit_region **region_out, struct quoit_pool_view *view_out)
{
    quoit_status status = quoit_pool_check_options(options);
    if (status != QUOIT_OK)
        return status;
    struct quoit_pool_shm pool = {.block_bytes = options->block_bytes,
                                  .blocks = options->blocks,
                                  .member_entries = QUOIT_MEMBER_ENTRIES};
    struct piece pieces[PIECES];
    list_pieces(&pool, pieces);
    uint64_t bytes = sizeof pool + UINT64_C(PIECES + 1) * QUOIT_PIECE_ALIGN;
    for (int i = 0; i < PIECES; i++)
        bytes += pieces[i].bytes; /* no overflow: the blocks take less than 2^62, the rest 2^37 */

    const struct quoit_region_plan plan = {.content = QUOIT_CONTENT_POOL,
                                           .permissions = options->permissions,
                                           .memory = options->memory,
                                           .piece_bytes = bytes};
    quoit_region *region;
    status = quoit_region_begin(name, &plan, &region);
    if (status != QUOIT_OK)
        return status;
    status = allocate_pieces(region, &pool);
    if (status == QUOIT_OK)
        status = quoit_pool_find(region, view_out);
    if (status != QUOIT_OK) {
        quoit_region_close(region);
        return status;
    }
    quoit_blocks_init(&view_out->blocks, (uint32_t)region->identity);
    *region_out = region;
    return QUOIT_OK;
}

/* Copies the header, and checks that each value is possible. */
static quoit_status read_header(const quoit_region *region, struct quoit_pool_shm *pool)
{
    if (region->content != QUOIT_CONTENT_POOL)
        return quoit_fail(QUOIT_ERROR_DIFFERENT,
                          "'%s:%s': it is %s, but a pool was requested; use another name, or "
                          "remove it with 'quoit rm'",
                          QUOIT_REGION_NAME(region), quoit_region_what(region->content));
    const uint8_t *at = quoit_region_piece(region, quoit_region_root(region), sizeof *pool);
    if (!at)
        return quoit_region_damaged(region, "pool", "its root is outside the region");
    quoit_copy_once(pool, at, sizeof *pool);
    if (pool->checksum != checksum_of(pool))
        return quoit_region_damaged(region, "pool", "its checksum is wrong");
    const struct quoit_pool_options options = {.block_bytes = pool->block_bytes,
                                               .blocks = pool->blocks};
    if (quoit_pool_check_options(&options) != QUOIT_OK ||
        pool->member_entries != QUOIT_MEMBER_ENTRIES)
        return quoit_region_damaged(region, "pool", "its sizes are out of range");
    return QUOIT_OK;
}

quoit_status quoit_pool_find(quoit_region *region, struct quoit_pool_view *view_out)
{
    struct quoit_pool_shm pool = {0};
    struct piece pieces[PIECES];
    uint8_t *at[PIECES];
    quoit_status status = read_header(region, &pool);
    if (status != QUOIT_OK)
        return status;
    list_pieces(&pool, pieces);
    for (int i = 0; i < PIECES; i++) {
        at[i] = quoit_region_piece(region, *pieces[i].offset, pieces[i].bytes);
        if (!at[i])
            return quoit_region_damaged(region, "pool", "a piece is outside the region");
    }
    *view_out = (struct quoit_pool_view){
        .block_bytes = pool.block_bytes,
        .blocks = {.entries = (struct quoit_block_shm *)(void *)at[3],
                   .hints = (quoit_atomic_u64 *)(void *)at[2],
                   .bytes = at[4],
                   .stride = stride_of(pool.block_bytes),
                   .count = (uint32_t)pool.blocks,
                   .members = {.incarnations = (quoit_atomic_u64 *)(void *)at[1],
                               .count = pool.member_entries,
                               .own = UINT32_MAX,
                               .is_alive = quoit_members_is_alive}},
        .members = {.shm = &region->shm,
                    .entries = (struct quoit_member_shm *)(void *)at[0],
                    .count = pool.member_entries,
                    .own_entry = UINT32_MAX}};
    return QUOIT_OK;
}

quoit_status quoit_pool_compare(const quoit_region *region, const struct quoit_pool_view *view,
                                const struct quoit_pool_options *options)
{
    if (view->block_bytes != options->block_bytes)
        return quoit_region_differs(region, "pool", "its block size", view->block_bytes,
                                    options->block_bytes);
    if (view->blocks.count != options->blocks)
        return quoit_region_differs(region, "pool", "its number of blocks", view->blocks.count,
                                    options->blocks);
    return QUOIT_OK;
}
