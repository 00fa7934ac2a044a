/* SPDX-License-Identifier: MIT */
/* Lays out a queue in a region, and validates an existing one. */
#include "queue_shm.h"

#include "arithmetic.h"
#include "fail.h"
#include "hash.h"
#include "once.h"
#include "reserved.h"

#include <string.h>

static uint64_t checksum_of(const struct quoit_queue_shm *queue)
{
    return quoit_hash(QUOIT_HASH_START, queue, offsetof(struct quoit_queue_shm, checksum));
}

static const struct quoit_ring_ops *const of_items[QUOIT_LAYOUTS] = {
    [QUOIT_LAYOUT_SLOTS] = &quoit_spsc_slots,
    [QUOIT_LAYOUT_SPANS] = &quoit_spsc_spans,
    [QUOIT_LAYOUT_MPMC] = &quoit_mpmc,
    [QUOIT_LAYOUT_LOSSLESS] = &quoit_broadcast_lossless,
    [QUOIT_LAYOUT_LOSSY] = &quoit_broadcast_lossy};
static const struct quoit_ring_ops *const of_messages[QUOIT_LAYOUTS] = {
    [QUOIT_LAYOUT_MPMC] = &quoit_mpmc_messages,
    [QUOIT_LAYOUT_LOSSLESS] = &quoit_broadcast_lossless_messages,
    [QUOIT_LAYOUT_LOSSY] = &quoit_broadcast_lossy_messages,
    [QUOIT_LAYOUT_BYTES] = &quoit_spsc_bytes};

enum { LARGEST_ALIGN = 4096, USUAL_ALIGN = 16, MESSAGE_ALIGN = 8 };

uint64_t quoit_queue_largest_in_slots = QUOIT_SPSC_LARGEST_IN_SLOTS;

static enum quoit_ring_layout layout_for(const struct quoit_queue_options *options)
{
    if (options->kind == QUOIT_MPMC)
        return QUOIT_LAYOUT_MPMC;
    if (options->kind == QUOIT_BROADCAST)
        return options->when_full == QUOIT_DROP_OLDEST ? QUOIT_LAYOUT_LOSSY : QUOIT_LAYOUT_LOSSLESS;
    if (options->messages)
        return QUOIT_LAYOUT_BYTES;
    if (options->item_bytes > quoit_queue_largest_in_slots)
        return QUOIT_LAYOUT_SPANS;
    return QUOIT_LAYOUT_SLOTS;
}

/* May a queue of these options have that layout? Small items may be kept as spans, too. */
static bool is_layout_of(const struct quoit_queue_options *options, uint32_t layout)
{
    uint32_t chosen = (uint32_t)layout_for(options);
    return layout == chosen || (layout == QUOIT_LAYOUT_SPANS && chosen == QUOIT_LAYOUT_SLOTS);
}

/* Returns the operations of a layout that a queue of these options may have. */
static const struct quoit_ring_ops *ops_of(const struct quoit_queue_options *options,
                                           uint32_t layout)
{
    return (options->messages ? of_messages : of_items)[layout];
}

static const struct quoit_ring_ops *ops_for(const struct quoit_queue_options *options)
{
    return ops_of(options, (uint32_t)layout_for(options));
}

/* Returns an item's alignment: as requested, or else 8 for messages, or else the largest power of
   two up to 16 that divides the item's size. */
static uint32_t align_for(const struct quoit_queue_options *options)
{
    uint32_t align = options->messages ? MESSAGE_ALIGN : USUAL_ALIGN;
    if (options->item_align)
        return options->item_align;
    while (!options->messages && options->item_bytes % align != 0)
        align /= 2;
    return align;
}

/* Bytes from one slot to the next. */
static uint64_t stride_for(const struct quoit_queue_options *options,
                           const struct quoit_ring_ops *ops)
{
    return quoit_ring_stride(ops, options->item_bytes + ops->record_bytes, align_for(options));
}

/* Bytes before the first slot. They place the items, which follow the header in each slot, at
   multiples of their alignment. */
static uint64_t lead_for(const struct quoit_queue_options *options,
                         const struct quoit_ring_ops *ops)
{
    uint64_t header = ops->header_bytes + ops->record_bytes;
    return quoit_ring_round_up(header, align_for(options)) - header;
}

/* Bytes of the array of slots. false: there are too many. */
static bool slots_bytes(const struct quoit_queue_options *options, const struct quoit_ring_ops *ops,
                        uint64_t *bytes_out)
{
    uint64_t stride = stride_for(options, ops), most = ops->most_capacity;
    return options->capacity <= (most ? most : INT64_MAX / 2) &&
           quoit_multiply(options->capacity + ops->spare_slots, stride, bytes_out) &&
           *bytes_out <= INT64_MAX / 4 && (*bytes_out += lead_for(options, ops)) > 0;
}

/* Bytes of the ring beside its slots: the counters, and after them a claim record for each member
   if the ring has claim records. */
static uint64_t ring_bytes(const struct quoit_ring_ops *ops, uint32_t entries)
{
    uint64_t claim_records = ops->many_consumers ? entries * sizeof(struct quoit_claim_record_shm)
                                                 : 0;
    return sizeof(struct quoit_ring_shm) + claim_records;
}

/* Chooses a word with which an item is unlikely to begin. It differs between queues. */
static uint64_t choose_empty(void)
{
    uint64_t now = quoit_os_monotonic_ns(), date = quoit_os_unix_time_ns();
    uint32_t process = quoit_os_process_id();
    uint64_t hash = quoit_hash(QUOIT_HASH_START, &now, sizeof now);
    hash = quoit_hash(hash, &date, sizeof date);
    return quoit_hash(hash, &process, sizeof process);
}

static quoit_status check_align(const struct quoit_queue_options *options)
{
    uint32_t align = options->item_align;
    if (align == 0)
        return QUOIT_OK;
    if (align > LARGEST_ALIGN || (align & (align - 1)) != 0)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "item_align is %u; it must be 0, or a power of two up to %d",
                          (unsigned)align, LARGEST_ALIGN);
    if (!options->messages && options->item_bytes % align != 0)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "item_bytes is %llu; it must be a multiple of item_align, %u",
                          (unsigned long long)options->item_bytes, (unsigned)align);
    return QUOIT_OK;
}

static quoit_status check_members(const struct quoit_queue_options *options)
{
    uint32_t most = options->kind == QUOIT_SPSC ? QUOIT_MEMBER_ENTRIES : QUOIT_MOST_MEMBERS;
    if (options->members <= most)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_INVALID,
                      "options.members is %u; for this kind it must be 1 to %u, or 0 for %d",
                      (unsigned)options->members, (unsigned)most, QUOIT_MEMBER_ENTRIES);
}

/* Checks the fields that later versions use. */
static quoit_status check_reserved(const struct quoit_queue_options *options)
{
    quoit_status status = QUOIT_CHECK_RESERVED(options, 0);
    if (status != QUOIT_OK)
        return status;
    status = quoit_region_check_memory(options->memory);
    if (status != QUOIT_OK)
        return status;
    if (!memchr(options->type, 0, sizeof options->type))
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "options.type is not terminated by a zero byte; use at most %zu bytes",
                          sizeof options->type - 1);
    return QUOIT_OK;
}

quoit_status quoit_queue_check_options(const struct quoit_queue_options *options)
{
    uint64_t bytes;
    if (!options)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "options is NULL; pass options that describe the queue");
    if (options->kind > QUOIT_BROADCAST)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                          "kind is %u, which this version does not have; use QUOIT_SPSC, "
                          "QUOIT_MPMC or QUOIT_BROADCAST",
                          (unsigned)options->kind);
    if (options->item_bytes == 0 || options->item_bytes > UINT32_MAX)
        return quoit_fail(QUOIT_ERROR_INVALID, "item_bytes is %llu; it must be 1 to %u",
                          (unsigned long long)options->item_bytes, (unsigned)UINT32_MAX);
    if (options->capacity == 0)
        return quoit_fail(QUOIT_ERROR_INVALID, "capacity is 0; it must be at least 1");
    if (options->when_full > (options->kind == QUOIT_BROADCAST ? QUOIT_DROP_OLDEST : 0u))
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "when_full is %u; it must be QUOIT_WAIT_FOR_SLOWEST, or "
                          "QUOIT_DROP_OLDEST if kind is QUOIT_BROADCAST",
                          (unsigned)options->when_full);
    if (options->messages > 1)
        return quoit_fail(QUOIT_ERROR_INVALID, "messages is %u; it must be 0 or 1",
                          (unsigned)options->messages);
    if (options->user_bytes > UINT32_MAX)
        return quoit_fail(QUOIT_ERROR_INVALID, "user_bytes is %llu; it must be at most %u",
                          (unsigned long long)options->user_bytes, (unsigned)UINT32_MAX);
    quoit_status status = check_align(options);
    if (status == QUOIT_OK)
        status = check_members(options);
    if (status == QUOIT_OK && !slots_bytes(options, ops_for(options), &bytes))
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "capacity is %llu and item_bytes %llu; a queue cannot be that large",
                          (unsigned long long)options->capacity,
                          (unsigned long long)options->item_bytes);
    return status == QUOIT_OK ? check_reserved(options) : status;
}

/* A broadcast has one entry more, for its producer. */
static uint32_t entries_for(const struct quoit_queue_options *options)
{
    uint32_t members = options->members ? options->members : QUOIT_MEMBER_ENTRIES;
    return quoit_ring_has_subscribers(ops_for(options)) ? members + 1 : members;
}

static uint64_t slots_align(const struct quoit_queue_options *options)
{
    uint64_t align = align_for(options);
    return align > QUOIT_PIECE_ALIGN ? align : QUOIT_PIECE_ALIGN;
}

/* The pieces in the order in which FORMAT.md draws them. */
struct piece {
    uint64_t *offset;
    uint64_t bytes, align;
};
enum { RING, MEMBERS, USER, SLOTS, PIECES };

/* The options are checked already. */
static void list_pieces(const struct quoit_queue_options *options, const struct quoit_ring_ops *ops,
                        struct quoit_queue_shm *queue, struct piece pieces[PIECES])
{
    const uint32_t entries = queue->member_entries;
    uint64_t bytes = 0;
    (void)slots_bytes(options, ops, &bytes);
    const struct piece list[PIECES] = {
        [RING] = {&queue->ring_offset, ring_bytes(ops, entries), QUOIT_PIECE_ALIGN},
        [MEMBERS] = {&queue->members_offset, entries * sizeof(struct quoit_member_shm),
                     QUOIT_PIECE_ALIGN},
        [USER] = {&queue->user_offset, queue->user_bytes, QUOIT_PIECE_ALIGN},
        [SLOTS] = {&queue->slots_offset, bytes, slots_align(options)}};
    memcpy(pieces, list, sizeof list);
}

static quoit_status allocate_pieces(quoit_region *region, struct quoit_queue_shm *queue,
                                    const struct piece pieces[PIECES])
{
    uint64_t at;
    quoit_status status = quoit_region_alloc(region, sizeof *queue, QUOIT_PIECE_ALIGN, &at);
    for (int i = 0; i < PIECES && status == QUOIT_OK; i++)
        if (pieces[i].bytes > 0)
            status = quoit_region_alloc(region, pieces[i].bytes, pieces[i].align, pieces[i].offset);
    if (status != QUOIT_OK)
        return status;
    queue->checksum = checksum_of(queue);
    memcpy(region->shm.base + at, queue, sizeof *queue);
    return quoit_region_set_root(region, at);
}

quoit_status quoit_queue_make(const char *name, const struct quoit_queue_options *options,
                              uint32_t flags, quoit_region **region_out,
                              struct quoit_queue_view *view_out)
{
    quoit_status status = quoit_queue_check_options(options);
    if (status != QUOIT_OK)
        return status;
    struct quoit_queue_shm queue = {
        .kind = options->kind,
        .item_bytes = options->item_bytes,
        .capacity = options->capacity,
        .user_bytes = options->user_bytes,
        .item_align = align_for(options),
        .finishes = options->finishes ? options->finishes : 1,
        .member_entries = entries_for(options),
        .layout = (uint32_t)layout_for(options),
        .messages = options->messages,
        .empty = choose_empty(),
    };
    memcpy(queue.type, options->type, strlen(options->type));
    struct piece pieces[PIECES];
    list_pieces(options, ops_for(options), &queue, pieces);
    uint64_t bytes = sizeof queue + QUOIT_PIECE_ALIGN;
    for (int i = 0; i < PIECES; i++)
        bytes += pieces[i].bytes + pieces[i].align; /* no overflow: slots take less than 2^62 */

    const struct quoit_region_plan plan = {.content = QUOIT_CONTENT_QUEUE,
                                           .permissions = options->permissions,
                                           .piece_bytes = bytes,
                                           .memory = options->memory,
                                           .transient = (flags & QUOIT_TRANSIENT) != 0};
    quoit_region *region;
    status = quoit_region_begin(name, &plan, &region);
    if (status != QUOIT_OK)
        return status;
    status = allocate_pieces(region, &queue, pieces);
    if (status == QUOIT_OK)
        status = quoit_queue_find(region, view_out);
    if (status != QUOIT_OK) {
        quoit_region_close(region);
        return status;
    }
    view_out->ring.ops->init(&view_out->ring, 0);
    *region_out = region;
    return QUOIT_OK;
}

static unsigned exclusive_roles(const struct quoit_ring_ops *ops)
{
    return (ops->many_producers ? 0u : QUOIT_PRODUCER) |
           (ops->many_consumers ? 0u : QUOIT_CONSUMER);
}

/* Copies the header once. */
static quoit_status load_header(const quoit_region *region, struct quoit_queue_shm *queue_out)
{
    if (region->content != QUOIT_CONTENT_QUEUE)
        return quoit_fail(QUOIT_ERROR_DIFFERENT,
                          "'%s:%s': it is %s, but a queue was requested; use another name, or "
                          "remove it with 'quoit rm'",
                          QUOIT_REGION_NAME(region), quoit_region_what(region->content));
    const uint8_t *at = quoit_region_piece(region, quoit_region_root(region), sizeof *queue_out);
    if (!at)
        return quoit_region_damaged(region, "queue", "its root is outside the region");
    struct quoit_queue_shm queue;
    quoit_copy_once(&queue, at, sizeof queue);
    if (queue.checksum != checksum_of(&queue))
        return quoit_region_damaged(region, "queue", "its checksum is wrong");
    *queue_out = queue;
    return QUOIT_OK;
}

/* Validates the header, and returns the options that it was made with. */
static quoit_status load_options(const quoit_region *region, const struct quoit_queue_shm *queue,
                                 struct quoit_queue_options *options_out)
{
    *options_out = (struct quoit_queue_options){.kind = queue->kind,
                                                .item_bytes = queue->item_bytes,
                                                .capacity = queue->capacity,
                                                .user_bytes = queue->user_bytes,
                                                .messages = queue->messages,
                                                .item_align = queue->item_align,
                                                .finishes = queue->finishes,
                                                .when_full = queue->layout == QUOIT_LAYOUT_LOSSY
                                                                 ? QUOIT_DROP_OLDEST
                                                                 : QUOIT_WAIT_FOR_SLOWEST};
    memcpy(options_out->type, queue->type, sizeof options_out->type);
    quoit_status status = quoit_queue_check_options(options_out);
    if (status != QUOIT_OK)
        return status == QUOIT_ERROR_UNSUPPORTED
                   ? status
                   : quoit_region_damaged(region, "queue", quoit_describe(status));
    if (!is_layout_of(options_out, queue->layout) || queue->member_entries == 0 ||
        queue->member_entries > QUOIT_MEMBERS_MAX || queue->item_align == 0 || queue->finishes == 0)
        return quoit_region_damaged(region, "queue", "a count is out of range");
    return QUOIT_OK;
}

static quoit_status find_pieces(quoit_region *region, struct quoit_queue_shm *queue,
                                const struct quoit_queue_options *options,
                                const struct quoit_ring_ops *ops, uint8_t *at[PIECES])
{
    struct piece pieces[PIECES];
    list_pieces(options, ops, queue, pieces);
    for (int i = 0; i < PIECES; i++) {
        const struct piece *piece = &pieces[i];
        at[i] = piece->bytes > 0 ? quoit_region_piece(region, *piece->offset, piece->bytes) : NULL;
        if (piece->bytes > 0 && (!at[i] || *piece->offset % piece->align != 0))
            return quoit_region_damaged(region, "queue", "a piece is outside the region");
    }
    return QUOIT_OK;
}

quoit_status quoit_queue_find(quoit_region *region, struct quoit_queue_view *view_out)
{
    struct quoit_queue_shm queue = {.kind = 0};
    struct quoit_queue_options options = {.kind = 0};
    uint8_t *at[PIECES] = {NULL};
    quoit_status status = load_header(region, &queue);
    if (status == QUOIT_OK)
        status = load_options(region, &queue, &options);
    if (status != QUOIT_OK)
        return status;
    const struct quoit_ring_ops *ops = ops_of(&options, queue.layout);
    status = find_pieces(region, &queue, &options, ops, at);
    if (status != QUOIT_OK)
        return status;
    struct quoit_ring_shm *ring = (struct quoit_ring_shm *)(void *)at[RING];
    *view_out = (struct quoit_queue_view){
        .kind = queue.kind,
        .layout = (enum quoit_ring_layout)queue.layout,
        .item_bytes = (uint32_t)queue.item_bytes,
        .item_align = queue.item_align,
        .finishes = queue.finishes,
        .most_members = queue.member_entries - quoit_ring_has_subscribers(ops),
        .user_bytes = queue.user_bytes,
        .messages = options.messages == 1,
        .user = at[USER],
        .ring = {.ops = ops,
                 .shm = ring,
                 .slots = at[SLOTS] + lead_for(&options, ops),
                 .capacity = queue.capacity,
                 .item_bytes = queue.item_bytes + ops->record_bytes,
                 .stride = stride_for(&options, ops),
                 .align = queue.item_align > 8 ? queue.item_align : 8,
                 .empty = queue.empty,
                 .members = {.claim_records = (struct quoit_claim_record_shm *)(void *)(ring + 1),
                             .count = queue.member_entries,
                             .own = UINT32_MAX,
                             .is_alive = quoit_members_is_alive}},
        .members = {.shm = &region->shm,
                    .entries = (struct quoit_member_shm *)(void *)at[MEMBERS],
                    .count = queue.member_entries,
                    .own_entry = UINT32_MAX,
                    .exclusive = exclusive_roles(ops),
                    .joined = {&ring->producers_joined, &ring->consumers_joined}},
    };
    memcpy(view_out->type, queue.type, sizeof view_out->type);
    return QUOIT_OK;
}

const char *quoit_queue_kind_name(uint32_t kind)
{
    static const char *const names[] = {
        [QUOIT_SPSC] = "SPSC", [QUOIT_MPMC] = "MPMC", [QUOIT_BROADCAST] = "BROADCAST"};
    return names[kind];
}

static const char *when_full_name(uint32_t when_full)
{
    return when_full == QUOIT_DROP_OLDEST ? "DROP_OLDEST" : "WAIT_FOR_SLOWEST";
}

static quoit_status differs_by_name(const quoit_region *region, const char *what, const char *there,
                                    const char *asked)
{
    return quoit_fail(QUOIT_ERROR_DIFFERENT,
                      "queue '%s:%s': %s is %s, but %s was requested; use the same options in "
                      "every process, or remove it with 'quoit rm %s:%s'",
                      QUOIT_REGION_NAME(region), what, there, asked, QUOIT_REGION_NAME(region));
}

quoit_status quoit_queue_compare_type(const quoit_region *region,
                                      const struct quoit_queue_view *view, const char *type)
{
    if (!type[0] || !view->type[0] || strcmp(type, view->type) == 0)
        return QUOIT_OK;
    return differs_by_name(region, "its item type", view->type, type);
}

quoit_status quoit_queue_compare(const quoit_region *region, const struct quoit_queue_view *view,
                                 const struct quoit_queue_options *options)
{
    if (view->kind != options->kind)
        return differs_by_name(region, "its kind", quoit_queue_kind_name(view->kind),
                               quoit_queue_kind_name(options->kind));
    if (view->item_bytes != options->item_bytes)
        return quoit_region_differs(region, "queue", "its item size", view->item_bytes,
                                    options->item_bytes);
    if (view->ring.capacity != options->capacity)
        return quoit_region_differs(region, "queue", "its capacity", view->ring.capacity,
                                    options->capacity);
    if (view->messages != (options->messages == 1))
        return quoit_region_differs(region, "queue", "messages", view->messages, options->messages);
    if (!is_layout_of(options, (uint32_t)view->layout))
        return differs_by_name(region, "its when_full",
                               when_full_name(view->ring.ops->drops_oldest),
                               when_full_name(options->when_full));
    if (view->user_bytes != options->user_bytes)
        return quoit_region_differs(region, "queue", "its user area's size", view->user_bytes,
                                    options->user_bytes);
    if (options->item_align > view->item_align)
        return quoit_region_differs(region, "queue", "its item alignment", view->item_align,
                                    options->item_align);
    if (view->finishes != (options->finishes ? options->finishes : 1))
        return quoit_region_differs(region, "queue", "finishes", view->finishes, options->finishes);
    if (options->members > view->most_members)
        return quoit_region_differs(region, "queue", "members", view->most_members,
                                    options->members);
    return quoit_queue_compare_type(region, view, options->type);
}
