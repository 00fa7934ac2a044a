/* SPDX-License-Identifier: MIT */
/*
 * Makes text that another user may have chosen safe for a terminal: a name, a process's name, a
 * message. A terminal obeys control characters; format characters hide text or turn its direction.
 * Such characters, and bytes that are not UTF-8, become visible escapes here. The library's error
 * texts and the command's output use this.
 */
#ifndef QUOIT_BASE_PRINTABLE_H
#define QUOIT_BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOIT_NO_CHARACTER UINT32_MAX
enum { QUOIT_PRINTABLE_ROOM = 11 }; /* the longest escape, "\U000e0001", and its 0 */

/* The code point that text begins with, and its length in bytes, at least 1; bytes is not 0.
   QUOIT_NO_CHARACTER: the first byte begins no UTF-8 character that lies within these bytes. */
uint32_t quoit_utf8_next(const char *text, size_t bytes, size_t *length_out);

/* Does a terminal show this character and do nothing else? */
bool quoit_is_printable(uint32_t code);

/* The first character of text as a terminal may get it: itself, or "\x1b", "\u202e",
   "\U000e0001"; a byte that is not UTF-8 as "\x9b". Returns how many bytes of text it stands
   for; 0 if bytes is 0. */
size_t quoit_printable_next(const char *text, size_t bytes, char shown_out[QUOIT_PRINTABLE_ROOM]);

/* The same for all of text: as many whole characters as room, which is not 0, holds before the
   final 0. Returns the length. Applied twice it changes nothing more. */
size_t quoit_printable(const char *text, size_t bytes, char *out, size_t room);

#endif
