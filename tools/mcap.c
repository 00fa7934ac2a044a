/* SPDX-License-Identifier: MIT */
/* The bytes of MCAP files: buffers that grow, little-endian numbers, the checksum. */
#include "mcap.h"

#include <stdlib.h>
#include <string.h>

const unsigned char mcap_magic[MCAP_MAGIC_BYTES] = {0x89, 'M', 'C', 'A', 'P', '0', '\r', '\n'};

bool mcap_reserve(struct mcap_bytes *bytes, uint64_t more)
{
    if (!bytes->failed && more <= bytes->room - bytes->count)
        return true;
    const uint64_t most = SIZE_MAX / 2;
    if (bytes->failed || more > most || bytes->count > most - more) {
        bytes->failed = true;
        return false;
    }
    size_t room = bytes->count + (size_t)more;
    if (room < 2 * bytes->room)
        room = 2 * bytes->room;
    unsigned char *data = realloc(bytes->data, room);
    bytes->failed = !data;
    if (!data)
        return false;
    bytes->data = data;
    bytes->room = room;
    return true;
}

void mcap_put(struct mcap_bytes *bytes, const void *data, size_t count)
{
    if (!mcap_reserve(bytes, count) || count == 0)
        return;
    memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
}

void mcap_put_u16(struct mcap_bytes *bytes, uint16_t value)
{
    unsigned char stored[2];
    mcap_store_u16(stored, value);
    mcap_put(bytes, stored, sizeof stored);
}

void mcap_put_u32(struct mcap_bytes *bytes, uint32_t value)
{
    unsigned char stored[4];
    mcap_store_u32(stored, value);
    mcap_put(bytes, stored, sizeof stored);
}

void mcap_put_u64(struct mcap_bytes *bytes, uint64_t value)
{
    unsigned char stored[8];
    mcap_store_u64(stored, value);
    mcap_put(bytes, stored, sizeof stored);
}

void mcap_put_text(struct mcap_bytes *bytes, const char *text)
{
    const size_t count = strlen(text);
    mcap_put_u32(bytes, (uint32_t)count);
    mcap_put(bytes, text, count);
}

void mcap_free(struct mcap_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct mcap_bytes){0};
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void store(unsigned char *at, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t load(const unsigned char *at, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

void mcap_store_u16(unsigned char *at, uint16_t value)
{
    store(at, value, 2);
}

void mcap_store_u32(unsigned char *at, uint32_t value)
{
    store(at, value, 4);
}

void mcap_store_u64(unsigned char *at, uint64_t value)
{
    store(at, value, 8);
}

uint16_t mcap_load_u16(const unsigned char *at)
{
    return (uint16_t)load(at, 2);
}

uint32_t mcap_load_u32(const unsigned char *at)
{
    return (uint32_t)load(at, 4);
}

uint64_t mcap_load_u64(const unsigned char *at)
{
    return load(at, 8);
}

/* ---- The checksum ---------------------------------------------------------------------------- */

/* table[k][b] is the remainder of the byte b with k zero bytes behind it, so eight bytes take eight
   loads that do not wait for each other. */
enum { STEP = 8, BYTE_VALUES = 256 };
static uint32_t table[STEP][BYTE_VALUES];

static void make_table(void)
{
    const uint32_t polynomial = 0xedb88320;
    for (uint32_t byte = 0; byte < BYTE_VALUES; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
        table[0][byte] = value;
    }
    for (int k = 1; k < STEP; k++)
        for (int byte = 0; byte < BYTE_VALUES; byte++)
            table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 0xff];
}

uint32_t mcap_crc32(uint32_t crc, const void *data, size_t count)
{
    const unsigned char *at = data;
    if (table[0][1] == 0)
        make_table();
    crc = ~crc;
    for (; count >= STEP; count -= STEP, at += STEP) {
        const uint32_t low = crc ^ mcap_load_u32(at), high = mcap_load_u32(at + 4);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
              table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    for (; count > 0; count--, at++)
        crc = crc >> 8 ^ table[0][(crc ^ *at) & 0xff];
    return ~crc;
}
