/* SPDX-License-Identifier: MIT */
/* Messages with lengths of their own in rings of slots: a slot's item is a record, a word that says
   how long the message is, and room for a longest one. The rings know nothing of it. */
#include "ring_ops.h"

enum { HEADER_BYTES = QUOIT_RECORD_HEADER_BYTES };

quoit_status quoit_record_claim(struct quoit_ring_producer *producer,
                                const struct quoit_ring_place *place, uint64_t bytes,
                                void **message_out)
{
    void *record;
    uint64_t count;
    quoit_status status = place->ops->claim(producer, place, 1, &record, &count);
    if (status != QUOIT_OK)
        return status;
    producer->bytes = (struct quoit_bytes_producer){
        .slot = record, .is_claimed = true, .claimed_bytes = bytes};
    *message_out = (uint8_t *)record + HEADER_BYTES;
    return QUOIT_OK;
}

bool quoit_record_commit(struct quoit_ring_producer *producer, const struct quoit_ring_place *place,
                         uint64_t bytes)
{
    struct quoit_bytes_producer *side = &producer->bytes;
    uint8_t *record = side->slot;
    if (!side->is_claimed || bytes > side->claimed_bytes || !record)
        return false;
    side->is_claimed = false;
    quoit_ring_store_once(record, bytes);
    return place->ops->commit(producer, place, 1);
}

quoit_status quoit_record_peek(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_place *place, const void **message_out,
                               uint64_t *bytes_out)
{
    const void *record;
    uint64_t count;
    quoit_status status = place->ops->peek(consumer, place, &record, &count);
    if (status != QUOIT_OK)
        return status;
    uint64_t bytes = quoit_ring_load_once(record), most = place->item_bytes - HEADER_BYTES;
    *bytes_out = bytes < most ? bytes : most;
    *message_out = (const uint8_t *)record + HEADER_BYTES;
    return QUOIT_OK;
}
