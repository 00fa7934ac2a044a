/* SPDX-License-Identifier: MIT */
/*
 * Writes an MCAP file to stdout. Messages are collected in a chunk. A chunk, and the indexes of its
 * messages, are written by one call, so a crash cuts off at most the last one. The summary at the
 * end has the index of all chunks; a file without it is read from its beginning to its end.
 */
#include "mcap.h"

#include "stream.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Of a chunk's record before its messages: two times, the size, the checksum, the name of the
       compression, which is empty, and the length of the messages. */
    CHUNK_FIELDS_BYTES = 8 + 8 + 8 + 4 + 4 + 8,
    CHUNK_HEAD_BYTES = MCAP_HEAD_BYTES + CHUNK_FIELDS_BYTES,
    MESSAGE_FIELDS_BYTES = 2 + 4 + 8 + 8,
    MESSAGE_HEAD_BYTES = MCAP_HEAD_BYTES + MESSAGE_FIELDS_BYTES,
    CHANNELS_MOST = 65535
};

static enum mcap_status write_bytes(struct mcap_writer *writer, const struct mcap_bytes *bytes)
{
    if (bytes->failed)
        return MCAP_NO_MEMORY;
    if (!stream_write(bytes->data, bytes->count))
        return MCAP_SYSTEM;
    writer->offset += bytes->count;
    return MCAP_OK;
}

/* Begins a record, whose length end_record stores. Returns where the record begins. */
static size_t begin_record(struct mcap_bytes *bytes, enum mcap_op op)
{
    const unsigned char type = (unsigned char)op;
    const size_t at = bytes->count;
    mcap_put(bytes, &type, 1);
    mcap_put_u64(bytes, 0);
    return at;
}

static void end_record(struct mcap_bytes *bytes, size_t at)
{
    if (!bytes->failed)
        mcap_store_u64(bytes->data + at + 1, bytes->count - at - MCAP_HEAD_BYTES);
}

static void put_map(struct mcap_bytes *bytes, const struct mcap_pair *pairs, size_t count)
{
    const size_t at = bytes->count;
    mcap_put_u32(bytes, 0);
    for (size_t i = 0; i < count; i++) {
        mcap_put_text(bytes, pairs[i].key);
        mcap_put_text(bytes, pairs[i].value);
    }
    if (!bytes->failed)
        mcap_store_u32(bytes->data + at, (uint32_t)(bytes->count - at - 4));
}

enum mcap_status mcap_write_begin(struct mcap_writer *writer, const char *library)
{
    struct mcap_bytes bytes = {0};
    mcap_put(&bytes, mcap_magic, sizeof mcap_magic);
    const size_t at = begin_record(&bytes, MCAP_HEADER);
    mcap_put_text(&bytes, ""); /* the profile */
    mcap_put_text(&bytes, library);
    end_record(&bytes, at);
    const enum mcap_status status = write_bytes(writer, &bytes);
    mcap_free(&bytes);
    return status;
}

/* ---- Channels and metadata ------------------------------------------------------------------- */

static bool add_channel(struct mcap_writer *writer)
{
    if (writer->channel_count == CHANNELS_MOST)
        return false;
    if (writer->channel_count == writer->channel_room) {
        const size_t room = writer->channel_room > 0 ? 2 * writer->channel_room : 8;
        struct mcap_writer_channel *channels = realloc(writer->channels, room * sizeof *channels);
        if (!channels)
            return false;
        writer->channels = channels;
        writer->channel_room = room;
    }
    writer->channels[writer->channel_count++] = (struct mcap_writer_channel){0};
    return true;
}

enum mcap_status mcap_write_channel(struct mcap_writer *writer, const char *topic,
                                    const char *encoding, const char *schema,
                                    const struct mcap_pair *pairs, size_t pair_count,
                                    uint16_t *channel_out)
{
    struct mcap_bytes records = {0};
    if (!add_channel(writer))
        return MCAP_NO_MEMORY;
    *channel_out = (uint16_t)writer->channel_count;
    uint16_t schema_id = 0; /* none */
    if (schema[0] != '\0') {
        schema_id = (uint16_t)++writer->schemas;
        const size_t at = begin_record(&records, MCAP_SCHEMA);
        mcap_put_u16(&records, schema_id);
        mcap_put_text(&records, schema);
        mcap_put_text(&records, ""); /* its encoding: there is only the name */
        mcap_put_text(&records, "");
        end_record(&records, at);
        mcap_put(&writer->schema_records, records.data, records.count);
    }
    const size_t at = begin_record(&records, MCAP_CHANNEL);
    mcap_put_u16(&records, *channel_out);
    mcap_put_u16(&records, schema_id);
    mcap_put_text(&records, topic);
    mcap_put_text(&records, encoding);
    put_map(&records, pairs, pair_count);
    end_record(&records, at);
    if (!records.failed)
        mcap_put(&writer->channel_records, records.data + at, records.count - at);
    const enum mcap_status status = write_bytes(writer, &records);
    mcap_free(&records);
    return status;
}

enum mcap_status mcap_write_metadata(struct mcap_writer *writer, const char *name,
                                     const struct mcap_pair *pairs, size_t pair_count)
{
    struct mcap_bytes record = {0}, *indexes = &writer->metadata_indexes;
    const uint64_t offset = writer->offset;
    size_t at = begin_record(&record, MCAP_METADATA);
    mcap_put_text(&record, name);
    put_map(&record, pairs, pair_count);
    end_record(&record, at);
    const enum mcap_status status = write_bytes(writer, &record);
    writer->metadata++;
    at = begin_record(indexes, MCAP_METADATA_INDEX);
    mcap_put_u64(indexes, offset);
    mcap_put_u64(indexes, record.count);
    mcap_put_text(indexes, name);
    end_record(indexes, at);
    mcap_free(&record);
    return status;
}

/* ---- Messages and chunks --------------------------------------------------------------------- */

unsigned char *mcap_write_room(struct mcap_writer *writer, uint64_t bytes)
{
    struct mcap_bytes *chunk = &writer->chunk;
    if (bytes > UINT64_MAX - CHUNK_HEAD_BYTES - MESSAGE_HEAD_BYTES ||
        !mcap_reserve(chunk, CHUNK_HEAD_BYTES + MESSAGE_HEAD_BYTES + bytes))
        return NULL;
    if (chunk->count == 0)
        chunk->count = CHUNK_HEAD_BYTES; /* mcap_write_chunk fills it */
    return chunk->data + chunk->count + MESSAGE_HEAD_BYTES;
}

void mcap_write_message(struct mcap_writer *writer, uint16_t channel, uint32_t sequence,
                        uint64_t log_time, size_t bytes)
{
    struct mcap_bytes *index = &writer->channels[channel - 1].index;
    unsigned char *head = writer->chunk.data + writer->chunk.count;
    head[0] = MCAP_MESSAGE;
    mcap_store_u64(head + 1, MESSAGE_FIELDS_BYTES + (uint64_t)bytes);
    mcap_store_u16(head + 9, channel);
    mcap_store_u32(head + 11, sequence);
    mcap_store_u64(head + 15, log_time);
    mcap_store_u64(head + 23, log_time); /* the time of publication is not known */
    mcap_put_u64(index, log_time);
    mcap_put_u64(index, writer->chunk.count - CHUNK_HEAD_BYTES);
    writer->chunk.count += MESSAGE_HEAD_BYTES + bytes;
    writer->channels[channel - 1].messages++;
    if (writer->chunk_messages++ == 0)
        writer->chunk_first = log_time;
    if (writer->messages++ == 0)
        writer->first = log_time;
    writer->chunk_last = writer->last = log_time; /* record's clock never goes back */
}

/* Appends the index of each channel's messages to the chunk, and to the map what the summary has to
   contain about them. */
static void put_indexes(struct mcap_writer *writer, struct mcap_bytes *map)
{
    const uint64_t chunk_at = writer->offset;
    struct mcap_bytes *chunk = &writer->chunk;
    for (size_t i = 0; i < writer->channel_count; i++) {
        struct mcap_bytes *index = &writer->channels[i].index;
        chunk->failed = chunk->failed || index->failed;
        if (index->count == 0)
            continue;
        mcap_put_u16(map, (uint16_t)(i + 1));
        mcap_put_u64(map, chunk_at + chunk->count);
        const size_t at = begin_record(chunk, MCAP_MESSAGE_INDEX);
        mcap_put_u16(chunk, (uint16_t)(i + 1));
        mcap_put_u32(chunk, (uint32_t)index->count);
        mcap_put(chunk, index->data, index->count);
        end_record(chunk, at);
        index->count = 0;
    }
}

/* Adds the chunk, of chunk_bytes without the indexes of its messages, to the summary. */
static void put_chunk_index(struct mcap_writer *writer, size_t chunk_bytes,
                            const struct mcap_bytes *map)
{
    struct mcap_bytes *indexes = &writer->chunk_indexes;
    indexes->failed = indexes->failed || map->failed;
    const size_t at = begin_record(indexes, MCAP_CHUNK_INDEX);
    mcap_put_u64(indexes, writer->chunk_first);
    mcap_put_u64(indexes, writer->chunk_last);
    mcap_put_u64(indexes, writer->offset);
    mcap_put_u64(indexes, chunk_bytes);
    mcap_put_u32(indexes, (uint32_t)map->count);
    mcap_put(indexes, map->data, map->count);
    mcap_put_u64(indexes, writer->chunk.count - chunk_bytes);
    mcap_put_text(indexes, ""); /* the compression */
    mcap_put_u64(indexes, chunk_bytes - CHUNK_HEAD_BYTES);
    mcap_put_u64(indexes, chunk_bytes - CHUNK_HEAD_BYTES);
    end_record(indexes, at);
}

enum mcap_status mcap_write_chunk(struct mcap_writer *writer)
{
    struct mcap_bytes *chunk = &writer->chunk, map = {0};
    if (writer->chunk_messages == 0)
        return MCAP_OK;
    const size_t chunk_bytes = chunk->count, records = chunk_bytes - CHUNK_HEAD_BYTES;
    unsigned char *head = chunk->data;
    head[0] = MCAP_CHUNK;
    mcap_store_u64(head + 1, CHUNK_FIELDS_BYTES + (uint64_t)records);
    mcap_store_u64(head + 9, writer->chunk_first);
    mcap_store_u64(head + 17, writer->chunk_last);
    mcap_store_u64(head + 25, records);
    mcap_store_u32(head + 33, mcap_crc32(0, head + CHUNK_HEAD_BYTES, records));
    mcap_store_u32(head + 37, 0); /* the length of the compression's name */
    mcap_store_u64(head + 41, records);
    put_indexes(writer, &map);
    put_chunk_index(writer, chunk_bytes, &map);
    mcap_free(&map);
    writer->chunks++;
    writer->chunk_messages = 0;
    const enum mcap_status status = write_bytes(writer, chunk);
    chunk->count = 0;
    return status;
}

/* ---- The summary ----------------------------------------------------------------------------- */

static void put_statistics(const struct mcap_writer *writer, struct mcap_bytes *bytes)
{
    enum { PAIR_BYTES = 2 + 8 };
    const size_t at = begin_record(bytes, MCAP_STATISTICS);
    mcap_put_u64(bytes, writer->messages);
    mcap_put_u16(bytes, (uint16_t)writer->schemas);
    mcap_put_u32(bytes, (uint32_t)writer->channel_count);
    mcap_put_u32(bytes, 0); /* attachments */
    mcap_put_u32(bytes, writer->metadata);
    mcap_put_u32(bytes, writer->chunks);
    mcap_put_u64(bytes, writer->first);
    mcap_put_u64(bytes, writer->last);
    mcap_put_u32(bytes, (uint32_t)(writer->channel_count * PAIR_BYTES));
    for (size_t i = 0; i < writer->channel_count; i++) {
        mcap_put_u16(bytes, (uint16_t)(i + 1));
        mcap_put_u64(bytes, writer->channels[i].messages);
    }
    end_record(bytes, at);
}

/* Adds records of one kind to the summary, and where they are to the offsets. */
static void put_group(struct mcap_bytes *summary, struct mcap_bytes *offsets, uint64_t file_offset,
                      const struct mcap_bytes *records)
{
    summary->failed = summary->failed || records->failed;
    if (records->count == 0)
        return;
    const size_t at = begin_record(offsets, MCAP_SUMMARY_OFFSET);
    mcap_put(offsets, records->data, 1); /* the type of the records */
    mcap_put_u64(offsets, file_offset + summary->count);
    mcap_put_u64(offsets, records->count);
    end_record(offsets, at);
    mcap_put(summary, records->data, records->count);
}

/* Returns, in offsets_at_out, where in the summary the offsets begin. */
static void put_summary(const struct mcap_writer *writer, struct mcap_bytes *summary,
                        uint64_t file_offset, size_t *offsets_at_out)
{
    struct mcap_bytes statistics = {0}, offsets = {0};
    put_statistics(writer, &statistics);
    put_group(summary, &offsets, file_offset, &writer->schema_records);
    put_group(summary, &offsets, file_offset, &writer->channel_records);
    put_group(summary, &offsets, file_offset, &statistics);
    put_group(summary, &offsets, file_offset, &writer->chunk_indexes);
    put_group(summary, &offsets, file_offset, &writer->metadata_indexes);
    summary->failed = summary->failed || offsets.failed;
    *offsets_at_out = summary->count;
    mcap_put(summary, offsets.data, offsets.count);
    mcap_free(&statistics);
    mcap_free(&offsets);
}

enum mcap_status mcap_write_end(struct mcap_writer *writer)
{
    struct mcap_bytes data_end = {0}, summary = {0};
    size_t at = begin_record(&data_end, MCAP_DATA_END), offsets_at;
    mcap_put_u32(&data_end, 0); /* no checksum: each chunk has one */
    end_record(&data_end, at);
    enum mcap_status status = write_bytes(writer, &data_end);
    mcap_free(&data_end);
    if (status != MCAP_OK)
        return status;
    put_summary(writer, &summary, writer->offset, &offsets_at);
    const bool has_summary = !summary.failed;
    if (!has_summary)
        mcap_free(&summary);
    at = begin_record(&summary, MCAP_FOOTER);
    mcap_put_u64(&summary, has_summary ? writer->offset : 0);
    mcap_put_u64(&summary, has_summary ? writer->offset + offsets_at : 0);
    /* The record's length is part of what the checksum covers, so it is stored before. */
    mcap_put_u32(&summary, 0);
    end_record(&summary, at);
    if (has_summary && !summary.failed)
        mcap_store_u32(summary.data + summary.count - 4,
                       mcap_crc32(0, summary.data, summary.count - 4));
    mcap_put(&summary, mcap_magic, sizeof mcap_magic);
    status = write_bytes(writer, &summary);
    mcap_free(&summary);
    return status;
}

void mcap_write_free(struct mcap_writer *writer)
{
    for (size_t i = 0; i < writer->channel_count; i++)
        mcap_free(&writer->channels[i].index);
    free(writer->channels);
    mcap_free(&writer->chunk);
    mcap_free(&writer->schema_records);
    mcap_free(&writer->channel_records);
    mcap_free(&writer->chunk_indexes);
    mcap_free(&writer->metadata_indexes);
    *writer = (struct mcap_writer){0};
}
