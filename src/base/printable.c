/* SPDX-License-Identifier: MIT */
/* Decides which characters a terminal may get, and makes visible escapes of the others. */
#include "printable.h"

#include <stdio.h>
#include <string.h>

enum { ASCII_END = 0x80, CONTROLS_END = 0xa0 };

/* Unicode's format characters (Cf), the line and paragraph separators (Zl, Zp), and the planes of
   tags and of noncharacters. Control characters (Cc) are below CONTROLS_END. */
static const struct range {
    uint32_t first, last;
} unprintable[] = {
    {0x00ad, 0x00ad},   {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},
    {0x070f, 0x070f},   {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x180e, 0x180e},
    {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};

/* The length in bytes of a character that begins with this byte; 0: no character does. */
static size_t length_of(unsigned char first)
{
    if (first < ASCII_END)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

uint32_t quoit_utf8_next(const char *text, size_t bytes, size_t *length_out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    size_t length = length_of(at[0]);
    *length_out = 1;
    if (length == 0 || length > bytes)
        return QUOIT_NO_CHARACTER;
    uint32_t code = length == 1 ? at[0] : at[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return QUOIT_NO_CHARACTER;
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return QUOIT_NO_CHARACTER;
    *length_out = length;
    return code;
}

bool quoit_is_printable(uint32_t code)
{
    if (code < 0x20 || (code > 0x7e && code < CONTROLS_END) || code > 0x10ffff ||
        (code & 0xfffe) == 0xfffe)
        return false;
    for (size_t i = 0; i < sizeof unprintable / sizeof *unprintable; i++)
        if (code >= unprintable[i].first && code <= unprintable[i].last)
            return false;
    return true;
}

size_t quoit_printable_next(const char *text, size_t bytes, char shown_out[QUOIT_PRINTABLE_ROOM])
{
    size_t length;
    shown_out[0] = '\0';
    if (bytes == 0)
        return 0;
    uint32_t code = quoit_utf8_next(text, bytes, &length);
    if (quoit_is_printable(code)) {
        memcpy(shown_out, text, length);
        shown_out[length] = '\0';
    } else if (code == QUOIT_NO_CHARACTER || code < ASCII_END) {
        (void)snprintf(shown_out, QUOIT_PRINTABLE_ROOM, "\\x%02x",
                       (unsigned)(unsigned char)text[0]);
    } else {
        (void)snprintf(shown_out, QUOIT_PRINTABLE_ROOM, code > 0xffff ? "\\U%08x" : "\\u%04x",
                       (unsigned)code);
    }
    return length;
}

size_t quoit_printable(const char *text, size_t bytes, char *out, size_t room)
{
    char shown[QUOIT_PRINTABLE_ROOM];
    size_t filled = 0;
    for (size_t at = 0, taken; at < bytes; at += taken) {
        taken = quoit_printable_next(text + at, bytes - at, shown);
        size_t length = strlen(shown);
        if (filled + length >= room)
            break;
        memcpy(out + filled, shown, length);
        filled += length;
    }
    out[filled] = '\0';
    return filled;
}
