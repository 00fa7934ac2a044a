/* SPDX-License-Identifier: MIT */
/* Text for people, as ls, stat, check, rm and top print it. */
#ifndef QUOIT_TOOLS_PRINT_H
#define QUOIT_TOOLS_PRINT_H

#include "object.h"

enum { PRINT_ROOM = 64 };

/* Colours, on a terminal that has some, unless NO_COLOR is set; "" elsewhere. */
enum print_colour { PRINT_PLAIN, PRINT_BOLD, PRINT_DIM, PRINT_RED, PRINT_GREEN, PRINT_YELLOW };
const char *print_colour(enum print_colour colour);
enum print_colour print_state_colour(const struct object *object);

/* Prints names and other text that another user may have chosen, made safe for a terminal
   (printable.h). All such text is printed by this function. */
void print_text(FILE *out, const char *text);
void print_line(const char *text);   /* on stdout */
int print_columns(const char *text); /* the characters that print_text prints */
/* An allocated copy of what print_text prints; NULL: out of memory. */
char *print_copy(const char *text);
void print_padded(const char *text, int columns);     /* on the left, with blanks behind it */
void print_short(double value, char out[PRINT_ROOM]); /* "950", "12.3k", "1.2M" */
void print_capacity(const struct object *object, char out[PRINT_ROOM]); /* short; "1.0MB" */
void print_age(uint64_t since_unix_ns, char out[PRINT_ROOM]);           /* "3 d 4 h", "12 s" */
/* "in use, finished", "in use, 1 crashed"; for a damaged object, the reason. */
void print_state(const struct object *object, char *out, size_t room);

/* Flushes stdout. Returns code; on an error, prints it and returns TOOL_FAILED. */
int print_end(int code);

#endif
