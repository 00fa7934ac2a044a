/* SPDX-License-Identifier: MIT */
/*
 * MCAP files (https://mcap.dev/spec): a writer for stdout, and a reader for any descriptor. Both go
 * through a file once, from its beginning to its end, so a pipe is enough. Chunks are not
 * compressed. record and replay decide which messages a file has.
 */
#ifndef QUOIT_TOOLS_MCAP_H
#define QUOIT_TOOLS_MCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mcap_op {
    MCAP_HEADER = 0x01,
    MCAP_FOOTER = 0x02,
    MCAP_SCHEMA = 0x03,
    MCAP_CHANNEL = 0x04,
    MCAP_MESSAGE = 0x05,
    MCAP_CHUNK = 0x06,
    MCAP_MESSAGE_INDEX = 0x07,
    MCAP_CHUNK_INDEX = 0x08,
    MCAP_STATISTICS = 0x0b,
    MCAP_METADATA = 0x0c,
    MCAP_METADATA_INDEX = 0x0d,
    MCAP_SUMMARY_OFFSET = 0x0e,
    MCAP_DATA_END = 0x0f
};

enum { MCAP_MAGIC_BYTES = 8, MCAP_HEAD_BYTES = 9 /* a record's: its type and its length */ };
extern const unsigned char mcap_magic[MCAP_MAGIC_BYTES];

enum mcap_status {
    MCAP_OK,
    MCAP_END,         /* reader: the file is complete */
    MCAP_CUT_OFF,     /* reader: the file ends within a record, or without a footer */
    MCAP_NOT_MCAP,    /* reader: the file begins in another way */
    MCAP_DAMAGED,     /* reader: `problem` describes it */
    MCAP_UNSUPPORTED, /* reader: likewise */
    MCAP_NO_MEMORY,
    MCAP_SYSTEM /* errno has the reason */
};

/* ---- Bytes (mcap.c) -------------------------------------------------------------------------- */

/* A buffer that grows. After a failed allocation `failed` is true, and nothing more is added. */
struct mcap_bytes {
    unsigned char *data;
    size_t count, room;
    bool failed;
};
/* Makes room for so many more bytes; false: out of memory. */
bool mcap_reserve(struct mcap_bytes *bytes, uint64_t more);
void mcap_put(struct mcap_bytes *bytes, const void *data, size_t count);
void mcap_put_u16(struct mcap_bytes *bytes, uint16_t value);
void mcap_put_u32(struct mcap_bytes *bytes, uint32_t value);
void mcap_put_u64(struct mcap_bytes *bytes, uint64_t value);
void mcap_put_text(struct mcap_bytes *bytes, const char *text);
void mcap_free(struct mcap_bytes *bytes);

void mcap_store_u16(unsigned char *at, uint16_t value);
void mcap_store_u32(unsigned char *at, uint32_t value);
void mcap_store_u64(unsigned char *at, uint64_t value);
uint16_t mcap_load_u16(const unsigned char *at);
uint32_t mcap_load_u32(const unsigned char *at);
uint64_t mcap_load_u64(const unsigned char *at);

/* The CRC-32 of Ethernet and zlib. crc: 0, or that of the bytes before. */
uint32_t mcap_crc32(uint32_t crc, const void *data, size_t count);

struct mcap_pair { /* of a map */
    const char *key, *value;
};

/* ---- Writer (mcap_write.c) ------------------------------------------------------------------- */

struct mcap_writer_channel {
    struct mcap_bytes index; /* of the chunk: log times and offsets */
    uint64_t messages;
};

struct mcap_writer {                                  /* all zero at first */
    uint64_t offset;                                  /* bytes that stdout has got */
    struct mcap_bytes chunk;                          /* the next one, with room for its head */
    uint64_t chunk_messages, chunk_first, chunk_last; /* log times */
    struct mcap_writer_channel *channels;
    size_t channel_count, channel_room;
    uint64_t messages, first, last; /* of the whole file */
    uint32_t schemas, chunks, metadata;
    /* Records of the summary. If one of them has failed, the file ends without a summary. */
    struct mcap_bytes schema_records, channel_records, chunk_indexes, metadata_indexes;
};

/* They return MCAP_OK, MCAP_NO_MEMORY, or MCAP_SYSTEM: stdout was not written. */
enum mcap_status mcap_write_begin(struct mcap_writer *writer, const char *library);
/* schema: its name, or "" for none. */
enum mcap_status mcap_write_channel(struct mcap_writer *writer, const char *topic,
                                    const char *encoding, const char *schema,
                                    const struct mcap_pair *pairs, size_t pair_count,
                                    uint16_t *channel_out);
/* Returns where in the chunk the next message's data belong, with room for so many bytes. NULL: out
   of memory. mcap_write_message then adds the message: the first `bytes` of them. */
unsigned char *mcap_write_room(struct mcap_writer *writer, uint64_t bytes);
void mcap_write_message(struct mcap_writer *writer, uint16_t channel, uint32_t sequence,
                        uint64_t log_time, size_t bytes);
/* Writes the chunk by one call of stream_write, if it has messages. */
enum mcap_status mcap_write_chunk(struct mcap_writer *writer);
enum mcap_status mcap_write_metadata(struct mcap_writer *writer, const char *name,
                                     const struct mcap_pair *pairs, size_t pair_count);
/* Writes the summary and the footer. The chunk must be written. */
enum mcap_status mcap_write_end(struct mcap_writer *writer);
void mcap_write_free(struct mcap_writer *writer);

/* ---- Reader (mcap_read.c) -------------------------------------------------------------------- */

struct mcap_text { /* in a record, without a 0 at its end */
    const char *text;
    size_t bytes;
};

struct mcap_record {
    uint8_t op;
    const unsigned char *data; /* valid until the next record is read */
    size_t bytes;
};

struct mcap_reader {
    int file;
    unsigned char *buffer;
    size_t begin, end;
    uint64_t offset; /* of the next byte that is read */
    uint64_t whole;  /* where the last whole record ends */
    struct mcap_bytes record;
    const unsigned char *inner; /* the rest of a chunk */
    size_t inner_bytes;
    uint64_t chunks;
    bool begun, data_ended;
    char problem[160];
};

/* Checks how the file begins. */
enum mcap_status mcap_read_begin(struct mcap_reader *reader, int file);
/* Returns the next header, schema, channel, message or metadata record, also those in chunks. */
enum mcap_status mcap_read_next(struct mcap_reader *reader, struct mcap_record *record_out);
void mcap_read_free(struct mcap_reader *reader);
/* Prints on stderr, with `path`, what is wrong and what to do. `done` continues the sentence: the
   user of the file did it with the whole records. Returns TOOL_FAILED. */
int mcap_read_fail(const struct mcap_reader *reader, enum mcap_status status, const char *path,
                   const char *done);

struct mcap_channel {
    uint16_t id, schema;
    struct mcap_text topic, encoding, metadata;
};
struct mcap_message {
    uint16_t channel;
    uint32_t sequence;
    uint64_t log_time, publish_time;
    const unsigned char *data;
    size_t bytes;
};
/* They return false if the record has impossible lengths, and describe that in the reader. */
bool mcap_read_channel(struct mcap_reader *reader, const struct mcap_record *record,
                       struct mcap_channel *channel_out);
bool mcap_read_message(struct mcap_reader *reader, const struct mcap_record *record,
                       struct mcap_message *message_out);
bool mcap_read_metadata(struct mcap_reader *reader, const struct mcap_record *record,
                        struct mcap_text *name_out, struct mcap_text *map_out);
bool mcap_read_header(struct mcap_reader *reader, const struct mcap_record *record,
                      struct mcap_text *library_out);
/* Finds a value in a map; false: the map has no such key. */
bool mcap_find(struct mcap_text map, const char *key, struct mcap_text *value_out);
bool mcap_text_is(struct mcap_text text, const char *other);
/* Copies as much as fits, and a 0. */
void mcap_text_copy(struct mcap_text text, char *out, size_t room);
bool mcap_text_number(struct mcap_text text, uint64_t *value_out);

#endif
