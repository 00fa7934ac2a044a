/* SPDX-License-Identifier: MIT */
/*
 * Reads an MCAP file of any origin, which may be hostile. Each length is checked against what
 * contains it. Memory is allocated only as bytes arrive, so a length alone allocates nothing. A
 * chunk counts as whole if all its bytes are there and its checksum is right.
 */
#include "mcap.h"

#include "print.h"
#include "stream.h"
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_BYTES = 1 << 16,
    STEP_BYTES = 1 << 20, /* the most that is allocated before its bytes have arrived */
    CHUNK_LEAST_BYTES = 8 + 8 + 8 + 4 + 4 + 8,
    COMPRESSION_AT = 8 + 8 + 8 + 4,
    MESSAGE_LEAST_BYTES = 2 + 4 + 8 + 8
};

#define problem(reader, ...) \
    ((void)snprintf((reader)->problem, sizeof(reader)->problem, __VA_ARGS__))

/* ---- Bytes of the file ----------------------------------------------------------------------- */

/* Copies up to `count` bytes, fewer only at the end of the file; to NULL: skips them. Returns how
   many; -1: errno has the reason. */
static int64_t take(struct mcap_reader *reader, unsigned char *out, uint64_t count)
{
    uint64_t taken = 0;
    while (taken < count) {
        if (reader->begin == reader->end) {
            const int64_t got = stream_read_from(reader->file, reader->buffer, READ_BYTES);
            if (got <= 0)
                return got < 0 ? got : (int64_t)taken;
            reader->begin = 0;
            reader->end = (size_t)got;
        }
        size_t now = reader->end - reader->begin;
        if (now > count - taken)
            now = (size_t)(count - taken);
        if (out)
            memcpy(out + taken, reader->buffer + reader->begin, now);
        reader->begin += now;
        reader->offset += now;
        taken += now;
    }
    return (int64_t)taken;
}

static enum mcap_status take_all(struct mcap_reader *reader, unsigned char *out, uint64_t count)
{
    const uint64_t most = INT64_MAX; /* no file is longer */
    const int64_t got = take(reader, out, count < most ? count : most);
    if (got < 0)
        return MCAP_SYSTEM;
    return (uint64_t)got == count ? MCAP_OK : MCAP_CUT_OFF;
}

/* Appends `count` bytes of the file to reader->record. */
static enum mcap_status load(struct mcap_reader *reader, uint64_t count)
{
    enum mcap_status status = MCAP_OK;
    while (status == MCAP_OK && count > 0) {
        const size_t now = count < STEP_BYTES ? (size_t)count : STEP_BYTES;
        if (!mcap_reserve(&reader->record, now))
            return MCAP_NO_MEMORY;
        status = take_all(reader, reader->record.data + reader->record.count, now);
        reader->record.count += now;
        count -= now;
    }
    return status;
}

enum mcap_status mcap_read_begin(struct mcap_reader *reader, int file)
{
    unsigned char magic[MCAP_MAGIC_BYTES];
    *reader = (struct mcap_reader){.file = file, .buffer = malloc(READ_BYTES)};
    if (!reader->buffer)
        return MCAP_NO_MEMORY;
    const int64_t got = take(reader, magic, sizeof magic);
    if (got < 0)
        return MCAP_SYSTEM;
    if (memcmp(magic, mcap_magic, (size_t)got) != 0)
        return MCAP_NOT_MCAP;
    if ((size_t)got < sizeof magic)
        return MCAP_CUT_OFF;
    reader->whole = reader->offset;
    return MCAP_OK;
}

void mcap_read_free(struct mcap_reader *reader)
{
    free(reader->buffer);
    mcap_free(&reader->record);
    *reader = (struct mcap_reader){0};
}

/* ---- Records --------------------------------------------------------------------------------- */

/* Checks that a chunk's lengths fit together, before its content is read. */
static enum mcap_status check_chunk(struct mcap_reader *reader, uint64_t at, uint64_t bytes)
{
    enum { SHOWN_BYTES = 32 };
    enum mcap_status status = bytes < CHUNK_LEAST_BYTES ? MCAP_DAMAGED
                                                        : load(reader, CHUNK_LEAST_BYTES);
    if (status == MCAP_DAMAGED)
        problem(reader, "the chunk at byte %llu is too short", (unsigned long long)at);
    if (status != MCAP_OK)
        return status;
    const uint64_t name = mcap_load_u32(reader->record.data + COMPRESSION_AT);
    if (name > bytes - CHUNK_LEAST_BYTES) {
        problem(reader, "the chunk at byte %llu has impossible lengths", (unsigned long long)at);
        return MCAP_DAMAGED;
    }
    status = load(reader, name);
    if (status != MCAP_OK)
        return status;
    if (name > 0) {
        char shown[SHOWN_BYTES];
        mcap_text_copy((struct mcap_text){(const char *)reader->record.data + COMPRESSION_AT + 4,
                                          (size_t)name},
                       shown, sizeof shown);
        problem(reader, "its chunks are compressed by '%s'", shown);
        return MCAP_UNSUPPORTED;
    }
    if (mcap_load_u64(reader->record.data + COMPRESSION_AT + 4) == bytes - CHUNK_LEAST_BYTES &&
        mcap_load_u64(reader->record.data + 16) == bytes - CHUNK_LEAST_BYTES)
        return MCAP_OK;
    problem(reader, "the chunk at byte %llu has impossible lengths", (unsigned long long)at);
    return MCAP_DAMAGED;
}

static enum mcap_status load_chunk(struct mcap_reader *reader, uint64_t at, uint64_t bytes)
{
    enum mcap_status status = check_chunk(reader, at, bytes);
    if (status == MCAP_OK)
        status = load(reader, bytes - CHUNK_LEAST_BYTES);
    if (status != MCAP_OK)
        return status;
    const unsigned char *records = reader->record.data + CHUNK_LEAST_BYTES;
    const size_t count = reader->record.count - CHUNK_LEAST_BYTES;
    const uint32_t crc = mcap_load_u32(reader->record.data + 24);
    if (crc != 0 && crc != mcap_crc32(0, records, count)) {
        problem(reader, "the checksum of the chunk at byte %llu is wrong", (unsigned long long)at);
        return MCAP_DAMAGED;
    }
    reader->inner = records;
    reader->inner_bytes = count;
    reader->chunks++;
    return MCAP_OK;
}

/* Returns the next record of the chunk; MCAP_END: it has no more. */
static enum mcap_status next_inner(struct mcap_reader *reader, struct mcap_record *record_out)
{
    while (reader->inner_bytes > 0) {
        const uint64_t bytes = reader->inner_bytes < MCAP_HEAD_BYTES
                                   ? UINT64_MAX
                                   : mcap_load_u64(reader->inner + 1);
        const uint64_t room = reader->inner_bytes - MCAP_HEAD_BYTES;
        if (bytes == UINT64_MAX || bytes > room) {
            problem(reader, "the chunk that ends at byte %llu has a record of an impossible length",
                    (unsigned long long)reader->offset);
            return MCAP_DAMAGED;
        }
        *record_out = (struct mcap_record){reader->inner[0], reader->inner + MCAP_HEAD_BYTES,
                                           (size_t)bytes};
        reader->inner += MCAP_HEAD_BYTES + (size_t)bytes;
        reader->inner_bytes -= MCAP_HEAD_BYTES + (size_t)bytes;
        if (record_out->op == MCAP_SCHEMA || record_out->op == MCAP_CHANNEL ||
            record_out->op == MCAP_MESSAGE)
            return MCAP_OK;
    }
    return MCAP_END;
}

/* After the footer: the magic bytes, and no more. */
static enum mcap_status end_file(struct mcap_reader *reader)
{
    unsigned char magic[MCAP_MAGIC_BYTES], more;
    const enum mcap_status status = take_all(reader, magic, sizeof magic);
    if (status != MCAP_OK)
        return status;
    const int64_t got = take(reader, &more, 1);
    if (got < 0)
        return MCAP_SYSTEM;
    if (got == 0 && memcmp(magic, mcap_magic, sizeof magic) == 0) {
        reader->whole = reader->offset;
        return MCAP_END;
    }
    problem(reader, "other bytes follow its footer, which ends at byte %llu",
            (unsigned long long)reader->whole);
    return MCAP_DAMAGED;
}

static bool is_wanted(const struct mcap_reader *reader, uint8_t op)
{
    return op == MCAP_HEADER || op == MCAP_FOOTER ||
           (!reader->data_ended &&
            (op == MCAP_SCHEMA || op == MCAP_CHANNEL || op == MCAP_MESSAGE || op == MCAP_METADATA));
}

/* Reads one record of the file. *found_out: record_out is one that the caller gets. */
static enum mcap_status next_outer(struct mcap_reader *reader, struct mcap_record *record_out,
                                   bool *found_out)
{
    unsigned char head[MCAP_HEAD_BYTES];
    const uint64_t at = reader->offset;
    enum mcap_status status = take_all(reader, head, sizeof head);
    if (status != MCAP_OK)
        return status;
    const uint8_t op = head[0];
    const uint64_t bytes = mcap_load_u64(head + 1);
    reader->record.count = 0;
    if (op == 0 || (op == MCAP_HEADER) == reader->begun) {
        problem(reader, "byte %llu begins no record", (unsigned long long)at);
        return MCAP_DAMAGED;
    }
    if (op == MCAP_CHUNK && !reader->data_ended)
        status = load_chunk(reader, at, bytes);
    else if (is_wanted(reader, op))
        status = load(reader, bytes);
    else
        status = take_all(reader, NULL, bytes);
    if (status != MCAP_OK)
        return status;
    reader->begun = true;
    reader->whole = reader->offset;
    reader->data_ended = reader->data_ended || op == MCAP_DATA_END;
    if (op == MCAP_FOOTER)
        return end_file(reader);
    *found_out = is_wanted(reader, op);
    *record_out = (struct mcap_record){op, reader->record.data, reader->record.count};
    return MCAP_OK;
}

enum mcap_status mcap_read_next(struct mcap_reader *reader, struct mcap_record *record_out)
{
    for (bool found = false;;) {
        enum mcap_status status = next_inner(reader, record_out);
        if (status != MCAP_END)
            return status;
        status = next_outer(reader, record_out, &found);
        if (status != MCAP_OK || found)
            return status;
    }
}

/* ---- Fields of records ----------------------------------------------------------------------- */

/* Takes a text off the front of the rest. */
static bool take_text(struct mcap_text *rest, struct mcap_text *text_out)
{
    if (rest->bytes < 4)
        return false;
    const uint32_t bytes = mcap_load_u32((const unsigned char *)rest->text);
    if (bytes > rest->bytes - 4)
        return false;
    *text_out = (struct mcap_text){rest->text + 4, bytes};
    rest->text += 4 + (size_t)bytes;
    rest->bytes -= 4 + (size_t)bytes;
    return true;
}

static bool is_sound(struct mcap_reader *reader, bool sound, const char *what)
{
    if (!sound)
        problem(reader, "a %s record before byte %llu has impossible lengths", what,
                (unsigned long long)reader->offset);
    return sound;
}

bool mcap_read_channel(struct mcap_reader *reader, const struct mcap_record *record,
                       struct mcap_channel *channel_out)
{
    enum { IDS_BYTES = 2 + 2 };
    if (!is_sound(reader, record->bytes >= IDS_BYTES, "channel"))
        return false;
    *channel_out = (struct mcap_channel){.id = mcap_load_u16(record->data),
                                         .schema = mcap_load_u16(record->data + 2)};
    struct mcap_text rest = {(const char *)record->data + IDS_BYTES, record->bytes - IDS_BYTES};
    bool sound = take_text(&rest, &channel_out->topic) &&
                 take_text(&rest, &channel_out->encoding) &&
                 take_text(&rest, &channel_out->metadata);
    return is_sound(reader, sound, "channel");
}

bool mcap_read_message(struct mcap_reader *reader, const struct mcap_record *record,
                       struct mcap_message *message_out)
{
    if (!is_sound(reader, record->bytes >= MESSAGE_LEAST_BYTES, "message"))
        return false;
    *message_out = (struct mcap_message){
        .channel = mcap_load_u16(record->data),
        .sequence = mcap_load_u32(record->data + 2),
        .log_time = mcap_load_u64(record->data + 6),
        .publish_time = mcap_load_u64(record->data + 14),
        .data = record->data + MESSAGE_LEAST_BYTES,
        .bytes = record->bytes - MESSAGE_LEAST_BYTES,
    };
    return true;
}

bool mcap_read_metadata(struct mcap_reader *reader, const struct mcap_record *record,
                        struct mcap_text *name_out, struct mcap_text *map_out)
{
    struct mcap_text rest = {(const char *)record->data, record->bytes};
    bool sound = take_text(&rest, name_out) && take_text(&rest, map_out);
    return is_sound(reader, sound, "metadata");
}

bool mcap_read_header(struct mcap_reader *reader, const struct mcap_record *record,
                      struct mcap_text *library_out)
{
    struct mcap_text rest = {(const char *)record->data, record->bytes}, profile;
    bool sound = take_text(&rest, &profile) && take_text(&rest, library_out);
    return is_sound(reader, sound, "header");
}

bool mcap_find(struct mcap_text map, const char *key, struct mcap_text *value_out)
{
    struct mcap_text name, value;
    while (take_text(&map, &name) && take_text(&map, &value))
        if (mcap_text_is(name, key)) {
            *value_out = value;
            return true;
        }
    return false;
}

bool mcap_text_is(struct mcap_text text, const char *other)
{
    return text.bytes == strlen(other) && memcmp(text.text, other, text.bytes) == 0;
}

void mcap_text_copy(struct mcap_text text, char *out, size_t room)
{
    const size_t count = text.bytes < room - 1 ? text.bytes : room - 1;
    memcpy(out, text.text, count);
    out[count] = '\0';
}

bool mcap_text_number(struct mcap_text text, uint64_t *value_out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        const char digit = text.text[i];
        if (digit < '0' || digit > '9' || value > (UINT64_MAX - (uint64_t)(digit - '0')) / 10)
            return false;
        value = value * 10 + (uint64_t)(digit - '0');
    }
    *value_out = value;
    return text.bytes > 0;
}

/* ---- Problems -------------------------------------------------------------------------------- */

int mcap_read_fail(const struct mcap_reader *reader, enum mcap_status status, const char *path,
                   const char *done)
{
    const unsigned long long whole = reader->whole;
    switch (status) {
    case MCAP_CUT_OFF:
        return tool_fail("'%s' is cut off: its last whole record ends at byte %llu, and no footer "
                         "follows; %s",
                         path, whole, done);
    case MCAP_NOT_MCAP:
        return tool_fail("'%s' is not an MCAP file: its first bytes are other ones; pass a file "
                         "that `quoit record` has written",
                         path);
    case MCAP_UNSUPPORTED:
        return tool_fail("'%s': %s, which this program cannot read; write the file again without "
                         "compression, by `mcap decompress`",
                         path, reader->problem);
    case MCAP_DAMAGED:
        return tool_fail("'%s' is damaged: %s; %s", path, reader->problem, done);
    case MCAP_NO_MEMORY:
        return tool_fail("out of memory: a record of '%s' does not fit; use a machine with more "
                         "memory, or write the file again with smaller chunks",
                         path);
    default:
        return tool_fail("cannot read '%s': %s", path, strerror(errno));
    }
}
