/* SPDX-License-Identifier: MIT */
/* Plain regions as objects: create, open and join, and the data that they begin with. */
#include "region_handle.h"

#include "arithmetic.h"
#include "fail.h"
#include "permissions.h"
#include "reserved.h"

_Static_assert(sizeof(struct quoit_region_options) == 64, "in every version");
_Static_assert(sizeof(struct quoit_region_shm) % QUOIT_PIECE_ALIGN == 0, "the first piece is data");

static quoit_status check_call(uint32_t flags, unsigned known, quoit_region **region_out)
{
    if (!region_out)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "region_out is NULL; pass the address of a variable");
    *region_out = NULL;
    if (flags & ~known)
        return quoit_fail(QUOIT_ERROR_INVALID, "flags 0x%x are not valid for this call; pass 0",
                          (unsigned)flags);
    return QUOIT_OK;
}

/* Rounds the data's size up, so that the first piece behind it is aligned as it would be without
   data. */
static bool round_data(uint64_t data_bytes, uint64_t *bytes_out)
{
    return quoit_align_up(data_bytes, QUOIT_PIECE_ALIGN, bytes_out);
}

/* bytes_out: room for the data and the pieces. */
static quoit_status check_options(const struct quoit_region_options *options, uint64_t *bytes_out)
{
    uint32_t permissions;
    if (!options)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "options is NULL; pass options that describe the region");
    if (options->size_bytes == 0 && options->data_bytes == 0)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "data_bytes and size_bytes are 0; one of them must be at least 1");
    if (!round_data(options->data_bytes, bytes_out) ||
        !quoit_add(*bytes_out, options->size_bytes, bytes_out) || *bytes_out > INT64_MAX / 2)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "data_bytes is %llu and size_bytes %llu; a region cannot be that large",
                          (unsigned long long)options->data_bytes,
                          (unsigned long long)options->size_bytes);
    quoit_status status = quoit_region_check_memory(options->memory);
    if (status == QUOIT_OK)
        status = QUOIT_CHECK_RESERVED(options, 0);
    return status == QUOIT_OK ? quoit_permissions(options->permissions, &permissions) : status;
}

/* The first piece is the data. */
static quoit_status add_data(quoit_region *region, uint64_t data_bytes)
{
    uint64_t bytes = 0, offset;
    if (data_bytes == 0)
        return QUOIT_OK;
    (void)round_data(data_bytes, &bytes); /* cannot fail: check_options has rounded it before */
    quoit_status status = quoit_region_alloc(region, bytes, QUOIT_PIECE_ALIGN, &offset);
    region->header->data_bytes = data_bytes;
    region->data_bytes = data_bytes;
    return status;
}

static quoit_status begin(const char *name, const struct quoit_region_options *options,
                          uint64_t bytes, quoit_region **region_out)
{
    const struct quoit_region_plan plan = {.content = QUOIT_CONTENT_PLAIN,
                                           .permissions = options->permissions,
                                           .memory = options->memory,
                                           .piece_bytes = bytes};
    return quoit_region_begin(name, &plan, region_out);
}

static quoit_status create_held(const char *name, const struct quoit_region_options *options,
                                quoit_region **region_out)
{
    quoit_region *region;
    uint64_t bytes;
    quoit_status status = check_options(options, &bytes);
    if (status == QUOIT_OK)
        status = begin(name, options, bytes, &region);
    if (status != QUOIT_OK)
        return status;
    status = add_data(region, options->data_bytes);
    if (status == QUOIT_OK)
        status = quoit_region_publish(region);
    if (status == QUOIT_OK)
        *region_out = region;
    else
        quoit_region_close(region);
    return status;
}

quoit_status quoit_region_create(const char *name, const struct quoit_region_options *options,
                                 uint32_t flags, quoit_region **region_out)
{
    quoit_status status = check_call(flags, QUOIT_ANY_OWNER, region_out);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* else a forked child keeps a System V name's gate */
    status = create_held(name, options, region_out);
    quoit_os_fork_release();
    return status;
}

/* Returns DIFFERENT, with both values in the message, if the region is not as the options ask. */
static quoit_status compare(const quoit_region *region, const struct quoit_region_options *options)
{
    uint64_t there = region->size_bytes - sizeof *region->header, asked;
    quoit_status status = check_options(options, &asked);
    if (status != QUOIT_OK)
        return status;
    if (region->data_bytes != options->data_bytes)
        return quoit_region_differs(region, "region", "its data size", region->data_bytes,
                                    options->data_bytes);
    if (there < asked)
        return quoit_region_differs(region, "region", "its size for data and pieces", there, asked);
    return QUOIT_OK;
}

/* options: NULL, or those that the region has to match. */
static quoit_status open_held(const char *name, const struct quoit_region_options *options,
                              uint32_t flags, quoit_region **region_out)
{
    quoit_region *region;
    quoit_status status = quoit_region_attach(name, flags, &region);
    if (status != QUOIT_OK)
        return status;
    if (region->content != QUOIT_CONTENT_PLAIN && !(flags & QUOIT_OBSERVER))
        status = quoit_fail(
            QUOIT_ERROR_DIFFERENT,
            "'%s:%s': it is %s, which can be opened as a region only with QUOIT_OBSERVER",
            QUOIT_REGION_NAME(region), quoit_region_what(region->content));
    else if (options)
        status = compare(region, options);
    if (status == QUOIT_OK && !(flags & QUOIT_OBSERVER))
        status = quoit_region_place(region, options ? options->memory : 0u);
    if (status == QUOIT_OK)
        *region_out = region;
    else
        quoit_region_close(region);
    return status;
}

quoit_status quoit_region_open(const char *name, uint32_t flags, quoit_region **region_out)
{
    quoit_status status = check_call(flags, QUOIT_OBSERVER | QUOIT_ANY_OWNER, region_out);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* else a forked child keeps a System V name's gate */
    status = open_held(name, NULL, flags, region_out);
    quoit_os_fork_release();
    return status;
}

quoit_status quoit_region_join(const char *name, const struct quoit_region_options *options,
                               uint32_t flags, quoit_region **region_out)
{
    uint64_t bytes;
    quoit_status status = check_call(flags, QUOIT_ANY_OWNER, region_out);
    if (status == QUOIT_OK)
        status = check_options(options, &bytes);
    if (status != QUOIT_OK)
        return status;
    quoit_os_cancel_point();
    quoit_os_fork_hold(); /* so that all tries share one time limit */
    do {
        status = open_held(name, options, flags, region_out);
        if (status == QUOIT_ERROR_NOT_FOUND)
            status = create_held(name, options, region_out);
    } while (quoit_region_join_again(name, &status));
    quoit_os_fork_release();
    return status;
}
