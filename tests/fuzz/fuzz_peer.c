/* SPDX-License-Identifier: MIT */
/* The hostile peer of the region fuzzer: it changes shared memory between the calls of the honest
   process. */
#include "fuzz.h"

#include "hash.h"
#include "pool_shm.h"
#include "queue_shm.h"

#include <string.h>

static uint64_t hash_bytes(uint64_t hash, const void *bytes, uint64_t count)
{
    return quoit_hash(hash, bytes, (size_t)count);
}

void mend_checksums(struct fuzz *fuzz)
{
    struct quoit_region_shm *header = (struct quoit_region_shm *)(void *)fuzz->image.bytes;
    uint64_t hash = hash_bytes(QUOIT_HASH_START, fuzz->image.bytes + 8, 32);
    header->checksum = hash_bytes(hash, header->name, sizeof header->name);
    uint64_t root = header->root;
    if (root > fuzz->image.count || fuzz->image.count - root < sizeof(struct quoit_queue_shm) ||
        root % 8 != 0)
        return;
    if (header->content == QUOIT_CONTENT_POOL) {
        struct quoit_pool_shm *pool = (struct quoit_pool_shm *)(void *)(fuzz->image.bytes + root);
        pool->checksum = hash_bytes(QUOIT_HASH_START, pool,
                                    offsetof(struct quoit_pool_shm, checksum));
        return;
    }
    struct quoit_queue_shm *queue = (struct quoit_queue_shm *)(void *)(fuzz->image.bytes + root);
    queue->checksum = hash_bytes(QUOIT_HASH_START, queue,
                                 offsetof(struct quoit_queue_shm, checksum));
}

/* ---- Changes anywhere ------------------------------------------------------------------------ */

void change_byte(struct fuzz *fuzz)
{
    uint64_t at = take(&fuzz->input, 2) % fuzz->image.count;
    fuzz->image.bytes[at] = (uint8_t)take(&fuzz->input, 1);
}

void change_word(struct fuzz *fuzz)
{
    uint64_t at = take(&fuzz->input, 2) % (fuzz->image.count / 8) * 8;
    uint64_t word = take(&fuzz->input, 8);
    memcpy(fuzz->image.bytes + at, &word, 8);
}

void add_to_word(struct fuzz *fuzz)
{
    uint64_t at = take(&fuzz->input, 2) % (fuzz->image.count / 8) * 8, word;
    memcpy(&word, fuzz->image.bytes + at, 8);
    uint64_t shift = take(&fuzz->input, 1) % 64;
    word += (uint64_t)(int64_t)(int8_t)take(&fuzz->input, 1) << shift;
    memcpy(fuzz->image.bytes + at, &word, 8);
}

/* ---- Changes of important words -------------------------------------------------------------- */

static uint64_t position_of_producer(const quoit_queue *queue)
{
    const struct quoit_ring_producer *side = &queue->handle->queue->producer;
    switch (queue->handle->view.layout) {
    case QUOIT_LAYOUT_MPMC:
        return side->state->mpmc.position;
    case QUOIT_LAYOUT_LOSSLESS:
    case QUOIT_LAYOUT_LOSSY:
        return side->state->broadcast.position;
    case QUOIT_LAYOUT_BYTES:
        return side->state->bytes.position;
    default:
        return side->position;
    }
}

static uint64_t position_of_consumer(const quoit_queue *queue)
{
    const struct quoit_ring_consumer *side = &queue->handle->queue->consumer;
    switch (queue->handle->view.layout) {
    case QUOIT_LAYOUT_MPMC:
        return side->state->mpmc.position;
    case QUOIT_LAYOUT_LOSSLESS:
    case QUOIT_LAYOUT_LOSSY:
        return side->state->broadcast.position;
    case QUOIT_LAYOUT_BYTES:
        return side->state->bytes.position;
    default:
        return side->position;
    }
}

/* Returns a value that a counter might have, or nearly. */
static uint64_t choose_value(const quoit_queue *queue, uint64_t now, unsigned way)
{
    const struct quoit_ring_view *ring = &queue->handle->view.ring;
    bool bytes = queue->handle->view.layout == QUOIT_LAYOUT_BYTES;
    uint64_t turn = bytes ? ring->capacity * ring->stride : ring->capacity;
    const uint64_t ends[] = {0, UINT64_MAX, UINT64_C(1) << 63, position_of_consumer(queue)};
    const uint64_t bases[] = {now, quoit_ring_tail(ring->shm), position_of_producer(queue),
                              ends[way / 64]};
    const uint64_t steps[] = {0, turn, 0 - turn, turn / 2, 0 - turn / 2, 1, UINT64_MAX, 2 * turn};
    const uint64_t more[] = {0, bytes ? 8 : 1};
    return bases[way % 4] + steps[way / 4 % 8] + more[way / 32 % 2];
}

/* Returns the word of a slot at that position, as its layout writes it. */
static uint64_t word_for(const quoit_queue *queue, uint64_t position, unsigned what)
{
    const struct quoit_ring_view *ring = &queue->handle->view.ring;
    switch (queue->handle->view.layout) {
    case QUOIT_LAYOUT_SLOTS:
        return what % 2 ? ring->empty : position;
    case QUOIT_LAYOUT_MPMC:
        return position / ring->capacity << 16 | what % 2;
    case QUOIT_LAYOUT_LOSSLESS:
    case QUOIT_LAYOUT_LOSSY:
        return 2 * position + 1 + what % 2;
    default:
        return position;
    }
}

static uint8_t *find_slot(const quoit_queue *queue, uint64_t position)
{
    const struct quoit_ring_view *ring = &queue->handle->view.ring;
    if (queue->handle->view.layout == QUOIT_LAYOUT_BYTES)
        return ring->slots + position % (ring->capacity * ring->stride);
    bool broadcast = queue->handle->view.kind == QUOIT_BROADCAST;
    return ring->slots + position % (ring->capacity + broadcast) * ring->stride;
}

static void *find_counter(const struct quoit_ring_view *ring, bool head)
{
    if (head)
        return &ring->shm->head;
    return &ring->shm->tail;
}

void rewind_counter(struct fuzz *fuzz, bool head)
{
    const quoit_queue *queue = fuzz->queue;
    const struct quoit_ring_view *ring = &queue->handle->view.ring;
    bool bytes = queue->handle->view.layout == QUOIT_LAYOUT_BYTES;
    const uint8_t *at = find_counter(ring, head);
    uint64_t offset = (uint64_t)(at - queue->handle->region->shm.base), word;
    uint64_t steps = 1 + take(&fuzz->input, 1) % (ring->capacity < 64 ? ring->capacity : 64);
    if (offset > fuzz->queue_image.count - sizeof word)
        return;
    memcpy(&word, fuzz->queue_image.bytes + offset, sizeof word);
    word -= bytes ? steps * ring->stride : steps;
    memcpy(fuzz->queue_image.bytes + offset, &word, sizeof word);
}

/* Chooses the word, in the handle's own mapping. shift_out: the bit where its position begins. */
static void *choose_word(const quoit_queue *queue, unsigned which, unsigned *shift_out)
{
    const struct quoit_ring_view *ring = &queue->handle->view.ring;
    bool has_claims = queue->handle->view.kind != QUOIT_SPSC;
    uint32_t entry = ring->members.own < ring->members.count ? ring->members.own : 0;
    void *const words[] = {&ring->shm->committed_below,
                           &ring->shm->finished,
                           &ring->shm->entries_used,
                           &ring->shm->abandoned,
                           &ring->shm->consumer_wake_needed,
                           &ring->shm->producer_wake_needed,
                           find_slot(queue, position_of_producer(queue)),
                           find_slot(queue, position_of_consumer(queue))};
    *shift_out = 0;
    if (which % 2 == 0) /* tail and head, which matter most */
        return find_counter(ring, which / 2 % 2);
    if (!has_claims || which / 2 % 8 >= 4 || which / 64 % 2)
        return words[which / 2 % 8];
    *shift_out = queue->handle->view.kind == QUOIT_MPMC ? 20 : 16;
    return which / 16 % 2 ? &ring->members.claim_records[entry].pushing
                          : &ring->members.claim_records[entry].popping;
}

void change_counter(struct fuzz *fuzz)
{
    const quoit_queue *queue = fuzz->queue;
    unsigned what = (unsigned)take(&fuzz->input, 1), way = (unsigned)take(&fuzz->input, 1), shift;
    const uint8_t *at = choose_word(queue, what, &shift);
    uint64_t offset = (uint64_t)(at - queue->handle->region->shm.base), word;
    if (offset > fuzz->queue_image.count - sizeof word)
        return;
    memcpy(&word, fuzz->queue_image.bytes + offset, sizeof word);
    uint64_t value = choose_value(queue, word >> shift, way);
    if (what % 2 == 1 && what / 2 % 8 >= 6 && what / 32 % 4 > 0) /* a slot's word */
        value = word_for(queue, value, what / 16);
    word = value << shift | (word & ((UINT64_C(1) << shift) - 1));
    memcpy(fuzz->queue_image.bytes + offset, &word, sizeof word);
}
