/* SPDX-License-Identifier: MIT */
/* Variable-size messages as items of one size. An item is a record: a word with the message's
   length, and room for the longest message. The ring of items does not know of records. */
#include "ring_ops.h"

enum { HEADER_BYTES = QUOIT_RECORD_HEADER_BYTES };

quoit_status quoit_record_claim(struct quoit_ring_producer *producer,
                                const struct quoit_ring_view *view, uint64_t wanted, uint64_t bytes,
                                void **message_out, uint64_t *count_out)
{
    void *record;
    (void)wanted; /* one message at a time */
    quoit_status status = view->ops->items->claim(producer, view, 1, view->item_bytes, &record,
                                                  count_out);
    if (status != QUOIT_OK)
        return status;
    producer->state->record = (struct quoit_record_claim){.record = record, .claimed_bytes = bytes};
    *message_out = (uint8_t *)record + HEADER_BYTES;
    return QUOIT_OK;
}

bool quoit_record_commit(struct quoit_ring_producer *producer, const struct quoit_ring_view *view,
                         uint64_t count, uint64_t bytes)
{
    struct quoit_record_claim claim = producer->state->record;
    if (count == 0) {
        producer->state->record.record = NULL;
        return view->ops->items->commit(producer, view, 0, view->item_bytes);
    }
    if (count > 1 || !claim.record || bytes > claim.claimed_bytes)
        return false;
    producer->state->record.record = NULL;
    quoit_ring_store_once(claim.record, bytes);
    return view->ops->items->commit(producer, view, 1, view->item_bytes);
}

quoit_status quoit_record_peek(struct quoit_ring_consumer *consumer,
                               const struct quoit_ring_view *view, const void **message_out,
                               uint64_t *count_inout, uint64_t *bytes_out)
{
    const void *record;
    uint64_t record_bytes;
    quoit_status status = view->ops->items->peek(consumer, view, &record, count_inout,
                                                 &record_bytes);
    if (status != QUOIT_OK)
        return status;
    uint64_t bytes = quoit_ring_load_once(record), most = view->item_bytes - HEADER_BYTES;
    *bytes_out = bytes < most ? bytes : most;
    *message_out = (const uint8_t *)record + HEADER_BYTES;
    return QUOIT_OK;
}
