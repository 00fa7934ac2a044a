/* SPDX-License-Identifier: MIT */
/*
 * Reads a subcommand's options by the rules of GNU's getopt_long, which Microsoft's C library does
 * not have: options and operands in any order, "--" ends the options, -ab is -a -b, -nVALUE is
 * -n VALUE, --name=VALUE is --name VALUE, and a long name may be abbreviated.
 */
#ifndef QUOIT_TOOLS_OPTIONS_H
#define QUOIT_TOOLS_OPTIONS_H

#include <stdbool.h>

struct tool_option {
    const char *name; /* without the two dashes; NULL ends the table */
    bool takes_value;
    char letter; /* what tool_option_next returns */
};

/* The next option's letter; TOOL_OPTIONS_END; or TOOL_OPTION_BAD. short_letters are the letters
   that are options of their own, each followed by ':' if it takes a value. Moves the operands
   behind the options. */
enum { TOOL_OPTIONS_END = -1, TOOL_OPTION_BAD = '?' };
int tool_option_next(int argc, char **argv, const char *short_letters,
                     const struct tool_option *options);
void tool_option_restart(void); /* for a second command line, in tests */
extern char *tool_option_value; /* of the option; NULL if it takes none */
extern int tool_operand;        /* after the last option: the index of the first operand */

/* After TOOL_OPTION_BAD: reports the option; returns TOOL_USAGE. */
int tool_option_refuse(void);

#endif
